"""Dirt put into the clean sheets, every spot with its place, its kind and what cleaning should make of it.

Nothing here changes who is in the trial: a corrupted key can be restored, and what cannot be restored does
not decide the flow. No two spots lie in one row.
"""

from collections.abc import Iterable
from datetime import date, timedelta

import numpy as np

from analysis.synth.hand import Condition, Hand, Row, Spot
from analysis.synth.sheets import ISO, SLASHES, Sheet

CHILDREN, FAMILIES = "trial/redcap_children.csv", "trial/redcap_families.csv"
EVENTS, SCREENING = "trial/redcap_events.csv", "trial/screening_log.csv"
WITHDRAWALS, DELIVERY = "trial/withdrawals.csv", "service/delivery.csv"
COURT, GLASGOW, LONDON = "court/proceedings.csv", "glasgow/clas_placements.csv", "london/"
CYRILLIC_ES, HARD_SPACE = "\u0421", "\u00a0"
SDQ_ITEMS = tuple(f"sdq_{item:02d}" for item in range(1, 26))


def add_dirt(sheets: dict[str, Sheet], *, data_cut: date, generator: np.random.Generator) -> list[Spot]:
    """Spoil the sheets in place; the list of spots, ordered by file, line and column."""
    hand = Hand(sheets, generator)
    for stain in (
        _swapped_siblings,
        _birth_after_entry,
        _spoiled_answers,
        _spoiled_codes,
        _spoiled_dates,
        _blanks,
    ):
        stain(hand)
    _spoiled_ids(hand)
    _event_after_cut(hand, data_cut)
    _duplicates(hand)
    _marks(hand)
    return sorted(hand.spots, key=lambda spot: spot[:4])


def _any(row: Row) -> bool:
    return True


def _attended(*events: str) -> Condition:
    return lambda row: row["redcap_event_name"] in events and row["visit_status"] == "attended"


def _complete_sdq(*events: str) -> Condition:
    here = _attended(*events)
    return lambda row: here(row) and row["sdq_total"] != "" and all(row[item] for item in SDQ_ITEMS)


def _swapped_siblings(hand: Hand) -> None:
    """Two siblings' 15-month forms filed under each other's number: the form does not fit the age."""
    columns = hand.sheets[CHILDREN].columns
    family_of, waiting = {}, {}
    cells = zip(
        columns["record_id"],
        columns["redcap_event_name"],
        columns["family"],
        columns["pedsql_form"],
        strict=True,
    )
    for line, (child, event, family, form) in enumerate(cells, start=2):
        if event == "enrolment":
            family_of[child] = family
        elif event == "month_15" and form:
            before = waiting.setdefault(family_of[child], (line, child, form))
            if before[2] != form:
                for at, wrong in ((line, before[1]), (before[0], child)):
                    hand.touched.add((CHILDREN, at))
                    hand.put(CHILDREN, at, "record_id", wrong, "swapped_siblings", None)
                return


def _birth_after_entry(hand: Hand) -> None:
    """A child of a removed family, born two days after entering care."""
    families = hand.sheets[FAMILIES].columns
    removed = {
        family for family, day in zip(families["record_id"], families["removed_dt"], strict=True) if day
    }
    for line in hand.lines(CHILDREN, 1, lambda row: row["family"] in removed):
        entry = date.fromisoformat(hand.cell(CHILDREN, line, "care_entry_dt"))
        hand.put(CHILDREN, line, "dob", (entry + timedelta(2)).isoformat(), "birth_after_entry", None)


def _spoiled_answers(hand: Hand) -> None:
    item = _item(hand)
    for event, value in (("month_15", "3"), ("baseline", "21")):
        hand.spoil(
            CHILDREN, item, 1, "out_of_range", lambda _, v=value: v, _complete_sdq(event), restorable=False
        )
    hand.spoil(
        CHILDREN,
        "sdq_total",
        2,
        "wrong_total",
        lambda cell: str(int(cell) + (3 if int(cell) <= 37 else -3)),
        _complete_sdq("year_2_5"),
        restorable=False,
    )
    hand.spoil(
        CHILDREN,
        "pedsql_total",
        3,
        "decimal_comma",
        lambda cell: cell.replace(".", ","),
        _any,
        restorable=True,
    )


def _spoiled_codes(hand: Hand) -> None:
    for file, column, n in (
        (CHILDREN, "informant", 3),
        (CHILDREN, "sex", 1),
        (CHILDREN, _item(hand), 2),
        (FAMILIES, "epoch", 1),
    ):
        hand.spoil(file, column, n, "float_code", lambda cell: f"{cell}.0", _any, restorable=True)
    last = _london_files(hand)[-1]
    for column, n in (("PLACE", 2), ("REC", 1), ("LS", 1)):
        hand.spoil(last, column, n, "lower_case", str.lower, _any, restorable=True)


def _item(hand: Hand) -> str:
    """One SDQ item at random."""
    return SDQ_ITEMS[int(hand.generator.integers(len(SDQ_ITEMS)))]


def _spoiled_dates(hand: Hand) -> None:
    once = _returned_once(hand)
    last = _london_files(hand)[-1]
    mixed = [
        (CHILDREN, "visit_dt", 3, _to_slashes, _attended("month_15")),
        (CHILDREN, "visit_dt", 2, _to_slashes, _attended("year_2_5")),
        (FAMILIES, "consent_dt", 2, _to_slashes, _any),
        (GLASGOW, "placement_end_date", 2, _to_iso, _any),
        (last, "DEC", 2, _to_iso, lambda row: (row["CHILD"], row["DECOM"]) in once),
        (WITHDRAWALS, "date", 1, _to_iso, _any),
        (DELIVERY, "first_contact", 1, _to_iso, _any),
    ]
    for file, column, n, change, fits in mixed:
        hand.spoil(file, column, n, "date_format", change, fits, restorable=True)
    hand.spoil(FAMILIES, "consent_dt", 2, "placeholder_date", lambda _: "1900-01-01", _any, restorable=False)
    hand.spoil(
        DELIVERY, "last_contact", 1, "placeholder_date", lambda _: "31/12/2999", _any, restorable=False
    )
    hand.spoil(
        CHILDREN,
        "visit_dt",
        1,
        "visit_before_randomisation",
        lambda cell: f"{int(cell[:4]) - 2}{cell[4:]}",
        lambda row: _attended("month_15")(row) and not row["visit_dt"].endswith("02-29"),
        restorable=False,
    )


def _blanks(hand: Hand) -> None:
    """Blank cells filled with a code for missing, with a code nobody declared, or with spaces."""
    codes = ("-99", "-95", "-97")
    unanswered = hand.lines(CHILDREN, 6, lambda row: row["sdq_dt"] != "" and _first_blank(row) is not None)
    for at, line in enumerate(unanswered):
        item = _first_blank(Row(hand.sheets[CHILDREN].columns, line - 2))
        hand.put(CHILDREN, line, item, codes[at % len(codes)], "missing_code", None)
    for scale, code in (("dai", "-95"), ("pirgas", "-96"), ("timb", "-97")):
        for line in hand.lines(CHILDREN, 1, lambda row, s=scale: _attended("month_15")(row) and row[s] == ""):
            hand.put(CHILDREN, line, scale, code, "missing_code", None)
    for line in hand.lines(CHILDREN, 1, lambda row: _attended("month_15")(row) and row["rpq"] == ""):
        hand.put(CHILDREN, line, "rpq", "-98", "undeclared_code", None)
    for line in hand.lines(SCREENING, 2, lambda row: row["reason"] == ""):
        hand.put(SCREENING, line, "reason", "  ", "spaces", "")


def _first_blank(row: Row) -> str | None:
    return next((item for item in SDQ_ITEMS if row[item] == ""), None)


def _spoiled_ids(hand: Hand) -> None:
    last, once = _london_files(hand)[-1], _returned_once(hand)
    spaced = [(EVENTS, "family", 2), (CHILDREN, "family", 2), (FAMILIES, "record_id", 1), (last, "CHILD", 2)]
    for file, column, n in spaced:
        hand.spoil(file, column, n, "trailing_space", lambda cell: f"{cell}  ", _any, restorable=True)
    hand.spoil(COURT, "family", 1, "trailing_space", lambda cell: cell + HARD_SPACE, _any, restorable=True)
    alike = [
        (GLASGOW, "child_ref", 2, _any),
        (EVENTS, "record_id", 1, _any),
        (CHILDREN, "record_id", 1, _attended("month_15")),
        (last, "CHILD", 1, lambda row: (row["CHILD"], row["DECOM"]) in once),
    ]
    for file, column, n, fits in alike:
        hand.spoil(file, column, n, "look_alike", lambda cell: CYRILLIC_ES + cell[1:], fits, restorable=True)


def _event_after_cut(hand: Hand, data_cut: date) -> None:
    later = (data_cut + timedelta(40)).isoformat()
    hand.spoil(
        EVENTS,
        "event_dt",
        1,
        "event_after_cut",
        lambda _: later,
        lambda row: row["serious"] == "0",
        restorable=False,
    )


def _duplicates(hand: Hand) -> None:
    """Rows that stand a second time at the end of their file."""
    last, once = _london_files(hand)[-1], _returned_once(hand)
    twice: Iterable[tuple[str, Condition]] = [
        (CHILDREN, _attended("year_2_5")),
        (EVENTS, lambda row: row["serious"] == "1"),
        (SCREENING, _any),
        (GLASGOW, _any),
        (last, lambda row: (row["CHILD"], row["DECOM"]) in once),
    ]
    for file, fits in twice:
        sheet = hand.sheets[file]
        for line in hand.lines(file, 1, fits):
            sheet.extra.append(sheet.row(line))
            added = sheet.n_rows + sheet.n_later + len(sheet.extra) + 1
            hand.spots.append(Spot(file, added, "", "duplicate", None))


def _marks(hand: Hand) -> None:
    """A byte-order mark at the head of two files."""
    for file in (CHILDREN, _london_files(hand)[0]):
        hand.sheets[file].has_mark = True
        hand.spots.append(Spot(file, 1, "", "byte_order_mark", None))


def _london_files(hand: Hand) -> list[str]:
    return sorted(file for file in hand.sheets if file.startswith(LONDON))


def _returned_once(hand: Hand) -> set[tuple[str, str]]:
    """Keys of rows that stand in one English return only: the next one would not know a spoiled key."""
    count: dict[tuple[str, str], int] = {}
    for file in _london_files(hand):
        columns = hand.sheets[file].columns
        for key in zip(columns["CHILD"], columns["DECOM"], strict=True):
            count[key] = count.get(key, 0) + 1
    return {key for key, n in count.items() if n == 1}


def _to_slashes(cell: str) -> str:
    return date.fromisoformat(cell).strftime(SLASHES)


def _to_iso(cell: str) -> str:
    day, month, year = (int(part) for part in cell.split("/"))
    return date(year, month, day).strftime(ISO)

"""Dirt put into the clean sheets, every spot with its place, its kind and what cleaning should make of it.

Nothing here changes who is in the trial: a corrupted key can be restored, and what cannot be restored does
not decide the flow. No two spots lie in one row.
"""

from collections.abc import Iterable
from datetime import date, timedelta

from analysis.synth.conflicts import CONFLICTS, DISTURBING
from analysis.synth.files import (
    CHILDREN,
    COURT,
    DELIVERY,
    EVENTS,
    FAMILIES,
    GLASGOW,
    SCREENING,
    WITHDRAWALS,
    anything,
    attended,
    london_files,
    removed_families,
    returned_once,
)
from analysis.synth.hand import Condition, Hand, Row, Spot
from analysis.synth.sheets import ISO, SLASHES, Sheet
from analysis.synth.streams import stream

CYRILLIC_ES, HARD_SPACE = "\u0421", "\u00a0"
SDQ_ITEMS = tuple(f"sdq_{item:02d}" for item in range(1, 26))


def add_dirt(sheets: dict[str, Sheet], *, data_cut: date, seed: int, disturbing: bool = False) -> list[Spot]:
    """Spoil the sheets in place; the list of spots, ordered by file, line and column.

    With `disturbing`, dirt too that no cleaning restores and that moves a result.
    """
    hand = Hand(sheets, stream(seed, "dirt"), data_cut)
    for stain in (
        _swapped_siblings,
        _birth_after_entry,
        _spoiled_answers,
        _spoiled_codes,
        _spoiled_dates,
        _blanks,
        _spoiled_ids,
        _event_after_cut,
        _duplicates,
        _marks,
    ):
        stain(hand)
    for conflict in (*CONFLICTS, *(DISTURBING if disturbing else ())):
        # A stream of its own, so that a new kind moves no earlier one.
        conflict(hand.with_numbers(stream(seed, f"dirt {conflict.__name__}")))
    return sorted(hand.spots, key=lambda spot: spot[:4])


def _complete_sdq(*events: str) -> Condition:
    here = attended(*events)
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
    removed = removed_families(hand)
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
        anything,
        restorable=True,
    )


def _spoiled_codes(hand: Hand) -> None:
    for file, column, n in (
        (CHILDREN, "informant", 3),
        (CHILDREN, "sex", 1),
        (CHILDREN, _item(hand), 2),
        (FAMILIES, "epoch", 1),
    ):
        hand.spoil(file, column, n, "float_code", lambda cell: f"{cell}.0", anything, restorable=True)
    last = london_files(hand)[-1]
    for column, n in (("PLACE", 2), ("REC", 1), ("LS", 1)):
        hand.spoil(last, column, n, "lower_case", str.lower, anything, restorable=True)


def _item(hand: Hand) -> str:
    """One SDQ item at random."""
    return SDQ_ITEMS[int(hand.generator.integers(len(SDQ_ITEMS)))]


def _spoiled_dates(hand: Hand) -> None:
    once = returned_once(hand)
    last = london_files(hand)[-1]
    mixed = [
        (CHILDREN, "visit_dt", 3, _to_slashes, attended("month_15")),
        (CHILDREN, "visit_dt", 2, _to_slashes, attended("year_2_5")),
        (FAMILIES, "consent_dt", 2, _to_slashes, anything),
        (GLASGOW, "placement_end_date", 2, _to_iso, anything),
        (last, "DEC", 2, _to_iso, lambda row: (row["CHILD"], row["DECOM"]) in once),
        (WITHDRAWALS, "date", 1, _to_iso, anything),
        (DELIVERY, "first_contact", 1, _to_iso, anything),
    ]
    for file, column, n, change, fits in mixed:
        hand.spoil(file, column, n, "date_format", change, fits, restorable=True)
    hand.spoil(
        FAMILIES, "consent_dt", 2, "placeholder_date", lambda _: "1900-01-01", anything, restorable=False
    )
    hand.spoil(
        DELIVERY, "last_contact", 1, "placeholder_date", lambda _: "31/12/2999", anything, restorable=False
    )
    hand.spoil(
        CHILDREN,
        "visit_dt",
        1,
        "visit_before_randomisation",
        lambda cell: f"{int(cell[:4]) - 2}{cell[4:]}",
        lambda row: attended("month_15")(row) and not row["visit_dt"].endswith("02-29"),
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
        for line in hand.lines(CHILDREN, 1, lambda row, s=scale: attended("month_15")(row) and row[s] == ""):
            hand.put(CHILDREN, line, scale, code, "missing_code", None)
    for line in hand.lines(CHILDREN, 1, lambda row: attended("month_15")(row) and row["rpq"] == ""):
        hand.put(CHILDREN, line, "rpq", "-98", "undeclared_code", None)
    for line in hand.lines(SCREENING, 2, lambda row: row["reason"] == ""):
        hand.put(SCREENING, line, "reason", "  ", "spaces", "")


def _first_blank(row: Row) -> str | None:
    return next((item for item in SDQ_ITEMS if row[item] == ""), None)


def _spoiled_ids(hand: Hand) -> None:
    last, once = london_files(hand)[-1], returned_once(hand)
    spaced = [(EVENTS, "family", 2), (CHILDREN, "family", 2), (FAMILIES, "record_id", 1), (last, "CHILD", 2)]
    for file, column, n in spaced:
        hand.spoil(file, column, n, "trailing_space", lambda cell: f"{cell}  ", anything, restorable=True)
    hand.spoil(
        COURT, "family", 1, "trailing_space", lambda cell: cell + HARD_SPACE, anything, restorable=True
    )
    alike = [
        (GLASGOW, "child_ref", 2, anything),
        (EVENTS, "record_id", 1, anything),
        (CHILDREN, "record_id", 1, attended("month_15")),
        (last, "CHILD", 1, lambda row: (row["CHILD"], row["DECOM"]) in once),
    ]
    for file, column, n, fits in alike:
        hand.spoil(file, column, n, "look_alike", lambda cell: CYRILLIC_ES + cell[1:], fits, restorable=True)


def _event_after_cut(hand: Hand) -> None:
    later = (hand.data_cut + timedelta(40)).isoformat()
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
    last, once = london_files(hand)[-1], returned_once(hand)
    twice: Iterable[tuple[str, Condition]] = [
        (CHILDREN, attended("year_2_5")),
        (EVENTS, lambda row: row["serious"] == "1"),
        (SCREENING, anything),
        (GLASGOW, anything),
        (last, lambda row: (row["CHILD"], row["DECOM"]) in once),
    ]
    for file, fits in twice:
        for line in hand.lines(file, 1, fits):
            hand.append(file, hand.sheets[file].row(line), "duplicate")


def _marks(hand: Hand) -> None:
    """A byte-order mark at the head of two files."""
    for file in (CHILDREN, london_files(hand)[0]):
        hand.sheets[file].has_mark = True
        hand.spots.append(Spot(file, 1, "", "byte_order_mark", None))


def _to_slashes(cell: str) -> str:
    return date.fromisoformat(cell).strftime(SLASHES)


def _to_iso(cell: str) -> str:
    day, month, year = (int(part) for part in cell.split("/"))
    return date(year, month, day).strftime(ISO)

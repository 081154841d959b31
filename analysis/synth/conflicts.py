"""Dirt that shows only beside another cell, row or file: each cell alone could be right.

Each kind draws its own random numbers. None moves a result, but those of `DISTURBING`.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

from analysis.synth.files import (
    ALLOCATION,
    CHILDREN,
    DELIVERY,
    DEVIATIONS,
    EVENTS,
    FAMILIES,
    SCREENING,
    attended,
    london_files,
    of_enrolment,
    removed_families,
    returned_once,
)
from analysis.synth.hand import Hand, Row, Spot
from analysis.synth.sheets import SLASHES

NEARLY_TWO_YEARS, YEAR_MONTHS, RENFREWSHIRE_JOINED = 700, 12, 2019
PEDSQL_BLOCK = "pedsql_"
APART = 3  # points between two printed scores that are exchanged
HIGHEST_RPQ, LOW_RPQ, BEFORE_AND_AFTER = "30", ("0", "1", "2"), 2
LATE_ITEM, SHORTER_FORMS = "pedsql_40", ("1-12m", "2-4", "5-7")
# Reports that are neither counted as serious nor as maltreatment or a death.
UNCOUNTED = ("injury", "other", "placement_breakdown")


def impossible_placement(hand: Hand) -> None:
    """A child under two in a children's home; the state is that of the foster placement it was."""
    birth, once = of_enrolment(hand, "dob"), returned_once(hand)

    def is_young(row: Row) -> bool:
        if row["PLACE"] != "U6" or (row["CHILD"], row["DECOM"]) not in once or row["CHILD"] not in birth:
            return False
        return (_slashes(row["DECOM"]) - date.fromisoformat(birth[row["CHILD"]])).days < NEARLY_TWO_YEARS

    for file in london_files(hand):
        for line in hand.lines(file, 1, is_young):
            hand.put(file, line, "PLACE", "K2", "impossible_placement", None)
            return


def off_history(hand: Hand) -> None:
    """The highest relationship score at 15 months of a child who scored low before and after."""
    columns, n_low = hand.sheets[CHILDREN].columns, Counter()
    for child, event, cell in zip(
        columns["record_id"], columns["redcap_event_name"], columns["rpq"], strict=True
    ):
        n_low[child] += event in ("baseline", "year_2_5") and cell in LOW_RPQ
    hand.spoil(
        CHILDREN,
        "rpq",
        1,
        "off_history",
        lambda _: HIGHEST_RPQ,
        lambda row: attended("month_15")(row) and n_low[row["record_id"]] == BEFORE_AND_AFTER,
        restorable=False,
    )


def swapped_columns(hand: Hand) -> None:
    """The two printed parts of a PedsQL in each other's column."""
    one, other = "pedsql_physical", "pedsql_psychosocial"
    for line in hand.lines(
        CHILDREN, 2, lambda row: row[one] != "" and abs(float(row[one]) - float(row[other])) > APART
    ):
        _exchange(hand, line, one, other)


def _exchange(hand: Hand, line: int, one: str, other: str) -> None:
    cells = hand.cell(CHILDREN, line, other), hand.cell(CHILDREN, line, one)
    for column, cell in zip((one, other), cells, strict=True):
        hand.put(CHILDREN, line, column, cell, "swapped_columns", None)


def age_in_years(hand: Hand) -> None:
    hand.spoil(
        CHILDREN,
        "age_m",
        3,
        "age_in_years",
        lambda cell: str(int(cell) // YEAR_MONTHS),
        lambda row: int(row["age_m"]) > YEAR_MONTHS,
        restorable=False,
    )


def month_first(hand: Hand) -> None:
    """A date with the month before the day, which no other day can be read from."""
    hand.spoil(
        FAMILIES,
        "consent_dt",
        1,
        "month_first",
        lambda cell: f"{date.fromisoformat(cell):%m/%d/%Y}",
        lambda row: row["consent_dt"][:2] == "20" and int(row["consent_dt"][8:]) > YEAR_MONTHS,
        restorable=False,
    )


def copied_form(hand: Hand) -> None:
    """A PedsQL of 15 months entered for a second child too, who had none."""
    block = [column for column in hand.sheets[CHILDREN].columns if column.startswith(PEDSQL_BLOCK)]
    is_given = attended("month_15")
    for line in hand.lines(CHILDREN, 1, lambda row: is_given(row) and row["pedsql_form"] == ""):
        for source in hand.lines(CHILDREN, 1, lambda row: is_given(row) and row["pedsql_form"] != ""):
            for column in block:
                if cell := hand.cell(CHILDREN, source, column):
                    hand.put(CHILDREN, line, column, cell, "copied_form", None)


def double_event(hand: Hand) -> None:
    """A report that came twice and was given two numbers."""
    for line in hand.lines(EVENTS, 1, _is_uncounted):
        row = hand.sheets[EVENTS].row(line)
        hand.append(EVENTS, _with(hand, row, event_id=_next_event(hand)), "double_event")


def event_after_death(hand: Hand) -> None:
    """A report filed under a child that had died."""
    columns = hand.sheets[EVENTS].columns
    cells = zip(
        columns["category"], columns["record_id"], columns["family"], columns["event_dt"], strict=True
    )
    died = [each[1:] for each in cells if each[0] == "child_death" and each[1]]
    known = of_enrolment(hand, "family")
    for child, family, day in died:
        later = date.fromisoformat(day) + timedelta(30)
        if later < hand.data_cut and known.get(child) == family:
            for line in hand.lines(EVENTS, 1, _is_uncounted):
                about = {"record_id": child, "family": family, "event_dt": later.isoformat()}
                row = _with(hand, hand.sheets[EVENTS].row(line), event_id=_next_event(hand), **about)
                hand.append(EVENTS, row, "event_after_death")
            return


def _is_uncounted(row: Row) -> bool:
    return row["serious"] == "0" and row["category"] in UNCOUNTED


def _with(hand: Hand, row: list[str], **cells: str) -> list[str]:
    return [cells.get(name, cell) for name, cell in zip(hand.sheets[EVENTS].columns, row, strict=True)]


def _next_event(hand: Hand) -> str:
    sheet = hand.sheets[EVENTS]
    at = list(sheet.columns).index("event_id")
    last = max([*sheet.columns["event_id"], *(row[at] for row in sheet.extra)])
    return f"E{int(last[1:]) + 1:0{len(last) - 1}d}"


def deviation_before_randomisation(hand: Hand) -> None:
    families = hand.sheets[FAMILIES].columns
    randomised = dict(zip(families["record_id"], families["rand_dt"], strict=True))

    def before(row: Row) -> str:
        return f"{date.fromisoformat(randomised[row['family']]) - timedelta(60):{SLASHES}}"

    for line in hand.lines(DEVIATIONS, 1, lambda row: row["family"] in randomised):
        day = before(Row(hand.sheets[DEVIATIONS].columns, line - 2))
        hand.put(DEVIATIONS, line, "date", day, "deviation_before_randomisation", None)


def same_place(hand: Hand) -> None:
    """Two families of a site with one place in its order of randomisation."""
    for line in hand.lines(ALLOCATION, 1, lambda row: int(row["sequence_number"]) > 1):
        before = int(hand.cell(ALLOCATION, line, "sequence_number")) - 1
        hand.put(ALLOCATION, line, "sequence_number", str(before), "same_place", None)


def unknown_code(hand: Hand) -> None:
    hand.spoil(EVENTS, "outcome", 1, "unknown_code", lambda _: "settled", _is_uncounted, restorable=False)


def authority_conflicts(hand: Hand) -> None:
    """Referrals not randomised: to an authority not yet in the trial, and to one of the other site."""
    hand.spoil(
        SCREENING,
        "authority",
        1,
        "code_before_validity",
        lambda _: "RENFREWSHIRE",
        lambda row: _is_refused(row, "Glasgow") and _slashes(row["date_referred"]).year < RENFREWSHIRE_JOINED,
        restorable=False,
    )
    hand.spoil(
        SCREENING,
        "authority",
        1,
        "authority_of_other_site",
        lambda _: "GLASGOW",
        lambda row: _is_refused(row, "London"),
        restorable=False,
    )


def _is_refused(row: Row, site: str) -> bool:
    return row["site"] == site and row["family"] == ""


def left_blank(hand: Hand) -> None:
    """No reason why a family, removed from the trial, did not receive its service."""
    removed = removed_families(hand)
    hand.spoil(
        DELIVERY,
        "why_not",
        1,
        "left_blank",
        lambda _: "",
        lambda row: row["family"] in removed,
        restorable=False,
    )


def item_of_other_form(hand: Hand) -> None:
    for line in hand.lines(CHILDREN, 1, lambda row: row["pedsql_form"] in SHORTER_FORMS):
        hand.put(CHILDREN, line, LATE_ITEM, "2", "item_of_other_form", None)


def wrong_side(hand: Hand) -> None:
    """A 15-month visit dated in care and yet before randomisation."""
    families = hand.sheets[FAMILIES].columns
    randomised = dict(zip(families["record_id"], families["rand_dt"], strict=True))
    family, entry = of_enrolment(hand, "family"), of_enrolment(hand, "care_entry_dt")
    day = {
        child: (date.fromisoformat(randomised[each]) - timedelta(5)).isoformat()
        for child, each in family.items()
        if each in randomised
    }
    is_given = attended("month_15")
    for line in hand.lines(
        CHILDREN,
        1,
        lambda row: is_given(row) and day.get(row["record_id"], "") > entry.get(row["record_id"], "9"),
    ):
        child = hand.cell(CHILDREN, line, "record_id")
        hand.put(CHILDREN, line, "visit_dt", day[child], "wrong_side", None)


def stale_return(hand: Hand) -> None:
    """The first English return once more, under a name that makes it the last."""
    first, *_, last = london_files(hand)
    copy = last.replace(".csv", "_resent.csv")
    sheet = hand.sheets[first]
    columns = {name: list(cells) for name, cells in sheet.columns.items()}
    hand.sheets[copy] = replace(sheet, columns=columns, has_mark=False)
    hand.spots.append(Spot(copy, 1, "", "stale_return", None))


def close_births(hand: Hand) -> None:
    """Two siblings of a removed family born three months apart."""
    removed, columns = removed_families(hand), hand.sheets[CHILDREN].columns
    births: dict[str, list[str]] = {}
    for family, birth in zip(columns["family"], columns["dob"], strict=True):
        if family in removed:
            births.setdefault(family, []).append(birth)
    pairs = {family: min(each) for family, each in births.items() if len(each) == 2}
    for line in hand.lines(CHILDREN, 1, lambda row: row["dob"] > pairs.get(row["family"], "9")):
        older = date.fromisoformat(pairs[hand.cell(CHILDREN, line, "family")])
        hand.put(CHILDREN, line, "dob", (older + timedelta(91)).isoformat(), "close_births", None)


def _slashes(cell: str) -> date:
    day, month, year = (int(part) for part in cell.split("/"))
    return date(year, month, day)


Conflict = Callable[[Hand], None]
CONFLICTS: tuple[Conflict, ...] = (
    impossible_placement,
    off_history,
    swapped_columns,
    age_in_years,
    month_first,
    copied_form,
    double_event,
    event_after_death,
    deviation_before_randomisation,
    same_place,
    unknown_code,
    authority_conflicts,
    left_blank,
    item_of_other_form,
    wrong_side,
    stale_return,
)
DISTURBING: tuple[Conflict, ...] = (close_births,)

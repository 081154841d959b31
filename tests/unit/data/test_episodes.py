"""The checks of the English return, against rows made by hand and a reading of one row after the other."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from analysis.data.rules import Context, broken
from analysis.spec.declarations import Spec
from tests.unit.data.tables import values

HEADER = "child_id | start_date | end_date | placement_code | legal_status | reason_new | reason_ended\n"


@pytest.fixture
def found(spec: Spec):
    def run(rule: str, rows: str | pd.DataFrame) -> list[int]:
        """Positions of the rows that break a rule of ``rules.yaml``."""
        table = values(spec, "placements", HEADER + rows) if isinstance(rows, str) else rows
        context = Context(spec, pd.Timestamp("2023-12-31"), {"placements": table})
        return broken(spec.rules[rule], context).tolist()

    return run


TO = "C1|2015-01-10|2015-02-10"
CASES = {
    "PL02": [f"{TO}|U6|C1|S|X1", "C1|2015-02-09|2015-03-01|U6|C1|P|X1", "C1|2015-03-01||U6|C1|P|"],
    "PL40": ["C1|2015-01-10||U6|C1|S|", "C1|2015-02-09|2015-03-01|U6|C1|P|E4A"],
    "PL13": ["C1|2015-01-10|2015-01-10|U6|C1|S|X1", "C1|2015-01-10|2015-01-11|U6|C1|P|E4A"],
    "PL14": [f"{TO}|U6|C1|P|X1", "C1|2015-02-10||U6|C1|P|", "C2|2015-02-10||U6|C1|S|"],
    "PL15": ["C1|2015-02-10|2015-03-10|U6|C1|S|X1", f"{TO}|U6|C1|S|E4A", "C1|2015-03-11||U6|C1|S|"],
    "PL16": ["C1|2015-02-20|2015-03-10|U6|C1|P|X1", f"{TO}|U6|C1|S|E4A", "C1|2015-03-10||U6|C1|P|"],
    "PL17": ["C1|2015-02-11|2015-03-10|U6|C1|P|X1", f"{TO}|U6|C1|S|X1", "C1|2015-03-10||U6|C1|P|"],
    "PL18": [f"{TO}|U6|C1|S|E2", "C1|2015-03-10||U6|C1|S|", "C2|2015-03-10|2015-04-01|U6|C1|S|E2"],
    "PL19": [f"{TO}|U4|C1|S|E12", f"{TO}|A6|E1|S|E12", f"{TO}|U4|C1|S|E4A"],
    "PL20": [f"{TO}|A5|C2|S|X1", f"{TO}|A5|E1|S|X1", f"{TO}|A3|C2|S|X1", f"{TO}|A6||S|X1"],
    "PL21": [f"{TO}|A3|C2|P|X1", f"{TO}|A3|C2|T|X1", f"{TO}|A4|C2|P|X1"],
    "PL22": [f"{TO}|K2|C2|P|E45", f"{TO}|U3|C2|P|E46", f"{TO}|K2|C2|P|E47"],
    "PL23": [f"{TO}|T1|C2|S|X1", f"{TO}|T1|C2|P|X1"],
    "PL24": [f"{TO}|T0|C2|P|E4A", f"{TO}|T0|C2|P|X1", f"{TO}|T0|C2|P|"],
    "PL26": ["C1|2015-01-01|2015-01-19|U6|V3|S|E4A", "C1|2015-02-01|2015-02-18|U6|V3|S|E4A"],
    "PL27": [f"{TO}|U6|V3|P|E4A", f"{TO}|U6|V4|P|E4A"],
    "PL30": [f"{TO}|T1|V4|S|E4A", f"{TO}|T1|C1|S|E4A"],
    "PL31": [f"{TO}|U4|V3|S|E4A", f"{TO}|U6|V3|S|E4A"],
    "PL32": ["C1|2015-01-10||U6|D1|S|", "C1|2005-12-29||U6|E1|S|", "C1|2005-12-30||U6|E1|S|"],
    "PL33": [f"{TO}|P1|V2|P|X1", f"{TO}|P1|C2|P|X1"],
    "PL34": ["C1|2015-01-01|2015-01-05|U6|L1|S|X1", "C1|2015-01-01|2015-01-04|U6|L1|S|X1"],
    "PL35": ["C1|2015-01-01|2015-01-23|U6|L2|S|X1", "C1|2015-01-01|2015-01-22|U6|L2|S|X1"],
    "PL36": ["C1|2015-01-01|2015-01-09|U6|L3|S|X1", "C1|2015-01-01|2015-01-08|U6|L3|S|X1"],
    "PL37": ["C1|2015-01-01|2015-02-13|T1|C1|P|X1", "C1|2015-01-01|2015-02-12|T1|C1|P|X1"],
    "PL38": ["C1|2015-01-01|2015-01-23|T3|C1|P|X1", "C1|2015-01-01|2015-01-22|T3|C1|P|X1"],
    "PL39": ["C1|2015-01-01|2015-01-09|T4|C1|P|X1", "C1|2015-01-01|2015-01-08|T4|C1|P|X1"],
}
# Which rows of a case break the rule; the first, unless said here.
BROKEN = {"PL02": [1], "PL32": [0, 1]}


@pytest.mark.parametrize("rule", CASES)
def test_rows_that_break_a_rule_and_rows_that_just_do_not(found, rule: str) -> None:
    rows = "\n".join(CASES[rule]).replace("C1|", "C0001|").replace("C2|2", "C0002|2")
    assert found(rule, rows) == BROKEN.get(rule, [0])


def test_a_child_returns_from_an_absence_to_where_it_was(found) -> None:
    rows = """
    C0001 | 2015-01-01 | 2015-02-01 | U6 | C1 | S | X1
    C0001 | 2015-02-01 | 2015-02-05 | T1 | C1 | P | X1
    C0001 | 2015-02-05 | 2015-02-09 | T4 | C1 | P | X1
    C0001 | 2015-02-09 | 2015-03-01 | {} | C1 | P | X1
    C0001 | 2015-03-01 |            | T0 | C1 | P |
    """
    assert found("PL25", rows.format("U6")) == []
    assert found("PL25", rows.format("K2")) == [2]


def test_short_breaks_within_a_year_add_up(found) -> None:
    """Five breaks of 16 days within 12 months are 80; one a year after the first is not counted with it."""
    starts = [date(2015, 1, 1) + timedelta(days=60 * n) for n in range(5)]
    rows = "\n".join(f"C0001|{day}|{day + timedelta(days=16)}|U6|V3|S|E4A" for day in starts)
    assert found("PL28", rows) == [0]
    assert found("PL28", rows.replace("|V3|", "|V4|")) == []
    fewer = "\n".join([*rows.splitlines()[:4], "C0001|2016-01-01|2016-01-17|U6|V3|S|E4A"])
    assert found("PL28", fewer) == []


def test_both_kinds_of_short_break_in_one_year_of_the_return(found) -> None:
    rows = "C0001|2015-03-31|2015-04-02|U6|V3|S|E4A\nC0001|{}|2015-07-02|U6|V4|S|E4A"
    assert found("PL29", rows.format("2015-04-01")) == []
    assert found("PL29", rows.format("2015-03-31").replace("2015-03-31", "2014-04-01", 1)) == [0, 1]


def test_a_short_break_within_a_placement_is_no_overlap(found) -> None:
    rows = f"{TO}|U6|C1|S|X1\nC1|2015-01-20|2015-01-22|U6|V4|S|E4A\nC1|2015-02-10||U6|C1|P|"
    rows = rows.replace("C1|2", "C0001|2")
    for rule in ("PL02", "PL40", "PL15", "PL16", "PL17"):
        assert found(rule, rows) == []
    assert found("PL02", rows.replace("V4", "V2")) == [1]


DECISIONS = {
    "AD06": ("decision", "2015-02-11", "2015-02-10"),
    "AD07": ("decision", "2015-02-11", "2015-02-10"),
    "AD08": ("match", "2015-02-11", "2015-02-10"),
    "AD09": ("match", "2015-06-30", "2015-06-29"),
}


def test_codes_that_the_childs_age_does_not_allow(spec: Spec) -> None:
    """A birth kept by month is its first day, so the child may be younger than it seems, never older."""
    children = """
    child_id | birth_date | birth_date_precision
    C0001    | 2011-05-10 | day
    C0002    | 2011-05-01 | month
    """
    rows = """
    C0001 | 2015-05-09 | 2015-05-10 | S1 | C2 | S | X1
    C0001 | 2015-05-10 | 2015-06-10 | S1 | C2 | P | X1
    C0001 | 2015-06-10 |            | U6 | C2 | P |
    C0002 | 2015-05-01 |            | S1 | J1 | S |
    """
    tables = {
        "placements": values(spec, "placements", HEADER + rows),
        "children": values(spec, "children", children),
    }
    context = Context(spec, pd.Timestamp("2023-12-31"), tables)
    assert broken(spec.rules["PL43"], context).tolist() == [0]
    assert broken(spec.rules["PL45"], context).tolist() == [3]
    assert [broken(spec.rules[rule], context).size for rule in ("PL41", "PL42", "PL44")] == [0, 0, 0]


@pytest.mark.parametrize("rule", DECISIONS)
def test_decisions_against_the_episodes_they_led_to(spec: Spec, rule: str) -> None:
    step, broken_on, good_on = DECISIONS[rule]
    rows = """
    C0001 | 2015-01-10 | 2015-02-10 | U6 | C2 | S | X1
    C0001 | 2015-02-10 | 2015-06-30 | A6 | E1 | B | E12
    C0002 | 2015-01-10 | 2015-06-30 | U6 | C2 | S | E4A
    """
    other = {"decision": "match", "match": "decision"}[step]
    steps = f"""
    child_id | step    | step_date
    C0001    | {step}  | {good_on}
    C0001    | {step}  | {broken_on}
    C0001    | {other} | {broken_on}
    C0002    | {step}  | {broken_on}
    """
    tables = {
        "placements": values(spec, "placements", HEADER + rows),
        "adoption_decisions": values(spec, "adoption_decisions", steps),
    }
    context = Context(spec, pd.Timestamp("2023-12-31"), tables)
    assert broken(spec.rules[rule], context).tolist() == [1]


def drawn(spec: Spec, seed: int) -> pd.DataFrame:
    """Rows of many children with every kind of disorder, in no order."""
    generator = np.random.default_rng(seed)
    lines = []
    for child in range(60):
        day = date(2014, 1, 1) + timedelta(days=int(generator.integers(400)))
        for _ in range(generator.integers(1, 7)):
            end = day + timedelta(days=int(generator.integers(0, 40)))
            place = generator.choice(["U6", "T1", "T4", "K2", "A5"])
            legal = generator.choice(["C1", "C2", "E1", "V3"])
            new, ended = generator.choice(["S", "P", "L"]), generator.choice(["X1", "E4A", "E2"])
            is_open = generator.random() < 0.1
            shown = "|" if is_open else f"{end}|"
            lines.append(f"C{child:04d}|{day}|{shown}{place}|{legal}|{new}|{'' if is_open else ended}")
            day = end + timedelta(days=int(generator.choice([0, 0, 0, 1, 9, -3])))
    lines = [*{line.rsplit("|", 5)[0]: line for line in lines}.values()]
    return values(spec, "placements", HEADER + "\n".join(generator.permutation(lines)))


def one_by_one(rows: pd.DataFrame) -> dict[str, set[int]]:
    """The same rules read off each child's rows in a loop."""
    rules = ("PL02", "PL14", "PL15", "PL16", "PL17", "PL18", "PL25", "PL40")
    broke: dict[str, set[int]] = {name: set() for name in rules}
    for _, each in rows[~rows["legal_status"].isin(["V3", "V4"])].groupby("child_id"):
        record = list(each.sort_values("start_date").itertuples())
        for k, row in enumerate(record):
            before, after = record[:k], record[k + 1 :]
            last = before[-1] if before else None
            if any(not pd.isna(old.end_date) and row.start_date < old.end_date for old in before):
                broke["PL02"].add(row.Index)
            if pd.isna(row.end_date) and after:
                broke["PL40"].add(row.Index)
            if last is None and row.reason_new != "S":
                broke["PL14"].add(row.Index)
            if last is not None and not pd.isna(last.end_date):
                if row.reason_new == "S" and row.start_date == last.end_date:
                    broke["PL15"].add(row.Index)
                if row.reason_new != "S" and last.reason_ended != "X1":
                    broke["PL16"].add(row.Index)
                if row.reason_new != "S" and row.start_date != last.end_date:
                    broke["PL17"].add(row.Index)
            if row.reason_ended == "E2" and after:
                broke["PL18"].add(row.Index)
            lived = [old.placement_code for old in before if old.placement_code[0] != "T"]
            is_back = row.placement_code[0] == "T" and after and after[0].placement_code[0] != "T"
            if is_back and lived and after[0].placement_code != lived[-1]:
                broke["PL25"].add(row.Index)
    return broke


@pytest.mark.parametrize("seed", range(4))
def test_many_children_at_once_are_as_one_after_the_other(spec: Spec, found, seed: int) -> None:
    rows = drawn(spec, seed)
    for rule, expected in one_by_one(rows).items():
        assert set(found(rule, rows)) == expected, rule
        assert expected, f"{rule}: nothing breaks it, so it is not tested"

"""Every kind of rule, with rows that break it and rows that do not."""

import pandas as pd
import pytest

from analysis.data.rules import KINDS, Context, broken
from analysis.spec.declarations import Spec
from analysis.spec.rules import READS, Rule
from analysis.spec.tables import Field
from tests.unit.data.tables import cells, values

CUT = pd.Timestamp("2023-12-31")
FAMILIES = """
family_id | site | local_authority | randomisation_date | removed_date
F0001     | GLA  | GLASGOW         | 2014-06-01         |
F0002     | LON  | BROMLEY         | 2018-03-01         |
"""
CHILDREN = """
child_id | family_id | birth_date | birth_date_precision | care_entry_date
C0001    | F0001     | 2012-03-10 | day                  | 2014-02-01
C0002    | F0002     | 2016-07-01 | month                | 2018-01-05
"""


@pytest.fixture
def breaks(spec: Spec):
    """Positions of the rows of a table that break a rule."""

    def run(table: str, text: str, *, kind: str, column: str, **more: str) -> list[int]:
        rule = Rule(
            id="X01",
            table=table,
            kind=kind,
            column=column,
            severity="query",
            action="keep",
            message="m",
            **more,
        )
        frames = {
            "families": values(spec, "families", FAMILIES),
            "children": values(spec, "children", CHILDREN),
        }
        frames[table] = values(spec, table, text)
        return broken(rule, Context(spec, CUT, frames)).tolist()

    return run


def test_every_kind_is_implemented() -> None:
    assert set(KINDS) == set(READS)


def test_date_order(breaks) -> None:
    """Before is broken; the same day, later, and a missing date on either side are not."""
    text = """
    family_id | randomisation_date | removed_date
    F0001     | 2014-06-02         | 2014-06-01
    F0002     | 2014-06-01         | 2014-06-01
    F0003     | 2014-06-01         | 2014-06-02
    F0004     | 2014-06-01         |
    """
    assert breaks("families", text, kind="date_order", column="removed_date", other="randomisation_date") == [
        0
    ]


def test_date_order_against_the_family_or_the_child(breaks) -> None:
    """F0001 was randomised on 2014-06-01, C0002 born on 2016-07-01; a key to nobody is not judged."""
    joined = """
    child_id | family_id | joined_date
    C0001    | F0001     | 2014-05-31
    C0003    | F0001     | 2014-06-01
    C0004    | F0009     | 2001-01-01
    """
    rule = {"kind": "date_order", "column": "joined_date", "other": "families.randomisation_date"}
    assert breaks("children", joined, **rule) == [0]
    placed = "child_id | start_date\nC0002 | 2016-06-30\nC0002 | 2016-07-01"
    assert breaks(
        "placements", placed, kind="date_order", column="start_date", other="children.birth_date"
    ) == [0]


def test_not_after_and_not_before(breaks) -> None:
    text = "event_id | event_date\nE0001 | 2023-12-30\nE0002 | 2023-12-31\nE0003 | 2024-01-01\nE0004 |"
    assert breaks("reported_events", text, kind="not_after", column="event_date", value="@data_cut") == [2]
    assert breaks("reported_events", text, kind="not_after", column="event_date", value="2023-12-30") == [
        1,
        2,
    ]
    assert breaks("reported_events", text, kind="not_before", column="event_date", value="2023-12-31") == [0]


def test_required_if(breaks) -> None:
    """Asked of attended visits, whatever the case of the rule's code; without a value, of any status."""
    text = """
    child_id | visit | status   | visit_date
    C0001    | V3    | attended |
    C0001    | V4    | attended | 2015-01-01
    C0001    | V5    | missed   |
    C0002    | V3    |          |
    """
    assert breaks(
        "assessments", text, kind="required_if", column="visit_date", other="status", value="attended"
    ) == [0]
    assert breaks(
        "assessments", text, kind="required_if", column="visit_date", other="status", value="Attended"
    ) == [0]
    assert breaks("assessments", text, kind="required_if", column="visit_date", other="status") == [0, 2]


def test_required_if_of_a_truth_value(breaks) -> None:
    text = (
        "family_id | is_received | reason_not_received\n"
        "F0001 | false |\n"
        "F0002 | true |\n"
        "F0003 | false | court\n"
        "F0004 | |"
    )
    rule = {"kind": "required_if", "column": "reason_not_received", "other": "is_received", "value": "false"}
    assert breaks("delivery", text, **rule) == [0]


SDQ_ITEMS = [f"q{n:02d}" for n in range(1, 26)]


def sdq(*rows: tuple[str, list[str]]) -> str:
    """Rows of printed total and the 25 answers."""
    lines = [" | ".join(["child_id", "visit", "form", "printed_total", *SDQ_ITEMS])]
    lines += [
        " | ".join([f"C{n:04d}", "V4", "2-4", total, *items]) for n, (total, items) in enumerate(rows, 1)
    ]
    return "\n".join(lines)


def test_sum_equals_compares_the_printed_total_with_ours(breaks) -> None:
    """All items 0: the five reversed ones count 2 each, so conduct 2, hyperactivity 4, peer 4: total 10.

    Without three items of a scale there is no total of ours and nothing to compare.
    """
    zeros = ["0"] * 25
    incomplete = [("" if n in (2, 7, 12) else "0") for n in range(25)]  # items 3, 8, 13: emotional
    text = sdq(("10", zeros), ("11", zeros), ("9", zeros), ("", zeros), ("31", incomplete))
    assert breaks("sdq", text, kind="sum_equals", column="printed_total", value="SDQ_TOTAL") == [1, 2]


def test_a_printed_mean_may_be_rounded(breaks) -> None:
    """21 items, one of them 1 (75): (20 x 100 + 75) / 21 = 98.8095; printed with decimals or without."""
    items = [f"p{n:02d}" for n in range(1, 22)]
    header = " | ".join(["child_id", "visit", "form", "printed_total", *items])
    answers = " | ".join(["1", *["0"] * 20])
    printed = ("98.81", "98.8", "99", "98", "100")
    text = "\n".join(
        [header, *(f"C{n:04d} | V4 | 2-4 | {total} | {answers}" for n, total in enumerate(printed, 1))]
    )
    assert breaks("pedsql", text, kind="sum_equals", column="printed_total", value="PEDSQL_TOTAL") == [3, 4]


def test_no_overlap(breaks) -> None:
    """Half-open days: one may begin on the day the last one ended, and none after an open one."""
    text = """
    child_id | start_date | end_date
    C0001    | 2015-01-01 | 2015-02-01
    C0001    | 2015-02-01 | 2015-03-01
    C0001    | 2015-02-28 | 2015-04-01
    C0001    | 2015-03-15 | 2015-03-20
    C0002    | 2015-06-01 |
    C0002    | 2015-07-01 | 2015-08-01
    C0003    | 2015-01-15 | 2015-01-16
    """
    # Row 2 begins within row 1; row 3 within row 2, which goes on after it; row 5 after an open one.
    assert breaks("placements", text, kind="no_overlap", column="start_date", other="end_date") == [2, 3, 5]


def test_no_overlap_finds_rows_whatever_their_order(breaks) -> None:
    text = (
        "child_id | start_date | end_date\n"
        "C0001 | 2015-01-31 | 2015-03-01\n"
        "C0002 | 2015-01-01 | \n"
        "C0001 | 2015-01-01 | 2015-02-01"
    )
    assert breaks("placements", text, kind="no_overlap", column="start_date", other="end_date") == [0]


def test_constant_within(breaks) -> None:
    """The rarer site of an authority is queried; of two equally frequent ones, the later in the alphabet.

    A missing site is another rule's business, and so is an authority that is missing.
    """
    text = """
    family_id | local_authority | site
    F0001     | GLASGOW         | GLA
    F0002     | GLASGOW         | LON
    F0003     | GLASGOW         | GLA
    F0004     | BROMLEY         | LON
    F0005     | BROMLEY         | GLA
    F0006     | CROYDON         | LON
    F0007     | GLASGOW         |
    F0008     |                 | LON
    F0009     | SUTTON          |
    """
    assert breaks("families", text, kind="constant_within", column="site", other="local_authority") == [1, 3]


def forms(*rows: str) -> str:
    return "child_id | visit | form | completed_date\n" + "\n".join(rows)


def test_not_at_age_counts_birthdays(breaks) -> None:
    """C0001 was born on 2012-03-10: 24 months on 2014-03-10, 48 on 2016-03-10, 60 on 2017-03-10.

    The form 2-4 is for 24 to 59 completed months, 4-17 for 48 to 215.
    """
    text = forms(
        "C0001 | V3 | 2-4  | 2014-03-09",
        "C0001 | V3 | 2-4  | 2014-03-10",
        "C0001 | V4 | 2-4  | 2017-03-09",
        "C0001 | V4 | 2-4  | 2017-03-10",
        "C0001 | V5 | 4-17 | 2016-03-09",
        "C0001 | V5 | 4-17 | 2016-03-10",
        "C0009 | V5 | 4-17 | 2016-03-10",
        "C0001 | V5 |      | 2016-03-10",
    )
    assert breaks("sdq", text, kind="not_at_age", column="form", value="SDQ") == [0, 3, 4]


def test_a_birth_date_kept_by_month_gives_the_benefit_of_the_doubt(breaks) -> None:
    """C0002 is kept as 2016-07-01 but may be born up to the 31st: perhaps not yet 60 months in July 2021."""
    text = forms(
        "C0002 | V4 | 2-4 | 2021-07-15", "C0002 | V4 | 2-4 | 2021-08-01", "C0002 | V4 | 2-4 | 2018-06-30"
    )
    assert breaks("sdq", text, kind="not_at_age", column="form", value="SDQ") == [1, 2]


def test_within_window(breaks) -> None:
    """V3: 28 to 98 days from care entry (2014-02-01); V5: 822 to 1278 from randomisation (2014-06-01)."""
    text = """
    child_id | visit | visit_date
    C0001    | V3    | 2014-02-28
    C0001    | V3    | 2014-03-01
    C0001    | V3    | 2014-05-10
    C0001    | V3    | 2014-05-11
    C0001    | V5    | 2016-08-30
    C0001    | V5    | 2016-08-31
    C0001    | V5    | 2017-11-30
    C0001    | V5    | 2017-12-01
    C0001    | V4    |
    C0009    | V4    | 2014-02-01
    """
    # 2014-02-28 is day 27 and 2014-05-11 day 99; 2016-08-30 is day 821 and 2017-12-01 day 1279.
    assert breaks("assessments", text, kind="within_window", column="visit_date") == [0, 3, 4, 7]


def test_same_as(breaks) -> None:
    text = (
        "event_id | family_id | child_id\n"
        "E0001 | F0001 | C0001\n"
        "E0002 | F0001 | C0002\n"
        "E0003 | F0001 |\n"
        "E0004 | F0001 | C0009"
    )
    assert breaks(
        "reported_events", text, kind="same_as", column="family_id", other="children.family_id"
    ) == [1]


def test_followed_by(breaks) -> None:
    """X1: another placement began that day. It did (rows 0, 3), did not (1), did for another child (2)."""
    text = """
    child_id | start_date | end_date   | reason_ended
    C0001    | 2015-01-01 | 2015-02-01 | X1
    C0001    | 2015-02-01 | 2015-03-01 | X1
    C0001    | 2015-03-04 | 2015-05-01 | X1
    C0002    | 2015-05-01 | 2015-06-01 | X1
    C0002    | 2015-06-01 |            | X1
    C0003    | 2015-06-01 | 2015-07-01 | E4A
    """
    rule = {"kind": "followed_by", "column": "reason_ended", "other": "end_date", "value": "X1"}
    assert breaks("placements", text, **rule) == [1, 2]


def test_a_short_break_is_no_next_placement(breaks) -> None:
    """V4 begins on the day row 0 ended, and leaves before placements are chained."""
    text = """
    child_id | start_date | end_date   | reason_ended | legal_status
    C0001    | 2015-01-01 | 2015-02-01 | X1           | C2
    C0001    | 2015-02-01 | 2015-02-04 | X1           | V4
    C0002    | 2015-01-01 | 2015-02-01 | X1           | C2
    C0002    | 2015-02-01 |            |              | C2
    """
    rule = {"kind": "followed_by", "column": "reason_ended", "other": "end_date", "value": "X1"}
    assert breaks("placements", text, **rule) == [0]


def test_code_valid_on(breaks) -> None:
    """E43 to 2018-03-31, E45 from 2018-04-01, X1 always; without a date or a code nothing is judged."""
    text = """
    child_id | start_date | end_date   | reason_ended
    C0001    | 2017-01-01 | 2018-03-31 | E43
    C0001    | 2018-03-31 | 2018-04-01 | E43
    C0002    | 2017-01-01 | 2018-03-31 | E45
    C0002    | 2018-03-31 | 2018-04-01 | E45
    C0003    | 2017-01-01 | 1999-01-01 | X1
    C0003    | 2018-01-01 |            | E45
    C0003    | 2019-01-01 | 2019-02-01 |
    """
    assert breaks("placements", text, kind="code_valid_on", column="reason_ended", other="end_date") == [1, 2]


def test_code_valid_on_a_date_of_the_same_row(breaks) -> None:
    """Renfrewshire took part from 2019-06-01."""
    text = (
        "family_id | local_authority | randomisation_date\n"
        "F0001 | RENFREWSHIRE | 2019-05-31\n"
        "F0002 | RENFREWSHIRE | 2019-06-01"
    )
    assert breaks(
        "families", text, kind="code_valid_on", column="local_authority", other="randomisation_date"
    ) == [0]


def test_score_range(breaks) -> None:
    """PIR-GAS 1 to 100, TIMB 1 to 5, each limit included."""
    text = """
    child_id | visit | scale  | score
    C0001    | V3    | PIRGAS | 0
    C0001    | V4    | PIRGAS | 1
    C0001    | V5    | PIRGAS | 100
    C0002    | V3    | TIMB   | 5
    C0002    | V4    | TIMB   | 5.1
    C0002    | V5    | TIMB   |
    C0003    | V3    | RPQ    | -98
    """
    assert breaks("scales", text, kind="score_range", column="score", other="scale") == [0, 4, 6]


def test_every_rule_of_the_trial_runs_on_empty_tables(spec: Spec) -> None:
    """A site's first export."""
    frames = {name: values(spec, name, "source_file") for name in spec.table_names(layer="raw")}
    for rule in spec.rules.values():
        assert broken(rule, Context(spec, CUT, frames)).tolist() == [], rule.id


def test_every_rule_of_the_trial_runs_on_tables_of_keys_alone(spec: Spec) -> None:
    """Two rows of each table in which nothing is filled in but the key: no rule falls over."""
    frames = {}
    for name in spec.table_names(layer="raw"):
        table = spec.table(name)
        keys = [[_key_cell(spec, table.field(each), n) for each in table.key] for n in (1, 2)]
        frames[name] = values(spec, name, "\n".join(" | ".join(each) for each in [table.key, *keys]))
    for rule in spec.rules.values():
        assert broken(rule, Context(spec, CUT, frames)).tolist() in ([], [0, 1]), rule.id


def _key_cell(spec: Spec, field: Field, n: int) -> str:
    if field.codelist:
        return list(spec.codes[field.codelist])[n - 1]
    return f"2019-01-0{n}" if field.type == "date" else f"{field.constraints.pattern[0]}000{n}"


def test_rules_do_not_depend_on_the_order_of_rows(spec: Spec, breaks) -> None:
    text = """
    child_id | start_date | end_date   | reason_ended
    C0001    | 2015-01-01 | 2015-02-10 | X1
    C0001    | 2015-02-01 | 2015-03-01 | E43
    C0002    | 2019-01-01 | 2019-02-01 | X1
    C0002    | 2019-03-01 | 2019-05-01 | E43
    """
    lines = text.strip().splitlines()
    turned = "\n".join([lines[0], *reversed(lines[1:])])
    for rule in (
        {"kind": "no_overlap", "column": "start_date", "other": "end_date"},
        {"kind": "followed_by", "column": "reason_ended", "other": "end_date", "value": "X1"},
        {"kind": "code_valid_on", "column": "reason_ended", "other": "end_date"},
    ):
        found = breaks("placements", text, **rule)
        assert found
        assert breaks("placements", turned, **rule) == sorted(3 - at for at in found)


def test_the_table_of_a_test_is_what_it_shows(spec: Spec) -> None:
    frame = cells(spec, "families", FAMILIES)
    assert frame["site"].tolist() == ["GLA", "LON"]

"""Cleaning: nothing lost, nothing silent, and a stop says where."""

import pandas as pd
import pytest

from analysis.data.checks.context import Sound, UnsoundError
from analysis.data.clean import Cleaned, clean_tables
from analysis.data.corrections import COLUMNS
from analysis.data.issues import as_frame
from analysis.errors import DataError
from analysis.spec.declarations import Spec
from tests.unit.data.tables import cells, shown

CUT = "2023-12-31"
NO_CORRECTIONS = pd.DataFrame(columns=list(COLUMNS), dtype=object)

FAMILIES = """
family_id | site | local_authority | epoch | consent_date | randomisation_date
F0001     | GLA  | GLASGOW         | CBR   | 2014-01-10   | 2014-06-01
F0002     | LON  | BROMLEY         | CRB   | 2018-02-01   | 2018-03-01
"""
CHILDREN = """
child_id | family_id | birth_date | birth_date_precision | sex | care_entry_date
C0001    | F0001     | 2012-03-10 | day                  | F   | 2014-02-01
C0002    | F0002     | 2016-07-20 | day                  | M   | 2018-01-05
"""


@pytest.fixture
def clean(spec: Spec):
    """Clean hand-written tables beside the two families and children above, unless they are given too."""

    def run(corrections: pd.DataFrame = NO_CORRECTIONS, **texts: str) -> Cleaned:
        raw = {
            name: cells(spec, name, text)
            for name, text in {"families": FAMILIES, "children": CHILDREN, **texts}.items()
        }
        return clean_tables(raw, spec, data_cut=CUT, corrections=corrections)

    return run


def findings(cleaned: Cleaned) -> list[tuple]:
    return [
        (each.table, each.key, each.field, each.rule, each.severity, each.action) for each in cleaned.issues
    ]


PLACEMENTS = (
    "child_id | start_date | end_date | placement_code | reason_ended | reason_new | legal_status"
    " | source_system\n"
)
SDQ = "child_id | visit | form | informant | completed_date | q01 | q02\n"


def test_clean_tables_pass_as_they_are(spec: Spec, clean) -> None:
    cleaned = clean()
    assert findings(cleaned) == []
    assert cleaned.tables["families"].astype(object).equals(cells(spec, "families", FAMILIES))


def test_an_optional_cell_that_cannot_be_read_is_a_query(clean) -> None:
    cleaned = clean(sdq=SDQ + "C0001 | V4 | 2-4 | nurse | 2015-06-01 | x | 5")
    assert findings(cleaned) == [
        ("sdq", "C0001/V4", "informant", "S05", "query", "set_missing"),
        ("sdq", "C0001/V4", "q01", "S04", "query", "set_missing"),
        ("sdq", "C0001/V4", "q02", "S06", "query", "set_missing"),
    ]
    assert shown(cleaned.tables["sdq"], "informant", "q01", "q02") == [(".invalid",) * 3]


def test_a_declared_reason_is_kept_and_is_no_issue(clean) -> None:
    cleaned = clean(sdq=SDQ + "C0001 | V4 | 2-4 | .refused | 2015-06-01 | .blank | 1")
    assert findings(cleaned) == []
    assert shown(cleaned.tables["sdq"], "informant", "q01") == [(".refused", ".blank")]


@pytest.mark.parametrize(
    ("row", "part"),
    [
        ("C0001 | V4 | 2-4 |  | 31/31/2015 | 1 | 1", "rule S04 (sdq.completed_date): not a valid date"),
        (
            "C0001 | V9 | 2-4 |  | 2015-06-01 | 1 | 1",
            "rule S05 (sdq.visit): not in code list visit; allowed: V3, V4, V5",
        ),
        ("X1    | V4 | 2-4 |  | 2015-06-01 | 1 | 1", "rule S06 (sdq.child_id): does not have the form"),
        ("C0001 | V4 |     |  | 2015-06-01 | 1 | 1", "rule S07 (sdq.form): a required value is missing"),
        (
            "C0009 | V4 | 2-4 |  | 2015-06-01 | 1 | 1",
            "rule S09 (sdq.child_id): no such child_id in table children",
        ),
    ],
)
def test_a_required_cell_that_cannot_be_read_stops(clean, row: str, part: str) -> None:
    with pytest.raises(DataError) as stopped:
        clean(sdq=SDQ + row)
    assert str(stopped.value).startswith("export.csv, row 2, ")
    assert part in str(stopped.value)
    for value in ("31/31/2015", "V9", "X1", "C0009"):
        assert value not in str(stopped.value)


def test_a_stop_says_each_finding_once_and_counts_its_rows(clean) -> None:
    rows = "\n".join(f"C0001 | V{n} | 2-4 |  | 2015-06-01 | 1 | 1" for n in range(10, 18))
    with pytest.raises(DataError) as stopped:
        clean(sdq=SDQ + rows)
    message = str(stopped.value)
    assert message.startswith("export.csv, row 2, rule S05 (sdq.visit): not in code list visit;")
    assert message.count("rule S05") == 1
    assert "(more such rows: 7)" in message


def test_a_stop_lists_five_findings_and_counts_the_rest(clean) -> None:
    """Seven rules broken: the family's own cells come before the child that therefore points to nothing."""
    families = FAMILIES.splitlines()[1] + "\nF1 | X | X | X | | 2014-06-99"
    with pytest.raises(DataError) as stopped:
        clean(families=families, children=CHILDREN.replace("day ", "dai "))
    message = str(stopped.value)
    assert message.count(", rule ") == message.count("(families.") == 5
    assert "And 2 other findings that stop the run." in message


def test_an_exact_duplicate_is_set_aside_with_a_note(clean) -> None:
    """It differs only in the line of the file it stands in; the first one stays."""
    row = "C0001 | V4 | 2-4 | other | 2015-06-01 | 1 | 1"
    cleaned = clean(sdq=SDQ + f"{row}\n{row}")
    assert findings(cleaned) == [("sdq", "C0001/V4", "child_id", "S08", "note", "set_aside")]
    assert cleaned.tables["sdq"]["source_row"].tolist() == ["2"]
    assert cleaned.issues[0].source_row == 3


def test_a_key_given_twice_with_other_content_stops(clean) -> None:
    with pytest.raises(
        DataError,
        match=r"export.csv, row 3, rule S08 \(sdq.child_id\): the key child_id, visit is given twice",
    ):
        clean(
            sdq=SDQ
            + "C0001 | V4 | 2-4 | other | 2015-06-01 | 1 | 1\nC0001 | V4 | 2-4 | other | 2015-06-01 | 2 | 1"
        )


def test_two_spellings_of_a_record_are_one(clean) -> None:
    """After restoring, the second row repeats the first."""
    cleaned = clean(
        sdq=SDQ + "C0001 | V4 | 2-4 | other | 2015-06-01 | 1 | 1\n"
        "\u04210001 | v4 | 2-4 | Other | 2015-06-01 | 1.0 | 1"
    )
    assert len(cleaned.tables["sdq"]) == 1
    assert sorted(each.rule for each in cleaned.issues) == ["S02", "S03", "S03", "S03", "S08"]
    assert {each.source_row for each in cleaned.issues} == {3}


def test_a_correction_comes_before_the_checks(clean) -> None:
    """The signed value replaces one that would have stopped the run, and is itself checked."""
    line = (
        "sdq",
        "C0001/V4",
        "completed_date",
        "2015-06-31",
        "2015-06-30",
        "no such day",
        "AB",
        "2024-01-10",
    )
    row = "C0001 | V4 | 2-4 | other | 2015-06-31 | 1 | 1"
    cleaned = clean(pd.DataFrame([line], columns=list(COLUMNS)), sdq=SDQ + row)
    assert findings(cleaned) == [("sdq", "C0001/V4", "completed_date", "K00", "note", "corrected")]
    wrong = pd.DataFrame([(*line[:4], "30 June", *line[5:])], columns=list(COLUMNS))
    with pytest.raises(DataError, match=r"rule S04 \(sdq.completed_date\)"):
        clean(wrong, sdq=SDQ + row)


EVENTS = "event_id | family_id | child_id | event_date | category | is_serious | relatedness\n"


def test_a_rule_may_set_a_row_aside(clean) -> None:
    """C01: dated a day after the cut; an event on the day of the cut stays."""
    cleaned = clean(
        reported_events=EVENTS
        + "E0001 | F0001 | C0001 | 2024-01-01 | injury | true | unrelated\n"
        + "E0002 | F0001 | C0001 | 2023-12-31 | injury | true | unrelated"
    )
    assert findings(cleaned) == [("reported_events", "E0001", "event_date", "C01", "query", "set_aside")]
    assert cleaned.tables["reported_events"]["event_id"].tolist() == ["E0002"]


def test_a_rule_may_set_a_value_missing(clean) -> None:
    """AS03: a visit before the child entered care (2014-02-01)."""
    cleaned = clean(
        assessments="child_id | visit | due_date | visit_date | status\n"
        "C0001 | V3 | 2014-03-10 | 2013-03-10 | attended"
    )
    assert ("assessments", "C0001/V3", "visit_date", "AS03", "query", "set_missing") in findings(cleaned)
    assert shown(cleaned.tables["assessments"], "visit_date", "status") == [(".invalid", "attended")]


def test_a_later_rule_sees_what_an_earlier_one_changed(clean) -> None:
    """AS04 looks at the window only after AS03 has taken the impossible date away."""
    cleaned = clean(
        assessments="child_id | visit | due_date | visit_date | status\n"
        "C0001 | V3 | 2014-03-10 | 2013-03-10 | attended"
    )
    assert [each.rule for each in cleaned.issues] == ["AS03"]


def test_a_rule_may_stop(clean) -> None:
    """EV03: the child belongs to the other family."""
    with pytest.raises(
        DataError, match=r"rule EV03 \(reported_events.family_id\): Event of a child filed under another"
    ):
        clean(reported_events=EVENTS + "E0001 | F0001 | C0002 | 2019-01-01 | injury | true | unrelated")


def test_keys_may_point_to_tables_cleaned_before(spec: Spec) -> None:
    raw = {"delivery": cells(spec, "delivery", "family_id | is_received\nF0001 | true\nF0003 | true")}
    parents = {"families": cells(spec, "families", FAMILIES), "children": cells(spec, "children", CHILDREN)}
    with pytest.raises(
        DataError, match=r"row 3, rule S09 \(delivery.family_id\): no such family_id in table families"
    ):
        clean_tables(raw, spec, data_cut=CUT, corrections=NO_CORRECTIONS, parents=parents)
    with pytest.raises(DataError, match="table delivery: its keys point to families, which is not given"):
        clean_tables(raw, spec, data_cut=CUT, corrections=NO_CORRECTIONS)


def test_rows_in_are_rows_out_and_rows_set_aside(clean) -> None:
    row = "E0001 | F0001 | C0001 | 2015-01-01 | injury | true | unrelated\n"
    late = "E0002 | F0001 | C0001 | 2024-05-01 | injury | true | unrelated\n"
    cleaned = clean(reported_events=EVENTS + row + late + row + late.replace("E0002", "E0003"))
    aside = sum(each.action == "set_aside" for each in cleaned.issues)
    assert (len(cleaned.tables["reported_events"]), aside) == (1, 3)


def test_issues_are_sorted_and_name_every_finding_once(clean) -> None:
    cleaned = clean(
        sdq=SDQ
        + "C0002 | V4 | 2-4 | nurse | 2019-06-01 | x | 1\nC0001 | V4 | 2-4 | nurse | 2015-06-01 | 1 | 1"
    )
    assert list(cleaned.issues) == sorted(cleaned.issues)
    frame = as_frame(cleaned.issues)
    assert frame["source_row"].tolist() == [2, 2, 3]
    assert frame.columns.tolist()[:5] == ["table", "source_file", "source_row", "key", "field"]
    assert as_frame([]).columns.tolist() == frame.columns.tolist()


def test_an_empty_table_is_clean(clean) -> None:
    cleaned = clean(
        sdq=SDQ.strip(),
        proceedings="family_id",
        withdrawals="withdrawal_id",
        pedsql="child_id",
        scales="child_id",
    )
    assert findings(cleaned) == []
    assert all(
        len(cleaned.tables[name]) == 0 for name in ("sdq", "proceedings", "withdrawals", "pedsql", "scales")
    )


def test_the_tables_given_are_not_changed(spec: Spec) -> None:
    raw = {"families": cells(spec, "families", FAMILIES), "children": cells(spec, "children", CHILDREN)}
    raw["sdq"] = cells(spec, "sdq", SDQ + "c0001 | V4 | 2-4 | nurse | 2015-06-01 | x | 5")
    before = raw["sdq"].copy()
    clean_tables(raw, spec, data_cut=CUT, corrections=NO_CORRECTIONS)
    assert raw["sdq"].equals(before)


def everything(spec: Spec, incomplete: tuple[str, ...] = (), **texts: str) -> tuple[Cleaned, list[int]]:
    """Cleaned by a caller who does not stop, with the number of findings it was told of each time."""
    raw = {
        name: cells(spec, name, text)
        for name, text in {"families": FAMILIES, "children": CHILDREN, **texts}.items()
    }
    told: list[int] = []
    options = {"incomplete": incomplete, "stop": lambda issues: told.append(len(issues))}
    return clean_tables(raw, spec, data_cut=CUT, corrections=NO_CORRECTIONS, **options), told


def test_a_caller_that_does_not_stop_is_told_of_everything(spec: Spec) -> None:
    """Cells that stop in one row hide neither another row's nor the rules of the rest."""
    rows = (
        "C0001 | V9 | 2-4 |  | 2015-06-01 | 1 | 1\n"
        "C0002 | V4 | 2-4 |  | 2099-06-01 | 1 | 1\n"
        "C0002 | V5 | 2-4 |  | 2023-06-01 | 1 | 1"
    )
    cleaned, told = everything(spec, sdq=SDQ + rows)
    found = {(rule, severity) for *_, rule, severity, _ in findings(cleaned)}
    assert found == {("S05", "stop"), ("C01", "query"), ("SD02", "query")}
    assert told == [2, 3]
    assert cleaned.damaged == {"sdq": 1}
    assert {(each.table, each.rule, each.because) for each in cleaned.unchecked} == {("sdq", "SD07", "sdq")}
    assert len(cleaned.tables["sdq"]) == 1, "one has no key, another is dated after the cut"


def test_a_rule_is_not_run_against_a_table_with_a_damaged_key(spec: Spec) -> None:
    children = CHILDREN + "X | F0001 | 2012-03-10 | day | F | 2014-02-01"
    rows = "C0001 | V4 | 2-4 |  | 2010-06-01 | 1 | 1"
    cleaned, _ = everything(spec, children=children, sdq=SDQ + rows)
    unchecked = {(each.rule, each.because) for each in cleaned.unchecked}
    assert {("SD02", "children"), ("SD03", "children")} <= unchecked
    assert not {"SD03", "SD02"} & {each.rule for each in cleaned.issues}
    assert cleaned.damaged == {"children": 1}
    # Its own rows are still checked: born after entering care.
    late, _ = everything(spec, children=children.replace("2012-03-10", "2015-03-10"))
    assert "CH01" in {each.rule for each in late.issues}


def test_no_key_is_checked_against_a_table_that_lacks_a_file(spec: Spec) -> None:
    rows = "C0009 | V4 | 2-4 |  | 2015-06-01 | 1 | 1"
    cleaned, _ = everything(spec, sdq=SDQ + rows)
    assert [each.rule for each in cleaned.issues if each.table == "sdq"] == ["S09"]
    cleaned, _ = everything(spec, incomplete=("children",), sdq=SDQ + rows)
    assert [each.rule for each in cleaned.issues if each.table == "sdq"] == []
    assert "SD03" in {each.rule for each in cleaned.unchecked}


def test_rows_are_not_judged_by_the_rows_beside_them_where_some_are_absent(spec: Spec) -> None:
    """One wrong cell of the row itself is still found, as are two episodes that cannot both be right."""
    rows = (
        "C0001 | 2014-03-01 | 2014-06-01 | U6 | X1 | S | V2 | SSDA903\n"
        "C0001 | 2014-08-01 | 2014-09-01 | U6 | X1 | P | V2 | SSDA903\n"
        "C0001 | 2014-09-01 | | U6 | | S | V2 | SSDA903\n"
        "C0002 | 2018-03-01 | | U6 | | P | V2 | SSDA903\n"
        "C0002 | 2018-05-01 | 2018-04-01 | U6 | | P | V2 | SSDA903"
    )
    beside = {"PL07", "PL14", "PL17"}  # followed_by, first_is, continues_last
    found = [
        {
            each.rule
            for each in everything(spec, incomplete=incomplete, placements=PLACEMENTS + rows)[0].issues
        }
        for incomplete in ((), ("placements",))
    ]
    assert beside <= found[0]
    assert found[1] == found[0] - beside
    assert {"PL01", "PL15", "PL40"} <= found[1]


def test_a_finding_is_told_once_though_keys_are_checked_twice(spec: Spec) -> None:
    rows = "C0009 | V4 | 2-4 |  | 2015-06-01 | 1 | 1"
    cleaned, told = everything(spec, sdq=SDQ + rows)
    assert len(set(cleaned.issues)) == len(cleaned.issues) == told[-1]


def test_a_table_that_is_not_sound_is_there_and_cannot_be_read() -> None:
    """A rule that asks whether it has a table must not take a damaged one for one that nobody gave."""
    tables = Sound({"families": pd.DataFrame(), "children": pd.DataFrame()}, {"children"})
    assert "children" in tables and "families" in tables and "sdq" not in tables
    with pytest.raises(UnsoundError):
        tables["children"]
    assert tables["families"].empty

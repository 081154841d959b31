"""K00 to K03: a value is changed by a signed line whose old value still stands, and by nothing else."""

from pathlib import Path

import pandas as pd
import pytest

from analysis.data.corrections import COLUMNS, correct, read_corrections
from analysis.data.issues import stop_if_any
from analysis.errors import DataError
from analysis.spec.declarations import Spec
from tests.unit.data.tables import cells

HEADER = "table,key,field,old,new,reason,initials,date\n"


@pytest.fixture
def listed(tmp_path: Path, spec: Spec):
    def run(*lines: str) -> pd.DataFrame:
        path = tmp_path / "corrections.csv"
        path.write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")
        return read_corrections(path, spec)

    return run


def visits(spec: Spec) -> pd.DataFrame:
    return cells(
        spec,
        "assessments",
        """
        child_id | visit | due_date   | visit_date | status
        C0001    | V4    | 2019-05-01 | 2091-05-03 | attended
        C0002    | V4    | 2019-05-01 | 2019-05-03 | attended
        """,
    )


def test_a_correction_changes_its_cell_and_is_noted(spec: Spec, listed) -> None:
    lines = listed("assessments,C0001/V4,visit_date,2091-05-03,2019-05-03,year mistyped,AB,2024-01-10")
    before = visits(spec)
    after, (issue,) = correct(before, spec.table("assessments"), lines)
    assert after["visit_date"].tolist() == ["2019-05-03", "2019-05-03"]
    assert before.loc[0, "visit_date"] == "2091-05-03"
    assert (issue.rule, issue.severity, issue.action, issue.field) == (
        "K00",
        "note",
        "corrected",
        "visit_date",
    )
    assert (issue.key, issue.source_row) == ("C0001/V4", 2)
    # The list's own words may quote a value; the note does not repeat them.
    assert issue.message == "corrected as signed in the list of corrections"


def test_a_table_without_corrections_stays(spec: Spec, listed) -> None:
    lines = listed("assessments,C0001/V4,visit_date,2091-05-03,2019-05-03,year mistyped,AB,2024-01-10")
    text = cells(spec, "sdq", "child_id | visit\nC0001 | V4")
    assert correct(text, spec.table("sdq"), lines) == (text, [])


def test_no_list_is_an_empty_one(spec: Spec) -> None:
    assert tuple(read_corrections(None, spec).columns) == COLUMNS
    text, issues = correct(visits(spec), spec.table("assessments"), read_corrections(None, spec))
    assert (len(text), issues) == (2, [])


@pytest.mark.parametrize(
    "line",
    [
        "assessments,C0001/V4,visit_date,2091-05-04,2019-05-03,x,AB,2024-01-10",  # another value by now
        "assessments,C0003/V4,visit_date,2091-05-03,2019-05-03,x,AB,2024-01-10",  # no such row
        "assessments,C0001,visit_date,2091-05-03,2019-05-03,x,AB,2024-01-10",  # half a key
    ],
)
def test_a_correction_that_no_longer_fits_is_refused(spec: Spec, listed, line: str) -> None:
    with pytest.raises(
        DataError, match=r"corrections.csv, row 2, rule K03 \(assessments.visit_date\)"
    ) as stopped:
        stop_if_any(correct(visits(spec), spec.table("assessments"), listed(line))[1])
    assert "2091" not in str(stopped.value)


def test_one_of_two_rows_under_a_key_is_found_by_its_old_value(spec: Spec, listed) -> None:
    """The 15-month visit filed as a second baseline: the key alone names two rows."""
    text = cells(
        spec,
        "assessments",
        """
        child_id | visit | due_date   | status
        C0001    | V3    | 2018-05-01 | attended
        C0001    | V3    | 2019-05-01 | attended
        """,
    )
    line = "assessments,C0001/V3,due_date,2019-05-01,2018-06-01,x,AB,2024-01-10"
    after, _ = correct(text, spec.table("assessments"), listed(line))
    assert after["due_date"].tolist() == ["2018-05-01", "2018-06-01"]
    line = "assessments,C0001/V3,status,attended,missed,x,AB,2024-01-10"  # the status fits both
    unchanged, (issue,) = correct(text, spec.table("assessments"), listed(line))
    assert (issue.rule, issue.severity, issue.source_row) == ("K03", "stop", 2)
    assert unchanged.equals(text)


def test_a_record_that_stands_twice_is_corrected_twice(spec: Spec, listed) -> None:
    """Otherwise the two would differ afterwards and stop the run."""
    text = pd.concat([visits(spec).iloc[[0]]] * 2, ignore_index=True).assign(source_row=["2", "9"])
    line = "assessments,C0001/V4,visit_date,2091-05-03,2019-05-03,x,AB,2024-01-10"
    after, issues = correct(text, spec.table("assessments"), listed(line))
    assert after["visit_date"].tolist() == ["2019-05-03"] * 2
    assert [each.source_row for each in issues] == [2, 9]


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("visits,C0001/V4,visit_date,a,b,x,AB,2024-01-10", "K01"),
        ("assessments,C0001/V4,date,a,b,x,AB,2024-01-10", "K01"),
        ("subjects,C0001,sex,M,F,x,AB,2024-01-10", "K01"),  # a derived table
        ("allocation,F0001,arm,NIM,SAU,x,AB,2024-01-10", "K01"),  # an open list may not tell an arm
        ("delivery,F0001,n_sessions,3,4,x,AB,2024-01-10", "K01"),
        ("assessments,C0001/V4,source_row,2,3,x,AB,2024-01-10", "K01"),  # where a row came from
        ("assessments,C0001/V4,visit_date,a,b,,AB,2024-01-10", "K02"),
        ("assessments,C0001/V4,visit_date,a,b,x, ,2024-01-10", "K02"),
        ("assessments,C0001/V4,visit_date,a,b,x,AB,", "K02"),
        ("assessments,C0001/V4,visit_date,a,b,x,AB,10/01/2024", "K02"),
    ],
)
def test_a_line_that_is_undeclared_or_unsigned_is_refused(listed, line: str, rule: str) -> None:
    good = "assessments,C0002/V4,visit_date,2019-05-03,2019-05-04,x,AB,2024-01-10"
    with pytest.raises(DataError, match=f"corrections.csv, row 3, rule {rule}:"):
        listed(good, line)


def test_a_file_that_is_no_list_is_named(tmp_path: Path, spec: Spec) -> None:
    path = tmp_path / "corrections.csv"
    with pytest.raises(DataError, match="corrections.csv: cannot be read"):
        read_corrections(path, spec)
    for content in (b"", b"\xff\xfe", HEADER.encode() + b'a,"b\n'):
        path.write_bytes(content)
        with pytest.raises(DataError, match="corrections.csv: not a list of corrections"):
            read_corrections(path, spec)
    path.write_text("table,key,field,was,new,reason,initials,date\n")
    with pytest.raises(DataError, match="corrections.csv, row 1: the columns must be table, key, field, old"):
        read_corrections(path, spec)


def test_a_byte_order_mark_does_not_spoil_the_header(tmp_path: Path, spec: Spec) -> None:
    path = tmp_path / "corrections.csv"
    path.write_bytes(b"\xef\xbb\xbf" + HEADER.encode())
    assert read_corrections(path, spec).empty

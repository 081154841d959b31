"""Columns that hold dates in more than one format are counted; where a day may be misread, it is asked."""

from pathlib import Path

import pandas as pd
import pytest

from analysis.sources.mixed_dates import mixed_dates
from analysis.spec.declarations import Spec
from analysis.spec.load import load_mapping

DATA_SPEC = Path(__file__).parents[3] / "data_spec"


@pytest.fixture
def found(spec: Spec):
    """Findings in the dates of a file of withdrawals, whose dialect puts the day first, or the year."""
    mapping = load_mapping(DATA_SPEC, "synthetic")

    def run(*cells: str) -> list[tuple]:
        (source,) = mapping.of_tables(frozenset(["withdrawals"]))
        rows = [str(line) for line in range(2, len(cells) + 2)]
        frame = pd.DataFrame({"date": cells, "source_row": rows}, dtype=object)
        issues = mixed_dates(frame, [source, source], mapping, spec, file="withdrawals.csv")
        return [(each.source_row, each.field, each.severity, each.message) for each in issues]

    return run


def test_one_format_is_no_finding(found) -> None:
    assert found("01/02/2015", "13/02/2015", "", "01/01/1900") == []
    assert found() == []
    assert found("", "") == []


def test_every_cell_in_another_declared_format_is_found_and_counted(found) -> None:
    """Blank cells and placeholders are not dates of the column."""
    cells = ("01/02/2015", "2015-03-01", "13/02/2015", "", "2015-03-02", "01/01/1900", "14/02/2015")
    message = "2 of 5 dates of this column are written %Y-%m-%d, most %d/%m/%Y"
    assert found(*cells) == [(row, "withdrawal_date", "note", message) for row in (3, 6)]


def test_a_date_that_only_reads_with_the_month_first_is_a_query(found) -> None:
    """02/13/2015 has no thirteenth month, so 01/02/2015 may be the second of January."""
    (only,) = found("01/02/2015", "13/02/2015", "02/13/2015")
    assert only[:3] == (4, "withdrawal_date", "query")
    assert only[3].startswith("1 of 3 dates of this column are written %m/%d/%Y, month first")


def test_a_column_all_with_the_month_first_is_a_query_too(found) -> None:
    assert [each[:3] for each in found("02/13/2015", "02/14/2015")] == [
        (row, "withdrawal_date", "query") for row in (2, 3)
    ]


def test_what_is_no_date_in_any_format_is_left_to_the_checks_of_cells(found) -> None:
    assert found("01/02/2015", "soon", "31/31/2015") == []


def test_no_value_is_told(found) -> None:
    cells = ("17/02/2015", "2015-03-19", "02/23/2015")
    told = " ".join(message for *_, message in found(*cells))
    assert not any(cell in told for cell in cells)

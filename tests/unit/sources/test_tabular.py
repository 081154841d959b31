"""One cell at a time: codes, reasons, numbers and dates as the mapping declares them."""

import pytest

from analysis.sources.tabular import as_frame, to_fields
from analysis.sources.text import Text
from analysis.spec.declarations import Spec
from analysis.spec.mapping import Mapping
from tests.unit.sources.conftest import COMMA, SEMICOLON

COLUMNS = {
    "event_id": "id",
    "family_id": "family",
    "child_id": "child",
    "event_date": "day",
    "category": "kind",
    "is_serious": "serious",
    "relatedness": "related",
    "outcome": "outcome",
}
VALUES = {"category": {"1": "hospital", "Injury": "injury"}}
MISSING = {"-99": "blank", "-95": "refused", "31/12/2999": "placeholder", "NK": "not_known"}


@pytest.fixture
def convert(spec: Spec):
    """One row of `reported_events` with one cell of the test, converted."""

    def run(column: str, cell: str, dialect: str = "comma") -> str:
        text = Text.of_rows(
            "a.csv",
            tuple(COLUMNS.values()),
            (tuple(cell if each == column else "" for each in COLUMNS.values()),),
            (2,),
        )
        source = {
            "table": "reported_events",
            "kind": "tabular",
            "files": "a.csv",
            "dialect": dialect,
            "columns": COLUMNS,
            "values": VALUES,
        }
        mapping = Mapping(
            name="t", dialects={"comma": COMMA, "semicolon": SEMICOLON}, missing=MISSING, sources=[source]
        )
        rows = to_fields(as_frame(text), mapping.sources[0], mapping, spec.table("reported_events"))
        field = next(name for name, theirs in COLUMNS.items() if theirs == column)
        return rows.loc[0, field]

    return run


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("1", "hospital"),
        ("1.0", "hospital"),
        ("1.00", "hospital"),
        (" 1 ", "hospital"),
        ("Injury", "injury"),
        ("INJURY", "injury"),
        ("injury", "injury"),
        ("hospital", "hospital"),
        # Not in the mapping: it stays as it is and the code list refuses it later.
        ("2", "2"),
        ("10", "10"),
        ("1.5", "1.5"),
    ],
)
def test_codes(convert, cell: str, code: str) -> None:
    assert convert("kind", cell) == code


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("kind", "-99", ".blank"),
        ("serious", "-95", ".refused"),
        ("day", "31/12/2999", ".placeholder"),
        ("child", "NK", ".not_known"),
        ("outcome", "-99.0", ".blank"),
        ("outcome", "", ""),
        ("day", "  ", ""),
    ],
)
def test_codes_for_missing_become_reasons_in_any_column(convert, column: str, cell: str, reason: str) -> None:
    assert convert(column, cell) == reason


@pytest.mark.parametrize(
    ("cell", "iso"),
    [
        ("05/11/2019", "2019-11-05"),
        ("5/11/2019", "2019-11-05"),
        ("2019-11-05", "2019-11-05"),
        ("29/02/2020", "2020-02-29"),
        # No day of the calendar, month first, two digits for the year, a time: left for the checks.
        ("29/02/2019", "29/02/2019"),
        ("11/25/2019", "11/25/2019"),
        ("05/11/19", "05/11/19"),
        ("2019-11-05 10:00", "2019-11-05 10:00"),
        ("5 November 2019", "5 November 2019"),
    ],
)
def test_dates(convert, cell: str, iso: str) -> None:
    assert convert("day", cell) == iso


def test_each_dialect_has_its_own_dates(convert) -> None:
    assert convert("day", "05.11.2019", "semicolon") == "2019-11-05"
    assert convert("day", "05/11/2019", "semicolon") == "05/11/2019"


@pytest.mark.parametrize(
    ("cell", "truth"),
    [
        ("1", "true"),
        ("0", "false"),
        ("1.0", "true"),
        ("Yes", "true"),
        ("NO", "false"),
        ("TRUE", "true"),
        ("False", "false"),
        ("2", "2"),
        ("maybe", "maybe"),
    ],
)
def test_truth_values(convert, cell: str, truth: str) -> None:
    assert convert("serious", cell) == truth


NUMBERS = {"child_id": "id", "visit": "visit", "scale": "scale", "completed_date": "day", "score": "score"}


@pytest.mark.parametrize(
    ("dialect", "cell", "number"),
    [
        ("comma", "1.5", "1.5"),
        ("comma", "1,5", "1,5"),
        ("comma", ".5", "0.5"),
        ("comma", "-0.5", "-0.5"),
        ("semicolon", "1,5", "1.5"),
        ("semicolon", ",5", "0.5"),
        ("semicolon", "15", "15"),
        # With a decimal comma a point groups thousands: 1.234 is not one and a bit, and no number to us.
        ("semicolon", "1.234", "1,234"),
        ("semicolon", "1.234,5", "1,234.5"),
    ],
)
def test_numbers(spec: Spec, dialect: str, cell: str, number: str) -> None:
    text = Text.of_rows("a.csv", tuple(NUMBERS.values()), (("C0001", "V3", "TIMB", "", cell),), (2,))
    source = {"table": "scales", "kind": "tabular", "files": "a.csv", "dialect": dialect, "columns": NUMBERS}
    mapping = Mapping(
        name="t", dialects={"comma": COMMA, "semicolon": SEMICOLON}, missing=MISSING, sources=[source]
    )
    rows = to_fields(as_frame(text), mapping.sources[0], mapping, spec.table("scales"))
    assert rows.loc[0, "score"] == number


def test_trimmed_cells_are_counted(spec: Spec) -> None:
    """Two: an ordinary space and the hard space that a word processor leaves."""
    frame = as_frame(Text.of_rows("a.csv", ("id", "day"), (("C1 ", "x"), ("\u00a0C2", "y")), (2, 5)))
    assert frame["id"].tolist() == ["C1", "C2"]
    assert frame["source_row"].tolist() == ["2", "5"]
    assert frame.attrs["cells_trimmed"] == 2


def test_whatever_counts_as_a_space_is_trimmed(spec: Spec) -> None:
    """Each alone in a column of plain cells, which are looked at all at once."""
    spaces = [mark for mark in map(chr, range(0x3001)) if mark.isspace()]
    for space in spaces:
        frame = as_frame(Text.of_rows("a.csv", ("id",), (("C1",), (f"C2{space}",)), (2, 3)))
        assert frame["id"].tolist() == ["C1", "C2"] and frame.attrs["cells_trimmed"] == 1


def test_no_cell_is_taken_for_a_number_or_a_missing_value(spec: Spec) -> None:
    cells = ("NA", "nan", "NULL", "1e5", "007", "True", "None", "-")
    frame = as_frame(Text.of_rows("a.csv", tuple(f"c{at}" for at in range(8)), (cells,), (2,)))
    assert tuple(frame.iloc[0, :8]) == cells
    assert all(isinstance(cell, str) for cell in frame.to_numpy().ravel())

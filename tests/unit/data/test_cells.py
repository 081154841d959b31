"""Cells against the schema: S04 type, S05 code, S06 range or form, S07 required."""

import pytest

from analysis.data.cells import FORMULA_STARTS, cell_problems
from analysis.spec.declarations import Spec
from tests.unit.data.tables import cells

# A valid row of each table used here; a test changes one cell.
ROWS = {
    "sdq": {"child_id": "C0001", "visit": "V4", "form": "2-4", "completed_date": "2019-05-01"},
    "scales": {"child_id": "C0001", "visit": "V4", "scale": "TIMB", "completed_date": "2019-05-01"},
    "reported_events": {
        "event_id": "E0001",
        "family_id": "F0001",
        "event_date": "2019-05-01",
        "category": "injury",
        "is_serious": "true",
        "relatedness": "unrelated",
    },
}


@pytest.fixture
def problems(spec: Spec):
    def run(name: str, field: str, cell: str) -> list[str]:
        row = {**ROWS[name], field: cell}
        text = cells(spec, name, " | ".join(row) + "\n" + " | ".join(row.values()))
        found = list(cell_problems(text, spec.table(name), spec))
        assert {each.field for each in found} <= {field}
        assert all(each.rows.tolist() == [0] for each in found)
        return [each.rule for each in found]

    return run


VALID = [
    ("sdq", "completed_date", "1991-12-31"),
    ("sdq", "completed_date", "2020-02-29"),
    ("sdq", "q01", "2"),
    ("sdq", "q01", ""),
    ("sdq", "q01", ".refused"),
    ("sdq", "informant", ".not_known"),
    ("sdq", "printed_total", "+40"),
    ("scales", "score", "-1.5e-3"),
    ("scales", "score", "3."),
    ("scales", "score", "0"),
    ("scales", "score", "12345678.9"),
    ("reported_events", "is_serious", "false"),
    ("reported_events", "child_id", ""),
    ("reported_events", "child_id", "C1234567"),
]


@pytest.mark.parametrize(("name", "field", "cell"), VALID)
def test_a_valid_cell(problems, name: str, field: str, cell: str) -> None:
    assert problems(name, field, cell) == []


@pytest.mark.parametrize(
    ("name", "field", "cell", "rule"),
    [
        ("sdq", "q01", "one", "S04"),
        ("sdq", "q01", "1.5", "S04"),
        ("sdq", "q01", "1.0", "S04"),
        ("sdq", "q01", "\u0661", "S04"),
        ("sdq", "q01", "1" * 16, "S04"),
        ("scales", "score", "1,5", "S04"),
        ("scales", "score", "nan", "S04"),
        ("scales", "score", "inf", "S04"),
        ("scales", "score", "1e400", "S04"),
        ("scales", "score", "1 5", "S04"),
        ("scales", "score", "12-05", "S04"),
        ("scales", "score", "\u0661.5", "S04"),
        ("scales", "score", "\uff11", "S04"),
        ("reported_events", "is_serious", "1", "S04"),
        ("reported_events", "is_serious", "True", "S04"),
        # Another format, no day, a time; years that are placeholders or that a data frame cannot hold.
        ("sdq", "completed_date", "01/05/2019", "S04"),
        ("sdq", "completed_date", "2019-02-29", "S04"),
        ("sdq", "completed_date", "2019-05-01T10:00", "S04"),
        ("sdq", "completed_date", "2019-5-1", "S04"),
        ("sdq", "completed_date", "1900-01-01", "S04"),
        ("sdq", "completed_date", "2999-12-31", "S04"),
        ("sdq", "completed_date", "1599-01-01", "S04"),
        ("sdq", "completed_date", "0219-05-01", "S04"),
        ("sdq", "visit", "V6", "S05"),
        ("sdq", "informant", "nurse", "S05"),
        ("sdq", "q01", ".unknown", "S05"),
        ("sdq", "q01", ".", "S05"),
        ("sdq", "informant", ".Refused", "S05"),
        ("sdq", "q01", "3", "S06"),
        ("sdq", "q01", "-1", "S06"),
        ("sdq", "printed_total", "41", "S06"),
        ("sdq", "child_id", "0001", "S06"),
        ("sdq", "child_id", "C0001x", "S06"),
        ("sdq", "child_id", "C\u0660001", "S06"),
        ("reported_events", "child_id", "C12345678", "S06"),
        ("sdq", "source_file", "=HYPERLINK(1)", "S06"),
        ("sdq", "source_file", "-2+3.csv", "S06"),
        ("sdq", "source_file", "\t@SUM(1)", "S06"),
        ("sdq", "child_id", "=1+1", "S06"),
        ("sdq", "child_id", "", "S07"),
        ("sdq", "form", ".blank", "S07"),
        ("sdq", "completed_date", ".placeholder", "S07"),
    ],
)
def test_a_broken_cell(problems, name: str, field: str, cell: str, rule: str) -> None:
    assert problems(name, field, cell) == [rule]


def test_no_code_is_a_formula(spec: Spec) -> None:
    """A field with a code list is not looked at for formulas: its cells are its codes."""
    codes = [code for each in spec.codes.values() for code in each]
    assert codes
    assert not [code for code in codes if code.startswith(FORMULA_STARTS)]


def test_an_unknown_reason_in_a_required_field_breaks_two_rules(problems) -> None:
    assert problems("sdq", "form", ".lots") == ["S07", "S05"]


def test_a_message_names_what_is_allowed_and_no_value(spec: Spec) -> None:
    text = cells(
        spec, "sdq", "child_id | visit | form | completed_date | q01\nC0001 | V9 | 2-4 | 2019-05-01 | 7"
    )
    messages = [each.message for each in cell_problems(text, spec.table("sdq"), spec)]
    assert messages == ["not in code list visit; allowed: V3, V4, V5", "outside 0 to 2"]


def test_rows_are_positions_whatever_the_index(spec: Spec) -> None:
    text = cells(
        spec,
        "sdq",
        "child_id | visit | form | completed_date\nC0001|V4|2-4|2019-05-01\nC0002|V9|2-4|2019-05-01",
    )
    text.index = [40, 7]
    (problem,) = cell_problems(text, spec.table("sdq"), spec)
    assert problem.rows.tolist() == [1]


def test_an_empty_table_has_no_problems(spec: Spec) -> None:
    assert list(cell_problems(cells(spec, "sdq", "child_id"), spec.table("sdq"), spec)) == []


def test_a_line_break_in_a_whole_number_is_told(spec: Spec) -> None:
    """All line numbers are read at a stroke, where two lines of one cell would pass for two cells."""
    row = {**ROWS["sdq"], "q01": "?"}
    text = cells(spec, "sdq", " | ".join(row) + "\n" + " | ".join(row.values())).replace("?", "1\n2")
    assert [each.field for each in cell_problems(text, spec.table("sdq"), spec)] == ["q01"]

"""S02 and S03: what is certain is restored and noted, what is not stays for the checks."""

import pytest

from analysis.data.restore import restore
from analysis.spec.declarations import Spec
from tests.unit.data.tables import cells

ES, HARD_ES, FULL_WIDTH, MINUS = "\u0421", "\u0441", "\uff23\uff10\uff10\uff10\uff11", "\u2212"


def restored(spec: Spec, name: str, field: str, cell: str) -> tuple[str, list[str]]:
    text = cells(spec, name, f"{field} | source_file\n{cell} | a.csv")
    out, issues = restore(text, spec.table(name), spec)
    assert text.loc[0, field] == cell  # the table given is not changed
    assert all((each.severity, each.action) == ("note", "restored") for each in issues)
    return out.loc[0, field], [each.rule for each in issues]


@pytest.mark.parametrize(
    ("name", "field", "cell", "meant", "rules"),
    [
        ("sdq", "child_id", f"{ES}0001", "C0001", ["S02"]),  # Cyrillic capital
        ("sdq", "child_id", f"{HARD_ES}0001", "C0001", ["S02"]),  # and small letter
        ("sdq", "child_id", FULL_WIDTH, "C0001", ["S02"]),
        ("sdq", "child_id", "c0001", "C0001", ["S02"]),
        ("sdq", "child_id", "C0001\u200b", "C0001", ["S02"]),  # a space of no width
        ("sdq", "child_id", "C0001", "C0001", []),
        # Nothing certain: another form of id, a letter for a digit, nothing at all.
        ("sdq", "child_id", "c-0001", "c-0001", []),
        ("sdq", "child_id", "COOO1", "COOO1", []),
        ("sdq", "child_id", "", "", []),
        ("placements", "placement_code", "u6", "U6", ["S03"]),
        ("placements", "placement_code", "s_home", "S_HOME", ["S03"]),
        ("placements", "placement_code", "U66", "U66", []),
        ("placements", "reason_ended", "e4a", "E4A", ["S03"]),
        ("sdq", "informant", ".refused", ".refused", []),
        ("sdq", "q01", "1.0", "1", ["S03"]),
        ("sdq", "q01", "2.000", "2", ["S03"]),
        ("sdq", "q01", "-1.0", "-1", ["S03"]),
        ("sdq", "q01", "1.5", "1.5", []),
        ("sdq", "q01", "1.", "1.", []),
        ("scales", "score", "1,5", "1.5", ["S03"]),
        ("scales", "score", "-12,25", "-12.25", ["S03"]),
        # Three digits after a comma may be thousands; a number with decimals is meant as one.
        ("scales", "score", "1,234", "1,234", []),
        ("scales", "score", "1.0", "1.0", []),
        # Dates are the mapping's business.
        ("sdq", "completed_date", "01/05/2019", "01/05/2019", []),
    ],
)
def test_a_cell(spec: Spec, name: str, field: str, cell: str, meant: str, rules: list[str]) -> None:
    assert restored(spec, name, field, cell) == (meant, rules)


def test_the_issue_names_the_row_by_the_restored_key(spec: Spec) -> None:
    """The data manager looks for C0001, not for letters that look like it."""
    text = cells(
        spec, "sdq", f"child_id | visit | q01 | source_file | source_row\n{ES}0001 | v4 | 1.0 | a.csv | 17"
    )
    _, issues = restore(text, spec.table("sdq"), spec)
    assert {(each.key, each.source_file, each.source_row) for each in issues} >= {("C0001/V4", "a.csv", 17)}
    assert not any(ES in each.key for each in issues)


def test_an_id_that_is_none_is_hidden_in_the_key(spec: Spec) -> None:
    """It may be a name."""
    text = cells(spec, "sdq", "child_id | visit | q01\nAnna Smith | V4 | 1.0")
    _, issues = restore(text, spec.table("sdq"), spec)
    assert [each.key for each in issues] == ["?/V4"]

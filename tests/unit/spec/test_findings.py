"""Every id that can be printed is declared once, in words, and the documentation says the same."""

import re
from pathlib import Path

import pytest

from analysis.spec.declarations import Spec
from analysis.spec.findings import Finding
from tests.unit.spec.conftest import Declarations

ROOT = Path(__file__).parents[3]
ID = re.compile(r"\b(?:[SKRWC]|TR)\d\d\b")
PAGE = (ROOT / "docs/methods/cleaning.md").read_text(encoding="utf-8")


def printed_ids() -> set[str]:
    """Ids in the text of the rooms that read, clean and derive, docstrings and comments among them."""
    rooms = [
        path for room in ("sources", "data", "steps") for path in (ROOT / "analysis" / room).glob("*.py")
    ]
    return {found for path in rooms for found in ID.findall(path.read_text(encoding="utf-8"))}


def row_of(finding: Finding) -> str:
    cases = [
        f"{'' if case.when == 'always' else f'{case.when}: '}{case.severity}, {case.action}"
        for case in finding.cases
    ]
    return f"| {finding.id} | {finding.text} | {'; '.join(cases)} |"


def test_every_id_that_is_printed_is_declared_and_every_declared_one_printed(spec: Spec) -> None:
    assert printed_ids() == set(spec.findings)


def test_no_finding_has_the_id_of_a_rule(spec: Spec, declarations: Declarations) -> None:
    assert not set(spec.findings) & set(spec.rules)
    declarations.edit("findings.yaml", "id: W01", "id: FA01")
    assert "findings.yaml: ids of rules.yaml: FA01." in declarations.refusal()


def test_a_kind_without_a_text_is_refused(declarations: Declarations) -> None:
    declarations.edit("rule_kinds.yaml", "- {id: unique, text", "#")
    assert "no such kind of rule_kinds.yaml: unique" in declarations.refusal()


def test_the_page_has_the_row_of_each_finding_and_no_other(spec: Spec) -> None:
    rows = re.findall(rf"^\| {ID.pattern} \|.*$", PAGE, re.MULTILINE)
    assert sorted(rows) == sorted(row_of(each) for each in spec.findings.values())


def test_the_page_has_the_row_of_each_kind_and_no_other(spec: Spec) -> None:
    table = PAGE[PAGE.index("| Kind | Broken when |") :].split("\n\n")[0]
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    assert rows == [f"| `{each.id}` | {each.text} |" for each in spec.rule_kinds.values()]


def test_every_case_of_a_finding_can_be_told_by_its_severity(spec: Spec) -> None:
    """The issue report shows the cases of the severity that was found."""
    for finding in spec.findings.values():
        assert len({(case.when, case.severity) for case in finding.cases}) == len(finding.cases), finding.id


def test_every_derived_variable_says_where_it_comes_from(spec: Spec) -> None:
    derived = [spec.table(name) for name in spec.table_names(layer="derived")]
    assert derived
    lacking = [
        f"{table.name}.{field.name}" for table in derived for field in table.fields if not field.origin
    ]
    assert lacking == []


@pytest.mark.parametrize("table", ["sdq", "flow"])
def test_every_table_has_the_missing_values_of_the_package(declarations: Declarations, table: str) -> None:
    text = (declarations.folder / "datapackage.yaml").read_text(encoding="utf-8")
    at = text.index("missingValues: *reasons", text.index(f"- name: {table}\n"))
    changed = f'{text[:at]}missingValues: [{{value: "", label: blank}}]{text[at + 23 :]}'
    (declarations.folder / "datapackage.yaml").write_text(changed, encoding="utf-8")
    assert f"missingValues: not the package's own in table {table}" in declarations.refusal()

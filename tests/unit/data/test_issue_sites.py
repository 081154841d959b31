"""The site of a finding comes from its key, else from its row, else it is not known."""

import pandas as pd

from analysis.data.issue_sites import issue_sites
from analysis.spec.declarations import Spec
from analysis.spec.issue import Issue
from tests.unit.data.tables import cells

FAMILIES = """
family_id | site | local_authority | epoch | randomisation_date
F0001     | GLA  | GLASGOW         | CBR   | 2014-06-01
F0002     | LON  | BROMLEY         | CRB   | 2018-03-01
"""
CHILDREN = """
child_id | family_id | birth_date | birth_date_precision | care_entry_date
C0001    | F0001     | 2012-03-10 | day                  | 2014-02-01
C0002    | F0002     | 2016-07-20 | day                  | 2018-01-05
C0003    | F0099     | 2016-07-20 | day                  | 2018-01-05
"""


def issue(table: str, key: str, row: int = 2, file: str = "export.csv") -> Issue:
    return Issue(table, file, row, key, "x", "S06", "query", "keep", "y")


def sites(spec: Spec, issues: list[Issue], **rows: str) -> tuple[str, ...]:
    tables = {name: [cells(spec, name, text)] for name, text in rows.items()}
    return issue_sites(
        issues,
        spec,
        families=cells(spec, "families", FAMILIES),
        children=cells(spec, "children", CHILDREN),
        rows=lambda name: tables.get(name, []),
    )


def test_a_key_tells_by_family_or_by_child(spec: Spec) -> None:
    found = [issue("families", "F0002"), issue("sdq", "C0001/V3"), issue("proceedings", "F0001/2019-01-01")]
    found += [issue("transitions", "C0002/legal/31"), issue("transitions", "C0001/2019-01-01")]
    assert sites(spec, found) == ("LON", "GLA", "GLA", "LON", "GLA")


def test_a_row_tells_where_the_key_does_not(spec: Spec) -> None:
    """A referral by its site, an event by its family or child; lines and files are not mixed up."""
    found = [issue("screening", "S0001", 2), issue("screening", "S0002", 3)]
    found += [issue("reported_events", "E0001", 2), issue("reported_events", "?", 3)]
    rows = {
        "screening": """
            screening_id | site | family_id
            S0001        | LON  |
            S0002        | LON  | F0001
        """,
        "reported_events": """
            event_id | family_id | child_id
            E0001    | F0002     | C0002
            X        | F0777     | C0001
        """,
    }
    assert sites(spec, found, **rows) == ("LON", "GLA", "LON", "GLA")
    assert sites(spec, [issue("screening", "S0001", 2, "other.csv")], **rows) == ("",)


def test_the_first_form_of_a_row_counts_and_a_later_one_fills_in(spec: Spec) -> None:
    """A row that cleaning set aside is known only as it was read."""
    cleaned = cells(spec, "screening", "screening_id | site\nS0001 | GLA")
    read = cells(spec, "screening", "screening_id | site\nS0001 | LON\nS0001 | LON")
    issues = [issue("screening", "S0001", 2), issue("screening", "S0001", 3)]
    empty = {name: cells(spec, name, text) for name, text in (("families", FAMILIES), ("children", CHILDREN))}
    found = issue_sites(issues, spec, **empty, rows=lambda name: [cleaned, read])
    assert found == ("GLA", "LON")


def test_what_cannot_be_told_is_not_known(spec: Spec) -> None:
    """A child of an unknown family, a word that is no site, a file as a whole."""
    found = [
        issue("children", "C0003"),
        issue("screening", "S0001"),
        issue("", "?", 0),
        issue("a, b", "?", 0),
    ]
    assert sites(spec, found, screening="screening_id | site\nS0001 | PARIS") == ("", "", "", "")


def test_tables_are_read_only_when_they_are_needed(spec: Spec) -> None:
    def never(name: str) -> list[pd.DataFrame]:
        raise AssertionError(name)

    families, children = cells(spec, "families", FAMILIES), cells(spec, "children", CHILDREN)
    found = issue_sites([issue("sdq", "C0001/V3")], spec, families=families, children=children, rows=never)
    assert found == ("GLA",)

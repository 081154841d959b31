"""The issue report and the lists: complete, counted, escaped, and no formula to a spreadsheet."""

import csv
import html
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from analysis.errors import BlindingError, ReportError
from analysis.present.issue_lists import site_lists
from analysis.present.issue_page import SHOWN, FileRows, IssueLog, TableRows, render_issues
from analysis.spec.declarations import Spec
from analysis.spec.issue import COLUMNS, Issue

TEMPLATES = Path(__file__).parents[3] / "reports"
HOSTILE = '<img src=x onerror="alert(1)">&"\''


def issue(rule: str = "PL03", severity: str = "query", row: int = 2, **changes: str) -> Issue:
    about = {"table": "placements", "source_file": "london/a.csv", "key": "C0001/2019-01-01"}
    about |= {"field": "reason_ended", "action": "keep", "message": "Ended without a reason", **changes}
    return Issue(rule=rule, severity=severity, source_row=row, **about)


def page(spec: Spec, issues: list[Issue], sites: list[str] | None = None, view: str = "open", **more) -> str:
    files = (FileRows("sdq", "trial/a.csv", 20, 9, 5, 3, 2, 1, 4),)
    tables = (TableRows("sdq", 9, 8, 1),)
    log = IssueLog(tuple(issues), tuple(sites or ["GLA"] * len(issues)), files, tables, **more)
    about = {"cut": "2023-12-31", "templates": TEMPLATES, "synthetic": False}
    return render_issues(view, spec, log, **about, lists="issues", title="Issue report")


def text_of(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page.split("</style>")[-1])).split())


class Tags(HTMLParser):
    """Elements and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def tags(page: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Tags()
    parser.feed(page)
    return parser.found


def test_findings_are_counted_by_rule_and_site(spec: Spec) -> None:
    issues = [issue(row=2), issue(row=3), issue(row=4), issue("TR02", "note", 5, table="transitions")]
    text = text_of(page(spec, issues, ["GLA", "LON", "", "LON"]))
    assert "stop 0 0 0 0 query 1 1 1 3 note 0 1 0 1" in text
    assert "PL03 query Ended without a reason (rule 148) 1 1 1 3" in text
    assert "TR02 note No placement on the day of the clock origin: the child enters late 0 1 0 1" in text


def test_a_rule_is_told_in_full(spec: Spec) -> None:
    text = text_of(page(spec, [issue(), issue("S04", "stop")]))
    assert "required_if : column is empty although other is filled, or has the given value" in text
    assert "Reads placements.reason_ended, end_date" in text
    assert "What becomes of it query, the value stays as it is" in text
    assert "What becomes of it required: stop, the value stays as it is" in text


def test_one_id_of_two_severities_has_two_sections(spec: Spec) -> None:
    shown = page(spec, [issue("S04", "stop"), issue("S04", "query", action="set_missing")])
    assert [attrs["id"] for tag, attrs in tags(shown) if attrs.get("class") == "rule"] == [
        "S04-stop",
        "S04-query",
    ]


def test_the_first_of_many_are_shown_and_the_rest_counted(spec: Spec) -> None:
    shown = page(spec, [issue(row=row) for row in range(2, 2 + SHOWN + 1234)])
    assert shown.count("C0001/2019-01-01") == SHOWN
    assert "And 1,234 more, in the lists of the sites." in shown


def test_rows_add_up_or_the_page_says_so(spec: Spec) -> None:
    assert "trial/a.csv sdq 20 9 5 3 2 1 yes 4" in text_of(page(spec, []))
    assert FileRows("sdq", "a.csv", 21, 9, 5, 3, 2, 1, 4).adds_up is False
    assert TableRows("sdq", 9, 8, 0).adds_up is False
    assert TableRows("sdq", 9, 7, 1, damaged=1).adds_up is True


def test_checks_that_were_not_made_are_listed_with_their_reason(spec: Spec) -> None:
    shown = text_of(page(spec, [], unchecked=(("S09 of sdq", "a file could not be read"),)))
    assert "Checks that were not made" in shown
    assert "S09 of sdq: a file could not be read" in shown
    assert "Checks that were not made" not in page(spec, [])


@pytest.mark.parametrize("part", ["table", "source_file", "key", "field", "message", "action"])
def test_what_comes_from_the_data_is_escaped(spec: Spec, part: str) -> None:
    plain, hostile = tags(page(spec, [issue()])), tags(page(spec, [issue(**{part: HOSTILE})]))
    assert [tag for tag, _ in hostile if tag != "a"] == [tag for tag, _ in plain if tag != "a"]
    assert not [attrs for _, attrs in hostile if any(name.startswith("on") for name in attrs)]
    assert HOSTILE in html.unescape(page(spec, [issue(**{part: HOSTILE})]))


def test_the_page_needs_nothing_but_itself(spec: Spec) -> None:
    shown = page(spec, [issue(), issue("S04", "stop")])
    loaded = [attrs for tag, attrs in tags(shown) if {"src", "srcset", "data"} & set(attrs) or tag == "link"]
    assert loaded == []
    links = {attrs["href"] for tag, attrs in tags(shown) if tag == "a"}
    anchors = {f"#{attrs['id']}" for _, attrs in tags(shown) if "id" in attrs}
    elsewhere = {link for link in links - anchors if not link.startswith("issues/")}
    assert elsewhere == {"define.html#placements.reason_ended"}
    assert not any(name.startswith("on") for _, attrs in tags(shown) for name in attrs)


def test_a_table_reads_without_the_script(spec: Spec) -> None:
    shown = page(spec, [issue()])
    assert "<button" not in shown
    assert '<th scope="col">Rule</th>' in shown


def test_an_id_that_nobody_declared_is_refused(spec: Spec) -> None:
    with pytest.raises(ReportError, match="rule Q99: found in the data, but declared in no file"):
        page(spec, [issue("Q99")])


def test_an_open_page_that_names_an_arm_is_refused(spec: Spec) -> None:
    arm = next(iter(spec.codelists["arm"]))
    with pytest.raises(BlindingError):
        page(spec, [issue(message=f"seen by {arm}")])
    page(spec, [issue(message=f"seen by {arm}")], view="closed")


def lists(spec: Spec, issues: list[Issue], sites: list[str]) -> dict[str, list[list[str]]]:
    found = site_lists(issues, sites, spec)
    return {name: list(csv.reader(io.StringIO(text.decode(), newline=""))) for name, text in found.items()}


def test_every_finding_is_in_the_list_of_its_site_and_in_no_other(spec: Spec) -> None:
    issues = [issue(row=9), issue("S04", "stop", 8), issue("S01", "note", 3), issue(row=4)]
    found = lists(spec, issues, ["GLA", "GLA", "", "GLA"])
    assert set(found) == {"GLA.csv", "LON.csv", "not_known.csv"}
    assert all(rows[0] == list(COLUMNS) for rows in found.values())
    rule, row = COLUMNS.index("rule"), COLUMNS.index("source_row")
    placed = {name: [(each[rule], each[row]) for each in rows[1:]] for name, rows in found.items()}
    assert placed == {
        "GLA.csv": [("S04", "8"), ("PL03", "4"), ("PL03", "9")],
        "LON.csv": [],
        "not_known.csv": [("S01", "3")],
    }


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", " =", "\uff1d"])
@pytest.mark.parametrize("part", ["source_file", "key", "field", "message"])
def test_no_cell_is_a_formula_to_a_spreadsheet(spec: Spec, start: str, part: str) -> None:
    cell = f'{start}cmd|" /C calc"!A0'
    (_, row) = lists(spec, [issue(**{part: cell})], ["GLA"])["GLA.csv"]
    assert row[COLUMNS.index(part)] == f"'{cell}"
    assert not any(each.lstrip(" ").startswith(tuple("=+-@\t\r\n\uff1d")) for each in row)


def test_order_of_the_findings_does_not_matter(spec: Spec) -> None:
    issues = [issue(row=row, message=f"m{row}") for row in range(2, 40)]
    sites = ["GLA" if each.source_row % 3 else "LON" for each in issues]
    assert page(spec, issues, sites) == page(spec, issues[::-1], sites[::-1])
    assert site_lists(issues, sites, spec) == site_lists(issues[::-1], sites[::-1], spec)

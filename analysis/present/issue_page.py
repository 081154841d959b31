"""The issue report: every finding by rule and site, and what became of every row that was read."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.errors import ReportError
from analysis.present.blinding import check_open_text
from analysis.present.issue_lists import SEVERITIES, by_severity
from analysis.present.reading import label
from analysis.present.table_form import MARKS
from analysis.present.template import render
from analysis.results import View
from analysis.spec.declarations import Spec
from analysis.spec.findings import Case
from analysis.spec.issue import Issue
from analysis.spec.outputs import UNPLACED

SHOWN = 10  # findings of one rule; all of them are in the lists
NOT_KNOWN = "not known"
ACTIONS = {
    "keep": "the value stays as it is",
    "restored": "the cell is written as it was meant",
    "corrected": "the cell is written as the signed correction says",
    "set_missing": "the cell becomes a labelled missing value",
    "set_aside": "the row leaves the clean table",
    "set_back": "the cell is as it was on the day of the data cut",
    "repaired": "the episode ends as the declared repair says",
    "superseded": "another version of the row counts, that of a later return or of the file it is a copy of",
}


@dataclass(frozen=True, slots=True)
class FileRows:
    """What became of the rows of one file for one table."""

    table: str
    file: str
    rows_in: int
    rows_kept: int
    rows_elsewhere: int
    rows_blank: int
    rows_superseded: int
    rows_set_aside: int
    cells_trimmed: int

    @property
    def adds_up(self) -> bool:
        """Whether every row that was read is accounted for."""
        left = self.rows_elsewhere + self.rows_blank + self.rows_superseded + self.rows_set_aside
        return self.rows_in == self.rows_kept + left


@dataclass(frozen=True, slots=True)
class TableRows:
    """Rows of a table as read and as cleaned, those that a rule set aside, and those without a usable key."""

    table: str
    raw: int
    clean: int
    set_aside: int
    damaged: int = 0

    @property
    def adds_up(self) -> bool:
        """Whether every row of the table is accounted for."""
        return self.raw == self.clean + self.set_aside + self.damaged


@dataclass(frozen=True, slots=True)
class IssueLog:
    """All that was found in one set of exports.

    `sites` has the site of each issue, empty where it cannot be told; `unchecked` the checks that were not
    made, each as (check, why).
    """

    issues: tuple[Issue, ...]
    sites: tuple[str, ...]
    files: tuple[FileRows, ...]
    tables: tuple[TableRows, ...]
    unchecked: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class RuleFindings:
    """Findings of one rule: what it looks for, what became of them, how many in each site, and the first."""

    id: str
    severity: str
    text: str
    kind: str
    kind_text: str
    reads: str
    cases: tuple[Case, ...]
    n: int
    by_site: tuple[int, ...]
    first: tuple[tuple[str, Issue], ...]


def render_issues(
    view: View,
    spec: Spec,
    log: IssueLog,
    *,
    cut: str,
    templates: Path,
    synthetic: bool,
    lists: str,
    title: str,
) -> str:
    """The page of one view.

    `lists` is the folder of the site lists as the page's links name it.

    Raises
    ------
    ReportError
        If an issue carries an id that is not declared.
    BlindingError
        If an open page would name an arm.
    """
    sites = (*spec.trial.sites, "")
    page = render(
        "issues.html.j2",
        templates,
        view=view,
        mark=MARKS[view],
        title=title,
        synthetic=synthetic,
        trial=spec.trial,
        cut=cut,
        log=log,
        lists=lists,
        sites=[_site(site, spec, log) for site in sites],
        severities=_severities(log, sites),
        rules=_rules(log, spec, sites),
        fields=_described(view, spec),
        n_shown=SHOWN,
        actions=ACTIONS,
    )
    if view == "open":
        check_open_text(page, spec)
    return page


def _described(view: View, spec: Spec) -> frozenset[str]:
    """Fields that the description of this view's tables has an anchor for."""
    tables = [table for table in spec.package.resources if table.audience == view]
    return frozenset(f"{table.name}.{name}" for table in tables for name in table.columns)


def _site(site: str, spec: Spec, log: IssueLog) -> dict[str, Any]:
    name = label(spec, "site", site) if site else NOT_KNOWN
    return {"name": name, "file": f"{site or UNPLACED}.csv", "n": log.sites.count(site)}


def _severities(log: IssueLog, sites: Sequence[str]) -> list[tuple[str, int, list[int]]]:
    """Severity, number of findings, and number in each site."""
    counts = Counter((issue.severity, site) for issue, site in zip(log.issues, log.sites, strict=True))
    rows = [(severity, [counts[severity, site] for site in sites]) for severity in SEVERITIES]
    return [(severity, sum(each), each) for severity, each in rows]


def _rules(log: IssueLog, spec: Spec, sites: Sequence[str]) -> list[RuleFindings]:
    """By severity and id: one id may be a stop in one row and a query in another."""
    site_of = dict(zip(log.issues, log.sites, strict=True))
    groups: dict[tuple[int, str], list[Issue]] = {}
    for issue in by_severity(log.issues):
        groups.setdefault((SEVERITIES.index(issue.severity), issue.rule), []).append(issue)
    return [_findings(groups[key], site_of, spec, sites) for key in sorted(groups)]


def _findings(
    issues: list[Issue], site_of: dict[Issue, str], spec: Spec, sites: Sequence[str]
) -> RuleFindings:
    counts = Counter(site_of[issue] for issue in issues)
    first = tuple(
        (label(spec, "site", site_of[issue]) if site_of[issue] else NOT_KNOWN, issue)
        for issue in issues[:SHOWN]
    )
    return RuleFindings(
        id=issues[0].rule,
        severity=issues[0].severity,
        n=len(issues),
        by_site=tuple(counts[site] for site in sites),
        first=first,
        **_declared(issues[0], spec),
    )


def _declared(issue: Issue, spec: Spec) -> dict[str, Any]:
    """What the declarations say of a rule."""
    if rule := spec.rules.get(issue.rule):
        reads = [f"{rule.table}.{rule.column}", *(each for each in (rule.other, rule.value) if each)]
        return {
            "text": rule.message,
            "kind": rule.kind,
            "kind_text": spec.rule_kinds[rule.kind].text,
            "reads": ", ".join(reads),
            "cases": (Case(when="always", severity=rule.severity, action=rule.action),),
        }
    if finding := spec.findings.get(issue.rule):
        return {
            **{
                "text": finding.text[:1].upper() + finding.text[1:],
                "kind": finding.found,
                "kind_text": "",
                "reads": "",
            },
            "cases": _of_severity(finding.cases, issue.severity),
        }
    raise ReportError(f"rule {issue.rule}: found in the data, but declared in no file of data_spec.")


def _of_severity(cases: Iterable[Case], severity: str) -> tuple[Case, ...]:
    return tuple(case for case in cases if case.severity == severity)

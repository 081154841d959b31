"""Findings as lists for the data managers: one file per site, safe to open in a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple

from analysis.spec.declarations import Spec
from analysis.spec.issue import COLUMNS, Issue
from analysis.spec.outputs import UNPLACED

SEVERITIES = ("stop", "query", "note")
# A cell that begins so is a formula to a spreadsheet, whatever quotes surround it.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def by_severity(issues: Iterable[Issue]) -> list[Issue]:
    """Stops before queries before notes, then in the order of tables and rows."""
    return sorted(issues, key=lambda issue: (SEVERITIES.index(issue.severity), issue))


def site_lists(issues: Sequence[Issue], sites: Sequence[str], spec: Spec) -> Mapping[str, bytes]:
    """Content of the list of each site, and of those whose site cannot be told, by file name."""
    lists: dict[str, list[Issue]] = {site: [] for site in (*spec.trial.sites, "")}
    for issue, site in zip(issues, sites, strict=True):
        lists[site].append(issue)
    return {f"{site or UNPLACED}.csv": _csv(by_severity(found)) for site, found in lists.items()}


def _csv(issues: Iterable[Issue]) -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)
    writer.writerows([_inert(str(cell)) for cell in astuple(issue)] for issue in issues)
    return buffer.getvalue().encode()


def _inert(cell: str) -> str:
    return f"'{cell}" if cell.lstrip(" ").startswith(FORMULA) else cell

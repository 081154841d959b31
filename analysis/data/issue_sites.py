"""The site of a finding: whose data manager has to answer it."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import pandas as pd

from analysis.spec.declarations import Spec
from analysis.spec.issue import Issue

UNKNOWN = ""
FAMILY, CHILD, SITE = "family_id", "child_id", "site"
PLACE = ["source_file", "source_row"]
# The rows of a table in each of the forms it has had, as text.
Rows = Callable[[str], Iterable[pd.DataFrame]]


def issue_sites(
    issues: Sequence[Issue], spec: Spec, *, families: pd.DataFrame, children: pd.DataFrame, rows: Rows
) -> tuple[str, ...]:
    """Code of the site of each issue, empty where it cannot be told.

    The key of an issue names a family or a child; where it does not (a referral, an event, a key that is not
    an id), the row it was found in may, or may name the site itself.

    Parameters
    ----------
    families, children : DataFrame
        Clean tables as text.
    rows : callable
        The rows of a raw table: clean ones, and as they were read. Asked only for tables with an issue whose
        key does not tell.
    """
    of_family = _lookup(families, FAMILY, SITE)
    of_child = {
        child: of_family.get(family, UNKNOWN) for child, family in _lookup(children, CHILD, FAMILY).items()
    }
    known = frozenset(spec.trial.sites)
    found = [_by_key(issue, spec, of_family, of_child) for issue in issues]
    open_tables = dict.fromkeys(issue.table for issue, site in zip(issues, found, strict=True) if not site)
    placed = {name: _by_row(rows(name), of_family, of_child, known) for name in open_tables}
    return tuple(
        site or placed[issue.table].get((issue.source_file, str(issue.source_row)), UNKNOWN)
        for issue, site in zip(issues, found, strict=True)
    )


def _lookup(table: pd.DataFrame, key: str, column: str) -> dict[str, str]:
    return dict(zip(table[key], table[column], strict=True))


def _by_key(issue: Issue, spec: Spec, of_family: Mapping[str, str], of_child: Mapping[str, str]) -> str:
    if issue.table not in spec.table_names():
        return UNKNOWN
    parts = dict(zip(spec.table(issue.table).key, issue.key.split("/"), strict=False))
    return of_family.get(parts.get(FAMILY, ""), "") or of_child.get(parts.get(CHILD, ""), UNKNOWN)


def _by_row(
    frames: Iterable[pd.DataFrame],
    of_family: Mapping[str, str],
    of_child: Mapping[str, str],
    known: frozenset[str],
) -> dict[tuple[str, str], str]:
    """Site by file and line; of several forms of a row the first that tells it."""
    placed: dict[tuple[str, str], str] = {}
    for frame in frames:
        sites = pd.Series(UNKNOWN, index=frame.index)
        ways = [(FAMILY, of_family), (CHILD, of_child), (SITE, {site: site for site in known})]
        for column, lookup in ways:
            if column in frame:
                sites = sites.where(sites != UNKNOWN, frame[column].map(lookup).fillna(UNKNOWN))
        places = zip(*(frame[name].astype(str) for name in PLACE), strict=True)
        for place, site in zip(places, sites, strict=True):
            if site and place not in placed:
                placed[place] = site
    return placed

"""What a data cut left in every table and took from it, by site: counts, and the families and children."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.data.cells import is_missing
from analysis.data.cut import BY_DATE, EMPTIED, RESTATED, WITH_PARENT, AtCut, cut_tables
from analysis.data.issue_sites import UNKNOWN
from analysis.errors import DataError, place_of
from analysis.factors import parts
from analysis.spec.declarations import Spec
from analysis.spec.issue import Issue

ALL = "All"
UNITS = ("families", "children")
REMOVED = ("table", "key", "site", "rule")
NOTHING = pd.DataFrame(columns=list(REMOVED), dtype=object)
COLUMNS = (
    *("table", "site", "rows", "kept", "removed_by_date", "removed_with_parent"),
    *("cells_emptied", "cells_restated", "kept_without_date"),
)
_COUNTED = {
    BY_DATE: "removed_by_date",
    WITH_PARENT: "removed_with_parent",
    EMPTIED: "cells_emptied",
    RESTATED: "cells_restated",
}


@dataclass(frozen=True, slots=True)
class Counted:
    """Tables and findings of a cut, its counts by table and site, and the families and children it took."""

    tables: dict[str, pd.DataFrame]
    issues: list[Issue]
    readout: pd.DataFrame
    removed: pd.DataFrame


def cut_and_count(
    tables: Mapping[str, pd.DataFrame],
    spec: Spec,
    *,
    data_cut: str,
    parents: Mapping[str, pd.DataFrame],
    removed: pd.DataFrame,
) -> Counted:
    """Tables at the cut, and per table and site what was kept, removed and set back.

    A row without the date that would tell is kept as long as its family or child.

    Parameters
    ----------
    tables, data_cut, parents
        As `cut_tables` takes them.
    removed : DataFrame
        Families and children that the cut took from `parents`, as it lists them.
    """
    gone = {name: set(keys) for name, keys in removed.groupby("table")["key"]}
    cut = cut_tables(tables, spec, data_cut=data_cut, parents=parents, gone=gone)
    sites = _sites_of_units({**parents, **tables}, removed)
    lines = []
    for name, text in tables.items():
        counts = _count(name, text, cut, spec, sites)
        known = [*spec.trial.sites, *([UNKNOWN] if counts["rows", UNKNOWN] else [])]
        lines += [(name, site, *(counts[each, site] for each in COLUMNS[2:])) for site in (*known, ALL)]
    readout = pd.DataFrame(lines, columns=list(COLUMNS))
    return Counted(cut.tables, cut.issues, readout, _removed_units(cut.issues, sites))


def read_removed(path: Path | None) -> pd.DataFrame:
    """The families and children that a cut took, as written; none without a file.

    Raises
    ------
    DataError
        If it is not such a list.
    """
    if path is None:
        return NOTHING
    try:
        rows = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (FileNotFoundError, pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise DataError(f"{place_of(path)}: not a file written by this workflow.") from error
    if tuple(rows.columns) != REMOVED:
        raise DataError(f"{place_of(path)}: its columns are not those of what a data cut took.")
    return rows


def _sites_of_units(tables: Mapping[str, pd.DataFrame], removed: pd.DataFrame) -> dict[str, str]:
    """Site by family and by child, those removed by a cut among them."""
    sites = dict(zip(removed["key"], removed["site"], strict=True))
    if "families" in tables:
        sites |= dict(zip(tables["families"]["family_id"], tables["families"]["site"], strict=True))
    if "children" in tables:
        family = _looked_up(tables["children"]["family_id"], sites)
        sites |= dict(zip(tables["children"]["child_id"], family, strict=True))
    return sites


def _removed_units(issues: Iterable[Issue], sites: Mapping[str, str]) -> pd.DataFrame:
    rows = [
        (issue.table, issue.key, sites.get(issue.key, UNKNOWN), issue.rule)
        for issue in sorted(issues)
        if issue.table in UNITS and issue.rule in (BY_DATE, WITH_PARENT)
    ]
    return pd.DataFrame(rows, columns=list(REMOVED), dtype=object)


def _count(
    name: str, text: pd.DataFrame, cut: AtCut, spec: Spec, sites: Mapping[str, str]
) -> Counter[tuple[str, str]]:
    kept, date = cut.tables[name], spec.table(name).cut.date
    undated = kept[is_missing(kept[date])] if date else kept[:0]
    found = {"rows": text, "kept": kept, "kept_without_date": undated}
    counts: Counter[tuple[str, str]] = Counter()
    for what, rows in found.items():
        counts.update({(what, site): n for site, n in _sites(rows, sites).value_counts().items()})
    for rule, site in _sites_of_issues(name, text, cut.issues, sites):
        counts[_COUNTED[rule], site] += 1
    for (what, _), n in list(counts.items()):
        counts[what, ALL] += n
    return counts


def _sites(text: pd.DataFrame, sites: Mapping[str, str]) -> pd.Series:
    """Site of each row: its own, or that of its family or child."""
    found = text["site"].to_numpy(dtype=object) if "site" in text else np.full(len(text), UNKNOWN, object)
    for key in ("family_id", "child_id"):
        if key in text and (unknown := found == UNKNOWN).any():
            found = np.where(unknown, _looked_up(text[key], sites), found)
    return pd.Series(found, index=text.index)


def _looked_up(keys: pd.Series, sites: Mapping[str, str]) -> np.ndarray:
    """Site of each family or child; each distinct one is looked up once."""
    codes, distinct = parts(keys)
    # A row without a key has the number -1, which is the last of these.
    return np.array([*(sites.get(key, UNKNOWN) for key in distinct), UNKNOWN], dtype=object)[codes]


def _sites_of_issues(
    name: str, text: pd.DataFrame, issues: Iterable[Issue], sites: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Rule and site of each finding of a table."""
    here = [issue for issue in issues if issue.table == name]
    if here:
        places = zip(text["source_file"], text["source_row"], strict=True)
        placed = dict(zip(places, _sites(text, sites), strict=True))
        yield from ((issue.rule, placed[issue.source_file, str(issue.source_row)]) for issue in here)

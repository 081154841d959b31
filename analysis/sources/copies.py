"""A file sent twice: a stale copy with a later name would replace what came between."""

from collections.abc import Iterable, Mapping

import pandas as pd

from analysis.factors import plain
from analysis.sources.tabular import SOURCE_COLUMNS
from analysis.spec.issue import Issue

RULE = "S11"


def copies(files: Iterable[str], frames: Mapping[str, pd.DataFrame]) -> dict[str, str]:
    """Files with the rows of an earlier one, each with the name of that."""
    first: dict[tuple, list[str]] = {}
    found = {}
    for file in files:
        alike = first.setdefault((len(frames[file]), *frames[file].columns), [])
        same = [other for other in alike if _hold_the_same(frames[other], frames[file])]
        if same and len(frames[file]):
            found[file] = same[0]
        else:
            alike.append(file)
    return found


def copy_issue(table: str, file: str, original: str) -> Issue:
    """The question to the data manager; no row of the copy is read."""
    message = f"holds the rows of {original} once more, so none of them is read; was another file meant?"
    return Issue(table, file, 1, "", "", RULE, "query", "superseded", message)


def _hold_the_same(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    # Most differ in their first column already.
    first = one.columns[0]
    return sorted(one[first]) == sorted(other[first]) and _content(one).equals(_content(other))


def _content(frame: pd.DataFrame) -> pd.DataFrame:
    """The cells, whatever the order of the rows: another program may have sorted them."""
    cells = plain(frame.drop(columns=list(SOURCE_COLUMNS)))
    return cells.sort_values(list(cells), ignore_index=True)

"""What became known between two cuts: rows that are new or gone, and cells that are not what they were."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis.data.cells import is_missing
from analysis.spec.tables import Table

NEW, GONE, FILLED, EMPTIED, CHANGED = "new", "gone", "filled", "emptied", "changed"
REASON = "reason"  # missing at both cuts, for another reason
COLUMNS = ["table", "key", "field", "kind"]
# Where a row stands in its file is not what it says.
_PLACE = ("source_file", "source_row")


def changes(before: pd.DataFrame, after: pd.DataFrame, table: Table) -> pd.DataFrame:
    """One row per row of a table that is new or gone, and per cell that is not what it was.

    Parameters
    ----------
    before, after : DataFrame
        The table as text, at the earlier and the later cut.
    table : Table
        Its key and fields.

    Returns
    -------
    DataFrame
        Columns `table`, `key` (parts joined by ``/``), `field` (blank of a whole row) and `kind`.
    """
    first, second = (_by_key(text, table) for text in (before, after))
    rows = [
        (key, "", kind)
        for kind, keys in (
            (NEW, second.index.difference(first.index)),
            (GONE, first.index.difference(second.index)),
        )
        for key in keys
    ]
    both = first.index.intersection(second.index)
    first, second = first.loc[both], second.loc[both]
    for name in second.columns:
        rows += [(key, name, kind) for key, kind in _cells(first[name], second[name])]
    found = pd.DataFrame(rows, columns=COLUMNS[1:], dtype=object).assign(table=table.name)
    return found[COLUMNS].sort_values(["key", "field"], kind="stable", ignore_index=True)


def count_changes(found: pd.DataFrame, sizes: Mapping[str, tuple[int, int]]) -> pd.DataFrame:
    """Number of changes by table, field and kind, beside the rows of the table at both cuts.

    A table without a change has one line that says so.
    """
    counts = found.groupby(["table", "field", "kind"], sort=True).size()
    lines = []
    for name, (before, after) in sizes.items():
        here = [(field, kind, int(n)) for (table, field, kind), n in counts.items() if table == name]
        lines += [(name, before, after, *each) for each in here or [("", "none", 0)]]
    return pd.DataFrame(lines, columns=["table", "rows_before", "rows_after", "field", "kind", "n"])


def _by_key(text: pd.DataFrame, table: Table) -> pd.DataFrame:
    keys = ["/".join(parts) for parts in zip(*(text[name] for name in table.key), strict=True)]
    content = [name for name in table.columns if name not in (*table.key, *_PLACE)]
    return text[content].astype(object).set_axis(pd.Index(keys, dtype=object))


def _cells(before: pd.Series, after: pd.Series) -> list[tuple[str, str]]:
    empty, still = is_missing(before).to_numpy(), is_missing(after).to_numpy()
    kinds = np.select([empty & still, empty, still], [REASON, FILLED, EMPTIED], CHANGED)
    differ = np.flatnonzero((before != after).to_numpy())
    return [(after.index[at], str(kinds[at])) for at in differ]

"""What reading an export finds, by the row of the table it concerns."""

from collections.abc import Iterable

import pandas as pd

from analysis.spec.issue import Issue
from analysis.spec.rules import Severity
from analysis.spec.tables import MISSING_MARK, Table


def findings_at(
    rows: pd.DataFrame,
    table: Table,
    at: pd.Series,
    *,
    field: str,
    rule: str,
    severity: Severity,
    action: str,
    message: str,
) -> Iterable[Issue]:
    """One finding for each row that `at` marks; a part of its key that is no id is hidden."""
    found = rows[at]
    parts = [_shown(found[name], table.field(name).constraints.pattern) for name in table.key]
    places = zip(found["source_file"], found["source_row"].astype(int), *parts, strict=True)
    for file, row, *key in places:
        yield Issue(table.name, file, row, "/".join(key), field, rule, severity, action, message)


def _shown(cells: pd.Series, pattern: str | None) -> pd.Series:
    hidden = (cells == "") | cells.str.startswith(MISSING_MARK)
    if pattern:
        hidden |= ~cells.str.fullmatch(pattern).astype(bool)
    return cells.mask(hidden, "?")

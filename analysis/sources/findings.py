"""What reading an export finds, by the row of the table it concerns."""

from collections.abc import Iterable

import pandas as pd

from analysis.sources.request import Request
from analysis.spec.issue import Issue, shown_part
from analysis.spec.rules import Severity


def findings_at(
    rows: pd.DataFrame,
    request: Request,
    at: pd.Series,
    *,
    field: str,
    rule: str,
    severity: Severity,
    action: str,
    message: str,
) -> Iterable[Issue]:
    """One finding for each row that `at` marks; a part of its key that may be a name is hidden."""
    found, table = rows[at], request.table
    parts = [_shown(found[name], name, request) for name in table.key]
    places = zip(found["source_file"], found["source_row"].astype(int), *parts, strict=True)
    for file, row, *key in places:
        yield Issue(table.name, file, row, "/".join(key), field, rule, severity, action, message)


def _shown(cells: pd.Series, name: str, request: Request) -> pd.Series:
    field = request.table.field(name)
    codes = request.spec.codes_of(field.codelist) if field.codelist else None
    return cells.map({cell: shown_part(cell, field, codes) for cell in cells.unique()})

"""What reading an export finds, by the row of the table it concerns."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import pandas as pd

from analysis.factors import each_distinct
from analysis.sources.request import Request
from analysis.spec.declarations import Spec
from analysis.spec.issue import HIDDEN, Issue, shown_part
from analysis.spec.rules import Severity
from analysis.spec.tables import Field, Table


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
    if not at.any():
        return
    found, table = rows[at], request.table
    parts = _key_parts(found, table, request.spec)
    places = zip(found["source_file"], found["source_row"].astype(int), *parts, strict=True)
    for file, row, *key in places:
        yield Issue(table.name, file, row, "/".join(key), field, rule, severity, action, message)


def with_keys(issues: Iterable[Issue], tables: Mapping[str, pd.DataFrame], spec: Spec) -> Iterator[Issue]:
    """Findings made by row of a file, each with the key that the row has in its table, if it is there."""
    by_table: dict[str, list[Issue]] = {}
    for issue in issues:
        by_table.setdefault(issue.table, []).append(issue)
    for name, found in by_table.items():
        table = spec.table(name)
        rows = tables[name]
        rows = rows[rows["source_row"].isin({str(issue.source_row) for issue in found})]
        keys = zip(*_key_parts(rows, table, spec), strict=True)
        places = zip(rows["source_file"], rows["source_row"].astype(int), strict=True)
        known = {place: "/".join(key) for place, key in zip(places, keys, strict=True)}
        for issue in found:
            yield replace(issue, key=known.get((issue.source_file, issue.source_row), HIDDEN))


def _key_parts(rows: pd.DataFrame, table: Table, spec: Spec) -> list[pd.Series]:
    """The parts of each row's key; one that may be a name is hidden."""
    return [_shown(rows[name], table.field(name), spec) for name in table.key]


def _shown(cells: pd.Series, field: Field, spec: Spec) -> pd.Series:
    codes = spec.codes_of(field.codelist) if field.codelist else None
    return each_distinct(cells, lambda cell: shown_part(cell, field, codes))

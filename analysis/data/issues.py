"""What was found in the data: one row per finding, for the data manager and for the stop."""

from collections.abc import Iterable
from operator import attrgetter
from pathlib import Path

import pandas as pd

from analysis.errors import DataError
from analysis.spec.declarations import Spec
from analysis.spec.issue import COLUMNS, Issue, shown_part
from analysis.spec.rules import Severity
from analysis.spec.tables import Table

SHOWN = 5


def issues_at(
    text: pd.DataFrame,
    table: Table,
    rows: Iterable[int],
    *,
    field: str,
    rule: str,
    severity: Severity,
    action: str,
    message: str,
    spec: Spec | None = None,
) -> list[Issue]:
    """One issue for each row position; `spec` is needed where the cells of its key are not checked yet."""
    rows = list(rows)
    if not rows:
        return []
    at = text[["source_file", "source_row", *table.key]].iloc[rows].astype(object)
    keys = _keys(at, table, spec)
    places = zip(at["source_file"], at["source_row"].astype(int), keys, strict=True)
    return [Issue(table.name, *place, field, rule, severity, action, message) for place in places]


def as_frame(issues: Iterable[Issue]) -> pd.DataFrame:
    """Issues as a table, sorted."""
    return pd.DataFrame(map(attrgetter(*COLUMNS), sorted(issues)), columns=list(COLUMNS))


def stop_if_any(issues: Iterable[Issue]) -> None:
    """Raise `DataError` naming file, row and rule when an issue is severe enough to stop the run.

    As many sentences as are still read, in the order of the checks: a cause stands before what follows.
    """
    if lines := stop_lines(issues):
        more = f" And {len(lines) - SHOWN} other findings that stop the run." if len(lines) > SHOWN else ""
        raise DataError(" ".join(lines[:SHOWN]) + more)


def stop_lines(issues: Iterable[Issue]) -> list[str]:
    """What stops the run, one sentence per rule and file, in the order of the findings."""
    rows: dict[tuple[str, str], list[int]] = {}
    for issue in issues:
        if issue.severity == "stop":
            where = f" ({issue.table}.{issue.field})" if issue.field else ""
            finding = f"rule {issue.rule}{where}: {issue.message}"
            rows.setdefault((issue.source_file, finding), []).append(issue.source_row)
    return [_sentence(file, finding, each) for (file, finding), each in rows.items()]


def _sentence(file: str, finding: str, rows: list[int]) -> str:
    # A finding of a file as a whole has no row.
    row = f", row {min(rows)}" if min(rows) else ""
    return f"{file}{row}, {finding}{f' (more such rows: {len(rows) - 1})' if rows[1:] else ''}."


def _keys(rows: pd.DataFrame, table: Table, spec: Spec | None) -> list[str]:
    """Keys for the data manager; a part that is missing or not what it should be is hidden."""
    parts = []
    for name in table.key:
        field = table.field(name)
        codes = spec.codes_of(field.codelist) if spec and field.codelist else None
        shown = {cell: shown_part(cell, field, codes) for cell in rows[name].unique()}
        parts.append(rows[name].map(shown))
    return ["/".join(each) for each in zip(*parts, strict=True)]


def count_issues(folders: Iterable[Path]) -> list[tuple[str, str, str, int]]:
    """Number of issues in all tables by rule, severity and message, from the files that cleaning wrote."""
    files = [path for folder in folders for path in sorted(folder.glob("*.csv"))]
    frames = [pd.read_csv(path, dtype=str, keep_default_na=False, na_filter=False) for path in files]
    issues = pd.concat([as_frame(()).astype(str), *frames], ignore_index=True)
    counts = issues.groupby(["rule", "severity", "message"]).size()
    return [(*(str(part) for part in key), int(n)) for key, n in counts.items()]

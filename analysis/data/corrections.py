"""Signed corrections: the only way a value is changed to another value."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.data.issues import issues_at
from analysis.errors import DataError
from analysis.factors import put
from analysis.spec.base import is_iso_day
from analysis.spec.declarations import Spec
from analysis.spec.issue import Issue
from analysis.spec.tables import Table

COLUMNS = ("table", "key", "field", "old", "new", "reason", "initials", "date")
PROVENANCE = frozenset({"source_file", "source_row"})
OUTLIVED = (
    "the row does not exist, its value is no longer the old one, or several records fit; withdraw or renew "
    "the correction"
)
TWICE = "this value is corrected in an earlier row; keep one of them"


def read_corrections(path: Path | None, spec: Spec) -> pd.DataFrame:
    """The list of corrections; empty when there is no file.

    Raises
    ------
    DataError
        Naming the row whose table or field is not declared or not open, or which is not signed (reason,
        initials, date).
    """
    if path is None:
        return pd.DataFrame(columns=list(COLUMNS), dtype=object)
    frame = _read(path)
    frame.attrs["file"] = path.name
    if tuple(frame.columns) != COLUMNS:
        raise DataError(f"{path.name}, row 1: the columns must be {', '.join(COLUMNS)}.")
    # A correction of a closed table would carry its secret into a list that everybody reads.
    tables = {name: spec.table(name) for name in spec.table_names(layer="raw", audience="open")}
    for row, line in enumerate(frame.itertuples(index=False), start=2):
        if line.table not in tables or line.field not in set(tables[line.table].columns) - PROVENANCE:
            raise DataError(f"{path.name}, row {row}, rule K01: no such open table and field.")
        if not (line.reason.strip() and line.initials.strip() and is_iso_day(line.date)):
            raise DataError(
                f"{path.name}, row {row}, rule K02: a correction needs a reason, initials and an ISO date."
            )
    return frame


def correct(text: pd.DataFrame, table: Table, corrections: pd.DataFrame) -> tuple[pd.DataFrame, list[Issue]]:
    """The table with its corrections applied, each noted.

    A correction finds its rows by key and old value, so that one of two rows under the same key can be
    corrected; a record that stands twice is corrected twice. A line is not applied, and stops the run, if its
    row does not exist, its old value no longer matches or several records fit (K03), or if an earlier line
    corrects the same value (K04).
    """
    mine = corrections[corrections["table"] == table.name]
    if mine.empty:
        return text, []
    corrected, issues = text.copy(), []
    keys = np.array(["/".join(key) for key in text[list(table.key)].to_numpy()], dtype=object)
    twice = mine.duplicated(["key", "field", "old"])
    for row, line, again in zip(mine.index + 2, mine.itertuples(index=False), twice, strict=True):
        at = np.flatnonzero((keys == line.key) & (text[line.field] == line.old).to_numpy())
        if again:
            issues.append(_refused(corrections, row, line, "K04", TWICE))
        elif len(text.iloc[at].drop(columns=list(PROVENANCE)).drop_duplicates()) != 1:
            issues.append(_refused(corrections, row, line, "K03", OUTLIVED))
        else:
            corrected[line.field] = put(corrected[line.field], at, line.new)
            issues += _applied(corrected, table, at, line.field)
    return corrected, issues


def _applied(corrected: pd.DataFrame, table: Table, at: np.ndarray, field: str) -> list[Issue]:
    message = "corrected as signed in the list of corrections"
    what = {"rule": "K00", "severity": "note", "action": "corrected", "message": message}
    return issues_at(corrected, table, at, field=field, **what)


def _refused(corrections: pd.DataFrame, row: int, line: Any, rule: str, message: str) -> Issue:
    """The list's own words may be a participant's values, so the line is told by its number alone."""
    file = corrections.attrs.get("file", "corrections")
    return Issue(line.table, file, row, "?", line.field, rule, "stop", "keep", message)


def _read(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False, na_filter=False, encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"{path.name}: cannot be read ({error.strerror}).") from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise DataError(f"{path.name}: not a list of corrections in comma-separated UTF-8 text.") from error

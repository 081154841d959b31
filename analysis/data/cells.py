"""Checks of single cells against the schema: one implementation for raw data and for any table written."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from analysis.spec.declarations import Spec
from analysis.spec.tables import MISSING_MARK, Field, Table

SHOWN = 12  # codes listed in a message
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
INTEGER = re.compile(r"[+-]?\d{1,15}", re.ASCII)
# The lifetime of anybody in the trial. Years such as 1900 and 2999 are placeholders in every system.
DATE = re.compile(r"(19(?!00)|20)\d\d-\d\d-\d\d", re.ASCII)


@dataclass(frozen=True, slots=True)
class Problem:
    """Rows (positions) whose cell in one field breaks one rule."""

    rule: str
    field: str
    message: str
    rows: np.ndarray


def is_missing(cells: pd.Series) -> pd.Series:
    """Which cells are empty or hold a reason instead of a value."""
    # Distinct cells are few, so each is looked at once.
    return cells.isin([cell for cell in cells.unique() if not cell or cell.startswith(MISSING_MARK)])


def cell_problems(text: pd.DataFrame, table: Table, spec: Spec) -> Iterator[Problem]:
    """Problems of all cells by field: S04 type, S05 code, S06 range or pattern, S07 required but empty."""
    if text.empty:
        return
    for field in table.fields:
        cells = text[field.name]
        missing = is_missing(cells)
        yield from _found("S07", field, "a required value is missing", missing & field.required)
        reasons = MISSING_MARK + pd.Series(sorted(spec.package.reasons))
        unknown = missing & (cells != "") & ~cells.isin(reasons)
        yield from _found("S05", field, "not a declared reason for a missing value", unknown)
        readable = cells.map({cell: _readable(cell, field.type) for cell in cells.unique()})
        wrong_type = ~missing & ~readable
        yield from _found("S04", field, f"not a valid {field.type}", wrong_type)
        yield from _limits(field, cells, ~missing & ~wrong_type, spec)


def _limits(field: Field, cells: pd.Series, present: pd.Series, spec: Spec) -> Iterator[Problem]:
    if field.codelist:
        codes = list(spec.codes[field.codelist])
        allowed = f"{', '.join(codes[:SHOWN])}{' ...' * (len(codes) > SHOWN)}"
        message = f"not in code list {field.codelist}; allowed: {allowed}"
        yield from _found("S05", field, message, present & ~cells.isin(codes))
    limits = field.constraints
    if limits.pattern:
        matches = cells.str.fullmatch(limits.pattern).astype(bool)
        yield from _found("S06", field, f"does not have the form {limits.pattern}", present & ~matches)
    if limits.minimum is not None or limits.maximum is not None:
        low = -np.inf if limits.minimum is None else limits.minimum
        high = np.inf if limits.maximum is None else limits.maximum
        inside = cells.where(present, None).astype(float).between(low, high)
        yield from _found("S06", field, f"outside {low:g} to {high:g}", present & ~inside)


def _found(rule: str, field: Field, message: str, bad: pd.Series) -> Iterator[Problem]:
    if bad.any():
        yield Problem(rule, field.name, message, np.flatnonzero(bad.to_numpy()))


def _readable(cell: str, kind: str) -> bool:
    if kind == "number":
        return NUMBER.fullmatch(cell) is not None and math.isfinite(float(cell))
    if kind == "integer":
        return INTEGER.fullmatch(cell) is not None
    if kind == "boolean":
        return cell in ("true", "false")
    if kind == "date":
        return DATE.fullmatch(cell) is not None and _is_day(cell)
    return True


def _is_day(cell: str) -> bool:
    try:
        date.fromisoformat(cell)
    except ValueError:
        return False
    return True

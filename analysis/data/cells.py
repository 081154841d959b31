"""Checks of single cells against the schema: one implementation for raw data and for any table written."""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial

import numpy as np
import pandas as pd

from analysis.factors import as_lines, parts
from analysis.spec.declarations import Spec
from analysis.spec.tables import MISSING_MARK, Field, Table

SHOWN = 12  # codes listed in a message
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
INTEGER = re.compile(r"[+-]?\d{1,15}", re.ASCII)
# A spreadsheet runs a cell that begins so. Numbers are of their own type, and codes are ours.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
# The same of all cells, one a line.
INTEGERS = re.compile(rf"\n(?:{INTEGER.pattern}\n)*+", re.ASCII)
FORMULAS = re.compile(rf"\n[{re.escape(''.join(FORMULA_STARTS).replace(chr(10), ''))}]")
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
    codes, distinct = parts(cells)
    return pd.Series(are_missing(distinct)[codes], index=cells.index)


def are_missing(distinct: np.ndarray) -> np.ndarray:
    """The same of cells that do not come again."""
    # Most columns have none, as one look at all cells tells.
    text = as_lines(distinct)
    if "\n\n" not in text and f"\n{MISSING_MARK}" not in text:
        return np.zeros(len(distinct), dtype=bool)
    return np.array([not cell or cell[0] == MISSING_MARK for cell in distinct], dtype=bool)


def cell_problems(text: pd.DataFrame, table: Table, spec: Spec) -> Iterator[Problem]:
    """Problems of all cells by field: S04 type, S05 code, S06 range or pattern, S07 required but empty."""
    if text.empty:
        return
    for field in table.fields:
        codes, distinct = parts(text[field.name])
        for rule, message, bad in _judged(distinct, field, spec):
            if bad.any() and bad[codes].any():
                yield Problem(rule, field.name, message, np.flatnonzero(bad[codes]))


def _judged(cells: np.ndarray, field: Field, spec: Spec) -> Iterator[tuple[str, str, np.ndarray]]:
    """Rule, message, and which of the distinct cells of a field break it."""
    missing = are_missing(cells)
    if missing.any():
        yield "S07", "a required value is missing", missing & field.required
        reasons = {"", *(MISSING_MARK + reason for reason in spec.package.reasons)}
        unknown = missing & ~_each(reasons.__contains__, cells)
        yield "S05", "not a declared reason for a missing value", unknown
    readable = _are_readable(cells, field.type)
    yield "S04", f"not a valid {field.type}", ~missing & ~readable
    yield from _limits(field, cells, ~missing & readable, spec)


def _limits(
    field: Field, cells: np.ndarray, present: np.ndarray, spec: Spec
) -> Iterator[tuple[str, str, np.ndarray]]:
    if field.codelist:
        codes = spec.codes[field.codelist]
        allowed = f"{', '.join(list(codes)[:SHOWN])}{' ...' * (len(codes) > SHOWN)}"
        message = f"not in code list {field.codelist}; allowed: {allowed}"
        yield "S05", message, present & ~_each(codes.__contains__, cells)
    limits = field.constraints
    if limits.pattern:
        matches = _each(re.compile(limits.pattern).fullmatch, cells)
        yield "S06", f"does not have the form {limits.pattern}", present & ~matches
        present = present & matches
    if field.type == "string" and not field.codelist:
        yield "S06", "begins like a formula of a spreadsheet", present & _are_formulas(cells)
    if limits.minimum is not None or limits.maximum is not None:
        low = -np.inf if limits.minimum is None else limits.minimum
        high = np.inf if limits.maximum is None else limits.maximum
        numbers = np.where(present, cells, np.nan).astype(float)
        yield "S06", f"outside {low:g} to {high:g}", present & ~((low <= numbers) & (numbers <= high))


def _are_formulas(cells: np.ndarray) -> np.ndarray:
    lines = as_lines(cells)
    if not FORMULAS.search(lines) and lines.count("\n") == len(cells) + 1:
        return np.zeros(len(cells), dtype=bool)
    return _each(lambda cell: cell.startswith(FORMULA_STARTS), cells)


def _each(holds: Callable[[str], object], cells: np.ndarray) -> np.ndarray:
    return np.fromiter(map(holds, cells), dtype=bool, count=len(cells))


def _are_readable(cells: np.ndarray, kind: str) -> np.ndarray:
    # Line numbers are many, so that all are read at a stroke.
    if kind == "string" or (kind == "integer" and _are_integers(cells)):
        return np.ones(len(cells), dtype=bool)
    return _each(partial(_readable, kind=kind), cells)


def _are_integers(cells: np.ndarray) -> bool:
    lines = as_lines(cells)
    return INTEGERS.fullmatch(lines) is not None and lines.count("\n") == len(cells) + 1


def _readable(cell: str, kind: str) -> bool:
    if kind == "number":
        return NUMBER.fullmatch(cell) is not None and math.isfinite(float(cell))
    if kind == "integer":
        return INTEGER.fullmatch(cell) is not None
    if kind == "boolean":
        return cell in ("true", "false")
    return DATE.fullmatch(cell) is not None and _is_day(cell)


def _is_day(cell: str) -> bool:
    try:
        date.fromisoformat(cell)
    except ValueError:
        return False
    return True

"""Cells of an export as text, column by column, and the bytes of its file."""

import codecs
import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache

import numpy as np

from analysis.synth.families import NO_DATE, days

FIRST_DAY, LAST_DAY = date(1990, 1, 1), date(2049, 12, 31)
ISO, SLASHES, DOTS = "%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y"


@dataclass(slots=True)
class Sheet:
    """One file: its columns in order, and how it is written. Mutable, because dirt is put into it.

    `n_later` rows follow that are made apart, for a file too long to be held; `extra` rows end the file.
    """

    columns: dict[str, list[str]]
    delimiter: str = ","
    encoding: str = "utf-8"
    has_mark: bool = False
    n_later: int = 0
    extra: list[list[str]] = field(default_factory=list)

    @property
    def n_rows(self) -> int:
        return len(next(iter(self.columns.values())))

    def row(self, line: int) -> list[str]:
        """The cells of a line of the file; the header is line 1."""
        return [cells[line - 2] for cells in self.columns.values()]


def encode(sheet: Sheet, later: Iterable[Sheet] = ()) -> bytes:
    """The file: byte-order mark, header, rows, the later parts, the extra rows."""
    parts = [codecs.BOM_UTF8 if sheet.has_mark else b"", encode_rows(sheet, [list(sheet.columns)])]
    parts += [encode_rows(each, zip(*each.columns.values(), strict=True)) for each in (sheet, *later)]
    return b"".join([*parts, encode_rows(sheet, sheet.extra)])


def encode_rows(sheet: Sheet, rows: Iterable[Sequence[str]]) -> bytes:
    """Rows in the sheet's delimiter and encoding."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=sheet.delimiter, lineterminator="\n").writerows(rows)
    return buffer.getvalue().encode(sheet.encoding)


def coded(labels: Sequence[str], index: np.ndarray) -> np.ndarray:
    """Labels by position; -1 is an empty cell."""
    return np.array([*labels, ""], dtype=object)[index]


def dated(day: np.ndarray, style: str) -> np.ndarray:
    """Dates in one style; `NO_DATE` is an empty cell."""
    return _calendar(style)[np.where(day == NO_DATE, -1, day - days(FIRST_DAY))]


def numbered(value: np.ndarray, decimals: int = 0, *, missing: np.ndarray | None = None) -> np.ndarray:
    """Numbers from 0 up with fixed decimals; NaN, a negative one or one marked `missing` is an empty cell."""
    steps = np.rint(np.nan_to_num(value, nan=-1.0) * 10**decimals).astype(np.int64)
    steps = np.where((steps < 0) | (missing if missing is not None else False), -1, steps)
    # One table for many lengths: the next power of two.
    return _numbers(decimals, 1 << int(steps.max(initial=1)).bit_length())[steps]


def flagged(value: np.ndarray) -> np.ndarray:
    """Yes and no as 1 and 0."""
    return coded(("0", "1"), np.asarray(value).astype(np.int64))


def identifiers(prefix: str, n: int) -> np.ndarray:
    """Identifiers 1 to `n`, all of one length."""
    width = max(4, len(str(n)))
    return np.array([f"{prefix}{number:0{width}d}" for number in range(1, n + 1)], dtype=object)


@cache
def _calendar(style: str) -> np.ndarray:
    n = (LAST_DAY - FIRST_DAY).days + 1
    return np.array(
        [*((FIRST_DAY + timedelta(offset)).strftime(style) for offset in range(n)), ""], dtype=object
    )


@cache
def _numbers(decimals: int, last: int) -> np.ndarray:
    return np.array([*(f"{step / 10**decimals:.{decimals}f}" for step in range(last + 1)), ""], dtype=object)

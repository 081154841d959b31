"""The cells of one file as text: what every reader of a format gives back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from analysis.errors import SourceError

# Cells of one file: far above any export of a trial, and about as many as fit in the memory of a laptop.
MOST_CELLS = 50_000_000


@dataclass(frozen=True, slots=True)
class Text:
    """The cells of one file by column, `columns` from its header; `lines[k]` is where the k-th row begins.

    In a workbook it is the row of the sheet; in a file without lines the names of the columns count as the
    first. `labels` holds, by column, the label of each code; `missing`, by column, the codes that the file
    itself says are missing values. Both are empty where a format has no such thing.
    """

    file: str
    columns: tuple[str, ...]
    cells: tuple[Sequence[str], ...]
    lines: tuple[int, ...]
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    missing: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of_rows(
        cls,
        file: str,
        columns: tuple[str, ...],
        rows: Sequence[Sequence[str]],
        lines: tuple[int, ...],
        labels: Mapping[str, Mapping[str, str]] | None = None,
        missing: Mapping[str, tuple[str, ...]] | None = None,
    ) -> Self:
        """The cells of a file that is read row by row."""
        cells = tuple(zip(*rows, strict=True)) or ((),) * len(columns)
        return cls(file, columns, cells, lines, labels or {}, missing or {})

    @property
    def rows(self) -> tuple[tuple[str, ...], ...]:
        """The same cells by row."""
        return tuple(zip(*self.cells, strict=True))


def from_columns(
    file: str,
    columns: Mapping[str, Sequence[str]],
    labels: Mapping[str, Mapping[str, str]] | None = None,
    missing: Mapping[str, tuple[str, ...]] | None = None,
) -> Text:
    """The cells of a file that is kept by columns, all of one length."""
    cells = tuple(columns.values())
    n_rows = len(cells[0]) if cells else 0
    return Text(file, tuple(columns), cells, _lines(n_rows), labels or {}, missing or {})


def from_observations(file: str, columns: Sequence[str], rows: Iterable[tuple[str, ...]]) -> Text:
    """The cells of a file that is kept by observations."""
    rows = tuple(rows)
    return Text.of_rows(file, tuple(columns), rows, _lines(len(rows)))


def _lines(n: int) -> tuple[int, ...]:
    return tuple(range(2, n + 2))


def check_size(n_rows: int, n_columns: int, *, file: str) -> None:
    """Raise `SourceError` before a file that declares an absurd size is read."""
    if n_rows * n_columns > MOST_CELLS:
        raise SourceError(f"{file}: declares more than {MOST_CELLS:,} cells; not an export of a trial.")

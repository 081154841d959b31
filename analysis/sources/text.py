"""The cells of one file as text: what every reader of a format gives back."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from analysis.errors import SourceError

# Cells of one file: far above any export of a trial, and about as many as fit in the memory of a laptop.
MOST_CELLS = 50_000_000


@dataclass(frozen=True, slots=True)
class Text:
    """The cells of one file: `columns` from its header, `lines[k]` the line on which `rows[k]` begins.

    In a file without lines it is the row of the sheet, or the number of the observation. `labels` holds, by
    column, the label of each code; `missing`, by column, the codes that the file itself says are missing
    values. Both are empty where a format has no such thing.
    """

    file: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    missing: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def check_size(n_rows: int, n_columns: int, *, file: str) -> None:
    """Raise `SourceError` before a file that declares an absurd size is read."""
    if n_rows * n_columns > MOST_CELLS:
        raise SourceError(f"{file}: declares more than {MOST_CELLS:,} cells; not an export of a trial.")

"""The hand that spoils a sheet: it picks rows not yet touched and keeps the list of what it did."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import NamedTuple, Self

import numpy as np

from analysis.synth.sheets import Sheet


class Spot(NamedTuple):
    """One corrupted cell, or row or file where `column` is empty.

    `correct` is what cleaning can restore; None must end as missing, flagged or set aside.
    """

    file: str
    line: int
    column: str
    kind: str
    correct: str | None


class Row:
    """The cells of one row by column name, without copying the row."""

    __slots__ = ("at", "columns")

    def __init__(self, columns: dict[str, list[str]], at: int) -> None:
        self.columns, self.at = columns, at

    def __getitem__(self, name: str) -> str:
        return self.columns[name][self.at]


Condition = Callable[[Row], bool]


@dataclass(slots=True)
class Hand:
    """Sheets being spoiled, the spots so far, and the rows already touched."""

    sheets: dict[str, Sheet]
    generator: np.random.Generator
    data_cut: date
    spots: list[Spot] = field(default_factory=list)
    touched: set[tuple[str, int]] = field(default_factory=set)

    def with_numbers(self, generator: np.random.Generator) -> Self:
        """The same sheets, spots and touched rows, with other random numbers."""
        return replace(self, generator=generator)

    def lines(self, file: str, n: int, fits: Condition) -> list[int]:
        """Up to `n` untouched lines of a file whose cells fit, at random, each then taken."""
        sheet = self.sheets[file]
        found = [
            at + 2
            for at in range(sheet.n_rows)
            if fits(Row(sheet.columns, at)) and (file, at + 2) not in self.touched
        ]
        chosen = [found[at] for at in np.sort(self.generator.permutation(len(found))[:n])]
        self.touched |= {(file, line) for line in chosen}
        return chosen

    def cell(self, file: str, line: int, column: str) -> str:
        return self.sheets[file].columns[column][line - 2]

    def put(self, file: str, line: int, column: str, value: str, kind: str, correct: str | None) -> None:
        """Write one cell and note it."""
        self.sheets[file].columns[column][line - 2] = value
        self.spots.append(Spot(file, line, column, kind, correct))

    def append(self, file: str, row: list[str], kind: str) -> None:
        """Add a row at the end of a file and note it."""
        sheet = self.sheets[file]
        sheet.extra.append(row)
        line = 1 + sheet.n_rows + sheet.n_later + len(sheet.extra)
        self.spots.append(Spot(file, line, "", kind, None))

    def spoil(
        self,
        file: str,
        column: str,
        n: int,
        kind: str,
        change: Callable[[str], str],
        fits: Condition,
        *,
        restorable: bool,
    ) -> None:
        """Change the cell of one column in up to `n` fitting rows where it is filled in."""
        for line in self.lines(file, n, lambda row: row[column] != "" and fits(row)):
            clean = self.cell(file, line, column)
            self.put(file, line, column, change(clean), kind, clean if restorable else None)

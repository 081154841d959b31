"""How a file is written, and what every kind of export declares of a table that is read from it."""

import re
from datetime import date, datetime
from itertools import permutations
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from analysis.spec.base import Declaration, Name
from analysis.spec.declarations import Spec


def _known_encoding(name: str) -> str:
    try:
        "".encode(name)  # refuses what is no encoding of text: base64, zip
    except LookupError as error:
        raise ValueError("not an encoding of text that Python knows") from error
    return name


def _separates(mark: str) -> str:
    if mark in '\r\n\0"':
        raise ValueError("not a mark that can separate cells")
    return mark


def _inside(pattern: str) -> str:
    """A path that stays below the raw folder."""
    if re.match(r"[/\\]|[A-Za-z]:", pattern) or ".." in re.split(r"[/\\]", pattern):
        raise ValueError("not a path or pattern below the raw folder")
    return pattern


InsidePath = Annotated[Name, AfterValidator(_inside)]
# Days of which no part can be taken for another by chance of its size.
_PROBES = (date(2011, 10, 9), date(2008, 7, 6))


def _one_reading(formats: tuple[str, ...]) -> tuple[str, ...]:
    for written, read in permutations(formats, 2):
        for day in _PROBES:
            try:
                other = datetime.strptime(f"{day:{written}}", read).date()
            except ValueError:
                continue
            if other != day:
                raise ValueError(f"{written} and {read} read one text as two days; keep one of them")
    return formats


# What each format needs to be told; whatever else a file is, it says itself.
FORMAT_KEYS = {
    "delimited": frozenset({"delimiter", "encoding", "decimal"}),
    "excel": frozenset({"sheet"}),
    "stata": frozenset({"cells"}),
    "spss": frozenset({"cells"}),
    "sas7bdat": frozenset(),
    "xport": frozenset({"encoding"}),
    "parquet": frozenset(),
}
OPTIONAL_KEYS = {"excel": frozenset({"ignore_sheets"})}
ISO_DAY = "%Y-%m-%d"


class Dialect(Declaration):
    """How a file is written: its format, what that format needs to be told, and the forms of dates in text.

    A date is in any of the forms `dates`, of which no text fits two. What a format knows for a date arrives
    in ISO form. `cells` says whether a cell with a value label is its code or its label.
    """

    format: Literal["delimited", "excel", "stata", "spss", "sas7bdat", "xport", "parquet"] = "delimited"
    delimiter: Annotated[str, Field(min_length=1, max_length=1), AfterValidator(_separates)] = ","
    encoding: Annotated[str, AfterValidator(_known_encoding)] = "utf-8-sig"
    decimal: Literal[".", ","] = "."
    sheet: str = ""
    ignore_sheets: tuple[Name, ...] = ()
    cells: Literal["codes", "labels"] = "codes"
    dates: Annotated[tuple[str, ...], AfterValidator(_one_reading)]

    @model_validator(mode="after")
    def _keys_of_the_format(self) -> Self:
        needed = FORMAT_KEYS[self.format]
        given = self.model_fields_set - {"format", "dates"}
        if absent := sorted(needed - given):
            raise ValueError(f"format {self.format} needs {', '.join(absent)}")
        if unread := sorted(given - needed - OPTIONAL_KEYS.get(self.format, frozenset())):
            raise ValueError(f"format {self.format} does not read {', '.join(unread)}")
        if self.format != "delimited":
            _one_reading((*self.dates, ISO_DAY))
        return self


class SourceBase(Declaration):
    """One table read from one file, or from every file of a pattern; each kind of export adds to it."""

    kind: str
    table: str
    files: InsidePath
    dialect: str
    columns: dict[str, str]
    constants: dict[str, str] = {}
    values: dict[str, dict[str, str]] = {}
    missing: dict[str, dict[str, str]] = {}
    where: dict[str, tuple[str, ...]] = {}
    unless_blank: tuple[str, ...] = ()
    latest_by: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    @property
    def read_columns(self) -> frozenset[str]:
        """Columns of the file that this entry uses or knowingly leaves."""
        used = (*self.columns.values(), *self.where, *self.unless_blank, *self.latest_by)
        return frozenset([*used, *self.ignore])

    @property
    def given(self) -> tuple[str, ...]:
        """Our fields that the entry fills."""
        return (*self.columns, *self.constants)

    @property
    def selection(self) -> dict[str, tuple[str, ...]]:
        """Columns whose values say which rows of a file are the entry's; a file need not have all of them."""
        return self.where

    @property
    def has_codes(self) -> bool:
        """Whether cells are codes, as `values` has them, and not labels that a dictionary translates."""
        return True

    @property
    def leaves(self) -> dict[str, tuple[str, ...]]:
        """Columns with the values of rows that no table needs."""
        return {}

    @property
    def makes(self) -> frozenset[str]:
        """Our fields that the reader makes of others, so that nothing is mapped to them."""
        return frozenset()

    @property
    def needs(self) -> frozenset[str]:
        """Fields that it makes them of, beside the table's own."""
        return frozenset()

    @property
    def is_joined_by_reader(self) -> bool:
        """Whether the reader tells by their content which of several files' rows count."""
        return False

    @property
    def may_be_xml(self) -> bool:
        """Whether a file ending in ``.xml`` is the same export in another form."""
        return False

    @property
    def read_against(self) -> str | None:
        """The table that must have been read before this one."""
        return None

    def origin(self, name: str) -> str:
        """Where one of our fields comes from, in words; empty where the entry does not fill it."""
        if name in self.columns:
            return self.columns[name]
        return f"always {self.constants[name]}" if name in self.constants else ""

    def check(self, spec: Spec, *, where: str) -> None:
        """Raise `SpecError` where what only this kind declares does not fit the trial's declarations."""

    @model_validator(mode="after")
    def _one_origin_each(self) -> Self:
        if twice := sorted({name for name in self.given if self.given.count(name) > 1}):
            raise ValueError(f"{self.table}: filled in more than one way: {', '.join(twice)}")
        return self

    @property
    def companion_columns(self) -> dict[str, frozenset[str]]:
        """The columns of those among `companions` that are lists of data, by what each is for."""
        return {}

    @property
    def companions(self) -> dict[str, str]:
        """Files read beside those of `files`: what each is for, and its path below the raw folder."""
        return {}

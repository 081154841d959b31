"""How an export becomes raw tables: a mapping is data, one file per kind of export."""

import codecs
from datetime import date, datetime
from itertools import permutations
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from analysis.spec.base import Declaration, Name


def _known_encoding(name: str) -> str:
    try:
        codecs.lookup(name)
    except LookupError as error:
        raise ValueError("not an encoding that Python knows") from error
    return name


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


class Dialect(Declaration):
    """How a delimited text file is written; a date in any of the forms `dates`, of which no text fits two."""

    delimiter: Annotated[str, Field(min_length=1, max_length=1)]
    encoding: Annotated[str, AfterValidator(_known_encoding)]
    decimal: Literal[".", ","]
    dates: Annotated[tuple[str, ...], AfterValidator(_one_reading)]


class SourceBase(Declaration):
    """One table read from one file, or from every file of a pattern; each kind of export adds to it."""

    kind: str
    table: str
    files: Name
    dialect: str
    columns: dict[str, str]
    constants: dict[str, str] = {}
    values: dict[str, dict[str, str]] = {}
    where: dict[str, tuple[str, ...]] = {}
    unless_blank: tuple[str, ...] = ()
    latest_by: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    @property
    def read_columns(self) -> frozenset[str]:
        """Columns of the file that this entry uses or knowingly leaves."""
        used = (*self.columns.values(), *self.where, *self.unless_blank, *self.latest_by)
        return frozenset([*used, *self.ignore])

    @model_validator(mode="after")
    def _one_origin_each(self) -> Self:
        if twice := sorted(set(self.columns) & set(self.constants)):
            raise ValueError(f"{self.table}: both a column and a constant: {', '.join(twice)}")
        return self

    @property
    def companions(self) -> dict[str, str]:
        """Files read beside those of `files`: what each is for, and its path below the raw folder."""
        return {}


class TabularSource(SourceBase):
    """A table as it is: one row of the file is one row of the table."""

    kind: Literal["tabular"]


class ClasSource(SourceBase):
    """Scotland's looked-after-children return."""

    kind: Literal["clas"]


Source = Annotated[TabularSource | ClasSource, Field(discriminator="kind")]


class Mapping(Declaration):
    """Entries of one kind of export; `absent` names the raw tables that it does not bring."""

    name: str
    dialects: dict[str, Dialect]
    missing: dict[str, str]
    sources: tuple[Source, ...]
    ignore_files: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()

    def of_tables(self, tables: frozenset[str]) -> tuple[Source, ...]:
        """The entries that fill these tables, in file order."""
        return tuple(source for source in self.sources if source.table in tables)

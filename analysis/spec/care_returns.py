"""What only returns of looked-after children have: authorities, lists of numbers, repairs, legal reasons."""

import re
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from analysis.spec.base import Declaration, Name
from analysis.spec.source_base import InsidePath

# Repairs of episodes that cannot be open, by their names in the London tools (docs/methods/exports.md).
Repair = Literal["3", "3A", "2", "1A", "1", "4", "5"]
GROUPS = frozenset({"authority", "year"})


def _expression(pattern: str) -> str:
    try:
        groups = set(re.compile(pattern).groupindex)
    except re.error as error:
        raise ValueError("not a regular expression") from error
    if "authority" not in groups or groups - GROUPS:
        raise ValueError("name the part that is the authority, (?P<authority>...), and perhaps (?P<year>...)")
    return pattern


class Authority(Declaration):
    """Whose return it is: a part of the path of its file, which may also tell the year, or a column."""

    pattern: Annotated[str, AfterValidator(_expression)] | None = None
    column: Name | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.pattern is None) == (self.column is None):
            raise ValueError("authority: give either pattern or column")
        return self


class Linkage(Declaration):
    """The list from an authority's number of a child to the trial's; the columns that hold them.

    A child adopted and returned under another number stands in it twice, each time with the same `child_id`.
    """

    PURPOSE: ClassVar[str] = "linkage"

    file: InsidePath
    child: Name
    child_id: Name
    authority: Name | None = None
    ignore: tuple[str, ...] = ()

    @property
    def columns(self) -> frozenset[str]:
        """Every column the file has."""
        return frozenset(filter(None, [self.child, self.child_id, self.authority, *self.ignore]))


class LegalReasons(Declaration):
    """The Scottish table of legal reasons: its columns, and which counts where several are in force."""

    PURPOSE: ClassVar[str] = "legal_reasons"

    file: InsidePath
    child: Name
    start: Name
    end: Name
    reason: Name
    precedence: Annotated[tuple[str, ...], Field(min_length=1)]
    ignore: tuple[str, ...] = ()

    @property
    def columns(self) -> frozenset[str]:
        """Every column the file has."""
        return frozenset([self.child, self.start, self.end, self.reason, *self.ignore])

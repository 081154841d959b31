"""Tables of public returns, known by their headers: how a drafted mapping reads them."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from analysis.spec.base import Declaration, Name, parse, read_yaml

FILE = "layouts.yaml"
Columns = Annotated[tuple[Name, ...], Field(min_length=1)]


class LayoutEntry(Declaration):
    """How one table of ours is read from it; `ask` is what the layout cannot tell."""

    table: Name
    kind: Literal["tabular", "ssda903", "clas"]
    columns: dict[str, Name]
    constants: dict[str, str] = {}
    made: tuple[Name, ...] = ()
    unless_blank: tuple[Name, ...] = ()
    latest_by: tuple[Name, ...] = ()
    category_of_need: Name | None = None
    carer: tuple[Name, ...] = ()
    ask: tuple[Name, ...] = ()


class Beside(Declaration):
    """A table that is read with the entry of another, of which it then makes a field."""

    layout: Name
    key: Name
    makes: Name
    columns: dict[str, Name]


class Layout(Declaration):
    """A table of a return: the columns that it always has, and what it is for."""

    id: Name
    title: Name
    known_by: Columns
    entries: tuple[LayoutEntry, ...] = ()
    beside: Beside | None = None


def load_layouts(folder: Path) -> tuple[Layout, ...]:
    """Every layout of the declarations in `folder`.

    Raises
    ------
    SpecError
        Naming file and entry.
    """
    return tuple(
        parse(Layout, body, file=FILE, entry=str(at))
        for at, body in enumerate(read_yaml(folder / FILE), start=1)
    )


def layout_of(columns: Iterable[str], layouts: Iterable[Layout]) -> Layout | None:
    """The layout of a header; of several the one that asks for most."""
    here = {squashed(name) for name in columns}
    known = [each for each in layouts if here.issuperset(map(squashed, each.known_by))]
    return max(known, key=lambda each: len(each.known_by), default=None)


def squashed(name: str) -> str:
    """A name without what programs change in it: the case of letters, and marks between words."""
    return re.sub(r"[\W_]+", "", name.casefold())

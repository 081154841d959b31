"""What was found in the data: the shape of one finding, whoever finds it."""

import re
from collections.abc import Container
from dataclasses import dataclass, fields

from analysis.spec.base import is_iso_day
from analysis.spec.rules import Action, Severity
from analysis.spec.tables import MISSING_MARK, Field

HIDDEN = "?"
# How an error names a place: that of an entry may be a pattern, or the file beside it may be at fault.
PLACE = re.compile(
    r"(?P<file>[^:]+?)(?:, row (?P<row>\d+))?(?:, rule (?P<rule>[A-Z]+\d+))?(?:: |, )(?P<told>[^,:].*)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True, order=True)
class Issue:
    """One finding. `key` identifies the row to the data manager; no value is kept."""

    table: str
    source_file: str
    source_row: int
    key: str
    field: str
    rule: str
    severity: Severity
    action: Action | str
    message: str


COLUMNS = tuple(field.name for field in fields(Issue))


def shown_part(cell: str, field: Field, codes: Container[str] | None = None) -> str:
    """A part of a row's key as it may be shown: an id by its form, a day or a code; it may else be a name.

    `codes` are those of the field's code list, asked for where the cells have not been checked yet.
    """
    fits = bool(cell) and not cell.startswith(MISSING_MARK)
    if field.constraints.pattern:
        fits = fits and re.fullmatch(field.constraints.pattern, cell) is not None
    if field.type == "date":
        fits = fits and is_iso_day(cell)
    if field.codelist and codes is not None:
        fits = fits and cell in codes
    return cell if fits else HIDDEN


def fault(error: str, *, table: str, file: str, rule: str) -> Issue:
    """An error as a finding that stops the run; what it says itself of file, row and rule goes before."""
    place = PLACE.fullmatch(error)
    if place is None:
        return Issue(table, file, 0, HIDDEN, "", rule, "stop", "keep", error.removesuffix("."))
    row, told = int(place["row"] or 0), place["told"].removesuffix(".")
    return Issue(table, place["file"], row, HIDDEN, "", place["rule"] or rule, "stop", "keep", told)

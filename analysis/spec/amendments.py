"""The amendments of the plan: the table of `AMENDMENTS.md` as declarations."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from analysis.errors import SpecError
from analysis.spec.base import Declaration, IsoDay, Name, parse
from analysis.spec.entry import Entry

FILE = "sap/AMENDMENTS.md"
HEADER = ["version", "date", "entry", "change", "reason"]


class Amendment(Declaration):
    """One change of the plan: the version it made, and the ids of the entries it is of."""

    version: Name
    date: IsoDay
    entry: Name
    change: Name
    reason: str

    @property
    def ids(self) -> frozenset[str]:
        """Ids of the entries it names."""
        return frozenset(self.entry.replace(",", " ").split())


def read_amendments(path: Path) -> tuple[Amendment, ...]:
    """The rows of the table, oldest first.

    Raises
    ------
    SpecError
        If there is no such table, it has no row, or a row is not of its form.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (FileNotFoundError, UnicodeDecodeError) as error:
        raise SpecError(f"{FILE}: no such file, or not UTF-8 text.") from error
    rows = [_cells(line) for line in lines if line.startswith("|")]
    if len(rows) < 3 or [cell.lower() for cell in rows[0]] != HEADER:
        raise SpecError(f"{FILE}: expected a table of {', '.join(HEADER)}, newest row last.")
    return tuple(_amendment(cells, number) for number, cells in enumerate(rows[2:], start=1))


def check_amendments(amendments: Sequence[Amendment], analyses: Mapping[str, Entry], version: str) -> None:
    """Raise `SpecError` when the last row is of another version, or no row names a later analysis."""
    if (last := amendments[-1].version) != version:
        raise SpecError(f"{FILE}: its last version is {last}, but trial.yaml says sap_version {version}.")
    named = frozenset().union(*(each.ids for each in amendments))
    if unnamed := [
        each.id for each in analyses.values() if each.timing == "post_hoc" and each.id not in named
    ]:
        raise SpecError(f"{FILE}: no row names {unnamed[0]}, which analyses.yaml says is post hoc.")


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _amendment(cells: Sequence[str], number: int) -> Amendment:
    if len(cells) != len(HEADER):
        raise SpecError(f"{FILE}, row {number}: {len(cells)} cells, not {len(HEADER)}.")
    return parse(Amendment, dict(zip(HEADER, cells, strict=True)), file=FILE, entry=f"row {number}")

"""What a page of the committee's pack shows beside results: meetings, changes since the last, recipient."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.spec.declarations import Spec
from analysis.spec.meetings import Meeting, since_last

ROWS = ("new", "gone")
CELLS = ("filled", "emptied", "changed", "reason")


@dataclass(frozen=True, slots=True)
class Pack:
    """What the pack is given beside results.

    `changes` are the contents of ``delta.json`` of each audience, none at the first meeting; `recipient` and
    `copy_number` are blank where they are filled in by hand.
    """

    meetings: tuple[Meeting, ...] = ()
    changes: Sequence[Mapping[str, Any]] = ()
    recipient: str = ""
    copy_number: str = ""


@dataclass(frozen=True, slots=True)
class TableChange:
    """A table at two cuts: its rows at both, and numbers by kind of change, with the fields concerned."""

    table: str
    before: int
    after: int
    kinds: Mapping[str, int]
    fields: tuple[tuple[str, str, int], ...]

    @property
    def any(self) -> bool:
        return any(self.kinds.values())


def pack_context(pack: Pack, spec: Spec) -> dict[str, Any]:
    """The pack for a template."""
    before = pack.changes[0]["before"]["cut"] if pack.changes else ""
    return {
        "pack": pack,
        "last": since_last(pack.meetings, spec.interim_cut),
        "cut_before": before,
        "changed": [each for delta in pack.changes for each in table_changes(delta["changes"], spec)],
    }


def table_changes(rows: Sequence[Mapping[str, Any]], spec: Spec) -> tuple[TableChange, ...]:
    """Changes by table, those of single fields added up, in the order of the declarations."""
    found = []
    for name in dict.fromkeys(row["table"] for row in rows):
        here = [row for row in rows if row["table"] == name]
        kinds = {kind: sum(row["n"] for row in here if row["kind"] == kind) for kind in (*ROWS, *CELLS)}
        fields = tuple(
            (_title(spec, name, row["field"]), row["kind"], row["n"]) for row in here if row["field"]
        )
        first = here[0]
        title = spec.table(name).title
        found.append(TableChange(title, first["rows_before"], first["rows_after"], kinds, fields))
    return tuple(found)


def _title(spec: Spec, table: str, field: str) -> str:
    return spec.table(table).field(field).title

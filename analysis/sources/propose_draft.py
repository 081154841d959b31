"""What a draft of a mapping is made of: exports, and entries that may read them."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from analysis.sources.propose_columns import Column
from analysis.sources.redcap_dictionary import Dictionary
from analysis.spec.layouts import Layout
from analysis.spec.source_base import Dialect
from analysis.spec.tables import Table

ALSO = "decide: another file fills this table better; does this one fill it too?"


@dataclass(frozen=True, slots=True)
class Export:
    """One export, or several of one header: `files` is a path or pattern; `events` label by unique name.

    `doubts` are about the forms of dates, `others` files that the pattern takes although they are not of it;
    `authority` tells from a path whose return it is.
    """

    files: str
    dialect: Dialect
    frame: pd.DataFrame
    columns: tuple[Column, ...]
    dictionary: Dictionary | None = None
    companions: Mapping[str, str] = field(default_factory=dict)
    events: Mapping[str, str] = field(default_factory=dict)
    has_labels: bool = False
    layout: Layout | None = None
    authority: str | None = None
    doubts: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def identity(self) -> tuple[str, Dialect]:
        """What tells it from others: a workbook is one for each sheet."""
        return self.files, self.dialect


@dataclass(frozen=True, slots=True)
class DraftValues:
    """Their code -> our code with a remark, and remarks on what has none."""

    codes: dict[str, tuple[str, str]]
    left: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """One entry: our field -> their column and a remark.

    `lines` are those that only its kind has; `reads` the columns they name, `beside` the files.
    """

    table: Table
    export: Export
    coverage: float
    columns: dict[str, tuple[str, str]]
    checkboxes: dict[str, tuple[str, DraftValues]]
    values: dict[str, DraftValues]
    selection: dict[str, tuple[str, ...]]
    unless_blank: tuple[str, ...]
    remarks: tuple[str, ...]
    constants: Mapping[str, str] = field(default_factory=dict)
    kind: str = "tabular"
    lines: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()


def best_drafts(drafts: Sequence[Draft]) -> list[Draft]:
    """For each table the export that has most of it; for an export without one, its best table."""
    best = _best(drafts, lambda draft: (draft.table.name, *sorted(draft.constants.items())))
    used = {draft.export.identity for draft in best}
    left = [draft for draft in drafts if draft.export.identity not in used]
    rest = _best(left, lambda draft: draft.export.identity)
    chosen = [*best, *(replace(draft, remarks=(*draft.remarks, ALSO)) for draft in rest)]
    tables = list(dict.fromkeys(draft.table.name for draft in drafts))
    return sorted(chosen, key=lambda draft: tables.index(draft.table.name))


def _best(drafts: Iterable[Draft], key: Callable[[Draft], Hashable]) -> list[Draft]:
    best: dict[Hashable, Draft] = {}
    for draft in drafts:
        if key(draft) not in best or draft.coverage > best[key(draft)].coverage:
            best[key(draft)] = draft
    return list(best.values())


def without_values_that_say_nothing(draft: Draft) -> Draft:
    """The entry without translations of codes that are ours already."""
    kept = {name: each for name, each in draft.values.items() if each.codes or each.left}
    return replace(draft, values=kept)

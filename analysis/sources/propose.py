"""A draft of a mapping for exports nobody has described yet: what is certain, and what is left to decide.

Nothing of a participant is in it: names of columns, codes of code lists and dictionaries, and counts.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from analysis.errors import BlindingError
from analysis.sources.blinding import check_cells
from analysis.sources.propose_columns import Column, columns_of, with_own_words
from analysis.sources.propose_dialect import guess_marks
from analysis.sources.propose_draft import Draft, Export, best_drafts, without_values_that_say_nothing
from analysis.sources.propose_entry import draft_entry, draft_wide
from analysis.sources.propose_files import EVENT_MAP_COLUMN, Found, look
from analysis.sources.propose_groups import Group, authority_of, group_files, others_covered
from analysis.sources.propose_layout import draft_layout
from analysis.sources.propose_missing import draft_missing
from analysis.sources.propose_yaml import dialect_line, entry_lines, listed, remark_on, remarked, scalar
from analysis.sources.redcap_dictionary import CHECKBOX, EVENT, Dictionary
from analysis.spec.arm_words import arms_of, is_arm_like
from analysis.spec.declarations import Spec
from analysis.spec.layouts import Layout
from analysis.spec.source_base import ISO_DAY, Dialect
from analysis.spec.tables import Table


@dataclass(frozen=True, slots=True)
class Proposal:
    """The text of the mapping, and how much of it stands."""

    text: str
    tables: tuple[str, ...]
    n_undecided: int


def propose(
    spec: Spec,
    meanings: Mapping[str, str],
    layouts: Sequence[Layout],
    folder: Path,
    files: Sequence[Path],
    *,
    name: str,
) -> Proposal:
    """Draft a mapping of files below a folder.

    Parameters
    ----------
    meanings : mapping
        Words in the names of columns -> what they stand for.
    layouts : sequence of Layout
        Tables of returns that are known by their headers.
    files : sequence of Path
        Exports, and dictionaries, event maps and project files of REDCap among them.
    name : str
        Of the mapping.

    Raises
    ------
    SourceError
        If a delimited file is not text in equal columns below a header, or a link leads out of the folder.
    """
    found = look(folder, files)
    exports = [_export(group, found) for group in group_files(found.exports, layouts)]
    words = with_own_words(meanings, spec)
    tables = [spec.table(each) for each in spec.table_names(layer="raw", audience="open")]
    drafts = best_drafts(
        [
            draft
            for table in tables
            for each in exports
            for draft in _drafts(table, each, exports, spec, words)
        ]
    )
    declared = {code: label for codes in found.projects.values() for code, label in codes.items()}
    columns = [column for export in exports for column in export.columns]
    dialects = {
        each: f"d{at}" for at, each in enumerate(dict.fromkeys(d.export.dialect for d in drafts), start=1)
    }
    lines = [
        f"# A draft: settle every line that says `decide`, then run it. Written from {len(files)} files.",
        f"name: {scalar(name)}",
        "dialects:",
        *_dialect_lines(dialects, drafts),
        *_missing_lines(draft_missing(declared, columns, spec)),
        *_source_lines([without_values_that_say_nothing(each) for each in drafts], dialects, spec),
        *_file_lines(exports, drafts, found),
        *_absent_lines(spec, drafts),
    ]
    text = "\n".join(lines) + "\n"
    return Proposal(text, tuple(dict.fromkeys(each.table.name for each in drafts)), text.count("# decide"))


def _drafts(
    table: Table, export: Export, exports: Sequence[Export], spec: Spec, meanings: Mapping[str, str]
) -> list[Draft]:
    if export.layout is not None:
        return [each for each in draft_layout(export, exports, spec, meanings) if each.table == table]
    draft = draft_entry(table, export, spec, meanings)
    return [draft] if draft else draft_wide(table, export, spec, meanings)


def _export(group: Group, found: Found) -> Export:
    frame = pd.concat([each.frame for each in group.reads], ignore_index=True)
    name = _dictionary_for(frame, found.dictionaries)
    dictionary = found.dictionaries.get(name) if name else None
    companions = {"dictionary": name} if name else {}
    events: dict[str, str] = {}
    if name and found.event_maps:
        companions["event_map"], known = next(iter(found.event_maps.items()))
        events = dict(zip(known[EVENT_MAP_COLUMN], known["event_name"], strict=True))
    if name and found.projects:
        companions["project"] = next(iter(found.projects))
    labels = {column: codes for each in group.reads for column, codes in each.labels.items()}
    columns = tuple(columns_of(frame, dictionary, labels))
    dialect, doubts = _dialect(group.reads[0].dialect, columns)
    return Export(
        group.files,
        dialect,
        frame,
        columns,
        dictionary,
        companions,
        events,
        has_labels=dictionary is not None and _has_labels(frame, dictionary),
        layout=group.layout,
        authority=authority_of(group),
        doubts=tuple(f"{group.files}: {doubt}" for doubt in doubts),
        others=tuple(others_covered(group, found.exports)),
    )


def _dialect(base: Dialect, columns: Sequence[Column]) -> tuple[Dialect, tuple[str, ...]]:
    """How an export is written, with its forms of dates, and doubts about these."""
    decimal, dates, doubts = guess_marks(column.cells for column in columns)
    if base.format == "delimited":
        return base.model_copy(update={"decimal": decimal, "dates": dates}), doubts
    # What the format itself knows for a date comes in this form, and needs no mention.
    return base.model_copy(update={"dates": tuple(form for form in dates if form != ISO_DAY)}), doubts


def _has_labels(frame: pd.DataFrame, dictionary: Dictionary) -> bool:
    """Whether more cells of choices are labels than codes."""
    labels = codes = 0
    for name, field in dictionary.fields.items():
        if field.choices and field.type != CHECKBOX and name in frame:
            labels += int(frame[name].isin(list(field.choices.values())).sum())
            codes += int(frame[name].isin(list(field.choices)).sum())
    return labels > codes


def _dictionary_for(frame: pd.DataFrame, dictionaries: Mapping[str, Dictionary]) -> str | None:
    """The dictionary that has the export's first column as its id, and most of the others."""
    shares = {
        name: len(each.owners.keys() & set(frame.columns)) / len(frame.columns)
        for name, each in dictionaries.items()
    }
    best = max(shares, key=lambda name: shares[name], default=None)
    return best if best is not None and shares[best] >= 0.5 else None


def _dialect_lines(dialects: Mapping[Dialect, str], drafts: Sequence[Draft]) -> Iterator[str]:
    if not dialects:
        yield "  {}"
    for dialect, name in dialects.items():
        doubts = {doubt for each in drafts if each.export.dialect == dialect for doubt in each.export.doubts}
        yield from (f"  # decide: {doubt}" for doubt in sorted(doubts))
        yield dialect_line(name, dialect)


def _missing_lines(missing: Mapping[str, tuple[str, str]]) -> Iterator[str]:
    yield "missing:" if missing else "missing: {}"
    for code, (reason, remark) in missing.items():
        yield remarked(f"  {scalar(code)}: {reason}", remark)


def _source_lines(drafts: Sequence[Draft], dialects: Mapping[Dialect, str], spec: Spec) -> Iterator[str]:
    yield "sources:" if drafts else "sources: []"
    seen: set[tuple[str, Dialect]] = set()
    for draft in drafts:
        export, left, refused = draft.export, {}, []
        if export.identity not in seen:
            seen.add(export.identity)
            left, refused = _left_columns(export, drafts)
            yield from _arm_in_cells(export, spec)
            yield from _arms_of_events(export)
        yield from entry_lines(draft, dialects[export.dialect], left, refused)


def _left_columns(export: Export, drafts: Sequence[Draft]) -> tuple[dict[str, str], list[str]]:
    """Columns that no entry of the file reads: those to ignore, and those that may tell the arm."""
    mine = [draft for draft in drafts if draft.export.identity == export.identity]
    read = {name for draft in mine for name, _ in draft.columns.values()}
    read |= {name for draft in mine for name in (*draft.selection, *draft.unless_blank, *draft.reads)}
    groups = {group for draft in mine for group, _ in draft.checkboxes.values()}
    owners = export.dictionary.owners if export.dictionary else {}
    read |= {name for name, field in owners.items() if field.name in groups}
    if export.dictionary:
        read |= export.dictionary.added_columns
    rest: list[Column] = [column for column in export.columns if column.name not in read]
    kept = {column.name: remark_on(column) for column in rest if not column.is_arm}
    return kept, [column.name for column in export.columns if is_arm_like(column.name)]


def _arm_in_cells(export: Export, spec: Spec) -> Iterator[str]:
    try:
        check_cells(export.frame, spec.arm_names, file=export.files)
    except BlindingError as error:
        yield f"  # refused: {' '.join(str(error).split())}"


def _arms_of_events(export: Export) -> Iterator[str]:
    events = export.frame[EVENT].unique() if EVENT in export.frame else ()
    if len(arms_of(events)) > 1:
        yield f"  # refused: {scalar(export.files)} holds events of several arms, whose names tell the arm"


def _file_lines(exports: Sequence[Export], drafts: Sequence[Draft], found: Found) -> Iterator[str]:
    used = {draft.export.files for draft in drafts}
    beside = {name for draft in drafts for name in (*draft.export.companions.values(), *draft.beside)}
    left = {export.files: _why_left(export) for export in exports if export.files not in used}
    left |= dict.fromkeys(
        [*found.dictionaries, *found.event_maps, *found.projects], "no export is read by it"
    )
    left |= {
        name: "; ".join(filter(None, ["not read for this draft", why])) for name, why in found.unread.items()
    }
    rest = sorted(left.keys() - beside)
    yield "ignore_files:" if rest else "ignore_files: []"
    for name in rest:
        yield f"  - {scalar(name)}    # decide: {left[name]}"


def _why_left(export: Export) -> str:
    return f"{export.layout.title}, which no table needs" if export.layout else "no table found in it"


def _absent_lines(spec: Spec, drafts: Sequence[Draft]) -> Iterator[str]:
    found = {draft.table.name for draft in drafts}
    absent = [name for name in spec.table_names(layer="raw", audience="open") if name not in found]
    closed = spec.table_names(layer="raw", audience="closed")
    yield "# decide: tables without an export; those that tell the arm are for the unblinded statistician."
    yield f"absent: {listed([*absent, *closed])}"

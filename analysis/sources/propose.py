"""A draft of a mapping for exports nobody has described yet: what is certain, and what is left to decide.

Nothing of a participant is in it: names of columns, codes of code lists and dictionaries, and counts.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from analysis.errors import BlindingError
from analysis.sources.blinding import check_cells
from analysis.sources.propose_columns import Column, columns_of
from analysis.sources.propose_dialect import guess_marks
from analysis.sources.propose_entry import (
    Draft,
    Export,
    best_drafts,
    draft_entry,
    draft_wide,
    without_values_that_say_nothing,
)
from analysis.sources.propose_files import EVENT_MAP_COLUMN, Found, Read, look
from analysis.sources.propose_missing import draft_missing
from analysis.sources.propose_yaml import dialect_line, entry_lines, listed, remark_on, remarked, scalar
from analysis.sources.redcap_dictionary import CHECKBOX, EVENT, Dictionary
from analysis.spec.arm_words import arms_of, is_arm_like
from analysis.spec.declarations import Spec
from analysis.spec.source_base import Dialect
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
    files : sequence of Path
        Exports, and dictionaries, event maps and project files of REDCap among them.
    name : str
        Of the mapping.

    Raises
    ------
    SourceError
        If a file is not text in equal columns below a header.
    """
    found = look(folder, files)
    dialects: dict[Dialect, tuple[str, set[str]]] = {}
    exports = [_export(group, found, dialects) for group in _groups(found.exports)]
    tables = [spec.table(each) for each in spec.table_names(layer="raw", audience="open")]
    drafts = best_drafts(
        [draft for table in tables for each in exports for draft in _drafts(table, each, spec, meanings)]
    )
    declared = {code: label for codes in found.projects.values() for code, label in codes.items()}
    columns = [column for export in exports for column in export.columns]
    lines = [
        f"# A draft: settle every line that says `decide`, then run it. Written from {len(files)} files.",
        f"name: {scalar(name)}",
        "dialects:",
        *_dialect_lines(dialects),
        *_missing_lines(draft_missing(declared, columns, spec)),
        *_source_lines([without_values_that_say_nothing(each) for each in drafts], spec),
        *_file_lines(exports, drafts, found),
        *_absent_lines(spec, drafts),
    ]
    text = "\n".join(lines) + "\n"
    return Proposal(text, tuple(dict.fromkeys(each.table.name for each in drafts)), text.count("# decide"))


def _drafts(table: Table, export: Export, spec: Spec, meanings: Mapping[str, str]) -> list[Draft]:
    draft = draft_entry(table, export, spec, meanings)
    return [draft] if draft else draft_wide(table, export, spec, meanings)


def _groups(exports: Iterable[Read]) -> list[list[Read]]:
    """Returns of several years are one export: files of one header whose names differ in numbers."""
    groups: dict[tuple, list[Read]] = defaultdict(list)
    for read in exports:
        pattern = re.sub(r"\d+", "*", read.file)
        groups[pattern, tuple(read.frame.columns), read.encoding, read.delimiter].append(read)
    return list(groups.values())


def _export(group: list[Read], found: Found, dialects: dict[Dialect, tuple[str, set[str]]]) -> Export:
    frame = pd.concat([each.frame for each in group], ignore_index=True)
    name = _dictionary_for(frame, found.dictionaries)
    dictionary = found.dictionaries.get(name) if name else None
    companions = {"dictionary": name} if name else {}
    events: dict[str, str] = {}
    if name and found.event_maps:
        companions["event_map"], known = next(iter(found.event_maps.items()))
        events = dict(zip(known[EVENT_MAP_COLUMN], known["event_name"], strict=True))
    if name and found.projects:
        companions["project"] = next(iter(found.projects))
    columns = tuple(columns_of(frame, dictionary, {}))
    decimal, dates, doubts = guess_marks(column.cells for column in columns)
    first = group[0]
    dialect = Dialect(delimiter=first.delimiter, encoding=first.encoding, decimal=decimal, dates=dates)
    known_as, said = dialects.setdefault(dialect, (f"d{len(dialects) + 1}", set()))
    said.update(doubts)
    files = _pattern([each.file for each in group])
    has_labels = dictionary is not None and _has_labels(frame, dictionary)
    return Export(files, known_as, frame, columns, dictionary, companions, events, has_labels)


def _has_labels(frame: pd.DataFrame, dictionary: Dictionary) -> bool:
    """Whether more cells of choices are labels than codes."""
    labels = codes = 0
    for name, field in dictionary.fields.items():
        if field.choices and field.type != CHECKBOX and name in frame:
            labels += int(frame[name].isin(list(field.choices.values())).sum())
            codes += int(frame[name].isin(list(field.choices)).sum())
    return labels > codes


def _pattern(names: Sequence[str]) -> str:
    """The name of one file, or of several with a star for each number that differs."""
    parts = zip(*(re.split(r"(\d+)", name) for name in names), strict=True)
    return "".join(part[0] if len(set(part)) == 1 else "*" for part in parts)


def _dictionary_for(frame: pd.DataFrame, dictionaries: Mapping[str, Dictionary]) -> str | None:
    """The dictionary that has the export's first column as its id, and most of the others."""
    shares = {
        name: len(each.owners.keys() & set(frame.columns)) / len(frame.columns)
        for name, each in dictionaries.items()
    }
    best = max(shares, key=lambda name: shares[name], default=None)
    return best if best is not None and shares[best] >= 0.5 else None


def _dialect_lines(dialects: Mapping[Dialect, tuple[str, set[str]]]) -> Iterator[str]:
    if not dialects:
        yield "  {}"
    for dialect, (name, doubts) in dialects.items():
        yield from (f"  # decide: {doubt}" for doubt in sorted(doubts))
        yield dialect_line(name, dialect)


def _missing_lines(missing: Mapping[str, tuple[str, str]]) -> Iterator[str]:
    yield "missing:" if missing else "missing: {}"
    for code, (reason, remark) in missing.items():
        yield remarked(f"  {scalar(code)}: {reason}", remark)


def _source_lines(drafts: Sequence[Draft], spec: Spec) -> Iterator[str]:
    yield "sources:" if drafts else "sources: []"
    seen: set[str] = set()
    for draft in drafts:
        export, left, refused = draft.export, {}, []
        if export.files not in seen:
            seen.add(export.files)
            left, refused = _left_columns(export, drafts)
            yield from _arm_in_cells(export, spec)
            yield from _arms_of_events(export)
        kind = "redcap" if export.dictionary else "tabular"
        yield from entry_lines(draft, left, refused, kind)


def _left_columns(export: Export, drafts: Sequence[Draft]) -> tuple[dict[str, str], list[str]]:
    """Columns that no entry of the file reads: those to ignore, and those that may tell the arm."""
    mine = [draft for draft in drafts if draft.export.files == export.files]
    read = {name for draft in mine for name, _ in draft.columns.values()}
    read |= {name for draft in mine for name in (*draft.selection, *draft.unless_blank)}
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
    beside = {name for draft in drafts for name in draft.export.companions.values()}
    rest = [export.files for export in exports if export.files not in used]
    rest += [*found.dictionaries, *found.event_maps, *found.projects, *found.unread]
    rest = sorted(set(rest) - beside)
    yield "ignore_files:" if rest else "ignore_files: []"
    for name in rest:
        why = "not read for this draft" if name in found.unread else "no table found in it"
        yield f"  - {scalar(name)}    # decide: {why}"


def _absent_lines(spec: Spec, drafts: Sequence[Draft]) -> Iterator[str]:
    found = {draft.table.name for draft in drafts}
    absent = [name for name in spec.table_names(layer="raw", audience="open") if name not in found]
    closed = spec.table_names(layer="raw", audience="closed")
    yield "# decide: tables without an export; those that tell the arm are for the unblinded statistician."
    yield f"absent: {listed([*absent, *closed])}"

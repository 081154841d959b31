"""Drafts of entries for tables of public returns, which are known by their headers."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from analysis.sources.propose_columns import Column
from analysis.sources.propose_draft import Draft, DraftValues, Export
from analysis.sources.propose_entry import column_of, make_draft
from analysis.sources.propose_match import LIKELY, Match, best_columns
from analysis.sources.propose_values import draft_values
from analysis.sources.propose_yaml import listed, remarked, scalar
from analysis.spec.declarations import Spec
from analysis.spec.layouts import LayoutEntry, squashed
from analysis.spec.tables import Table

AUTHORITY = "decide: authority, whose return each file is: {pattern: ...} of its path, or {column: ...}"
LINKAGE = "decide: linkage, the list of the trial's numbers; these are not of their form"
PRECEDENCE = "decide: which counts where several are in force"


def draft_layout(
    export: Export, exports: Sequence[Export], spec: Spec, meanings: Mapping[str, str]
) -> list[Draft]:
    """An entry for each table of ours that the export's layout fills, with the exports that lie beside it."""
    beside = [
        each
        for each in exports
        if each.layout and each.layout.beside and each.layout.beside.layout == export.layout.id
    ]
    return [_draft(entry, export, beside[:1], spec, meanings) for entry in export.layout.entries]


def _draft(
    entry: LayoutEntry,
    export: Export,
    beside: Sequence[Export],
    spec: Spec,
    meanings: Mapping[str, str],
) -> Draft:
    table = spec.table(entry.table)
    named = _present(entry.columns, export)
    made = (*entry.made, *(each.layout.beside.makes for each in beside))
    found = {
        name: Match(table.field(name), each, 1.0, 1.0)
        for name, each in named.items()
        if name in table.columns
    }
    open_names = [name for name in table.columns if name not in {*entry.columns, *entry.constants, *made}]
    rest = [column for column in export.columns if column not in named.values()]
    found |= best_columns(_only(table, open_names), rest, spec, meanings)
    draft = make_draft(
        table, export, found, spec, meanings, coverage=1.0, constants=entry.constants, made=made
    )
    extra = {name: (each.name, "") for name, each in named.items() if name not in table.columns}
    partners = [_partner(each, table, export, spec, meanings) for each in beside]
    return replace(
        draft,
        kind=entry.kind,
        columns=draft.columns | extra,
        values=draft.values | {name: values for _, name, values in partners},
        unless_blank=_names(entry.unless_blank, export),
        lines=(*_lines(entry, export), *(line for lines, _, _ in partners for line in lines)),
        reads=_names([*entry.latest_by, *entry.carer, *_need(entry)], export),
        remarks=(*draft.remarks, *_remarks(entry, export, found, table)),
        beside=tuple(each.files for each in beside),
    )


def _present(columns: Mapping[str, str], export: Export) -> dict[str, Column]:
    known = {squashed(column.name): column for column in export.columns}
    wanted = {ours: squashed(theirs) for ours, theirs in columns.items()}
    return {ours: known[theirs] for ours, theirs in wanted.items() if theirs in known}


def _only(table: Table, names: Sequence[str]) -> Table:
    fields = tuple(field for field in table.fields if field.name in names)
    return table.model_copy(update={"schema_": table.schema_.model_copy(update={"fields": fields})})


def _lines(entry: LayoutEntry, export: Export) -> Iterator[str]:
    if export.authority:
        yield f"    authority: {{pattern: {json.dumps(export.authority)}}}"
    if entry.latest_by:
        yield f"    latest_by: {listed(_names(entry.latest_by, export))}"
    for name in _names(_need(entry), export):
        yield f"    category_of_need: {scalar(name)}"
    if carer := _names(entry.carer, export):
        yield f"    carer: {listed(carer)}"


def _need(entry: LayoutEntry) -> tuple[str, ...]:
    return (entry.category_of_need,) if entry.category_of_need else ()


def _names(columns: Sequence[str], export: Export) -> tuple[str, ...]:
    """The names that the file has for columns, of those that are in it."""
    return tuple(each.name for each in _present(dict(zip(columns, columns, strict=True)), export).values())


def _remarks(entry: LayoutEntry, export: Export, found: Mapping[str, Match], table: Table) -> Iterator[str]:
    if entry.kind == "ssda903" and not export.authority and "*" in export.files:
        yield AUTHORITY
    pattern = table.field("child_id").constraints.pattern
    if entry.kind == "ssda903" and "child_id" in found:
        numbers = found["child_id"].column
        if numbers.n_filled and numbers.share(re.compile(pattern or ".*")) < LIKELY:
            yield LINKAGE
    yield from (f"decide: {each}" for each in entry.ask)


def _partner(
    beside: Export, table: Table, export: Export, spec: Spec, meanings: Mapping[str, str]
) -> tuple[list[str], str, DraftValues]:
    """The lines that name a table beside, the field it makes, and codes in it."""
    known = beside.layout.beside
    columns = _present(known.columns, beside)
    rest = [column for column in beside.columns if column not in columns.values()]
    field = table.field(known.makes)
    reason = columns["reason"]
    values = draft_values(field, reason, spec, {})
    codes = spec.codes_of(field.codelist or "")
    here = {cell.casefold() for cell in reason.cells}
    order = [each.code for each in codes.values() if {each.code.casefold(), each.label.casefold()} & here]
    child = best_columns(_only(table, ["child_id"]), rest, spec, meanings)
    lines = [f"    {known.key}:", f"      file: {scalar(beside.files)}"]
    if "*" in beside.files:
        lines.append("      # decide: one file; these are several")
    as_written = beside.dialect.model_copy(update={"dates": export.dialect.dates})
    if as_written != export.dialect or not set(beside.dialect.dates) <= set(export.dialect.dates):
        lines.append(f"      # decide: it is not written as {scalar(export.files)} is")
    lines += [
        remarked(f"      child: {scalar(name)}", remark) for name, remark in map(column_of, child.values())
    ]
    lines += [f"      {key}: {scalar(column.name)}" for key, column in columns.items()]
    lines.append(remarked(f"      precedence: {listed(order or codes)}", PRECEDENCE))
    read = {column.name for column in columns.values()} | {match.column.name for match in child.values()}
    if left := [column.name for column in beside.columns if column.name not in read]:
        lines.append(f"      ignore: {listed(left)}    # decide")
    return lines, known.makes, values

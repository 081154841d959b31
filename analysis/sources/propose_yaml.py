"""The text of a drafted mapping, each doubt beside the line it is about."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping

from analysis.sources.propose_columns import Column
from analysis.sources.propose_draft import Draft, DraftValues
from analysis.sources.redcap_dictionary import EVENT
from analysis.spec.redcap_source import REPEAT_INSTRUMENT
from analysis.spec.source_base import Dialect

PLAIN = re.compile(r"[A-Za-z_][\w./*-]*")
NOT_TEXT = frozenset({"yes", "no", "on", "off", "true", "false", "null", "y", "n"})


def scalar(text: str) -> str:
    """A text as YAML writes it, in quotes where it would mean something else."""
    is_plain = PLAIN.fullmatch(text) is not None and text.isascii() and text.lower() not in NOT_TEXT
    return text if is_plain else json.dumps(text, ensure_ascii=True)


def remarked(line: str, remark: str) -> str:
    return f"{line}    # {remark}" if remark else line


def listed(names: Iterable[str]) -> str:
    return f"[{', '.join(map(scalar, names))}]"


def dialect_line(name: str, dialect: Dialect) -> str:
    """One dialect, with what was given of it."""
    keys = dialect.model_dump(exclude_unset=True)
    parts = (f"{key}: {_value(each)}" for key, each in keys.items())
    return f"  {name}: {{{', '.join(parts)}}}"


def _value(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(json.dumps(each) for each in value)}]"
    return scalar(str(value)) if str(value).isalpha() else json.dumps(value)


def entry_lines(draft: Draft, dialect: str, left: Mapping[str, str], refused: Iterable[str]) -> Iterator[str]:
    """One entry; `left` are columns that no entry of the file reads, with what is known of them."""
    export = draft.export
    yield f"  - table: {draft.table.name}"
    yield f"    kind: {draft.kind}"
    yield f"    files: {scalar(export.files)}"
    yield f"    dialect: {dialect}"
    yield from (f"    # decide: files takes {scalar(name)} too, of another header" for name in export.others)
    for purpose, name in export.companions.items():
        yield f"    {purpose}: {scalar(name)}"
    if export.has_labels:
        yield "    labels: true    # decide: most cells are labels of choices, not codes"
    yield from _selection_lines(draft)
    if draft.unless_blank:
        blank = listed(draft.unless_blank)
        yield f"    unless_blank: {blank}    # decide: where this part of the form is empty"
    if draft.constants:
        pairs = (f"{name}: {scalar(code)}" for name, code in draft.constants.items())
        yield f"    constants: {{{', '.join(pairs)}}}"
    yield from draft.lines
    yield "    columns:"
    for ours, (theirs, remark) in draft.columns.items():
        yield remarked(f"      {ours}: {scalar(theirs)}", remark)
    yield from (f"      # {remark}" for remark in draft.remarks)
    yield from _box_lines(draft)
    yield from _value_lines(draft.values)
    yield from (f"    # refused: column {scalar(name)} looks like the arm; take it out" for name in refused)
    if left:
        yield "    ignore:"
        yield from (remarked(f"      - {scalar(name)}", remark) for name, remark in left.items())


def _selection_lines(draft: Draft) -> Iterator[str]:
    where = dict(draft.selection)
    (instrument,) = where.pop(REPEAT_INSTRUMENT, ("",))
    if instrument:
        yield f"    instrument: {scalar(instrument)}"
    if where:
        yield f"    where: {{{', '.join(f'{name}: {listed(values)}' for name, values in where.items())}}}"


def _box_lines(draft: Draft) -> Iterator[str]:
    if draft.checkboxes:
        yield "    checkboxes:"
    for ours, (group, values) in draft.checkboxes.items():
        yield f"      {ours}:    # decide: `several`, if more than one box may be ticked"
        yield f"        group: {scalar(group)}"
        yield "        codes:"
        for theirs, (code, remark) in values.codes.items():
            yield remarked(f"          {json.dumps(theirs)}: {scalar(code)}", remark)
        yield from (f"          # {remark}" for remark in values.left)


def _value_lines(values: Mapping[str, DraftValues]) -> Iterator[str]:
    if not values:
        return
    yield "    values:"
    for name, each in values.items():
        yield f"      {name}:" if each.codes else f"      {name}: {{}}"
        for theirs, (ours, remark) in each.codes.items():
            yield remarked(f"        {json.dumps(theirs)}: {scalar(ours)}", remark)
        yield from (f"        # {remark}" for remark in each.left)


def remark_on(column: Column) -> str:
    """Why a column is left, as far as anything is known of it."""
    if column.name == EVENT:
        return "decide: no table tells its rows apart by event"
    if column.is_identifier:
        return "decide: marked as telling who the participant is"
    if column.n_filled == 0:
        return "decide: empty"
    title = "".join(letter if letter.isprintable() else " " for letter in column.title)[:60].strip()
    return f"decide: {title}" if title else "decide"

"""A draft of one entry of a mapping: a table, the export it seems to lie in, and what is left to decide."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from analysis.sources.propose_columns import Column
from analysis.sources.propose_draft import Draft, DraftValues, Export
from analysis.sources.propose_match import CERTAIN, LIKELY, Match, best_columns, codes_for, fit
from analysis.sources.propose_values import draft_values, values_of_choices
from analysis.sources.redcap_dictionary import CHECKBOX, EVENT
from analysis.spec.arm_words import REDCAP_ARM
from analysis.spec.declarations import Code, Spec
from analysis.spec.redcap_source import REPEAT_INSTRUMENT
from analysis.spec.tables import Field, Table

ENOUGH = 0.5  # of a table's fields, required ones counted twice
BY_NAME, BY_FORM = "decide: by its name alone", "decide: by its cells more than by its name"
TO_CONFIRM = "decide: to confirm, its name is only like ours"
MANY_FILES = "decide: latest_by, if a row of a later file replaces that of an earlier one"


def draft_entry(table: Table, export: Export, spec: Spec, meanings: Mapping[str, str]) -> Draft | None:
    """The entry of a table if the export has enough of its fields, and a column for each part of its key."""
    found = best_columns(table, export.columns, spec, meanings)
    found |= _event_as_key(table, export, found)
    fields = [each for each in table.fields if not each.name.startswith("source_")]
    weights = {each.name: 2 if each.required else 1 for each in fields}
    coverage = sum(weights[name] * match.score for name, match in found.items()) / sum(weights.values())
    if coverage < ENOUGH or not set(table.key) & set(found):
        return None
    return make_draft(table, export, found, spec, meanings, coverage=coverage)


def make_draft(
    table: Table,
    export: Export,
    found: Mapping[str, Match],
    spec: Spec,
    meanings: Mapping[str, str],
    *,
    coverage: float,
    constants: Mapping[str, str] | None = None,
    made: Sequence[str] = (),
) -> Draft:
    """The entry of a table, given the column of each field; the reader makes the fields `made` of others."""
    constants = constants or {}
    fields = [each for each in table.fields if not each.name.startswith("source_")]
    own = _own_columns(table, found)
    selection, remarks = _selection(export, own)
    chosen = _rows(export.frame, selection)
    open_fields = [each for each in fields if each.name not in {*found, *constants, *made} and each.codelist]
    groups = _groups(open_fields, table, export, spec, meanings)
    absent = [each.name for each in fields if each.name not in {*found, *groups, *constants, *made}]
    return Draft(
        table=table,
        export=export,
        coverage=coverage,
        columns={each.name: column_of(found[each.name]) for each in fields if each.name in found},
        checkboxes=groups,
        values={
            name: draft_values(match.field, match.column, spec, export.events)
            for name, match in found.items()
            if match.field.codelist
        },
        selection=selection,
        unless_blank=_unless_blank(chosen, table, found, own),
        remarks=(
            *remarks,
            *(f"decide: no column found for {name}" for name in absent),
            *([MANY_FILES] if "*" in export.files and export.layout is None else []),
        ),
        constants=constants,
        kind="redcap" if export.dictionary else "tabular",
    )


def draft_wide(table: Table, export: Export, spec: Spec, meanings: Mapping[str, str]) -> list[Draft]:
    """An entry for each column that is named like a code of the key: scores that stand side by side."""
    values = [each for each in table.fields if each.name not in table.key and each.type == "number"]
    for name in table.key:
        codelist = table.field(name).codelist
        if codelist and len(values) == 1:
            named = _named_like_codes(export.columns, spec.codes_of(codelist))
            drafts = [
                _wide(table, export, name, code, Match(values[0], column, float(sure), None), spec, meanings)
                for code, (column, sure) in named.items()
            ]
            if drafts:
                return drafts
    return []


def _wide(
    table: Table,
    export: Export,
    key: str,
    code: str,
    score: Match,
    spec: Spec,
    meanings: Mapping[str, str],
) -> Draft:
    others = [field for field in table.fields if field.name not in (key, score.field.name)]
    schema = table.schema_.model_copy(update={"fields": tuple(others)})
    found = best_columns(table.model_copy(update={"schema_": schema}), export.columns, spec, meanings)
    found |= _event_as_key(table, export, {**found, key: score}) | {score.field.name: score}
    draft = make_draft(table, export, found, spec, meanings, coverage=ENOUGH, constants={key: code})
    return replace(draft, unless_blank=(score.column.name,))


def _named_like_codes(columns: Sequence[Column], codes: Mapping[str, Code]) -> dict[str, tuple[Column, bool]]:
    """Code -> the column that has its name, or else begins with it."""
    found: dict[str, tuple[Column, bool]] = {}
    for code in codes:
        name = code.casefold()
        exact = [column for column in columns if column.name.casefold() == name]
        longer = [column for column in columns if column.name.casefold().startswith(name) and len(name) > 2]
        if exact or len(longer) == 1:
            found[code] = ((exact or longer)[0], bool(exact))
    return found


def column_of(match: Match) -> tuple[str, str]:
    """Their column, and what is uncertain of it."""
    if match.is_near:
        return match.column.name, TO_CONFIRM
    if match.score >= CERTAIN:
        return match.column.name, ""
    return match.column.name, BY_FORM if match.content and match.content > match.name else BY_NAME


def _event_as_key(table: Table, export: Export, found: Mapping[str, Match]) -> dict[str, Match]:
    """In a longitudinal project, a coded part of the key without a column is the event."""
    event = next((column for column in export.columns if column.name == EVENT), None)
    open_parts = [name for name in table.key if name not in found and table.field(name).codelist]
    if event is None or len(open_parts) != 1:
        return {}
    return {open_parts[0]: Match(table.field(open_parts[0]), event, 1.0, 1.0)}


def _groups(
    fields: Sequence[Field], table: Table, export: Export, spec: Spec, meanings: Mapping[str, str]
) -> dict[str, tuple[str, DraftValues]]:
    """Our coded fields that a group of boxes may fill, each with the group and its codes."""
    groups = [
        Column(each.name, each.label, each.form, each.choices, Counter(), False, False)
        for each in (export.dictionary.fields.values() if export.dictionary else ())
        if each.type == CHECKBOX
    ]
    found: dict[str, tuple[str, DraftValues]] = {}
    for each in fields:
        fits = [fit(each, table, group, spec, meanings) for group in groups]
        best = max(fits, key=lambda match: match.score, default=None)
        if best is not None and best.score >= LIKELY:
            likely = codes_for(best.column.choices, spec.codes_of(each.codelist or ""))
            found[each.name] = (best.column.name, values_of_choices(best.column.choices, likely))
    return found


def _own_columns(table: Table, found: Mapping[str, Match]) -> list[str]:
    return [match.column.name for name, match in found.items() if name not in table.key]


def _selection(export: Export, own: Sequence[str]) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
    """Instrument and events in which the entry's columns are filled in, and what of them is not shown."""
    filled = (export.frame[list(own)] != "").any(axis=1)
    selection, remarks = {}, []
    if REPEAT_INSTRUMENT in export.frame and export.dictionary:
        instruments = export.frame.loc[filled, REPEAT_INSTRUMENT].value_counts()
        forms = [name for name in instruments.index if name in export.dictionary.forms]
        selection[REPEAT_INSTRUMENT] = (forms[0],) if forms and forms[0] == instruments.index[0] else ("",)
        filled &= export.frame[REPEAT_INSTRUMENT].isin(selection[REPEAT_INSTRUMENT])
    if EVENT in export.frame:
        events = export.frame.loc[filled, EVENT].unique().tolist()
        shown = tuple(name for name in events if name in export.events or REDCAP_ARM.search(name))
        if shown:
            selection[EVENT] = shown
        if len(shown) < len(events):
            remarks.append(f"decide: in which of {len(events)} events these are filled in (where: {EVENT})")
    return selection, tuple(remarks)


def _rows(frame: pd.DataFrame, selection: Mapping[str, tuple[str, ...]]) -> pd.DataFrame:
    for column, values in selection.items():
        frame = frame[frame[column].isin(values)]
    return frame


def _unless_blank(
    rows: pd.DataFrame, table: Table, found: Mapping[str, Match], own: Sequence[str]
) -> tuple[str, ...]:
    """A required column that is blank exactly where the whole part of the form is."""
    if rows.empty or len(own) < 3:
        return ()
    for name, match in found.items():
        column = match.column.name
        blank = rows[column] == ""
        if table.field(name).required and name not in table.key and blank.any():
            filled = (rows.loc[blank, list(own)] != "").mean(axis=None)
            if filled < 0.1:
                return (column,)
    return ()

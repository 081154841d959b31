"""Codes of a column as ours, as far as a code list or what is known of the file says so."""

from collections.abc import Mapping
from dataclasses import replace

from analysis.sources.propose_columns import Column
from analysis.sources.propose_draft import DraftValues
from analysis.sources.propose_match import codes_for
from analysis.sources.redcap_dictionary import EVENT
from analysis.spec.declarations import Spec
from analysis.spec.tables import MISSING_MARK, Field


def draft_values(field: Field, column: Column, spec: Spec, events: Mapping[str, str]) -> DraftValues:
    """Codes of a column as ours. Of cells, only those are shown that are a code or label of our list."""
    codes = spec.codes_of(field.codelist or "")
    choices = dict(events) if column.name == EVENT else dict(column.choices)
    if not choices:
        return _values_of_cells(column, codes)
    said = values_of_choices(choices, codes_for(choices, codes))
    return replace(said, codes={theirs: ours for theirs, ours in said.codes.items() if theirs != ours[0]})


def values_of_choices(choices: Mapping[str, str], likely: Mapping[str, tuple[str, float]]) -> DraftValues:
    kept = {
        choice: (ours, "" if score == 1 else f"decide: {_one_line(choices[choice])}")
        for choice, (ours, score) in likely.items()
    }
    rest = {choice: label for choice, label in choices.items() if choice not in likely}
    left = [f'decide: "{choice}", {_one_line(label)}' for choice, label in rest.items()]
    return DraftValues(kept, tuple(left))


def _values_of_cells(column: Column, codes: Mapping) -> DraftValues:
    ours = {name.casefold(): code.code for code in codes.values() for name in (code.label, code.code)}
    known = {cell: ours[cell.casefold()] for cell in sorted(column.cells) if cell.casefold() in ours}
    # A mark of the file's own for a missing value is no code.
    strange = {
        cell: n
        for cell, n in column.cells.items()
        if cell and cell not in known and not cell.startswith(MISSING_MARK)
    }
    left = ()
    if strange:
        left = (f"decide: {len(strange)} further values, in {sum(strange.values())} cells, not shown here",)
    # Codes in small letters are restored when they are cleaned.
    said = {cell: (code, "") for cell, code in known.items() if cell.casefold() != code.casefold()}
    return DraftValues(said, left)


def _one_line(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)[:60].strip()

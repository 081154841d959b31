"""Cells that are wrong only in how they were typed, restored before they are checked, each with a note."""

import re
from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from analysis.data.issues import issues_at
from analysis.spec.characters import fold_id, whole_number
from analysis.spec.declarations import Spec
from analysis.spec.issue import Issue
from analysis.spec.tables import Field, Table


def restore(text: pd.DataFrame, table: Table, spec: Spec) -> tuple[pd.DataFrame, list[Issue]]:
    """The table with ids, codes and whole numbers as they were meant.

    S02: look-alike characters or small letters in an id. S03: a code in another case, a code or whole number
    written as a decimal, or a number with a decimal comma. Anything that is not certain stays as it is and
    meets the checks.
    """
    text, found = text.copy(), []
    for field in table.fields:
        for rule, message, meant in _restorations(field, spec):
            # Distinct cells are few, so each is read once.
            codes, distinct = pd.factorize(text[field.name])
            restored = np.array([meant(cell) for cell in distinct], dtype=object)
            rows = np.flatnonzero((restored != distinct)[codes])
            if rows.size:
                text[field.name] = restored[codes]
                found.append((rows, {"field": field.name, "rule": rule, "message": message}))
    # Only now, so that the keys of the issues are those of the clean table.
    what_for = {"severity": "note", "action": "restored", "spec": spec}
    notes = (issues_at(text, table, rows, **what_for, **what) for rows, what in found)
    return text, [issue for issues in notes for issue in issues]


def _restorations(field: Field, spec: Spec) -> list[tuple[str, str, Callable[[str], str]]]:
    """Rule, message, and from a cell the one that was meant."""
    if field.constraints.pattern:
        pattern = re.compile(field.constraints.pattern)
        return [("S02", "look-alike characters in an id replaced", partial(_id, pattern=pattern))]
    if field.codelist:
        folded = {code.casefold(): code for code in spec.codes[field.codelist]}
        return [("S03", "code restored from another spelling", partial(_code, folded=folded))]
    if field.type == "integer":
        return [("S03", "whole number written as a decimal", whole_number)]
    if field.type == "number":
        return [("S03", "number written with a decimal comma", _point)]
    return []


def _id(cell: str, pattern: re.Pattern[str]) -> str:
    meant = fold_id(cell)
    return meant if meant != cell and pattern.fullmatch(meant) else cell


def _code(cell: str, folded: dict[str, str]) -> str:
    return folded.get(cell.casefold(), folded.get(whole_number(cell).casefold(), cell))


def _point(cell: str) -> str:
    # One or two digits after the comma: three could be thousands, and that is not certain.
    return re.sub(r"^([+-]?\d+),(\d{1,2})$", r"\1.\2", cell) if "," in cell else cell

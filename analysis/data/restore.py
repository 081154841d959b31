"""Cells that are wrong only in how they were typed, restored before they are checked, each with a note."""

import re
from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from analysis.data.issues import issues_at
from analysis.factors import as_lines, parts, put
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
        for rule, message, is_plain, meant in _restorations(field, spec):
            codes, distinct = parts(text[field.name])
            if is_plain(as_lines(distinct)):
                continue
            restored = np.array([meant(cell) for cell in distinct], dtype=object)
            rows = np.flatnonzero((restored != distinct)[codes])
            if rows.size:
                text[field.name] = put(text[field.name], rows, restored[codes[rows]])
                found.append((rows, {"field": field.name, "rule": rule, "message": message}))
    # Only now, so that the keys of the issues are those of the clean table.
    what_for = {"severity": "note", "action": "restored", "spec": spec}
    notes = (issues_at(text, table, rows, **what_for, **what) for rows, what in found)
    return text, [issue for issues in notes for issue in issues]


def _restorations(
    field: Field, spec: Spec
) -> list[tuple[str, str, Callable[[str], bool], Callable[[str], str]]]:
    """Rule, message, whether all cells at one look are as they were meant, and from a cell the one meant."""
    if field.constraints.pattern:
        pattern = re.compile(field.constraints.pattern)
        meant = partial(_id, pattern=pattern)
        return [("S02", "look-alike characters in an id replaced", _are_folded, meant)]
    if field.codelist:
        folded = {code.casefold(): code for code in spec.codes[field.codelist]}
        meant = partial(_code, folded=folded)
        return [("S03", "code restored from another spelling", lambda lines: False, meant)]
    if field.type == "integer":
        return [("S03", "whole number written as a decimal", lambda lines: "." not in lines, whole_number)]
    if field.type == "number":
        return [("S03", "number written with a decimal comma", lambda lines: "," not in lines, _point)]
    return []


def _are_folded(lines: str) -> bool:
    return fold_id(lines) == lines


def _id(cell: str, pattern: re.Pattern[str]) -> str:
    meant = fold_id(cell)
    return meant if meant != cell and pattern.fullmatch(meant) else cell


def _code(cell: str, folded: dict[str, str]) -> str:
    return folded.get(cell.casefold(), folded.get(whole_number(cell).casefold(), cell))


def _point(cell: str) -> str:
    # One or two digits after the comma: three could be thousands, and that is not certain.
    return re.sub(r"^([+-]?\d+),(\d{1,2})$", r"\1.\2", cell)

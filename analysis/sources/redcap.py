"""A flat export of REDCap: what was not asked is told from what was left blank, by the dictionary."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from analysis.factors import plain, stacked
from analysis.sources import tabular
from analysis.sources.findings import findings_at
from analysis.sources.redcap_asked import Asked
from analysis.sources.redcap_boxes import read_boxes
from analysis.sources.redcap_checks import check_together
from analysis.sources.redcap_dictionary import CHECKBOX, EVENT, Dictionary, DictionaryField, read_dictionary
from analysis.sources.redcap_labels import to_codes
from analysis.sources.redcap_logic import UnknownLogicError
from analysis.sources.request import Fields, Request
from analysis.spec.issue import Issue
from analysis.spec.mapping import Mapping
from analysis.spec.redcap_source import PLACEHOLDER, RedcapSource, checkbox_column
from analysis.spec.tables import MISSING_MARK

NOT_ASKED, INVALID = f"{MISSING_MARK}not_asked", f"{MISSING_MARK}invalid"
NOT_COMPLETED = "[not completed]"  # the time of a survey that was begun
NOT_BY_LOGIC = "filled in although the branching logic did not ask it, as perhaps other fields of the row"
TOO_MANY = "more boxes are ticked than the field can hold"
CONTRARY = "a box for a missing answer is ticked beside another box"
UNREADABLE = "a box that is neither 0 nor 1"
SHOWN = 80  # letters of what is not evaluated
NO_LABEL = "not a label that the dictionary offers"


def known_columns(frame: pd.DataFrame, source: RedcapSource, mapping: Mapping) -> frozenset[str]:
    """Columns that need no mention: what REDCap adds to an export, and the boxes of missing-data codes."""
    dictionary = read_dictionary(frame, file=source.dictionary)
    groups = [each.name for each in dictionary.fields.values() if each.type == CHECKBOX]
    return dictionary.added_columns.union(
        checkbox_column(group, code) for group in groups for code in mapping.missing
    )


def read_fields(frame: pd.DataFrame, request: Request) -> Fields:
    """Rows of a table from rows of the export; a blank that was not asked becomes ``.not_asked``."""
    source = request.source
    dictionary = read_dictionary(request.companions["dictionary"], file=source.dictionary)
    whole = plain(stacked([request.files[name] for name in sorted(request.files)]))
    check_together(request, dictionary, whole)
    cells, strange = _decoded(plain(frame), request, dictionary)
    # These fields are made below; their codes are ours already.
    made = dict.fromkeys([*source.checkboxes, *source.templates], "")
    as_they_are = source.model_copy(update={"constants": {**source.constants, **made}})
    rows = tabular.to_fields(_without_marks(cells), as_they_are, request.mapping, request.table)
    if rows.empty:
        return Fields(rows)
    for name, text in source.templates.items():
        rows[name] = _put_together(cells, text)
    asked = _asked(cells, whole, request, dictionary)
    issues = [*_label_issues(rows, strange, request), *_ask_columns(rows, asked, request)]
    for name in source.checkboxes:
        issues += _fill_from_boxes(rows, name, asked, request)
    return Fields(rows, tuple(issues))


def _decoded(
    frame: pd.DataFrame, request: Request, dictionary: Dictionary
) -> tuple[pd.DataFrame, dict[str, pd.Series]]:
    if not request.source.labels:
        return frame, {}
    missing = {code: code for code in request.mapping.missing}
    if "project" in request.companions:
        missing |= dict(request.companions["project"][["label", "code"]].itertuples(index=False, name=None))
    return to_codes(frame, dictionary, missing)


def _asked(cells: pd.DataFrame, whole: pd.DataFrame, request: Request, dictionary: Dictionary) -> Asked:
    if request.source.labels:
        whole, _ = _decoded(whole, request, dictionary)
        cells, whole = (_unique_events(each, request) for each in (cells, whole))
    return Asked(cells, whole, dictionary, request.mapping.dialects[request.source.dialect])


def _unique_events(frame: pd.DataFrame, request: Request) -> pd.DataFrame:
    """Events by the names that branching logic knows, where the event map tells which label is which."""
    if EVENT not in frame or "event_map" not in request.companions:
        return frame
    events = request.companions["event_map"]
    unique = dict(zip(events["event_name"], events["unique_event_name"], strict=True))
    return frame.assign(**{EVENT: frame[EVENT].map(lambda cell: unique.get(cell, cell))})


def _without_marks(cells: pd.DataFrame) -> pd.DataFrame:
    times = [name for name in cells.columns if name.endswith("_timestamp")]
    if not times:
        return cells
    return cells.assign(**{name: cells[name].replace(NOT_COMPLETED, "") for name in times})


def _put_together(cells: pd.DataFrame, text: str) -> pd.Series:
    """A text with the cells of columns in their places; blank where one of them is."""
    out, blank = pd.Series("", index=cells.index, dtype=object), pd.Series(False, index=cells.index)
    end = 0
    for match in PLACEHOLDER.finditer(text):
        part = cells[match[1]]
        blank |= part == ""
        out += text[end : match.start()] + part.str.rjust(int(match[2] or 0), "0")
        end = match.end()
    return (out + text[end:]).mask(blank, "")


def _label_issues(rows: pd.DataFrame, strange: dict[str, pd.Series], request: Request) -> Iterator[Issue]:
    what = {"rule": "R15", "severity": "query", "action": "keep", "message": NO_LABEL}
    for name, column in request.source.columns.items():
        if column in strange:
            yield from findings_at(rows, request, strange[column], field=name, **what)


def _ask_columns(rows: pd.DataFrame, asked: Asked, request: Request) -> list[Issue]:
    """Mark blanks that were not asked; one finding per row and logic where such a field is filled in."""
    owners, issues, told = asked.dictionary.owners, [], {}
    for name, column in request.source.columns.items():
        field = owners.get(column)
        if field is None or not field.logic:
            continue
        shown, found = _shown(field, name, asked, request)
        known = told.setdefault(field.logic, np.zeros(len(rows), dtype=bool))
        issues += [*found, *_not_asked(rows, name, shown, known, request)]
        rows[name] = rows[name].mask((rows[name] == "") & ~shown, NOT_ASKED)
    return issues


def _not_asked(
    rows: pd.DataFrame, name: str, shown: np.ndarray, told: np.ndarray, request: Request
) -> list[Issue]:
    at = (rows[name] != "") & ~shown & ~told
    if not at.any():
        return []
    at &= ~rows[name].str.startswith(MISSING_MARK)
    told |= at.to_numpy()
    what = {"rule": "R10", "severity": "query", "action": "keep", "message": NOT_BY_LOGIC}
    return list(findings_at(rows, request, at, field=name, **what))


def _shown(
    field: DictionaryField, name: str, asked: Asked, request: Request
) -> tuple[np.ndarray, list[Issue]]:
    """By row, whether the field was asked; and a note where its logic cannot be evaluated, so that it was."""
    everywhere = np.ones(len(asked.rows), dtype=bool)
    if not field.logic:
        return everywhere, []
    try:
        return asked.by_logic(field.logic), []
    except UnknownLogicError as error:
        message = f"the branching logic is not evaluated, and its blanks stay blank: {str(error)[:SHOWN]}"
        place = (request.table.name, asked.dictionary.file, field.line, "?", name)
        return everywhere, [Issue(*place, "R11", "note", "keep", message)]


def _fill_from_boxes(rows: pd.DataFrame, name: str, asked: Asked, request: Request) -> list[Issue]:
    group = request.source.checkboxes[name]
    field = asked.dictionary.fields[group.group]
    boxes = read_boxes(asked.rows, group, request.mapping.missing)
    shown, issues = _shown(field, name, asked, request)
    empty = (boxes.cells == "").to_numpy()
    # The zeros of a form that nobody opened, and of a group that was not shown, are nobody's answer.
    opened = shown & asked.by_form(field.form)
    cells = boxes.cells.mask(empty & opened, group.none).mask(empty & ~opened, NOT_ASKED)
    rows[name] = cells
    issues += _not_asked(rows, name, shown, np.zeros(len(rows), dtype=bool), request)
    broken = {"R13": boxes.several, "R14": boxes.contrary, "R16": boxes.unreadable}
    for (rule, marked), message in zip(broken.items(), (TOO_MANY, CONTRARY, UNREADABLE), strict=True):
        at = pd.Series(marked, index=rows.index)
        what = {"rule": rule, "severity": "query", "action": "set_missing", "message": message}
        issues += findings_at(rows, request, at, field=name, **what)
        rows[name] = rows[name].mask(at, INVALID)
    return issues

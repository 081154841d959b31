"""An export that holds the labels of choices instead of their codes, turned back by the dictionary."""

import pandas as pd

from analysis.errors import SourceError
from analysis.sources.redcap_dictionary import CHECKBOX, Dictionary, DictionaryField

STATES = {"Incomplete": "0", "Unverified": "1", "Complete": "2"}
CHECKED = {"Checked": "1", "Unchecked": "0", "": "0"}


def to_codes(
    frame: pd.DataFrame, dictionary: Dictionary, missing: dict[str, str]
) -> tuple[pd.DataFrame, dict[str, pd.Series]]:
    """The rows with codes, and by column which cells are no label.

    `missing` are the labels of the project's missing-data codes, and the codes themselves.

    Raises
    ------
    SourceError
        If two choices of a field have one label, so that it does not say which.
    """
    out, strange = frame.copy(), {}
    for column, codes in _codes_by_column(frame, dictionary).items():
        known = {**missing, **codes}
        strange[column] = (frame[column] != "") & ~frame[column].isin(list(known))
        out[column] = frame[column].map(lambda cell, known=known: known.get(cell, cell))
    return out, strange


def _codes_by_column(frame: pd.DataFrame, dictionary: Dictionary) -> dict[str, dict[str, str]]:
    found = {f"{form}_complete": STATES for form in dictionary.forms if f"{form}_complete" in frame}
    for field in dictionary.fields.values():
        columns = [column for column in field.columns if column in frame]
        if field.type == CHECKBOX:
            labels = dict(zip(field.columns, field.choices.values(), strict=True))
            found |= {column: {**CHECKED, labels[column]: "1"} for column in columns}
        elif field.choices:
            found |= {column: _by_label(field, dictionary.file) for column in columns}
    return found


def _by_label(field: DictionaryField, file: str) -> dict[str, str]:
    labels = list(field.choices.values())
    if twice := sorted({label for label in labels if labels.count(label) > 1}):
        raise SourceError(
            f"{file}, row {field.line}: two choices of field '{field.name}' have the label '{twice[0]}'; "
            "export codes instead."
        )
    return {label: code for code, label in field.choices.items()}

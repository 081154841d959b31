"""REDCap's data dictionary: the fields of a project, their forms, choices and branching logic."""

import re
from dataclasses import dataclass

import pandas as pd

from analysis.errors import SourceError
from analysis.spec.redcap_source import REPEAT_INSTRUMENT, checkbox_column

EVENT, INSTANCE = "redcap_event_name", "redcap_repeat_instance"
GROUP = "redcap_data_access_group"
# Columns that REDCap adds to an export by itself.
SYSTEM_COLUMNS = frozenset({EVENT, REPEAT_INSTRUMENT, INSTANCE, GROUP, "redcap_survey_identifier"})
# Our name of a column of the dictionary: its heading in the downloaded file and in the programming interface.
HEADINGS = {
    "name": ("Variable / Field Name", "field_name"),
    "form": ("Form Name", "form_name"),
    "type": ("Field Type", "field_type"),
    "label": ("Field Label", "field_label"),
    "choices": ("Choices, Calculations, OR Slider Labels", "select_choices_or_calculations"),
    "validation": (
        "Text Validation Type OR Show Slider Number",
        "text_validation_type_or_show_slider_number",
    ),
    "identifier": ("Identifier?", "identifier"),
    "logic": ("Branching Logic (Show field only if...)", "branching_logic"),
}
CHECKBOX, DESCRIPTIVE = "checkbox", "descriptive"
FIXED_CHOICES = {"yesno": {"1": "Yes", "0": "No"}, "truefalse": {"1": "True", "0": "False"}}
WITH_CHOICES = ("radio", "dropdown", CHECKBOX)
TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True, slots=True)
class DictionaryField:
    """One field; `line` is its line of the dictionary file."""

    name: str
    form: str
    type: str
    label: str
    choices: dict[str, str]
    validation: str
    is_identifier: bool
    logic: str
    line: int

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of an export that hold it."""
        if self.type == CHECKBOX:
            return tuple(checkbox_column(self.name, code) for code in self.choices)
        return () if self.type == DESCRIPTIVE else (self.name,)


@dataclass(frozen=True, slots=True)
class Dictionary:
    """Fields by name in file order; the first is the record's id."""

    file: str
    fields: dict[str, DictionaryField]

    @property
    def record_id(self) -> str:
        return next(iter(self.fields))

    @property
    def forms(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(field.form for field in self.fields.values()))

    @property
    def owners(self) -> dict[str, DictionaryField]:
        """The field of each column of an export."""
        return {column: field for field in self.fields.values() for column in field.columns}

    @property
    def added_columns(self) -> frozenset[str]:
        """Columns that REDCap adds to an export: its own, and of each form its state and its time."""
        ends = ("complete", "timestamp", "return_code")
        return SYSTEM_COLUMNS | {f"{form}_{end}" for form in self.forms for end in ends}


def read_dictionary(frame: pd.DataFrame, *, file: str) -> Dictionary:
    """The fields of a dictionary file, headed as REDCap's download or its programming interface heads it.

    Raises
    ------
    SourceError
        If a column is absent, a field is given twice, or a field of choices has none.
    """
    renamed = {heading: ours for ours, headings in HEADINGS.items() for heading in headings}
    known = frame.rename(columns=renamed)
    if absent := [headings[0] for ours, headings in HEADINGS.items() if ours not in known]:
        raise SourceError(f"{file}, row 1: not a data dictionary of REDCap; no column '{absent[0]}'.")
    if not known.columns.is_unique:
        raise SourceError(f"{file}, row 1: a column has both headings of a dictionary.")
    fields: dict[str, DictionaryField] = {}
    for row in known.to_dict("records"):
        field = _field(row, file=file)
        if field.name in fields:
            raise SourceError(f"{file}, row {field.line}: field '{field.name}' is given twice.")
        fields[field.name] = field
    if not fields:
        raise SourceError(f"{file}: the data dictionary has no fields.")
    return Dictionary(file, fields)


def parse_choices(text: str) -> dict[str, str]:
    """Code -> label of ``1, Yes | 0, No``; marks of HTML are taken out of labels."""
    parts = (part.partition(",") for part in text.split("|") if part.strip())
    return {code.strip(): TAG.sub("", label).strip() for code, _, label in parts}


def _field(row: dict[str, str], *, file: str) -> DictionaryField:
    kind, line = row["type"].lower(), int(row["source_row"])
    if not row["name"]:
        raise SourceError(f"{file}, row {line}: a field without a name.")
    choices = FIXED_CHOICES.get(kind, {})
    if kind in WITH_CHOICES:
        choices = parse_choices(row["choices"])
        if not choices:
            raise SourceError(f"{file}, row {line}: field '{row['name']}' is of type {kind} without choices.")
    return DictionaryField(
        name=row["name"],
        form=row["form"],
        type=kind,
        label=TAG.sub("", row["label"]),
        choices=choices,
        validation=row["validation"],
        is_identifier=row["identifier"].lower() == "y",
        logic=row["logic"],
        line=line,
    )

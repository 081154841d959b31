"""What was found in the data: the shape of one finding, whoever finds it."""

from dataclasses import dataclass, fields

from analysis.spec.rules import Action, Severity


@dataclass(frozen=True, slots=True, order=True)
class Issue:
    """One finding. `key` identifies the row to the data manager; no value is kept."""

    table: str
    source_file: str
    source_row: int
    key: str
    field: str
    rule: str
    severity: Severity
    action: Action | str
    message: str


COLUMNS = tuple(field.name for field in fields(Issue))

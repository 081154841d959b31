"""Cells that a data cut sets back, each with its finding."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.data.issues import issues_at
from analysis.factors import put
from analysis.spec.issue import Issue
from analysis.spec.rules import Severity
from analysis.spec.tables import Table


@dataclass(frozen=True, slots=True)
class Edit:
    """Rows (a mask) of which a field gets another cell, and what the finding says."""

    rows: np.ndarray
    field: str
    cell: str
    rule: str
    severity: Severity
    message: str


def apply_edits(text: pd.DataFrame, table: Table, edits: Iterable[Edit]) -> tuple[pd.DataFrame, list[Issue]]:
    """The table with its cells set back, and a finding for each that was another."""
    text, issues = text.copy(), []
    for edit in edits:
        if not edit.rows.any():
            continue
        rows = np.flatnonzero(edit.rows & (text[edit.field] != edit.cell).to_numpy())
        text[edit.field] = put(text[edit.field], rows, edit.cell)
        what = {"rule": edit.rule, "severity": edit.severity, "action": "set_back", "message": edit.message}
        issues += issues_at(text, table, rows, field=edit.field, **what)
    return text, issues

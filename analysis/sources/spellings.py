"""Codes in another spelling than the mapping declares them: read as they are meant, and counted."""

from collections.abc import Iterator, Mapping

import pandas as pd

from analysis.sources.tabular import USER_MISSING, recode
from analysis.spec.characters import whole_number
from analysis.spec.issue import HIDDEN, Issue
from analysis.spec.mapping import Mapping as Declared
from analysis.spec.mapping import Source
from analysis.spec.tables import Field, Table

RULE = "S03"


def respelt(rows: pd.DataFrame, source: Source, mapping: Declared, table: Table) -> Iterator[Issue]:
    """A note for each file and column with such cells, at the first of them, of a key not known yet.

    A code of `values` or of a missing value in other letters, or either and a yes or no as a decimal. Which
    code it is the note does not say: at its row that would be a value.

    Parameters
    ----------
    rows : DataFrame
        The entry's rows of its files, in their columns.
    """
    if not source.has_codes:
        return
    for name, column in source.columns.items():
        if name not in table.columns:
            continue
        codes, missing = source.values.get(name, {}), mapping.missing | source.missing.get(name, {})
        # Distinct cells are few, so each is looked at once; most columns have no such cell.
        distinct = rows[column].unique()
        if not codes and ".0" not in "\n".join(distinct):
            continue
        other = [cell for cell in distinct if _is_other(cell, table.field(name), codes, missing)]
        found = rows.loc[rows[column].isin(other), ["source_file", "source_row"]] if other else rows[:0]
        for file, lines in found.groupby("source_file", sort=False, observed=True)["source_row"]:
            filled = int(((rows["source_file"] == file) & (rows[column] != "")).sum())
            message = f"{len(lines)} of {filled} cells of this column are codes in another spelling"
            place = (table.name, file, int(lines.iloc[0]), HIDDEN, name)
            yield Issue(*place, RULE, "note", "restored", f"{message} than the mapping's")


def _is_other(cell: str, field: Field, codes: Mapping[str, str], missing: Mapping[str, str]) -> bool:
    code = cell.removeprefix(USER_MISSING)
    if code in missing or cell in codes:
        return False
    if whole_number(code) in missing:
        return True
    if codes:
        return recode(cell, codes) != cell
    return field.type == "boolean" and whole_number(cell) != cell

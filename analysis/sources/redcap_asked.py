"""Which fields a REDCap project asked of a row: by its branching logic, and by the forms that were opened."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analysis.sources.redcap_dictionary import CHECKBOX, EVENT, INSTANCE, Dictionary, DictionaryField
from analysis.sources.redcap_logic import EVENT_NAME, Logic, Reference, UnknownLogicError, parse_logic
from analysis.sources.redcap_logic import INSTANCE as THIS_INSTANCE
from analysis.sources.tabular import iso_day
from analysis.spec.characters import fold_id
from analysis.spec.redcap_source import REPEAT_INSTRUMENT, checkbox_column
from analysis.spec.source_base import Dialect

OPENED_STATES = ("1", "2")  # unverified, complete; 0 may be either incomplete or never opened
BOX_CELLS = ("", "0")


@dataclass(slots=True)
class Asked:
    """Answers for the rows of one entry; `whole` holds every row of its files, for fields of other events."""

    rows: pd.DataFrame
    whole: pd.DataFrame
    dictionary: Dictionary
    dialect: Dialect
    known: dict[str, np.ndarray | UnknownLogicError] = field(default_factory=dict)
    base: dict[str, dict[tuple[str, str], str]] = field(default_factory=dict)

    def by_logic(self, logic: str) -> np.ndarray:
        """Whether the branching logic shows its field, by row.

        Raises
        ------
        UnknownLogicError
            If it cannot be evaluated on this export.
        """
        if logic not in self.known:
            try:
                self.known[logic] = self._evaluated(parse_logic(logic))
            except UnknownLogicError as error:
                self.known[logic] = error
        answer = self.known[logic]
        if isinstance(answer, UnknownLogicError):
            raise answer
        return answer

    def by_form(self, form: str) -> np.ndarray:
        """Whether the form was opened, by row: it is marked as done, or one of its cells is filled in."""
        state = f"{form}_complete"
        opened = np.zeros(len(self.rows), dtype=bool)
        if state in self.rows:
            opened |= self.rows[state].isin(OPENED_STATES).to_numpy()
        for each in self.dictionary.fields.values():
            if each.form == form and each.name != self.dictionary.record_id:
                opened |= self.is_filled(each)
        return opened

    def is_filled(self, each: DictionaryField) -> np.ndarray:
        """Whether a field holds anything, by row; the zero of a box is nothing."""
        empty = BOX_CELLS if each.type == CHECKBOX else ("",)
        filled = np.zeros(len(self.rows), dtype=bool)
        for column in each.columns:
            if column in self.rows:
                filled |= ~self.rows[column].isin(empty).to_numpy()
        return filled

    def _evaluated(self, logic: Logic) -> np.ndarray:
        columns = [self._cells(reference) for reference in logic.references]
        rows = list(zip(*columns, strict=True)) if columns else [()] * len(self.rows)
        # Distinct combinations are few, so each is looked at once.
        holds = {row: logic.holds(dict(zip(logic.references, row, strict=True))) for row in set(rows)}
        return np.array([holds[row] for row in rows], dtype=bool)

    def _cells(self, reference: Reference) -> list[str]:
        if reference in (EVENT_NAME, THIS_INSTANCE):
            return self._own(EVENT if reference == EVENT_NAME else INSTANCE)
        column = self._column(reference)
        if reference.event:
            event, base = reference.event.casefold(), self._base(column)
            return [base.get((record, event), "") for record in self._records(self.rows)]
        cells = self._own(column)
        if REPEAT_INSTRUMENT not in self.rows or (self.rows[REPEAT_INSTRUMENT] == "").all():
            return cells
        # A field of a form that does not repeat stands on the base row of the same event.
        base, keys = self._base(column), zip(self._records(self.rows), self._events(self.rows), strict=True)
        return [cell or base.get(key, "") for cell, key in zip(cells, keys, strict=True)]

    def _column(self, reference: Reference) -> str:
        known = self.dictionary.fields.get(reference.field)
        if known is None:
            raise UnknownLogicError(f"'{reference.field}', which is no field of the dictionary")
        if (known.type == CHECKBOX) != bool(reference.code):
            raise UnknownLogicError(f"'{reference.field}' with or without the code of a box")
        column = checkbox_column(known.name, reference.code) if reference.code else known.name
        if column not in self.whole:
            raise UnknownLogicError(f"'{column}', which the file does not hold")
        return column

    def _own(self, column: str) -> list[str]:
        if column not in self.rows:
            raise UnknownLogicError(f"'{column}', which the file does not hold")
        return self._readable(self.rows[column], column)

    def _readable(self, cells: pd.Series, column: str) -> list[str]:
        """Dates as ISO 8601 and numbers with a point, however the file writes them."""
        kind = self.dictionary.fields[column].validation if column in self.dictionary.fields else ""
        if kind.startswith("date"):
            return [iso_day(cell, self.dialect.dates) for cell in cells]
        return [cell.replace(",", ".") for cell in cells] if kind.startswith("number") else cells.tolist()

    def _base(self, column: str) -> dict[tuple[str, str], str]:
        """Cell by record and event, of the first row that is not of a repeating instrument."""
        if column not in self.base:
            rows = self.whole
            if REPEAT_INSTRUMENT in rows:
                rows = rows[rows[REPEAT_INSTRUMENT] == ""]
            keys = list(zip(self._records(rows), self._events(rows), strict=True))
            cells = self._readable(rows[column], column)
            self.base[column] = dict(reversed(list(zip(keys, cells, strict=True))))
        return self.base[column]

    def _records(self, rows: pd.DataFrame) -> list[str]:
        """Ids as they are meant: in capitals, without look-alikes."""
        if self.dictionary.record_id not in rows:
            raise UnknownLogicError("a field of another row, and the file has no id of the record")
        ids = rows[self.dictionary.record_id]
        meant = {cell: fold_id(cell) for cell in ids.unique()}
        return ids.map(meant).tolist()

    def _events(self, rows: pd.DataFrame) -> list[str]:
        return [cell.casefold() for cell in rows[EVENT]] if EVENT in rows else [""] * len(rows)

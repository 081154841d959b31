"""Raw tables as they stood on the day of a data cut, with a finding for all that is not in them.

What the dates of a table mean for it is declared (`cut` in ``datapackage.yaml``). Cells are text that has
been checked, so that dates, all ISO 8601, stand in the order of their letters, and a missing one before all.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.data.cut_edits import Edit, apply_edits
from analysis.data.cut_visits import visit_edits
from analysis.data.issues import issues_at
from analysis.spec.cuts import MONTH, PRECISION
from analysis.spec.declarations import Spec
from analysis.spec.issue import Issue
from analysis.spec.tables import Table

BY_DATE, WITH_PARENT, EMPTIED, RESTATED = "C01", "C02", "C03", "C04"
_AFTER, _BEYOND = "after the data cut", "after the last data cut of the trial"
# By table, the keys of the rows that the cut took out of it.
Gone = Mapping[str, Iterable[str]]


@dataclass(frozen=True, slots=True)
class AtCut:
    """Tables as text at the cut; one finding per row that left them and per cell that was set back."""

    tables: dict[str, pd.DataFrame]
    issues: list[Issue]


@dataclass(frozen=True, slots=True)
class _Day:
    """The day of the cut, and the last one of the trial: what is dated after that is hardly true."""

    cut: str
    last: str
    partial: str

    def lies_before(self, text: pd.DataFrame, date: str, *, beyond: bool = False) -> np.ndarray:
        """Rows of which a date lies after the cut, or beyond the last one of the trial as well."""
        day = max(self.cut, self.last) if beyond else self.cut
        cells = text[date].to_numpy(dtype=object)
        later = cells > day
        if self.partial == "last_day" and f"{date}{PRECISION}" in text:
            # The last day of a month is after the cut unless the next day is of another month.
            next_day = (pd.Timestamp(day) + pd.Timedelta(1, "D")).strftime("%Y-%m-%d")
            months = (text[f"{date}{PRECISION}"] == MONTH).to_numpy()
            later = later | (months & (cells >= next_day[:7]))
        return later.astype(bool)


def cut_tables(
    tables: Mapping[str, pd.DataFrame],
    spec: Spec,
    *,
    data_cut: str,
    parents: Mapping[str, pd.DataFrame],
    gone: Gone,
) -> AtCut:
    """Tables with what was so on the day of the cut.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Checked cells as text.
    data_cut : str
        ISO date; what happened on that day is in.
    parents : mapping of str to DataFrame
        Tables already cut that keys of `tables` may point to.
    gone : mapping of str to keys
        Rows that were cut from `parents`.
    """
    day = _Day(data_cut, spec.trial.data_cut, spec.package.cutRules.partial_dates)
    out, issues = dict(tables), []
    taken = defaultdict(set, {name: set(keys) for name, keys in gone.items()})
    for table in _in_order(tables, spec):
        rows, left = _rows_there(tables[table.name], table, day, taken)
        edits = [*_later_cells(rows, table, day), *_orphans(rows, table, taken)]
        if table.cut.visit_status:
            edits += visit_edits(rows, table, {**parents, **out}, spec, data_cut=data_cut, rule=RESTATED)
        out[table.name], set_back = apply_edits(rows, table, edits)
        taken[table.name] |= {issue.key for issue in left}
        issues += left + set_back
    return AtCut(out, issues)


def _in_order(names: Iterable[str], spec: Spec) -> list[Table]:
    """Parents before the tables that point to them; visits last, since withdrawals tell of them."""
    tables = [spec.table(name) for name in names]
    return sorted(tables, key=lambda table: (table.cut.visit_status is not None, _depth(table, spec)))


def _depth(table: Table, spec: Spec) -> int:
    parents = [spec.table(key.reference.resource) for key in table.schema_.foreignKeys]
    return max((1 + _depth(each, spec) for each in parents), default=0)


def _rows_there(
    text: pd.DataFrame, table: Table, day: _Day, taken: Mapping[str, set[str]]
) -> tuple[pd.DataFrame, list[Issue]]:
    """Rows that were there, and a finding for each other one."""
    leaves, issues = np.zeros(len(text), dtype=bool), []
    for rows, field, rule, severity, message in _why_not_there(text, table, day, taken):
        what = {"rule": rule, "severity": severity, "action": "set_aside", "message": message}
        issues += issues_at(text, table, np.flatnonzero(rows & ~leaves), field=field, **what)
        leaves |= rows
    return (text[~leaves].reset_index(drop=True) if leaves.any() else text), issues


def _why_not_there(
    text: pd.DataFrame, table: Table, day: _Day, taken: Mapping[str, set[str]]
) -> Iterator[tuple[np.ndarray, str, str, str, str]]:
    """Rows, and the field, rule, severity and message of their finding."""
    if date := table.cut.date:
        yield day.lies_before(text, date, beyond=True), date, BY_DATE, "query", f"dated {_BEYOND}"
        yield day.lies_before(text, date), date, BY_DATE, "note", f"dated {_AFTER}"
    for field, rows in _lost_parents(text, table, taken).items():
        if table.cut.orphan is None or field != table.cut.orphan.key:
            yield rows, field, WITH_PARENT, "note", f"its {field} was not in the trial at the data cut"


def _lost_parents(text: pd.DataFrame, table: Table, taken: Mapping[str, set[str]]) -> dict[str, np.ndarray]:
    """By key of the table, the rows whose parent was cut."""
    return {
        key.fields[0]: text[key.fields[0]].isin(taken[key.reference.resource]).to_numpy()
        for key in table.schema_.foreignKeys
    }


def _later_cells(text: pd.DataFrame, table: Table, day: _Day) -> Iterator[Edit]:
    """Cells that were empty still."""
    for each in table.cut.later:
        later, beyond = day.lies_before(text, each.date), day.lies_before(text, each.date, beyond=True)
        for name in (each.date, *each.with_):
            yield Edit(later & ~beyond, name, "", EMPTIED, "note", f"{each.date} lies {_AFTER}")
            yield Edit(beyond, name, "", EMPTIED, "query", f"{each.date} lies {_BEYOND}")


def _orphans(text: pd.DataFrame, table: Table, taken: Mapping[str, set[str]]) -> Iterator[Edit]:
    """Cells of rows that stay without their parent."""
    if orphan := table.cut.orphan:
        rows = _lost_parents(text, table, taken)[orphan.key]
        why = f"its {orphan.key} was not in the trial at the data cut"
        for name in (orphan.key, *orphan.with_):
            yield Edit(rows, name, "", EMPTIED, "note", why)

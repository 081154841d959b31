"""Raw tables as text -> clean tables and issues: nothing lost, nothing silent."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analysis.data.cells import are_missing, cell_problems
from analysis.data.checks.context import Context, Sound, UnsoundError
from analysis.data.corrections import correct
from analysis.data.cut_readout import NOTHING, cut_and_count
from analysis.data.issues import issues_at, stop_if_any
from analysis.data.restore import restore
from analysis.data.rules import broken
from analysis.data.table import typed
from analysis.errors import DataError
from analysis.factors import coded, parts, put
from analysis.spec.declarations import Spec
from analysis.spec.issue import Issue
from analysis.spec.rules import Rule
from analysis.spec.tables import Table

REFUSED, PLACEHOLDER = ".invalid", ".placeholder"


@dataclass(frozen=True, slots=True, order=True)
class Unchecked:
    """A check of a table that was not made, and the table for whose sake it would have meant nothing."""

    table: str
    rule: str
    because: str


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Clean tables as text, and everything found on the way.

    `readout` counts what the data cut left and took, `removed` are the families and children it took.
    After a stop that was let pass, also the checks that could not be made, and how many rows of each table
    were left out of the later ones because their key cannot be told.
    """

    tables: dict[str, pd.DataFrame]
    issues: tuple[Issue, ...]
    readout: pd.DataFrame
    removed: pd.DataFrame
    unchecked: tuple[Unchecked, ...] = ()
    damaged: Mapping[str, int] = field(default_factory=dict)


def clean_tables(
    raw: Mapping[str, pd.DataFrame],
    spec: Spec,
    *,
    data_cut: str,
    corrections: pd.DataFrame,
    parents: Mapping[str, pd.DataFrame] | None = None,
    removed: pd.DataFrame = NOTHING,
    incomplete: Collection[str] = (),
    stop: Callable[[Iterable[Issue]], None] = stop_if_any,
    say: Callable[[str], None] = lambda text: None,
) -> Cleaned:
    """Check and clean raw tables.

    A cell that is wrong in its typing only is restored; an optional cell that cannot be read becomes a
    labelled missing and a query; a required one stops the run, as does a key given twice with different
    content. What was not so on the day of the data cut is taken out. Then a key to nothing stops the run, and
    the rules of ``rules.yaml`` run in their order.

    Parameters
    ----------
    raw : mapping of str to DataFrame
        Tables as text, in declared columns.
    data_cut : str
        ISO date; the tables are those of this day.
    corrections : DataFrame
        Signed corrections.
    parents : mapping of str to DataFrame, optional
        Clean tables as text that keys of `raw` may point to.
    removed : DataFrame
        Families and children that the cut took from `parents`.
    incomplete : collection of str
        Tables of which a file could not be read: nothing is checked against them.
    stop : callable
        Told twice of all that was found so far; by default it raises at the first finding that stops the run.
        One that returns has every check made that still means something.
    say : callable
        Told of every table and rule before it is checked.

    Raises
    ------
    DataError
        One paragraph naming file, row and rule of what stops the run.
    """
    issues: list[Issue] = []
    tables: dict[str, pd.DataFrame] = {}
    for name, text in raw.items():
        say(f"table {name}")
        tables[name], found = _clean_cells(text, spec.table(name), spec, corrections)
        issues += found
    parents = parents or {}
    cut = cut_and_count(tables, spec, data_cut=data_cut, parents=parents, removed=removed)
    tables, known = cut.tables, {**parents, **cut.tables}
    issues += cut.issues
    dangling = _dangling(tables, spec, known, incomplete)
    issues += dangling
    stop(issues)
    tables, damaged = _without_damage(tables, issues, spec)
    found, unchecked = _check_rules(
        tables, spec, {**known, **tables}, data_cut, unsound={*incomplete, *damaged}, say=say
    )
    # Again where a rule has set aside rows, since a key may have pointed to one.
    issues += found
    whole = {name for name, text in known.items() if len(tables.get(name, text)) == len(text)}
    issues += set(_dangling(tables, spec, {**known, **tables}, {*incomplete, *whole})) - set(dangling)
    stop(issues)
    return Cleaned(tables, tuple(sorted(issues)), cut.readout, cut.removed, unchecked, damaged)


def _without_damage(
    tables: dict[str, pd.DataFrame], issues: list[Issue], spec: Spec
) -> tuple[dict[str, pd.DataFrame], dict[str, int]]:
    """The tables without the rows whose own key cannot be told, and how many each has lost."""
    lost: dict[str, set[tuple[str, str]]] = {}
    for issue in issues:
        if issue.severity == "stop" and issue.rule != "S09" and issue.field in spec.table(issue.table).key:
            lost.setdefault(issue.table, set()).add((issue.source_file, str(issue.source_row)))
    kept = dict(tables)
    for name, places in lost.items():
        here = pd.MultiIndex.from_frame(tables[name][["source_file", "source_row"]]).isin(places)
        kept[name] = tables[name][~here].reset_index(drop=True)
    gone = {name: len(tables[name]) - len(kept[name]) for name in lost}
    return kept, {name: n for name, n in gone.items() if n}


def _check_rules(
    tables: dict[str, pd.DataFrame],
    spec: Spec,
    known: Mapping[str, pd.DataFrame],
    data_cut: str,
    *,
    unsound: Collection[str],
    say: Callable[[str], None],
) -> tuple[list[Issue], tuple[Unchecked, ...]]:
    """Every rule in its order; `tables` are changed by those that set a cell or a row aside."""
    issues: list[Issue] = []
    unchecked: list[Unchecked] = []
    values = {name: typed(text, spec.table(name)) for name, text in known.items()}
    for rule in spec.rules.values():
        if rule.table in tables and rule.other_table in (None, *values):
            say(f"rule {rule.id}")
            own = set() if rule.needs_every_row else {rule.table}
            sound = Sound(values, set(unsound) - own)
            context = Context(spec, pd.Timestamp(data_cut), sound)
            try:
                rows, found = _judge(tables[rule.table], rule, context)
            except UnsoundError as error:
                unchecked.append(Unchecked(rule.table, rule.id, error.table))
                continue
            if len(rows) and rule.action != "keep":
                changed = _apply(tables[rule.table], values[rule.table], rows, rule, spec)
                tables[rule.table], values[rule.table] = changed
            issues += found
    return issues, tuple(unchecked)


def _clean_cells(
    text: pd.DataFrame, table: Table, spec: Spec, corrections: pd.DataFrame
) -> tuple[pd.DataFrame, list[Issue]]:
    text, issues = restore(coded(text).reset_index(drop=True), table, spec)
    text, corrected = correct(text, table, corrections)
    text, refused = _refuse_cells(text, table, spec)
    text, repeated = _drop_repeats(text, table)
    return text, issues + corrected + refused + repeated + _placeholders(text, table)


def _refuse_cells(text: pd.DataFrame, table: Table, spec: Spec) -> tuple[pd.DataFrame, list[Issue]]:
    checked, issues = text.copy(), []
    problems = list(cell_problems(text, table, spec))
    for problem in problems:
        checked[problem.field] = put(checked[problem.field], problem.rows, REFUSED)
    for problem in problems:
        stops = table.field(problem.field).required
        issues += issues_at(
            checked,  # in which a key that is not one is hidden
            table,
            problem.rows,
            field=problem.field,
            rule=problem.rule,
            severity="stop" if stops else "query",
            action="keep" if stops else "set_missing",
            message=problem.message,
        )
    return checked, issues


def _placeholders(text: pd.DataFrame, table: Table) -> list[Issue]:
    optional = [field.name for field in table.fields if not field.required]  # in others it is refused
    found = ((name, np.flatnonzero((text[name] == PLACEHOLDER).to_numpy())) for name in optional)
    what = {"rule": "S01", "severity": "note", "action": "keep", "message": "a placeholder in the source"}
    return [issue for name, rows in found for issue in issues_at(text, table, rows, field=name, **what)]


def _drop_repeats(text: pd.DataFrame, table: Table) -> tuple[pd.DataFrame, list[Issue]]:
    content = [name for name in table.columns if name not in ("source_file", "source_row")]
    # Most keys stand alone, so that few records are compared whole.
    repeats = text.duplicated(list(table.key), keep=False).to_numpy(copy=True)
    repeats[repeats] = text[repeats].duplicated(content)
    issues = issues_at(
        text,
        table,
        np.flatnonzero(repeats),
        field=table.key[0],
        rule="S08",
        severity="note",
        action="set_aside",
        message="the same record twice",
    )
    kept = text[~repeats].reset_index(drop=True)
    twice = np.flatnonzero(kept.duplicated(list(table.key)).to_numpy())
    message = f"the key {', '.join(table.key)} is given twice with different content"
    return kept, issues + issues_at(
        kept, table, twice, field=table.key[0], rule="S08", severity="stop", action="keep", message=message
    )


def _dangling(
    tables: Mapping[str, pd.DataFrame],
    spec: Spec,
    known: Mapping[str, pd.DataFrame],
    incomplete: Collection[str],
) -> list[Issue]:
    issues = []
    for name, text in tables.items():
        for key in spec.table(name).schema_.foreignKeys:
            (field,), parent, (target,) = key.fields, key.reference.resource, key.reference.fields
            if parent not in known:
                raise DataError(f"table {name}: its keys point to {parent}, which is not given.")
            if parent in incomplete:
                continue
            codes, distinct = parts(text[field])
            bad = ~are_missing(distinct) & ~pd.Series(distinct).isin(known[parent][target])
            issues += issues_at(
                text,
                spec.table(name),
                np.flatnonzero(bad.to_numpy()[codes]),
                field=field,
                rule="S09",
                severity="stop",
                action="keep",
                message=f"no such {field} in table {parent}",
            )
    return issues


def _judge(text: pd.DataFrame, rule: Rule, context: Context) -> tuple[np.ndarray, list[Issue]]:
    rows = broken(rule, context)
    return rows, issues_at(
        text,
        context.spec.table(rule.table),
        rows,
        field=rule.column,
        rule=rule.id,
        severity=rule.severity,
        action=rule.action,
        message=rule.message,
    )


def _apply(
    text: pd.DataFrame, values: pd.DataFrame, rows: np.ndarray, rule: Rule, spec: Spec
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The table as text and typed, without the rows or their cells."""
    if rule.action == "set_aside":
        return tuple(each.drop(index=rows).reset_index(drop=True) for each in (text, values))
    text = text.copy()
    text[rule.column] = put(text[rule.column], rows, REFUSED)
    return text, typed(text, spec.table(rule.table))

"""The baseline table: families and children as they were, by arm or pooled, without tests."""

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.present import format as fmt
from analysis.present.reading import arm_name, count, label, one, values_of
from analysis.present.request import Request
from analysis.present.table_form import Cell, Row, Table, numbers
from analysis.results import Result, select
from analysis.spec.declarations import Spec
from analysis.spec.sap import REMOVED_BEFORE, Variable
from analysis.spec.visit_outcomes import NOT_DUE

UNITS = {"family": "Families", "child": "Children"}
MEASURES = {"mean": "mean (SD); n", "median": "median (quartiles); n", "counts": "n (%)"}
DATED = {
    "before": "Dated on or before randomisation",
    "after": "Dated after randomisation, or without a date",
}
CONVENTIONS = (
    "Percentages are of those with a known value",
    "Differences at baseline are described and not tested",
)


@dataclass(frozen=True, slots=True)
class _Block:
    """One variable of the table: the plan's entry and where its numbers stand."""

    variable: Variable
    name: str
    result: Result
    arms: tuple[str, ...]

    def where(self, arm: str) -> dict[str, str]:
        return {"variable": self.name, "arm": arm, "unit": self.variable.unit}


def tabulate_baseline(request: Request) -> Table:
    """One block per variable of the plan: levels with n (%), a mean or a median; then what is missing."""
    return request.table(
        stub="Characteristic",
        columns=[_heading(arm, request.fitted) for arm in request.arms],
        rows=request.rows(_rows),
        conventions=CONVENTIONS,
    )


def _heading(arm: str, fitted: Sequence[Result]) -> str:
    if not fitted:
        return arm_name(arm)
    sizes = [count(fitted[0], "units", unit=unit, arm=arm) for unit in ("family", "child")]
    return f"{arm_name(arm)}\n{fmt.families(sizes[0])}\n{fmt.children(sizes[1])}"


def _rows(result: Result, request: Request) -> list[Row]:
    rows: list[Row] = []
    spec = request.spec
    for unit, heading in UNITS.items():
        blocks = [
            _Block(variable, variable.column or variable.parameter, result, request.arms)
            for variable in spec.analyses[result.analysis].variables
            if variable.unit == unit
        ]
        rows.append(Row(heading, kind="group"))
        for block in blocks:
            rows += _levels(block, spec) if block.variable.summary == "counts" else _summary(block, spec)
            rows += _missing(block, spec)
    return rows


def _title(block: _Block, spec: Spec) -> str:
    measure = MEASURES[block.variable.summary]
    if block.variable.parameter:
        visit = next(each.label for each in spec.trial.visits if each.id == block.variable.visit)
        return f"{label(spec, 'parameter', block.name)} ({visit.lower()}), {measure}"
    if block.variable.title:
        return f"{block.variable.title}, {measure}"
    declared = {field.name: field for field in spec.table("subjects").fields}
    field = declared[block.name]
    return f"{field.title}{f' ({field.unit})' if field.unit else ''}, {measure}"


def _levels(block: _Block, spec: Spec) -> list[Row]:
    rows = [Row(_title(block, spec), kind="group", indent=1)]
    for level in _level_names(block, spec):
        cells = tuple(_level_cell(block, arm, level) for arm in block.arms)
        rows.append(Row(_level_label(block, level, spec), cells, indent=2))
    return rows


def _level_names(block: _Block, spec: Spec) -> list[str]:
    """Levels of the code list, absent ones included, then any other in the order of the result."""
    listed = list(spec.codelists[name]) if (name := _codelist(block, spec)) else []
    here = select(block.result.counts, name="n", variable=block.name, unit=block.variable.unit)
    return list(dict.fromkeys([*listed, *values_of(here, "level")]))


def _codelist(block: _Block, spec: Spec) -> str | None:
    return next((field.codelist for field in spec.table("subjects").fields if field.name == block.name), None)


def _level_label(block: _Block, level: str, spec: Spec) -> str:
    name = _codelist(block, spec)
    return label(spec, name, level) if name else level


def _level_cell(block: _Block, arm: str, level: str) -> Cell:
    n = count(block.result, "n", level=level, **block.where(arm)) or 0
    known = sum(each.value for each in select(block.result.counts, name="n", **block.where(arm)))
    return Cell(fmt.part(n, known), numbers(n=n, known=known), block.result.analysis, "n")


def _summary(block: _Block, spec: Spec) -> list[Row]:
    read = _mean if block.variable.summary == "mean" else _median
    rows = [Row(_title(block, spec), tuple(read(block, arm) for arm in block.arms), indent=1)]
    here = select(block.result.counts, name="n_dated", variable=block.name)
    for dated in values_of(here, "dated"):
        cells = tuple(read(block, arm, suffix="_dated", dated=dated) for arm in block.arms)
        rows.append(Row(DATED[dated], cells, indent=2))
    return rows


def _estimate(block: _Block, arm: str, name: str, **labels: str) -> float | None:
    found = one(block.result.estimates, name, **block.where(arm), **labels)
    return None if found is None else found.value


def _mean(block: _Block, arm: str, *, suffix: str = "", **labels: str) -> Cell:
    mean, sd = (_estimate(block, arm, f"{name}{suffix}", **labels) for name in ("mean", "sd"))
    n = count(block.result, f"n{suffix}", **block.where(arm), **labels)
    text = fmt.with_size(fmt.mean_sd(mean, sd), n)
    return Cell(text, numbers(mean=mean, sd=sd, n=n), block.result.analysis, "mean (SD)")


def _median(block: _Block, arm: str, *, suffix: str = "", **labels: str) -> Cell:
    found = [_estimate(block, arm, f"{name}{suffix}", **labels) for name in ("median", "q1", "q3")]
    values = dict(zip(("median", "q1", "q3"), found, strict=True))
    n = count(block.result, f"n{suffix}", **block.where(arm), **labels)
    text = fmt.with_size(fmt.median_quartiles(*found), n)
    return Cell(text, numbers(**values, n=n), block.result.analysis, "median (quartiles)")


def _missing(block: _Block, spec: Spec) -> list[Row]:
    here = select(block.result.counts, name="missing", variable=block.name, unit=block.variable.unit)
    rows = []
    for reason in values_of((each for each in here if each.value), "reason"):
        cells = tuple(_missing_cell(block, arm, reason) for arm in block.arms)
        rows.append(Row(_reason_name(reason, spec), cells, indent=2))
    return rows


def _reason_name(reason: str, spec: Spec) -> str:
    """Why there is no value; one that was not due, or no longer, is not missing."""
    if reason == REMOVED_BEFORE:
        return f"{reason[0].upper()}{reason[1:]}"
    name = label(spec, "missing_reason", reason)
    return name if reason in NOT_DUE else f"Missing: {name.lower()}"


def _missing_cell(block: _Block, arm: str, reason: str) -> Cell:
    n = count(block.result, "missing", reason=reason, **block.where(arm)) or 0
    return Cell(fmt.whole(n), numbers(n=n), block.result.analysis, "missing")

"""Two tables that a cluster trial adds: averages over children and families, and variances at both levels."""

from analysis.present import format as fmt
from analysis.present.reading import arm_name, decimals_of, label, one, values_of
from analysis.present.request import Request
from analysis.present.table_cells import (
    ANALYSED_OF_DUE,
    df_cell,
    estimate_cell,
    mean_cell,
    p_cell,
    size_rows,
    value_of,
)
from analysis.present.table_form import Cell, Row, Table, numbers
from analysis.results import Result

AVERAGES_CONVENTIONS = (
    ANALYSED_OF_DUE,
    "Means and SDs are raw: over children, and over families each with the mean of its children",
)
VARIANCES_CONVENTIONS = (
    "Variances are those left after the covariates, in squared points of the scale",
    "ICC: share of the variance between families; it has no interval where each group has its own, which "
    "would need a profile of the other group's variances",
)
AVERAGES = (("child", "Average over children"), ("family", "Average over families"))
INFORMATIVE = "Children less families: informative sibling-group size"
COMPONENTS = (("family", "Between families"), ("residual", "Between children of a family"))


def tabulate_averages(request: Request) -> Table:
    """Per analysis: sizes, the adjusted difference over children and over families, and their difference."""
    difference = f"Adjusted difference\n{request.contrast} ({request.level})"
    return request.table(
        stub="Analysis",
        columns=[*map(arm_name, request.arms), difference, "df", "P"],
        rows=request.blocks(_averages),
        conventions=AVERAGES_CONVENTIONS,
    )


def tabulate_variances(request: Request) -> Table:
    """Per analysis, and per group that has its own: variances between and within families, and their ICC."""
    return request.table(
        stub="Analysis",
        columns=[*(name for _, name in COMPONENTS), f"ICC\n({request.level})"],
        rows=request.rows(_variances),
        conventions=VARIANCES_CONVENTIONS,
    )


def _averages(item: Result, request: Request) -> list[Row]:
    decimals = decimals_of(request.spec.analyses[item.analysis].outcome.parameter, request.spec)
    rows = size_rows(item, request, len(request.arms) + 3)
    for average, name in AVERAGES:
        means = (mean_cell(item, arm, decimals, average=average) for arm in request.arms)
        effect = _effect(item, "difference", decimals + 1, average=average)
        rows.append(Row(f"{name}, mean (SD)", (*means, *effect), indent=1))
    blank = (Cell(""),) * len(request.arms)
    rows.append(Row(INFORMATIVE, (*blank, *_effect(item, "informative_size", decimals + 1)), indent=1))
    return rows


def _effect(item: Result, name: str, decimals: int, **labels: str) -> tuple[Cell, ...]:
    found = one(item.estimates, name, **labels)
    return estimate_cell(item, found, decimals, name), df_cell(item, found), p_cell(item, found)


def _variances(item: Result, request: Request) -> list[Row]:
    by = request.spec.analyses[item.analysis].by
    groups = values_of(item.estimates, "group")
    if not by:
        return [Row(request.name(item), _of_group(item))]
    named = [Row(_group_name(each, by, request), _of_group(item, group=each), indent=1) for each in groups]
    return [Row(request.name(item), kind="group"), *named]


def _group_name(group: str, by: str, request: Request) -> str:
    return arm_name(group) if by == "arm" else label(request.spec, by, group)


def _of_group(item: Result, **labels: str) -> tuple[Cell, ...]:
    cells = []
    for component, name in COMPONENTS:
        value = value_of(one(item.estimates, "variance", component=component, **labels), "value")
        cells.append(Cell(fmt.number(value, fmt.MEAN), numbers(value=value), item.analysis, name.lower()))
    icc = one(item.estimates, "icc", **labels)
    return (*cells, estimate_cell(item, icc, fmt.CORRELATION, "ICC"))

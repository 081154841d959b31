"""Tables of one effect per analysis: differences in means and hazard ratios."""

from collections.abc import Sequence
from functools import partial

from analysis.present import format as fmt
from analysis.present.reading import arm_name, count, decimals_of, horizon_name, one
from analysis.present.request import Request
from analysis.present.table_cells import ANALYSED_OF_DUE, df_cell, estimate_cell, mean_cell, p_cell, size_rows
from analysis.present.table_form import Cell, Row, Span, Table, numbers
from analysis.results import Result, select

MEANS_CONVENTIONS = (
    ANALYSED_OF_DUE,
    "Means and SDs are raw; adjusted means and their difference are as the method says",
    "ICC: correlation of two children of one family, given the covariates",
)
BY_GROUP = "one per group"
SIZES = ("events", "children", "families")
HAZARDS_CONVENTIONS = (
    "A ratio above 1 means that permanence is reached sooner",
    "Events are children with the event by the day named",
)
SELECTED_CONVENTIONS = (
    "Not randomised: these children were selected by what happened after randomisation, which the service may"
    " have changed; the ratio compares them as they are and is no effect of the service",
    "Events are children with the event by the day named, counted from the day the wait began",
)


def tabulate_means(request: Request) -> Table:
    """Per analysis: analysed and due, raw and adjusted means, their difference, df, P, ICC."""
    difference = f"Adjusted difference\n{request.contrast} ({request.level})"
    return request.table(
        stub="Analysis",
        columns=[*map(arm_name, request.arms), difference, "df", "P", f"ICC\n({request.level})"],
        rows=request.blocks(_means_rows),
        conventions=MEANS_CONVENTIONS,
    )


def tabulate_hazards(request: Request) -> Table:
    """Per analysis: children with the event, children and families by arm, hazard ratio and P."""
    return _hazards(request, HAZARDS_CONVENTIONS, is_tested=True)


def tabulate_selected_hazards(request: Request) -> Table:
    """The same, without P, of children whom something after randomisation selected, and said to be so."""
    return _hazards(request, SELECTED_CONVENTIONS, is_tested=False)


def _hazards(request: Request, conventions: Sequence[str], *, is_tested: bool) -> Table:
    compared = [f"Hazard ratio\n({request.level})", *(["P"] if is_tested else [])]
    return request.table(
        stub="Analysis",
        spans=[
            *(Span(arm_name(arm), len(SIZES)) for arm in request.arms),
            Span(request.ratio, len(compared)),
        ],
        columns=[*(name.capitalize() for _ in request.arms for name in SIZES), *compared],
        rows=request.rows(partial(_hazard_rows, is_tested=is_tested)),
        conventions=conventions,
    )


def _means_rows(item: Result, request: Request) -> list[Row]:
    decimals = decimals_of(request.spec.analyses[item.analysis].outcome.parameter, request.spec)
    means = (mean_cell(item, arm, decimals) for arm in request.arms)
    return [
        *size_rows(item, request, len(request.arms) + 4),
        Row("Mean (SD)", (*means, *(Cell(""),) * 4), indent=1),
        Row(
            f"Adjusted mean ({request.level})",
            (
                *(_adjusted_mean(item, arm, decimals) for arm in request.arms),
                *_difference(item, decimals + 1),
            ),
            indent=1,
        ),
    ]


def _adjusted_mean(result: Result, arm: str, decimals: int) -> Cell:
    return estimate_cell(result, one(result.estimates, "adjusted_mean", arm=arm), decimals, "adjusted mean")


def _difference(result: Result, decimals: int) -> tuple[Cell, ...]:
    found = one(result.estimates, "difference")
    return (
        estimate_cell(result, found, decimals, "adjusted difference"),
        df_cell(result, found),
        p_cell(result, found),
        _icc(result),
    )


def _icc(result: Result) -> Cell:
    """The correlation within families; a model with one for each group has them in a table of their own."""
    found = select(result.estimates, name="icc")
    if any("group" in each.labels for each in found):
        return Cell(BY_GROUP, {}, result.analysis, "ICC")
    return estimate_cell(result, one(found, "icc"), fmt.CORRELATION, "ICC")


def _hazard_rows(item: Result, request: Request, *, is_tested: bool) -> list[Row]:
    sizes = [
        Cell(fmt.whole(n), numbers(n=n), item.analysis, name)
        for arm in request.arms
        for name in SIZES
        for n in (count(item, name, arm=arm),)
    ]
    ratio = one(item.estimates, "hazard_ratio")
    stub = f"{request.name(item)}, {horizon_name(item, request.spec)}"
    effect = estimate_cell(item, ratio, fmt.RATIO, "hazard ratio")
    tested = (p_cell(item, ratio),) if is_tested else ()
    return [Row(stub, (*sizes, effect, *tested))]

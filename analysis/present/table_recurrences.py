"""Tables of events that can happen again: how many, to how many, and how they compare."""

from analysis.present import format as fmt
from analysis.present.reading import arm_name, count, one, values_of
from analysis.present.request import Request
from analysis.present.table_cells import named_cell
from analysis.present.table_form import Cell, Row, Table, numbers
from analysis.results import Result, select

COUNT = 3
CONVENTIONS = (
    "Mean number of events per child, or per family, up to the day; who never has one counts with 0",
    "Differences are of mean numbers; the ratio is of rates up to the last day",
    "Sensitivity and supplementary analyses are shown at the last day only; all days are in the results",
)


def tabulate_recurrences(request: Request) -> Table:
    """Per analysis: events and units with any, mean number by day with difference, ratio of rates."""
    compared = [f"Difference {request.contrast}\n({request.level})"] if request.contrast else []
    return request.table(
        stub="Analysis and time since randomisation",
        columns=[*(f"{arm_name(arm)}\n({request.level})" for arm in request.arms), *compared],
        rows=request.blocks(_rows),
        conventions=CONVENTIONS,
    )


def _rows(item: Result, request: Request) -> list[Row]:
    entry = request.spec.analyses[item.analysis]
    days = values_of(select(item.estimates, name="mean_count"), "day")
    shown = days[-1:] if entry.is_beside_the_main else days
    return [
        _events_row(item, request, entry.level),
        *(_day_row(item, request, day) for day in shown),
        *_ratio_row(item, request),
    ]


def _events_row(result: Result, request: Request, level: str) -> Row:
    cells = []
    for arm in request.arms:
        events, any_event, units = (
            count(result, name, arm=arm) for name in ("events", "units_with_event", "units")
        )
        of = fmt.children(units) if level == "child" else fmt.families(units)
        text = f"{fmt.whole(events)}; {fmt.whole(any_event)} of {of}"
        cells.append(
            Cell(text, numbers(events=events, any=any_event, units=units), result.analysis, "events")
        )
    blank = (Cell(""),) if request.contrast else ()
    return Row("Events; with any, of those followed", (*cells, *blank), indent=1)


def _day_row(result: Result, request: Request, day: str) -> Row:
    cells = [
        named_cell(result, one(result.estimates, "mean_count", arm=arm, day=day), _number)
        for arm in request.arms
    ]
    gap = one(result.estimates, "mean_count_difference", day=day)
    compared = (named_cell(result, gap, _number),) if request.contrast else ()
    return Row(f"Mean number by {fmt.day_name(float(day))}", (*cells, *compared), indent=1)


def _ratio_row(result: Result, request: Request) -> list[Row]:
    found = one(result.estimates, "rate_ratio")
    if not request.contrast:
        return []
    blank = (Cell(""),) * len(request.arms)
    return [Row(f"Ratio of rates {request.ratio}", (*blank, named_cell(result, found, _ratio)), indent=1)]


def _number(value: float | None, low: float | None, high: float | None) -> str:
    return fmt.estimate(value, low, high, COUNT)


def _ratio(value: float | None, low: float | None, high: float | None) -> str:
    return fmt.estimate(value, low, high, fmt.RATIO)

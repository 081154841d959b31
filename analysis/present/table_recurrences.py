"""Tables of events that can happen again: how many, to how many, and how they compare."""

from analysis.present import format as fmt
from analysis.present.reading import arm_name, count, one, values_of
from analysis.present.request import Request
from analysis.present.table_cells import named_cell
from analysis.present.table_form import Cell, Row, Table, numbers
from analysis.results import Estimate, Result, select
from analysis.spec.declarations import Spec

COUNT = 3
FEW = "too few events"
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
        conventions=(*CONVENTIONS, few_events(request.spec)) if compared else CONVENTIONS,
    )


def few_events(spec: Spec) -> str:
    """What is shown where events are few."""
    return (
        f"With fewer than {spec.trial.few_events} events in an arm the ratio is that of crude rates, with "
        "exact limits that take events as independent; a ratio by a model is not to be relied on there"
    )


def are_few(result: Result, spec: Spec) -> bool:
    """Whether an arm has fewer events than the plan asks of a ratio by a model."""
    numbers_by_arm = [each.value for each in select(result.counts, name="events") if "arm" in each.labels]
    return min(numbers_by_arm, default=0) < spec.trial.few_events


def shown_ratio(result: Result, spec: Spec) -> tuple[str, Estimate | None]:
    """The ratio of rates that the plan lets stand, with its name."""
    if are_few(result, spec):
        return "ratio of crude rates, few events, exact", one(result.estimates, "crude_rate_ratio")
    return "ratio of rates", one(result.estimates, "rate_ratio")


def _rows(item: Result, request: Request) -> list[Row]:
    entry = request.spec.analyses[item.analysis]
    days = values_of(select(item.estimates, name="mean_count"), "day")
    shown = days[-1:] if entry.is_beside_the_main else days
    return [
        _events_row(item, request, entry.level),
        *(_day_row(item, request, day) for day in shown),
        _rate_row(item, request, entry.level),
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


def _rate_row(result: Result, request: Request, level: str) -> Row:
    def shown(value: float | None, low: float | None, high: float | None) -> str:
        return fmt.number(value, fmt.RATE)

    cells = [named_cell(result, one(result.estimates, "crude_rate", arm=arm), shown) for arm in request.arms]
    blank = (Cell(""),) if request.contrast else ()
    return Row(f"Rate per 100 {level}-years", (*cells, *blank), indent=1)


def _ratio_row(result: Result, request: Request) -> list[Row]:
    name, found = shown_ratio(result, request.spec)
    if not request.contrast:
        return []
    blank = (Cell(""),) * len(request.arms)
    name = f"{name[0].upper()}{name[1:]}, {request.ratio}"
    return [Row(name, (*blank, named_cell(result, found, ratio_text)), indent=1)]


def _number(value: float | None, low: float | None, high: float | None) -> str:
    return fmt.estimate(value, low, high, COUNT)


def ratio_text(value: float | None, low: float | None, high: float | None) -> str:
    """A ratio with its limits; without an event in the second arm there is a lower limit alone."""
    if value is None and low:
        return f"at least {fmt.number(low, fmt.RATIO)}"
    return fmt.estimate(value, low, high, fmt.RATIO)

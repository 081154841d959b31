"""Tables of what happens over time: probabilities of an event by day, and days spent in each state."""

from collections.abc import Callable

from analysis.present import format as fmt
from analysis.present.reading import arm_name, count, label, one, values_of
from analysis.present.request import Request
from analysis.present.table_cells import named_cell, p_cell
from analysis.present.table_form import Cell, Row, Table, numbers
from analysis.results import Estimate, Result, select
from analysis.spec.declarations import Spec
from analysis.spec.states import DIED

ANY, ANY_LABEL = "any", "Any route"
FAMILY_HOME, FAMILY_HOME_LABEL = "family_home", "In a permanent family home"
PROBABILITY_CONVENTIONS = (
    "Probabilities in per cent, differences in percentage points",
    "No interval is given where nobody had the event",
    "Sensitivity and supplementary analyses are shown at the last day only; all days are in the results",
)
NOBODY_DIED = "Nobody died, so death has no rows"
DAYS_CONVENTIONS = (
    "Mean days per child to the last day of the plan, from randomisation unless the name says otherwise",
    "Single states are described, without P values",
)


def tabulate_probabilities(request: Request) -> Table:
    """Per analysis and cause: events, and the probability by each day of the plan with its difference."""
    return request.table(
        stub="Analysis, route and time (since randomisation unless the name says otherwise)",
        columns=probability_columns(request),
        rows=request.blocks(_probability_rows),
        conventions=(*PROBABILITY_CONVENTIONS, *said_of_death(request, "probability", "cause")),
    )


def tabulate_days(request: Request) -> Table:
    """Per analysis: mean days in a permanent family home and in each state, with their difference."""
    return request.table(
        stub="Analysis and state",
        columns=[*_columns(request, "days"), *(["P"] if request.contrast else [])],
        rows=request.blocks(_days_rows),
        conventions=(*DAYS_CONVENTIONS, *said_of_death(request, "days_in_state", "state")),
    )


def cause_label(cause: str, spec: Spec) -> str:
    """A cause, or all causes together, in words."""
    return ANY_LABEL if cause == ANY else label(spec, "state", cause)


def state_label(state: str, spec: Spec) -> str:
    """A state, or the family-home states together, in words."""
    return FAMILY_HOME_LABEL if state == FAMILY_HOME else label(spec, "state", state)


def probability_columns(request: Request) -> list[str]:
    """Arms, and the difference between them in percentage points."""
    return _columns(request, "percentage points")


def _columns(request: Request, unit: str) -> list[str]:
    compared = [f"Difference {request.contrast}\n{unit} ({request.level})"] if request.contrast else []
    return [*(f"{arm_name(arm)}\n({request.level})" for arm in request.arms), *compared]


def _probability_rows(result: Result, request: Request) -> list[Row]:
    days = values_of(select(result.estimates, name="probability"), "day")
    causes = shown_values(result, "probability", "cause")
    if request.spec.analyses[result.analysis].is_beside_the_main:
        return [_last_row(result, request, cause, days[-1]) for cause in causes if days]
    rows = []
    for cause in causes:
        rows.append(Row(cause_label(cause, request.spec), kind="group", indent=1))
        for day in days:
            cells = probability_cells(result, request, "probability", "risk_difference", cause=cause, day=day)
            rows.append(Row(fmt.day_name(float(day)), cells, indent=2))
        rows.append(_events_row(result, request, cause))
    return rows + _free_rows(result, request)


def _last_row(result: Result, request: Request, cause: str, day: str) -> Row:
    stub = f"{cause_label(cause, request.spec)}, {fmt.day_name(float(day))}"
    cells = probability_cells(result, request, "probability", "risk_difference", cause=cause, day=day)
    return Row(stub, cells, indent=1)


def _days_rows(result: Result, request: Request) -> list[Row]:
    hidden = {DIED} if nobody_died(result, "days_in_state", "state") else set()
    states = [each for each in request.spec.states.states if each not in hidden]
    return [_days_row(result, request, state) for state in (FAMILY_HOME, *states)]


def nobody_died(result: Result, name: str, key: str) -> bool:
    """Whether every such number of the dead is 0, so that rows of them would say nothing."""
    found = select(result.estimates, name=name, **{key: DIED})
    return bool(found) and not any(each.value for each in found)


def shown_values(result: Result, name: str, key: str) -> list[str]:
    """Causes or states that have rows: all, but death when nobody died."""
    hidden = {DIED} if nobody_died(result, name, key) else set()
    return [each for each in values_of(select(result.estimates, name=name), key) if each not in hidden]


def said_of_death(request: Request, name: str, key: str) -> tuple[str, ...]:
    """The convention that stands for the rows left out."""
    return (NOBODY_DIED,) if any(nobody_died(each, name, key) for each in request.fitted) else ()


def probability_cells(
    result: Result, request: Request, name: str, difference: str, **where: str
) -> tuple[Cell, ...]:
    """A probability by arm with its interval, and the difference where arms are compared."""
    cells = [
        named_cell(result, one(result.estimates, name, arm=arm, **where), fmt.percentage_estimate)
        for arm in request.arms
    ]
    gap = one(result.estimates, difference, **where)
    return (*cells, *_gap(result, request, gap, fmt.points))


def _events_row(result: Result, request: Request, cause: str) -> Row:
    counts = [count(result, "events", arm=arm, cause=cause) for arm in request.arms]
    cells = [
        Cell(_of_children(n, count(result, "children", arm=arm)), numbers(n=n), result.analysis, "events")
        for arm, n in zip(request.arms, counts, strict=True)
    ]
    return Row("Children with the event in all follow-up", (*cells, *_blank(request)), indent=2)


def _of_children(n: int | None, children: int | None) -> str:
    return f"{fmt.whole(n)} of {fmt.whole(children)}"


def _free_rows(result: Result, request: Request) -> list[Row]:
    if not select(result.estimates, name="restricted_mean"):
        return []
    cells = [
        named_cell(result, one(result.estimates, "restricted_mean", arm=arm), _days) for arm in request.arms
    ]
    gap = _gap(result, request, one(result.estimates, "restricted_mean_difference"), _days)
    name = f"Mean days before the event, to day {request.spec.trial.horizon_days} (difference in days)"
    return [Row(name, (*cells, *gap), indent=1)]


def _days_row(result: Result, request: Request, state: str) -> Row:
    cells = [
        named_cell(result, one(result.estimates, "days_in_state", arm=arm, state=state), _days)
        for arm in request.arms
    ]
    found = one(result.estimates, "days_difference", state=state)
    is_main = state == FAMILY_HOME
    gap = (*_gap(result, request, found, _days), *_p_of_main(result, request, found, is_main=is_main))
    return Row(state_label(state, request.spec), (*cells, *gap), indent=1)


def _p_of_main(
    result: Result, request: Request, found: Estimate | None, *, is_main: bool
) -> tuple[Cell, ...]:
    """A P value for the days of the estimand only; single states are described."""
    if not request.contrast:
        return ()
    return (p_cell(result, found) if is_main else Cell(""),)


def _gap(result: Result, request: Request, found: Estimate | None, show: Callable) -> tuple[Cell, ...]:
    return (named_cell(result, found, show),) if request.contrast else ()


def _blank(request: Request) -> tuple[Cell, ...]:
    return (Cell(""),) if request.contrast else ()


def _days(value: float | None, low: float | None, high: float | None) -> str:
    return fmt.estimate(value, low, high, fmt.DAYS)

"""The lines of the first page's table: what is shown by arm, what the effect is called, and the effect."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from analysis.present import format as fmt
from analysis.present.reading import count, decimals_of, horizon_name, label, one, values_of
from analysis.present.request import Request
from analysis.present.table_recurrences import FEW, are_few, ratio_text, shown_ratio
from analysis.present.table_times import ANY, FAMILY_HOME, FAMILY_HOME_LABEL, cause_label
from analysis.results import Estimate, Result, select

POINTS = "difference in percentage points"
MEAN_SD = "mean (SD); n"


@dataclass(frozen=True, slots=True)
class Line:
    """One line: what is shown by arm, what the effect is called, and the effect.

    `alone` is the measure where no heading stands above, if that is not the title of the estimand before it.
    """

    measure: str
    texts: tuple[str, ...]
    effect_name: str
    effect: Estimate | None
    show: Callable[[Estimate], str]
    alone: str = ""


def _value(found: Estimate | None) -> float | None:
    return found.value if found else None


def _means(
    result: Result, request: Request, decimals: int, counted: dict[str, str], **where: str
) -> tuple[str, ...]:
    """Raw mean (SD) by arm, with the children analysed."""
    found = []
    for arm in request.arms:
        pair = (_value(one(result.estimates, name, arm=arm, **where)) for name in ("mean", "sd"))
        n = count(result, "children", arm=arm, **counted)
        found.append(fmt.with_size(fmt.mean_sd(*pair, decimals), n))
    return tuple(found)


def _mixed(result: Result, request: Request) -> list[Line]:
    parameter = request.spec.analyses[result.analysis].outcome.parameter
    decimals = decimals_of(parameter, request.spec)
    texts = _means(result, request, decimals, {"set": "analysed"})
    gap = one(result.estimates, "difference")
    measure = f"{label(request.spec, 'parameter', parameter)}, {MEAN_SD}"
    return [Line(measure, texts, "adjusted difference", gap, _shown(decimals + 1))]


def _averages(result: Result, request: Request) -> list[Line]:
    parameter = request.spec.analyses[result.analysis].outcome.parameter
    decimals = decimals_of(parameter, request.spec)
    texts = _means(result, request, decimals, {"set": "analysed"}, average="family")
    gap = one(result.estimates, "difference", average="family")
    measure = f"{label(request.spec, 'parameter', parameter)}, mean of families (SD); n"
    return [Line(measure, texts, "adjusted difference", gap, _shown(decimals + 1))]


def _binary(result: Result, request: Request) -> list[Line]:
    texts = tuple(
        fmt.part(count(result, "events", arm=arm), count(result, "children", arm=arm, set="analysed"))
        for arm in request.arms
    )
    gap = one(result.estimates, "risk_difference")
    return [Line("Children with the event, n (%)", texts, f"standardised {POINTS}", gap, _points)]


def _course(result: Result, request: Request) -> list[Line]:
    entry = request.spec.analyses[result.analysis]
    decimals = decimals_of(entry.parameter, request.spec)
    names = {each.id: each.label for each in request.spec.trial.visits}
    lines = []
    for visit in entry.visits:
        texts = _means(result, request, decimals, {"visit": visit}, visit=visit)
        gap = one(result.estimates, "difference", visit=visit)
        measure = f"{label(request.spec, 'parameter', entry.parameter)} at {names[visit]}, {MEAN_SD}"
        lines.append(Line(measure, texts, "adjusted difference", gap, _shown(decimals + 1)))
    return lines


def _hazard(result: Result, request: Request) -> list[Line]:
    texts = tuple(
        f"{fmt.whole(count(result, 'events', arm=arm))} of {fmt.whole(count(result, 'children', arm=arm))}"
        for arm in request.arms
    )
    ratio = one(result.estimates, "hazard_ratio")
    measure = f"Children with the event {horizon_name(result, request.spec)}"
    show = _shown(fmt.RATIO) if not are_few(result, request.spec) else lambda _: FEW
    return [Line(measure, texts, "hazard ratio", ratio, show)]


def _incidence(result: Result, request: Request) -> list[Line]:
    days = values_of(select(result.estimates, name="probability"), "day")
    causes = values_of(select(result.estimates, name="probability"), "cause")
    wanted = [each for each in causes if each == ANY or each in request.spec.states.permanent]
    return [*(_route(result, request, cause, days[-1]) for cause in wanted), *_free_days(result, request)]


def _free_days(result: Result, request: Request) -> list[Line]:
    gap = one(result.estimates, "restricted_mean_difference")
    found = [one(result.estimates, "restricted_mean", arm=arm) for arm in request.arms]
    if not all(found):
        return []
    texts = tuple(fmt.number(each.value, fmt.DAYS) for each in found)
    measure = f"Mean days before the event, to day {request.spec.trial.horizon_days}"
    return [Line(measure, texts, "difference in days", gap, _shown(fmt.DAYS))]


def _route(result: Result, request: Request, cause: str, day: str) -> Line:
    where = {"cause": cause, "day": day}
    texts = tuple(
        fmt.percentage(_value(one(result.estimates, "probability", arm=arm, **where))) for arm in request.arms
    )
    measure = f"{cause_label(cause, request.spec)} by {fmt.months(float(day))} months"
    gap = one(result.estimates, "risk_difference", **where)
    return Line(measure, texts, POINTS, gap, _points)


def _occupation(result: Result, request: Request) -> list[Line]:
    texts = tuple(
        fmt.number(_value(one(result.estimates, "days_in_state", arm=arm, state=FAMILY_HOME)), fmt.DAYS)
        for arm in request.arms
    )
    gap = one(result.estimates, "days_difference", state=FAMILY_HOME)
    measure = f"{FAMILY_HOME_LABEL}, mean days to day {request.spec.analyses[result.analysis].horizon_days}"
    return [Line(measure, texts, "difference", gap, _shown(fmt.DAYS), alone=measure)]


def _routes(result: Result, request: Request) -> list[Line]:
    lines = []
    for found in select(result.estimates, name="hazard_ratio"):
        cause = found.labels["cause"]
        texts = tuple(
            f"{fmt.whole(count(result, 'events', arm=arm, cause=cause))} of "
            f"{fmt.whole(count(result, 'children', arm=arm))}"
            for arm in request.arms
        )
        measure = f"{cause_label(cause, request.spec)}, in all follow-up"
        other = one(result.estimates, "subdistribution_hazard_ratio", cause=cause)
        for name, ratio in (("cause-specific", found), ("subdistribution", other)):
            lines.append(Line(measure, texts, f"{name} hazard ratio", ratio, _shown(fmt.RATIO)))
    return lines


def _recurrence(result: Result, request: Request) -> list[Line]:
    """Events and crude rates beside the ratio, which is of rates too: means by a day can point elsewhere."""
    entry = request.spec.analyses[result.analysis]
    texts = tuple(
        f"{fmt.whole(count(result, 'events', arm=arm))} "
        f"({fmt.number(_value(one(result.estimates, 'crude_rate', arm=arm)), fmt.RATE)})"
        for arm in request.arms
    )
    measure = f"Events to day {max(entry.days)} (rate per 100 {entry.level}-years)"
    name, ratio = shown_ratio(result, request.spec)
    return [Line(measure, texts, name, ratio, lambda found: ratio_text(found.value, found.low, found.high))]


def _harms(result: Result, request: Request) -> list[Line]:
    """Any event, and at the committee's table the kinds that the plan puts on its first page."""
    entry, horizon = request.spec.analyses[result.analysis], request.spec.trial.horizon_days
    kinds = (ANY, *(entry.first_page if request.spec.interim_cut else ()))
    lines = []
    for kind in kinds:
        texts = tuple(
            fmt.part(
                count(result, "families", arm=arm, category=kind), count(result, "at_risk_families", arm=arm)
            )
            for arm in request.arms
        )
        gap = one(result.estimates, "risk_difference", category=kind)
        name = "" if kind == ANY else label(request.spec, "event_category", kind)
        measure = f"Families with {fmt.lower(name) or 'an event'} to day {horizon}, n (%)"
        alone = f"{name}: families to day {horizon}, n (%)" if name else ""
        lines.append(Line(measure, texts, POINTS, gap, _points, alone))
    return lines


def _shown(decimals: int) -> Callable[[Estimate], str]:
    return lambda found: fmt.estimate(found.value, found.low, found.high, decimals)


def _points(found: Estimate) -> str:
    return fmt.points(found.value, found.low, found.high)


READ: Mapping[str, Callable[[Result, Request], list[Line]]] = {
    "mixed": _mixed,
    "averages": _averages,
    "binary": _binary,
    "course": _course,
    "hazard": _hazard,
    "incidence": _incidence,
    "occupation": _occupation,
    "harms": _harms,
    "routes": _routes,
    "recurrence": _recurrence,
}

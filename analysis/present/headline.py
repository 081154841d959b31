"""The first page's table: one line per estimand, from its main analysis."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from analysis.present import format as fmt
from analysis.present.footnotes import TIMINGS, abbreviations, remarks_note
from analysis.present.reading import (
    Found,
    arm_name,
    count,
    decimals_of,
    horizon_name,
    label,
    one,
    results_for,
    values_of,
)
from analysis.present.request import Request, words_of
from analysis.present.table_form import Cell, Footnote, Row, Table, numbers
from analysis.present.table_recurrences import COUNT
from analysis.present.table_times import ANY, FAMILY_HOME, FAMILY_HOME_LABEL, cause_label
from analysis.results import Estimate, Failure, Result, View, select
from analysis.spec.declarations import Spec
from analysis.spec.outputs import report_of
from analysis.spec.sap import Output

TITLE = "Summary of results"
POINTS = "difference in percentage points"
MEAN_SD = "mean (SD); n"
DASH = "\u2013"
PRIMARY = "primary"
CONVENTIONS = (
    "Means with standard deviations are raw, of the n children analysed",
    "Each line says by when its events count; lines of different horizons are different questions",
)
TESTED = (
    "P is given for the primary analysis, which alone tests a hypothesis; the others have a dash here, and "
    "what P values they have in their own tables"
)


@dataclass(frozen=True, slots=True)
class _Line:
    """One line: what is shown by arm, what the effect is called, and the effect."""

    measure: str
    texts: tuple[str, ...]
    effect_name: str
    effect: Estimate | None
    show: Callable[[Estimate], str]


def summarise(results: Mapping[str, Found], spec: Spec, view: View, *, name: str = "S1") -> Table:
    """Per estimand: its measure by arm or pooled and, where arms are compared, the effect and P."""
    mains = tuple(main for each in spec.estimands.values() for main in each.main if main in results)
    output = Output(id=name, kind="means", title=TITLE, analyses=mains, reports=(report_of(view),))
    request = Request(output, results_for(output, results, view), spec, view)
    compared = [f"Effect, {against(request)}\n({request.level})", "P"] if request.contrast else []
    table = request.table(
        stub="Estimand and measure",
        columns=[*map(arm_name, request.arms), *compared],
        rows=[row for item in request.items for row in _rows(item, request)],
        conventions=(*CONVENTIONS, TESTED) if request.contrast else CONVENTIONS,
    )
    return brief(table, request)


def against(request: Request) -> str:
    """The two arms in the order in which they are compared, whatever the measure."""
    return " against ".join(arm_name(arm) for arm in request.arms)


def brief(table: Table, request: Request) -> Table:
    """The table with the lines below it that do not repeat what stands below the tables of each analysis."""
    kept = [note for note in table.footnotes if note.term in ("Data cut", "Denominator", "Conventions")]
    remarks = remarks_note(request.items, request.spec)
    words = (*table.columns, *words_of(table.rows), *(note.text for note in (*kept, *remarks)))
    said = abbreviations(request.items, request.spec, words)
    short = (Footnote("Abbreviations", said),) if said else ()
    return replace(table, footnotes=(*kept, *short, *remarks))


def _rows(item: Found, request: Request) -> list[Row]:
    estimand = request.spec.estimands[request.spec.analyses[item.analysis].estimand]
    is_first = item.analysis == next(each for each in estimand.main if each in request.output.analyses)
    head = [Row(f"{estimand.id} {estimand.title}", kind="group")] if is_first else []
    if isinstance(item, Failure):
        return [*head, request.failed(item)]
    return [*head, *(_row(item, request, line) for line in _READ[item.family](item, request))]


def _row(result: Result, request: Request, line: _Line) -> Row:
    late = f" ({TIMINGS['post_hoc']})" if result.timing == "post_hoc" else ""
    cells = [Cell(text, {}, result.analysis, line.measure) for text in line.texts]
    if not request.contrast:
        return Row(f"{line.measure}{late}", tuple(cells), indent=1)
    found = line.effect
    is_tested = request.spec.analyses[result.analysis].role == PRIMARY
    p = found.p if found and is_tested else None
    full = numbers(value=found.value, low=found.low, high=found.high) if found else {}
    shown = line.show(found) if found else fmt.NOT_ESTIMABLE
    cells.append(Cell(shown, full, result.analysis, line.effect_name))
    tested = fmt.p_value(p) if is_tested else DASH
    cells.append(Cell(tested, numbers(p=p), result.analysis, "P value"))
    return Row(f"{line.measure}; {line.effect_name}{late}", tuple(cells), indent=1)


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


def _mixed(result: Result, request: Request) -> list[_Line]:
    parameter = request.spec.analyses[result.analysis].outcome.parameter
    decimals = decimals_of(parameter, request.spec)
    texts = _means(result, request, decimals, {"set": "analysed"})
    gap = one(result.estimates, "difference")
    measure = f"{label(request.spec, 'parameter', parameter)}, {MEAN_SD}"
    return [_Line(measure, texts, "adjusted difference", gap, _shown(decimals + 1))]


def _averages(result: Result, request: Request) -> list[_Line]:
    parameter = request.spec.analyses[result.analysis].outcome.parameter
    decimals = decimals_of(parameter, request.spec)
    texts = _means(result, request, decimals, {"set": "analysed"}, average="family")
    gap = one(result.estimates, "difference", average="family")
    measure = f"{label(request.spec, 'parameter', parameter)}, mean of families (SD); n"
    return [_Line(measure, texts, "adjusted difference", gap, _shown(decimals + 1))]


def _binary(result: Result, request: Request) -> list[_Line]:
    texts = tuple(
        fmt.part(count(result, "events", arm=arm), count(result, "children", arm=arm, set="analysed"))
        for arm in request.arms
    )
    gap = one(result.estimates, "risk_difference")
    return [_Line("Children with the event, n (%)", texts, f"standardised {POINTS}", gap, _points)]


def _course(result: Result, request: Request) -> list[_Line]:
    entry = request.spec.analyses[result.analysis]
    decimals = decimals_of(entry.parameter, request.spec)
    names = {each.id: each.label for each in request.spec.trial.visits}
    lines = []
    for visit in entry.visits:
        texts = _means(result, request, decimals, {"visit": visit}, visit=visit)
        gap = one(result.estimates, "difference", visit=visit)
        measure = f"{label(request.spec, 'parameter', entry.parameter)} at {names[visit]}, {MEAN_SD}"
        lines.append(_Line(measure, texts, "adjusted difference", gap, _shown(decimals + 1)))
    return lines


def _hazard(result: Result, request: Request) -> list[_Line]:
    texts = tuple(
        f"{fmt.whole(count(result, 'events', arm=arm))} of {fmt.whole(count(result, 'children', arm=arm))}"
        for arm in request.arms
    )
    ratio = one(result.estimates, "hazard_ratio")
    measure = f"Children with the event {horizon_name(result, request.spec)}"
    return [_Line(measure, texts, "hazard ratio", ratio, _shown(fmt.RATIO))]


def _incidence(result: Result, request: Request) -> list[_Line]:
    days = values_of(select(result.estimates, name="probability"), "day")
    causes = values_of(select(result.estimates, name="probability"), "cause")
    wanted = [each for each in causes if each == ANY or each in request.spec.states.permanent]
    return [*(_route(result, request, cause, days[-1]) for cause in wanted), *_free_days(result, request)]


def _free_days(result: Result, request: Request) -> list[_Line]:
    gap = one(result.estimates, "restricted_mean_difference")
    found = [one(result.estimates, "restricted_mean", arm=arm) for arm in request.arms]
    if not all(found):
        return []
    texts = tuple(fmt.number(each.value, fmt.DAYS) for each in found)
    measure = f"Mean days before the event, to day {request.spec.trial.horizon_days}"
    return [_Line(measure, texts, "difference in days", gap, _shown(fmt.DAYS))]


def _route(result: Result, request: Request, cause: str, day: str) -> _Line:
    where = {"cause": cause, "day": day}
    texts = tuple(
        fmt.percentage(_value(one(result.estimates, "probability", arm=arm, **where))) for arm in request.arms
    )
    measure = f"{cause_label(cause, request.spec)} by {fmt.months(float(day))} months"
    gap = one(result.estimates, "risk_difference", **where)
    return _Line(measure, texts, POINTS, gap, _points)


def _occupation(result: Result, request: Request) -> list[_Line]:
    texts = tuple(
        fmt.number(_value(one(result.estimates, "days_in_state", arm=arm, state=FAMILY_HOME)), fmt.DAYS)
        for arm in request.arms
    )
    gap = one(result.estimates, "days_difference", state=FAMILY_HOME)
    horizon = request.spec.analyses[result.analysis].horizon_days
    return [
        _Line(f"{FAMILY_HOME_LABEL}, mean days to day {horizon}", texts, "difference", gap, _shown(fmt.DAYS))
    ]


def _routes(result: Result, request: Request) -> list[_Line]:
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
            lines.append(_Line(measure, texts, f"{name} hazard ratio", ratio, _shown(fmt.RATIO)))
    return lines


def _recurrence(result: Result, request: Request) -> list[_Line]:
    day = values_of(select(result.estimates, name="mean_count"), "day")[-1]
    texts = tuple(
        fmt.number(_value(one(result.estimates, "mean_count", arm=arm, day=day)), COUNT)
        for arm in request.arms
    )
    measure = f"Mean number by {fmt.months(float(day))} months"
    ratio = one(result.estimates, "rate_ratio")
    return [_Line(measure, texts, "ratio of rates", ratio, _shown(fmt.RATIO))]


def _harms(result: Result, request: Request) -> list[_Line]:
    texts = tuple(
        fmt.part(count(result, "families", arm=arm, category=ANY), count(result, "at_risk_families", arm=arm))
        for arm in request.arms
    )
    gap = one(result.estimates, "risk_difference", category=ANY)
    return [
        _Line(
            f"Families with an event to day {request.spec.trial.horizon_days}, n (%)",
            texts,
            POINTS,
            gap,
            _points,
        )
    ]


def _shown(decimals: int) -> Callable[[Estimate], str]:
    return lambda found: fmt.estimate(found.value, found.low, found.high, decimals)


def _points(found: Estimate) -> str:
    return fmt.points(found.value, found.low, found.high)


_READ: dict[str, Callable[[Result, Request], list[_Line]]] = {
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

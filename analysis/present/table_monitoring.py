"""The table of monitoring: looks side by side, then the chance of crossing, then inference after a stop."""

from collections.abc import Callable, Iterator, Sequence

from analysis.present import format as fmt
from analysis.present.looks import (
    INFORMATION,
    NOT_TESTED,
    SCORE,
    STATES,
    Shown,
    bound_text,
    is_crossed,
    looks_of,
)
from analysis.present.reading import count, decimals_of, one, values_of
from analysis.present.request import Request
from analysis.present.table_cells import estimate_cell
from analysis.present.table_form import Cell, Row, Table, numbers
from analysis.results import Result, select
from analysis.spec.monitoring_entries import MonitoringAnalysis

CONVENTIONS = (
    "Fractions: of the model, information over the maximum; of children and families, those analysed over "
    "those that have the maximum under the assumptions of the design. The boundaries rest on the first alone",
    "Boundary: z at least so far from 0 on either side crosses it; out of reach where the error to be spent "
    "is too small for any z; not tested where there is no estimate or no error was spent at the look",
    "Chances of crossing: on either side (below; above). Below: the difference is negative",
    "Looks planned have what the plan expects of them",
)
DRIFTS = {
    "current trend": "Conditional power, current trend",
    "design": "Conditional power, difference of the design",
    "design, the other way": "Conditional power, difference of the design the other way",
    "none": "Conditional power, no difference",
}
FRACTIONS = {"model": "of the information", "children": "of the children", "families": "of the families"}
SMALLEST = "<0.0001"
Read = Callable[[Result, Shown], Cell]


def tabulate_monitoring(request: Request) -> Table:
    """Information, test and limits by look; what is to be expected; what may be said after a stop."""
    main = next(item for item in request.items if isinstance(_entry(item, request), MonitoringAnalysis))
    shown = looks_of(main) if isinstance(main, Result) else []
    columns = [f"Look {each.number}\n{fmt.date_name(each.cut)}\n{STATES[each.state]}" for each in shown]
    rows = list(_rows(main, shown, request)) if isinstance(main, Result) else [request.failed(main)]
    return request.table(
        stub="At the look",
        columns=columns or ["This look"],
        rows=rows,
        conventions=CONVENTIONS,
    )


def _entry(item, request: Request):
    return request.spec.analyses[item.analysis]


def _rows(result: Result, shown: Sequence[Shown], request: Request) -> Iterator[Row]:
    entry = request.spec.analyses[result.analysis]
    watched = request.spec.analyses[entry.watches]
    decimals = decimals_of(watched.outcome.parameter, request.spec) + 1

    def row(name: str, read: Read) -> Row:
        return Row(name, tuple(read(result, each) for each in shown), indent=1)

    yield Row("Information", kind="group")
    for unit in ("children", "families"):
        yield row(f"{unit.capitalize()} with the outcome", _counted(unit))
    yield row("1 / SE\u00b2", _number("information", INFORMATION))
    for of, name in FRACTIONS.items():
        yield row(f"Fraction {name} of the design, {_maximum(result, of)}", _share("fraction", of=of))
    yield Row(f"{watched.title} ({watched.id})", kind="group")
    yield row(f"Difference {request.contrast} ({request.level})", _estimate("difference", decimals))
    yield row("z", _number("z", SCORE))
    yield row("Boundary, on either side", _bound)
    yield row("Two-sided error spent", _spent)
    yield row("Crossed", _crossed("z", "critical"))
    yield from _event_rows(request, entry, row)
    if any(each.name == "conditional_power" for each in result.estimates):
        yield from _chances(result, shown)
    yield from _after_stop(result, shown, decimals, request)


def _event_rows(
    request: Request, entry: MonitoringAnalysis, row: Callable[[str, Read], Row]
) -> Iterator[Row]:
    fixed = request.spec.analyses[entry.fixed.analysis]
    yield Row(f"{fixed.title} ({fixed.id}), fixed limits", kind="group")
    for arm in request.arms:
        yield row(f"Children with the event, {arm}", _counted("events", arm=arm))
    yield row(f"Hazard ratio {request.ratio} ({request.level})", _estimate("hazard_ratio", fmt.RATIO))
    yield row("z of the log ratio", _number("event_z", SCORE))
    yield row("Limit, on either side", _number("event_critical", SCORE))
    yield row("Beyond the limit", _crossed("event_z", "event_critical"))


def _maximum(result: Result, of: str) -> str:
    found = one(result.estimates, "maximum", of=of)
    return fmt.number(found.value, INFORMATION if of == "model" else 0)


def _counted(name: str, **labels: str) -> Read:
    def read(result: Result, look: Shown) -> Cell:
        n = count(result, name, look=look.number, **labels)
        if n is None:
            return Cell("")
        return Cell(fmt.whole(n), numbers(n=n), result.analysis, name)

    return read


def _number(name: str, decimals: int) -> Read:
    def read(result: Result, look: Shown) -> Cell:
        found = look.find(result, name)
        if found is None:
            return Cell("")
        text = fmt.number(found.value, decimals)
        return Cell(text, numbers(value=found.value), result.analysis, name.replace("_", " "))

    return read


def _share(name: str, **labels: str) -> Read:
    def read(result: Result, look: Shown) -> Cell:
        found = look.find(result, name, **labels)
        if found is None:
            return Cell("")
        return Cell(fmt.percentage(found.value), numbers(value=found.value), result.analysis, name)

    return read


def _estimate(name: str, decimals: int) -> Read:
    def read(result: Result, look: Shown) -> Cell:
        found = look.find(result, name)
        if found is None and look.state == "planned":
            return Cell("")
        return estimate_cell(result, found, decimals, name.replace("_", " "))

    return read


def _spent(result: Result, look: Shown) -> Cell:
    value = look.value(result, "spent")
    shown = SMALLEST if value and value < 1e-4 else fmt.significant(value, 3)
    return Cell(shown, numbers(value=value), result.analysis, "error spent")


def _bound(result: Result, look: Shown) -> Cell:
    value = look.value(result, "critical")
    return Cell(bound_text(result, look), numbers(value=value), result.analysis, "boundary")


def _crossed(z: str, bound: str) -> Read:
    def read(result: Result, look: Shown) -> Cell:
        if look.state == "planned":
            return Cell("")
        crossed = is_crossed(result, look, z=z, bound=bound)
        text = NOT_TESTED if crossed is None else "yes" if crossed else "no"
        return Cell(text, {}, result.analysis, "crossed")

    return read


def _chances(result: Result, shown: Sequence[Shown]) -> Iterator[Row]:
    yield Row("Chance of crossing a boundary at a look to come", kind="group")
    for drift in values_of(select(result.estimates, name="conditional_power"), "drift"):
        at = one(result.estimates, "drift", drift=drift).value
        name = f"{DRIFTS[drift]} ({fmt.number(at, 2)})" if drift != "none" else DRIFTS[drift]
        yield _now_row(name, shown, _sides(result, "conditional_power", drift=drift))
    yield _now_row("Predictive power", shown, _sides(result, "predictive_power"))


def _sides(result: Result, name: str, **labels: str) -> Cell:
    value = {
        side: one(result.estimates, name, side=side, **labels).value for side in ("either", "below", "above")
    }
    either, below, above = (fmt.percentage(each) for each in value.values())
    return Cell(f"{either} ({below}; {above})", numbers(**value), result.analysis, name.replace("_", " "))


def _now_row(name: str, shown: Sequence[Shown], cell: Cell) -> Row:
    return Row(name, tuple(cell if each.state == "now" else Cell("") for each in shown), indent=1)


def _after_stop(result: Result, shown: Sequence[Shown], decimals: int, request: Request) -> Iterator[Row]:
    found = select(result.estimates, name="adjusted_difference")
    if not found:
        return
    yield Row("After the last test, stagewise", kind="group")
    for each in found:
        name = f"Median-unbiased difference ({request.level}), {each.labels['of']}"
        yield _now_row(name, shown, estimate_cell(result, each, decimals, "adjusted difference"))
        p = Cell(fmt.p_value(each.p), numbers(p=each.p), result.analysis, "P value")
        yield _now_row(f"Two-sided P, {each.labels['of']}", shown, p)

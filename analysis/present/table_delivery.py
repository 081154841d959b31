"""The table of the service received: who, why not, what was meant, how soon and how much."""

from collections.abc import Iterable, Sequence

from analysis.errors import ReportError
from analysis.present import format as fmt
from analysis.present.reading import arm_name, count, label, one
from analysis.present.request import Request
from analysis.present.table_form import Cell, Row, Span, Table, numbers
from analysis.results import Result, select
from analysis.spec.conduct_entries import Dose, Fulfilment

UNITS = {"family": "families", "child": "children"}
COLUMNS = ("Families", "Children")
NOT_RECORDED = "not_recorded"
FULFILMENTS = ("adherent", "completed")
NOT_DEFINED = "not defined"
AMOUNTS = {"n_sessions": "Sessions", "contact_days": "Days from first to last contact"}
CONVENTIONS = (
    "Percentages are of the families and children allocated, in the heading",
    "A child has what its family received, and a family may have received both services",
    "Waits, sessions and days of contact: median (quartiles); number they are of",
    "Sessions and days of contact are recorded when a service ends; till then a first contact is one contact",
)


def tabulate_delivery(request: Request) -> Table:
    """One pair of columns per arm: of families, and of their children."""
    return request.table(
        stub="Service",
        spans=[Span(_heading(arm, request.fitted), len(COLUMNS)) for arm in request.arms],
        columns=[name for _ in request.arms for name in COLUMNS],
        rows=request.rows(_rows),
        conventions=(*CONVENTIONS, *(text for item in request.fitted for text in _rules(item, request))),
    )


def _heading(arm: str, fitted: Sequence[Result]) -> str:
    if not fitted:
        return arm_name(arm)
    sizes = (fmt.families(count(fitted[0], "families", arm=arm)), fmt.children(_all(fitted[0], arm, "child")))
    return f"{arm_name(arm)}\n{', '.join(sizes)}"


def _all(result: Result, arm: str, unit: str) -> int | None:
    return count(result, UNITS[unit], arm=arm)


def _rows(result: Result, request: Request) -> list[Row]:
    _check(result, request)
    entry = request.spec.analyses[result.analysis]
    reasons = [*request.spec.codelists["not_received_reason"], NOT_RECORDED]
    return [
        _counted("Received the allocated service", result, request, "received"),
        Row("Did not receive it, because", kind="group"),
        *(
            _counted(_reason(each, request), result, request, "not_received", 1, reason=each)
            for each in reasons
        ),
        _counted("Not known whether it was received", result, request, "not_recorded"),
        _counted("Received the service of the other arm", result, request, "other_service"),
        Row("As meant by the plan", kind="group"),
        *(_fulfilled(name.capitalize(), name, result, request) for name in FULFILMENTS),
        *_unknown(result, request),
        Row("Days from randomisation to the first contact", kind="group"),
        _amount("Of those with a first contact", result, request, "wait_days"),
        _counted("Wait known, to a first contact or without one", result, request, "wait_known", 1),
        *(_begun(day, result, request) for day in entry.days),
        _median_of_all(result, request),
        Row("Amount received", kind="group"),
        *(_amount(text, result, request, name) for name, text in AMOUNTS.items()),
    ]


def _check(result: Result, request: Request) -> None:
    """Insist that received, not received and not recorded make up all allocated."""
    for arm in request.arms:
        for unit in UNITS:
            parts = [
                each.value
                for name in ("received", "not_received", "not_recorded")
                for each in select(result.counts, name=name, arm=arm, unit=unit)
            ]
            if parts and sum(parts) != _all(result, arm, unit):
                raise ReportError(
                    f"{result.analysis}, {arm}: {sum(parts)} {UNITS[unit]} received the service or not, "
                    f"{_all(result, arm, unit)} were allocated."
                )


def _reason(code: str, request: Request) -> str:
    return "Reason not recorded" if code == NOT_RECORDED else label(request.spec, "not_received_reason", code)


def _places(request: Request) -> Iterable[tuple[str, str]]:
    return ((arm, unit) for arm in request.arms for unit in UNITS)


def _counted(stub: str, result: Result, request: Request, name: str, indent: int = 0, **labels: str) -> Row:
    return Row(stub, tuple(_part(result, arm, unit, name, labels) for arm, unit in _places(request)), indent)


def _part(result: Result, arm: str, unit: str, name: str, labels: dict[str, str]) -> Cell:
    n, total = count(result, name, arm=arm, unit=unit, **labels), _all(result, arm, unit)
    return Cell(fmt.part(n, total), numbers(n=n, total=total), result.analysis, UNITS[unit])


def _fulfilled(stub: str, name: str, result: Result, request: Request) -> Row:
    """Those who had what the plan asks for, or that it asks nothing of their arm."""
    cells = []
    for arm, unit in _places(request):
        if count(result, name, arm=arm, unit=unit) is None:
            cells.append(Cell(NOT_DEFINED, {}, result.analysis, UNITS[unit]))
        else:
            cells.append(_part(result, arm, unit, name, {}))
    return Row(stub, tuple(cells), indent=1)


def _unknown(result: Result, request: Request) -> list[Row]:
    """Rows for what cannot be told, where there is such."""
    names = {name: f"{name}_not_known" for name in FULFILMENTS}
    return [
        _fulfilled(f"{name.capitalize()}: not known", unknown, result, request)
        for name, unknown in names.items()
        if any(each.value for each in select(result.counts, name=unknown))
    ]


def _amount(stub: str, result: Result, request: Request, of: str) -> Row:
    cells = []
    for arm, unit in _places(request):
        where = {"arm": arm, "unit": unit, "of": of}
        found = {name: one(result.estimates, name, **where) for name in ("median", "q1", "q3")}
        values = {name: each.value if each else None for name, each in found.items()}
        n = count(result, "known", **where)
        text = fmt.with_size(fmt.median_quartiles(*values.values()), n)
        cells.append(Cell(text, numbers(**values, n=n), result.analysis, "median (quartiles)"))
    return Row(stub, tuple(cells), indent=1)


def _begun(day: int, result: Result, request: Request) -> Row:
    cells = []
    for arm, unit in _places(request):
        found = one(result.estimates, "begun", arm=arm, unit=unit, day=str(day))
        value, low, high = (found.value, found.low, found.high) if found else (None, None, None)
        values = numbers(value=value, low=low, high=high, se=found.se if found else None)
        text = fmt.percentage_estimate(value, low, high)
        cells.append(Cell(text, values, result.analysis, "share begun"))
    return Row(f"Of those whose wait is known, begun by day {day} ({request.level})", tuple(cells), indent=1)


def _median_of_all(result: Result, request: Request) -> Row:
    cells = []
    for arm, unit in _places(request):
        found = one(result.estimates, "median_of_all", arm=arm, unit=unit)
        value = found.value if found else None
        text = fmt.number(value, fmt.MEAN, absent="not reached")
        cells.append(Cell(text, numbers(value=value), result.analysis, "median wait of all"))
    return Row("Of those whose wait is known, day by which half had begun", tuple(cells), indent=1)


def _rules(result: Result, request: Request) -> list[str]:
    """What the plan asks of a family that had its service as meant, with where that comes from."""
    entry = request.spec.analyses[result.analysis]
    return [_rule(name, getattr(entry, name), request) for name in FULFILMENTS]


def _rule(name: str, rule: Fulfilment, request: Request) -> str:
    arms = request.spec.trial.arms
    doses = {arms.intervention: rule.intervention, arms.control: rule.control}
    asked = "; ".join(f"{arm} {_dose(dose)}" for arm, dose in doses.items())
    origin = [rule.source] if rule.source else []
    origin += [f"assumed: {fmt.sentence(rule.reason)}"] if rule.assumed else []
    return f"{name.capitalize()}: {asked}" + (f" ({'; '.join(origin)})" if origin else "")


def _dose(dose: Dose | None) -> str:
    if dose is None:
        return NOT_DEFINED
    contacts = "session or contact" if dose.sessions == 1 else "sessions or contacts"
    parts = [f"at least {fmt.whole(dose.sessions)} {contacts}"] if dose.sessions else []
    if dose.contact_days:
        parts.append(f"at least {fmt.whole(dose.contact_days)} days from first to last contact")
    return " and ".join(parts)

"""The table of missing outcomes: due, observed, and missing by reason, at each visit."""

from analysis.errors import ReportError
from analysis.present import format as fmt
from analysis.present.reading import ALL, arm_name, count, label, one, values_of
from analysis.present.request import Request
from analysis.present.table_form import Cell, Row, Span, Table, numbers
from analysis.results import Count, Result, select
from analysis.spec.conduct_entries import MissingAnalysis
from analysis.spec.declarations import Spec

UNITS = {"child": "children", "family": "families"}
OTHER, YET = "Other reason", "not_due_yet"
DUE_COLUMNS = ("Number", "Observed (%)")
WAIVED_COLUMNS = ("By age or\nschedule", "Not yet")
LEAVES_OUT_ZERO = "*"
COMPARED = (
    "The difference is in percentage points of families without the outcome, of those due; its interval "
    f"leaves out zero where {LEAVES_OUT_ZERO} follows. Intervals are not adjusted for their number"
)
CONVENTIONS = (
    "Percentages are of those due",
    "Those due are those observed and those missing, each for one reason",
    "A family counts as observed when one of its children was",
)


def tabulate_missing(request: Request) -> Table:
    """Per outcome and visit a line of children and one of families, for each arm where arms are known."""
    reasons = [*_groups(request), OTHER]
    compared = [f"{request.contrast}\n({request.level})"] if request.contrast else []
    return request.table(
        stub="Outcome and visit",
        spans=[
            Span("Due", len(DUE_COLUMNS)),
            Span("Missing", len(reasons)),
            Span("Not due", len(WAIVED_COLUMNS)),
            *(Span("Families missing", 1) for _ in compared),
        ],
        columns=[*DUE_COLUMNS, *reasons, *WAIVED_COLUMNS, *compared],
        rows=request.rows(_rows),
        conventions=(
            *CONVENTIONS,
            *([COMPARED] if compared else []),
            *(_others(item, request) for item in request.fitted),
        ),
    )


def check_missing(result: Result) -> None:
    """Insist that the numbers of every visit add up, in each arm and over the arms.

    Raises
    ------
    ReportError
        If those due are not those observed and missing, the due and not due not everybody, or the arms
        together not all.
    """
    for due in select(result.counts, name="due"):
        where = dict(due.labels)
        parts = count(result, "observed", **where), _sum(result, "missing", where)
        place = f"{result.analysis}, {where['parameter']} at {where['visit']}, {where['arm']}"
        unit = UNITS[where["unit"]]
        if due.value != sum(parts):
            raise ReportError(f"{place}: {due.value} {unit} are due, {sum(parts)} observed or missing.")
        everybody = due.value + _sum(result, "not_due", where)
        if where["arm"] != ALL and everybody != count(result, unit, arm=where["arm"]):
            raise ReportError(f"{place}: {everybody} {unit} are due or not due, not all there are.")
    for name in ("due", "observed", "missing", "not_due"):
        _check_arms(result, name)


def _check_arms(result: Result, name: str) -> None:
    by_arm: dict[tuple, dict[str, int]] = {}
    for each in select(result.counts, name=name):
        rest = tuple(sorted((key, value) for key, value in each.labels.items() if key != "arm"))
        by_arm.setdefault(rest, {})[each.labels["arm"]] = each.value
    for rest, arms in by_arm.items():
        if len(arms) > 1 and sum(n for arm, n in arms.items() if arm != ALL) != arms[ALL]:
            place = ", ".join(value for _, value in rest)
            raise ReportError(f"{result.analysis}, {name} ({place}): the arms together are not all.")


def _sum(result: Result, name: str, where: dict[str, str]) -> int:
    return sum(each.value for each in select(result.counts, name=name, **where))


def _groups(request: Request) -> dict[str, tuple[str, ...]]:
    """Heading -> reasons, of the plan's groups."""
    return {
        group.title: group.reasons for item in request.items for group in _entry(item, request.spec).groups
    }


def _entry(item, spec: Spec) -> MissingAnalysis:
    return spec.analyses[item.analysis]


def places(result: Result, spec: Spec) -> list[tuple[str, str]]:
    """Outcomes in the plan's order, each with the visits at which it was looked for."""
    found = {(each.labels["parameter"], each.labels["visit"]) for each in select(result.counts, name="due")}
    visits = [visit.id for visit in spec.trial.visits]
    return [
        (name, visit)
        for name in _entry(result, spec).parameters
        for visit in visits
        if (name, visit) in found
    ]


def visit_name(visit: str, spec: Spec) -> str:
    """A visit as the plan calls it."""
    return next(each.label for each in spec.trial.visits if each.id == visit)


def _rows(result: Result, request: Request) -> list[Row]:
    check_missing(result)
    rows, spec, above = [], request.spec, ""
    for parameter, visit in places(result, spec):
        if parameter != above:
            rows.append(Row(label(spec, "parameter", parameter), kind="group"))
        rows.append(Row(visit_name(visit, spec), kind="group", indent=1))
        rows += _lines(result, request, {"parameter": parameter, "visit": visit})
        above = parameter
    return rows


def _lines(result: Result, request: Request, where: dict[str, str]) -> list[Row]:
    """Of children and of families, for each arm where arms are known; the difference with the last."""
    rows = []
    for arm in request.arms:
        for unit, name in UNITS.items():
            cells = _cells(result, {"arm": arm, "unit": unit, **where}, request)
            if request.contrast:
                is_last = (arm, unit) == (request.arms[-1], "family")
                cells.append(_difference(result, where) if is_last else Cell(""))
            stub = name.capitalize() if arm == ALL else f"{arm_name(arm)}, {name}"
            rows.append(Row(stub, tuple(cells), indent=2))
    return rows


def _difference(result: Result, where: dict[str, str]) -> Cell:
    found = one(result.estimates, "missing_difference", **where)
    if found is None or found.value is None:
        return Cell(fmt.NOT_ESTIMABLE, {}, result.analysis, "difference of shares missing")
    mark = LEAVES_OUT_ZERO if found.low > 0 or found.high < 0 else ""
    values = numbers(value=found.value, low=found.low, high=found.high)
    shown = f"{fmt.points(found.value, found.low, found.high)}{mark}"
    return Cell(shown, values, result.analysis, "difference of shares missing")


def _cells(result: Result, where: dict[str, str], request: Request) -> list[Cell]:
    due, observed = count(result, "due", **where), count(result, "observed", **where)
    groups = _groups(request)
    missing = select(result.counts, name="missing", **where)
    waived = select(result.counts, name="not_due", **where)
    yet = sum(each.value for each in waived if each.labels["reason"] == YET)
    parts = [_of(missing, reasons) for reasons in groups.values()]
    other = sum(each.value for each in missing) - sum(parts)
    wanted = dict(zip((*groups, OTHER), (*parts, other), strict=True))
    never = sum(each.value for each in waived) - yet
    return [
        _cell(due, "due", result),
        Cell(fmt.part(observed, due), numbers(n=observed, total=due), result.analysis, "observed"),
        *(_cell(n, f"missing: {name.lower()}", result) for name, n in wanted.items()),
        _cell(never, "not due", result),
        _cell(yet, "not due yet", result),
    ]


def _cell(n: int | None, what: str, result: Result) -> Cell:
    return Cell(fmt.whole(n), numbers(n=n), result.analysis, what)


def _of(missing: tuple[Count, ...], reasons: tuple[str, ...]) -> int:
    return sum(each.value for each in missing if each.labels["reason"] in reasons)


def _others(result: Result, request: Request) -> str:
    """What stands behind the column of other reasons, over all outcomes and visits."""
    grouped = {reason for reasons in _groups(request).values() for reason in reasons}
    found = select(
        result.counts, name="missing", arm=request.arms[0] if len(request.arms) == 1 else ALL, unit="child"
    )
    totals = {
        reason: sum(each.value for each in found if each.labels["reason"] == reason)
        for reason in values_of(found, "reason")
        if reason not in grouped
    }
    said = [
        f"{label(request.spec, 'missing_reason', reason).lower()} ({fmt.whole(n)})"
        for reason, n in totals.items()
        if n
    ]
    scores = "; ".join(said) or "none"
    return f"Other reasons, scores of all outcomes and visits together: {scores}"

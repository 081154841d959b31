"""The first page of the committee's pack: where the trial stands, and what stands out."""

import re
from collections.abc import Iterator, Mapping

from analysis.present import format as fmt
from analysis.present.headline import brief
from analysis.present.looks import SCORE, bound_text, is_crossed, looks_of
from analysis.present.reading import (
    ALL,
    Found,
    arm_name,
    count,
    label,
    one,
    results_for,
)
from analysis.present.request import Request
from analysis.present.table_accrual import projected_finish
from analysis.present.table_form import Cell, Row, Table, numbers
from analysis.results import ALL_SITES, Failure, Result, View
from analysis.spec.declarations import Spec
from analysis.spec.outputs import report_of
from analysis.spec.sap import Output

TITLE = "Where the trial stands"
SHOWN = ("accrual", "balance", "retention", "missing")
NONE_YET, DASH = "none due yet", "\u2013"
CONVENTIONS = (
    "A visit is due when its window has closed, of those who have withdrawn too",
    "Outcomes are expected of children of their age, at a visit made, known not to come, or past "
    "its window; they are counted in children",
)
COMPARED = "Percentages by arm are of the arm; differences are in percentage points"


def tabulate_standing(results: Mapping[str, Found], spec: Spec, view: View) -> Table:
    """Recruitment against its target, withdrawal, attendance, completeness; all, and by arm where known."""
    shown = tuple(each.analysis for each in results.values() if each.family in SHOWN)
    output = Output(id="S1", kind="attendance", title=TITLE, analyses=shown, reports=(report_of(view),))
    request = Request(output, results_for(output, results, view), spec, view)
    compared = [f"{request.contrast}\n({request.level})"] if request.contrast else []
    table = request.table(
        stub="At the data cut",
        columns=[*map(arm_name, _groups(request)), *compared],
        rows=[row for item in request.items for row in _rows(item, request)],
        conventions=(*CONVENTIONS, COMPARED) if request.contrast else CONVENTIONS,
    )
    return brief(table, request)


def guideline(results: Mapping[str, Found], spec: Spec) -> list[str]:
    """Where the trial stands by its monitoring guideline at this look, in sentences; none without one."""
    found = []
    for item in results.values():
        if item.family == "monitoring" and isinstance(item, Failure):
            found.append(f"The guideline could not be evaluated: {fmt.sentence(item.reason)}")
        elif item.family == "monitoring":
            found += _limits(item, spec)
    return found


def _limits(item: Result, spec: Spec) -> Iterator[str]:
    """Statistic and limit of what is monitored, where both are there."""
    entry = spec.analyses[item.analysis]
    for look in (each for each in looks_of(item) if each.state == "now"):
        for watched, z, bound in (
            (entry.watches, "z", "critical"),
            (entry.fixed.analysis, "event_z", "event_critical"),
        ):
            crossed = is_crossed(item, look, z=z, bound=bound)
            title = spec.analyses[watched].title
            if crossed is None:
                yield f"{title}: not tested at this look."
            else:
                at, limit = fmt.number(look.value(item, z), SCORE), bound_text(item, look, bound)
                verdict = "reached" if crossed else "not reached"
                yield f"{title}: z {at}, limit {limit}, {verdict}."


def _groups(request: Request) -> tuple[str, ...]:
    return (ALL, *(arm for arm in request.arms if arm != ALL))


def _rows(item: Found, request: Request) -> Iterator[Row]:
    if item.family == "balance":
        return  # its numbers stand in the row of recruitment
    if isinstance(item, Failure):
        yield request.failed(item)
    else:
        yield from _READ[item.family](item, request)


def _row(name: str, cells: Mapping[str, Cell], request: Request, last: Cell | None = None) -> Row:
    """A cell for each group that has one and, where arms are compared, their difference."""
    shown = [cells.get(group, Cell("")) for group in _groups(request)]
    return Row(name, (*shown, *([last or Cell("")] if request.contrast else [])))


def _part(item: Result, what: str, n: int | None, total: int | None) -> Cell:
    shown = NONE_YET if total == 0 else fmt.part(n, total)
    return Cell(shown, numbers(n=n, total=total), item.analysis, what)


def _accrual(item: Result, request: Request) -> Iterator[Row]:
    target = count(item, "target")
    cells = {ALL: _part(item, "randomised", count(item, "randomised_families", site=ALL_SITES), target)}
    for balance in (each for each in request.fitted if each.family == "balance"):
        for arm in _groups(request)[1:]:
            n = count(balance, "families", arm=arm)
            cells[arm] = Cell(fmt.whole(n), numbers(n=n), balance.analysis, "families")
    yield _row(f"Families randomised, n (% of the {fmt.whole(target)} planned)", cells, request)
    if planned := one(item.estimates, "planned"):
        name = f"Families planned by {fmt.date_name(planned.labels['by'])}"
        cell = Cell(fmt.number(planned.value, 0), numbers(n=planned.value), item.analysis, "planned")
        yield _row(name, {ALL: cell}, request)
    if finish := one(item.estimates, "finish"):
        level = fmt.level_name(finish.level).removesuffix(" CI")
        values = numbers(days=finish.value, low=finish.low, high=finish.high)
        cell = Cell(_months(projected_finish(item)), values, item.analysis, "projected finish")
        yield _row(f"Month of the target, projected ({level} limits)", {ALL: cell}, request)


def _months(dates: str) -> str:
    """Dates as short months, without the days that a projection does not know."""
    return re.sub(r"\b\d{1,2} ([A-Z][a-z]{2})[a-z]* (?=\d{4})", r"\1 ", dates)


def _retention(item: Result, request: Request) -> Iterator[Row]:
    cells = {}
    for group in _groups(request):
        n, total = (count(item, name, arm=group, site=ALL_SITES) for name in ("withdrawn", "group_families"))
        cells[group] = _part(item, "withdrawn", n, total)
    yield _row("Families withdrawn, n (% of those eligible)", cells, request)
    for visit in request.spec.trial.visits:
        where = {"visit": visit.id, "site": ALL_SITES}
        cells = {
            group: _part(
                item,
                "attended of those due",
                *(count(item, f"due{kind}_families", arm=group, **where) for kind in ("_attended", "")),
            )
            for group in _groups(request)
        }
        due = count(item, "due_families", arm=ALL, **where)
        last = _gap(item, visit.id) if due else Cell(DASH, {}, item.analysis)
        yield _row(
            f"Families seen at {_of(visit.label)}, n (% of {fmt.whole(due)} due)", cells, request, last
        )


def _gap(item: Result, visit: str) -> Cell:
    found = one(item.estimates, "risk_difference", visit=visit)
    shown = fmt.points(found.value, found.low, found.high) if found else fmt.NOT_ESTIMABLE
    values = numbers(value=found.value, low=found.low, high=found.high) if found else {}
    return Cell(shown, values, item.analysis, "difference in percentage points")


def _missing(item: Result, request: Request) -> Iterator[Row]:
    parameter = request.spec.analyses[item.analysis].parameters[0]
    name = label(request.spec, "parameter", parameter)
    for visit in request.spec.trial.visits:
        where = {"parameter": parameter, "visit": visit.id, "unit": "child"}
        arms = request.arms
        pairs = {
            arm: tuple(count(item, each, arm=arm, **where) for each in ("observed", "due")) for arm in arms
        }
        known = [pair for pair in pairs.values() if None not in pair]
        pairs[ALL] = tuple(map(sum, zip(*known, strict=True))) if known else (None, None)
        cells = {group: _part(item, "observed of those expected", *pair) for group, pair in pairs.items()}
        due = fmt.whole(pairs[ALL][1])
        yield _row(f"{name}, {_of(visit.label)}, n (% of {due} expected)", cells, request)


def _of(visit: str) -> str:
    return visit[:1].lower() + visit[1:]


_READ = {"accrual": _accrual, "retention": _retention, "missing": _missing}

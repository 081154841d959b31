"""The table of visits: due, attended, not attended and why, how timely; and the withdrawal of families."""

from collections.abc import Callable, Iterator

from analysis.present import format as fmt
from analysis.present.attendance import STANDINGS, UNITS, Shown, groups_of, standing_name
from analysis.present.reading import count, label, one, values_of
from analysis.present.request import Request
from analysis.present.table_form import Cell, Row, Table, numbers
from analysis.results import Result, select
from analysis.spec.trial import Visit

CONVENTIONS = (
    "A cell gives children, n (%), then families, n",
    "Due: the window had closed by the data cut; those who came while theirs was open are not among the due, "
    "but stand in the rows below, whose percentages are of all children in the heading",
    "A family stands where the best placed of its children does, and is not yet due while a child who might "
    "still come is not",
    "Days: median (quartiles); number of visits",
)
COMPARED = "The difference is in percentage points of families that came, of those due"
CAME = {"all": "All children came", "some": "Some children came", "none": "No child came"}
DAYS = {"due": "Days from the date due to the visit", "window": "Days outside the window, of visits outside"}


def tabulate_attendance(request: Request) -> Table:
    """Visits one below the other, then withdrawal; all, sites and arms side by side."""
    shown = groups_of(request.fitted, request.spec)
    compared = [f"{request.contrast}\n({request.level})"] if request.contrast else []
    return request.table(
        stub="Visit",
        columns=[*(_heading(each, request) for each in shown), *compared],
        rows=request.rows(lambda item, _: list(_rows(item, shown, request))),
        conventions=(*CONVENTIONS, *_windows(request), *([COMPARED] if request.contrast else [])),
    )


def _windows(request: Request) -> list[str]:
    """Which windows of visits are assumed."""
    names = [visit.label for visit in request.spec.trial.visits if visit.assumed]
    return [f"The width of the window is assumed at {' and '.join(names)}"] if names else []


def _heading(group: Shown, request: Request) -> str:
    if not request.fitted:
        return group.name
    sizes = [count(request.fitted[0], f"group_{unit}", **group.labels) for unit in UNITS]
    return f"{group.name}\n{fmt.children(sizes[0])}\n{fmt.families(sizes[1])}"


def _rows(result: Result, shown: list[Shown], request: Request) -> Iterator[Row]:
    for visit in request.spec.trial.visits:
        yield Row(visit.label, kind="group")
        yield from _visit_rows(result, shown, request, visit)
    yield Row("Withdrawal of families", kind="group")
    yield from _withdrawal_rows(result, shown, request)


def _row(
    name: str,
    request: Request,
    shown: list[Shown],
    read: Callable[[Shown], Cell],
    *,
    indent: int = 1,
    last=None,
) -> Row:
    """A cell of each group; where arms are compared one of their difference, or none."""
    cells = [read(each) for each in shown]
    return Row(name, (*cells, *([last or Cell("")] if request.contrast else [])), indent=indent)


def _visit_rows(result: Result, shown: list[Shown], request: Request, visit: Visit) -> Iterator[Row]:
    at = {"visit": visit.id}

    def due(group: Shown) -> Cell:
        children, families = (count(result, f"due_{unit}", **group.labels, **at) for unit in UNITS)
        text = f"{fmt.whole(children)}; {fmt.whole(families)}"
        return Cell(text, numbers(children=children, families=families), result.analysis, "due")

    def attended(group: Shown) -> Cell:
        came = [count(result, f"due_attended_{unit}", **group.labels, **at) for unit in UNITS]
        of = [count(result, f"due_{unit}", **group.labels, **at) for unit in UNITS]
        text = "; ".join(_part(n, total) for n, total in zip(came, of, strict=True))
        values = numbers(children=came[0], of_children=of[0], families=came[1], of_families=of[1])
        return Cell(text, values, result.analysis, "attended of those due")

    yield _row("Due", request, shown, due)
    gap = _difference(result, visit.id) if request.contrast else None
    yield _row("Attended, of those due", request, shown, attended, last=gap)
    yield Row("All, due or not", kind="group", indent=1)
    for standing in STANDINGS:
        name = standing_name(standing, request.spec)
        yield _row(name, request, shown, _standing_cell(result, visit.id, standing), indent=2)
    yield Row("Families with several children that were due", kind="group", indent=1)
    for how, name in CAME.items():
        yield _row(name, request, shown, _count_cell(result, "siblings", came=how, **at), indent=2)
    for origin, name in DAYS.items():
        yield _row(name, request, shown, _days_cell(result, visit.id, origin))


def _part(n: int | None, total: int | None) -> str:
    """A share; a bare number where the heading or the row above says that there is nobody to take one of."""
    return fmt.whole(n) if total == 0 else fmt.part(n, total)


def _standing_cell(result: Result, visit: str, standing: str) -> Callable[[Shown], Cell]:
    def read(group: Shown) -> Cell:
        labels = {**group.labels, "visit": visit, "standing": standing}
        children, families = (count(result, f"visit_{unit}", **labels) for unit in UNITS)
        total = count(result, "group_children", **group.labels)
        text = f"{_part(children, total)}; {fmt.whole(families)}"
        values = numbers(children=children, total=total, families=families)
        return Cell(text, values, result.analysis, "visits")

    return read


def _count_cell(result: Result, name: str, **labels: str) -> Callable[[Shown], Cell]:
    def read(group: Shown) -> Cell:
        n = count(result, name, **group.labels, **labels)
        return Cell(fmt.whole(n), numbers(n=n), result.analysis, name.replace("_", " "))

    return read


def _days_cell(result: Result, visit: str, origin: str) -> Callable[[Shown], Cell]:
    def read(group: Shown) -> Cell:
        labels = {**group.labels, "visit": visit, "from": origin}
        found = {name: one(result.estimates, name, **labels) for name in ("median", "q1", "q3", "n")}
        values = {name: each.value if each else None for name, each in found.items()}
        n = int(values["n"] or 0)
        text = fmt.median_quartiles(values["median"], values["q1"], values["q3"])
        return Cell(fmt.with_size(text, n), numbers(**values), result.analysis, "days")

    return read


def _difference(result: Result, visit: str) -> Cell:
    found = one(result.estimates, "risk_difference", visit=visit)
    if found is None:
        return Cell(fmt.NOT_ESTIMABLE, {}, result.analysis, "risk difference")
    values = numbers(value=found.value, low=found.low, high=found.high)
    return Cell(fmt.points(found.value, found.low, found.high), values, result.analysis, "risk difference")


def _withdrawal_rows(result: Result, shown: list[Shown], request: Request) -> Iterator[Row]:
    def withdrawn(group: Shown) -> Cell:
        n, total = (count(result, name, **group.labels) for name in ("withdrawn", "group_families"))
        return Cell(fmt.part(n, total), numbers(n=n, total=total), result.analysis, "withdrawn")

    yield _row("Withdrew", request, shown, withdrawn)
    for column, codes in (("withdrawal_level", "withdrawal_level"), ("reason", "withdrawal_reason")):
        for code in values_of(result.counts, column):
            name = label(request.spec, codes, code)
            cell = _count_cell(result, f"withdrawn_{column}", **{column: code})
            yield _row(name, request, shown, cell, indent=2)
    for day in values_of(select(result.estimates, name="withdrawn"), "day"):
        name = f"Withdrawn by {fmt.months(float(day))} months (Kaplan-Meier)"
        yield _row(name, request, shown, _share_cell(result, day))


def _share_cell(result: Result, day: str) -> Callable[[Shown], Cell]:
    """A share by a day; sites have none of their own."""

    def read(group: Shown) -> Cell:
        found = one(result.estimates, "withdrawn", **group.labels, day=day)
        if found is None:
            return Cell("")
        values = numbers(value=found.value, low=found.low, high=found.high)
        text = fmt.percentage_estimate(found.value, found.low, found.high)
        return Cell(text, values, result.analysis, "withdrawn")

    return read

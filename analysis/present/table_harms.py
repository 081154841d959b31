"""The table of harms: families, children, events and rates by kind, zeros printed, and risk differences."""

from collections.abc import Sequence

from analysis.present import format as fmt
from analysis.present.reading import arm_name, count, label, one, values_of
from analysis.present.request import Request
from analysis.present.table_form import Cell, Row, Span, Table, numbers
from analysis.results import Estimate, Result, select
from analysis.spec.declarations import Spec

ANY, ANY_LABEL = "any", "Any serious adverse event"
JUDGED = "Events by how they were judged to be related to a service"
COLUMNS = ("Families (%)", "Children (%)", "Events", "Rate")
CONVENTIONS = (
    "A family or child counts once per kind, however many events it has",
    "An event without a child, such as a parent's death, counts for the family only",
    "Rate: events per 100 child-years",
    "Percentages are of the families and children in the heading, all of the population above",
)
LISTED = ("Arm", "Kind", "Judged related to a service", "Outcome")
LISTING = (
    "The events counted in the table before, each once",
    "Months completed since the randomisation of the family; those of a month stand by kind, never by arm",
    "All were judged serious where they were reported",
)
COMPARED = (
    "The risk difference is in percentage points of families with an event; no P values are given for harms"
)


def tabulate_harms(request: Request) -> Table:
    """One row per kind of event of the code list, whether or not it happened."""
    compared = [f"Risk difference\nof families ({request.level})"] if request.contrast else []
    return request.table(
        stub="Kind of event",
        spans=[
            *(Span(_heading(arm, request.fitted), len(COLUMNS)) for arm in request.arms),
            *(Span(request.contrast, 1) for _ in compared),
        ],
        columns=[*(name for _ in request.arms for name in COLUMNS), *compared],
        rows=request.rows(_rows),
        conventions=(*CONVENTIONS, COMPARED) if request.contrast else CONVENTIONS,
    )


def tabulate_harms_listing(request: Request) -> Table:
    """One row per event, the earliest after randomisation first: no identifier, no date and no free text."""
    return request.table(
        stub="Month after randomisation",
        columns=LISTED,
        rows=request.rows(_listed_rows),
        conventions=LISTING,
    )


def _listed_rows(item: Result, request: Request) -> list[Row]:
    return [_listed_row(item, each, request.spec) for each in select(item.estimates, name="listed_event")]


def _listed_row(result: Result, event: Estimate, spec: Spec) -> Row:
    said = event.labels
    texts = (
        arm_name(said["arm"]),
        label(spec, "event_category", said["category"]),
        label(spec, "relatedness", said["relatedness"]),
        label(spec, "event_outcome", said["outcome"]),
    )
    cells = tuple(Cell(text, {}, result.analysis, "event") for text in texts)
    return Row(fmt.whole(int(event.value)), cells)


def kind_label(category: str, spec: Spec) -> str:
    """A kind of event, or all kinds together, in words."""
    return ANY_LABEL if category == ANY else label(spec, "event_category", category)


def _heading(arm: str, fitted: Sequence[Result]) -> str:
    if not fitted:
        return arm_name(arm)
    result = fitted[0]
    families = fmt.families(count(result, "at_risk_families", arm=arm))
    children = fmt.children(count(result, "at_risk_children", arm=arm))
    years = one(result.estimates, "child_years", arm=arm)
    time = fmt.number(years.value if years else None, fmt.RATE)
    return f"{arm_name(arm)}\n{families}, {children}\n{time} child-years"


def _rows(item: Result, request: Request) -> list[Row]:
    by_kind = [_row(item, request, each) for each in (ANY, *request.spec.codelists["event_category"])]
    judged = [_judged_row(item, request, each) for each in values_of(item.counts, "relatedness")]
    return [*by_kind, Row(JUDGED, kind="group"), *judged] if judged else by_kind


def _judged_row(result: Result, request: Request, relatedness: str) -> Row:
    """Events judged so; without rate and risk difference, which are of kinds of events."""
    cells = [
        cell
        for arm in request.arms
        for cell in (*_count_cells(result, {"arm": arm, "relatedness": relatedness}), Cell(""))
    ]
    blank = [Cell("")] if request.contrast else []
    name = label(request.spec, "relatedness", relatedness)
    return Row(f"{name[0].upper()}{name[1:]}", (*cells, *blank), indent=1)


def _row(result: Result, request: Request, category: str) -> Row:
    cells = [cell for arm in request.arms for cell in _arm_cells(result, arm, category)]
    if request.contrast:
        cells.append(_difference(result, category))
    return Row(kind_label(category, request.spec), tuple(cells), indent=0 if category == ANY else 1)


def _arm_cells(result: Result, arm: str, category: str) -> list[Cell]:
    where = {"arm": arm, "category": category}
    cells = _count_cells(result, where)
    rate = one(result.estimates, "rate", **where)
    value = rate.value if rate else None
    cells.append(Cell(fmt.number(value, fmt.RATE), numbers(value=value), result.analysis, "rate"))
    return cells


def _count_cells(result: Result, where: dict[str, str]) -> list[Cell]:
    """Families and children with such an event, of those at risk, and events."""
    cells = []
    for name in ("families", "children"):
        n, total = count(result, name, **where), count(result, f"at_risk_{name}", arm=where["arm"])
        cells.append(Cell(fmt.part(n, total), numbers(n=n, total=total), result.analysis, name))
    events = count(result, "events", **where)
    return [*cells, Cell(fmt.whole(events), numbers(n=events), result.analysis, "events")]


def _difference(result: Result, category: str) -> Cell:
    found = one(result.estimates, "risk_difference", category=category)
    if found is None:
        return Cell(fmt.NOT_ESTIMABLE, {}, result.analysis, "risk difference")
    values = numbers(value=found.value, low=found.low, high=found.high)
    return Cell(fmt.points(found.value, found.low, found.high), values, result.analysis, "risk difference")

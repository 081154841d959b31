"""The table of binary outcomes: children with the event, standardised risks, their difference and ratio."""

from analysis.present import format as fmt
from analysis.present.reading import arm_name, count, one
from analysis.present.request import Request
from analysis.present.table_cells import ANALYSED_OF_DUE, estimate_cell, p_cell, size_rows, value_of
from analysis.present.table_form import Cell, Row, Table, numbers
from analysis.results import Result

CONVENTIONS = (
    ANALYSED_OF_DUE,
    "Events are raw, of the children analysed; risks, difference and ratio are standardised",
)


def tabulate_risks(request: Request) -> Table:
    """Per analysis: sizes, children with the event, standardised risks, their difference and ratio, P."""
    return request.table(
        stub="Analysis",
        columns=[
            *map(arm_name, request.arms),
            f"Percentage points\n{request.contrast} ({request.level})",
            f"Risk ratio\n({request.level})",
            "P",
        ],
        rows=request.blocks(_rows),
        conventions=CONVENTIONS,
    )


def _rows(item: Result, request: Request) -> list[Row]:
    gap, ratio = (one(item.estimates, name) for name in ("risk_difference", "risk_ratio"))
    value, low, high = (value_of(gap, name) for name in ("value", "low", "high"))
    full = numbers(value=value, low=low, high=high, se=value_of(gap, "se"))
    effect = (
        Cell(fmt.points(value, low, high), full, item.analysis, "risk difference"),
        estimate_cell(item, ratio, fmt.RATIO, "risk ratio"),
        p_cell(item, gap),
    )
    return [
        *size_rows(item, request, len(request.arms) + 3),
        Row(
            "Children with the event",
            (*(_events(item, arm) for arm in request.arms), *(Cell(""),) * 3),
            indent=1,
        ),
        Row("Standardised risk", (*(_risk(item, arm) for arm in request.arms), *effect), indent=1),
    ]


def _events(item: Result, arm: str) -> Cell:
    events, children = count(item, "events", arm=arm), count(item, "children", arm=arm, set="analysed")
    full = numbers(events=events, children=children)
    return Cell(fmt.part(events, children), full, item.analysis, "children with the event")


def _risk(item: Result, arm: str) -> Cell:
    risk = value_of(one(item.estimates, "risk", arm=arm), "value")
    return Cell(fmt.percentage(risk), numbers(value=risk), item.analysis, "standardised risk")

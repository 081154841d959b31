"""Where the children are, day by day, and who is in a family home without having come back to care."""

from analysis.present import format as fmt
from analysis.present.reading import values_of
from analysis.present.request import Request
from analysis.present.table_form import Row, Table
from analysis.present.table_times import (
    probability_cells,
    probability_columns,
    said_of_death,
    shown_values,
    state_label,
)
from analysis.results import Result, select

NEVER_RETURNED = "without any return to care before"
CONVENTIONS = (
    "Probabilities in per cent, differences in percentage points",
    "Children count in the state they are in on the day, whatever came before unless the row says otherwise",
    "No interval is given where the probability is 0",
)


def tabulate_states(request: Request) -> Table:
    """Per analysis and state: the probability on each day of the plan, with its difference."""
    return request.table(
        stub="Analysis, state and time",
        columns=probability_columns(request),
        rows=request.blocks(_rows),
        conventions=(*CONVENTIONS, *said_of_death(request, "occupation", "state")),
    )


def _rows(result: Result, request: Request) -> list[Row]:
    return [
        *_block(result, request, "occupation"),
        *_block(result, request, "occupation_never_returned", suffix=f", {NEVER_RETURNED}"),
    ]


def _block(result: Result, request: Request, name: str, *, suffix: str = "") -> list[Row]:
    found = select(result.estimates, name=name)
    days, rows = values_of(found, "day"), []
    for state in shown_values(result, name, "state"):
        rows.append(Row(f"{state_label(state, request.spec)}{suffix}", kind="group", indent=1))
        for day in days:
            cells = probability_cells(result, request, name, f"{name}_difference", state=state, day=day)
            rows.append(Row(fmt.day_name(float(day)), cells, indent=2))
    return rows

"""The reporting checklists, each item with the place that answers it."""

from dataclasses import replace

from analysis.present import format as fmt
from analysis.present.request import Request
from analysis.present.table_form import Cell, Row, Table
from analysis.spec.conduct import ChecklistItem
from analysis.spec.outputs import FIGURES, SECTIONS, report_of

COLUMNS = ("Asks for", "Answered by", "Where")
ANSWERED_BY = {"report": "this report", "plan": "the plan", "author": "the authors"}
CONVENTIONS = (
    "Items in our own words; the lists themselves hold the exact ones",
    "The cluster extension and the harms list are numbered after CONSORT 2010",
    "What a report cannot know is left to the authors",
)


def tabulate_checklist(request: Request) -> Table:
    """Every item of every list, in the order of the declarations."""
    items = request.spec.checklist
    rows: list[Row] = []
    for name in dict.fromkeys(item.list for item in items):
        rows.append(Row(name, kind="group"))
        rows += [_row(item, request) for item in items if item.list == name]
    # Of the plan, not of results: no analysis stands below it.
    return replace(request, items=()).table(
        stub="Item", columns=COLUMNS, rows=rows, conventions=(*CONVENTIONS, _tally(items))
    )


def _row(item: ChecklistItem, request: Request) -> Row:
    places = [(_place(name, request), name if _is_here(name, request) else "") for name in item.at]
    where = Cell(", ".join(text for text, _ in places), links=tuple(link for _, link in places))
    return Row(item.item, (Cell(fmt.sentence(item.asks)), Cell(ANSWERED_BY[item.by]), where), indent=1)


def _is_here(name: str, request: Request) -> bool:
    return name in SECTIONS or report_of(request.view) in request.spec.outputs[name].reports


def _place(name: str, request: Request) -> str:
    if name in SECTIONS:
        return SECTIONS[name]
    kind = "Figure" if request.spec.outputs[name].kind in FIGURES else "Table"
    return f"{kind} {name}" + ("" if _is_here(name, request) else " of the closed report")


def _tally(items: tuple[ChecklistItem, ...]) -> str:
    by = [item.by for item in items]
    return (
        f"Of {len(items)} items {by.count('report')} are answered by results, {by.count('plan')} by the plan "
        f"and {by.count('author')} by the authors"
    )

"""The table of a course: per visit children, raw and adjusted means by arm, and the adjusted difference."""

from analysis.present import format as fmt
from analysis.present.reading import arm_name, decimals_of, one, values_of
from analysis.present.request import Request
from analysis.present.table_cells import df_cell, estimate_cell, n_and_mean_cells, p_cell
from analysis.present.table_form import Cell, Row, Table, numbers
from analysis.results import Estimate, Result, select

CONVENTIONS = (
    "Means and SDs are raw; adjusted means and their difference are as the method says",
    "A child seen at one visit only takes part in the model",
    "The F test has numerator and denominator degrees of freedom",
)


def tabulate_course(request: Request) -> Table:
    """Per analysis and visit: n and mean (SD) by arm, adjusted difference, df, P; then the interaction."""
    return request.table(
        stub="Visit",
        columns=[
            *(f"{arm_name(arm)}\n{what}" for arm in request.arms for what in ("n", "mean (SD)")),
            f"Adjusted difference\n{request.contrast} ({request.level})",
            "df",
            "P",
        ],
        rows=request.blocks(_rows),
        conventions=CONVENTIONS,
    )


def _rows(item: Result, request: Request) -> list[Row]:
    visits = values_of(select(item.estimates, name="difference"), "visit")
    rows = [
        row for visit in visits for row in (_visit(item, request, visit), _adjusted(item, request, visit))
    ]
    if test := one(item.estimates, "interaction"):
        blank = (Cell(""),) * (2 * len(request.arms) + 1)
        cells = (*blank, _two_df(item, test), p_cell(item, test))
        rows.append(Row("The same difference at every visit (F test)", cells, indent=1))
    return rows


def _two_df(item: Result, test: Estimate) -> Cell:
    """Degrees of freedom of an F test, numerator first."""
    text = f"{fmt.whole(test.ndf)}, {fmt.number(test.df, fmt.DF)}"
    return Cell(text, numbers(ndf=test.ndf, df=test.df), item.analysis, "numerator and denominator df")


def _visit(item: Result, request: Request, visit: str) -> Row:
    decimals = decimals_of(request.spec.analyses[item.analysis].parameter, request.spec)
    cells = [cell for arm in request.arms for cell in n_and_mean_cells(item, arm, decimals, visit=visit)]
    found = one(item.estimates, "difference", visit=visit)
    shown = estimate_cell(item, found, decimals + 1, "adjusted difference")
    name = next(each.label for each in request.spec.trial.visits if each.id == visit)
    return Row(name, (*cells, shown, df_cell(item, found), p_cell(item, found)), indent=1)


def _adjusted(item: Result, request: Request, visit: str) -> Row:
    """Adjusted means by arm, below the raw ones."""
    decimals = decimals_of(request.spec.analyses[item.analysis].parameter, request.spec)
    cells: list[Cell] = []
    for arm in request.arms:
        found = one(item.estimates, "adjusted_mean", arm=arm, visit=visit)
        cells += [Cell(""), estimate_cell(item, found, decimals, "adjusted mean")]
    return Row(f"Adjusted mean ({request.level})", (*cells, *(Cell(""),) * 3), indent=2)

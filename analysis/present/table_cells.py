"""Cells that tables of effects share: sizes, means, estimates and P values, with the numbers behind them."""

from collections.abc import Callable

from analysis.present import format as fmt
from analysis.present.reading import count, one
from analysis.present.request import Request
from analysis.present.table_form import Cell, Row, numbers
from analysis.results import Estimate, Result

ANALYSED_OF_DUE = (
    "Analysed / due: with the outcome, of the children (and families with one) it was due from by age, "
    "schedule and data cut in the population of the analysis"
)


def value_of(found: Estimate | None, name: str) -> float | None:
    """One number of an estimate, `None` when there is no estimate."""
    return None if found is None else getattr(found, name)


def size_rows(result: Result, request: Request, columns: int) -> list[Row]:
    """Children, then families, analysed of those due by arm; the other columns stay empty."""
    blank = (Cell(""),) * (columns - len(request.arms))
    return [
        Row(
            f"{level.capitalize()} analysed / due",
            (*(size_cell(result, arm, level) for arm in request.arms), *blank),
            indent=1,
        )
        for level in ("children", "families")
    ]


def size_cell(result: Result, arm: str, level: str) -> Cell:
    """Children or families analysed, and due."""
    analysed, due = (count(result, level, arm=arm, set=each) for each in ("analysed", "due"))
    text = f"{fmt.whole(analysed)} / {fmt.whole(due)}"
    return Cell(text, numbers(analysed=analysed, due=due), result.analysis, level)


def n_and_mean_cells(result: Result, arm: str, decimals: int, **labels: str) -> tuple[Cell, Cell]:
    """Children of a part, and their mean and standard deviation."""
    n = count(result, "children", arm=arm, **labels)
    cell = Cell(fmt.whole(n), numbers(n=n), result.analysis, "children")
    return cell, mean_cell(result, arm, decimals, **labels)


def mean_cell(result: Result, arm: str, decimals: int, **labels: str) -> Cell:
    """Mean and standard deviation."""
    found = [one(result.estimates, name, arm=arm, **labels) for name in ("mean", "sd")]
    mean, sd = (each.value if each else None for each in found)
    return Cell(fmt.mean_sd(mean, sd, decimals), numbers(mean=mean, sd=sd), result.analysis, "mean (SD)")


def estimate_cell(result: Result, found: Estimate | None, decimals: int, what: str) -> Cell:
    """An estimate with its limits."""
    value, low, high = (value_of(found, name) for name in ("value", "low", "high"))
    values = numbers(value=value, low=low, high=high, se=value_of(found, "se"))
    return Cell(fmt.estimate(value, low, high, decimals), values, result.analysis, what)


def named_cell(result: Result, found: Estimate | None, show: Callable[..., str]) -> Cell:
    """An estimate as `show` prints it with its limits, called by its own name."""
    if found is None:
        return Cell(fmt.NOT_ESTIMABLE, {}, result.analysis)
    values = numbers(value=found.value, low=found.low, high=found.high, se=found.se, p=found.p)
    shown = show(found.value, found.low, found.high)
    return Cell(shown, values, result.analysis, found.name.replace("_", " "))


def df_cell(result: Result, found: Estimate | None) -> Cell:
    """Degrees of freedom."""
    df = value_of(found, "df")
    return Cell(fmt.number(df, fmt.DF), numbers(df=df), result.analysis, "df")


def p_cell(result: Result, found: Estimate | None) -> Cell:
    """A P value."""
    p = value_of(found, "p")
    return Cell(fmt.p_value(p), numbers(p=p), result.analysis, "P value")

"""The table of deviations from the protocol: families, children and deviations by kind, weight and site."""

from collections.abc import Iterable

from analysis.errors import ReportError
from analysis.present import format as fmt
from analysis.present.reading import arm_name, count, label, one
from analysis.present.request import Request
from analysis.present.table_form import Cell, Row, Span, Table, numbers
from analysis.results import Result, select
from analysis.spec.outputs import SECTIONS

ANY, ALL_SITES, ANY_LABEL = "any", "All sites", "Any deviation"
CONVENTIONS = (
    "A deviation is of a family; children are those of the families affected",
    "Percentages are of the families and children of the arm, or of all, at the site",
    f"Changes of the analysis plan are listed under \u201c{SECTIONS['changes']}\u201d",
)


def tabulate_deviations(request: Request) -> Table:
    """A block for all sites and one for each: any deviation, each weight, each kind; zeros printed."""
    levels = " / ".join(each.lower() for each in request.spec.codelists["deviation_level"].values())
    columns = ("Families (%)", "Children (%)", f"Deviations\n({levels})")
    return request.table(
        stub="Site and kind of deviation",
        spans=[Span(_heading(arm, request), len(columns)) for arm in request.arms],
        columns=[name for _ in request.arms for name in columns],
        rows=request.rows(_rows),
        conventions=CONVENTIONS,
    )


def _heading(arm: str, request: Request) -> str:
    if not request.fitted:
        return arm_name(arm)
    (result,) = request.fitted
    sizes = fmt.families(count(result, "families", arm=arm)), fmt.children(count(result, "children", arm=arm))
    return f"{arm_name(arm)}\n{', '.join(sizes)}"


def _rows(result: Result, request: Request) -> list[Row]:
    _check(result, request)
    spec, rows = request.spec, []
    for site in (ANY, *spec.trial.sites):
        rows.append(Row(ALL_SITES if site == ANY else label(spec, "site", site), kind="group"))
        rows.append(_row(ANY_LABEL, result, request, 1, site=site, category=ANY))
        for category, name in spec.codelists["deviation_category"].items():
            rows.append(_row(name, result, request, 2, site=site, category=category))
        for level, name in spec.codelists["deviation_level"].items():
            rows.append(_row(f"Any {name.lower()} deviation", result, request, 1, site=site, level=level))
    return rows


def _check(result: Result, request: Request) -> None:
    """Insist that kinds, weights and sites each make up all deviations.

    Raises
    ------
    ReportError
        Naming the parts that do not.
    """
    spec = request.spec
    parts = {
        "kinds": [{"category": each} for each in spec.codelists["deviation_category"]],
        "weights": [{"level": each} for each in spec.codelists["deviation_level"]],
    }
    for arm in request.arms:
        for site in (ANY, *spec.trial.sites):
            for what, each in parts.items():
                _check_sum(result, what, {"arm": arm, "site": site}, each)
        _check_sum(
            result, "sites", {"arm": arm}, [{"site": site, "category": ANY} for site in spec.trial.sites]
        )


def _check_sum(result: Result, what: str, where: dict[str, str], parts: Iterable[dict[str, str]]) -> None:
    whole = one(result.counts, "deviations", **{"site": ANY, "category": ANY, **where})
    found = [
        each.value for part in parts for each in select(result.counts, name="deviations", **where, **part)
    ]
    if whole is not None and whole.value != sum(found):
        place, n = ", ".join(where.values()), sum(found)
        raise ReportError(
            f"{result.analysis}, {place}: the {what} have {n} deviations together, all {whole.value}."
        )


def _row(stub: str, result: Result, request: Request, indent: int, **of: str) -> Row:
    cells = [cell for arm in request.arms for cell in _cells(result, request, {"arm": arm, **of})]
    return Row(stub, tuple(cells), indent=indent)


def _cells(result: Result, request: Request, where: dict[str, str]) -> list[Cell]:
    place = {"arm": where["arm"], "site": where["site"]}
    cells = []
    for units in ("families", "children"):
        n, total = count(result, f"affected_{units}", **where), count(result, f"all_{units}", **place)
        cells.append(Cell(fmt.part(n, total), numbers(n=n, total=total), result.analysis, units))
    return [*cells, _deviations(result, request, where)]


def _deviations(result: Result, request: Request, where: dict[str, str]) -> Cell:
    """How many, and how many of each weight; of one weight the number alone."""
    n = count(result, "deviations", **where)
    if "level" in where:
        return Cell(fmt.whole(n), numbers(n=n), result.analysis, "deviations")
    parts = {level: _at_level(result, where, level) for level in request.spec.codelists["deviation_level"]}
    split = " / ".join(fmt.whole(each) for each in parts.values())
    return Cell(f"{fmt.whole(n)} ({split})", numbers(n=n, **parts), result.analysis, "deviations")


def _at_level(result: Result, where: dict[str, str], level: str) -> int | None:
    if where["category"] == ANY:
        return count(result, "deviations", arm=where["arm"], site=where["site"], level=level)
    return count(result, "deviations_at_level", **where, level=level)

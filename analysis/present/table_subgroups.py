"""The table of subgroups: per moderator the test of interaction, then the difference in each group."""

from collections.abc import Sequence

from analysis.present.reading import arm_name, decimals_of, label, one, values_of
from analysis.present.request import Request
from analysis.present.table_cells import estimate_cell, n_and_mean_cells, p_cell
from analysis.present.table_form import Cell, Row, Table
from analysis.results import Result, select

CONVENTIONS = (
    "Means and SDs are raw; the difference is adjusted as the method says",
    "P is that of the test of interaction; differences within groups are not tested",
)


def tabulate_subgroups(request: Request) -> Table:
    """Per moderator: P of the interaction; per group: children and mean (SD) by arm, adjusted difference."""
    return request.table(
        stub="Subgroup",
        columns=[
            *(f"{arm_name(arm)}\n{what}" for arm in request.arms for what in ("n", "mean (SD)")),
            f"Adjusted difference\n{request.contrast} ({request.level})",
            "P of interaction",
        ],
        rows=request.blocks(_rows),
        conventions=CONVENTIONS,
    )


def _rows(item: Result, request: Request) -> list[Row]:
    rows = []
    for moderator in values_of(item.estimates, "moderator"):
        rows.append(_moderator(item, request, moderator))
        levels = _in_order(
            values_of(select(item.estimates, moderator=moderator), "level"), item, request, moderator
        )
        rows += [_level(item, request, moderator, level) for level in levels]
    return rows


def _moderator(item: Result, request: Request, moderator: str) -> Row:
    p = p_cell(item, one(item.estimates, "interaction", moderator=moderator))
    return Row(moderator, (*(Cell("") for _ in range(2 * len(request.arms) + 1)), p), indent=1)


def _level(item: Result, request: Request, moderator: str, level: str) -> Row:
    where = {"moderator": moderator, "level": level}
    decimals = decimals_of(request.spec.analyses[item.analysis].outcome.parameter, request.spec)
    cells = [cell for arm in request.arms for cell in n_and_mean_cells(item, arm, decimals, **where)]
    found = one(item.estimates, "difference", **where)
    shown = estimate_cell(item, found, decimals + 1, "adjusted difference")
    return Row(_name(item, request, moderator, level), (*cells, shown, Cell("")), indent=2)


def _name(item: Result, request: Request, moderator: str, level: str) -> str:
    """A group in words: a code by its label, a group of a cut as the plan names it."""
    codelist = _codelist(item, request, moderator)
    return label(request.spec, codelist, level) if codelist else level


def _in_order(levels: Sequence[str], item: Result, request: Request, moderator: str) -> list[str]:
    """Coded groups in the order of their code list, as in every table; others as they come."""
    codelist = _codelist(item, request, moderator)
    listed = list(request.spec.codelists[codelist]) if codelist else []
    known = [each for each in listed if each in levels]
    return [*known, *(each for each in levels if each not in known)]


def _codelist(item: Result, request: Request, moderator: str) -> str | None:
    entry = request.spec.analyses[item.analysis]
    column = next(each.column for each in entry.moderators if each.label == moderator)
    return request.spec.table("subjects").field(column).codelist

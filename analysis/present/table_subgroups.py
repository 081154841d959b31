"""The table of subgroups: per moderator the test of interaction, then the difference in each group."""

from analysis.present.reading import arm_name, decimals_of, label, one, values_of
from analysis.present.request import Request
from analysis.present.table_cells import estimate_cell, n_and_mean_cells, p_cell
from analysis.present.table_form import Cell, Row, Table
from analysis.results import Result, select
from analysis.spec.declarations import Spec

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
        levels = groups_in_order(item, request.spec, moderator)
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
    return Row(group_name(item, request.spec, moderator, level), (*cells, shown, Cell("")), indent=2)


def group_name(item: Result, spec: Spec, moderator: str, level: str) -> str:
    """A group in words: a code by its label, a group of a cut as the plan names it."""
    codelist = _codelist(item, spec, moderator)
    return label(spec, codelist, level) if codelist else level


def groups_in_order(item: Result, spec: Spec, moderator: str) -> list[str]:
    """Groups of a moderator; coded ones in the order of their code list, as in every table."""
    levels = values_of(select(item.estimates, moderator=moderator), "level")
    codelist = _codelist(item, spec, moderator)
    listed = list(spec.codelists[codelist]) if codelist else []
    known = [each for each in listed if each in levels]
    return [*known, *(each for each in levels if each not in known)]


def _codelist(item: Result, spec: Spec, moderator: str) -> str | None:
    entry = spec.analyses[item.analysis]
    column = next(each.column for each in entry.moderators if each.label == moderator)
    return spec.table("subjects").field(column).codelist

"""The rows of a forest plot: effects with the sizes behind them, under role and timing of their analysis."""

import itertools
import os.path
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from analysis.present import format as fmt
from analysis.present.footnotes import status_name
from analysis.present.reading import Found, arms_of, count, decimals_of, one, values_of
from analysis.present.table_averages import AVERAGES
from analysis.present.table_subgroups import group_name, groups_in_order
from analysis.results import Estimate, Failure, Result
from analysis.spec.declarations import Spec
from analysis.spec.visit_outcomes import OutcomeAnalysis

NO_RESULT = "no result"
Sizes = tuple[str, ...]
Kind = Literal["heading", "test", "effect"]


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the plot; only an *effect* has a mark. `shown` is what stands at its right end.

    One that is *apart* cannot be read against the main effect: it estimates something else.
    """

    label: str
    kind: Kind
    indent: int = 0
    sizes: tuple[int | None, ...] = ()
    effect: Estimate | None = None
    shown: str = ""
    is_main: bool = False
    is_apart: bool = False

    @property
    def limits(self) -> tuple[float, float, float] | None:
        """Lower limit, value and upper limit where there are all three."""
        if self.effect is None or not fmt.is_number(self.effect.value):
            return None
        found = (self.effect.low, self.effect.value, self.effect.high)
        return found if all(map(fmt.is_number, found)) else None


def read_rows(items: Sequence[Found], spec: Spec, sizes: Sizes) -> list[Row]:
    """Rows in the given order; analyses next to each other that share role and timing have one heading.

    Those the plan sets apart come last. The main effect is that of the primary analysis, or of the first.
    """
    items = sorted(items, key=lambda item: bool(spec.analyses[item.analysis].apart))
    stem = _stem([item.title for item in items])
    main = next((each for each in items if spec.analyses[each.analysis].role == "primary"), items[0])
    rows = []
    for heading, group in itertools.groupby(items, lambda item: _heading(item, spec, stem)):
        made = [Row(heading, "heading")]
        for item in group:
            effects = _of(item, spec, sizes, _rest(item.title, stem))
            made += [replace(row, is_main=True) for row in effects] if item is main else effects
        is_apart = bool(spec.analyses[item.analysis].apart)
        rows += [replace(row, is_apart=is_apart) for row in made]
    return rows


def _heading(item: Found, spec: Spec, stem: str) -> str:
    """Role and timing; of subgroups also that they are such, and of what is set apart what it estimates."""
    entry = spec.analyses[item.analysis]
    status = _capital(status_name(entry))
    if entry.apart:
        return f"{entry.apart} ({status_name(entry)})"
    return f"{status}, {_rest(item.title, stem).lower()}" if item.family == "subgroups" else status


def _of(item: Found, spec: Spec, sizes: Sizes, label: str) -> Iterable[Row]:
    if isinstance(item, Failure):
        return [Row(label, "effect", indent=1, shown=NO_RESULT)]
    return READ[item.family](item, spec, sizes, label)


def _single(item: Result, spec: Spec, sizes: Sizes, label: str) -> Iterator[Row]:
    entry = spec.analyses[item.analysis]
    name, decimals, where = "hazard_ratio", fmt.RATIO, {}
    if isinstance(entry, OutcomeAnalysis):
        name, where = "difference", {"set": "analysed"}
        decimals = decimals_of(entry.outcome.parameter, spec) + 1
    yield _effect(label, item, one(item.estimates, name), decimals, _counted(item, sizes, **where))


def _averages(item: Result, spec: Spec, sizes: Sizes, label: str) -> Iterator[Row]:
    decimals = decimals_of(spec.analyses[item.analysis].outcome.parameter, spec) + 1
    for average, name in AVERAGES:
        found = one(item.estimates, "difference", average=average)
        yield _effect(name, item, found, decimals, _counted(item, sizes, set="analysed"))


def _subgroups(item: Result, spec: Spec, sizes: Sizes, label: str) -> Iterator[Row]:
    """Per moderator the test of interaction first, then the effect in each group."""
    decimals = decimals_of(spec.analyses[item.analysis].outcome.parameter, spec) + 1
    for moderator in values_of(item.estimates, "moderator"):
        test = one(item.estimates, "interaction", moderator=moderator)
        shown = f"P of interaction {fmt.p_value(test.p if test else None)}"
        yield Row(moderator, "test", indent=1, shown=shown)
        for level in groups_in_order(item, spec, moderator):
            where = {"moderator": moderator, "level": level}
            found = one(item.estimates, "difference", **where)
            name = group_name(item, spec, moderator, level)
            yield _effect(name, item, found, decimals, _counted(item, sizes, **where), indent=2)


READ: dict[str, Callable[[Result, Spec, Sizes, str], Iterable[Row]]] = {
    "averages": _averages,
    "subgroups": _subgroups,
    **dict.fromkeys(("mixed", "hazard", "frailty"), _single),
}


def _effect(
    label: str,
    item: Result,
    found: Estimate | None,
    decimals: int,
    sizes: tuple[int | None, ...],
    *,
    indent: int = 1,
) -> Row:
    value, low, high = (found.value, found.low, found.high) if found else (None, None, None)
    return Row(label, "effect", indent, sizes, found, fmt.estimate(value, low, high, decimals))


def _counted(item: Result, sizes: Sizes, **where: str) -> tuple[int | None, ...]:
    """Both arms together."""
    found = []
    for name in sizes:
        parts = [count(item, name, arm=arm, **where) for arm in arms_of([item])]
        found.append(None if None in parts else sum(parts))
    return tuple(found)


def _stem(titles: Sequence[str]) -> str:
    """What every title begins with, up to a comma; else the first title, which others may add to."""
    shared = os.path.commonprefix(titles) if len(titles) > 1 else ""
    return shared[: shared.rfind(", ") + 2] if ", " in shared else f"{titles[0]}, "


def _rest(title: str, stem: str) -> str:
    return _capital(title.removeprefix(stem))


def _capital(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}"

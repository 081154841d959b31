"""Looks of a monitored trial: those already taken, the boundary at the one being taken, and those to come."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

from scipy.special import ndtri

from analysis.errors import ModelError
from analysis.results import Count, Estimate, Failure, Result, select
from analysis.spec.monitoring_entries import MonitoringAnalysis
from analysis.stats.monitoring import Design, design_information
from analysis.stats.spending import Spending, boundaries

TAKEN, NOW, PLANNED = "taken", "now", "planned"
# Why a look that has an estimate tests nothing, or tests in another way.
Standing = Literal["tested", "remainder", "no gain", "stopped", "no estimate"]
TWO_SIDED = 2


@dataclass(frozen=True, slots=True)
class Look:
    """A look: information, z, the critical value that stood (infinite: none) and the error spent by then."""

    number: int
    cut: str
    information: float | None
    z: float | None
    critical: float
    spent: float

    @property
    def is_crossed(self) -> bool:
        return self.z is not None and abs(self.z) >= self.critical


@dataclass(frozen=True, slots=True)
class Taken:
    """The looks before this one, oldest first, and what their results say of each."""

    looks: tuple[Look, ...] = ()
    estimates: tuple[Estimate, ...] = ()
    counts: tuple[Count, ...] = ()

    def closed(self, alpha: float) -> Look | None:
        """The look after which nothing is tested: it crossed its boundary, or spent what was left."""
        return next((each for each in self.looks if each.is_crossed or is_all(each.spent, alpha)), None)

    @property
    def spent(self) -> float:
        return self.looks[-1].spent if self.looks else 0.0

    def used(self, least_gain: float) -> tuple[Look, ...]:
        """Looks that have more information than all before; only these are in the law of the statistics."""
        found: list[Look] = []
        for each in self.looks:
            if gains(each.information, found, least_gain):
                found.append(each)
        return tuple(found)


def is_all(spent: float, alpha: float) -> bool:
    """Whether that is all of the error, up to the rounding of numbers."""
    return spent >= alpha * (1 - 1e-9)


def gains(information: float | None, used: Sequence[Look], least_gain: float) -> bool:
    """Whether there is so much more information than at the last look used."""
    if information is None:
        return False
    return not used or information >= (1 + least_gain) * used[-1].information


def looks_taken(entry: MonitoringAnalysis, earlier: Sequence[Result | Failure]) -> Taken:
    """The looks that the results of the last meeting tell of: its own and those before it.

    Raises
    ------
    ModelError
        If those results have none of this entry.
    """
    if not earlier:
        return Taken()
    found = next((each for each in earlier if each.analysis == entry.id), None)
    if not isinstance(found, Result):
        raise ModelError(f"the run at the last meeting's cut has no looks of {entry.id}.")
    estimates, counts = (tuple(_as_taken(items)) for items in (found.estimates, found.counts))
    numbers = dict.fromkeys(each.labels["look"] for each in counts)
    return Taken(tuple(_look(name, estimates) for name in numbers), estimates, counts)


def _as_taken(items: Sequence) -> list:
    return [
        replace(each, labels={**each.labels, "state": TAKEN})
        for each in items
        if each.labels.get("state") in (TAKEN, NOW)
    ]


def _look(number: str, estimates: Sequence[Estimate]) -> Look:
    (z,) = select(estimates, name="z", look=number)
    (information,) = select(estimates, name="information", look=number)
    (critical,) = select(estimates, name="critical", look=number)
    (spent,) = select(estimates, name="spent", look=number)
    bound = math.inf if critical.value is None else critical.value
    return Look(int(number), z.labels["cut"], information.value, z.value, bound, spent.value)


def spending_of(entry: MonitoringAnalysis) -> Spending:
    """The spending function of the plan."""
    return Spending(entry.spending.kind, entry.spending.gamma)


@cache
def design_of(entry: MonitoringAnalysis) -> Design:
    """The information that gives the planned looks the power of the design."""
    fractions = [each.fraction for each in entry.looks]
    made = boundaries(fractions, spending=spending_of(entry), alpha=entry.spending.alpha, sided=TWO_SIDED)
    design = entry.design
    return design_information(
        fractions, made.critical, effect=design.effect, power=design.power, sided=TWO_SIDED
    )


@dataclass(frozen=True, slots=True)
class Stand:
    """This look with its boundary, how it was reached, and the planned looks after it."""

    look: Look
    standing: Standing
    used: tuple[Look, ...]
    to_come: tuple[Look, ...]

    @property
    def is_over(self) -> bool:
        """Whether nothing is tested after this look."""
        return self.standing == "stopped" or self.look.is_crossed or not self.to_come


def stand_of(
    entry: MonitoringAnalysis,
    taken: Taken,
    *,
    cut: str,
    information: float | None,
    z: float | None,
    maximum: float,
) -> Stand:
    """The boundary at this look by the information there is, and those of the looks to come as planned.

    The error spent is that of the looks before, whose critical values stand; the last look spends the rest.
    """
    is_last, used = cut >= entry.looks[-1].cut, taken.used(entry.least_gain)
    critical, spent, standing = math.inf, taken.spent, "no estimate"
    closed = taken.closed(entry.spending.alpha)
    if closed:
        standing = "stopped"
    elif information is not None and gains(information, used, entry.least_gain):
        critical, target = _boundary(entry, used, information, maximum, is_last=is_last)
        # Under another plan more may have been spent before than this one allows by now.
        spent, standing = max(spent, target), "tested"
    elif information is not None and is_last:
        # Whatever the order of the information: by Bonferroni what is left may be spent on one test.
        rest = entry.spending.alpha - taken.spent
        critical, spent, standing = float(-ndtri(rest / TWO_SIDED)), entry.spending.alpha, "remainder"
    elif information is not None:
        standing = "no gain"
    look = Look(len(taken.looks) + 1, cut, information, z, critical, spent)
    after = (*used, look) if standing == "tested" else used
    is_over = is_last or look.is_crossed or closed or is_all(spent, entry.spending.alpha)
    to_come = () if is_over else _to_come(entry, look, after, maximum)
    return Stand(look, standing, used, to_come)


def _boundary(
    entry: MonitoringAnalysis, used: Sequence[Look], information: float, maximum: float, *, is_last: bool
) -> tuple[float, float]:
    made = boundaries(
        [*(each.information for each in used), information],
        spending=spending_of(entry),
        alpha=entry.spending.alpha,
        maximum=maximum,
        sided=TWO_SIDED,
        is_final=is_last,
        taken=[each.critical for each in used],
    )
    return float(made.critical[-1]), float(made.spent[-1])


def _to_come(entry: MonitoringAnalysis, now: Look, after: Sequence[Look], maximum: float) -> tuple[Look, ...]:
    """Planned looks with more information than there is; the last has the maximum, or more where that is."""
    planned = [each for each in entry.looks if each.cut > now.cut]
    least = (1 + entry.least_gain) * max(
        (each.information for each in (*after, now) if each.information is not None), default=0.0
    )
    kept = [(each.cut, each.fraction * maximum) for each in planned[:-1] if each.fraction * maximum >= least]
    kept.append((planned[-1].cut, max(maximum, least)))
    made = boundaries(
        [*(each.information for each in after), *(information for _, information in kept)],
        spending=spending_of(entry),
        alpha=entry.spending.alpha,
        maximum=maximum,
        sided=TWO_SIDED,
        taken=[each.critical for each in after],
    )
    first = len(after)
    return tuple(
        Look(
            now.number + at + 1,
            cut,
            information,
            None,
            float(made.critical[first + at]),
            max(now.spent, made.spent[first + at]),
        )
        for at, (cut, information) in enumerate(kept)
    )

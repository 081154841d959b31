"""Entries of the plan on the monitoring of the trial: its looks, boundaries and design."""

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator

from analysis.spec.base import Assumable, Declaration, IsoDay
from analysis.spec.entry import Entry

Share = Annotated[float, Field(gt=0, le=1)]
Level = Annotated[float, Field(gt=0, lt=1)]


class PlannedLook(Declaration):
    """A data cut at which the committee looks, and the part of the design's information expected by it."""

    cut: IsoDay
    fraction: Share


class ErrorSpending(Declaration):
    """A Lan-DeMets spending function and the two-sided level it spends."""

    kind: Literal["obrien_fleming", "pocock", "hwang_shih_decani"]
    gamma: float = 0.0
    alpha: Level


class TrialDesign(Assumable):
    """What the sample size was planned from.

    `effect` is on the scale of the watched difference, its sign the direction hoped for; `sd` of a child's
    outcome and `icc` within families; `family_sizes` the shares of families that bring 1, 2, 3 ... children;
    `retention` the share of `families` with the outcome at the end.
    """

    effect: float
    power: Level
    sd: Annotated[float, Field(gt=0)]
    icc: Annotated[float, Field(ge=0, lt=1)]
    family_sizes: Annotated[tuple[Share, ...], Field(min_length=1)]
    retention: Share
    families: Annotated[int, Field(gt=0)]

    @model_validator(mode="after")
    def _sizes_are_shares(self) -> "TrialDesign":
        if abs(sum(self.family_sizes) - 1) > 1e-9:
            raise ValueError("family_sizes: the shares must add to 1")
        if not self.effect:
            raise ValueError("effect: a design needs an effect that is not 0")
        return self

    @property
    def children_per_family(self) -> float:
        """Mean number of children of a family."""
        return sum(size * share for size, share in enumerate(self.family_sizes, start=1))


class FixedLimit(Declaration):
    """Haybittle-Peto limits of a time to an event: two-sided levels at every look but the last, and at it."""

    analysis: str
    interim_alpha: Level
    alpha: Level


class MonitoringAnalysis(Entry):
    """Boundaries of the analysis it `watches`, spent by information, and fixed limits of a time to an event.

    A look that has less than `least_gain` (as a part) more information than the one before tests nothing.
    """

    family: Literal["monitoring"]
    watches: str
    spending: ErrorSpending
    looks: Annotated[tuple[PlannedLook, ...], Field(min_length=1)]
    least_gain: Annotated[float, Field(ge=0.01)]
    design: TrialDesign
    fixed: FixedLimit

    @property
    def watched(self) -> tuple[str, ...]:
        return (self.watches, self.fixed.analysis)

    @model_validator(mode="after")
    def _looks_rise(self) -> "MonitoringAnalysis":
        for first, second in pairwise(self.looks):
            if second.cut <= first.cut or second.fraction <= (1 + self.least_gain) * first.fraction:
                raise ValueError("looks: cuts and fractions must rise from one to the next")
        if self.looks[-1].fraction != 1:
            raise ValueError("looks: the last has all of the information, fraction 1")
        return self


class NuisanceAnalysis(Entry):
    """Standard deviation, correlation and retention of all arms together, against a design (`monitors`).

    How many families are to come is the projection of `recruitment`. Of fewer than `least_families` with
    the outcome neither SD nor ICC is told, and nothing is projected.
    """

    family: Literal["nuisance"]
    population: str
    monitors: str
    recruitment: str
    least_families: Annotated[int, Field(ge=2)]

    @property
    def watched(self) -> tuple[str, ...]:
        return (self.monitors, self.recruitment)

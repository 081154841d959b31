"""Entries of the plan on times to events, states over time and events that can happen again."""

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from analysis.spec.base import Declaration
from analysis.spec.entry import Entry

Origin = Literal["randomisation_date", "care_entry_date"]
Ties = Literal["efron", "breslow"]


class EventSelection(Declaration):
    parameter: str
    basis: str
    causes: tuple[str, ...]


class HazardAnalysis(Entry):
    """A Cox model with family-robust variance.

    Time runs from `origin`, where that is not the clock origin of the trial, and ends `until` a day, later
    events being censored there; without it all follow-up counts.
    """

    family: Literal["hazard"]
    population: str
    event: EventSelection
    origin: Origin | None = None
    until: Annotated[int, Field(gt=0)] | None = None
    strata: tuple[str, ...]
    ties: Ties


class IncidenceAnalysis(Entry):
    """Cumulative incidence by cause, or of any cause when `combine` is true."""

    family: Literal["incidence"]
    estimand: str
    population: str
    event: EventSelection
    origin: Origin | None = None
    combine: bool = False
    strata: tuple[str, ...]
    days: tuple[int, ...]


class Band(Declaration):
    """A band that holds a whole curve, from `draws` of multipliers that start from `seed`."""

    draws: Annotated[int, Field(ge=99)]
    seed: Annotated[int, Field(ge=0)]


class OccupationAnalysis(Entry):
    """State occupation and time in state of the reversible graph.

    `never_returned` names a recurrent event: the family-home states are also counted for the children who
    have not had it. With a `band` the difference in the probability of a family home is a curve too.
    """

    family: Literal["occupation"]
    estimand: str
    population: str
    basis: str
    origin: Origin | None = None
    never_returned: str | None = None
    strata: tuple[str, ...]
    days: tuple[int, ...]
    horizon_days: int
    band: Band | None = None

    @property
    def random_seed(self) -> int | None:
        return self.band.seed if self.band else None


class FrailtyAnalysis(Entry):
    """A Cox model with a frailty shared by the children of a family."""

    family: Literal["frailty"]
    estimand: str
    population: str
    event: EventSelection
    strata: tuple[str, ...]
    ties: Ties


class ProportionalityAnalysis(Entry):
    """Tests of proportional hazards, and the hazard ratio by period.

    `cuts` are the days that part the periods; `draws` of the family bootstrap come from `seed`.
    """

    family: Literal["proportionality"]
    estimand: str
    population: str
    event: EventSelection
    strata: tuple[str, ...]
    ties: Ties
    transform: Literal["identity", "log", "rank", "km"]
    cuts: Annotated[tuple[int, ...], Field(min_length=1)]
    draws: Annotated[int, Field(ge=99)]
    seed: Annotated[int, Field(ge=0)]

    @property
    def random_seed(self) -> int | None:
        return self.seed

    @field_validator("cuts")
    @classmethod
    def _rising(cls, cuts: tuple[int, ...]) -> tuple[int, ...]:
        if cuts[0] <= 0 or any(second <= first for first, second in pairwise(cuts)):
            raise ValueError("cuts are days after 0, each later than the one before")
        return cuts


class RoutesAnalysis(Entry):
    """Hazard ratios and Gray's test of each cause in `reported`; all causes of the event compete."""

    family: Literal["routes"]
    estimand: str
    population: str
    event: EventSelection
    reported: Annotated[tuple[str, ...], Field(min_length=1)]
    strata: tuple[str, ...]
    ties: Ties

    @model_validator(mode="after")
    def _reports_its_causes(self) -> "RoutesAnalysis":
        if unknown := sorted(set(self.reported) - set(self.event.causes)):
            raise ValueError(f"reported: {unknown[0]} is no cause of the event")
        return self


class RecurrenceAnalysis(Entry):
    """Mean number of events per child or per family, and the ratio of their rates, up to the last day."""

    family: Literal["recurrence"]
    estimand: str
    population: str
    parameter: str
    level: Literal["child", "family"]
    strata: tuple[str, ...]
    days: Annotated[tuple[int, ...], Field(min_length=1)]

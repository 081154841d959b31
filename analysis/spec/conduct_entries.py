"""Entries of the plan on how the trial was carried out."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from analysis.spec.base import Assumable, Declaration
from analysis.spec.entry import Entry

Days = Annotated[int, Field(gt=0)]


class Dose(Declaration):
    """The least that a family received of its service: sessions, days from first to last contact, or both."""

    sessions: Annotated[int, Field(gt=0)] | None = None
    contact_days: Days | None = None

    @model_validator(mode="after")
    def _asks_for_something(self) -> "Dose":
        if self.sessions is None and self.contact_days is None:
            raise ValueError("give sessions, contact_days or both")
        return self


class Fulfilment(Assumable):
    """When a family that received its service had what was meant; not defined where an arm has no dose."""

    intervention: Dose | None = None
    control: Dose | None = None


class ReasonGroup(Declaration):
    """Reasons for a missing outcome that are told together under one heading."""

    title: str
    reasons: Annotated[tuple[str, ...], Field(min_length=1)]


class MissingAnalysis(Entry):
    """Outcomes due, observed and missing by visit; reasons in no group are told as others.

    A family stands where the best placed of its children does: observed, then other reasons, then the groups
    in their order.
    """

    family: Literal["missing"]
    population: str
    parameters: Annotated[tuple[str, ...], Field(min_length=1)]
    groups: tuple[ReasonGroup, ...]

    @model_validator(mode="after")
    def _names_each_once(self) -> "MissingAnalysis":
        reasons = [reason for group in self.groups for reason in group.reasons]
        for named in (self.parameters, reasons):
            if len(set(named)) < len(named):
                raise ValueError("a parameter or reason is given twice")
        return self


class DeviationsAnalysis(Entry):
    """Deviations from the protocol by kind, weight and site."""

    family: Literal["deviations"]
    population: str


class DeliveryAnalysis(Entry):
    """The service each family received; `days` are those by which the share that had begun is told."""

    family: Literal["delivery"]
    population: str
    adherent: Fulfilment
    completed: Fulfilment
    days: Annotated[tuple[Days, ...], Field(min_length=1)]


class AccrualAnalysis(Entry):
    """Families and children referred and randomised against the target, and when it will be reached.

    The rate of each site is that of the last `rate_days`; `prior_shape` is the shape of its gamma prior.
    """

    family: Literal["accrual"]
    rate_days: Days
    prior_shape: Annotated[float, Field(ge=0)]


class BalanceAnalysis(Entry):
    """Families and children of each arm by stratum: a level of one column of `recruitment`, or of several."""

    family: Literal["balance"]
    factors: Annotated[tuple[tuple[str, ...], ...], Field(min_length=1)]


class RetentionAnalysis(Entry):
    """Visits as they stood at the cut, and the time until families withdrew, read at `days`."""

    family: Literal["retention"]
    population: str
    days: Annotated[tuple[Days, ...], Field(min_length=1)]

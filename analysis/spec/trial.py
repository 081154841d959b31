"""What holds for every analysis of the trial: arms, sites, visits, epochs, clock and data cut."""

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator

from analysis.spec.base import Assumable, Declaration, IsoDay


class Arms(Declaration):
    """Codes of the two arms; a difference is intervention less control."""

    intervention: str
    control: str


class Visit(Assumable):
    """A research visit and the window in which it counts, in days from its origin."""

    id: str
    label: str
    origin: Literal["care_entry_date", "randomisation_date"]
    from_days: int
    to_days: int

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> "Visit":
        if self.to_days < self.from_days:
            raise ValueError("to_days is before from_days")
        return self


class Epoch(Assumable):
    """A period with one order of consent, baseline and randomisation."""

    id: str
    from_date: IsoDay
    to_date: IsoDay
    baseline_precedes_randomisation: bool


class ClockOrigin(Assumable):
    """The day from which time is counted."""

    field: Literal["randomisation_date", "care_entry_date"]


class Milestone(Declaration):
    """How many families were to be randomised by a day."""

    date: IsoDay
    families: Annotated[int, Field(ge=0)]


class RecruitmentTarget(Assumable):
    """Families to be randomised by the last day of recruitment, and by days before it where that is known.

    The target starts from no family on the first day and is a straight line from each of these points to the
    next.
    """

    families: Annotated[int, Field(gt=0)]
    milestones: tuple[Milestone, ...] = ()


class Recruitment(Assumable):
    """First and last day of recruitment, the day each site opened, and the target."""

    first: IsoDay
    last: IsoDay
    opened: dict[str, IsoDay]
    target: RecruitmentTarget

    @property
    def path(self) -> tuple[tuple[str, int], ...]:
        """The target as day and families, from none on the first day to all on the last."""
        between = ((each.date, each.families) for each in self.target.milestones)
        return ((self.first, 0), *between, (self.last, self.target.families))

    @model_validator(mode="after")
    def _target_rises(self) -> "Recruitment":
        days, families = zip(*self.path, strict=True)
        if any(a >= b for a, b in pairwise(days)) or any(a > b for a, b in pairwise(families)):
            raise ValueError("days and families of the target must rise from first to last")
        return self

    @model_validator(mode="after")
    def _sites_open_in_time(self) -> "Recruitment":
        for site, day in self.opened.items():
            if not self.first <= day <= self.last:
                raise ValueError(f"site {site} opened before the first or after the last day of recruitment")
        return self


class Assumption(Declaration):
    """Something the public record does not say, and what is done instead.

    One that tells of the arms is for the closed `audience`, one with `only` is of the synthetic trial alone.
    """

    item: str
    text: str
    audience: Literal["open", "closed"] = "open"
    only: Literal["synthetic"] | None = None


class Trial(Declaration):
    """What holds for every analysis of the trial.

    With fewer than `few_events` in an arm the first page and recurrences have no ratio by a model.
    """

    acronym: str
    title: str
    design: str
    cluster: str
    participant: str
    registrations: tuple[str, ...]
    funder_reference: str
    sap_version: str
    sites: tuple[str, ...]
    strata: tuple[str, ...]
    arms: Arms
    level: Annotated[float, Field(gt=0, lt=1)]
    few_events: Annotated[int, Field(ge=1)]
    clock_origin: ClockOrigin
    horizon_days: Annotated[int, Field(gt=0)]
    visits: tuple[Visit, ...]
    recruitment: Recruitment
    data_cut: IsoDay
    epochs: tuple[Epoch, ...]
    assumptions: tuple[Assumption, ...]

"""The statistical analysis plan as frozen declarations."""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from analysis.spec.base import Assumable, Declaration
from analysis.spec.conduct_entries import (
    AccrualAnalysis,
    BalanceAnalysis,
    DeliveryAnalysis,
    DeviationsAnalysis,
    MissingAnalysis,
    RetentionAnalysis,
)
from analysis.spec.entry import Entry
from analysis.spec.event_entries import (
    FrailtyAnalysis,
    HazardAnalysis,
    IncidenceAnalysis,
    OccupationAnalysis,
    ProportionalityAnalysis,
    RecurrenceAnalysis,
    RoutesAnalysis,
)
from analysis.spec.monitoring_entries import MonitoringAnalysis, NuisanceAnalysis
from analysis.spec.visit_outcomes import (
    AveragesAnalysis,
    BinaryAnalysis,
    Covariate,
    LinearAnalysis,
    MixedAnalysis,
    Weights,
)

Summary = Literal["counts", "mean", "median"]


# Days from entry to care to randomisation, which the baseline table computes.
DAYS_IN_CARE = "days_in_care"

# Why a child has no baseline score whose family was removed from the trial before the visit took place.
REMOVED_BEFORE = "family removed before the visit"


class Condition(Declaration):
    """One condition on `subjects`: a column, a visit's attendance, or presence in a table."""

    column: str | None = None
    visit: str | None = None
    table: str | None = None
    is_: str = Field(alias="is")

    @model_validator(mode="after")
    def _one_subject(self) -> "Condition":
        if sum(part is not None for part in (self.column, self.visit, self.table)) != 1:
            raise ValueError("give exactly one of column, visit, table")
        return self


class Population(Declaration):
    id: str
    label: str
    text: str
    where: tuple[Condition, ...]


class IntercurrentEvent(Assumable):
    event: str
    strategy: Literal["treatment policy", "hypothetical", "composite", "while alive", "principal stratum"]


class Estimand(Declaration):
    """ICH E9(R1) attributes, and whose average a cluster trial means.

    Several outcomes may share them; `main` then names one analysis for each. `analysed_in` is the population
    whose data the main analyses have, where that is not all of `population`. `better` is the side of the
    effect that is hoped for, where the outcome has no scale that says so and all its effects lie one way. One
    not on the `first_page` is left to its chapter of the committee's pack.
    """

    id: str
    title: str
    treatment: str
    population: str
    analysed_in: str | None = None
    variable: str
    intercurrent_events: tuple[IntercurrentEvent, ...]
    summary: str
    average: Literal["child", "family"]
    effect: Literal["marginal", "cluster-specific", "conditional on site"]
    main: tuple[str, ...]
    sensitivity: tuple[str, ...]
    no_sensitivity: str | None = None
    supplementary: tuple[str, ...] = ()
    better: Literal["lower", "higher"] | None = None
    first_page: bool = True

    @property
    def analyses(self) -> tuple[str, ...]:
        """All its analyses: main, sensitivity, supplementary."""
        return (*self.main, *self.sensitivity, *self.supplementary)

    @property
    def analysis_set(self) -> str:
        """The population the main analyses are of."""
        return self.analysed_in or self.population

    @field_validator("main", mode="before")
    @classmethod
    def _one_or_several(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _has_a_sensitivity(self) -> "Estimand":
        if not self.sensitivity and not self.no_sensitivity:
            raise ValueError("name a sensitivity analysis, or say in no_sensitivity why there is none")
        return self


class Variable(Declaration):
    """A row block of the baseline table: a column of `subjects` or a parameter at a visit.

    `title` replaces the title of the column; a column that is computed (`days_in_care`) needs one.
    """

    column: str | None = None
    parameter: str | None = None
    visit: str | None = None
    unit: Literal["family", "child"]
    summary: Summary = "counts"
    title: str | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> "Variable":
        if bool(self.column) == bool(self.parameter) or bool(self.parameter) != bool(self.visit):
            raise ValueError("give a column, or a parameter and its visit")
        if self.column == DAYS_IN_CARE and not self.title:
            raise ValueError(f"{DAYS_IN_CARE} is computed and needs a title")
        return self


class FlowAnalysis(Entry):
    family: Literal["flow"]


class BaselineAnalysis(Entry):
    family: Literal["baseline"]
    population: str
    variables: tuple[Variable, ...]


class CourseAnalysis(Entry):
    """The difference between arms in the mean of an outcome at each of several visits.

    `by_visit` names the covariates whose effect may differ between visits.
    """

    family: Literal["course"]
    estimand: str
    population: str
    parameter: str
    visits: tuple[str, ...]
    covariates: tuple[Covariate, ...]
    by_visit: tuple[str, ...] = ()
    structure: Literal["unstructured_in_cluster", "unstructured"]
    df: Literal["kenward_roger", "satterthwaite"]
    weights: Weights


class Moderator(Declaration):
    """A column of `subjects` whose groups are compared; `below` cuts a number into two named groups."""

    column: str
    label: str
    below: float | None = None
    groups: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _two_groups_of_a_cut(self) -> "Moderator":
        if (self.below is not None) != (len(self.groups) == 2) or len(self.groups) not in (0, 2):
            raise ValueError("below needs the names of two groups, and a column of groups needs none")
        return self


class SubgroupAnalysis(LinearAnalysis):
    """The difference between arms within the groups of each moderator, interaction first."""

    family: Literal["subgroups"]
    moderators: tuple[Moderator, ...]


class HarmsAnalysis(Entry):
    family: Literal["harms"]
    estimand: str
    population: str
    interval: Literal["mid-p", "exact"]
    first_page: tuple[str, ...] = ()


Analysis = (
    FlowAnalysis
    | AccrualAnalysis
    | BalanceAnalysis
    | RetentionAnalysis
    | BaselineAnalysis
    | DeliveryAnalysis
    | MissingAnalysis
    | DeviationsAnalysis
    | MixedAnalysis
    | AveragesAnalysis
    | BinaryAnalysis
    | SubgroupAnalysis
    | CourseAnalysis
    | HazardAnalysis
    | FrailtyAnalysis
    | ProportionalityAnalysis
    | RoutesAnalysis
    | IncidenceAnalysis
    | OccupationAnalysis
    | RecurrenceAnalysis
    | HarmsAnalysis
    | MonitoringAnalysis
    | NuisanceAnalysis
)


class Output(Declaration):
    """A table or figure, the analyses behind it and the reports that may carry it.

    `reports` are those of the final edition, `interim` those of an interim one; an output has one at least.
    A *validation* or *checklist* is of the whole plan and names no analyses. One that `reveals` which service
    an arm had, by what it holds, is left out where arms are coded.
    """

    id: str
    kind: Literal[
        "consort",
        "accrual_curve",
        "accrual",
        "balance",
        "attendance_bars",
        "withdrawal_curve",
        "attendance",
        "baseline",
        "delivery",
        "missing",
        "missing_map",
        "deviations",
        "means",
        "averages",
        "variances",
        "risks",
        "subgroups",
        "course",
        "hazards",
        "selected_hazards",
        "proportionality",
        "routes",
        "incidence_curve",
        "route_curves",
        "probabilities",
        "occupation_stack",
        "diagnostics",
        "days",
        "states",
        "recurrences",
        "mean_count_curves",
        "difference_curve",
        "forest",
        "ratio_forest",
        "harms_dots",
        "harms",
        "harms_listing",
        "boundary_plot",
        "monitoring",
        "nuisance",
        "reproduction",
        "checklist",
        "validation",
    ]
    title: str
    analyses: tuple[str, ...]
    reports: tuple[Literal["open", "closed"], ...]
    interim: tuple[Literal["open", "closed"], ...] = ()
    reveals: bool = False

    @model_validator(mode="after")
    def _is_shown(self) -> "Output":
        if not self.reports and not self.interim:
            raise ValueError("no report of any edition carries it")
        if self.reveals and "open" in (*self.reports, *self.interim):
            raise ValueError("what reveals an arm is in no open report")
        return self

"""Entries of the plan about one outcome at one visit."""

from typing import Literal

from pydantic import Field, model_validator

from analysis.spec.base import Declaration
from analysis.spec.entry import Entry

Weights = Literal["observed", "equal"]
BASELINE = "base"
BY_ARM = "arm"
# Reasons for a missing value that nobody failed to bring: the plan did not ask for it.
NOT_DUE = ("not_due_age", "not_due_epoch", "not_due_yet", "not_scheduled")
# With those of an outcome that is collected once.
WAIVED = (*NOT_DUE, "collected_before")


class Outcome(Declaration):
    parameter: str
    visit: str


class Covariate(Declaration):
    """A column of the design matrix; `missing: indicator` adds the missing-indicator method.

    `missing: by_reason`, for the baseline, has an indicator for each of the named `reasons` and one for all
    others together.
    """

    column: str
    kind: Literal["factor", "linear"]
    missing: Literal["complete", "indicator", "by_reason"] = "complete"
    reasons: tuple[str, ...] = ()
    admits_after_randomisation: bool = False

    @model_validator(mode="after")
    def _reasons_of_a_baseline(self) -> "Covariate":
        if (self.missing == "by_reason") != bool(self.reasons):
            raise ValueError("missing: by_reason needs reasons, and nothing else has them")
        if self.reasons and (self.column, self.kind) != (BASELINE, "linear"):
            raise ValueError("only a linear baseline (base) is missing by reason")
        return self


class Restriction(Declaration):
    """The children of one group: a coded column of `subjects` and the code it has."""

    column: str
    is_: str = Field(alias="is")


class ScoreEvent(Declaration):
    """When a score is an event: in bands of a published version of its instrument, or beyond a cut point."""

    version: str | None = None
    bands: tuple[str, ...] = ()
    at_least: float | None = None
    at_most: float | None = None

    @model_validator(mode="after")
    def _one_rule(self) -> "ScoreEvent":
        if bool(self.version) != bool(self.bands):
            raise ValueError("bands need their version, and a version its bands")
        if sum((bool(self.bands), self.at_least is not None, self.at_most is not None)) != 1:
            raise ValueError("give exactly one of bands, at_least, at_most")
        return self


class OutcomeAnalysis(Entry):
    """One outcome at one visit, with covariates; `within` restricts it to one group of the population."""

    estimand: str
    population: str
    within: Restriction | None = None
    outcome: Outcome
    covariates: tuple[Covariate, ...]


class LinearAnalysis(OutcomeAnalysis):
    """A linear mixed model of one outcome at one visit."""

    structure: Literal["random_intercept", "exchangeable"]
    df: Literal["kenward_roger", "satterthwaite"]


class MixedAnalysis(LinearAnalysis):
    """The difference between arms in the mean of an outcome; `weights` is the mix of the adjusted means.

    A heterogeneous structure has the variances of each group of `by`: the arms, or a coded column of
    families.
    """

    family: Literal["mixed"]
    structure: Literal["random_intercept", "exchangeable", "heterogeneous"]
    by: str | None = None
    weights: Weights

    @model_validator(mode="after")
    def _groups_of_variances(self) -> "MixedAnalysis":
        if (self.structure == "heterogeneous") != bool(self.by):
            raise ValueError("structure: heterogeneous needs by, and no other structure has it")
        return self


class AveragesAnalysis(OutcomeAnalysis):
    """The difference between arms averaged over families, beside that over children (`child_estimand`)."""

    family: Literal["averages"]
    child_estimand: str

    @property
    def estimands(self) -> tuple[str, ...]:
        return (self.child_estimand, self.estimand)


class BinaryAnalysis(OutcomeAnalysis):
    """The risk of an event by arm, standardised to the covariates of all children."""

    family: Literal["binary"]
    event: ScoreEvent

"""Parameters of the synthetic trial: each one public with its source, or assumed with its reason."""

import csv
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar

from pydantic import Field, model_validator

from analysis.errors import SpecError
from analysis.spec.base import Declaration, parse, read_yaml
from analysis.spec.states import States
from analysis.spec.trial import Epoch, Trial

FILE = "synthetic.yaml"

Value = TypeVar("Value")
Share = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
Correlation = Annotated[float, Field(ge=-1, le=1)]
CountOf = Annotated[int, Field(ge=0)]
# Below one half the arm ahead would be favoured, and a list that ends level might never come.
Coin = Annotated[float, Field(ge=0.5, le=1)]
# Children who must attend the 2.5-year visit are alive; a large death rate would leave too few.
SmallRate = Annotated[float, Field(ge=0, le=0.002)]


class Given(Declaration, Generic[Value]):
    """One parameter and what it rests on: a public source, or an assumption with its reason."""

    value: Value
    public: str | None = None
    assumed: str | None = None

    @model_validator(mode="after")
    def _has_one_basis(self) -> "Given[Value]":
        if bool(self.public) == bool(self.assumed):
            raise ValueError("give either public (the source) or assumed (the reason)")
        return self


class FlowCounts(Declaration):
    """Numbers that hold exactly in a trial of the published size."""

    randomised_families: Given[CountOf]
    randomised_children: Given[CountOf]
    eligible_families: Given[CountOf]
    eligible_children: Given[CountOf]
    followed_up_families: Given[dict[str, CountOf]]
    followed_up_children: Given[CountOf]
    eligible_family_sizes: Given[dict[int, CountOf]]
    removed_family_sizes: Given[dict[int, CountOf]]
    removed_families: Given[dict[str, CountOf]]
    late_joiners: Given[CountOf]
    lost_siblings: Given[CountOf]
    girls: Given[CountOf]
    sex_not_recorded: Given[CountOf]
    share_girls_elsewhere: Given[Share]
    served_families: Given[dict[str, CountOf]]
    withdrawn_families: Given[CountOf]
    withdrawn_records_families: Given[CountOf]
    withdrawn_siblings: Given[CountOf]
    serious_events: Given[dict[str, CountOf]]
    other_events: Given[CountOf]
    referrals: Given[CountOf]
    referral_outcomes: Given[dict[str, Share]]

    @property
    def lost_families(self) -> int:
        """Eligible families not seen at 2.5 years; all of them have one child."""
        return self.eligible_families.value - sum(self.followed_up_families.value.values())

    @model_validator(mode="after")
    def _adds_up(self) -> "FlowCounts":
        eligible, removed = self.eligible_family_sizes.value, self.removed_family_sizes.value
        families = (sum(eligible.values()), sum(removed.values()))
        children = tuple(sum(size * n for size, n in sizes.items()) for sizes in (eligible, removed))
        followed = children[0] + self.late_joiners.value - self.lost_families - self.lost_siblings.value
        sums = {
            "eligible_families": (families[0], self.eligible_families.value),
            "randomised_families": (sum(families), self.randomised_families.value),
            "removed_families": (families[1], sum(self.removed_families.value.values())),
            "eligible_children": (children[0], self.eligible_children.value),
            "randomised_children": (sum(children), self.randomised_children.value),
            "followed_up_children": (followed, self.followed_up_children.value),
        }
        if wrong := [name for name, (found, stated) in sums.items() if found != stated]:
            raise ValueError(f"the parts do not add up to {', '.join(wrong)}")
        return self


class DesignParameters(Declaration):
    """Where and when families were randomised."""

    sites: Given[dict[str, CountOf]]
    epochs: Given[dict[str, dict[str, CountOf]]]
    lead_in_days: Given[dict[str, CountOf]]
    last_randomisation: Given[date]
    authorities: Given[dict[str, dict[str, Share]]]
    coin: Given[Coin]

    @model_validator(mode="after")
    def _sites_fill_epochs(self) -> "DesignParameters":
        if {site: sum(parts.values()) for site, parts in self.epochs.value.items()} != self.sites.value:
            raise ValueError("epochs: the families of a site's epochs must add up to its families")
        if odd := [site for site, n in self.sites.value.items() if n % 2]:
            raise ValueError(f"sites: {', '.join(odd)}: equal arms within a site need an even number")
        return self


class ChildParameters(Declaration):
    age_shape: Given[tuple[Positive, Positive]]
    age_limit_days: Given[CountOf]
    sibling_gap_days: Given[CountOf]
    month_precision: Given[dict[str, Share]]


class VisitParameters(Declaration):
    attendance: Given[dict[str, Share]]
    lost_attendance_15_months: Given[Share]
    spread_days: Given[dict[str, Positive]]
    late_15_months: Given[Share]
    sdq_returned: Given[Share]
    pedsql_returned: Given[Share]
    scales_returned: Given[Share]
    few_items_missing: Given[Share]
    scale_missing: Given[Share]


class SdqParameters(Declaration):
    """The beta-binomial law of the items; effects are in points of the total (0 to 40)."""

    published: Given[dict[str, tuple[Positive, Positive]]]
    control_mean: Given[Positive]
    difference: Given[float]
    difference_15_months: Given[float]
    change_from_2_5_years: Given[dict[str, float]]
    precision: Given[Positive]
    london: Given[float]
    boy: Given[float]
    year_of_age: Given[float]
    baseline_due: Given[float]
    centre: Given[dict[str, float]]
    sibling_correlation: Given[Share]
    visit_correlation: Given[Share]
    prosocial_mean: Given[Positive]
    prosocial_precision: Given[Positive]
    prosocial_correlation: Given[Correlation]


class PedsqlParameters(Declaration):
    mean: Given[Positive]
    precision: Given[Positive]
    correlation: Given[Correlation]


class ScaleParameters(Declaration):
    """Normal scores, clipped to their range and rounded."""

    mean: float
    sd: Positive
    minimum: float
    maximum: float
    decimals: CountOf
    correlation: Correlation
    assumed: str


class CareParameters(Declaration):
    """Constant rates per child-year; the intervention multiplies two of them."""

    permanence_rate: Given[dict[str, Positive]]
    routes: Given[dict[str, dict[str, Share]]]
    permanence_hazard_ratio: Given[Positive]
    reentry_two_years: Given[Share]
    reentry_hazard_ratio: Given[Positive]
    kin_breakdown_rate: Given[Rate]
    foster_rates: Given[dict[str, Rate]]
    death_rate: Given[SmallRate]
    transfer_rate: Given[Rate]
    sibling_correlation: Given[Share]

    @model_validator(mode="after")
    def _routes_are_shares(self) -> "CareParameters":
        for site, shares in self.routes.value.items():
            if abs(sum(shares.values()) - 1) > 1e-9:
                raise ValueError(f"routes: the shares of {site} must add up to 1")
        return self


class RecordParameters(Declaration):
    move_rate: Given[Rate]
    parents_first: Given[Share]
    kin_first: Given[Share]
    voluntary: Given[Share]
    amended: Given[Share]
    forgotten: Given[Share]
    respite: Given[Share]
    court_weeks: Given[dict[str, Positive]]


class SyntheticParameters(Declaration):
    """Everything the generator knows, with the trial's calendar and state graph."""

    default_seed: Given[CountOf]
    flow: FlowCounts
    design: DesignParameters
    children: ChildParameters
    visits: VisitParameters
    sdq: SdqParameters
    pedsql: PedsqlParameters
    scales: dict[str, ScaleParameters]
    care: CareParameters
    records: RecordParameters
    trial: Trial
    states: States
    authority_from: dict[str, date]

    @property
    def data_cut(self) -> date:
        return date.fromisoformat(self.trial.data_cut)

    def epoch(self, name: str) -> Epoch:
        return next(epoch for epoch in self.trial.epochs if epoch.id == name)

    @model_validator(mode="after")
    def _visits_are_due_by_the_cut(self) -> "SyntheticParameters":
        if (self.data_cut - self.design.last_randomisation.value).days < self.trial.horizon_days:
            raise ValueError("last_randomisation: the 2.5-year visit would be due after the data cut")
        return self


@cache
def load_synthetic(folder: Path) -> SyntheticParameters:
    """The parameters below `folder` (``data_spec/``), checked for sums and for a source or reason each.

    Raises
    ------
    SpecError
        Naming file and key.
    """
    body = read_yaml(folder / FILE)
    if not isinstance(body, dict):
        raise SpecError(f"{FILE}: expected a mapping of sections.")
    sections = {
        "trial": parse(Trial, read_yaml(folder / "sap" / "trial.yaml"), file="sap/trial.yaml"),
        "states": parse(States, read_yaml(folder / "states.yaml"), file="states.yaml"),
        "authority_from": _valid_from(folder / "codelists" / "local_authority.csv"),
    }
    return parse(SyntheticParameters, {**body, **sections}, file=FILE)


def with_values(parameters: SyntheticParameters, values: Mapping[str, Any]) -> SyntheticParameters:
    """The same parameters with other values, for a scenario: ``{"sdq.difference": 0.0}``.

    Raises
    ------
    SpecError
        If a key is not ``section.name``, or a value is not allowed or breaks a sum.
    """
    sections: dict[str, dict[str, Any]] = {}
    for key, value in values.items():
        section, _, name = key.partition(".")
        held = getattr(parameters, section, None) if section in type(parameters).model_fields else None
        if not isinstance(getattr(held, name, None), Given):
            raise SpecError(f"{FILE}: no parameter '{key}'; give section.name as in the file.")
        sections.setdefault(section, held.model_dump())[name] = {"value": value, "assumed": "Scenario."}
    return parse(SyntheticParameters, {**dict(parameters), **sections}, file=FILE)


def _valid_from(path: Path) -> dict[str, date]:
    with path.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    return {row["code"]: date.fromisoformat(row["valid_from"] or "0001-01-01") for row in rows}

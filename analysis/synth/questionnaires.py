"""Answers to the SDQ and the PedsQL, item by item.

A child's propensity to answer has a beta law whose mean is linear in arm, site, age, sex and baseline status;
the items are binomial given it. The mean total is therefore exactly linear. A Gaussian copula joins the
propensities of siblings and of a child's visits without touching any of these means.
"""

from dataclasses import dataclass, field

import numpy as np
from scipy.special import betaincinv, ndtr

from analysis.errors import SpecError
from analysis.spec.synthetic import SyntheticParameters
from analysis.synth.chain import YEAR
from analysis.synth.children import TWO_YEARS, Children, completed_months
from analysis.synth.families import Families, intervention_share_served
from analysis.synth.streams import family_normal, stream
from analysis.synth.visits import VISITS, Visit

SDQ_FORMS, SDQ_ITEMS, SDQ_MAXIMUM = ("2-4", "4-17"), 25, 40
PROSOCIAL = np.array([1, 4, 9, 17, 20]) - 1
REVERSED = np.array([7, 11, 14, 21, 25]) - 1
SDQ_SCALES = np.array([[3, 8, 13, 16, 24], [5, 7, 12, 18, 22], [2, 10, 15, 21, 25], [6, 11, 14, 19, 23]]) - 1
PEDSQL_FORMS, PEDSQL_LENGTHS = ("1-12m", "13-24m", "2-4", "5-7"), np.array([36, 45, 21, 23])
PEDSQL_PHYSICAL = np.array([16, 19, 8, 8])
PEDSQL_FROM, PEDSQL_LAST = np.array([13, 25, 60]), 95
NO_ANSWER, NOT_SCORED = -1, -1


@dataclass(frozen=True, slots=True)
class Forms:
    """One instrument at one visit; `items` is (children, items) with `NO_ANSWER`, used if `is_returned`.

    `printed` is the total that the source prints, `printed_parts` its other scores by the end of the name of
    their column.
    """

    is_returned: np.ndarray
    form: np.ndarray
    items: np.ndarray
    printed: np.ndarray
    printed_parts: dict[str, np.ndarray] = field(default_factory=dict)


def latent_difficulties(
    parameters: SyntheticParameters, families: Families, children: Children, *, seed: int
) -> dict[str, np.ndarray]:
    """Standard normal number behind each child's SDQ at each visit."""
    sdq = parameters.sdq
    family = {
        "family": children.family,
        "n_families": families.n,
        "correlation": sdq.sibling_correlation.value,
    }
    lasting = family_normal(seed, "difficulties", **family)
    share = sdq.visit_correlation.value
    return {
        visit: np.sqrt(share) * lasting
        + np.sqrt(1 - share) * family_normal(seed, f"difficulties {visit}", **family)
        for visit in VISITS
    }


def sdq_mean(
    parameters: SyntheticParameters,
    families: Families,
    children: Children,
    visits: dict[str, Visit],
    name: str,
) -> np.ndarray:
    """Mean total of each child at a visit; the service acts in the served families, on average as declared.

    Raises
    ------
    SpecError
        If a mean is not between 0 and 40.
    """
    sdq, centre = parameters.sdq, parameters.sdq.centre.value
    age_years = (families.randomised[children.family] - children.birth) / YEAR
    due = is_old_enough(children, visits["V3"].due)
    mean = (
        sdq.control_mean.value
        + sdq.london.value * ((families.site[children.family] == 1) - centre["london"])
        + sdq.boy.value * (~children.is_girl - centre["boy"])
        + sdq.year_of_age.value * (age_years - centre["age_years"])
        + sdq.baseline_due.value * (due - centre["baseline_due"])
    )
    effect = {"V3": 0.0, "V4": sdq.difference_15_months.value, "V5": sdq.difference.value}[name]
    helped = (families.arm == 1) & families.is_served
    mean += sdq.change_from_2_5_years.value.get(name, 0.0)
    mean += helped[children.family] * effect / intervention_share_served(parameters)
    if mean.min() <= 0 or mean.max() >= SDQ_MAXIMUM:
        raise SpecError("synthetic.yaml, sdq: the effects give a child a mean total outside 0 to 40.")
    return mean


def is_old_enough(children: Children, day: np.ndarray) -> np.ndarray:
    """Whether the SDQ is due at the child's age on a day."""
    return (day - children.birth >= TWO_YEARS) & (completed_months(children.birth, day) >= 24)


def draw_sdq(
    parameters: SyntheticParameters,
    children: Children,
    visit: Visit,
    mean: np.ndarray,
    latent: np.ndarray,
    *,
    generator: np.random.Generator,
) -> Forms:
    """SDQ of every child at one visit; reversed items as they stand on paper."""
    sdq, given = parameters.sdq, parameters.visits
    propensity = _beta(ndtr(latent), mean / SDQ_MAXIMUM, sdq.precision.value)
    items = generator.binomial(2, propensity[:, None], (children.n, SDQ_ITEMS)).astype(np.int8)
    kind = _correlated(latent, sdq.prosocial_correlation.value, generator)
    prosocial = _beta(
        ndtr(kind), np.full(children.n, sdq.prosocial_mean.value / 10), sdq.prosocial_precision.value
    )
    items[:, PROSOCIAL] = generator.binomial(2, prosocial[:, None], (children.n, PROSOCIAL.size))
    items[:, REVERSED] = 2 - items[:, REVERSED]
    _leave_blank(items, np.full(children.n, SDQ_ITEMS), given.few_items_missing.value, generator)
    _leave_scale_blank(items, given.scale_missing.value, generator)
    returned = generator.random(children.n) < given.sdq_returned.value
    return Forms(
        is_returned=visit.is_attended & returned & is_old_enough(children, visit.date),
        form=(completed_months(children.birth, visit.date) >= 48).astype(np.int8),
        items=items,
        printed=sdq_total(items),
    )


def draw_pedsql(
    parameters: SyntheticParameters,
    children: Children,
    visit: Visit,
    latent: np.ndarray,
    *,
    generator: np.random.Generator,
) -> Forms:
    """PedsQL of every child at one visit; the items beyond the end of a form are `NO_ANSWER`."""
    given, months = parameters.pedsql, completed_months(children.birth, visit.date)
    form = np.searchsorted(PEDSQL_FROM, months, side="right")
    well = _correlated(latent, given.correlation.value, generator)
    problems = 1 - _beta(ndtr(well), np.full(children.n, given.mean.value / 100), given.precision.value)
    items = generator.binomial(4, problems[:, None], (children.n, PEDSQL_LENGTHS.max())).astype(np.int8)
    _leave_blank(items, PEDSQL_LENGTHS[form], parameters.visits.few_items_missing.value, generator)
    items[np.arange(items.shape[1]) >= PEDSQL_LENGTHS[form][:, None]] = NO_ANSWER
    returned = generator.random(children.n) < parameters.visits.pedsql_returned.value
    return Forms(
        is_returned=visit.is_attended & returned & (months >= 1) & (months <= PEDSQL_LAST),
        form=form,
        items=items,
        printed=_mean_points(items),
        printed_parts=_pedsql_parts(items, form),
    )


def draw_scales(
    parameters: SyntheticParameters,
    children: Children,
    visits: dict[str, Visit],
    latent: dict[str, np.ndarray],
    *,
    seed: int,
) -> dict[str, dict[str, np.ndarray]]:
    """Scores of the other instruments by visit and scale, NaN where not due or not returned."""
    scores: dict[str, dict[str, np.ndarray]] = {}
    for name, visit in visits.items():
        due = _scales_due(children, visits, name)
        for scale, given in parameters.scales.items():
            generator = stream(seed, f"{scale} {name}")
            value = given.mean + given.sd * _correlated(latent[name], given.correlation, generator)
            value = np.round(np.clip(value, given.minimum, given.maximum), given.decimals)
            returned = generator.random(children.n) < parameters.visits.scales_returned.value
            shown = visit.is_attended & returned & due[scale.partition("_")[0]]
            scores.setdefault(name, {})[scale] = np.where(shown, value, np.nan)
    return scores


def sdq_total(items: np.ndarray) -> np.ndarray:
    """Total difficulties by the published scoring, `NOT_SCORED` if a scale has fewer than three answers."""
    answered = items != NO_ANSWER
    points = np.where(answered, items, 0)
    points[:, REVERSED] = np.where(answered[:, REVERSED], 2 - points[:, REVERSED], 0)
    total, scored = np.zeros(len(items), dtype=np.int64), np.ones(len(items), dtype=bool)
    for scale in SDQ_SCALES:
        n = answered[:, scale].sum(axis=1)
        total += (10 * points[:, scale].sum(axis=1, dtype=np.int64) + n) // np.maximum(2 * n, 1)
        scored &= n >= 3
    return np.where(scored, total, NOT_SCORED)


def _pedsql_parts(items: np.ndarray, form: np.ndarray) -> dict[str, np.ndarray]:
    is_physical = np.arange(items.shape[1]) < PEDSQL_PHYSICAL[form][:, None]
    parts = {"physical": is_physical, "psychosocial": ~is_physical}
    return {name: _mean_points(np.where(part, items, NO_ANSWER)) for name, part in parts.items()}


def _mean_points(items: np.ndarray) -> np.ndarray:
    """Mean of the answered items, 0 to 100 with 100 best, to two decimals."""
    answered = items != NO_ANSWER
    points = np.where(answered, 100 - 25 * items.astype(np.int64), 0).sum(axis=1)
    return np.round(points / np.maximum(answered.sum(axis=1), 1), 2)


def _scales_due(children: Children, visits: dict[str, Visit], name: str) -> dict[str, np.ndarray]:
    months = completed_months(children.birth, visits[name].date)
    everyone, year = np.ones(children.n, dtype=bool), months >= 12
    seen = visits["V3"].is_attended & (completed_months(children.birth, visits["V3"].date) >= 12)
    return {
        "PIRGAS": everyone,
        "TIMB": everyone,
        "ITSEA": year & (months <= 35) & (name != "V5"),
        "DAI": year,
        "RPQ": year,
        "RAD": year & ((name == "V3") | (name == "V4") & ~seen),
        "COG": (months >= 30) & (name == "V5"),
    }


def _beta(uniform: np.ndarray, mean: np.ndarray, precision: float) -> np.ndarray:
    return betaincinv(mean * precision, (1 - mean) * precision, uniform)


def _correlated(latent: np.ndarray, correlation: float, generator: np.random.Generator) -> np.ndarray:
    return correlation * latent + np.sqrt(1 - correlation**2) * generator.standard_normal(latent.size)


def _leave_blank(items: np.ndarray, length: np.ndarray, share: float, generator: np.random.Generator) -> None:
    """One or two items of some forms, in place."""
    rows = np.flatnonzero(generator.random(len(items)) < share)
    for skipped in (rows, rows[::2]):
        items[skipped, np.floor(generator.random(skipped.size) * length[skipped]).astype(int)] = NO_ANSWER


def _leave_scale_blank(items: np.ndarray, share: float, generator: np.random.Generator) -> None:
    """Three items of one scale of some forms, in place."""
    rows = np.flatnonzero(generator.random(len(items)) < share)
    scale = SDQ_SCALES[generator.integers(0, len(SDQ_SCALES), rows.size)]
    items[rows[:, None], scale[:, :3]] = NO_ANSWER

"""The estimands that a synthetic trial's parameters imply, without a random number.

State probabilities, cumulative incidences and days in a state follow from the intensity matrix Q of one
child: P(t) = exp(Qt), and the expected days in each state to t are the integral of P, both read off one
matrix exponential of an enlarged matrix (Van Loan, IEEE Trans Automat Contr 1978;23:395). Transfer and the
data cut only censor, so they do not enter. Values `standardised` are weighted by the sites' shares of the
eligible children of this trial.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.linalg import expm
from scipy.special import betaincinv, ndtr, roots_hermitenorm

from analysis.spec.synthetic import SyntheticParameters
from analysis.synth.chain import CARE, DIED, FOSTER, HOME, STATES, YEAR, intensities
from analysis.synth.draw import Draw
from analysis.synth.families import arm_codes, intervention_share_served
from analysis.synth.questionnaires import SDQ_MAXIMUM

DAYS = (183, 365, 548, 730, 913)
STANDARDISED = "standardised"
DIFFERENCE = "difference"


@dataclass(frozen=True, slots=True)
class CareLaw:
    """What a child's history is expected to be under one intensity matrix.

    `occupation` is (days, states); `incidence` (days, states) holds the cumulative incidence of the first
    permanent placement by route, and of death before one; `home_for_good` (days,) is the probability of being
    at home without ever having come back into care; `days_in_state` (states,) and `days_waiting` count to the
    last day.
    """

    occupation: np.ndarray
    incidence: np.ndarray
    home_for_good: np.ndarray
    days_in_state: np.ndarray
    days_waiting: float


def care_law(intensity: np.ndarray, days: tuple[int, ...]) -> CareLaw:
    """Expected history of a child in care on day 0.

    Parameters
    ----------
    intensity : numpy.ndarray
        Intensity matrix per year, (6, 6), states in the order of `chain.STATES`.
    days : tuple of int
        Days, in increasing order.
    """
    first = intensity.copy()
    first[CARE + 1 :] = 0
    start, last = np.eye(len(STATES))[CARE], days[-1]
    incidence = np.array([start @ expm(first * day / YEAR) for day in days])
    incidence[:, CARE] = 0
    twice = _with_returns(intensity)
    home = [expm(twice * day / YEAR)[CARE, HOME] for day in days]
    return CareLaw(
        occupation=np.array([start @ expm(intensity * day / YEAR) for day in days]),
        incidence=incidence,
        home_for_good=np.array(home),
        days_in_state=_days_in_state(intensity, last),
        days_waiting=float(_days_in_state(first, last)[CARE]),
    )


def truth_of(draw: Draw) -> dict[str, Any]:
    """Parameters and implied estimands of a drawn trial, ready for JSON."""
    parameters, families = draw.parameters, draw.families
    eligible = ~families.is_removed[draw.children.family] & ~draw.children.is_joiner
    share = np.bincount(families.site[draw.children.family][eligible], minlength=len(parameters.trial.sites))
    weights = share / share.sum()
    return {
        "note": "A synthetic trial. The effects are invented and say nothing about the BeST? Services Trial.",
        "seed": draw.seed,
        "scale": draw.scale,
        "site_weights": dict(zip(parameters.trial.sites, weights.tolist(), strict=True)),
        "outcome": _outcome(parameters),
        "permanence_hazard_ratio": parameters.care.permanence_hazard_ratio.value,
        "reentry_hazard_ratio": parameters.care.reentry_hazard_ratio.value,
        "care": _care_values(parameters, weights),
        "parameters": _stated(parameters),
    }


def _with_returns(intensity: np.ndarray) -> np.ndarray:
    """The chain of 12 states that remembers whether the child has ever come back into care."""
    n = len(STATES)
    both = np.zeros((2 * n, 2 * n))
    both[:n, :n] = both[n:, n:] = intensity
    # Long-term foster care is care: a breakdown there is no return.
    for state in set(range(n)) - {CARE, FOSTER, DIED}:
        both[state, n + CARE], both[state, CARE] = both[state, CARE], 0
    return both


def _days_in_state(intensity: np.ndarray, day: int) -> np.ndarray:
    n = len(intensity)
    enlarged = np.zeros((2 * n, 2 * n))
    enlarged[:n, :n], enlarged[:n, n:] = intensity / YEAR, np.eye(n)
    return expm(enlarged * day)[CARE, n:]


def _care_values(parameters: SyntheticParameters, weights: np.ndarray) -> list[dict[str, Any]]:
    """One record per quantity, arm and site; then standardised; then the difference of the arms."""
    codes, sites = arm_codes(parameters), parameters.trial.sites
    table = _law_table(parameters)
    records = []
    for labels, values in table:
        by_site = dict(zip(sites, values, strict=True))
        by_site[STANDARDISED] = weights @ values
        for site, pair in by_site.items():
            shown = {**dict(zip(codes, pair, strict=True)), DIFFERENCE: pair[1] - pair[0]}
            records += [
                {**labels, "site": site, "arm": arm, "value": float(value)} for arm, value in shown.items()
            ]
    return records


def _law_table(parameters: SyntheticParameters) -> list[tuple[dict[str, Any], np.ndarray]]:
    """Labels of each quantity, and its values by site and arm."""
    rates = intensities(parameters)
    homes = tuple(STATES.index(state) for state in parameters.states.family_home)
    routes = tuple(STATES.index(state) for state in parameters.states.permanent)
    return _law_rows(rates.tobytes(), rates.shape, homes, routes)


@lru_cache(maxsize=8)
def _law_rows(
    content: bytes, shape: tuple[int, ...], homes: tuple[int, ...], routes: tuple[int, ...]
) -> list[tuple[dict[str, Any], np.ndarray]]:
    """As `_law_table`; kept, because a simulation asks for the same rates a thousand times."""
    rates = np.frombuffer(content).reshape(shape)
    laws = [[care_law(rates[site, arm], DAYS) for arm in (0, 1)] for site in range(shape[0])]

    def by(quantity: Any) -> np.ndarray:
        return np.array([[quantity(law) for law in pair] for pair in laws])

    rows = [
        (
            {"name": "days_in_family_home", "day": DAYS[-1]},
            by(lambda law: law.days_in_state[list(homes)].sum()),
        )
    ]
    rows.append(
        ({"name": "days_to_permanence_restricted", "day": DAYS[-1]}, by(lambda law: law.days_waiting))
    )
    for at, day in enumerate(DAYS):
        for state, name in enumerate(STATES):
            values = by(lambda law, a=at, s=state: law.occupation[a, s])
            rows.append(({"name": "occupation", "state": name, "day": day}, values))
        for route in (*routes, DIED):
            values = by(lambda law, a=at, s=route: law.incidence[a, s])
            rows.append(({"name": "cumulative_incidence", "state": STATES[route], "day": day}, values))
        reached = by(lambda law, a=at: law.incidence[a, list(routes)].sum())
        rows.append(({"name": "cumulative_incidence", "state": "any", "day": day}, reached))
        rows.append(
            (
                {"name": "home_without_return", "state": "home", "day": day},
                by(lambda law, a=at: law.home_for_good[a]),
            )
        )
    return rows


def _outcome(parameters: SyntheticParameters) -> dict[str, float]:
    """Truth about the SDQ total at 2.5 years; spread and correlation at the reference covariates."""
    sdq = parameters.sdq
    difference, share = sdq.difference.value, intervention_share_served(parameters)
    mean = sdq.control_mean.value / SDQ_MAXIMUM
    spread = mean * (1 - mean)
    variance = SDQ_MAXIMUM * spread * (1 + (SDQ_MAXIMUM - 1) / (sdq.precision.value + 1))
    shared = SDQ_MAXIMUM**2 * _shared_variance(mean, sdq.precision.value, sdq.sibling_correlation.value)
    return {
        "mean_difference": difference,
        "mean_difference_adjusted": difference,
        "mean_difference_15_months": sdq.difference_15_months.value,
        "share_served_intervention": share,
        "mean_difference_in_the_served": difference / share,
        "control_mean_at_centre": sdq.control_mean.value,
        "control_sd_at_centre": float(np.sqrt(variance)),
        "sibling_correlation_of_totals": shared / variance,
    }


def _shared_variance(mean: float, precision: float, correlation: float) -> float:
    """Covariance of two siblings' propensities: the variance of their common conditional mean."""
    node, weight = roots_hermitenorm(60)
    weight = weight / weight.sum()
    latent = np.sqrt(correlation) * node[:, None] + np.sqrt(1 - correlation) * node
    propensity = betaincinv(mean * precision, (1 - mean) * precision, ndtr(latent))
    given = propensity @ weight
    return float(weight @ given**2 - (weight @ given) ** 2)


def _stated(parameters: SyntheticParameters) -> dict[str, Any]:
    return json.loads(parameters.model_dump_json(exclude={"trial", "states", "authority_from"}))

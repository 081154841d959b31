"""Care histories: a continuous-time Markov chain per child, siblings correlated, every child's own law exact.

The k-th waiting time and the k-th route of a child are driven by two uniform numbers. Siblings' k-th numbers
are joined by a Gaussian copula, which leaves the law of each single child untouched: state probabilities,
cumulative incidences, days in a state and hazard ratios are those of the intensity matrix.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr, ndtr

from analysis.spec.synthetic import SyntheticParameters
from analysis.synth.children import Children
from analysis.synth.families import Families, days
from analysis.synth.streams import family_normal, stream

STATES = ("care", "home", "kin", "foster", "adopted", "died")
CARE, HOME, KIN, FOSTER, ADOPTED, DIED = range(6)
TRANSFERRED = 6
YEAR = 365.25
NEVER = np.iinfo(np.int32).max


@dataclass(frozen=True, slots=True)
class Histories:
    """States in days from each child's clock origin.

    `day[i, k]` is the day of the k-th transition of child i (`NEVER` if it did not happen by the end of
    follow-up) and `state[i, k]` the state before it; `state[i, 0]` is care. `TRANSFERRED` is the end of the
    records, not a state. `end[i]` is the last day of follow-up.
    """

    day: np.ndarray
    state: np.ndarray
    end: np.ndarray


def intensity(parameters: SyntheticParameters, *, site: str, is_intervention: bool) -> np.ndarray:
    """Intensity matrix per year, shape (6, 6), in the order of `STATES`; rows sum to 0."""
    care = parameters.care
    permanence = care.permanence_hazard_ratio.value if is_intervention else 1.0
    reentry = care.reentry_hazard_ratio.value if is_intervention else 1.0
    matrix = np.zeros((len(STATES), len(STATES)))
    for route, share in care.routes.value[site].items():
        matrix[CARE, STATES.index(route)] = care.permanence_rate.value[site] * share * permanence
    matrix[HOME, CARE] = -np.log1p(-care.reentry_two_years.value) / 2 * reentry
    matrix[KIN, CARE] = care.kin_breakdown_rate.value
    for target, rate in care.foster_rates.value.items():
        matrix[FOSTER, STATES.index(target)] = rate
    matrix[:DIED, DIED] = care.death_rate.value
    matrix[np.diag_indices(len(STATES))] = -matrix.sum(axis=1)
    return matrix


def intensities(parameters: SyntheticParameters) -> np.ndarray:
    """Intensity matrices by site (declared order) and arm (0 control, 1 intervention): (sites, 2, 6, 6)."""
    return np.array(
        [
            [intensity(parameters, site=site, is_intervention=arm) for arm in (False, True)]
            for site in parameters.trial.sites
        ]
    )


def draw_histories(
    parameters: SyntheticParameters, families: Families, children: Children, *, seed: int
) -> Histories:
    """Histories of all children from their clock origin to the data cut."""
    end = (days(parameters.data_cut) - children.start).astype(np.int32)
    state, clock, day = np.zeros(children.n, dtype=np.int8), np.zeros(children.n), np.zeros(children.n)
    states, transitions, active = [state], [], np.arange(children.n)
    # The trial hears of no death in a removed family, and a late joiner lives to be seen at 2.5 years.
    is_spared = children.is_joiner | families.is_removed[children.family]
    while active.size:
        wait, target = _step(parameters, families, children, state, active, seed=seed, step=len(transitions))
        clock[active] += wait
        # Rounded up, so that the state on any whole day is the continuous chain's; never two transitions on
        # one day.
        day[active] = np.maximum(np.ceil(np.minimum(clock[active], NEVER - 1)), day[active] + 1)
        happens = (day[active] <= end[active]) & ~(is_spared[active] & (target == DIED))
        active, target = active[happens], target[happens]
        state = state.copy()
        state[active] = target
        states.append(state)
        transitions.append(np.full(children.n, NEVER, dtype=np.int32))
        transitions[-1][active] = day[active]
    return Histories(day=np.stack(transitions, axis=1), state=np.stack(states, axis=1), end=end)


def state_on(histories: Histories, day: np.ndarray | int) -> np.ndarray:
    """State of each child on a day from its clock origin."""
    passed = (histories.day <= np.asarray(day).reshape(-1, 1)).sum(axis=1)
    return histories.state[np.arange(len(histories.state)), passed]


def day_of_death(histories: Histories) -> np.ndarray:
    """Day each child died, `NEVER` for the others."""
    return np.where(histories.state[:, 1:] == DIED, histories.day, NEVER).min(axis=1)


def _step(
    parameters: SyntheticParameters,
    families: Families,
    children: Children,
    state: np.ndarray,
    active: np.ndarray,
    *,
    seed: int,
    step: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Waiting time in days (infinite from an end state) of the active children, and the state after it."""
    family = {
        "family": children.family,
        "n_families": families.n,
        "correlation": parameters.care.sibling_correlation.value,
    }
    own = children.family[active]
    leaving = _leaving(parameters)[families.site[own], families.arm[own], state[active]]
    total = leaving.sum(axis=1)
    with np.errstate(divide="ignore"):
        wait = -log_ndtr(family_normal(seed, f"wait {step}", **family)[active]) / total * YEAR
    chosen = ndtr(family_normal(seed, f"route {step}", **family)[active]) * total
    target = np.minimum((np.cumsum(leaving, axis=1) <= chosen[:, None]).sum(axis=1), DIED)
    return _transfer(parameters, state, active, wait, target, seed=seed, step=step)


def _leaving(parameters: SyntheticParameters) -> np.ndarray:
    """Rates per year by site, arm and state; the end of the records is a last state without exit."""
    rates = np.clip(intensities(parameters), 0, None)
    return np.concatenate([rates, np.zeros((*rates.shape[:2], 1, len(STATES)))], axis=2)


def _transfer(
    parameters: SyntheticParameters,
    state: np.ndarray,
    active: np.ndarray,
    wait: np.ndarray,
    target: np.ndarray,
    *,
    seed: int,
    step: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Another authority takes over, independently of everything else, while the child is in care."""
    if not parameters.care.transfer_rate.value:
        return wait, target
    moved = stream(seed, f"transfer {step}").exponential(
        YEAR / parameters.care.transfer_rate.value, state.size
    )
    first = (state[active] == CARE) & (moved[active] < wait)
    return np.where(first, moved[active], wait), np.where(first, TRANSFERRED, target)

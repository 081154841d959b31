"""Families: site, authority, calendar, arm, size and what becomes of them, published counts exact."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from analysis.errors import SpecError
from analysis.spec.synthetic import SyntheticParameters
from analysis.synth.allocation import INTERVENTION, allocate
from analysis.synth.streams import pick, stream, whole_days

NO_DATE = -1
EPOCH_START = date(1970, 1, 1)
REMOVED_REASONS = ("age", "not_in_care", "not_maltreatment", "out_of_area")
BASELINE_DAYS = (28, 98)


@dataclass(frozen=True, slots=True)
class Families:
    """One row per family in the order of randomisation.

    Dates are days since 1970, `NO_DATE` where there is none.
    `site`, `authority` and `epoch` count in the order of the declared lists; `arm` is 1 for the intervention.
    """

    site: np.ndarray
    authority: np.ndarray
    epoch: np.ndarray
    arm: np.ndarray
    sequence: np.ndarray
    probability: np.ndarray
    size: np.ndarray
    entry: np.ndarray
    baseline_wait: np.ndarray
    consent: np.ndarray
    randomised: np.ndarray
    removed: np.ndarray
    removed_reason: np.ndarray
    is_lost: np.ndarray
    is_served: np.ndarray

    @property
    def n(self) -> int:
        return self.site.size

    @property
    def is_removed(self) -> np.ndarray:
        return self.removed != NO_DATE

    @property
    def is_retained(self) -> np.ndarray:
        """Seen at 2.5 years."""
        return ~self.is_removed & ~self.is_lost


def days(day: date) -> int:
    """Days since 1970."""
    return (day - EPOCH_START).days


def scaled(n: int, scale: float) -> int:
    """A count of a trial `scale` times the published size."""
    return int(np.floor(n * scale + 0.5))


def authorities(parameters: SyntheticParameters) -> tuple[str, ...]:
    """Local authorities of all sites, in the declared order."""
    return tuple(
        name for site in parameters.trial.sites for name in parameters.design.authorities.value[site]
    )


def draw_families(parameters: SyntheticParameters, *, seed: int, scale: float) -> Families:
    """Randomised families of a trial `scale` times the published size."""
    site, epoch, randomised = _calendar(parameters, seed, scale)
    arm, sequence, probability = _arms(parameters, seed, site)
    is_removed, is_lost = _flow(parameters, seed, scale, arm)
    size = _sizes(parameters, seed, scale, is_removed, is_lost)
    wait, consent_gap, entry_gap = _first_weeks(parameters, seed, epoch)
    removed, reason = _removal(seed, randomised, is_removed, size)
    entry = randomised - entry_gap
    return Families(
        site=site,
        authority=draw_authorities(parameters, site, entry, generator=stream(seed, "authority")),
        epoch=epoch,
        arm=arm,
        sequence=sequence,
        probability=probability,
        size=size,
        entry=entry,
        baseline_wait=wait,
        consent=randomised + consent_gap,
        randomised=randomised,
        removed=removed,
        removed_reason=reason,
        is_lost=is_lost,
        is_served=_served(parameters, seed, scale, arm, ~is_removed),
    )


def draw_authorities(
    parameters: SyntheticParameters, site: np.ndarray, day: np.ndarray, *, generator: np.random.Generator
) -> np.ndarray:
    """Authority of each family, among those of its site that had joined by `day`."""
    names = authorities(parameters)
    weight = np.zeros((len(parameters.trial.sites), len(names)))
    for row, each in enumerate(parameters.trial.sites):
        for name, share in parameters.design.authorities.value[each].items():
            weight[row, names.index(name)] = share
    opened = np.array([days(parameters.authority_from[name]) for name in names])
    bound = np.cumsum(weight[site] * (opened <= day[:, None]), axis=1)
    return (bound <= generator.random(site.size)[:, None] * bound[:, -1:]).sum(axis=1)


def recruitment_window(parameters: SyntheticParameters, epoch: int) -> tuple[int, int]:
    """First and last day on which families of an epoch are randomised."""
    each = parameters.trial.epochs[epoch]
    first = days(date.fromisoformat(each.from_date)) + parameters.design.lead_in_days.value[each.id]
    last = min(date.fromisoformat(each.to_date), parameters.design.last_randomisation.value)
    return first, days(last)


def _calendar(
    parameters: SyntheticParameters, seed: int, scale: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    ids = [epoch.id for epoch in parameters.trial.epochs]
    site, epoch, randomised = [], [], []
    for row, name in enumerate(parameters.trial.sites):
        counts = {key: scaled(n, scale) for key, n in parameters.design.epochs.value[name].items()}
        counts[list(counts)[-1]] += sum(counts.values()) % 2
        for key, n in counts.items():
            first, last = recruitment_window(parameters, ids.index(key))
            site.append(np.full(n, row))
            epoch.append(np.full(n, ids.index(key)))
            randomised.append(whole_days(stream(seed, f"randomisation dates {name} {key}"), first, last, n))
    order = np.argsort(np.concatenate(randomised), kind="stable")
    return np.concatenate(site)[order], np.concatenate(epoch)[order], np.concatenate(randomised)[order]


def _arms(
    parameters: SyntheticParameters, seed: int, site: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    arm, sequence = np.zeros(site.size, dtype=np.int8), np.zeros(site.size, dtype=np.int64)
    probability = np.zeros(site.size)
    for row, name in enumerate(parameters.trial.sites):
        here = np.flatnonzero(site == row)
        if not here.size:
            raise SpecError(f"scale: so small a trial has no family of site {name}; take a larger part.")
        block = min(parameters.design.sites.value[name], here.size)
        arm[here], probability[here] = allocate(
            here.size,
            coin=parameters.design.coin.value,
            block=block,
            generator=stream(seed, f"allocation {name}"),
        )
        sequence[here] = np.arange(1, here.size + 1)
    return arm, sequence, probability


def arm_codes(parameters: SyntheticParameters) -> tuple[str, str]:
    """Codes of control and intervention, in the order of `Families.arm`."""
    return parameters.trial.arms.control, parameters.trial.arms.intervention


def _flow(
    parameters: SyntheticParameters, seed: int, scale: float, arm: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Which families are removed as ineligible and which are lost by 2.5 years, exact by arm."""
    flow = parameters.flow
    is_removed, is_retained = np.zeros(arm.size, dtype=bool), np.zeros(arm.size, dtype=bool)
    for value, code in enumerate(arm_codes(parameters)):
        removed = scaled(flow.removed_families.value[code], scale)
        is_removed |= pick(stream(seed, f"removed {code}"), arm == value, removed)
        followed = scaled(flow.followed_up_families.value[code], scale)
        is_retained |= pick(stream(seed, f"followed up {code}"), (arm == value) & ~is_removed, followed)
    return is_removed, ~is_removed & ~is_retained


def _sizes(
    parameters: SyntheticParameters, seed: int, scale: float, is_removed: np.ndarray, is_lost: np.ndarray
) -> np.ndarray:
    """Children of each family: the declared mixtures, except that every lost family has one child."""
    size = np.ones(is_removed.size, dtype=np.int64)
    flow, is_retained = parameters.flow, ~is_removed & ~is_lost
    parts = {
        "removed": (is_removed, flow.removed_family_sizes),
        "retained": (is_retained, flow.eligible_family_sizes),
    }
    for name, (here, sizes) in parts.items():
        mixture = [np.full(scaled(n, scale), size) for size, n in sorted(sizes.value.items(), reverse=True)]
        mixture = np.append(np.concatenate(mixture), np.ones(is_removed.size, dtype=np.int64))
        size[here] = stream(seed, f"sizes {name}").permutation(mixture[: here.sum()])
    return size


def _first_weeks(
    parameters: SyntheticParameters, seed: int, epoch: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Days from entry to baseline, from randomisation to consent, and from entry to randomisation."""
    generator, n = stream(seed, "first weeks"), epoch.size
    wait = whole_days(generator, *BASELINE_DAYS, n)
    soon, later, gap = (
        whole_days(generator, 5, 15, n),
        whole_days(generator, 1, 21, n),
        whole_days(generator, 2, 7, n),
    )
    consent_gap, entry_gap = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    for row, each in enumerate(parameters.trial.epochs):
        here = epoch == row
        consent_first = each.id.index("C") < each.id.index("R")
        if each.baseline_precedes_randomisation:
            entry_gap[here] = (wait + later)[here]
            consent_gap[here] = (soon - wait - later)[here]
        else:
            entry_gap[here] = (soon + gap)[here] if consent_first else soon[here]
            consent_gap[here] = -gap[here] if consent_first else gap[here]
    return wait, consent_gap, entry_gap


def _removal(
    seed: int, randomised: np.ndarray, is_removed: np.ndarray, size: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    generator, n = stream(seed, "removal"), randomised.size
    removed = np.where(is_removed, randomised + whole_days(generator, 7, 90, n), NO_DATE)
    # One code stands for "no child within the age limits", which only a single child is made to be.
    reason = np.where(size == 1, whole_days(generator, 0, 3, n), whole_days(generator, 1, 3, n))
    return removed, np.where(is_removed, reason, NO_DATE)


def _served(
    parameters: SyntheticParameters, seed: int, scale: float, arm: np.ndarray, is_eligible: np.ndarray
) -> np.ndarray:
    is_served = np.zeros(arm.size, dtype=bool)
    for value, code in enumerate(arm_codes(parameters)):
        n = scaled(parameters.flow.served_families.value[code], scale)
        is_served |= pick(stream(seed, f"served {code}"), (arm == value) & is_eligible, n)
    return is_served


def intervention_share_served(parameters: SyntheticParameters) -> float:
    """Share of the intervention's eligible families that it served, as declared."""
    code = arm_codes(parameters)[INTERVENTION]
    flow, n = parameters.flow, sum(parameters.design.sites.value.values())
    return flow.served_families.value[code] / (n / 2 - flow.removed_families.value[code])

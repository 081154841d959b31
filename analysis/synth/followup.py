"""Who is seen at 2.5 years, who withdrew, and when; the dead are among those not seen."""

from dataclasses import dataclass, replace

import numpy as np

from analysis.spec.synthetic import SyntheticParameters
from analysis.synth.chain import Histories, day_of_death
from analysis.synth.children import Children
from analysis.synth.families import NO_DATE, Families, scaled
from analysis.synth.streams import pick, stream, whole_days

WITHDRAWAL_DAYS = (100, 800)


@dataclass(frozen=True, slots=True)
class FollowUp:
    """Per child: seen at 2.5 years, date of death. By family and sibling: date of withdrawal."""

    is_seen: np.ndarray
    died: np.ndarray
    family_withdrawn: np.ndarray
    is_records_withdrawn: np.ndarray
    sibling_withdrawn: np.ndarray


def settle_followup(
    parameters: SyntheticParameters,
    families: Families,
    children: Children,
    histories: Histories,
    *,
    seed: int,
    scale: float,
) -> tuple[Families, FollowUp]:
    """The families with their final `is_lost`, and the children's follow-up, published counts kept."""
    died = children.start + day_of_death(histories).astype(np.int64)
    last_visit_day = next(visit.to_days for visit in parameters.trial.visits if visit.id == "V5")
    is_dead = died <= families.randomised[children.family] + last_visit_day
    families = _swap_lost(families, children, is_dead, seed)
    is_lost_sibling = _lost_siblings(parameters, families, children, is_dead, seed, scale)
    withdrawn, is_records = _withdrawn_families(parameters, families, seed, scale)
    leaving = pick(
        stream(seed, "withdrawn siblings"),
        is_lost_sibling & ~is_dead,
        scaled(parameters.flow.withdrawn_siblings.value, scale),
    )
    day = children.start + whole_days(
        stream(seed, "days of withdrawal, siblings"), *WITHDRAWAL_DAYS, children.n
    )
    return families, FollowUp(
        is_seen=families.is_retained[children.family] & ~is_lost_sibling & ~is_dead,
        died=died,
        family_withdrawn=withdrawn,
        is_records_withdrawn=is_records,
        sibling_withdrawn=np.where(leaving, day, NO_DATE),
    )


def _swap_lost(families: Families, children: Children, is_dead: np.ndarray, seed: int) -> Families:
    """A family whose only child has died changes places with a lost family of its arm."""
    size = np.bincount(children.family, minlength=families.n)
    dead = np.bincount(children.family, weights=is_dead, minlength=families.n) > 0
    is_lost = families.is_lost.copy()
    for arm in (0, 1):
        here = families.arm == arm
        gone = here & families.is_retained & (size == 1) & dead
        stand_in = pick(stream(seed, f"stand-ins {arm}"), here & families.is_lost & ~dead, int(gone.sum()))
        is_lost[gone], is_lost[stand_in] = True, False
    return replace(families, is_lost=is_lost)


def _lost_siblings(
    parameters: SyntheticParameters,
    families: Families,
    children: Children,
    is_dead: np.ndarray,
    seed: int,
    scale: float,
) -> np.ndarray:
    """One child of each of several families that are themselves seen; the dead first."""
    generator = stream(seed, "lost siblings")
    candidates = (
        families.is_retained[children.family] & (families.size[children.family] > 1) & ~children.is_joiner
    )
    keys = np.where(is_dead, -1.0, generator.random(children.n))
    order = np.flatnonzero(candidates)[np.argsort(keys[candidates], kind="stable")]
    first = order[np.sort(np.unique(children.family[order], return_index=True)[1])]
    lost = np.zeros(children.n, dtype=bool)
    lost[first[: scaled(parameters.flow.lost_siblings.value, scale)]] = True
    return lost


def _withdrawn_families(
    parameters: SyntheticParameters, families: Families, seed: int, scale: float
) -> tuple[np.ndarray, np.ndarray]:
    flow = parameters.flow
    leaves = pick(
        stream(seed, "withdrawn families"), families.is_lost, scaled(flow.withdrawn_families.value, scale)
    )
    records = scaled(flow.withdrawn_records_families.value, scale)
    day = families.randomised + whole_days(stream(seed, "days of withdrawal"), *WITHDRAWAL_DAYS, families.n)
    return np.where(leaves, day, NO_DATE), pick(stream(seed, "withdrawn records"), leaves, records)

"""Research visits: when they were due, when they took place and who answered."""

from dataclasses import dataclass

import numpy as np

from analysis.spec.synthetic import SyntheticParameters
from analysis.synth.chain import ADOPTED, HOME, KIN, Histories, state_on
from analysis.synth.children import Children
from analysis.synth.families import BASELINE_DAYS, NO_DATE, Families, days
from analysis.synth.followup import FollowUp
from analysis.synth.streams import stream, whole_days

VISITS = ("V3", "V4", "V5")
ATTENDED, MISSED, WITHDRAWN = range(3)
STATUSES = ("attended", "missed", "withdrawn")
FOSTER_CARER, BIRTH_PARENT, KIN_CARER, ADOPTIVE_PARENT, OTHER = range(5)
BASELINE_DUE, FIFTEEN_MONTHS = 63, 457
EARLIEST_2_5_YEARS, LATEST_2_5_YEARS = 830, 1270
OTHER_INFORMANT = 0.03


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit of every child; `date` is `NO_DATE` unless attended."""

    due: np.ndarray
    date: np.ndarray
    status: np.ndarray
    informant: np.ndarray

    @property
    def is_attended(self) -> np.ndarray:
        return self.status == ATTENDED


def draw_visits(
    parameters: SyntheticParameters,
    families: Families,
    children: Children,
    histories: Histories,
    followup: FollowUp,
    *,
    seed: int,
) -> dict[str, Visit]:
    """The three visits of every child."""
    plans = {
        "V3": _baseline(parameters, families, children, seed),
        "V4": _fifteen_months(parameters, families, children, seed),
        "V5": _two_and_a_half_years(parameters, families, children, followup, seed),
    }
    return {
        name: _visit(
            families, children, histories, followup, *plan, generator=stream(seed, f"informant {name}")
        )
        for name, plan in plans.items()
    }


def _visit(
    families: Families,
    children: Children,
    histories: Histories,
    followup: FollowUp,
    due: np.ndarray,
    date: np.ndarray,
    comes: np.ndarray,
    *,
    generator: np.random.Generator,
) -> Visit:
    left = [
        families.removed[children.family],
        followup.family_withdrawn[children.family],
        followup.sibling_withdrawn,
    ]
    is_withdrawn = np.logical_or.reduce([(day != NO_DATE) & (day <= date) for day in left])
    attended = comes & ~is_withdrawn & (date < followup.died)
    status = np.where(attended, ATTENDED, np.where(is_withdrawn, WITHDRAWN, MISSED))
    answers = np.full(children.n, FOSTER_CARER)
    state = state_on(histories, date - children.start)
    for home, person in ((HOME, BIRTH_PARENT), (KIN, KIN_CARER), (ADOPTED, ADOPTIVE_PARENT)):
        answers[state == home] = person
    answers[generator.random(children.n) < OTHER_INFORMANT] = OTHER
    return Visit(due, np.where(attended, date, NO_DATE), status, np.where(attended, answers, NO_DATE))


def _baseline(
    parameters: SyntheticParameters, families: Families, children: Children, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = stream(seed, "baseline visits")
    comes = generator.random(families.n) < parameters.visits.attendance.value["V3"]
    own_wait = whole_days(generator, *BASELINE_DAYS, children.n)
    wait = np.where(children.is_joiner, own_wait, families.baseline_wait[children.family])
    return children.entry + BASELINE_DUE, children.entry + wait, comes[children.family]


def _fifteen_months(
    parameters: SyntheticParameters, families: Families, children: Children, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    given, generator = parameters.visits, stream(seed, "15-month visits")
    window = next(visit for visit in parameters.trial.visits if visit.id == "V4")
    shift = generator.normal(0, given.spread_days.value["V4"], families.n)
    day = np.clip(np.rint(FIFTEEN_MONTHS + shift), window.from_days, window.to_days).astype(np.int64)
    late = generator.random(families.n) < given.late_15_months.value
    day = np.where(late, window.to_days + whole_days(generator, 1, 50, families.n), day)
    share = np.where(families.is_lost, given.lost_attendance_15_months.value, given.attendance.value["V4"])
    comes = generator.random(families.n) < share
    return children.entry + FIFTEEN_MONTHS, children.entry + day[children.family], comes[children.family]


def _two_and_a_half_years(
    parameters: SyntheticParameters, families: Families, children: Children, followup: FollowUp, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    horizon = parameters.trial.horizon_days
    shift = stream(seed, "2.5-year visits").normal(10, parameters.visits.spread_days.value["V5"], families.n)
    latest = np.minimum(LATEST_2_5_YEARS, days(parameters.data_cut) - families.randomised)
    day = families.randomised + np.clip(np.rint(horizon + shift), EARLIEST_2_5_YEARS, latest).astype(np.int64)
    return families.randomised[children.family] + horizon, day[children.family], followup.is_seen

"""Children of the randomised families, and the siblings who joined later."""

from dataclasses import dataclass

import numpy as np

from analysis.spec.synthetic import SyntheticParameters
from analysis.synth.families import NO_DATE, REMOVED_REASONS, Families, scaled
from analysis.synth.streams import pick, stream, whole_days

MONTH = 30.4375
TWO_YEARS = 731
JOINING_DAYS = (30, 90)


@dataclass(frozen=True, slots=True)
class Children:
    """One row per child; the late joiners come last. Dates are days since 1970.

    `birth` is the date as recorded: the first of the month where only the month is kept. `start` is the
    child's clock origin: randomisation, or joining.
    """

    family: np.ndarray
    birth: np.ndarray
    is_month_precision: np.ndarray
    is_girl: np.ndarray
    is_sex_recorded: np.ndarray
    entry: np.ndarray
    joined: np.ndarray
    start: np.ndarray

    @property
    def n(self) -> int:
        return self.family.size

    @property
    def is_joiner(self) -> np.ndarray:
        return self.joined != NO_DATE


def completed_months(birth: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Age in completed calendar months on a day."""
    born, now = birth.astype("datetime64[D]"), day.astype("datetime64[D]")
    months = now.astype("datetime64[M]").astype(int) - born.astype("datetime64[M]").astype(int)
    return months - (_day_of_month(now) < _day_of_month(born))


def draw_children(
    parameters: SyntheticParameters, families: Families, *, seed: int, scale: float
) -> Children:
    """Children of all families, the published numbers of girls exact among the eligible."""
    family = np.repeat(np.arange(families.n), families.size)
    age = _ages(parameters, families, family, seed)
    birth = families.entry[family] - age
    joiner, joined, joiner_birth = _joiners(parameters, families, family, birth, seed, scale)
    family, birth = np.append(family, joiner), np.append(birth, joiner_birth)
    entry = np.append(families.entry[family[: age.size]], joined)
    coarse = np.array([parameters.children.month_precision.value[site] for site in parameters.trial.sites])
    is_month = stream(seed, "birth precision").random(family.size) < coarse[families.site[family]]
    joined = np.append(np.full(age.size, NO_DATE), joined)
    is_girl, is_recorded = _sexes(parameters, seed, scale, ~families.is_removed[family] & (joined == NO_DATE))
    return Children(
        family=family,
        birth=np.where(is_month, _first_of_month(birth), birth),
        is_month_precision=is_month,
        is_girl=is_girl,
        is_sex_recorded=is_recorded,
        entry=entry,
        joined=joined,
        start=np.where(joined == NO_DATE, families.randomised[family], joined),
    )


def rank_within(group: np.ndarray, key: np.ndarray) -> np.ndarray:
    """Rank of each element among those of its group, 0 for the smallest key."""
    order = np.lexsort((key, group))
    ordered = group[order]
    first = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    position = np.arange(group.size) - np.repeat(first, np.diff(np.append(first, group.size)))
    rank = np.empty(group.size, dtype=np.int64)
    rank[order] = position
    return rank


def _ages(parameters: SyntheticParameters, families: Families, family: np.ndarray, seed: int) -> np.ndarray:
    """Ages at care entry in days, oldest child first, siblings at least the declared gap apart."""
    given, generator = parameters.children, stream(seed, "ages")
    share = generator.beta(*given.age_shape.value, family.size)
    rank = rank_within(family, -share)
    younger = families.size[family] - 1 - rank
    room = given.age_limit_days.value - given.sibling_gap_days.value * (families.size[family] - 1)
    age = np.floor(share * room).astype(np.int64) + given.sibling_gap_days.value * younger
    age = age[np.lexsort((rank, family))]
    too_old = families.removed_reason[family] == REMOVED_REASONS.index("age")
    return np.where(too_old, whole_days(generator, 1830, 2100, family.size), age)


def _joiners(
    parameters: SyntheticParameters,
    families: Families,
    family: np.ndarray,
    birth: np.ndarray,
    seed: int,
    scale: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Babies born to families seen at 2.5 years: family, day of joining and of birth."""
    generator = stream(seed, "joiners")
    youngest = np.full(families.n, -(10**6))
    np.maximum.at(youngest, family, birth)
    can_have = families.is_retained & (
        families.entry - youngest >= parameters.children.sibling_gap_days.value
    )
    chosen = np.flatnonzero(pick(generator, can_have, scaled(parameters.flow.late_joiners.value, scale)))
    joined = families.randomised[chosen] + whole_days(generator, *JOINING_DAYS, chosen.size)
    return chosen, joined, joined - whole_days(generator, 5, 40, chosen.size)


def _sexes(
    parameters: SyntheticParameters, seed: int, scale: float, is_eligible: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    flow, generator = parameters.flow, stream(seed, "sex")
    is_girl = generator.random(is_eligible.size) < flow.share_girls_elsewhere.value
    unknown = pick(generator, is_eligible, scaled(flow.sex_not_recorded.value, scale))
    known = is_eligible & ~unknown
    is_girl[known] = pick(generator, known, scaled(flow.girls.value, scale))[known]
    return is_girl, ~unknown


def _first_of_month(day: np.ndarray) -> np.ndarray:
    return day.astype("datetime64[D]").astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def _day_of_month(day: np.ndarray) -> np.ndarray:
    return (day - day.astype("datetime64[M]").astype("datetime64[D]")).astype(int)

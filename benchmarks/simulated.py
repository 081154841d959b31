"""Simulated data in the shape of the trial, from a fixed seed; R reads the same rows."""

import numpy as np
from numpy.typing import NDArray

Table = dict[str, NDArray]
SEED = 2024
FAMILIES, SHARES = 300, (0.78, 0.16, 0.05, 0.01)
RANDOMISED = 360
CHILDREN, LARGE_SHARES = 1_000_000, (0.8, 0.15, 0.05)
SUBJECTS, VISITS = 200, 4


def families(rng: np.random.Generator, number: int, shares: tuple[float, ...]) -> NDArray:
    """Family of each child, rows in random order."""
    return rng.permutation(np.repeat(np.arange(number), rng.choice(len(shares), number, p=shares) + 1))


def trial() -> Table:
    """A child-level outcome with arm, site, age, sex and baseline; about 390 children in 300 families."""
    rng = np.random.default_rng(SEED)
    family = families(rng, FAMILIES, SHARES)
    n = len(family)
    arm, site = rng.permutation(FAMILIES)[family] % 2, rng.permutation(FAMILIES)[family] % 3 == 0
    table = {"family": family, "arm": arm, "site": site, "age": rng.uniform(0, 5, n)}
    table |= {"sex": rng.integers(0, 2, n), "base": rng.normal(15, 6, n)}
    effect = 3.0 * rng.normal(size=FAMILIES)[family]
    table["y"] = 10.0 + 0.3 * table["base"] + effect + 5.0 * rng.normal(size=n)
    return table


def visits() -> Table:
    """Four visits of 200 subjects, a third of the values missing; arm, sex and a factor of three levels."""
    rng = np.random.default_rng(SEED + 1)
    subject, visit = np.divmod(np.arange(SUBJECTS * VISITS), VISITS)
    arm, sex, region = (rng.integers(0, levels, SUBJECTS)[subject] for levels in (2, 2, 3))
    lasting, walk = rng.normal(size=SUBJECTS), np.cumsum(rng.normal(size=(SUBJECTS, VISITS)), axis=1)
    table = {"subject": subject, "visit": visit, "arm": arm, "sex": sex, "region": region}
    table["y"] = 40.0 + 5.0 * visit + 2.0 * arm + 4.0 * lasting[subject] + 2.0 * walk.ravel()
    table["y"] += 3.0 * rng.normal(size=SUBJECTS * VISITS)
    seen = rng.random(SUBJECTS * VISITS) < 0.67
    return {name: column[seen] for name, column in table.items()}


def survival(number: int = FAMILIES, shares: tuple[float, ...] = SHARES) -> Table:
    """A child's time in whole days to one of two events, with arm, site, age and family."""
    rng = np.random.default_rng(SEED + 2)
    family = families(rng, number, shares)
    n = len(family)
    arm, site = rng.permutation(number)[family] % 2, rng.permutation(number)[family] % 3 == 0
    frailty = np.exp(0.5 * rng.normal(size=number))[family]
    event_time = np.ceil(rng.exponential(500.0 / (frailty * np.where(arm == 1, 1.3, 1.0))))
    censored = rng.integers(300, 914, n)
    cause = np.where(event_time <= censored, rng.integers(1, 3, n), 0)
    table = {"time": np.minimum(event_time, censored), "cause": cause, "arm": arm, "site": site}
    return table | {"age": rng.uniform(0, 5, n), "family": family}


def children(number: int) -> Table:
    """About `number` children, four families to five of them, with an arm and three covariates."""
    rng = np.random.default_rng(SEED + 3)
    groups = round(0.8 * number)
    family = families(rng, groups, LARGE_SHARES)
    n = len(family)
    table = {"family": family, "arm": family % 2, "x": rng.normal(size=n), "z": rng.normal(size=n) > 0}
    table["w"] = rng.normal(size=n)
    table["y"] = table["arm"] + table["x"] + rng.normal(size=groups)[family] + 2.0 * rng.normal(size=n)
    return table


DATA = {
    "trial": trial,
    "visits": visits,
    "survival": survival,
    "randomised": lambda: survival(RANDOMISED),
    "survival_large": lambda: survival(round(0.8 * CHILDREN), LARGE_SHARES),
    "survival_hundredth": lambda: survival(round(0.008 * CHILDREN), LARGE_SHARES),
    "children": lambda: children(CHILDREN),
    "children_tenth": lambda: children(CHILDREN // 10),
}

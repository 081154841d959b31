"""Do family-robust intervals of survival curves cover, and do the tests of incidence keep their size?

python -m tests.simulation.family_intervals [TRIALS] writes family_intervals.csv: one row for each design,
dependence of siblings, quantity and variance (by family, or as if children were independent).
"""

import itertools
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import ndtr

from analysis.stats.competing import cumulative_incidence, fine_gray, gray_test
from analysis.stats.influence import Linear, difference
from analysis.stats.intervals import IntervalKind
from analysis.stats.multistate import Occupation, aalen_johansen, occupation_at, time_in_state
from tests.simulation.size_coverage import design

HERE = Path(__file__).parent
FAMILIES = 300
SINGLETONS = (0.72, 0.0)
DEPENDENCE = (0.0, 0.5, 0.9)
HORIZON, EARLY = 130, 52
# A child leaves care at this rate a week, home with this probability, and comes back at that rate.
LEAVING, HOME, RETURNING = 1 / 70, 0.4, 1 / 210
FIRST_CENSORED, LAST_CENSORED = 52, 200
CARE, AT_HOME, ELSEWHERE, BACK = range(4)
INTERVALS = (
    "incidence of home, week 52",
    "incidence of home, week 130",
    "at home, week 130",
    "mean weeks in care to week 130",
    "mean weeks at home to week 130",
    "difference in incidence of home, week 130",
    "difference in weeks at home to week 130",
    "log subdistribution hazard ratio",
)
TESTS = ("Gray's test", "Fine-Gray model, Wald test")


def truth() -> np.ndarray:
    """True values of `INTERVALS`: times are whole weeks, so areas are sums over weeks."""
    week = np.arange(HORIZON + 1)
    care = np.exp(-LEAVING * week)
    home = HOME * LEAVING / (LEAVING - RETURNING) * (np.exp(-RETURNING * week) - care)
    early, late = HOME * (1 - care[[EARLY, HORIZON]])
    return np.array([early, late, home[-1], care[:-1].sum(), home[:-1].sum(), 0.0, 0.0, 0.0])


def histories(family: np.ndarray, dependence: float, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Weeks of leaving care, of coming back and of censoring, all whole, and whether home, of each child.

    Each is drawn from normal scores with the same correlation within families; the marginal distributions do
    not depend on it. Censoring is common to a family.
    """
    shared = rng.normal(size=(family[-1] + 1, 3))[family]
    score = np.sqrt(dependence) * shared + np.sqrt(1 - dependence) * rng.normal(size=(len(family), 3))
    leaves, route, stays = ndtr(score).T
    left = -np.log(leaves) / LEAVING
    return {
        "left": np.ceil(left).astype(int),
        "back": np.ceil(left - np.log(stays) / RETURNING).astype(int),
        "home": route < HOME,
        "censored": rng.integers(FIRST_CENSORED, LAST_CENSORED, family[-1] + 1)[family],
    }


def first_events(child: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Time and cause: 1 home, 2 elsewhere, 0 censored."""
    seen = child["left"] <= child["censored"]
    return np.minimum(child["left"], child["censored"]), np.where(seen, np.where(child["home"], 1, 2), 0)


def occupation(child: dict[str, np.ndarray], family: np.ndarray) -> Occupation:
    """In care, at home, elsewhere, back in care; a second row for the time at home."""
    time, cause = first_events(child)
    home = np.flatnonzero((cause == 1) & (child["censored"] > time) & (child["back"] > time))
    at_once = (cause == 1) & (child["back"] <= time)
    end = np.minimum(child["back"], child["censored"])[home]
    target = np.where(at_once, BACK, np.where(cause > 0, cause, -1))
    subject = np.arange(len(family))
    return aalen_johansen(
        np.append(subject, subject[home]),
        np.append(np.zeros(len(time)), time[home]),
        np.append(time, end),
        np.append(np.zeros(len(time)), np.full(len(home), AT_HOME)),
        np.append(target, np.where(child["back"][home] <= child["censored"][home], BACK, -1)),
        4,
        cluster=np.append(family, family[home]),
    )


def curves(child: dict[str, np.ndarray], family: np.ndarray) -> tuple[Linear, Linear, Linear]:
    """Incidence of home at both times; occupation of home; weeks in care and at home."""
    incidence = cumulative_incidence(*first_events(child), cluster=family, n_causes=2)
    occupied = occupation(child, family)
    return (
        occupation_at(incidence, [EARLY, HORIZON]).select([1, 4]),
        occupation_at(occupied, [HORIZON]).select([AT_HOME]),
        time_in_state(occupied, HORIZON).select([CARE, AT_HOME]),
    )


def estimates(child: dict[str, np.ndarray], family: np.ndarray, arm: np.ndarray) -> list[tuple[Linear, str]]:
    """Estimates in the order of `INTERVALS`, with the scale of their limits."""
    whole = curves(child, family)
    by_arm = [
        curves({key: column[arm == a] for key, column in child.items()}, family[arm == a]) for a in (0, 1)
    ]
    apart = [difference(one, other) for other, one in zip(*by_arm, strict=True)]
    model = fine_gray(*first_events(child), arm, cluster=family)
    return [
        (whole[0], "log-log"),
        (whole[1], "log-log"),
        (whole[2], "unbounded"),
        (apart[0].select([1]), "unbounded"),
        (apart[2].select([1]), "unbounded"),
        (model.linear, "unbounded"),
    ]


def covered(estimate: Linear, kind: IntervalKind, true: np.ndarray) -> np.ndarray:
    limits = estimate.interval(kind=kind)
    return (limits.low <= true) & (true <= limits.high)


def trial(family: np.ndarray, arm: np.ndarray, dependence: float, rng: np.random.Generator) -> np.ndarray:
    """Whether intervals cover and tests do not reject: by family, then as if independent; (2, 10)."""
    child, true = histories(family, dependence, rng), truth()
    found: list[list[np.ndarray]] = [[], []]
    place = 0
    for estimate, kind in estimates(child, family, arm):
        values = true[place : place + len(estimate.estimate)]
        place += len(values)
        for row, each in zip(found, (estimate, replace(estimate, cluster=None)), strict=True):
            row.append(covered(each, kind, values))
    test = gray_test(*first_events(child), arm, cluster=family)
    for row, each in zip(found, (test.robust, test.plain), strict=True):
        row += [np.array([each.p > 0.05]), row[-1]]
    return np.array([np.concatenate(row) for row in found])


def cell(singletons: float, dependence: float, trials: int, seed: int = 1) -> pd.DataFrame:
    """Coverage of each interval and size of each test in one design."""
    family, X = design(FAMILIES, singletons)
    arm = X[:, 1]
    rng = np.random.default_rng([seed, round(100 * singletons), round(100 * dependence)])
    shares = sum(trial(family, arm, dependence, rng).astype(float) for _ in range(trials)) / trials
    label = {"singletons": singletons, "children": len(family), "dependence": dependence, "trials": trials}
    return pd.DataFrame([label | row for row in rows(shares, trials)])


def rows(shares: np.ndarray, trials: int) -> Iterator[dict[str, float | str]]:
    for variance, line in zip(("family", "independent"), shares, strict=True):
        for quantity, share in zip(INTERVALS + TESTS, line, strict=True):
            yield {
                "quantity": quantity,
                "variance": variance,
                "coverage": share if quantity in INTERVALS else np.nan,
                "size": 1 - share if quantity in TESTS else np.nan,
                "monte_carlo_error": np.sqrt(share * (1 - share) / trials),
            }


def as_markdown(table: pd.DataFrame, quantities: tuple[str, ...], column: str) -> str:
    """In percent: each quantity by design and dependence, as it stands on the page of results."""
    head = ["Singletons, %", "Dependence", "Quantity", "By family", "As if independent"]
    chosen = table[table["quantity"].isin(quantities)]
    wide = chosen.pivot(index=["singletons", "dependence", "quantity"], columns="variance", values=column)
    body = [
        [f"{100 * s:g}", f"{d:g}", quantity, *(f"{100 * wide.loc[(s, d, quantity), v]:.1f}" for v in wide)]
        for s, d, quantity in itertools.product(SINGLETONS, DEPENDENCE, quantities)
    ]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in [head, ["---"] * len(head), *body])


def sweep(trials: int) -> pd.DataFrame:
    """Every cell of the grid, a process each."""
    grid = list(itertools.product(SINGLETONS, DEPENDENCE))
    with ProcessPoolExecutor() as pool:
        return pd.concat(pool.map(cell, *zip(*grid, strict=True), [trials] * len(grid)), ignore_index=True)


if __name__ == "__main__":
    table = sweep(int(sys.argv[1]) if len(sys.argv) > 1 else 4_000)
    table.round(6).to_csv(HERE / "family_intervals.csv", index=False, lineterminator="\n")
    print(as_markdown(table, INTERVALS, "coverage"))
    print(as_markdown(table, TESTS, "size"))

"""Proportional hazards a second time: score test term by term, families drawn anew, a ratio per period."""

import itertools
import math

import numpy as np
import pandas as pd

from analysis.qc.again import Again, chi_square, ratio
from analysis.qc.risk_sets import Hazard, RiskSets, hazard, risk_sets
from analysis.qc.tables import Tables, sizes, treated
from analysis.qc.times import event_times, events_by_arm
from analysis.results import Estimate
from analysis.spec.event_entries import ProportionalityAnalysis

METHOD = (
    "score test from the matrix of event terms and rows; family bootstrap with draws of its own; periods "
    "from rows cut at the days between them"
)


def again(entry: ProportionalityAnalysis, tables: Tables) -> Again:
    """Three tests that the ratio does not change, the ratio per period, and whether periods agree."""
    rows = event_times(tables, entry.population, entry.event, entry.strata)
    event, x = rows["cause"].notna().to_numpy(), treated(rows, tables)
    fit, sets = hazard(rows, event, x, entry.ties), risk_sets(rows, event, entry.ties)
    plain, scores = _score(sets, x, fit, _of_time(sets, rows, event, entry.transform), rows["family_id"])
    robust = scores.sum() ** 2 / (scores**2).sum()
    p, error = _bootstrap(scores, robust, entry)
    label = {"contrast": tables.contrast}
    drawn = {**label, "variance": "family bootstrap"}
    tests = (
        chi_square("proportionality_test", plain, 1, {**label, "variance": "independent children"}),
        chi_square("proportionality_test", robust, 1, {**label, "variance": "family-robust"}),
        Estimate("proportionality_test", robust, statistic=robust, p=p, labels=drawn),
    )
    return Again(
        METHOD,
        estimates=(*tests, *_periods(rows, event, x, entry, tables)),
        counts=(*sizes(rows, tables), *events_by_arm(rows, tables)),
        drawn={("proportionality_test", "p", tuple(sorted(drawn.items()))): error},
    )


def _of_time(sets: RiskSets, rows: pd.DataFrame, event: np.ndarray, transform: str) -> np.ndarray:
    """The function of time at each term, less its mean over events."""
    if transform == "rank":
        stops = np.sort(rows["stop"].to_numpy())
        g = (np.searchsorted(stops, sets.day, "left") + np.searchsorted(stops, sets.day, "right") + 1) / 2
    elif transform == "km":
        g = 1 - np.array([_survival_before(rows, event, day) for day in sets.day])
    else:
        g = np.log(sets.day) if transform == "log" else sets.day
    return g - g.mean()


def _survival_before(rows: pd.DataFrame, event: np.ndarray, day: float) -> float:
    start, stop = rows["start"].to_numpy(), rows["stop"].to_numpy()
    earlier = sorted({each for each in stop[event] if each < day})
    return math.prod(
        1 - (event & (stop == each)).sum() / ((start < each) & (stop >= each)).sum() for each in earlier
    )


def _score(
    sets: RiskSets, x: np.ndarray, fit: Hazard, g: np.ndarray, family: pd.Series
) -> tuple[float, np.ndarray]:
    """The test for independent children, and each family's part of the score of x g(t)."""
    P = sets.shares(x * fit.coef[0])
    mean = P @ x
    spread = P @ x**2 - mean**2
    J = np.array([[spread.sum(), g @ spread], [g @ spread, g**2 @ spread]])
    U = float(g @ ((sets.E - P) @ x))
    parts = (sets.E - P) * (x[None, :] - mean[:, None])
    scores = g @ parts - J[0, 1] / J[0, 0] * parts.sum(axis=0)
    return U**2 / (J[1, 1] - J[0, 1] ** 2 / J[0, 0]), pd.Series(scores).groupby(
        family.to_numpy()
    ).sum().to_numpy()


def _bootstrap(scores: np.ndarray, robust: float, entry: ProportionalityAnalysis) -> tuple[float, float]:
    """P of families drawn with replacement from centred scores, and the error of the difference of two."""
    generator = np.random.default_rng([entry.seed, 2])
    drawn = (scores - scores.mean())[generator.integers(len(scores), size=(entry.draws, len(scores)))]
    p = (1 + int((drawn.sum(axis=1) ** 2 / (drawn**2).sum(axis=1) >= robust).sum())) / (1 + entry.draws)
    return p, math.sqrt(2 * p * (1 - p) / entry.draws)


def _periods(
    rows: pd.DataFrame, event: np.ndarray, x: np.ndarray, entry: ProportionalityAnalysis, tables: Tables
) -> list[Estimate]:
    """Each period has an effect of its own: the model of the rows cut at the days between them."""
    ends = [0.0, *entry.cuts, math.inf]
    pieces = [_piece(rows, event, x, *period) for period in itertools.pairwise(ends)]
    cut = pd.concat(pieces, ignore_index=True)
    X = np.column_stack([cut["x"] * (cut["from"] == first) for first in ends[:-1]])
    coef, model, robust = _fit(cut, X, entry.ties)
    label = {"contrast": tables.contrast}
    names = itertools.pairwise([0, *entry.cuts, math.inf])
    found = [
        ratio(
            "hazard_ratio",
            coef[at],
            np.sqrt(robust[at, at]),
            level=tables.level,
            labels={**label, "from": str(first), "to": str(last)},
        )
        for at, (first, last) in enumerate(names)
    ]
    apart = np.eye(len(coef))[1:] - np.eye(len(coef))[0]
    V = apart @ robust @ apart.T
    wald = float((apart @ coef) @ np.linalg.solve(V, apart @ coef))
    return [*found, chi_square("equality_test", wald, len(apart), label)]


def _piece(rows: pd.DataFrame, event: np.ndarray, x: np.ndarray, first: float, last: float) -> pd.DataFrame:
    """The part of each row within (first, last]."""
    inside = (rows["start"] < last) & (rows["stop"] > first)
    cut = rows.assign(x=x, happened=event & (rows["stop"] <= last).to_numpy())[inside]
    return cut.assign(
        start=cut["start"].clip(lower=first), stop=cut["stop"].clip(upper=last), **{"from": first}
    )


def _fit(cut: pd.DataFrame, X: np.ndarray, ties: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    fit = hazard(cut, cut["happened"].to_numpy(), X, ties)
    return fit.coef, fit.model, fit.robust

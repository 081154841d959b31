"""Does a group-sequential test of the mixed model keep its size in designs like the trial's?

python -m tests.simulation.sequential_size [TRIALS] writes sequential_size.csv: one row per design,
correlation within families, schedule of looks, spending function and reference distribution.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import ndtri, stdtr

from analysis.stats.batch import reml_batch
from analysis.stats.spending import Spending, SpendingKind, boundaries
from tests.simulation.size_coverage import ARM, design, outcomes

HERE = Path(__file__).parent
ALPHA = 0.05
LEAST_GAIN = 0.01
SINGLETONS = 0.75
CORRELATIONS = (0.0, 0.1, 0.3)
SPENDING: tuple[SpendingKind, ...] = ("obrien_fleming", "pocock")
REFERENCES = ("kenward_roger", "adjusted", "normal")
THIRDS = (1 / 3, 2 / 3, 1.0)
# Shares of the families whose children had come to their last visit by the cuts of 2017, 2020 and 2023.
UNEQUAL = (0.26, 0.43, 1.0)
SCHEDULES = ((60, THIRDS), (120, THIRDS), (286, THIRDS), (286, UNEQUAL))
KEYS = ["families", "children", "icc", "looks", "spending", "reference"]


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """What each trial has at each look, (trials, K): its information, and z by each reference."""

    information: np.ndarray
    z: dict[str, np.ndarray]


def watch(families: int, shares: tuple[float, ...], correlation: float, trials: int, seed: int) -> Looks:
    """Trials without an effect, fitted anew at each look to the families recruited by then."""
    family, X = design(families, SINGLETONS)
    rng = np.random.default_rng([seed, families, round(100 * correlation), round(1000 * shares[0])])
    place = rng.permutation(families)[family]
    Y = outcomes(family, correlation, trials, rng)
    fits = []
    for share in shares:
        seen = place < round(share * families)
        fits.append(reml_batch(Y[seen], X[seen], family[seen], kenward_roger=ARM))
    beyond = {
        # The z whose normal tail is the tail of t: the look is judged by its P.
        "kenward_roger": [ndtri(stdtr(fit.df, fit.estimate / fit.contrast_se)) for fit in fits],
        "adjusted": [fit.estimate / fit.contrast_se for fit in fits],
        "normal": [fit.estimate / fit.se[:, 1] for fit in fits],
    }
    information = np.column_stack([fit.contrast_se**-2.0 for fit in fits])
    return Looks(information, {name: np.column_stack(z) for name, z in beyond.items()})


def stops(looks: Looks, kind: SpendingKind, maximum: float) -> dict[str, np.ndarray]:
    """Share of the trials that stop at each look, by reference, with boundaries at their own information."""
    stopped = {name: np.zeros(looks.information.shape) for name in looks.z}
    for trial, information in enumerate(looks.information):
        critical = critical_values(information, kind, maximum)
        for name, z in looks.z.items():
            crossed = np.flatnonzero(np.abs(z[trial]) >= critical)
            if crossed.size:
                stopped[name][trial, crossed[0]] = 1.0
    return {name: each.mean(axis=0) for name, each in stopped.items()}


def critical_values(information: np.ndarray, kind: SpendingKind, maximum: float) -> np.ndarray:
    """Those of one trial, (K,), by the rules of the analysis plan.

    A look whose estimated information does not rise tests nothing; if it is the last, what is left is spent.
    """
    kept = [0]
    for at, each in enumerate(information[1:], start=1):
        if each > (1 + LEAST_GAIN) * information[kept[-1]]:
            kept.append(at)
    last = len(information) - 1
    rule = {"spending": Spending(kind), "alpha": ALPHA, "maximum": maximum, "sided": 2}
    found = boundaries(information[kept], is_final=kept[-1] == last, **rule)
    critical = np.full(len(information), np.inf)
    critical[kept] = found.critical
    if kept[-1] != last:
        critical[-1] = -ndtri((ALPHA - found.spent[-1]) / 2)
    return critical


def cell(
    families: int, shares: tuple[float, ...], correlation: float, trials: int, seed: int = 1
) -> pd.DataFrame:
    """Size of every spending function and reference in one design."""
    looks = watch(families, shares, correlation, trials, seed)
    # The design knew the variances: its maximum is the information that trials have on average in the end.
    maximum = float(np.median(looks.information[:, -1]))
    fractions = looks.information.mean(axis=0) / maximum
    label = {
        "families": families,
        "children": len(design(families, SINGLETONS)[0]),
        "icc": correlation,
        "looks": " ".join(f"{share:.2f}" for share in shares),
    }
    rows = []
    for kind in SPENDING:
        for reference, parts in stops(looks, kind, maximum).items():
            size = float(parts.sum())
            error = np.sqrt(size * (1 - size) / trials)
            told = {"spending": kind, "reference": reference, "trials": trials, "size": size}
            at = {f"stopped_{number}": part for number, part in enumerate(parts, start=1)}
            of = {f"fraction_{number}": part for number, part in enumerate(fractions, start=1)}
            rows.append({**label, **told, "monte_carlo_error": error, **at, **of})
    return pd.DataFrame(rows)


def sweep(trials: int) -> pd.DataFrame:
    """Every cell of the grid."""
    grid = [(*schedule, icc) for schedule in SCHEDULES for icc in CORRELATIONS]
    return pd.concat([cell(*each, trials) for each in grid], ignore_index=True)


def as_markdown(table: pd.DataFrame) -> str:
    """Size in percent, with its Monte Carlo error, as it stands on the page of results."""
    head = ["Families", "Looks", "ICC", "Spending", "Kenward-Roger P", "Adjusted SE", "Normal", "Error"]
    lines = [head, ["---"] * len(head)]
    wide = table.pivot(index=KEYS[:1] + KEYS[2:-1], columns="reference", values=["size", "monte_carlo_error"])
    for (families, icc, looks, spending), row in wide.iterrows():
        sizes = [f"{100 * row['size', name]:.2f}" for name in REFERENCES]
        error = f"{100 * row['monte_carlo_error', REFERENCES[0]]:.2f}"
        lines.append([str(families), looks, f"{icc:g}", spending.replace("_", " "), *sizes, error])
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


if __name__ == "__main__":
    found = sweep(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
    found.round(6).to_csv(HERE / "sequential_size.csv", index=False, lineterminator="\n")
    print(as_markdown(found))

"""Does the test of the arm keep its size, and its interval its coverage, in designs like the trial's?

python -m tests.simulation.size_coverage [TRIALS] writes size_coverage.csv: one row per design, correlation
within families, model and reference distribution.
"""

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import ndtri, stdtrit

from analysis.stats.batch import reml_batch

HERE = Path(__file__).parent
FAMILIES = (30, 60, 100, 200, 400)
SINGLETONS = (0.72, 0.80)
CORRELATIONS = (-0.1, 0.0, 0.05, 0.1, 0.3, 0.6)
MODELS = ("random_intercept", "exchangeable")
# Of the families with several children, the shares with two, three and four.
LARGER = (0.70, 0.22, 0.08)
EFFECT = 0.3
TOGETHER = 10_000
SHOWN = (
    ("size", "random_intercept", "kenward_roger"),
    ("coverage", "random_intercept", "kenward_roger"),
    ("size", "random_intercept", "normal"),
    ("size", "exchangeable", "kenward_roger"),
    ("without_maximum", "exchangeable", "kenward_roger"),
)
ARM = np.array([0.0, 1.0, 0.0, 0.0])


def design(families: int, singletons: float) -> tuple[np.ndarray, np.ndarray]:
    """Family of each child; the columns mean, arm and site of the family, and a covariate of the child."""
    rng = np.random.default_rng([families, round(100 * singletons)])
    several = families - round(families * singletons)
    two, three = round(several * LARGER[0]), round(several * LARGER[1])
    sizes = np.repeat([1, 2, 3, 4], [families - several, two, three, several - two - three])
    family = np.repeat(np.arange(families), sizes)
    # Site in the ratio two to one, and arms balanced within each site, at random over the sizes.
    place = rng.permutation(families)
    arm, site = place % 2, place % 6 < 4
    covariate = rng.normal(size=len(family))
    return family, np.column_stack([np.ones(len(family)), arm[family], site[family], covariate])


def outcomes(family: np.ndarray, correlation: float, trials: int, rng: np.random.Generator) -> np.ndarray:
    """Noise of variance 1 with the same correlation, of either sign, between any two children of a family."""
    noise = rng.normal(size=(len(family), trials))
    size = np.bincount(family)
    mean = np.add.reduceat(noise, np.flatnonzero(np.diff(family, prepend=-1))) / size[:, None]
    within, between = np.sqrt(1.0 - correlation), np.sqrt(1.0 + (size - 1.0) * correlation)
    return within * noise + ((between - within)[:, None] * mean)[family]


def cell(families: int, singletons: float, correlation: float, trials: int, seed: int = 1) -> pd.DataFrame:
    """Size in trials without an effect and coverage in trials with one, for each model and reference."""
    family, X = design(families, singletons)
    place = [families, round(100 * singletons), round(100 * correlation) + 100]
    rng = np.random.default_rng([seed, *place])
    found = []
    for _ in range(trials // TOGETHER):
        for effect in (0.0, EFFECT):
            Y = outcomes(family, correlation, TOGETHER, rng) + effect * X[:, [1]]
            found += [row for model in MODELS for row in tested(Y, X, family, model, effect)]
    means = pd.DataFrame(found).groupby(["model", "reference"], sort=False).mean().reset_index()
    means.insert(2, "trials", trials)
    fitted = trials * (1.0 - means["without_maximum"])
    means.insert(5, "monte_carlo_error", np.sqrt(means["size"] * means["coverage"] / fitted))
    label = {"families": families, "singletons": singletons, "children": len(family), "icc": correlation}
    return means.assign(**label)[[*label, *means.columns]]


def tested(
    Y: np.ndarray, X: np.ndarray, family: np.ndarray, model: str, effect: float
) -> Iterator[dict[str, float | str]]:
    """Shares of the trials; a fit without a maximum gives no test and is left out of size and coverage."""
    fit = reml_batch(Y, X, family, kenward_roger=ARM, negative=model == "exchangeable")
    done = fit.converged
    adjusted = fit.contrast_se[done], stdtrit(fit.df[done], 0.975)
    for reference, (se, quantile) in {
        "kenward_roger": adjusted,
        "normal": (fit.se[done, 1], ndtri(0.975)),
    }.items():
        covered = float((np.abs(fit.estimate[done] - effect) <= quantile * se).mean())
        yield {
            "model": model,
            "reference": reference,
            "size": np.nan if effect else 1.0 - covered,
            "coverage": covered if effect else np.nan,
            "mean_df": float(fit.df[done].mean()) if reference == "kenward_roger" else np.inf,
            "boundary": float(fit.boundary.mean()),
            "without_maximum": float(1.0 - done.mean()),
        }


def as_markdown(table: pd.DataFrame, column: str, model: str, reference: str) -> str:
    """One quantity in percent, designs by correlations, as it stands on the page of results."""
    chosen = table[(table["model"] == model) & (table["reference"] == reference)]
    wide = chosen.pivot(index=["families", "singletons", "children"], columns="icc", values=column)
    head = ["Families", "Single, %", "Children", *(f"ICC {icc:g}" for icc in wide.columns)]
    body = [
        [
            *(f"{each:g}" for each in (families, 100 * singletons, children)),
            *(f"{100 * x:.2f}" for x in values),
        ]
        for (families, singletons, children), values in zip(wide.index, wide.to_numpy(), strict=True)
    ]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in [head, ["---"] * len(head), *body])


def sweep(trials: int) -> pd.DataFrame:
    """Every cell of the grid."""
    grid = itertools.product(FAMILIES, SINGLETONS, CORRELATIONS)
    return pd.concat([cell(*each, trials) for each in grid], ignore_index=True)


if __name__ == "__main__":
    table = sweep(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
    table.round(6).to_csv(HERE / "size_coverage.csv", index=False, lineterminator="\n")
    for quantity in SHOWN:
        print(*quantity)
        print(as_markdown(table, *quantity))

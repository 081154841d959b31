"""Adjusted means, diagnostics and profile intervals of mixed models against R, as Markdown tables.

Run ``python -m tests.reference.agreement_diagnostics`` from the root of the repository. The test of the same
numbers is `tests/reference/test_mixed_diagnostics.py`.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from analysis.stats.covariance import random_intercept
from analysis.stats.diagnostics import diagnose
from analysis.stats.marginal_means import mean_row
from analysis.stats.profiles import profile_interval
from analysis.stats.reml import reml
from analysis.stats.small_sample import contrast
from tests.reference.agreement_mixed import load, structure_of

HERE = Path(__file__).parent
PARTS = {"emmean": "estimate", "SE": "se", "df": "df", "lower.CL": "low", "upper.CL": "high"}


def expected(folder: str) -> pd.DataFrame:
    """What R wrote."""
    return pd.read_csv(HERE / folder / "expected.csv", float_precision="round_trip")


DIAGNOSED = tuple(dict.fromkeys(expected("mixed_diagnostics")["data"]))
PROFILED = tuple(dict.fromkeys(expected("mixed_profiles")["data"]))
MEANS = tuple(dict.fromkeys(map(tuple, expected("mixed_means")[["data", "mean"]].to_numpy())))


def mean_gaps(name: str, mean: str) -> dict[str, float]:
    """Largest difference from emmeans by part: relative, absolute for degrees of freedom."""
    y, X, data = load(f"lmm_{name}")
    fit = reml(y, X, random_intercept(data["cluster"]))
    found = [contrast(fit, row) for row in _mean_rows(name, mean, X)]
    table = expected("mixed_means")
    rows = table[(table["data"] == name) & (table["mean"] == mean)]
    gaps = {}
    for part, ours in PARTS.items():
        want = rows[rows["part"] == part]["value"].to_numpy()
        gap = np.abs(np.array([getattr(each, ours) for each in found]) - want)
        gaps[ours] = float(np.max(gap if ours == "df" else gap / np.abs(want)))
    return gaps


def _mean_rows(name: str, mean: str, X: np.ndarray) -> list[np.ndarray]:
    """Columns: 1, catholic, mean_ses, female, ses; 1, diets 2 to 4, time; 1, age, male, age x male."""
    if name == "mathachieve":
        return [mean_row(X, at={1: arm}, factors=[(3,)] if mean == "equal" else ()) for arm in (0.0, 1.0)]
    if name == "chickweight":
        return [mean_row(X, factors=[(1, 2, 3)] if mean == "equal" else ())]
    return [mean_row(X, at={2: male, 3: male * X[:, 1].mean()}) for male in (0.0, 1.0)]


def diagnostic_gaps(name: str) -> dict[str, float]:
    """Largest difference from R by quantity, relative to the largest value of its kind."""
    y, X, data = load(f"lmm_{name}")
    structure = structure_of(data)
    found = diagnose(reml(y, X, structure), y, X, structure)
    labels = data["cluster"].to_numpy()
    codes = [structure.cluster[np.argmax(labels == label)] for label in sorted(set(labels))]
    squares = np.bincount(structure.cluster, found.scaled**2)
    ours = {
        "marginal": found.marginal,
        "conditional": found.conditional,
        "leverage_conditional": found.leverage_conditional,
        "dfbeta": found.dfbeta[codes].ravel(),
        "cook": found.cook[codes],
        "scaled_squares": squares[codes],
        "cook_refitted": found.cook[codes],
    }
    table = expected("mixed_diagnostics")
    theirs = table[table["data"] == name].groupby("quantity")["value"]
    return {each: _gap(ours[each], want.to_numpy()) for each, want in theirs}


def profile_gaps(name: str) -> dict[str, float]:
    """Largest difference of the limits of a standard deviation, relative to its upper limit."""
    table = expected("mixed_profiles")
    rows = table[table["data"] == name]
    if name == "dyestuff":
        data = pd.read_csv(HERE / "mixed_profiles" / "input.csv", dtype={"cluster": str})
        y, X = data["y"].to_numpy(float), np.ones((len(data), 1))
    else:
        y, X, data = load(f"lmm_{name}")
    fit = reml(y, X, structure_of(data), method="ml")
    gaps: dict[str, float] = {"estimate": 0.0, "limits": 0.0, "confint": 0.0}
    for k, parts in rows.groupby("k"):
        want = parts.set_index("part")["value"]
        found = profile_interval(fit, int(k), scale="sd")
        for kind, pairs in {
            "estimate": [(found.estimate, want["estimate"])],
            "limits": [(found.low, want["low"]), (found.high, want["high"])],
            "confint": [(found.low, want["confint_low"]), (found.high, want["confint_high"])],
        }.items():
            gaps[kind] = max(gaps[kind], *(abs(mine - theirs) / want["high"] for mine, theirs in pairs))
    return gaps


def _gap(mine: np.ndarray, reference: np.ndarray) -> float:
    return float(np.abs(mine - reference).max() / np.abs(reference).max())


def table() -> str:
    """Markdown tables of the worst differences."""
    parts = list(PARTS.values())
    lines = [f"| emmeans | {' | '.join(parts)} |", "|---" * (len(parts) + 1) + "|"]
    for name, mean in MEANS:
        gaps = mean_gaps(name, mean)
        lines.append(f"| {name}, {mean} | " + " | ".join(f"{gaps[part]:.0e}" for part in parts) + " |")
    kinds = (
        *("marginal", "conditional", "leverage_conditional", "scaled_squares"),
        *("dfbeta", "cook", "cook_refitted"),
    )
    lines += ["", f"| Diagnostics | {' | '.join(kinds)} |", "|---" * (len(kinds) + 1) + "|"]
    for name in DIAGNOSED:
        gaps = diagnostic_gaps(name)
        cells = [f"{gaps[kind]:.0e}" if kind in gaps else "-" for kind in kinds]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    lines += ["", "| Profiles | estimate | limits | confint |", "|---|---|---|---|"]
    for name in PROFILED:
        lines.append(f"| {name} | " + " | ".join(f"{gap:.0e}" for gap in profile_gaps(name).values()) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())

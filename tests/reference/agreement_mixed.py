"""Worst difference between our mixed models and R on every public data set, as a Markdown table.

Run ``python -m tests.reference.agreement_mixed`` from the root of the repository. The test of the same
numbers is `tests/reference/test_mixed_models.py`.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from analysis.stats.covariance import exchangeable, nested, random_intercept
from analysis.stats.denominators import kenward_roger_vcov
from analysis.stats.reml import LinearFit, reml
from analysis.stats.small_sample import contrast, icc
from analysis.stats.structure import Structure

FOLDERS = tuple(sorted(path.parent.name for path in Path(__file__).parent.glob("lmm_*/expected.csv")))
Values = dict[str, np.ndarray]

# Tolerance and measure of each family of quantities, by the first word of its name that is listed.
TOLERANCE = {
    "beta": 1e-6,
    "theta": 1e-6,
    "loglik": 1e-6,
    "icc": 1e-6,
    "se": 1e-5,
    "vcov": 1e-5,
    "F": 1e-5,
    "scale": 1e-5,
    "p": 1e-5,
    "df": 1e-2,
    "cs": 1e-4,
}
COLUMNS = {
    "Coefficients": ("beta", "theta", "loglik"),
    "SE, plain and adjusted": ("se", "vcov"),
    "df (absolute)": ("df",),
    "F, scaling": ("F", "scale"),
    "p": ("p",),
    "ICC and interval": ("icc",),
    "gls": ("cs",),
}


def load(folder: str) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    """Outcome, columns with an intercept, and the labels of a reference folder."""
    data = pd.read_csv(Path(__file__).parent / folder / "input.csv", dtype={"cluster": str, "subject": str})
    covariates = data.drop(columns=["y", "cluster", "subject"], errors="ignore").to_numpy(float)
    X = np.column_stack([np.ones(len(data)), covariates])
    return data["y"].to_numpy(), X, data


def expected(folder: str) -> Values:
    """What R wrote."""
    table = pd.read_csv(Path(__file__).parent / folder / "expected.csv", float_precision="round_trip")
    return {name: rows["value"].to_numpy() for name, rows in table.groupby("quantity", sort=False)}


def ours(folder: str) -> Values:
    """The same quantities from our own code."""
    y, X, data = load(folder)
    fit = reml(y, X, structure_of(data))
    values = _fit_values(fit) | _contrast_values(fit)
    if fit.structure == "random_intercept":
        interval = icc(fit)
        values |= {"icc": interval.estimate, "icc_low": interval.low, "icc_high": interval.high}
        values |= {
            "df_between_within": [
                contrast(fit, row, df="between_within").df for row in np.eye(len(fit.beta))[1:]
            ]
        }
        values |= _compound_symmetry_values(reml(y, X, exchangeable(data["cluster"])))
    return {name: np.atleast_1d(np.asarray(value, dtype=float)).ravel() for name, value in values.items()}


def structure_of(data: pd.DataFrame) -> Structure:
    """The structure that the labels of a folder ask for."""
    if "subject" in data:
        return nested(data["cluster"], data["subject"])
    return random_intercept(data["cluster"])


def _fit_values(fit: LinearFit) -> dict:
    return {
        "beta": fit.beta,
        "se": np.sqrt(np.diagonal(fit.vcov)),
        "theta": fit.theta,
        "loglik": fit.loglik,
        "vcov_kr": kenward_roger_vcov(fit),
    }


def _contrast_values(fit: LinearFit) -> dict:
    identity = np.eye(len(fit.beta))
    kr = [contrast(fit, row) for row in identity]
    satterthwaite = [contrast(fit, row, df="satterthwaite") for row in identity]
    joint_kr, joint_satterthwaite = (
        contrast(fit, identity[-2:]),
        contrast(fit, identity[-2:], df="satterthwaite"),
    )
    return {
        "se_kr": [c.se for c in kr],
        "df_kr": [c.df for c in kr],
        "p_kr": [c.p for c in kr],
        "df_satterthwaite": [c.df for c in satterthwaite],
        "p_satterthwaite": [c.p for c in satterthwaite],
        "joint_kr_F": joint_kr.F,
        "joint_kr_df": joint_kr.df,
        "joint_kr_p": joint_kr.p,
        "joint_kr_scale": joint_kr.scale,
        "joint_satterthwaite_F": joint_satterthwaite.F,
        "joint_satterthwaite_df": joint_satterthwaite.df,
        "joint_satterthwaite_p": joint_satterthwaite.p,
    }


def _compound_symmetry_values(fit: LinearFit) -> dict:
    return {
        "cs_beta": fit.beta,
        "cs_se": np.sqrt(np.diagonal(fit.vcov)),
        "cs_correlation": icc(fit).estimate,
        "cs_variance": fit.theta.sum(),
        "cs_loglik": fit.loglik,
    }


def kind(quantity: str) -> str:
    """The family a quantity belongs to, a key of `TOLERANCE`."""
    words = quantity.split("_")
    return words[0] if words[0] in TOLERANCE else words[-1]


def difference(quantity: str, mine: np.ndarray, reference: np.ndarray) -> float:
    """Largest difference: absolute for df, else relative to the value or to its vector's thousandth part."""
    if kind(quantity) == "df":
        return float(np.abs(mine - reference).max())
    size = np.maximum(np.abs(reference), 1e-3 * np.abs(reference).max())
    return float(np.max(np.abs(mine - reference) / np.where(size > 0.0, size, 1.0)))


def row(folder: str) -> list[float | None]:
    """Worst difference per column of the table; None where R has no such quantity."""
    reference, mine = expected(folder), ours(folder)
    found = {name: difference(name, mine[name], value) for name, value in reference.items()}
    return [max((found[n] for n in found if kind(n) in kinds), default=None) for kinds in COLUMNS.values()]


def table() -> str:
    """Markdown table of the worst differences, one data set per row."""
    lines = ["| Data set | " + " | ".join(COLUMNS) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    for folder in FOLDERS:
        cells = ["-" if value is None else f"{value:.0e}" for value in row(folder)]
        lines.append(f"| {folder.removeprefix('lmm_')} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())

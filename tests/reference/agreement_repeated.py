"""Repeated measures and unequal variances against nlme and mmrm, as a Markdown table.

Run ``python -m tests.reference.agreement_repeated`` from the root of the repository. The test of the same
numbers is `tests/reference/test_repeated_mixed.py`.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.stats import reml as reml_module
from analysis.stats.arrangement import arrange
from analysis.stats.columns import content_rank, standardise
from analysis.stats.covariance import (
    heterogeneous,
    random_intercept,
    unstructured,
    unstructured_in_cluster,
)
from analysis.stats.reml import LinearFit, reml
from analysis.stats.small_sample import contrast
from analysis.stats.structure import Structure, Term

HERE = Path(__file__).parent
NLME = ("rm_heterogeneous", "rm_orthodont", "rm_oxide")
# Covariance of mmrm -> the methods compared; ours by the name on the right.
MMRM = {
    "us": {
        "Satterthwaite": "satterthwaite",
        "KR-linear": "kenward_roger_observed",
        "Kenward-Roger": "kenward_roger_observed",
    },
    "cs": {"Satterthwaite": "satterthwaite", "Kenward-Roger": "kenward_roger_observed"},
    "toep": {"Satterthwaite": "satterthwaite", "Kenward-Roger": "kenward_roger_observed"},
}
LABELS = ("y", "cluster", "subject", "visit", "group")


def load(folder: str) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    """Outcome, columns with an intercept, and the labels of a reference folder."""
    data = pd.read_csv(HERE / folder / "input.csv")
    covariates = data.drop(columns=[name for name in LABELS if name in data]).to_numpy(float)
    return data["y"].to_numpy(float), np.column_stack([np.ones(len(data)), covariates]), data


def structure_of(data: pd.DataFrame) -> Structure:
    """The structure that the labels of a folder ask for."""
    if "group" in data:
        return heterogeneous(data["cluster"].to_numpy(), data["group"].to_numpy())
    if "subject" in data:
        return unstructured_in_cluster(*(data[name].to_numpy() for name in ("cluster", "subject", "visit")))
    return unstructured(data["cluster"].to_numpy(), data["visit"].to_numpy())


def nlme_gaps(folder: str) -> dict[str, float]:
    """Largest relative difference from nlme by quantity, beside the largest of its kind."""
    y, X, data = load(folder)
    fit = reml(y, X, structure_of(data))
    ours = {
        "beta": fit.beta,
        "se": np.sqrt(np.diagonal(fit.vcov)),
        "theta": fit.theta,
        "loglik": np.array([fit.loglik]),
    }
    theirs = pd.read_csv(HERE / folder / "expected.csv", float_precision="round_trip")
    want = {name: rows["value"].to_numpy() for name, rows in theirs.groupby("quantity", sort=False)}
    return {name: _gap(ours[name], value) for name, value in want.items()}


def mmrm_structure(name: str, data: pd.DataFrame) -> Structure:
    """The covariance that mmrm calls by this name."""
    subject, visit = data["cluster"].to_numpy(), data["visit"].to_numpy()
    if name == "us":
        return unstructured(subject, visit)
    if name == "cs":
        return random_intercept(subject)
    whole = unstructured(subject, visit)
    n_visits = int(whole.level.max()) + 1
    terms = tuple(
        Term(
            f"covariance {lag} visits apart",
            "subject",
            tuple((a, a + lag) for a in range(n_visits - lag)),
            lower=-np.inf,
            start=float(lag == 0),
        )
        for lag in range(n_visits)
    )
    return replace(whole, name="toeplitz", terms=terms)


def theta_of(name: str, covariance: np.ndarray) -> np.ndarray:
    """Parameters of our structure from the covariance of four visits."""
    if name == "us":
        return covariance[np.triu_indices(len(covariance))]
    if name == "cs":
        return np.array([covariance[0, 1], covariance[0, 0] - covariance[0, 1]])
    return covariance[0]


def at_theta(
    fit: LinearFit, theta: np.ndarray, y: np.ndarray, X: np.ndarray, structure: Structure
) -> LinearFit:
    """The fit as if the search had ended at theta."""
    order = arrange(structure, content_rank(np.column_stack([X, y]))).order
    columns = standardise(y[order], X[order], fit.names)
    state = fit.likelihood.at(theta / columns.s**2)
    return replace(fit, **reml_module._original_scale(state, columns, len(y), "reml"))


def mmrm_expected(name: str) -> dict[tuple[str, str], np.ndarray]:
    """Values of mmrm by method and quantity."""
    table = pd.read_csv(HERE / "rm_fev" / "expected.csv", keep_default_na=False)
    rows = table[table["structure"] == name]
    return {key: part["value"].to_numpy() for key, part in rows.groupby(["method", "quantity"])}


def mmrm_gaps(name: str, *, fixed: bool) -> dict[str, float]:
    """Largest differences from mmrm: estimate by its standard error, standard error relative, df absolute.

    With `fixed` at the covariance where mmrm's search ended, else at our own optimum.
    """
    y, X, data = load("rm_fev")
    want = mmrm_expected(name)
    structure = mmrm_structure(name, data)
    fit = reml(y, X, structure)
    if fixed:
        covariance = np.zeros((4, 4))
        covariance[np.triu_indices(4)] = want["", "covariance"]
        fit = at_theta(fit, theta_of(name, np.maximum(covariance, covariance.T)), y, X, structure)
    gaps = {"loglik": abs(fit.loglik - float(want["", "loglik"][0]))}
    for method, ours in MMRM[name].items():
        found = [contrast(fit, row, df=ours) for row in np.eye(X.shape[1])]
        value, se, df = (
            np.array([getattr(each, part) for each in found]) for part in ("estimate", "se", "df")
        )
        if method == "Kenward-Roger":
            se = np.sqrt(se**2 + np.diagonal(second_derivative_term(name, fit, want["", "parameters"])))
        gaps[f"{method} estimate"] = float(np.abs((value - want[method, "estimate"]) / se).max())
        gaps[f"{method} se"] = float(np.abs(se / want[method, "se"] - 1.0).max())
        gaps[f"{method} df"] = float(np.abs(df - want[method, "df"]).max())
    return gaps


def second_derivative_term(name: str, fit: LinearFit, parameters: np.ndarray) -> np.ndarray:
    """What mmrm's plain Kenward-Roger adds to the covariance of beta, (p, p).

    It is -1/2 Phi [sum_ij W_ij R_ij] Phi of Kenward & Roger (1997), with R_ij from the second derivatives of
    V by mmrm's own parameters, in which V is not linear. By the chain rule it is a combination of the
    derivatives of Phi by our theta.
    """
    q = len(parameters)

    def theta(*steps: np.ndarray) -> np.ndarray:
        return theta_of(name, mmrm_covariance(name, parameters + sum(steps)))

    step = 1e-3 * np.eye(q)
    jacobian = np.array([(theta(h) - theta(-h)) / 2e-3 for h in step]).T
    curvature = np.array(
        [[(theta(h, g) - theta(h, -g) - theta(-h, g) + theta(-h, -g)) / 4e-6 for g in step] for h in step]
    )
    W = np.linalg.inv(jacobian.T @ fit.observed @ jacobian)
    return -0.5 * np.tensordot(np.tensordot(W, curvature, axes=2), fit.vcov_gradient, axes=1)


def mmrm_covariance(name: str, parameters: np.ndarray) -> np.ndarray:
    """Covariance of four visits from mmrm's parameters; vignette "Covariance Structures"."""
    if name == "us":
        root = np.eye(4)
        root[np.tril_indices(4, -1)] = parameters[4:]
        root = np.diag(np.exp(parameters[:4])) @ root
        return root @ root.T
    lag = np.abs(np.subtract.outer(np.arange(4), np.arange(4)))
    if name == "cs":
        rho = (4.0 / (1.0 + np.exp(-parameters[1])) - 1.0) / 3.0
        correlation = np.array([1.0, rho, rho, rho])
    else:
        correlation = np.append(1.0, parameters[1:] / np.sqrt(1.0 + parameters[1:] ** 2))
    return np.exp(2.0 * parameters[0]) * correlation[lag]


def _gap(mine: np.ndarray, reference: np.ndarray) -> float:
    size = np.maximum(np.abs(reference), 1e-3 * np.abs(reference).max())
    return float(np.max(np.abs(mine - reference) / size))


def table() -> str:
    """Markdown tables of the worst differences."""
    lines = ["| Data set | beta | SE | theta | log-likelihood |", "|---" * 5 + "|"]
    for folder in NLME:
        gaps = nlme_gaps(folder)
        cells = " | ".join(f"{gaps[name]:.0e}" for name in ("beta", "se", "theta", "loglik"))
        lines.append(f"| {folder.removeprefix('rm_')} | {cells} |")
    lines += ["", "| mmrm | at | log-likelihood | estimate / SE | SE | df (absolute) |", "|---" * 6 + "|"]
    for name, methods in MMRM.items():
        for fixed in (True, False):
            gaps = mmrm_gaps(name, fixed=fixed)
            for method in methods:
                cells = " | ".join(f"{gaps[f'{method} {part}']:.0e}" for part in ("estimate", "se", "df"))
                where = "its theta" if fixed else "our optimum"
                lines.append(f"| {name}, {method} | {where} | {gaps['loglik']:.0e} | {cells} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())

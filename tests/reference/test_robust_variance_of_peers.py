"""Where lifelines and statsmodels agree with R and with us in the robust variance, and where ties part them.

Decision 0010 quotes what this file prints; `pytest -rP` shows it. R's values are read from `hazards_*`.
"""

import csv
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from statsmodels.duration.hazard_regression import PHReg

from analysis.stats.hazards import cox, to_caller
from analysis.stats.influence import cluster_sums
from analysis.stats.partial_likelihood import likelihood, score_residuals

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what lifelines' own dependencies deprecate
    from lifelines import CoxPHFitter

FOLDER = Path(__file__).parent
TIED = ("aml", "kidney", "lung", "rats")
pytestmark = pytest.mark.filterwarnings("ignore")


def rows_of(name: str) -> pd.DataFrame:
    return pd.read_csv(FOLDER / f"hazards_{name}" / "input.csv").astype(float)


def covariates(rows: pd.DataFrame) -> list[str]:
    return [name for name in rows if name.startswith("x")]


def without_ties(rows: pd.DataFrame) -> pd.DataFrame:
    """The same rows in the same order of events, none at the same time."""
    order = rows.sort_values(["stop", "event"], ascending=[True, False], kind="stable").index
    return rows.assign(stop=pd.Series(np.arange(1.0, len(rows) + 1), index=order))


def of_r(name: str, ties: str) -> np.ndarray:
    with (FOLDER / f"hazards_{name}" / "expected.csv").open(encoding="utf-8", newline="") as lines:
        lines = [row for row in csv.DictReader(lines) if row["quantity"] == f"cox.{ties}.vcov_robust"]
    values = np.array([float(row["value"]) for row in lines])
    return np.sqrt(np.diag(values.reshape(int(np.sqrt(len(values))), -1)))


def ours(rows: pd.DataFrame, ties: str) -> np.ndarray:
    fit = cox(None, rows["stop"], rows["event"], rows[covariates(rows)], cluster=rows["cluster"], ties=ties)
    return np.sqrt(np.diag(fit.vcov_robust))


def of_statsmodels(rows: pd.DataFrame, ties: str) -> np.ndarray:
    model = PHReg(rows["stop"], rows[covariates(rows)], status=rows["event"], ties=ties)
    return np.asarray(model.fit(groups=rows["cluster"].to_numpy(), method="newton", tol=1e-12).bse)


def of_lifelines(rows: pd.DataFrame) -> np.ndarray:
    """lifelines has Efron's rule only."""
    columns = rows[[*covariates(rows), "stop", "event", "cluster"]]
    fitter = CoxPHFitter().fit(
        columns, "stop", "event", cluster_col="cluster", fit_options={"precision": 1e-12}
    )
    return fitter.standard_errors_.to_numpy()


@pytest.mark.parametrize("name", TIED)
def test_all_agree_without_ties(name):
    rows = without_ties(rows_of(name))
    np.testing.assert_allclose(of_statsmodels(rows, "efron"), ours(rows, "efron"), rtol=1e-8)
    np.testing.assert_allclose(of_lifelines(rows), ours(rows, "efron"), rtol=1e-5)


@pytest.mark.parametrize("name", TIED)
def test_statsmodels_agrees_under_breslow(name):
    rows = rows_of(name)
    np.testing.assert_allclose(of_statsmodels(rows, "breslow"), ours(rows, "breslow"), rtol=1e-8)
    np.testing.assert_allclose(of_r(name, "breslow"), ours(rows, "breslow"), rtol=1e-8)


@pytest.mark.parametrize("name", TIED)
def test_under_efron_only_r_agrees(name):
    rows = rows_of(name)
    found = {"R": of_r(name, "efron"), "ours": ours(rows, "efron")}
    found |= {"statsmodels": of_statsmodels(rows, "efron"), "lifelines": of_lifelines(rows)}
    for who, se in found.items():
        print(f"{name} {who}: {se[0]:.6f}")
    np.testing.assert_allclose(found["R"], found["ours"], rtol=1e-8)
    for who in ("statsmodels", "lifelines"):
        assert np.abs(found[who] / found["ours"] - 1).max() > 1e-4


@pytest.mark.parametrize("name", TIED)
def test_statsmodels_has_score_residuals_of_breslow_at_the_estimate_of_efron(name):
    rows = rows_of(name)
    X, labels = rows[covariates(rows)], rows["cluster"].to_numpy()
    fit, breslow = (
        cox(None, rows["stop"], rows["event"], X, cluster=labels, ties=ties) for ties in ("efron", "breslow")
    )
    sets = breslow.risk_sets
    residual = to_caller(sets, score_residuals(sets, likelihood(sets, fit.coef)))
    total = cluster_sums(residual @ fit.vcov_model, labels)
    np.testing.assert_allclose(of_statsmodels(rows, "efron"), np.sqrt((total**2).sum(axis=0)), rtol=1e-8)


def test_lifelines_depends_on_the_order_of_rows():
    rows = rows_of("rats")
    backwards = rows.iloc[::-1]
    assert np.abs(of_lifelines(backwards) / of_lifelines(rows) - 1).max() > 1e-4
    np.testing.assert_allclose(ours(backwards, "efron"), ours(rows, "efron"), rtol=1e-12)


def test_lifelines_forgets_late_entry():
    """Without any tie, nor an entry at a death time: the score residuals forget what the likelihood knows."""
    rows = without_ties(rows_of("lung")).assign(start=lambda d: np.maximum(np.floor(d["stop"] / 2) - 0.5, 0))
    X = rows[covariates(rows)]
    fit = cox(rows["start"], rows["stop"], rows["event"], X, cluster=rows["cluster"])
    columns = rows[[*covariates(rows), "start", "stop", "event", "cluster"]]
    options = {"precision": 1e-12}
    lifelines = CoxPHFitter().fit(
        columns, "stop", "event", entry_col="start", cluster_col="cluster", fit_options=options
    )
    np.testing.assert_allclose(lifelines.params_, fit.coef, rtol=1e-6)
    model = PHReg(rows["stop"], X, status=rows["event"], entry=rows["start"])
    statsmodels = model.fit(groups=rows["cluster"].to_numpy(), method="newton", tol=1e-12)
    se = np.sqrt(np.diag(fit.vcov_robust))
    print(
        f"late entry: ours {se[0]:.6f}, statsmodels {statsmodels.bse[0]:.6f}, "
        f"lifelines {lifelines.standard_errors_.iloc[0]:.6f}"
    )
    np.testing.assert_allclose(statsmodels.bse, se, rtol=1e-8)
    assert np.abs(lifelines.standard_errors_ / se - 1).max() > 0.01

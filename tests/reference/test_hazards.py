"""Cox models, proportional hazards, changing hazard ratios and frailties beside R on public data sets.

`hazards_reference.R` writes every folder `hazards_*`. Class t1 for all but frailties, which are class t2; the
worst relative differences are printed, and `pytest -rP` shows them.
"""

import csv
from collections import defaultdict
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from analysis.stats.frailty import gamma_frailty
from analysis.stats.hazards import cox
from analysis.stats.proportionality import ph_test
from analysis.stats.time_varying import effect_by_period, effect_over_time

FOLDER = Path(__file__).parent
DATA_SETS = sorted(
    path.parent.name.removeprefix("hazards_") for path in FOLDER.glob("hazards_*/expected.csv")
)
TIES = ("efron", "breslow")
TRANSFORMS = ("identity", "log", "rank", "km")
T1, T2 = (1e-6, 1e-5), (1e-4, 1e-3)

Columns = dict[str, np.ndarray]
both_ties = pytest.mark.parametrize("ties", TIES)


@cache
def data_set(name: str) -> Columns:
    with (FOLDER / f"hazards_{name}" / "input.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    return {key: np.array([float(row[key]) for row in rows]) for key in rows[0]}


@cache
def expected(name: str) -> Columns:
    found = defaultdict(list)
    with (FOLDER / f"hazards_{name}" / "expected.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            found[row["quantity"]].append(float(row["value"]))
    return {key: np.array(value) for key, value in found.items()}


def with_quantity(prefix: str) -> list[str]:
    return [name for name in DATA_SETS if any(key.startswith(prefix) for key in expected(name))]


def others(X: np.ndarray) -> np.ndarray | None:
    """Covariates beside the first."""
    return X[:, 1:] if X.shape[1] > 1 else None


def model(name: str) -> tuple[tuple, np.ndarray, dict]:
    """Rows, covariates and keywords of the model of one data set."""
    data = data_set(name)
    covariates = np.column_stack([data[key] for key in data if key.startswith("x")])
    keywords = {"cluster": data["cluster"], "strata": data.get("stratum"), "weights": data.get("weight")}
    return (data.get("start"), data["stop"], data["event"]), covariates, keywords


def assert_agrees(
    name: str, prefix: str, ours: dict[str, object], tolerance: tuple[float, float] = T1
) -> None:
    """Each of ours has a reference and lies within the tolerance; covariances by their largest entry."""
    for key, value in ours.items():
        want, got = expected(name)[f"{prefix}.{key}"], np.asarray(value, dtype=float).reshape(-1)
        assert got.shape == want.shape, key
        shared = "vcov" in key
        scale = np.maximum(np.abs(want), np.abs(want).max() * (1e-3 if shared else 1e-9) + 1e-12)
        worst = float((np.abs(got - want) / scale).max())
        print(f"{name} {prefix}.{key}: {worst:.1e}")
        assert worst <= tolerance[shared], f"{prefix}.{key}: relative difference {worst:.1e}"


def test_there_are_data_sets():
    assert len(DATA_SETS) >= 10
    assert len(with_quantity("frailty")) >= 5


@both_ties
@pytest.mark.parametrize("name", DATA_SETS)
def test_cox(name, ties):
    rows, X, keywords = model(name)
    fit = cox(*rows, X, ties=ties, **keywords)
    ours = {
        "coef": fit.coef,
        "vcov_model": fit.vcov_model,
        "vcov_robust": fit.vcov_robust,
        "loglik": fit.loglik,
        "wald_robust": fit.wald_test().statistic,
        "score": fit.score_test(robust=False).statistic,
        "score_robust": fit.score_test().statistic,
    }
    assert_agrees(name, f"cox.{ties}", ours)


@both_ties
@pytest.mark.parametrize("name", DATA_SETS)
def test_proportional_hazards(name, ties):
    rows, X, keywords = model(name)
    fit, ours = cox(*rows, X, ties=ties, **keywords), {}
    for transform in TRANSFORMS:
        test = ph_test(fit, transform=transform)
        ours[transform] = [each.statistic for each in (*test.model, test.model_global)]
    assert_agrees(name, f"zph.{ties}", ours)


@both_ties
@pytest.mark.parametrize("name", with_quantity("zph_robust"))
def test_proportional_hazards_robust_to_clusters(name, ties):
    rows, X, keywords = model(name)
    fit, ours = cox(*rows, X, ties=ties, **keywords), {}
    for transform in ("identity", "log"):
        test = ph_test(fit, transform=transform)
        ours[transform] = [each.statistic for each in (*test.robust, test.robust_global)]
    assert_agrees(name, f"zph_robust.{ties}", ours)


@both_ties
@pytest.mark.parametrize("name", DATA_SETS)
def test_effect_by_period(name, ties):
    rows, X, keywords = model(name)
    cuts = expected(name)[f"period.{ties}.cuts"]
    fit = effect_by_period(*rows, X[:, 0], cuts, covariates=others(X), ties=ties, **keywords)
    ours = {
        "coef": fit.effect.estimate,
        "vcov_robust": fit.effect.vcov,
        "loglik": fit.split.loglik[1],
        "equality": fit.equality.statistic,
    }
    assert_agrees(name, f"period.{ties}", ours)


@both_ties
@pytest.mark.parametrize("transform", ["identity", "log"])
@pytest.mark.parametrize("name", with_quantity("over_time"))
def test_effect_over_time(name, transform, ties):
    rows, X, keywords = model(name)
    covariates = others(X)
    fit = effect_over_time(*rows, X[:, 0], transform=transform, covariates=covariates, ties=ties, **keywords)
    ours = {
        "coef": fit.effect.estimate,
        "vcov_robust": fit.effect.vcov,
        "loglik": fit.split.loglik[1],
    }
    assert_agrees(name, f"over_time.{ties}.{transform}", ours)


@both_ties
@pytest.mark.parametrize("name", with_quantity("frailty"))
def test_gamma_frailty(name, ties):
    rows, X, keywords = model(name)
    fit = gamma_frailty(*rows, X, cluster=keywords["cluster"], strata=keywords["strata"], ties=ties)
    want, prefix = expected(name), f"frailty.{ties}"
    if want[f"{prefix}.theta"][0] == 0:
        assert fit.theta == 0 and fit.notes and fit.frailty_p == 1
        np.testing.assert_allclose(fit.loglik[1], want[f"{prefix}.loglik"][0], rtol=1e-10)
        return
    ours = {
        "theta": fit.theta,
        "loglik": fit.loglik[1:],
        "theta_limits": (fit.theta_interval.low, fit.theta_interval.high),
        "coef": fit.coef,
        "vcov": fit.vcov_given_theta,
    }
    assert_agrees(name, prefix, ours, T2)
    # The package's own search stops when the likelihood changes little.
    np.testing.assert_allclose(fit.theta, want[f"{prefix}.theta_em"][0], rtol=1e-3)
    np.testing.assert_allclose(np.log(fit.frailty), want[f"{prefix}.log_frailty"], atol=1e-4)

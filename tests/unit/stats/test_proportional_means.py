"""Ratio of mean numbers until death: agreement with R, collapses, order of rows, bad input."""

import numpy as np
import pytest

from analysis.errors import ModelError
from analysis.stats.proportional_means import proportional_means
from analysis.stats.ratios import log_ratio
from analysis.stats.recurrent import lwyy, mean_cumulative

HISTORY = ("id", "start", "stop", "event", "death")


def histories(seed: int, *, n: int = 60, dies: float = 0.2, censored: float = 0.1) -> dict:
    """Events on whole days from day 0 to day 8; some die and some are censored before."""
    generator, rows = np.random.default_rng(seed), []
    for subject in range(n):
        arm, day = subject % 2, 0
        while day < 8:
            stop = min(day + int(generator.integers(1, 4)), 8)
            death = generator.random() < dies
            event = generator.random() < 0.4 + 0.3 * arm
            rows.append((f"child {subject}", day, stop, event, death, arm, f"family {subject * 2 // 5}"))
            day = stop
            if death or generator.random() < censored:
                break
    names = ("subject", "start", "stop", "event", "terminal", "X", "cluster")
    return {name: np.array(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}


def test_against_r(survival_reference, assert_agrees):
    data, expected = survival_reference("bladder1")
    X = np.column_stack([data["arm"] == 2, data["arm"] == 1, data["number"]])
    rows, ours = (*(data[column] for column in HISTORY), X), {}
    for name, strata in (("means", None), ("means_strata", data["size"] > 1)):
        linear = proportional_means(*rows, cluster=data["id"] % 30, strata=strata)
        ours |= {f"{name}.coef": linear.estimate, f"{name}.se_pair": linear.se}
        ours[f"{name}.se_patient"] = np.sqrt((linear.influence**2).sum(axis=0))
    assert_agrees(ours, {key: expected[key] for key in expected if key.startswith("means")})


def test_without_deaths_it_is_the_rate_ratio():
    sample = histories(1, dies=0.0)
    linear = proportional_means(**sample)
    del sample["terminal"]
    fit = lwyy(**sample, ties="breslow")
    np.testing.assert_allclose(linear.estimate, fit.coef, rtol=1e-12)
    np.testing.assert_allclose(linear.vcov, fit.vcov_robust, rtol=1e-12)


def test_without_censoring_it_is_the_ratio_of_counts():
    """Everybody is at risk throughout, alive or not, so it is the ratio of the means at the last day."""
    sample = histories(2, censored=0.0)
    linear, arm = proportional_means(**sample), sample.pop("X")
    means = [
        mean_cumulative(**{name: column[arm == each] for name, column in sample.items()}).at([8])
        for each in (1, 0)
    ]
    ratio = log_ratio(*means)
    np.testing.assert_allclose(linear.estimate, ratio.estimate, rtol=1e-8)
    assert 0.8 < linear.se[0] / ratio.se[0] < 1.25


def test_order_and_names_of_rows_do_not_matter():
    sample = histories(3)
    order = np.random.default_rng(0).permutation(len(sample["stop"]))
    one, other = (proportional_means(**each) for each in (sample, {k: v[order] for k, v in sample.items()}))
    np.testing.assert_allclose(other.estimate, one.estimate, rtol=1e-12)
    np.testing.assert_allclose(other.influence, one.influence, rtol=1e-9, atol=1e-13)


def test_influence_sums_to_zero_and_swapped_arms_flip_the_sign():
    sample = histories(4)
    linear = proportional_means(**sample)
    np.testing.assert_allclose(linear.influence.sum(axis=0), 0, atol=1e-9)
    swapped = proportional_means(**sample | {"X": 1 - sample["X"]})
    np.testing.assert_allclose(swapped.estimate, -linear.estimate, rtol=1e-8)
    np.testing.assert_allclose(swapped.se, linear.se, rtol=1e-8)


def test_jackknife_of_families_is_close():
    sample = histories(5, n=500)
    families = np.unique(sample["cluster"])
    left_out = np.array(
        [
            proportional_means(**{k: v[sample["cluster"] != each] for k, v in sample.items()}).estimate[0]
            for each in families
        ]
    )
    slow = np.sqrt((1 - 1 / len(families)) * ((left_out - left_out.mean()) ** 2).sum())
    np.testing.assert_allclose(proportional_means(**sample).se, slow, rtol=0.03)


def test_everybody_dies():
    sample = histories(6, n=30, dies=0.5, censored=0.0)
    last = np.append(sample["subject"][1:] != sample["subject"][:-1], True)
    linear = proportional_means(**sample | {"terminal": last.astype(int)})
    assert np.isfinite(linear.estimate).all() and np.isfinite(linear.se).all()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("a", 0, 2, 1, 0), ("b", 1, 3, 1, 0)], "row 1 .*enters late"),
        ([("b", 3, 4, 1, 0), ("a", 0, 2, 1, 0), ("b", 0, 2, 1, 0)], "row 0 .*has a gap"),
        ([("a", 0, 2, 0, 1), ("b", 0, 3, 0, 0)], "no row has an event"),
        ([("a", 0, 2, 1, 1), ("a", 2, 3, 0, 0)], "row 1 .*follows the terminal event"),
        ([("b", 0, 2, 1, 0), ("a", 0, 3, 2, 0)], "row 1 .*event must be"),
    ],
)
def test_refused(rows, message):
    columns = list(zip(*rows, strict=True))
    with pytest.raises(ModelError, match=message):
        proportional_means(*columns, np.arange(len(rows)) % 2)


@pytest.mark.parametrize(
    ("X", "message"),
    [([0], "X must have one row"), ([0, None], "row 1 .*column 0 of X is missing"), ("ab", "numeric")],
)
def test_covariates_are_refused(X, message):
    with pytest.raises(ModelError, match=message):
        proportional_means("ba", [0, 0], [2, 3], [1, 1], [1, 0], list(X))


def test_one_family_has_no_standard_error():
    sample = histories(7)
    assert np.isnan(proportional_means(**sample | {"cluster": np.zeros(len(sample["stop"]))}).se).all()

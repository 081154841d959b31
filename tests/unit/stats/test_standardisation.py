"""Standardised risks: collapses to known formulae, a numerical jackknife, invariances and refusals."""

import numpy as np
import pytest
from scipy import stats

from analysis.errors import ModelError
from analysis.stats.standardisation import standardised_risks


def trial(seed, *, clusters=60, largest=4):
    rng = np.random.default_rng(seed)
    size = rng.integers(1, largest + 1, clusters)
    cluster = np.repeat(np.arange(clusters), size)
    arm = (cluster % 2).astype(float)
    z = rng.normal(size=len(cluster))
    shared = rng.normal(size=clusters)[cluster]
    event = (rng.random(len(cluster)) < 1 / (1 + np.exp(-(0.6 * arm + z + shared - 0.3)))).astype(int)
    return event, np.column_stack([np.ones(len(cluster)), arm, z]), cluster


def test_without_covariates_and_siblings_it_is_the_difference_of_two_proportions():
    """HC2 of two means: each arm's variance divides by n - 1."""
    event, X, _ = trial(1)
    found = standardised_risks(event, X[:, :2], 1, range(len(event)))
    a, b = event[X[:, 1] == 1], event[X[:, 1] == 0]
    se = np.sqrt(a.var() / (len(a) - 1) + b.var() / (len(b) - 1))
    assert found.treated.estimate == pytest.approx(a.mean())
    assert found.control.estimate == pytest.approx(b.mean())
    assert found.difference.se == pytest.approx(se, rel=1e-9)
    low, high = stats.t.interval(0.95, len(event) - 2, a.mean() - b.mean(), se)
    assert (found.difference.low, found.difference.high) == pytest.approx((low, high), rel=1e-9)
    assert found.ratio.estimate == pytest.approx(a.mean() / b.mean())


def test_risks_and_ratio_tell_the_same_story():
    event, X, cluster = trial(2)
    found = standardised_risks(event, X, 1, cluster)
    assert found.difference.estimate == pytest.approx(found.treated.estimate - found.control.estimate)
    assert found.ratio.estimate == pytest.approx(found.treated.estimate / found.control.estimate)
    assert found.ratio.low < found.ratio.estimate < found.ratio.high
    assert found.difference.df == 60 - 3


def test_the_standard_error_is_near_the_jackknife_over_families():
    event, X, cluster = trial(3, clusters=150)
    found = standardised_risks(event, X, 1, cluster).difference
    left_out = [
        standardised_risks(event[cluster != c], X[cluster != c], 1, cluster[cluster != c]).difference.estimate
        for c in range(150)
    ]
    jackknife = np.sqrt(149 / 150 * ((left_out - np.mean(left_out)) ** 2).sum())
    assert found.se == pytest.approx(jackknife, rel=0.03)


def test_swapping_the_arms_turns_the_contrast():
    event, X, cluster = trial(4)
    other = X.copy()
    other[:, 1] = 1 - X[:, 1]
    one, two = standardised_risks(event, X, 1, cluster), standardised_risks(event, other, 1, cluster)
    assert one.difference.estimate == pytest.approx(-two.difference.estimate)
    assert one.ratio.estimate == pytest.approx(1 / two.ratio.estimate)
    assert one.difference.se == pytest.approx(two.difference.se)


def test_order_names_and_scales_do_not_matter():
    event, X, cluster = trial(5)
    order = np.random.default_rng(0).permutation(len(event))
    one = standardised_risks(event, X, 1, cluster)
    moved = standardised_risks(event[order], X[order], 1, [f"F{c}" for c in -cluster[order]])
    assert (moved.difference, moved.ratio) == (one.difference, one.ratio)
    scaled = standardised_risks(event, X * [1.0, 1.0, 1e4] + [0.0, 0.0, 50.0], 1, cluster)
    assert scaled.difference.estimate == pytest.approx(one.difference.estimate, rel=1e-9)
    assert scaled.difference.se == pytest.approx(one.difference.se, rel=1e-8)


EVENT, COLUMNS, CLUSTER = trial(6)
TREATED = COLUMNS[:, 1] == 1


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: standardised_risks(np.where(TREATED, 0, EVENT), COLUMNS, 1, CLUSTER),
            "treated arm has no event",
        ),
        (
            lambda: standardised_risks(np.where(TREATED, EVENT, 1), COLUMNS, 1, CLUSTER),
            "control arm has an event in",
        ),
        (lambda: standardised_risks(EVENT + 1, COLUMNS, 1, CLUSTER), "event"),
        (lambda: standardised_risks(EVENT, COLUMNS, 2, CLUSTER), "must hold 1 and 0"),
        (lambda: standardised_risks(EVENT, COLUMNS, 1, CLUSTER[:-1]), "one label per row"),
        (lambda: standardised_risks(EVENT, COLUMNS, 1, CLUSTER % 3), "more clusters than columns"),
        (lambda: standardised_risks(EVENT, COLUMNS, 1, CLUSTER, level=1.0), "between 0 and 1"),
        (
            lambda: standardised_risks(
                EVENT, np.column_stack([COLUMNS, EVENT + 0.1 * COLUMNS[:, 2]]), 1, CLUSTER
            ),
            "separate",
        ),
    ],
)
def test_refusals_say_what_is_wrong(call, sentence):
    with pytest.raises(ModelError, match=sentence):
        call()

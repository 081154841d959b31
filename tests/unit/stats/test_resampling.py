"""Bootstrap weights of families: sums, moments, labels, bad input."""

import numpy as np
import pytest

from analysis.errors import ModelError
from analysis.stats.resampling import family_weights


def generator() -> np.random.Generator:
    return np.random.Generator(np.random.Philox(5))


def test_every_draw_has_as_many_families_as_the_sample():
    labels, weights = family_weights(["b", "a", "b", "c"], 50, generator())
    assert labels.tolist() == ["a", "b", "c"]
    assert weights.shape == (50, 3) and (weights.sum(axis=1) == 3).all()
    assert (weights >= 0).all() and (weights == np.rint(weights)).all()


def test_weights_are_multinomial():
    _, weights = family_weights(range(20), 40_000, generator())
    covariance = np.cov(weights.T)
    expected = np.eye(20) - 1 / 20
    np.testing.assert_allclose(weights.mean(axis=0), 1, atol=4 * np.sqrt(0.95 / 40_000))
    np.testing.assert_allclose(covariance, expected, atol=0.04)


def test_draws_do_not_depend_on_the_order_or_the_number_of_rows():
    one = family_weights(["b", "a", "c"], 4, generator())[1]
    other = family_weights(["c", "a", "b", "a"], 4, generator())[1]
    np.testing.assert_array_equal(one, other)


def test_draws_can_be_made_in_portions():
    rng = generator()
    portions = np.vstack([family_weights(range(9), draws, rng)[1] for draws in (3, 4)])
    np.testing.assert_array_equal(portions, family_weights(range(9), 7, generator())[1])


def test_strata_keep_their_number_of_families():
    cluster, site = ["a", "b", "b", "c", "d", "e"], [1, 2, 2, 1, 2, 2]
    labels, weights = family_weights(cluster, 200, generator(), strata=site)
    first = np.isin(labels, ["a", "c"])
    assert (weights[:, first].sum(axis=1) == 2).all() and (weights[:, ~first].sum(axis=1) == 3).all()
    assert len(np.unique(weights, axis=0)) == 3 * 10


def test_a_family_in_two_strata_is_refused():
    with pytest.raises(ModelError, match="row 0 .*another stratum"):
        family_weights(["a", "b", "a"], 1, generator(), strata=[1, 1, 2])


@pytest.mark.parametrize(
    ("cluster", "draws", "message"),
    [
        ([], 5, "at least one cluster"),
        (["a"], 0, "one draw"),
        (["a", None], 5, "row 1 .*cluster label is missing"),
    ],
)
def test_refused(cluster, draws, message):
    with pytest.raises(ModelError, match=message):
        family_weights(cluster, draws, generator())

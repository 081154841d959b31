"""Bands over a whole curve: known cases, coverage by simulation, and what is refused."""

import numpy as np
import pytest
from scipy.special import ndtri

from analysis.errors import ModelError
from analysis.stats.bands import simultaneous_band
from analysis.stats.competing import cumulative_incidence
from analysis.stats.influence import Linear
from analysis.stats.multistate import occupation_at


def generator(seed: int = 1) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=seed))


def test_one_quantity_has_the_pointwise_interval():
    influence = np.random.default_rng(3).standard_normal((400, 1))
    one = Linear(np.array([2.0]), influence)
    band, point = simultaneous_band(one, draws=200_000, generator=generator()), one.interval()
    np.testing.assert_allclose([band.low[0], band.high[0]], [point.low[0], point.high[0]], rtol=1e-2)


def test_independent_quantities_need_the_sidak_quantile():
    """Four quantities of four disjoint halves of the families: the largest of four independent normals."""
    influence = np.zeros((4000, 4))
    for column in range(4):
        influence[column::4, column] = np.random.default_rng(column).standard_normal(1000)
    curve = Linear(np.zeros(4), influence)
    band = simultaneous_band(curve, draws=100_000, generator=generator())
    sidak = ndtri((1 + 0.95**0.25) / 2)
    np.testing.assert_allclose(band.high / curve.se, sidak, rtol=5e-3)


def test_families_move_together():
    """Children of one family with the same influence are one unit: the band is wider than for strangers."""
    influence = np.repeat(np.random.default_rng(5).standard_normal((100, 3)), 4, axis=0)
    family = np.repeat(np.arange(100), 4)
    together = simultaneous_band(Linear(np.zeros(3), influence, family), draws=2000, generator=generator())
    apart = simultaneous_band(Linear(np.zeros(3), influence), draws=2000, generator=generator())
    assert (together.high > 1.8 * apart.high).all()


def test_the_same_draws_give_the_same_band_and_a_certain_point_has_none():
    influence = np.random.default_rng(2).standard_normal((50, 3)) * [1.0, 0.0, 2.0]
    curve = Linear(np.arange(3.0), influence)
    first, again = (simultaneous_band(curve, draws=999, generator=generator(7)) for _ in range(2))
    np.testing.assert_array_equal(first.low, again.low)
    assert np.isnan(first.low[1]) and np.isnan(first.high[1])


def test_the_whole_curve_is_covered():
    """300 pairs with one event time each, 400 trials: coverage within 3 binomial errors of 95 %."""
    times, covered, trials = np.array([0.2, 0.5, 1.0, 1.5]), 0, 400
    truth = 1 - np.exp(-times)
    for trial in range(trials):
        draw = np.random.default_rng(trial)
        time = np.repeat(draw.exponential(size=300), 2)
        censored = draw.exponential(3.0, size=600)
        seen = time <= censored
        curve = cumulative_incidence(
            np.minimum(time, censored), seen.astype(int), cluster=np.repeat(np.arange(300), 2)
        )
        incidence = occupation_at(curve, times).select(slice(1, None, 2))
        band = simultaneous_band(incidence, draws=400, generator=generator(trial))
        covered += bool(((band.low <= truth) & (truth <= band.high)).all())
    assert abs(covered / trials - 0.95) <= 3 * np.sqrt(0.95 * 0.05 / trials)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"draws": 10}, "99 draws"),
        ({"level": 1.0}, "between 0 and 1"),
        ({"curve": Linear(np.zeros(1), np.ones((2, 1)), np.array([1, 1]))}, "two independent units"),
    ],
)
def test_what_gives_no_band_is_refused(change, words):
    given = {"curve": Linear(np.zeros(1), np.ones((9, 1))), "draws": 99, "generator": generator(), **change}
    with pytest.raises(ModelError, match=words):
        simultaneous_band(given.pop("curve"), **given)

"""Recruitment still to come: by drawing it, by its closed forms, and at the edges."""

import numpy as np
import pytest
from scipy import stats

from analysis.errors import ModelError
from analysis.stats.accrual import chance_of_recruiting, number_recruited, posterior_rates, time_to_recruit

SITES = ([21, 9, 0], [365.0, 125.0, 40.0])


@pytest.fixture
def rates():
    return posterior_rates(*SITES, prior_shape=0.5)


def test_the_chance_is_that_of_drawing_rates_and_families(rates) -> None:
    draw = np.random.default_rng(20240229)
    shape, exposure = np.array(SITES[0]) + 0.5, np.array(SITES[1])
    coming = draw.poisson(draw.gamma(shape, 1 / exposure, (400_000, 3)) * 500.0).sum(axis=1)
    for wanted in (40, 60, 90):
        share = (coming >= wanted).mean()
        error = np.sqrt(share * (1 - share) / len(coming))
        assert chance_of_recruiting(rates, wanted, 500.0) == pytest.approx(share, abs=4 * error)


def test_one_time_of_observation_is_pearson_vi() -> None:
    rates = posterior_rates([10, 4], [90.0, 90.0], prior_shape=0.5)
    time = time_to_recruit(rates, 30, level=0.9)
    assert [time.low, time.median, time.high] == pytest.approx(
        90 * stats.betaprime(30, 15).ppf([0.05, 0.5, 0.95]), rel=1e-9
    )


def test_sites_apart_and_together_are_one_when_observed_alike() -> None:
    apart = posterior_rates([10, 4], [90.0, 90.0 + 1e-9], prior_shape=0.5)
    together = posterior_rates([10, 4], [90.0, 90.0], prior_shape=0.5)
    assert (apart.shape.size, together.shape.size) == (2, 1)
    for wanted in (1, 7, 40):
        assert chance_of_recruiting(apart, wanted, 200.0) == pytest.approx(
            chance_of_recruiting(together, wanted, 200.0), rel=1e-9
        )


def test_a_site_whose_rate_is_known_to_be_zero_adds_nobody() -> None:
    """Without a prior, what a site recruited is all that is known of it."""
    both = posterior_rates([5, 0], [100.0, 50.0], prior_shape=0.0)
    alone = posterior_rates([5], [100.0], prior_shape=0.0)
    assert time_to_recruit(both, 3, level=0.9) == time_to_recruit(alone, 3, level=0.9)
    assert number_recruited(both, 60.0, level=0.9) == number_recruited(alone, 60.0, level=0.9)


def test_with_much_data_it_is_poisson() -> None:
    rates = posterior_rates([10**9, 2 * 10**9], [1e9, 1e9], prior_shape=0.5)
    assert chance_of_recruiting(rates, 25, 10.0) == pytest.approx(stats.poisson.sf(24, 30.0), rel=1e-5)


def test_quantiles_have_their_shares(rates) -> None:
    time = time_to_recruit(rates, 60, level=0.95)
    for each, share in ((time.low, 0.025), (time.median, 0.5), (time.high, 0.975)):
        assert chance_of_recruiting(rates, 60, each) == pytest.approx(share, abs=1e-10)
    number = number_recruited(rates, 500.0, level=0.95)
    for each, share in ((number.low, 0.025), (number.median, 0.5), (number.high, 0.975)):
        assert 1 - chance_of_recruiting(rates, int(each) + 1, 500.0) >= share
        assert 1 - chance_of_recruiting(rates, int(each), 500.0) < share


def test_the_unit_of_time_does_not_matter(rates) -> None:
    months = posterior_rates(SITES[0], np.array(SITES[1]) / 30.4375, prior_shape=0.5)
    one, other = (time_to_recruit(each, 60, level=0.8) for each in (rates, months))
    assert one.median == pytest.approx(30.4375 * other.median, rel=1e-9)


def test_edges(rates) -> None:
    assert chance_of_recruiting(rates, 0, 0.0) == 1.0
    assert chance_of_recruiting(rates, 1, 0.0) == 0.0
    none = number_recruited(rates, 0.0, level=0.95)
    assert (none.low, none.median, none.high) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("events", "exposure", "prior", "said"),
    [
        ([], [], 0.5, "at least one site"),
        ([1], [0.0], 0.5, "open for some time"),
        ([-1], [1.0], 0.5, "open for some time"),
        ([0, 0], [1.0, 2.0], 0.0, "nobody was recruited"),
    ],
)
def test_what_cannot_be_predicted_is_refused(events, exposure, prior, said) -> None:
    with pytest.raises(ModelError, match=said):
        posterior_rates(events, exposure, prior_shape=prior)


def test_senseless_questions_are_refused(rates) -> None:
    for ask in (
        lambda: time_to_recruit(rates, 0, level=0.95),
        lambda: time_to_recruit(rates, 1, level=1.0),
        lambda: number_recruited(rates, -1.0, level=0.95),
    ):
        with pytest.raises(ModelError):
            ask()

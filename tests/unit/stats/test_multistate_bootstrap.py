"""Bootstrap of multi-state curves: each draw against the estimator on the repeated rows, and bad input."""

import numpy as np
import pytest

from analysis.errors import ModelError
from analysis.stats import multistate_bootstrap
from analysis.stats.multistate import aalen_johansen, occupation_at, time_in_state
from analysis.stats.multistate_bootstrap import occupation_draws, time_in_state_draws
from analysis.stats.resampling import family_weights

TIMES = [0, 2, 5, 9]


def histories(seed: int, *, n: int = 40, late: bool = True) -> dict:
    """Random histories with ties, returns, gaps, delayed entry and families; state 2 absorbs."""
    generator, rows = np.random.default_rng(seed), []
    for subject in range(n):
        now, state = int(generator.integers(0, 3)) if late else 0, int(generator.integers(0, 2))
        for _ in range(generator.integers(1, 5)):
            stop, target = now + int(generator.integers(1, 4)), int(generator.integers(-1, 3))
            rows.append((subject, now, stop, state, target, f"family {subject * 3 // 5}"))
            state, now = (state if target < 0 else target), stop + int(late and generator.random() < 0.2)
            if state == 2:
                break
    names = ("subject", "start", "stop", "source", "target", "cluster")
    return {name: np.array(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}


def repeated(sample: dict, labels: np.ndarray, weight: np.ndarray) -> dict:
    """The rows of each family as often as it was drawn, every copy with subjects of its own."""
    times = weight[np.searchsorted(labels, sample["cluster"])].astype(int)
    rows = np.repeat(np.arange(len(times)), times)
    copy = np.concatenate([np.arange(each) for each in times])
    part = {name: column[rows] for name, column in sample.items()}
    return part | {"subject": part["subject"] * 100 + copy}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("initial", [None, [0.5, 0.2, 0.3]])
def test_each_draw_is_the_estimate_of_its_sample(seed, initial):
    sample = histories(seed, late=seed % 2 == 0)
    occupation = aalen_johansen(**sample, n_states=3, initial=initial)
    labels, weights = family_weights(sample["cluster"], 12, np.random.default_rng(seed))
    probability = occupation_draws(occupation, TIMES, labels, weights)
    sojourn = time_in_state_draws(occupation, [4, 9], labels, weights)
    for draw, weight in enumerate(weights):
        alone = aalen_johansen(**repeated(sample, labels, weight), n_states=3, initial=initial)
        np.testing.assert_allclose(probability[draw], alone.at(TIMES), rtol=1e-12, atol=1e-14)
        days = time_in_state(alone, [4, 9]).estimate.reshape(2, 3)
        np.testing.assert_allclose(sojourn[draw], days, rtol=1e-12)


def test_weights_need_not_be_whole_numbers():
    sample = histories(3)
    families = np.unique(sample["cluster"])
    weights = np.random.default_rng(0).exponential(size=(6, len(families)))
    occupation = aalen_johansen(**sample, n_states=3)
    for draw, weight in zip(occupation_draws(occupation, TIMES, families, weights), weights, strict=True):
        by_row = weight[np.searchsorted(families, sample["cluster"])]
        alone = aalen_johansen(**sample, n_states=3, weights=by_row)
        np.testing.assert_allclose(draw, alone.at(TIMES), rtol=1e-11, atol=1e-13)


def test_the_number_of_draws_worked_on_together_does_not_matter(monkeypatch):
    sample = histories(1)
    occupation = aalen_johansen(**sample, n_states=3)
    drawn = family_weights(sample["cluster"], 30, np.random.default_rng(1))
    whole = occupation_draws(occupation, TIMES, *drawn)
    monkeypatch.setattr(multistate_bootstrap, "CHUNK", 1)
    np.testing.assert_allclose(occupation_draws(occupation, TIMES, *drawn), whole, rtol=1e-14)


def test_spread_of_draws_is_the_robust_standard_error():
    sample = histories(8, n=600)
    occupation = aalen_johansen(**sample, n_states=3)
    draws = occupation_draws(
        occupation, [5], *family_weights(sample["cluster"], 4000, np.random.default_rng(2))
    )
    np.testing.assert_allclose(draws[:, 0].std(axis=0), occupation_at(occupation, [5]).se, rtol=0.06)


def test_families_of_another_group_may_be_drawn():
    sample = histories(2)
    occupation = aalen_johansen(**sample, n_states=3)
    labels, weights = family_weights([*sample["cluster"], "another"], 5, np.random.default_rng(3))
    own = labels != "another"
    np.testing.assert_array_equal(
        occupation_draws(occupation, TIMES, labels, weights),
        occupation_draws(occupation, TIMES, labels[own], weights[:, own]),
    )


def test_without_labels_subjects_are_drawn():
    occupation = aalen_johansen("ab", [0, 0], [1, 2], [0, 0], [1, -1], 2)
    draws = occupation_draws(occupation, [1], ["b", "a"], [[0, 2], [1, 1], [2, 0]])
    np.testing.assert_allclose(draws[:, 0], [[0, 1], [0.5, 0.5], [1, 0]])


def test_a_draw_of_nobody_at_risk_is_not_a_number():
    occupation = aalen_johansen("ab", [0, 5], [1, 6], [0, 0], [1, -1], 2)
    assert np.isnan(occupation_draws(occupation, [1], ["a", "b"], [[0, 2]])).all()


def test_nobody_moves():
    occupation = aalen_johansen("ab", [0, 0], [1, 2], [0, 1], [-1, -1], 2)
    np.testing.assert_allclose(occupation_draws(occupation, [1], ["a", "b"], [[1, 1]]), [[[0.5, 0.5]]])


@pytest.mark.parametrize(
    ("labels", "weights", "message"),
    [
        (["a"], [[2.0]], "has no bootstrap weight"),
        (["a", "b"], [[1.0]], "one column per label"),
        (["a", "b"], [[1.0, -1.0]], "none below 0"),
        (["a", "b"], [[1.0, np.nan]], "none below 0"),
    ],
)
def test_refused(labels, weights, message):
    occupation = aalen_johansen("ab", [0, 0], [1, 2], [0, 0], [1, -1], 2)
    with pytest.raises(ModelError, match=message):
        occupation_draws(occupation, [1], labels, weights)

"""What must hold for every data set: sums, order of limits, row order, arms, scale of time, jackknife."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from analysis.errors import ModelError
from analysis.stats.competing import cumulative_incidence, kaplan_meier, rmst
from analysis.stats.hazards import cox
from analysis.stats.influence import difference
from analysis.stats.multistate import aalen_johansen, occupation_at, occupation_curve, time_in_state

COMMON = settings(max_examples=40, deadline=None, derandomize=True)
seeds = st.integers(0, 2**32 - 1)


def survival_sample(seed: int, *, n: int = 30, causes: int = 2) -> dict:
    generator = np.random.default_rng(seed)
    return {
        "time": generator.integers(1, 12, n).astype(float),
        "cause": generator.integers(0, causes + 1, n),
        "cluster": generator.integers(0, n // 2, n),
    }


def histories(seed: int, *, n: int = 15) -> dict:
    """Histories over 4 states with returns, ties, gaps and delayed entry; labels are text."""
    generator, rows = np.random.default_rng(seed), []
    for subject in range(n):
        now, state = int(generator.integers(0, 3)), int(generator.integers(0, 3))
        for _ in range(generator.integers(1, 5)):
            stop = now + int(generator.integers(1, 4))
            target = int(generator.integers(-1, 4))
            rows.append((subject, now, stop, state, target))
            state, now = (state if target < 0 else target), stop + int(generator.random() < 0.2)
    subject, start, stop, source, target = np.array(rows).T
    labels = np.array([f"child {i}" for i in range(n)])
    families = np.array([f"family {i // 2}" for i in range(n)])
    return {
        "subject": labels[subject],
        "start": start,
        "stop": stop,
        "source": source,
        "target": target,
        "cluster": families[subject],
    }


def cox_sample(seed: int, *, n: int = 60) -> dict:
    generator = np.random.default_rng(seed)
    start = generator.integers(0, 5, n).astype(float)
    event = generator.integers(0, 2, n)
    arm = np.arange(n) % 2
    event[:4] = 1
    return {
        "start": start,
        "stop": start + generator.integers(1, 10, n),
        "event": event,
        "X": np.column_stack([arm, generator.normal(size=n)]),
        "cluster": generator.integers(0, n // 2, n),
        "strata": generator.integers(0, 2, n),
    }


def shuffled(sample: dict, seed: int) -> tuple[dict, np.ndarray]:
    order = np.random.default_rng(seed).permutation(
        len(sample["stop"] if "stop" in sample else sample["time"])
    )
    return {key: value[order] for key, value in sample.items()}, order


@COMMON
@given(seeds)
def test_occupation_rows_sum_to_one_and_influence_to_zero(seed):
    occupation = aalen_johansen(**histories(seed), n_states=4)
    np.testing.assert_allclose(occupation.prob.sum(axis=1), 1, rtol=1e-12)
    assert (occupation.prob >= 0).all()
    influence = occupation.influence([1, 4, 9]).reshape(-1, 3, 4)
    np.testing.assert_allclose(influence.sum(axis=2), 0, atol=1e-12)
    np.testing.assert_allclose(influence.sum(axis=0), 0, atol=1e-12)


@COMMON
@given(seeds)
def test_time_in_state_sums_to_tau(seed):
    sojourn = time_in_state(aalen_johansen(**histories(seed), n_states=4), [0, 2.5, 7])
    np.testing.assert_allclose(sojourn.estimate.reshape(3, 4).sum(axis=1), [0, 2.5, 7], atol=1e-12)
    assert (sojourn.se[:4] == 0).all()


@COMMON
@given(seeds, st.sampled_from(["plain", "log", "log-log"]), st.sampled_from([0.8, 0.95, 0.99]))
def test_limits_enclose_the_curve(seed, kind, level):
    sample = survival_sample(seed)
    incidence = cumulative_incidence(sample["time"], sample["cause"], cluster=sample["cluster"], n_causes=2)
    curve, rounding = occupation_curve(incidence, kind=kind, level=level), 1e-12
    known = np.isfinite(curve.low) & np.isfinite(curve.high)
    assert (curve.low[known] <= curve.prob[known] + rounding).all()
    assert (curve.prob[known] <= curve.high[known] + rounding).all()
    assert (curve.low[known] >= 0).all() and (curve.high[known] <= 1).all()


@COMMON
@given(seeds)
def test_incidence_and_survival_sum_to_one_and_grow(seed):
    sample = survival_sample(seed)
    incidence = cumulative_incidence(sample["time"], sample["cause"], n_causes=2)
    survival = kaplan_meier(sample["time"], sample["cause"] > 0)
    np.testing.assert_allclose(incidence.prob[:, 0], survival.survival, rtol=1e-12)
    np.testing.assert_allclose(incidence.prob[:, 1:].sum(axis=1), 1 - survival.survival, atol=1e-12)
    assert (np.diff(incidence.prob[:, 1:], axis=0) >= 0).all()


@COMMON
@given(seeds)
def test_two_states_are_kaplan_meier_with_greenwood(seed):
    sample = survival_sample(seed, causes=1)
    curve = kaplan_meier(sample["time"], sample["cause"])
    survival, variance = 1.0, 0.0
    for k, time in enumerate(curve.time[1:]):
        at_risk = (sample["time"] >= time).sum()
        dead = ((sample["time"] == time) & (sample["cause"] == 1)).sum()
        survival *= 1 - dead / at_risk
        np.testing.assert_allclose(curve.survival[k + 1], survival, rtol=1e-12)
        if dead < at_risk:
            variance += dead / (at_risk * (at_risk - dead))
            np.testing.assert_allclose(curve.se[k + 1], survival * np.sqrt(variance), rtol=1e-9)


@COMMON
@given(seeds)
def test_without_censoring_survival_is_the_share_still_there(seed):
    time = survival_sample(seed)["time"]
    curve = kaplan_meier(time, np.ones(len(time)))
    share = np.array([(time > t).mean() for t in curve.time])
    np.testing.assert_allclose(curve.survival, share, atol=1e-12)
    np.testing.assert_allclose(curve.se, np.sqrt(share * (1 - share) / len(time)), atol=1e-12)


@COMMON
@given(seeds, seeds)
def test_row_order_does_not_matter(seed, other):
    sample = histories(seed)
    moved, _ = shuffled(sample, other)
    one, two = (aalen_johansen(**each, n_states=4) for each in (sample, moved))
    np.testing.assert_array_equal(one.subject, two.subject)
    np.testing.assert_array_equal(one.prob, two.prob)
    np.testing.assert_array_equal(one.influence([2, 5]), two.influence([2, 5]))
    np.testing.assert_array_equal(occupation_at(one, [5]).se, occupation_at(two, [5]).se)


@COMMON
@given(seeds, seeds, st.sampled_from(["efron", "breslow"]))
def test_row_order_does_not_matter_for_cox(seed, other, ties):
    sample = cox_sample(seed)
    moved, order = shuffled(sample, other)
    one, two = cox(**sample, ties=ties), cox(**moved, ties=ties)
    np.testing.assert_array_equal(one.coef, two.coef)
    np.testing.assert_array_equal(one.vcov_model, two.vcov_model)
    np.testing.assert_array_equal(one.influence[order], two.influence)
    np.testing.assert_allclose(one.vcov_robust, two.vcov_robust, rtol=1e-12)


@COMMON
@given(seeds)
def test_names_do_not_matter(seed):
    sample = histories(seed)
    names = {label: (index * 7919) % 104729 for index, label in enumerate(np.unique(sample["subject"]))}
    renamed = sample | {"subject": [names[label] for label in sample["subject"]]}
    one, two = (aalen_johansen(**each, n_states=4) for each in (sample, renamed))
    np.testing.assert_allclose(occupation_at(one, [4]).se, occupation_at(two, [4]).se, rtol=1e-10, atol=1e-15)


@COMMON
@given(seeds)
def test_swapped_arms_flip_the_sign(seed):
    sample = cox_sample(seed)
    swapped = sample | {"X": sample["X"] * [-1, 1] + [1, 0]}
    one, two = cox(**sample), cox(**swapped)
    np.testing.assert_allclose(two.coef, one.coef * [-1, 1], rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(np.diag(two.vcov_robust), np.diag(one.vcov_robust), rtol=1e-8)
    arms = [sample["X"][:, 0] == arm for arm in (0, 1)]
    a, b = (rmst(sample["stop"][rows], sample["event"][rows], 8) for rows in arms)
    assert difference(a, b).estimate == -difference(b, a).estimate
    np.testing.assert_allclose(difference(a, b).se, difference(b, a).se, rtol=1e-12)


@COMMON
@given(seeds, st.floats(0.01, 400))
def test_rescaled_time(seed, factor):
    sample = histories(seed)
    slower = sample | {"start": sample["start"] * factor, "stop": sample["stop"] * factor}
    one, two = (aalen_johansen(**each, n_states=4) for each in (sample, slower))
    np.testing.assert_array_equal(one.prob, two.prob)
    days, scaled = time_in_state(one, 6), time_in_state(two, 6 * factor)
    np.testing.assert_allclose(scaled.estimate, days.estimate * factor, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(scaled.se, days.se * factor, rtol=1e-9, atol=1e-12)
    rows = cox_sample(seed)
    stretched = rows | {"start": rows["start"] * factor, "stop": rows["stop"] * factor}
    np.testing.assert_array_equal(cox(**rows).coef, cox(**stretched).coef)


@COMMON
@given(seeds)
def test_moving_both_arms_moves_nothing(seed):
    sample = survival_sample(seed)
    late = kaplan_meier(sample["time"] + 100, sample["cause"] > 0, entry=np.full(30, 100.0))
    soon = kaplan_meier(sample["time"], sample["cause"] > 0)
    np.testing.assert_array_equal(late.survival, soon.survival)
    np.testing.assert_array_equal(late.se, soon.se)


def leave_one_family_out(estimate, sample: dict) -> np.ndarray:
    families = np.unique(sample["cluster"])
    kept = (sample["cluster"] != family for family in families)
    return np.array([estimate({key: value[rows] for key, value in sample.items()}) for rows in kept])


def jackknife_se(values: np.ndarray) -> np.ndarray:
    return np.sqrt((len(values) - 1) / len(values) * ((values - values.mean(axis=0)) ** 2).sum(axis=0))


@pytest.mark.parametrize("seed", range(3))
def test_brute_force_jackknife_is_close(seed):
    sample = cox_sample(seed, n=300)
    fit = cox(**sample)
    slow = jackknife_se(leave_one_family_out(lambda part: cox(**part).coef, sample))
    np.testing.assert_allclose(np.sqrt(np.diag(fit.vcov_robust)), slow, rtol=0.06)

    risks = survival_sample(seed, n=300)

    def incidence(part: dict) -> np.ndarray:
        curve = cumulative_incidence(part["time"], part["cause"], cluster=part["cluster"], n_causes=2)
        return np.append(occupation_at(curve, [3, 7]).estimate, time_in_state(curve, 9).estimate)

    curve = cumulative_incidence(risks["time"], risks["cause"], cluster=risks["cluster"])
    quick = np.append(occupation_at(curve, [3, 7]).se, time_in_state(curve, 9).se)
    np.testing.assert_allclose(quick, jackknife_se(leave_one_family_out(incidence, risks)), rtol=0.03)

    spells = histories(seed, n=200)

    def occupied(part: dict) -> np.ndarray:
        return occupation_at(aalen_johansen(**part, n_states=4), [2, 6]).estimate

    quick = occupation_at(aalen_johansen(**spells, n_states=4), [2, 6]).se
    np.testing.assert_allclose(quick, jackknife_se(leave_one_family_out(occupied, spells)), rtol=0.1)


@COMMON
@given(seeds)
def test_an_infinite_estimate_is_reported_exactly_when_the_likelihood_has_no_maximum(seed):
    """There is none if some direction puts every dying row highest in its risk set: a linear programme."""
    generator, n = np.random.default_rng(seed), 14
    sample = cox_sample(seed, n=n) | {"X": generator.integers(0, 3, (n, 2)).astype(float)}
    try:
        fit = cox(**sample)
    except ModelError:
        return
    below = []
    for row in np.flatnonzero(sample["event"]):
        at_risk = (sample["start"] < sample["stop"][row]) & (sample["stop"][row] <= sample["stop"])
        at_risk &= sample["strata"] == sample["strata"][row]
        below.append(sample["X"][at_risk] - sample["X"][row])
    below = np.vstack(below)
    best = linprog(below.sum(axis=0), A_ub=below, b_ub=np.zeros(len(below)), bounds=[(-1, 1)] * 2)
    assert np.isinf(fit.coef).any() == (best.fun < -1e-7)

"""Differences and ratios between arms of every curve: agreement with R, collapses, bad input."""

import numpy as np

from analysis.stats.competing import cumulative_incidence, kaplan_meier, rmst
from analysis.stats.influence import Linear, difference
from analysis.stats.multistate import aalen_johansen, occupation_at, time_in_state
from analysis.stats.ratios import log_ratio, logarithm, ratio_interval

TIMES = np.array([180, 365, 730])


def first_rows(data: dict) -> dict:
    first = data["start"] == 0
    return {key: column[first] for key, column in data.items()}


def arms(data: dict) -> list[dict]:
    return [{key: column[data["arm"] == arm] for key, column in data.items()} for arm in (0, 1)]


def contrasts(name: str, reference: Linear, quantity: Linear) -> dict:
    change, ratio = difference(quantity, reference), log_ratio(quantity, reference)
    limits = ratio_interval(ratio)
    return {
        f"{name}.arms": [reference.estimate, quantity.estimate],
        f"{name}.difference": change.estimate,
        f"{name}.difference_se": change.se,
        f"{name}.ratio": np.exp(ratio.estimate),
        f"{name}.ratio_limits": np.column_stack([limits.low, limits.high]),
    }


class TestAgainstR:
    """Sums within family of R's residuals of type pstate and auc; families span the arms."""

    def check(self, reference, assert_agrees, name, probability, time):
        data, expected = reference("myeloid")
        ours = contrasts(f"{name}.probability", *map(probability, arms(data)))
        ours |= contrasts(f"{name}.time", *map(time, arms(data)))
        assert_agrees(ours, {key: expected[key] for key in ours})

    def test_survival_and_restricted_mean(self, competing_reference, assert_agrees):
        def rows(data):
            first = first_rows(data)
            return first["futime"], first["death"], first["family"]

        def probability(data):
            time, event, family = rows(data)
            return kaplan_meier(time, event, cluster=family).at(TIMES)

        def area(data):
            time, event, family = rows(data)
            return rmst(time, event, TIMES, cluster=family)

        self.check(competing_reference, assert_agrees, "survival", probability, area)

    def test_incidence_and_days_lost(self, competing_reference, assert_agrees):
        def curve(data):
            first = first_rows(data)
            return cumulative_incidence(first["first"], first["cause"], cluster=first["family"])

        causes = [1, 2, 4, 5, 7, 8]
        self.check(
            competing_reference,
            assert_agrees,
            "incidence",
            lambda data: occupation_at(curve(data), TIMES).select(causes),
            lambda data: time_in_state(curve(data), TIMES).select(causes),
        )

    def test_occupation_and_days_in_state(self, competing_reference, assert_agrees):
        def curve(data):
            rows = (data[key] for key in ("id", "start", "stop", "source", "target"))
            return aalen_johansen(*rows, 3, cluster=data["family"])

        self.check(
            competing_reference,
            assert_agrees,
            "occupation",
            lambda data: occupation_at(curve(data), TIMES),
            lambda data: time_in_state(curve(data), TIMES),
        )

    def test_four_scales_of_limits_and_a_median(self, competing_reference, assert_agrees):
        data, expected = competing_reference("myeloid")
        first, ours = first_rows(data), {}
        rows = first["futime"], first["death"]
        for kind, name in {"plain": "plain", "log": "log", "log-log": "log-log", "arcsine": "arcsin"}.items():
            curve = kaplan_meier(*rows, cluster=first["family"], interval=kind)
            limits = curve.at(TIMES).interval(kind=kind)
            ours[f"survival.{name}.limits"] = np.column_stack([limits.low, limits.high])
        median = curve.quantile()
        ours["survival.arcsin.median"] = [median.value, median.low, median.high]
        assert_agrees(ours, {key: expected[key] for key in ours})


class TestRatio:
    def test_by_hand(self):
        one = Linear(np.array([0.2]), np.array([[0.01], [-0.01]]))
        other = Linear(np.array([0.4]), np.array([[0.02], [-0.02]]))
        ratio = log_ratio(other, one)
        np.testing.assert_allclose(ratio.estimate, np.log(2))
        np.testing.assert_allclose(ratio.se, np.sqrt(2 * (0.01 / 0.2) ** 2 + 2 * (0.02 / 0.4) ** 2))
        limits = ratio_interval(ratio)
        np.testing.assert_allclose(limits.low * limits.high, 4.0)

    def test_swapped_groups_give_the_inverse(self):
        time, event, family = np.arange(1, 41), np.ones(40), np.arange(40) % 13
        arms = [rmst(time[at], event[at], 20, cluster=family[at]) for at in (slice(0, 25), slice(25, 40))]
        one, other = ratio_interval(log_ratio(*arms)), ratio_interval(log_ratio(*arms[::-1]))
        np.testing.assert_allclose(one.low, 1 / other.high)

    def test_an_estimate_of_nothing_has_no_ratio(self):
        nothing = logarithm(Linear(np.zeros(1), np.ones((3, 1))))
        assert np.isnan(nothing.estimate).all() and np.isnan(nothing.se).all()
        assert "is not defined" in nothing.notes[0]

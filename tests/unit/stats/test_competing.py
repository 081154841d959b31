"""Kaplan-Meier, cumulative incidence, restricted mean: agreement with R `survival`, collapses, bad input."""

import numpy as np
import pytest

from analysis.errors import ModelError
from analysis.stats.at_risk import numbers_at_risk
from analysis.stats.competing import cumulative_incidence, kaplan_meier, rmst
from analysis.stats.influence import difference
from analysis.stats.multistate import occupation_at, occupation_curve, time_in_state

KINDS = ("log-log", "log", "plain")


class TestAgainstR:
    def test_survival_of_litters(self, survival_reference, assert_agrees):
        data, expected = survival_reference("rats")
        rows, litter = (data["time"], data["status"]), data["litter"]
        curve = kaplan_meier(*rows, cluster=litter)
        quantiles = [curve.quantile(share) for share in (0.1, 0.2)]
        restricted = rmst(*rows, [70, 90, 104], cluster=litter)
        ours = {
            "km.time": curve.time[1:],
            "km.survival": curve.survival[1:],
            "km.n_risk": curve.n_risk,
            "km.se_cluster": curve.se[1:],
            "km.se_greenwood": kaplan_meier(*rows).se[1:],
            "km.quantile": [[getattr(q, part) for q in quantiles] for part in ("value", "low", "high")],
            "rmst.estimate": restricted.estimate,
            "rmst.se": restricted.se,
        }
        for kind in KINDS:
            curve = kaplan_meier(*rows, cluster=litter, interval=kind)
            ours |= {f"km.{kind}.low": curve.low[1:], f"km.{kind}.high": curve.high[1:]}
        assert_agrees(ours, {key: value for key, value in expected.items() if not key.startswith("cox")})

    def test_clusters_that_span_the_groups_compared(self, survival_reference, assert_agrees):
        data, expected = survival_reference("retinopathy")
        arms = {trt: data["trt"] == trt for trt in (0, 1)}

        def contrast(estimate):
            one, other = (
                estimate(data["time"][at], data["status"][at], data["id"][at]) for at in arms.values()
            )
            return one, other, difference(other, one)

        times = [12, 24, 48]
        survival = contrast(lambda time, event, eye: kaplan_meier(time, event, cluster=eye).at(times))
        restricted = contrast(lambda time, event, eye: rmst(time, event, 48, cluster=eye))
        ours = {
            "survival": np.array([survival[0].estimate, survival[1].estimate]),
            "survival_difference.se": survival[2].se,
            "rmst_difference": restricted[2].estimate,
            "rmst_difference.se": restricted[2].se,
        }
        assert_agrees(ours, {key: expected[key] for key in ours})

    @pytest.mark.parametrize("name", ["all", "sex0", "sex1", "late"])
    def test_competing_risks_with_ties(self, survival_reference, assert_agrees, name):
        data, expected = survival_reference("mgus2")
        rows = (
            data["female"] == int(name[-1])
            if name.startswith("sex")
            else np.ones(len(data["id"]), dtype=bool)
        )
        entry = 12 * data["age"][rows] if name == "late" else None
        exit_time = data["time"][rows] + (0 if entry is None else entry)
        times = 12 * np.array([60, 70, 80, 90]) if name == "late" else np.array([12, 60, 120, 240])
        curve = cumulative_incidence(
            exit_time, data["cause"][rows], entry=entry, cluster=data["id"][rows] // 3
        )
        at, lost = occupation_at(curve, times), time_in_state(curve, times)
        # R counts everybody in n.risk of the initial state; those who left are at risk of nothing.
        number = np.column_stack([numbers_at_risk(exit_time, times, start=entry)] + 2 * [np.zeros(4)])
        ours = {
            "pstate": at.estimate,
            "n_risk": number,
            "se_subject": np.sqrt((at.influence**2).sum(axis=0)),
            "se_family": at.se,
            "vcov_family": at.vcov,
            "sojourn": lost.estimate,
            "sojourn_se_family": lost.se,
        }
        ours = {f"{name}.{key}": value for key, value in ours.items()}
        assert_agrees(ours, {key: expected[key] for key in ours})
        np.testing.assert_array_equal(curve.at_risk(times)[:, 0], number[:, 0])

    def test_whole_incidence_curve(self, survival_reference, assert_agrees):
        data, expected = survival_reference("mgus2")
        curve = cumulative_incidence(data["time"], data["cause"])
        ours = {
            "curve.time": curve.time[1:],
            "curve.pstate": curve.prob[1:],
            "curve.se": occupation_curve(curve).se[1:],
        }
        assert_agrees(ours, {key: value for key, value in expected.items() if key.startswith("curve")})

    def test_survival_with_late_entry(self, survival_reference, assert_agrees):
        data, expected = survival_reference("mgus2")
        entry = 12 * data["age"]
        curve = kaplan_meier(entry + data["time"], data["cause"] > 0, entry=entry, cluster=data["id"] // 3)
        times = 12 * np.array([60, 70, 80, 90])
        at = curve.at(times)
        limits, median = at.interval(kind="log-log"), curve.quantile()
        ours = {
            "late_km.survival": at.estimate,
            "late_km.se": at.se,
            "late_km.limits": np.column_stack([limits.low, limits.high]),
            "late_km.median": [median.value, median.low, median.high],
        }
        assert_agrees(ours, {key: expected[key] for key in ours})

    def test_survival_of_transplanted_who_enter_late(self, survival_reference, assert_agrees):
        data, expected = survival_reference("heart")
        rows = data["transplant"] == 1
        curve = kaplan_meier(data["stop"][rows], data["event"][rows], entry=data["start"][rows])
        ours = {"km.time": curve.time[1:], "km.survival": curve.survival[1:], "km.n_risk": curve.n_risk}
        assert_agrees(ours, {key: expected[key] for key in ours})


class TestMedian:
    """Conventions of R `quantile.survfit`, worked by hand."""

    @pytest.mark.parametrize(
        ("time", "event", "median"),
        [
            ([1, 2, 3], [1, 1, 1], 2),
            ([1, 2, 3, 4], [1, 1, 1, 1], 2.5),
            ([1, 2, 3, 4], [1, 1, 0, 0], 3.0),
            ([1, 2, 3, 4], [1, 0, 0, 0], float("nan")),
            ([1, 2, 2, 7, 9, 9], [1, 1, 1, 0, 1, 1], 5.5),
        ],
    )
    def test_midpoint_of_a_level_stretch(self, time, event, median):
        np.testing.assert_equal(kaplan_meier(time, event).quantile().value, median)

    def test_limits_are_those_of_the_curve(self):
        curve = kaplan_meier(np.arange(1, 41), np.ones(40))
        median = curve.quantile()
        assert median.low == curve.time[np.flatnonzero(curve.low <= 0.5)[0]]
        assert median.high == curve.time[np.flatnonzero(curve.high <= 0.5)[0]]

    def test_share_outside_refused(self):
        with pytest.raises(ModelError, match="share between 0 and 1"):
            kaplan_meier([1, 2], [1, 1]).quantile(1.0)


class TestCollapses:
    def test_one_cause_is_kaplan_meier(self):
        generator = np.random.default_rng(1)
        time, event = generator.integers(1, 15, 50), generator.integers(0, 2, 50)
        incidence = occupation_at(cumulative_incidence(time, event, cluster=np.arange(50) // 2), [3, 8])
        survival = kaplan_meier(time, event, cluster=np.arange(50) // 2).at([3, 8])
        np.testing.assert_allclose(1 - incidence.estimate[1::2], survival.estimate, rtol=1e-12)
        np.testing.assert_allclose(incidence.se[1::2], survival.se, rtol=1e-12)

    def test_restricted_mean_without_censoring_is_a_mean(self):
        time = np.random.default_rng(2).integers(1, 30, 60)
        restricted = rmst(time, np.ones(60), 12)
        kept = np.minimum(time, 12)
        np.testing.assert_allclose(restricted.estimate, kept.mean(), rtol=1e-12)
        np.testing.assert_allclose(restricted.se, kept.std() / np.sqrt(60), rtol=1e-10)

    def test_late_entry_at_the_origin_is_no_late_entry(self):
        time, event = np.arange(1, 9), [1, 0, 1, 1, 0, 1, 0, 1]
        one, other = kaplan_meier(time, event), kaplan_meier(time, event, entry=np.zeros(8))
        np.testing.assert_array_equal(one.survival, other.survival)
        np.testing.assert_array_equal(one.se, other.se)


class TestDegenerate:
    def test_event_on_the_day_of_origin_counts(self):
        curve = kaplan_meier([0, 0, 3, 4], [1, 0, 1, 1])
        np.testing.assert_allclose(curve.at([0, 3]).estimate, [0.75, 0.375])
        np.testing.assert_allclose(rmst([0, 2], [1, 1], 2).estimate, 1.0)

    def test_no_event(self):
        curve = kaplan_meier([1, 2, 3], [0, 0, 0])
        assert curve.survival.tolist() == [1.0] and np.isnan(curve.quantile().value)
        assert rmst([1, 2, 3], [0, 0, 0], 3).estimate.tolist() == [3.0]

    def test_everyone_at_once(self):
        curve = kaplan_meier([5, 5, 5], [1, 1, 1])
        assert curve.survival.tolist() == [1.0, 0.0]
        assert np.isnan(curve.low).all() and curve.quantile().value == 5

    def test_one_child(self):
        curve = kaplan_meier([1], [1])
        assert curve.survival.tolist() == [1.0, 0.0] and np.isnan(curve.se).all()

    def test_cause_nobody_has(self):
        curve = cumulative_incidence([1, 2, 3], [1, 0, 3], n_causes=4)
        assert curve.prob.shape[1] == 5 and (curve.prob[:, [2, 4]] == 0).all()
        assert (occupation_at(curve, [3]).se[[2, 4]] == 0).all()

    @pytest.mark.parametrize(
        ("call", "message"),
        [
            (lambda: kaplan_meier([1, -2], [1, 1]), "row 1 .*must not be negative"),
            (lambda: kaplan_meier([1, 2], [1, 3]), "row 1 .*event must be"),
            (lambda: kaplan_meier([1, np.nan], [1, 1]), "row 1 .*time is missing"),
            (lambda: kaplan_meier([], []), "no row to analyse"),
            (lambda: kaplan_meier([1, 2], [1, 1], entry=[0, 2]), "row 1 .*start must be before stop"),
            (lambda: kaplan_meier([1, 2], [1, 1], interval="cubic"), "not known"),
            (lambda: kaplan_meier([1, 2], [1, 1], level=95), "between 0 and 1"),
            (lambda: cumulative_incidence([1, 2], [1, 4], n_causes=3), "row 1 .*cause must be"),
            (lambda: cumulative_incidence([1, 2], [1, 0.5]), "row 1 .*cause must be"),
            (lambda: rmst([1, 2], [1, 1], -1), "before the origin"),
        ],
    )
    def test_refused(self, call, message):
        with pytest.raises(ModelError, match=message):
            call()

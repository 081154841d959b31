"""Multi-state curves: agreement with R `survival`, a second implementation by loops, collapses, bad input."""

import numpy as np
import pytest

from analysis.errors import ModelError
from analysis.stats import product_integral
from analysis.stats.at_risk import numbers_at_risk
from analysis.stats.multistate import aalen_johansen, occupation_at, occupation_curve, time_in_state

BILIRUBIN = ("start", "stop", "source", "target")


class TestAgainstR:
    @pytest.mark.parametrize("name", ["estimated", "fixed", "weighted", "late"])
    def test_reversible_states(self, survival_reference, assert_agrees, name):
        times = [1000, 2000, 4000] if name == "late" else [200, 1000, 2000, 4000]
        data, expected = survival_reference("pbcseq")
        rows = np.ones(len(data["id"]), dtype=bool)
        if name == "late":
            rows = np.array([np.sum(data["id"][:i] == each) > 1 for i, each in enumerate(data["id"])])
        occupation = aalen_johansen(
            data["id"][rows],
            *(data[column][rows] for column in BILIRUBIN),
            6,
            initial=[0.25, 0.25, 0.25, 0.25, 0, 0] if name == "fixed" else None,
            cluster=data["id"][rows] % 40,
            weights=1 + (data["id"][rows] % 4) / 3 if name == "weighted" else None,
        )
        probability, sojourn = occupation_at(occupation, times), time_in_state(occupation, times)
        ours = {
            f"{name}.initial": occupation.prob[0],
            f"{name}.pstate": probability.estimate,
            f"{name}.sojourn": sojourn.estimate,
            f"{name}.se_subject": np.sqrt((probability.influence**2).sum(axis=0)),
            f"{name}.se_site": probability.se,
            f"{name}.sojourn_se_site": sojourn.se,
        }
        assert_agrees(ours, {key: expected[key] for key in expected if key.startswith(name)})

    def test_number_of_infections_in_hospitals(self, survival_reference, assert_agrees):
        data, expected = survival_reference("cgd")
        source = np.minimum(data["enum"] - 1, 3)
        target = np.where(data["status"] == 1, np.minimum(data["enum"], 3), -1)
        occupation = aalen_johansen(
            data["id"], data["start"], data["stop"], source, target, 4, cluster=data["center"]
        )
        probability, sojourn = occupation_at(occupation, [100, 200, 300]), time_in_state(occupation, 300)
        ours = {
            "occupation": probability.estimate,
            "occupation.se_center": probability.se,
            "sojourn": sojourn.estimate,
            "sojourn.se_center": sojourn.se,
        }
        assert_agrees(ours, {key: expected[key] for key in expected if not key.startswith("cox")})

    def test_waiting_transplanted_dead(self, survival_reference, assert_agrees):
        data, expected = survival_reference("heart")
        last = np.append(data["id"][1:] != data["id"][:-1], True)
        target = np.where(data["event"] == 1, 2, np.where(last, -1, 1))
        occupation = aalen_johansen(data["id"], data["start"], data["stop"], data["transplant"], target, 3)
        times = [30, 100, 365, 1000]
        probability, sojourn = occupation_at(occupation, times), time_in_state(occupation, times)
        ours = {
            "occupation": probability.estimate,
            "occupation.se": probability.se,
            "sojourn": sojourn.estimate,
            "sojourn.se": sojourn.se,
        }
        assert_agrees(ours, {key: expected[key] for key in ours})


def histories(seed: int, *, n: int = 25, n_states: int = 3, late: bool = True) -> dict:
    """Random histories with ties, returns, gaps and delayed entry; state n_states - 1 absorbs."""
    generator = np.random.default_rng(seed)
    rows = []
    for subject in range(n):
        now, state = int(generator.integers(0, 4)) if late else 0, int(generator.integers(0, n_states - 1))
        for _ in range(generator.integers(1, 5)):
            stop = now + int(generator.integers(1, 5))
            target = int(generator.integers(-1, n_states))
            rows.append((subject, now, stop, state, target, subject // 2, 1 + subject % 3))
            state, now = (state if target < 0 else target), stop + int(late and generator.random() < 0.1)
            if state == n_states - 1:
                break
    names = ("subject", "start", "stop", "source", "target", "cluster", "weights")
    return dict(zip(names, np.array(rows).T, strict=True)) | {"n_states": n_states}


def loops(sample: dict, time: float, *, fixed: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Occupation probabilities and their influence, carried forwards one event time and one row at a time."""
    source, target, weights = sample["source"], sample["target"], sample["weights"].astype(float)
    target = np.where(target < 0, source, target)
    moved = target != source
    size, subjects = sample["n_states"], np.unique(sample["subject"])
    first = sample["stop"][moved].min()
    there = (sample["start"] < first) & (sample["stop"] >= first)
    p = np.zeros(size)
    influence = np.zeros((len(subjects), size))
    for row in np.flatnonzero(there):
        p[source[row]] += weights[row] / weights[there].sum()
    for row in np.flatnonzero(there):
        influence[sample["subject"][row]] += (
            weights[row] * (np.eye(size)[source[row]] - p) / weights[there].sum()
        )
    if fixed is not None:
        p, influence = fixed.astype(float), 0 * influence
    for event in np.unique(sample["stop"][moved & (sample["stop"] <= time)]):
        at_risk = (sample["start"] < event) & (event <= sample["stop"])
        number = np.array([weights[at_risk & (source == state)].sum() for state in range(size)])
        arrives = np.where(at_risk & moved & (sample["stop"] == event), target, source)
        step = np.eye(size)
        for row in np.flatnonzero(at_risk):
            step[source[row]] += (
                weights[row] / number[source[row]] * (np.eye(size)[arrives[row]] - np.eye(size)[source[row]])
            )
        influence = influence @ step
        for row in np.flatnonzero(at_risk):
            a = source[row]
            influence[sample["subject"][row]] += (
                weights[row] * p[a] / number[a] * (np.eye(size)[arrives[row]] - step[a])
            )
        p = p @ step
    return p, influence


class TestSecondImplementation:
    @pytest.mark.parametrize("seed", range(6))
    def test_probability_and_influence(self, seed):
        sample = histories(seed)
        occupation = aalen_johansen(**sample)
        for time in (0, 1, 3, 6, 20):
            p, influence = loops(sample, time)
            np.testing.assert_allclose(occupation.at([time])[0], p, rtol=1e-12, atol=1e-14)
            np.testing.assert_allclose(occupation.influence([time]), influence, rtol=1e-10, atol=1e-13)

    def test_fixed_initial_probabilities(self):
        sample, fixed = histories(9), np.array([0.3, 0.7, 0.0])
        occupation = aalen_johansen(**sample, initial=fixed)
        p, influence = loops(sample, 5, fixed=fixed)
        np.testing.assert_allclose(occupation.at([5])[0], p, rtol=1e-12)
        np.testing.assert_allclose(occupation.influence([5]), influence, rtol=1e-10, atol=1e-13)

    def test_time_in_state_is_the_sum_of_days(self):
        sample = histories(3)
        occupation = aalen_johansen(**sample)
        days = [loops(sample, day) for day in range(9)]
        sojourn = time_in_state(occupation, 9)
        np.testing.assert_allclose(sojourn.estimate, np.sum([p for p, _ in days], axis=0), rtol=1e-12)
        np.testing.assert_allclose(
            sojourn.influence, np.sum([each for _, each in days], axis=0), rtol=1e-10, atol=1e-13
        )

    def test_influence_is_the_derivative_in_the_weight(self):
        sample, step = histories(4), 1e-6
        sample["weights"] = sample["weights"].astype(float)
        influence = aalen_johansen(**sample).influence([4])
        for subject in (0, 7):
            own = sample["subject"] == subject
            ends = []
            for sign in (1, -1):
                weights = np.where(own, sample["weights"] * (1 + sign * step), sample["weights"])
                ends.append(aalen_johansen(**sample | {"weights": weights}).at([4])[0])
            np.testing.assert_allclose(
                influence[subject], (ends[0] - ends[1]) / (2 * step), rtol=1e-6, atol=1e-9
            )

    def test_curve_standard_errors_are_those_of_its_times(self):
        occupation = aalen_johansen(**histories(5))
        expected = occupation_at(occupation, occupation.time).se.reshape(-1, 3)
        curve = occupation_curve(occupation, kind="plain")
        np.testing.assert_allclose(curve.se, expected, rtol=1e-10, atol=1e-14)

    @pytest.mark.parametrize("share", [0.0, 1e9])
    @pytest.mark.parametrize("seed", range(4))
    def test_curve_standard_errors_by_kinds_of_rows_and_by_clusters(self, monkeypatch, seed, share):
        monkeypatch.setattr(product_integral, "FEW", share)
        occupation = aalen_johansen(**histories(seed, late=seed % 2 == 0))
        expected = occupation_at(occupation, occupation.time).se.reshape(-1, 3)
        np.testing.assert_allclose(occupation_curve(occupation).se, expected, rtol=1e-8, atol=1e-9)

    def test_many_clusters_are_carried_by_kinds_of_rows(self):
        generator = np.random.default_rng(0)
        n = 3000
        stop, target = generator.integers(1, 12, n), generator.integers(-1, 4, n)
        target[target == 0] = -1
        family = generator.integers(0, 1800, n)
        occupation = aalen_johansen(range(n), np.zeros(n), stop, np.zeros(n), target, 4, cluster=family)
        expected = occupation_at(occupation, occupation.time).se.reshape(-1, 4)
        np.testing.assert_allclose(occupation_curve(occupation).se, expected, rtol=1e-9, atol=1e-15)


class TestCollapses:
    def test_without_censoring_it_is_the_share_in_each_state(self):
        generator = np.random.default_rng(2)
        state = np.array([0] * 40)
        rows = []
        for day in range(6):
            target = np.where(generator.random(40) < 0.4, generator.integers(0, 3, 40), state)
            rows += [(i, day, day + 1, state[i], target[i]) for i in range(40)]
            state = target
        occupation = aalen_johansen(*np.array(rows).T, 3)
        share = np.bincount(state, minlength=3) / 40
        at = occupation_at(occupation, [6])
        np.testing.assert_allclose(at.estimate, share, rtol=1e-12)
        np.testing.assert_allclose(at.se, np.sqrt(share * (1 - share) / 40), rtol=1e-10)

    def test_continuing_rows_change_nothing(self):
        sample = histories(6)
        middle = (sample["start"] + sample["stop"]) / 2
        halves = {key: np.concatenate([value, value]) for key, value in sample.items() if key != "n_states"}
        halves["stop"] = np.concatenate([middle, sample["stop"]])
        halves["start"] = np.concatenate([sample["start"], middle])
        for onward in (np.full(len(middle), -1), sample["source"]):
            halves["target"] = np.concatenate([onward, sample["target"]])
            split, whole = aalen_johansen(**halves, n_states=3), aalen_johansen(**sample)
            np.testing.assert_array_equal(split.time, whole.time)
            np.testing.assert_allclose(split.influence([5]), whole.influence([5]), rtol=1e-10, atol=1e-14)

    def test_unused_state_stays_empty(self):
        sample = histories(7)
        more = aalen_johansen(**sample | {"n_states": 5})
        np.testing.assert_allclose(more.prob[:, :3], aalen_johansen(**sample).prob, rtol=1e-13)
        assert (more.prob[:, 3:] == 0).all()
        assert (occupation_at(more, [5]).se[3:] == 0).all()

    def test_renaming_states_permutes_the_answer(self):
        sample, new = histories(8), np.array([2, 0, 1])
        renamed = sample | {
            "source": new[sample["source"]],
            "target": np.where(sample["target"] < 0, -1, new[sample["target"]]),
        }
        one, other = time_in_state(aalen_johansen(**sample), 8), time_in_state(aalen_johansen(**renamed), 8)
        np.testing.assert_allclose(other.estimate[new], one.estimate, rtol=1e-12)
        np.testing.assert_allclose(other.se[new], one.se, rtol=1e-10)

    def test_numbers_at_risk_follow_the_spells(self):
        sample = histories(1)
        occupation = aalen_johansen(**sample)
        for time in (1, 2, 5):
            expected = [
                numbers_at_risk(sample["stop"][rows], [time], start=sample["start"][rows])[0]
                for rows in (sample["source"] == state for state in range(3))
            ]
            assert occupation.at_risk([time])[0].tolist() == expected
        everyone = histories(1, late=False)
        assert aalen_johansen(**everyone).at_risk([0]).sum() == 25

    def test_nobody_is_at_risk_before_the_first_is_observed(self):
        sample = histories(1)
        late = {**sample, "start": sample["start"] + 5.0, "stop": sample["stop"] + 5.0}
        first = late["start"].min()
        number = aalen_johansen(**late).at_risk([0.0, first - 1e-9, first]).sum(axis=1)
        assert number.tolist() == [0, 0, (late["start"] == first).sum()]


class TestDegenerate:
    def test_nobody_moves(self):
        occupation = aalen_johansen(["a", "b", "c"], [0, 0, 0], [1, 2, 3], [0, 0, 1], [-1, -1, -1], 2)
        np.testing.assert_allclose(occupation.at([0, 2, 9]), np.tile([2 / 3, 1 / 3], (3, 1)))
        assert "nobody changes state" in occupation.notes[0]
        np.testing.assert_allclose(time_in_state(occupation, 3).estimate, [2, 1])

    def test_nobody_moves_among_many(self):
        n = 40
        occupation = aalen_johansen(range(n), [0] * n, [1] * n, [0, 1] * (n // 2), [-1] * n, 2)
        np.testing.assert_allclose(occupation_curve(occupation).se, [[0.5 / np.sqrt(n)] * 2], rtol=1e-12)

    def test_one_subject_has_no_standard_error(self):
        occupation = aalen_johansen(["x"], [0], [1], [0], [1], 2)
        at = occupation_at(occupation, [0, 1])
        assert at.estimate.tolist() == [1, 0, 0, 1] and np.isnan(at.se).all()

    def test_one_family_has_no_standard_error(self):
        occupation = aalen_johansen(**histories(2) | {"cluster": ["f"] * len(histories(2)["start"])})
        assert np.isnan(occupation_at(occupation, [3]).se).all()
        assert np.isnan(occupation_curve(occupation).se).all()

    def test_everything_in_one_day(self):
        occupation = aalen_johansen(range(4), [0] * 4, [1] * 4, [0] * 4, [1, 1, 2, -1], 3)
        np.testing.assert_allclose(occupation.at([1]), [[0.25, 0.5, 0.25]])
        assert occupation.time.tolist() == [0, 1]

    def test_all_leave_by_several_ways_leaves_exactly_nobody(self):
        n = 49
        occupation = aalen_johansen(range(n), [0] * n, [1] * n, [0] * n, 1 + np.arange(n) % 3, 4)
        assert occupation.at([1])[0, 0] == 0.0

    def test_later_than_the_last_observation_is_noted(self):
        occupation = aalen_johansen(**histories(2))
        assert not time_in_state(occupation, occupation.last).notes
        assert "after the last observation" in time_in_state(occupation, occupation.last + 1).notes[0]

    def test_before_the_origin_is_refused(self):
        with pytest.raises(ModelError, match="before the origin"):
            occupation_at(aalen_johansen(**histories(2)), [-1])

    @pytest.mark.parametrize(
        ("rows", "message"),
        [
            ([("a", 0, 5, 0, 1), ("b", 3, 3, 0, 1)], "row 1 .*start must be before stop"),
            ([("a", 0, 5, 0, -1), ("b", 0, 1, 0, 1), ("a", 4, 6, 0, 1)], "row 2 .*overlaps"),
            ([("a", 5, 6, 0, -1), ("a", 0, 5, 0, 1)], "row 0 .*its source is not the state"),
            ([("a", 0, 5, 0, -1), ("a", 5, 6, 1, 0)], "row 1 .*its source is not the state"),
            ([("a", 0, 5, 0, 2)], "row 0 .*target must be a whole number from -1 to 1"),
            ([("a", 0, 5, -1, 1)], "row 0 .*source must be a whole number from 0 to 1"),
            ([("a", 0, float("nan"), 0, 1)], "row 0 .*stop is missing"),
            ([(None, 0, 5, 0, 1)], "row 0 .*subject label is missing"),
            ([], "no row to analyse"),
        ],
    )
    def test_refused(self, rows, message):
        columns = list(zip(*rows, strict=True)) if rows else [()] * 5
        with pytest.raises(ModelError, match=message):
            aalen_johansen(*columns, 2)

    def test_subject_in_two_clusters_is_refused(self):
        with pytest.raises(ModelError, match="row 1 .*one cluster"):
            aalen_johansen("aa", [0, 1], [1, 2], [0, 1], [1, 0], 2, cluster=["f", "g"])

    @pytest.mark.parametrize("initial", [[0.5, 0.2], [1.5, -0.5]])
    def test_initial_must_be_a_probability(self, initial):
        with pytest.raises(ModelError, match="initial must hold"):
            aalen_johansen(["a"], [0], [1], [0], [1], 2, initial=initial)

    def test_gap_in_observation_is_allowed(self):
        occupation = aalen_johansen("aab", [0, 5, 0], [2, 9, 9], [0, 1, 0], [-1, 0, 1], 2)
        assert occupation.at_risk([3, 6]).tolist() == [[1, 0], [1, 1]]

"""Recurrent events: agreement with R, a second implementation by loops, collapses, degenerate input."""

from pathlib import Path

import numpy as np
import pytest

from analysis.errors import ModelError
from analysis.stats import recurrent
from analysis.stats.competing import kaplan_meier
from analysis.stats.influence import difference
from analysis.stats.pwp import pwp
from analysis.stats.ratios import log_ratio
from analysis.stats.recurrent import lwyy, mean_cumulative, mean_curve

REFERENCE = Path(__file__).parents[2] / "reference"
TIMES = [3, 12, 24, 48]
HISTORY = ("id", "start", "stop", "event")


def spread(linear) -> np.ndarray:
    return np.sqrt((linear.influence**2).sum(axis=0))


class TestAgainstR:
    def mean(self, data, rows=slice(None), *, weights=None, death=True):
        return mean_cumulative(
            *(data[column][rows] for column in HISTORY),
            terminal=data["death"][rows] if death else None,
            cluster=data["id"][rows] % 30,
            weights=weights,
        ).at(TIMES)

    def test_mean_number_until_death(self, survival_reference, assert_agrees):
        data, expected = survival_reference("bladder1")
        later = np.append(False, data["id"][1:] == data["id"][:-1])
        samples = {f"arm{arm}": self.mean(data, data["arm"] == arm) for arm in range(3)}
        samples |= {"all": self.mean(data), "late": self.mean(data, later)}
        samples["weighted"] = self.mean(data, weights=1 + (data["id"] % 4) / 3)
        ours = {}
        for name, linear in samples.items():
            ours |= {f"{name}.mean": linear.estimate, f"{name}.se_pair": linear.se}
            ours[f"{name}.se_patient"] = spread(linear)
        contrasts = {"difference": difference, "log_ratio": log_ratio}
        for name, contrast in contrasts.items():
            linear = contrast(samples["arm2"], samples["arm0"])
            ours |= {name: linear.estimate, f"{name}.se_pair": linear.se}
        assert_agrees(
            ours, {key: expected[key] for key in expected if key.split(".")[0] in {*samples, *contrasts}}
        )

    def test_mean_number_without_terminal_event(self, survival_reference, assert_agrees):
        data, expected = survival_reference("bladder1")
        linear = self.mean(data, death=False)
        ours = {f"no_death.{unit}.mean": linear.estimate for unit in ("id", "pair")}
        ours |= {"no_death.id.se": spread(linear), "no_death.pair.se": linear.se}
        assert_agrees(ours, {key: expected[key] for key in expected if key.startswith("no_death")})

    @pytest.mark.parametrize("ties", ["efron", "breslow"])
    def test_rate_ratios_and_next_events(self, survival_reference, assert_agrees, ties):
        data, expected = survival_reference("bladder1")
        X = np.column_stack([data["arm"] == 2, data["arm"] == 1, data["number"]])
        rows = (*(data[column] for column in HISTORY), X)
        pair, large = data["id"] % 30, data["size"] > 1
        fits = {
            "rate": lwyy(*rows, ties=ties),
            "rate_pair": lwyy(*rows, cluster=pair, strata=large, ties=ties),
            "total": pwp(*rows, most=4, cluster=pair, strata=large, ties=ties),
            "gap": pwp(*rows, clock="gap", most=4, ties=ties),
        }
        ours = {f"{name}.{ties}.coef": fit.coef for name, fit in fits.items()}
        ours |= {f"{name}.{ties}.vcov_robust": fit.vcov_robust for name, fit in fits.items()}
        assert_agrees(ours, {key: expected[key] for key in expected if f".{ties}." in key})

    def test_infections_in_hospitals(self, survival_reference, assert_agrees):
        data, expected = survival_reference("cgd")
        rows = data["id"], data["start"], data["stop"], data["status"]
        fit = lwyy(*rows, np.column_stack([data["treat"], data["age"]]), cluster=data["center"])
        ours = {"cox.coef": fit.coef, "cox.vcov_robust": fit.vcov_robust, "cox.dfbeta": fit.influence}
        assert_agrees(ours, {key: expected[key] for key in ours})

    def test_published_ratios(self, survival_reference):
        data, _ = survival_reference("bladder2")
        X = np.column_stack([data["rx"], data["size"], data["number"]])
        rows = (*(data[column] for column in HISTORY), X)
        rate = lwyy(*rows, ties="breslow")
        fits = [rate, pwp(*rows, ties="breslow"), pwp(*rows, clock="gap", ties="breslow")]
        ours = [*(np.exp(fit.coef[0]) for fit in fits), np.sqrt(rate.vcov_robust[0, 0])]
        file = REFERENCE / "surv_bladder2" / "published.csv"
        published = np.genfromtxt(file, delimiter=",", skip_header=1)[:, 1]
        assert np.round(ours, 3).tolist() == published.tolist()


def histories(seed: int, *, n: int = 25, ends: float = 0.3) -> dict:
    """Random histories with ties, gaps, delayed entry, two events on a day, and deaths."""
    generator, rows = np.random.default_rng(seed), []
    for subject in range(n):
        now = int(generator.integers(0, 3))
        for _ in range(generator.integers(1, 6)):
            stop, dies = now + int(generator.integers(1, 4)), generator.random() < ends
            rows.append(
                (subject, now, stop, generator.choice([0, 1, 1, 2]), dies, subject // 2, 1 + subject % 3)
            )
            now = stop + int(generator.random() < 0.2)
            if dies:
                break
    names = ("subject", "start", "stop", "event", "terminal", "cluster", "weights")
    return dict(zip(names, np.array(rows).T, strict=True))


def loops(sample: dict, time: float) -> tuple[float, np.ndarray]:
    """Mean number and its influence from the formulae of Ghosh and Lin, one time and one row at a time.

    The survival probability's influence is carried along: dS_k = dS_{k-1} (1 - q_k) - S_{k-1} dq_k.
    """
    subjects, weights = np.unique(sample["subject"]), sample["weights"].astype(float)
    mean, alive = 0.0, 1.0
    d_mean, d_alive = np.zeros(len(subjects)), np.zeros(len(subjects))
    for day in np.unique(sample["stop"][sample["stop"] <= time]):
        rows = np.flatnonzero((sample["start"] < day) & (day <= sample["stop"]))
        number = weights[rows].sum()
        here = sample["stop"][rows] == day
        rate = (weights[rows] * sample["event"][rows] * here).sum() / number
        risk = (weights[rows] * sample["terminal"][rows] * here).sum() / number
        d_rate, d_risk = np.zeros(len(subjects)), np.zeros(len(subjects))
        for row, today in zip(rows, here, strict=True):
            d_rate[sample["subject"][row]] += weights[row] * (sample["event"][row] * today - rate) / number
            d_risk[sample["subject"][row]] += weights[row] * (sample["terminal"][row] * today - risk) / number
        mean += alive * rate
        d_mean = d_mean + d_alive * rate + alive * d_rate
        d_alive = d_alive * (1 - risk) - alive * d_risk
        alive *= 1 - risk
    return mean, d_mean


def without(sample: dict, *names: str) -> dict:
    return {name: column for name, column in sample.items() if name not in names}


class TestSecondImplementation:
    @pytest.mark.parametrize("seed", range(8))
    def test_mean_number_and_influence(self, seed):
        sample = histories(seed)
        estimate = mean_cumulative(**sample)
        for time in (0, 1, 3, 6, 20):
            mean, influence = loops(sample, time)
            linear = estimate.at([time])
            np.testing.assert_allclose(linear.estimate, [mean], rtol=1e-12, atol=1e-14)
            np.testing.assert_allclose(linear.influence[:, 0], influence, rtol=1e-10, atol=1e-13)

    @pytest.mark.parametrize("seed", range(3))
    def test_influence_is_the_derivative_in_the_weight(self, seed):
        sample, step = histories(seed), 1e-6
        sample["weights"] = sample["weights"].astype(float)
        influence = mean_cumulative(**sample).at([3, 9]).influence
        for subject in range(0, 25, 4):
            own, ends = sample["subject"] == subject, []
            for sign in (1, -1):
                weights = np.where(own, sample["weights"] * (1 + sign * step), sample["weights"])
                ends.append(mean_cumulative(**sample | {"weights": weights}).at([3, 9]).estimate)
            derivative = (ends[0] - ends[1]) / (2 * step)
            np.testing.assert_allclose(influence[subject], derivative, rtol=1e-6, atol=1e-8)

    def test_curve_is_made_of_its_times(self, monkeypatch):
        estimate = mean_cumulative(**histories(5))
        curve, linear = mean_curve(estimate, level=0.9), estimate.at(estimate.time)
        np.testing.assert_array_equal(curve.mean, linear.estimate)
        np.testing.assert_allclose(curve.se, linear.se, rtol=1e-12)
        some = curve.mean > 0
        factor = np.exp(1.6448536269514722 * curve.se[some] / curve.mean[some])
        np.testing.assert_allclose(curve.low[some], curve.mean[some] / factor, rtol=1e-12)
        np.testing.assert_allclose(curve.high[some], curve.mean[some] * factor, rtol=1e-12)
        assert np.isnan(curve.low[~some]).all()
        monkeypatch.setattr(recurrent, "CHUNK", 1)
        np.testing.assert_allclose(mean_curve(estimate).se, curve.se, rtol=1e-12)

    def test_jackknife_of_families_is_close(self):
        sample = histories(6, n=400, ends=0.15)
        families = np.unique(sample["cluster"])
        left_out = np.array(
            [
                mean_cumulative(**{key: value[sample["cluster"] != each] for key, value in sample.items()})
                .at([6])
                .estimate
                for each in families
            ]
        )
        slow = np.sqrt((1 - 1 / len(families)) * ((left_out - left_out.mean()) ** 2).sum())
        np.testing.assert_allclose(mean_cumulative(**sample).at([6]).se, slow, rtol=0.02)


class TestCollapses:
    def test_everybody_followed_to_the_end(self):
        """Without censoring it is the mean of the numbers counted, with the standard error of a mean."""
        generator, rows = np.random.default_rng(3), []
        for subject in range(60):
            stops = np.unique(np.append(generator.integers(1, 10, generator.integers(0, 5)), 10))
            length = generator.integers(1, 11)
            for start, stop in zip([0, *stops], stops, strict=False):
                dies = stop >= length and length < 10
                rows.append((subject, start, stop, stop < 10, dies))
                if dies:
                    break
        subject, start, stop, event, terminal = np.array(rows).T
        linear = mean_cumulative(subject, start, stop, event, terminal=terminal).at([4, 9])
        counts = np.array(
            [np.bincount(subject[(event == 1) & (stop <= time)], minlength=60) for time in (4, 9)]
        )
        np.testing.assert_allclose(linear.estimate, counts.mean(axis=1), rtol=1e-12)
        np.testing.assert_allclose(linear.se, counts.std(axis=1) / np.sqrt(60), rtol=1e-10)

    @pytest.mark.parametrize("seed", range(4))
    def test_a_first_event_that_ends_histories_is_incidence(self, seed):
        generator = np.random.default_rng(seed)
        time, event = generator.integers(1, 9, 40), generator.integers(0, 2, 40)
        cluster = np.arange(40) // 2
        estimate = mean_cumulative(range(40), np.zeros(40), time, event, terminal=event, cluster=cluster)
        survival = kaplan_meier(time, event, cluster=cluster)
        linear = estimate.at([2, 5, 8])
        np.testing.assert_allclose(linear.estimate, 1 - survival.at([2, 5, 8]).estimate, rtol=1e-12)
        np.testing.assert_allclose(linear.se, survival.at([2, 5, 8]).se, rtol=1e-10, atol=1e-15)
        np.testing.assert_allclose(estimate.survival, survival.survival, rtol=1e-13)

    def test_splitting_rows_and_their_order_change_nothing(self):
        sample = histories(7)
        middle = (sample["start"] + sample["stop"]) / 2
        halves = {key: np.concatenate([value, value]) for key, value in sample.items()}
        halves["stop"] = np.concatenate([middle, sample["stop"]])
        halves["start"] = np.concatenate([sample["start"], middle])
        for column in ("event", "terminal"):
            halves[column] = np.concatenate([0 * sample[column], sample[column]])
        order = np.random.default_rng(0).permutation(len(middle) * 2)
        split = mean_cumulative(**{key: value[order] for key, value in halves.items()}).at([2, 6])
        whole = mean_cumulative(**sample).at([2, 6])
        np.testing.assert_allclose(split.estimate, whole.estimate, rtol=1e-12)
        np.testing.assert_allclose(split.influence, whole.influence, rtol=1e-9, atol=1e-14)

    def test_names_do_not_matter(self):
        sample = histories(8)
        names = {label: (index * 7919) % 104729 for index, label in enumerate(np.unique(sample["subject"]))}
        renamed = sample | {"subject": [(names[label], "x") for label in sample["subject"]]}
        np.testing.assert_allclose(
            mean_cumulative(**renamed).at([5]).se, mean_cumulative(**sample).at([5]).se, rtol=1e-12
        )

    def test_next_events_in_any_order_of_rows_and_split(self):
        """The number of earlier events does not come from the place of a row in the table."""
        sample = histories(9, n=80, ends=0.05)
        sample["event"] = np.minimum(sample["event"], 1)
        arm = sample["subject"] % 2
        rows = without(sample, "terminal", "weights")
        for clock in ("total", "gap"):
            one = pwp(**rows, X=arm, clock=clock, most=3)
            order = np.random.default_rng(1).permutation(len(arm))
            moved = {key: value[order] for key, value in rows.items()}
            np.testing.assert_array_equal(pwp(**moved, X=arm[order], clock=clock, most=3).coef, one.coef)

    def test_all_next_events_in_one_stratum_are_the_rate_model(self):
        sample = histories(10, n=60)
        sample["event"] = np.minimum(sample["event"], 1)
        rows, arm = without(sample, "terminal"), sample["subject"] % 2
        one, other = pwp(**rows, X=arm, most=1), lwyy(**rows, X=arm)
        np.testing.assert_array_equal(one.coef, other.coef)
        np.testing.assert_array_equal(one.vcov_robust, other.vcov_robust)

    def test_one_binary_covariate_gives_the_ratio_of_rates(self):
        """With everybody at risk throughout, Breslow's estimate is the ratio of the numbers of events."""
        subject, day = np.divmod(np.arange(200), 5)
        event = (np.random.default_rng(4).random(200) < np.where(subject % 2, 0.6, 0.3)).astype(int)
        fit = lwyy(subject, day, day + 1, event, subject % 2, ties="breslow")
        counts = np.bincount(subject % 2, weights=event)
        np.testing.assert_allclose(np.exp(fit.coef), counts[1] / counts[0], rtol=1e-8)


class TestDegenerate:
    def test_no_event(self):
        estimate = mean_cumulative("ab", [0, 0], [2, 3], [0, 0], terminal=[0, 1])
        linear = estimate.at([0, 3])
        assert linear.estimate.tolist() == [0, 0] and linear.se.tolist() == [0, 0]
        assert "nobody has an event" in linear.notes[0]
        assert np.isnan(mean_curve(estimate).low).all()

    def test_nothing_happens(self):
        curve = mean_curve(mean_cumulative("ab", [0, 0], [2, 3], [0, 0]))
        assert curve.time.tolist() == [0] and curve.mean.tolist() == [0] and curve.se.tolist() == [0]

    def test_all_events_at_one_time(self):
        linear = mean_cumulative(range(4), [0] * 4, [2] * 4, [1, 2, 0, 0]).at([1, 2])
        np.testing.assert_allclose(linear.estimate, [0, 0.75])
        np.testing.assert_allclose(linear.se, [0, np.std([1, 2, 0, 0]) / 2])

    def test_everybody_dies_at_once(self):
        estimate = mean_cumulative("aabc", [0, 1, 0, 0], [1, 3, 3, 3], [1, 1, 0, 0], terminal=[0, 1, 1, 1])
        assert estimate.survival.tolist() == [1, 1, 0]
        np.testing.assert_allclose(estimate.at([2, 3]).estimate, [1 / 3, 2 / 3], rtol=1e-14)
        np.testing.assert_allclose(estimate.at([3]).se, np.std([2, 0, 0]) / np.sqrt(3), rtol=1e-12)

    def test_nobody_is_left_but_someone_enters_later(self):
        estimate = mean_cumulative("ab", [0, 5], [3, 9], [0, 1], terminal=[1, 0])
        assert estimate.at([9]).estimate.tolist() == [0]
        assert estimate.at([9]).influence.tolist() == [[0], [0]]

    def test_one_family_has_no_standard_error(self):
        linear = mean_cumulative(**histories(1) | {"cluster": ["f"] * len(histories(1)["stop"])}).at([3])
        assert np.isnan(linear.se).all() and np.isfinite(linear.estimate).all()

    @pytest.mark.parametrize("model", [lwyy, pwp])
    def test_models_of_one_family_and_of_no_event(self, model):
        rows = "aabb", [0, 1, 0, 2], [1, 3, 2, 4], [1, 0, 1, 1], [0, 0, 1, 1]
        fit = model(*rows, cluster=["f"] * 4)
        assert np.isnan(fit.vcov_robust).all() and "single cluster" in fit.notes[-1]
        with pytest.raises(ModelError, match="no row has an event"):
            model(*rows[:3], [0] * 4, rows[4])

    def test_ratio_to_no_event_is_not_defined(self):
        one = mean_cumulative("ab", [0, 0], [2, 3], [1, 0]).at([1, 2])
        ratio = log_ratio(one, mean_cumulative("cd", [0, 0], [2, 3], [0, 1]).at([1, 2]))
        assert np.isnan(ratio.estimate).all() and np.isnan(ratio.se).all()
        assert any("is 0 is not defined" in note for note in ratio.notes)

    def test_later_than_the_last_observation_is_noted(self):
        estimate = mean_cumulative(**histories(2))
        assert not estimate.at([estimate.last]).notes
        assert "after the last observation" in estimate.at([estimate.last + 1]).notes[0]

    @pytest.mark.parametrize("level", [0, 1])
    def test_coverage_is_refused(self, level):
        with pytest.raises(ModelError, match="level"):
            mean_curve(mean_cumulative(**histories(2)), level=level)

    def test_before_the_origin_is_refused(self):
        with pytest.raises(ModelError, match="before the origin"):
            mean_cumulative(**histories(2)).at([-1])

    @pytest.mark.parametrize(
        ("rows", "message"),
        [
            ([("a", 0, 5, 1, 0), ("b", 3, 3, 0, 0)], "row 1 .*start must be before stop"),
            ([("a", 0, 5, 0, 0), ("b", 0, 1, 0, 0), ("a", 4, 6, 1, 0)], "row 2 .*overlaps"),
            ([("a", 5, 6, 1, 0), ("b", 0, 2, 0, 0), ("a", 0, 5, 0, 1)], "row 0 .*follows the terminal event"),
            ([("a", 0, 5, 0, 1), ("a", 7, 9, 0, 0)], "row 1 .*follows the terminal event"),
            ([("a", 0, 5, -1, 0)], "row 0 .*event must be a whole number"),
            ([("a", 0, 5, 0.5, 0)], "row 0 .*event must be a whole number"),
            ([("a", 0, 5, 0, 2)], "row 0 .*terminal must be a whole number from 0 to 1"),
            ([("a", 0, float("nan"), 0, 0)], "row 0 .*stop is missing"),
            ([(None, 0, 5, 0, 0)], "row 0 .*subject label is missing"),
            ([], "no row to analyse"),
        ],
    )
    def test_refused(self, rows, message):
        *columns, terminal = list(zip(*rows, strict=True)) if rows else [()] * 5
        with pytest.raises(ModelError, match=message):
            mean_cumulative(*columns, terminal=terminal)

    def test_subject_in_two_families_is_refused(self):
        with pytest.raises(ModelError, match="row 1 .*one cluster"):
            mean_cumulative("aa", [0, 1], [1, 2], [0, 1], cluster=["f", "g"])

    @pytest.mark.parametrize("model", [lwyy, pwp])
    def test_models_refuse_the_same_rows(self, model):
        with pytest.raises(ModelError, match="row 1 .*overlaps"):
            model("aab", [0, 1, 0], [2, 3, 2], [1, 0, 1], [0, 0, 1])
        with pytest.raises(ModelError, match="row 0 .*event must be"):
            model("aab", [0, 2, 0], [2, 3, 2], [2, 0, 1], [0, 0, 1])

    @pytest.mark.parametrize(("option", "message"), [({"clock": "age"}, "'age'"), ({"most": 0}, "1 or more")])
    def test_options_are_refused(self, option, message):
        with pytest.raises(ModelError, match=message):
            pwp("ab", [0, 0], [1, 2], [1, 0], [0, 1], **option)

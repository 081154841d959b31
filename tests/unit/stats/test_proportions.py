"""Risk difference: agreement with SAS, StatXact, scipy and direct enumeration; coverage; empty cells."""

import csv
import math
from decimal import Decimal
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import barnard_exact, binom
from statsmodels.stats.proportion import test_proportions_2indep as score_test_of_statsmodels

from analysis.errors import ModelError
from analysis.stats.proportions import risk_difference

REFERENCE = Path(__file__).parents[2] / "reference" / "risk_difference"
COUNTS = ("events_1", "n_1", "events_0", "n_0")
LIMIT = 1e-7
UNCONDITIONAL = ("exact", "mid-p")


def read(name: str) -> list[dict[str, str]]:
    with (REFERENCE / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def name_of(row: dict[str, str]) -> str:
    return "{method} {events_1}/{n_1} v {events_0}/{n_0}, {level}".format(**row)


def interval(row: dict[str, str]) -> tuple[float, float]:
    ours = risk_difference(
        *(int(row[name]) for name in COUNTS), method=row["method"], level=float(row["level"])
    )
    return ours.low, ours.high


@pytest.mark.parametrize("row", read("published.csv"), ids=name_of)
def test_agrees_with_published_limits(row) -> None:
    for ours, text in zip(interval(row), (row["low"], row["high"]), strict=True):
        last_digit = 10.0 ** Decimal(text).as_tuple().exponent
        assert ours == pytest.approx(float(text), abs=0.501 * last_digit)


class TestTestsOfNoDifference:
    """Another program's p-value of p1 = p0: the interval at the level 1 - p has a limit at nil."""

    @pytest.mark.parametrize("counts", [(2, 68, 1, 65), (9, 11, 4, 12), (7, 20, 2, 20), (9, 40, 3, 55)])
    def test_exact_agrees_with_barnard_test_of_scipy(self, counts) -> None:
        x1, n1, x0, n0 = counts
        p = barnard_exact([[x1, x0], [n1 - x1, n0 - x0]], alternative="greater", pooled=True, n=64).pvalue
        assert risk_difference(*counts, method="exact", level=1 - 2 * p).low == pytest.approx(0, abs=1e-7)

    @pytest.mark.parametrize("counts", [(5, 200, 2, 198), (30, 201, 45, 199), (8, 9, 3, 11)])
    def test_score_agrees_with_statsmodels(self, counts) -> None:
        p = score_test_of_statsmodels(
            *counts, value=0, method="score", compare="diff", correction=True
        ).pvalue
        ours = risk_difference(*counts, method="score", level=1 - p)
        assert min(abs(ours.low), abs(ours.high)) == pytest.approx(0, abs=1e-10)


class Enumeration:
    """Second implementation: every table is listed, the nuisance grid is dense, likelihood by halving."""

    def __init__(self, n1: int, n0: int) -> None:
        self.n1, self.n0 = n1, n0
        self.x1, self.x0 = (x.ravel().astype(float) for x in np.mgrid[: n1 + 1, : n0 + 1])

    def score(self, delta: float) -> np.ndarray:
        low, high = np.full((2, len(self.x1)), [[max(0, -delta)], [min(1, 1 - delta)]])
        for _ in range(60):
            p0 = (low + high) / 2
            p1 = p0 + delta
            slope = (self.x1 - self.n1 * p1) * p0 * (1 - p0) + (self.x0 - self.n0 * p0) * p1 * (1 - p1)
            low, high = np.where(slope > 0, p0, low), np.where(slope > 0, high, p0)
        distance = self.x1 / self.n1 - self.x0 / self.n0 - delta
        variance = p1 * (1 - p1) / self.n1 + p0 * (1 - p0) / self.n0
        return np.where(np.abs(distance) < 1e-12, 0, distance) / np.sqrt(np.maximum(variance, 1e-200))

    def tails(self, delta: float, method: str, nuisance: int) -> np.ndarray:
        """Largest probability of a score at least as large, for every table as the observed one."""
        score = self.score(delta)
        tie = 1e-10 * (1 + np.abs(score[:, None]))
        lead = score - score[:, None]
        weights = (lead >= -tie) - (method == "mid-p") * (np.abs(lead) <= tie) / 2
        p0 = max(0, -delta) + (1 - abs(delta)) * np.sin(np.linspace(0, np.pi / 2, nuisance)[:, None]) ** 2
        arm_1 = binom.pmf(np.arange(self.n1 + 1), self.n1, np.clip(p0 + delta, 0, 1))
        arm_0 = binom.pmf(np.arange(self.n0 + 1), self.n0, p0)
        tables = (arm_1[:, :, None] * arm_0[:, None, :]).reshape(nuisance, -1)
        return (tables @ weights.T).max(axis=0)


@cache
def tails_on_grid(n1: int, n0: int, method: str) -> tuple[np.ndarray, np.ndarray]:
    deltas, tables = np.arange(-0.9985, 1, 0.005), Enumeration(n1, n0)
    return deltas, np.array([tables.tails(delta, method, nuisance=150) for delta in deltas])


@pytest.mark.parametrize("method", UNCONDITIONAL)
@pytest.mark.parametrize("level", [0.95, 0.8])
@pytest.mark.parametrize(("n1", "n0"), [(1, 1), (5, 4), (5, 5), (2, 14), (3, 9)])
def test_the_limit_is_the_smallest_difference_that_is_not_rejected(n1, n0, level, method) -> None:
    """Below the limit no difference is accepted, and a step above it one is; every table of the two arms."""
    tables, (deltas, tails) = Enumeration(n1, n0), tails_on_grid(n1, n0, method)
    alpha = (1 - level) / 2
    for table, (x1, x0) in enumerate(zip(tables.x1, tables.x0, strict=True)):
        limit = risk_difference(int(x1), n1, int(x0), n0, method=method, level=level).low
        assert tails[deltas < limit - LIMIT, table].max(initial=0) <= alpha
        if -1 < limit < x1 / n1 - x0 / n0:
            assert tables.tails(limit + 1e-6, method, nuisance=2000)[table] > alpha


def test_the_limit_is_found_where_the_probability_rises_far_from_the_estimate() -> None:
    """With 5 units against 160 differences just above zero are not rejected, and those from 0.01 to 0.12 are.

    One event of the small arm is then farther from zero than all there were, and has a probability of 3 %.
    """
    tables, counts = Enumeration(5, 160), (3, 5, 8, 160)
    seen = int(np.flatnonzero((tables.x1 == 3) & (tables.x0 == 8))[0])
    low = risk_difference(*counts, method="mid-p").low
    tail = {
        delta: tables.tails(delta, "mid-p", nuisance=300)[seen] for delta in (low - 1e-5, low + 1e-5, 0.01)
    }
    assert tail[low - 1e-5] < 0.025 < tail[low + 1e-5]
    assert tail[0.01] < 0.025
    assert 0 < low < 0.01


def test_two_units_without_event_collapse_to_one_binomial_tail() -> None:
    """With p1 = 0 the only table without event has probability 1 - p0, and no other is as extreme."""
    exact = risk_difference(0, 1, 0, 1, method="exact", level=0.9)
    middle = risk_difference(0, 1, 0, 1, method="mid-p", level=0.9)
    assert (exact.low, exact.high) == pytest.approx((-0.95, 0.95), abs=LIMIT)
    assert (middle.low, middle.high) == pytest.approx((-0.9, 0.9), abs=LIMIT)


@cache
def coverage(n1: int, n0: int, method: str, level: float) -> np.ndarray:
    """Probability that the interval holds the difference, by pairs of risks on a grid from 0 to 1."""
    risks = np.linspace(0, 1, 41)
    cells = [
        [risk_difference(x1, n1, x0, n0, method=method, level=level) for x0 in range(n0 + 1)]
        for x1 in range(n1 + 1)
    ]
    low, high = (np.array([[getattr(cell, end) for cell in row] for row in cells]) for end in ("low", "high"))
    arm_1, arm_0 = (binom.pmf(np.arange(n + 1), n, risks[:, None]) for n in (n1, n0))
    covered = np.empty((len(risks), len(risks)))
    for i, p1 in enumerate(risks):
        for j, p0 in enumerate(risks):
            holds = (low <= p1 - p0 + 1e-12) & (p1 - p0 - 1e-12 <= high)
            covered[i, j] = arm_1[i] @ holds @ arm_0[j]
    return covered


@pytest.mark.parametrize("level", [0.95, 0.8])
@pytest.mark.parametrize(("n1", "n0"), [(5, 5), (7, 4), (2, 9)])
def test_exact_interval_covers_at_least_its_level_everywhere(n1, n0, level) -> None:
    assert coverage(n1, n0, "exact", level).min() >= level - 1e-12


@pytest.mark.parametrize(("n1", "n0"), [(7, 7), (8, 6)])
def test_mid_p_interval_covers_about_its_level_on_average(n1, n0) -> None:
    middle, exact = (coverage(n1, n0, method, 0.95)[1:-1, 1:-1] for method in ("mid-p", "exact"))
    assert 0.95 < middle.mean() < 0.97 < exact.mean()
    assert 0.92 < middle.min() < 0.95


@pytest.mark.parametrize("method", ["exact", "mid-p", "score"])
class TestExtremeTables:
    def test_no_events_in_either_arm(self, method) -> None:
        ours = risk_difference(0, 200, 0, 180, method=method)
        assert ours.estimate == 0.0
        assert -0.03 < ours.low < -0.01 < 0.01 < ours.high < 0.03
        assert len(ours.notes) == 1 and "no events" in ours.notes[0]

    def test_every_unit_has_an_event(self, method) -> None:
        ours, mirrored = (risk_difference(x, 30, y, 20, method=method) for x, y in ((30, 20), (0, 0)))
        assert (ours.low, ours.high) == pytest.approx((-mirrored.high, -mirrored.low), abs=LIMIT)
        assert len(ours.notes) == 1 and "every unit" in ours.notes[0]

    def test_all_against_none(self, method) -> None:
        ours = risk_difference(20, 20, 0, 15, method=method)
        assert (ours.estimate, ours.high) == (1.0, 1.0)
        assert 0.6 < ours.low < 1

    @pytest.mark.parametrize(("n1", "n0", "arms"), [(0, 5, "1"), (5, 0, "0"), (0, 0, "10")])
    def test_an_empty_arm_is_a_note(self, method, n1, n0, arms) -> None:
        ours = risk_difference(0, n1, 0, n0, method=method)
        assert all(math.isnan(value) for value in (ours.estimate, ours.low, ours.high))
        assert [note[:14] for note in ours.notes] == [f"arm {arm} is empty" for arm in arms]

    def test_ordinary_tables_have_no_note(self, method) -> None:
        assert risk_difference(1, 20, 0, 20, method=method).notes == ()


def test_what_is_returned() -> None:
    ours = risk_difference(np.int64(3), np.int64(10), 1, 10)
    assert (ours.method, ours.level, ours.estimate) == ("mid-p", 0.95, 3 / 10 - 1 / 10)
    assert all(type(value) is float for value in (ours.estimate, ours.low, ours.high))


@pytest.mark.parametrize(
    ("counts", "options", "message"),
    [
        ((5, 4, 0, 3), {}, "Arm 1 .* between 0 and n"),
        ((1, 4, -1, 3), {}, "Arm 0 .* between 0 and n"),
        ((1.0, 4, 1, 3), {}, "Arm 1 .* whole numbers"),
        ((1, 4, 1, 3), {"method": "wald"}, "No interval 'wald'.*exact, mid-p, score"),
        ((1, 4, 1, 3), {"level": 95}, "between 0 and 1"),
        ((1, 4, 1, 3), {"level": math.nan}, "between 0 and 1"),
    ],
)
def test_bad_input_is_refused(counts, options, message) -> None:
    with pytest.raises(ModelError, match=message):
        risk_difference(*counts, **options)

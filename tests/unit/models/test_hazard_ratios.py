"""Ratios, hazard ratios by period and frailties: collapse to the plain Cox model, and what is refused."""

import math

import pytest

from analysis.data.allocation import read_allocated
from analysis.errors import ModelError
from analysis.models import frailty, hazard, proportionality
from analysis.models.ratios import ratio_estimate
from analysis.results import select
from tests.unit.models.small_trial import altered, events, small_trial


@pytest.fixture(scope="module")
def closed(trial, spec):
    return read_allocated(trial.allocated, spec, view="closed")


def find(result, name="hazard_ratio", **labels):
    (found,) = select(result.estimates, name=name, **labels)
    return found


def test_a_ratio_by_hand():
    found = ratio_estimate("hazard_ratio", math.log(2), 0.5, level=0.95, labels={"contrast": "a - b"})
    assert found.value == pytest.approx(2)
    assert (found.low, found.high) == pytest.approx((2 / math.exp(0.97998), 2 * math.exp(0.97998)), rel=1e-5)
    assert found.statistic == pytest.approx(1.386294, rel=1e-6)
    assert found.p == pytest.approx(math.erfc(1.386294 / math.sqrt(2)), rel=1e-6)


def test_a_ratio_turned_over_has_the_limits_turned_over():
    up, down = (ratio_estimate("rate_ratio", sign * 0.3, 0.2, level=0.9, labels={}) for sign in (1, -1))
    assert (up.low, up.high, up.p) == pytest.approx((1 / down.high, 1 / down.low, down.p))


@pytest.mark.parametrize(
    ("log_ratio", "se", "said"),
    [
        (math.inf, math.nan, "the rate ratio has no finite estimate"),
        (-math.inf, math.nan, "the rate ratio has no finite estimate"),
        (0.1, 0.0, "the log rate ratio has no family-robust standard error"),
        (0.1, math.nan, "the log rate ratio has no family-robust standard error"),
    ],
)
def test_a_ratio_without_an_interval_is_refused(log_ratio, se, said):
    with pytest.raises(ModelError, match=said):
        ratio_estimate("rate_ratio", log_ratio, se, level=0.95, labels={})


@pytest.fixture(scope="module")
def tested(closed, spec):
    return proportionality.fit(spec.analyses["A30T"], closed, spec)


@pytest.mark.parametrize(("first", "last"), [(0, 182), (182, 365), (365, math.inf)])
def test_the_ratio_of_a_period_is_that_of_a_trial_seen_in_that_period_only(tested, closed, spec, first, last):
    """The likelihood of the arm alone is a product over periods."""

    def seen(rows):
        kept = rows[(rows["time_days"] > first) & (rows["entry_days"] < last)]
        return kept.assign(
            entry_days=kept["entry_days"].clip(lower=first),
            time_days=kept["time_days"].clip(upper=last),
            cause=kept["cause"].mask(kept["time_days"] > last),
        )

    alone = find(hazard.fit(spec.analyses["A30"], altered(closed, events=seen), spec))
    found = find(tested, **{"from": str(first), "to": str(last)})
    assert found.value == pytest.approx(alone.value, rel=1e-9)
    assert (found.low, found.high) == pytest.approx((alone.low, alone.high), rel=1e-9)


def test_the_bootstrap_is_of_its_seed_and_near_the_robust_test(tested, closed, spec):
    again = proportionality.fit(spec.analyses["A30T"], closed, spec)
    assert again.estimates == tested.estimates
    entry = spec.analyses["A30T"].model_copy(update={"seed": 31})
    other = find(
        proportionality.fit(entry, closed, spec), "proportionality_test", variance="family bootstrap"
    )
    robust, drawn = (
        find(tested, "proportionality_test", variance=each) for each in ("family-robust", "family bootstrap")
    )
    assert drawn.p != other.p
    assert drawn.p == pytest.approx(robust.p, abs=0.02) and other.p == pytest.approx(robust.p, abs=0.02)
    assert round(drawn.p * (entry.draws + 1), 9) == round(drawn.p * (entry.draws + 1))


def test_a_ratio_that_turns_is_found_and_a_constant_one_is_not(spec):
    """Turning: most of one arm leave by day 150, and who is left then waits longest."""
    arms, each = ("NIM", "SAU"), range(40)
    children = [(f"{arm}{at}", f"F-{arm}{at}", arm, "GLA") for arm in arms for at in each]
    level = {f"{arm}{at}": (10 + 9 * at + (arm == "SAU"), "home") for arm in arms for at in each}
    turning = {f"NIM{at}": (10 + 5 * at if at < 28 else 50 * at - 1200, "home") for at in each}
    turning |= {f"SAU{at}": (12 + 10 * at if at < 12 else 6 * at + 118, "home") for at in each}
    entry = spec.analyses["A30T"].model_copy(update={"cuts": (182,)})
    found = {
        name: proportionality.fit(entry, small_trial(spec, children, events=events(children, times)), spec)
        for name, times in (("level", level), ("turning", turning))
    }
    before, after = (find(found["turning"], **{"from": each}).value for each in ("0", "182"))
    assert after < 0.5 < 2 < before
    for test in ("proportionality_test", "equality_test"):
        p = {name: [every.p for every in select(each.estimates, name=test)] for name, each in found.items()}
        assert max(p["turning"]) < 0.01 < 0.1 < min(p["level"])


def test_a_period_without_an_event_of_an_arm_is_refused(closed, spec):
    def without(rows):
        gone = (rows["arm"] == "NIM") & (rows["time_days"] <= 182)
        return rows.assign(cause=rows["cause"].mask(gone))

    with pytest.raises(ModelError, match="no finite estimate"):
        proportionality.fit(spec.analyses["A30T"], altered(closed, events=without), spec)


def test_a_period_without_any_event_is_refused(closed, spec):
    def without(rows):
        return rows.assign(cause=rows["cause"].mask(rows["time_days"] > 182))

    with pytest.raises(ModelError, match="every period"):
        proportionality.fit(spec.analyses["A30T"], altered(closed, events=without), spec)


def test_where_children_of_a_family_differ_more_than_strangers_there_is_no_frailty(spec):
    """One child of each family is early and one late: the variance is 0, and the model is Cox's."""
    children, times = [], {}
    for at in range(12):
        for child, day in ((f"A{at:02}", 10 + 3 * at), (f"B{at:02}", 300 - 2 * at)):
            children.append((child, f"F{at:02}", ("NIM", "SAU")[at % 3 == 0], "GLA"))
            times[child] = (day, "home")
    data = small_trial(spec, children, events=events(children, times))
    shared = frailty.fit(spec.analyses["A30F"], data, spec)
    plain = hazard.fit(spec.analyses["A30"], data, spec)
    variance = find(shared, "frailty_variance")
    assert (variance.value, variance.low, variance.p) == (0, 0, 1)
    assert find(shared).value == pytest.approx(find(plain).value, rel=1e-9)
    assert find(shared, "log_hazard_ratio").se == pytest.approx(
        find(plain, "log_hazard_ratio_model_se").value, rel=1e-9
    )
    assert shared.notes


def test_children_who_share_their_time_share_a_frailty(spec):
    children, times = [], {}
    for at in range(30):
        for which in "AB":
            children.append((f"{which}{at:02}", f"F{at:02}", ("NIM", "SAU")[at % 2], "GLA"))
            times[f"{which}{at:02}"] = (10 + (at * 37) % 300 + (which == "B"), "home")
    found = frailty.fit(
        spec.analyses["A30F"], small_trial(spec, children, events=events(children, times)), spec
    )
    variance = find(found, "frailty_variance")
    assert 0 < variance.low < variance.value < variance.high
    assert variance.p < 0.001

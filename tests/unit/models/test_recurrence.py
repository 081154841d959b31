"""Mean numbers of events: by hand, held to counting where nobody is lost, families beside children."""

import math

import numpy as np
import pandas as pd
import pytest

from analysis.data.allocation import read_allocated, read_pooled
from analysis.models import recurrence
from analysis.results import select
from tests.unit.models.small_trial import altered, recurrences, small_trial

CHILDREN = [
    *(("C1", "F1", "NIM", "GLA"), ("C2", "F1", "NIM", "GLA"), ("C3", "F2", "NIM", "GLA")),
    *(("C4", "F3", "SAU", "GLA"), ("C5", "F4", "SAU", "GLA")),
]
FAMILY = {child: family for child, family, *_ in CHILDREN}
DAYS = {"C1": (100, 200), "C2": (300,), "C4": (400, 950)}


@pytest.fixture(scope="module")
def closed(trial, spec):
    return read_allocated(trial.allocated, spec, view="closed")


@pytest.fixture
def fitted(spec):
    """Result of A41A for the small trial with these rows."""

    def run(rows, children=CHILDREN, **changes):
        entry = spec.analyses["A41A"].model_copy(update=changes)
        return recurrence.fit(entry, small_trial(spec, children, recurrences=rows), spec)

    return run


def value(result, name, **labels):
    (found,) = select(result.estimates, name=name, **labels)
    return found


def counted(result, name, **labels):
    (found,) = select(result.counts, name=name, **labels)
    return found.value


def test_mean_numbers_and_their_ratio_by_hand(fitted):
    """Three events of three children, two of them of one family, against one of two; one is after day 913.

    Influences on the mean of an arm are (number - mean) / children, summed by family.
    """
    result = fitted(recurrences(FAMILY, DAYS))
    assert value(result, "mean_count", arm="NIM", day="913").value == pytest.approx(1)
    assert value(result, "mean_count", arm="NIM", day="365").value == pytest.approx(1)
    assert value(result, "mean_count", arm="SAU", day="365").value == 0
    assert value(result, "mean_count", arm="SAU", day="913").value == pytest.approx(1 / 2)
    families = {"NIM": ((2 - 1 + 1 - 1) / 3, (0 - 1) / 3), "SAU": (1 / 4, -1 / 4)}
    for arm, influence in families.items():
        assert value(result, "mean_count", arm=arm, day="913").se == pytest.approx(math.hypot(*influence))
    gap = value(result, "mean_count_difference", day="913")
    assert gap.value == pytest.approx(1 / 2)
    assert gap.se == pytest.approx(math.hypot(*families["NIM"], *families["SAU"]))
    # With everybody followed at every event the ratio of rates is that of the means.
    assert value(result, "rate_ratio").value == pytest.approx((3 / 3) / (1 / 2))


def test_counts_are_of_units_and_of_events_to_the_last_day(fitted):
    result = fitted(recurrences(FAMILY, DAYS))
    assert [counted(result, "units", arm=arm) for arm in ("NIM", "SAU")] == [3, 2]
    assert [counted(result, "events", arm=arm) for arm in ("NIM", "SAU")] == [3, 1]
    assert [counted(result, "units_with_event", arm=arm) for arm in ("NIM", "SAU")] == [2, 1]
    assert [counted(result, "at_risk", arm="NIM", day=day) for day in ("0", "365", "913")] == [3, 3, 3]


def test_after_a_death_there_are_no_more_but_the_child_still_counts(fitted):
    """Of two children one dies on day 50; the other's event counts for half, as one in two."""
    children = [("C1", "F1", "NIM", "GLA"), ("C2", "F2", "NIM", "GLA"), *CHILDREN[3:]]
    family = {child: of for child, of, *_ in children}
    rows = recurrences(family, {"C1": (50,), "C2": (100,), "C4": (200,)}, died=("C1",))
    result = fitted(rows, children)
    assert value(result, "mean_count", arm="NIM", day="913").value == pytest.approx(1 / 2)
    assert counted(result, "events", arm="NIM") == 1
    assert counted(result, "at_risk", arm="NIM", day="365") == 1


def test_a_child_that_is_lost_does_not_count_as_free_of_events(fitted):
    children = [("C1", "F1", "NIM", "GLA"), ("C2", "F2", "NIM", "GLA"), *CHILDREN[3:]]
    rows = recurrences({"C2": "F2", "C4": "F3", "C5": "F4"}, {"C2": (100,), "C4": (200,)})
    lost = recurrences({"C1": "F1"}, {}, end=50)
    result = fitted(pd.concat([rows, lost]), children)
    assert value(result, "mean_count", arm="NIM", day="913").value == pytest.approx(1)


def test_a_family_is_one_unit(fitted):
    rows = recurrences(
        {"F1": "F1", "F2": "F2", "F3": "F3", "F4": "F4"}, {"F1": (9, 10), "F3": (20,)}, level="family"
    )
    result = fitted(rows, level="family")
    assert [counted(result, "units", arm=arm) for arm in ("NIM", "SAU")] == [2, 2]
    assert value(result, "mean_count", arm="NIM", day="365").value == pytest.approx(1)
    assert value(result, "mean_count", arm="SAU", day="365").value == pytest.approx(1 / 2)
    assert "per family" in result.method and "all families" in result.method


@pytest.mark.parametrize("absent", ["NIM", "SAU"])
def test_an_arm_without_an_event_has_a_mean_of_zero_and_no_ratio(fitted, absent):
    kept = {"NIM": ("C4",), "SAU": ("C1", "C2")}[absent]
    result = fitted(recurrences(FAMILY, {child: DAYS[child] for child in kept}))
    assert value(result, "mean_count", arm=absent, day="913").value == 0
    assert math.isfinite(value(result, "mean_count_difference", day="913").se)
    assert value(result, "rate_ratio").value is None
    assert any("no ratio of rates" in note.lower() for note in result.notes)
    assert not select(result.estimates, name="log_rate_ratio")


def test_no_event_before_the_last_day_is_a_mean_of_zero(fitted):
    result = fitted(recurrences(FAMILY, {"C1": (950,), "C4": (960,)}))
    assert {each.value for each in select(result.estimates, name="mean_count")} == {0}
    assert value(result, "rate_ratio").value is None


def test_the_order_of_the_rows_does_not_matter(closed, spec):
    backwards = altered(closed, recurrences=lambda rows: rows.iloc[::-1])
    for name in ("A41C", "A43B"):
        entry = spec.analyses[name]
        assert (
            recurrence.fit(entry, backwards, spec).estimates == recurrence.fit(entry, closed, spec).estimates
        )


@pytest.mark.parametrize("name", ["A41A", "A41C", "A43A", "A43B"])
def test_where_nobody_is_lost_the_mean_number_is_events_over_units(closed, spec, name):
    entry = spec.analyses[name]
    last = max(entry.days)

    def complete(rows):
        return rows[rows.groupby(["parameter", "unit_id"])["stop"].transform("max") >= last]

    data = altered(closed, recurrences=complete)
    result = recurrence.fit(entry.model_copy(update={"strata": ()}), data, spec)
    for arm in ("NIM", "SAU"):
        units, events = (counted(result, each, arm=arm) for each in ("units", "events"))
        mean = value(result, "mean_count", arm=arm, day=str(last)).value
        assert units > 100 and events > 0
        assert mean * units == pytest.approx(events, rel=1e-12)


def test_pooled_numbers_are_those_of_both_arms_and_compare_none(closed, trial, spec):
    pooled = recurrence.fit(spec.analyses["A41C"], read_pooled(trial.derived, spec), spec)
    apart = recurrence.fit(spec.analyses["A41C"], closed, spec)
    for name in ("units", "events", "units_with_event"):
        assert counted(pooled, name, arm="All") == sum(each.value for each in select(apart.counts, name=name))
    means = [value(apart, "mean_count", arm=arm, day="913").value for arm in ("NIM", "SAU")]
    assert min(means) < value(pooled, "mean_count", arm="All", day="913").value < max(means)
    assert not [each for each in pooled.estimates if "contrast" in each.labels]


def test_no_event_of_a_family_counts_twice_and_none_of_a_child_is_lost(closed):
    """What is reported of several children on one day is one event of their family."""
    rows = closed.tables["recurrences"]
    rows = rows[rows["is_event"] & (rows["parameter"] == "MALTREATMENT")]
    of_children = set(
        rows.loc[rows["level"] == "child", ["family_id", "stop"]].itertuples(index=False, name=None)
    )
    families = rows.loc[rows["level"] == "family", ["family_id", "stop"]]
    assert not families.duplicated().any()
    assert of_children <= set(families.itertuples(index=False, name=None))
    assert of_children


def test_the_curve_stands_at_the_mean_numbers_of_the_days(closed, spec):
    result = recurrence.fit(spec.analyses["A41C"], closed, spec)
    for curve in result.curves:
        for day in ("365", "730", "913"):
            at = curve.value[np.searchsorted(curve.time, float(day), side="right") - 1]
            assert at == pytest.approx(value(result, "mean_count", arm=curve.labels["arm"], day=day).value)
        assert curve.time[0] == 0 and curve.time[-1] == 913
        assert (np.diff(curve.value) >= 0).all()


def test_a_child_of_another_population_is_left_out(closed, spec):
    """Children outside the population change nothing, whatever happens to them."""
    people = closed.tables["subjects"]
    outside = set(people.loc[~people["is_in_records"], "child_id"])
    assert outside
    data = altered(closed, recurrences=lambda rows: rows[~rows["unit_id"].isin(outside)])
    entry = spec.analyses["A41C"]
    assert recurrence.fit(entry, data, spec) == recurrence.fit(entry, closed, spec)

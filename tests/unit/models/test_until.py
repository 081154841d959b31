"""Hazards to a day of the plan: what comes after it is censored on it."""

from dataclasses import replace

import pytest

from analysis.data.allocation import read_allocated
from analysis.models.hazard import fit
from analysis.results import select


@pytest.fixture(scope="module")
def data(trial, spec):
    return read_allocated(trial.allocated, spec, view="closed")


def numbers(result):
    return {each.name: (each.value, each.se, each.low, each.high, each.p) for each in result.estimates}


def ended_by_hand(data, last: int):
    """The same children as if the care records had been closed on that day."""
    events = data.tables["events"].copy()
    for row in events.index[events["time_days"] > last]:
        events.loc[row, "time_days"] = last
        events.loc[row, "cause"] = None
    kept = events[events["entry_days"] < events["time_days"]]
    return replace(data, tables={**data.tables, "events": kept})


def test_events_after_the_day_are_censored_on_it(data, spec):
    entry = spec.analyses["A30H"]
    to_the_day, by_hand = fit(entry, data, spec), fit(spec.analyses["A30"], ended_by_hand(data, 913), spec)
    for name in ("hazard_ratio", "log_hazard_ratio", "log_hazard_ratio_model_se"):
        assert numbers(to_the_day)[name] == numbers(by_hand)[name]
    assert to_the_day.counts == by_hand.counts
    assert [each.value for each in select(to_the_day.estimates, name="last_day")] == [913]


def test_fewer_events_count_to_the_day_than_in_all_follow_up(data, spec):
    events = {
        name: sum(each.value for each in select(fit(spec.analyses[name], data, spec).counts, name="events"))
        for name in ("A30", "A30H")
    }
    assert 0 < events["A30H"] < events["A30"]


def test_a_day_after_all_follow_up_changes_nothing(data, spec):
    entry = spec.analyses["A30H"].model_copy(update={"until": 10**5})
    late, whole = numbers(fit(entry, data, spec)), numbers(fit(spec.analyses["A30"], data, spec))
    assert late.pop("last_day") != whole.pop("last_day")
    assert late == whole

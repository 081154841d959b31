"""Serious events by how they were judged, and siblings too few for a correlation."""

from dataclasses import replace

import pandas as pd
import pytest

from analysis.data.allocation import read_allocated
from analysis.models import harms, mixed
from analysis.qc.harms import again
from analysis.qc.tables import Tables
from analysis.results import select


@pytest.fixture(scope="module")
def closed(trial, spec):
    return read_allocated(trial.allocated, spec, view="closed")


def total(result, **labels) -> int:
    return sum(each.value for each in select(result.counts, name="events", **labels))


def test_events_by_relatedness_add_up_to_all_and_zeros_are_kept(closed, spec):
    result = harms.fit(spec.analyses["A50"], closed, spec)
    kinds = {each.labels["relatedness"] for each in result.counts if "relatedness" in each.labels}
    assert kinds == set(spec.codes["relatedness"])
    for arm in ("NIM", "SAU"):
        parts = {each: total(result, arm=arm, relatedness=each) for each in kinds}
        assert sum(parts.values()) == total(result, arm=arm, category="any")
        for each, n in parts.items():
            (families,) = select(result.counts, name="families", arm=arm, relatedness=each)
            assert 0 <= families.value <= n and (families.value > 0) == (n > 0)


def test_events_nobody_judged_are_counted_as_not_recorded(closed, spec):
    table = closed.tables["harms"].assign(relatedness=pd.Series(None, dtype=object))
    unjudged = replace(closed, tables={**closed.tables, "harms": table})
    result = harms.fit(spec.analyses["A50"], unjudged, spec)
    assert total(result, relatedness=harms.NOT_RECORDED) == total(result, category="any") > 0


@pytest.mark.parametrize(
    ("families", "said"),
    [
        ([1, 1, 2, 2], "Only 2 pairs of siblings were analysed"),
        ([1, 1, 2, 3], "Only 1 pair of siblings was analysed"),
        ([1, 2, 3], "Only 0 pairs of siblings were analysed"),
        ([1] * 5, None),
        ([1] * 4 + [2] * 3, "Only 9 pairs"),
    ],
)
def test_few_siblings_are_said(families, said):
    (*notes,) = mixed._few_siblings(pd.DataFrame({"family_id": families}))
    assert [said is not None and said in note for note in notes] == ([True] if said else [])


def test_events_are_listed_once_by_month_where_arms_are_known(closed, trial, spec):
    result = harms.fit(spec.analyses["A50"], closed, spec)
    listed = select(result.estimates, name="listed_event")
    assert len(listed) == total(result, category="any")
    assert [each.value for each in listed] == sorted(each.value for each in listed)
    for arm in ("NIM", "SAU"):
        assert sum(each.labels["arm"] == arm for each in listed) == total(result, arm=arm, category="any")
    assert {key for each in listed for key in each.labels} == {"arm", "number", *harms.LISTED}
    ids = {*closed.tables["harms"]["event_id"], *closed.tables["harms"]["family_id"]}
    assert not ids & {text for each in listed for text in each.labels.values()}


def test_events_count_as_long_as_the_time_does(closed, trial, spec):
    """One more event of a child: on its last day it counts, after it, as after a removal, it does not."""
    people, table = closed.tables["subjects"], closed.tables["harms"]
    removed = people[people["removed_date"].notna() & (people["safety_days"] < 800)].iloc[0]
    before = harms.fit(spec.analyses["A50"], closed, spec)
    for day, more in ((removed["safety_days"], 1), (removed["safety_days"] + 1, 0)):
        one = table.iloc[[0]].assign(
            child_id=removed["child_id"], family_id=removed["family_id"], arm=removed["arm"], day=int(day)
        )
        added = pd.concat([table, one], ignore_index=True)
        data = replace(closed, tables={**closed.tables, "harms": added})
        result = harms.fit(spec.analyses["A50"], data, spec)
        assert total(result, category="any") == total(before, category="any") + more
        frames = {
            name: frame.astype(object).where(frame.notna(), None) for name, frame in data.tables.items()
        }
        second = again(spec.analyses["A50"], Tables(frames, spec))
        assert total(second, category="any") == total(result, category="any")

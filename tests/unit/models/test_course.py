"""The course over visits: who takes part, what the effects collapse to, and the refusals."""

from dataclasses import replace

import numpy as np
import pytest

from analysis.data.allocation import read_allocated
from analysis.errors import ModelError
from analysis.models import course, mixed
from analysis.results import select


@pytest.fixture(scope="module")
def closed(trial, spec):
    return read_allocated(trial.allocated, spec, view="closed")


def test_everybody_seen_at_a_visit_takes_part(closed, spec):
    entry = spec.analyses["A11"]
    result = course.fit(entry, closed, spec)
    values = closed.tables["outcomes"].merge(closed.tables["subjects"][["child_id", "is_eligible"]])
    here = (values["parameter"] == "SDQ_TOTAL") & values["value"].notna() & values["is_eligible"]
    for visit in entry.visits:
        expected = values[here & (values["visit"] == visit)]["child_id"].nunique()
        assert sum(each.value for each in select(result.counts, name="children", visit=visit)) == expected
    either = values[here & values["visit"].isin(entry.visits)]["child_id"].nunique()
    assert sum(each.value for each in select(result.counts, name="children", set="analysed")) == either


def test_the_difference_of_adjusted_means_is_the_difference(closed, spec):
    result = course.fit(spec.analyses["A11"], closed, spec)
    for visit in ("V4", "V5"):
        means = {
            e.labels["arm"]: e.value for e in select(result.estimates, name="adjusted_mean", visit=visit)
        }
        (gap,) = select(result.estimates, name="difference", visit=visit)
        assert means["NIM"] - means["SAU"] == pytest.approx(gap.value, abs=1e-12)


def test_one_visit_without_families_is_the_model_of_independent_children(closed, spec):
    """A single visit and no family effect is least squares; so is A01 when every family is one child."""
    one = spec.analyses["A11C"].model_copy(
        update={"visits": ("V5",), "population": "followed_up", "by_visit": ()}
    )
    outcomes = closed.tables["outcomes"]
    apart = replace(
        closed, tables={**closed.tables, "outcomes": outcomes.assign(family_id=outcomes["child_id"])}
    )
    (mine,) = select(course.fit(one, closed, spec).estimates, name="difference")
    (theirs,) = select(mixed.fit(spec.analyses["A01"], apart, spec).estimates, name="difference")
    for name in ("value", "se", "df", "p"):
        assert getattr(mine, name) == pytest.approx(getattr(theirs, name), rel=1e-8), name


def test_a_value_given_twice_adds_nothing_but_its_visit(closed, spec):
    """A child without a 15-month value lends nothing to that visit's count but stays in the model."""
    entry = spec.analyses["A11"]
    outcomes = closed.tables["outcomes"]
    early = (outcomes["visit"] == "V4") & (outcomes["parameter"] == "SDQ_TOTAL")
    keep = np.arange(len(outcomes)) % 2 == 0
    fewer = replace(
        closed,
        tables={**closed.tables, "outcomes": outcomes.assign(value=outcomes["value"].mask(early & keep))},
    )
    full, part = course.fit(entry, closed, spec), course.fit(entry, fewer, spec)

    def children(result, **labels):
        return sum(each.value for each in select(result.counts, name="children", **labels))

    assert children(part, visit="V4") < children(full, visit="V4")
    assert children(part, visit="V5") == children(full, visit="V5")


def test_an_arm_without_a_visit_is_refused(closed, spec):
    outcomes = closed.tables["outcomes"]
    gone = (outcomes["arm"] == "NIM") & (outcomes["visit"] == "V4")
    data = replace(
        closed, tables={**closed.tables, "outcomes": outcomes.assign(value=outcomes["value"].mask(gone))}
    )
    with pytest.raises(ModelError, match="arm NIM has nobody with a value at visit V4"):
        course.fit(spec.analyses["A11"], data, spec)

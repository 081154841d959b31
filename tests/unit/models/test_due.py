"""Whom an outcome was due from: the denominator beside those analysed."""

import pytest

from analysis.data.allocation import read_allocated
from analysis.models import course, mixed
from analysis.results import select

WAIVED = {"not_due_age", "not_due_epoch", "not_due_yet", "not_scheduled"}


@pytest.fixture(scope="module")
def closed(trial, spec):
    return read_allocated(trial.allocated, spec, view="closed")


def sizes(result, which: str) -> int:
    return sum(each.value for each in select(result.counts, name="children", set=which))


def counted_by_hand(closed, population: str, parameter: str, visits: list[str]) -> int:
    """Children of the population one by one: due at a visit unless the table says why not."""
    reasons = {
        (row.child_id, row.visit): row.missing_reason
        for row in closed.tables["outcomes"].itertuples()
        if row.parameter == parameter
    }
    subjects = closed.tables["subjects"]
    children = subjects.loc[subjects[f"is_{population}"].astype(bool), "child_id"]
    return sum(any(reasons.get((child, visit)) not in WAIVED for visit in visits) for child in children)


@pytest.mark.parametrize("name", ["A01", "A20C", "A21A"])
def test_due_are_those_the_plan_asked_for(closed, spec, name):
    entry = spec.analyses[name]
    result = mixed.fit(entry, closed, spec)
    by_hand = counted_by_hand(closed, entry.population, entry.outcome.parameter, [entry.outcome.visit])
    everybody = int(closed.tables["subjects"][f"is_{entry.population}"].sum())
    assert sizes(result, "analysed") <= sizes(result, "due") == by_hand <= everybody
    assert (by_hand < everybody) is (name == "A21A")


def test_a_course_is_due_from_who_was_due_at_any_visit(closed, spec):
    result = course.fit(spec.analyses["A11"], closed, spec)
    by_hand = counted_by_hand(closed, "eligible", "SDQ_TOTAL", ["V4", "V5"])
    assert sizes(result, "analysed") <= sizes(result, "due") == by_hand

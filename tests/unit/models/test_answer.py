"""Every answer carries what the plan says of its entry, and the audience of its data."""

from dataclasses import fields
from types import SimpleNamespace

import pytest

from analysis.models.answer import failure_of, result_of
from analysis.results import Count, Result

DATA = SimpleNamespace(audience="closed")


@pytest.mark.parametrize("analysis", ["A01", "A10"])
def test_a_result_is_headed_as_the_plan_has_it(spec, analysis):
    entry = spec.analyses[analysis]
    result = result_of(entry, DATA, method="as planned", counts=iter([Count("n", 3)]))
    assert (result.analysis, result.audience, result.method) == (analysis, "closed", "as planned")
    for name in ("family", "title", "estimand", "timing"):
        assert getattr(result, name) == getattr(entry, name)
    assert result.counts == (Count("n", 3),)
    assert all(type(getattr(result, each.name)) is tuple for each in fields(Result)[7:])


def test_a_note_stands_once_in_the_order_of_its_first_place(spec):
    result = result_of(spec.analyses["A01"], DATA, method="", notes=["late", "early", "late"])
    assert result.notes == ("late", "early")


@pytest.mark.parametrize(
    ("role", "essential"), [("primary", True), ("safety", True), ("secondary", False), ("descriptive", False)]
)
def test_only_what_the_trial_rests_on_stops_the_run(spec, role, essential):
    entry = spec.analyses["A01"].model_copy(update={"role": role})
    failure = failure_of(entry, DATA, "nobody is left.")
    assert (failure.reason, failure.essential) == ("nobody is left.", essential)

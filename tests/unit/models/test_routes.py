"""Rates of each route: collapse to one route, sums over routes, and what cannot be estimated."""

import math

import pytest

from analysis.data.allocation import read_allocated
from analysis.errors import ModelError
from analysis.models import hazard, routes
from analysis.results import select
from tests.unit.models.small_trial import altered, events, small_trial

FAMILIES = 10


@pytest.fixture(scope="module")
def closed(trial, spec):
    return read_allocated(trial.allocated, spec, view="closed")


@pytest.fixture(scope="module")
def fitted(closed, spec):
    return routes.fit(spec.analyses["A31H"], closed, spec)


def ratio(result, name="hazard_ratio", **labels):
    (found,) = select(result.estimates, name=name, **labels)
    return found


def one_route(rows):
    return rows.assign(cause=rows["cause"].mask(rows["cause"].notna(), "kin"))


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_with_one_route_only_both_ratios_are_that_of_any_route(closed, spec, ties):
    """The subdistribution model follows Breslow's rule for ties whatever the plan says of the Cox model."""
    data, changes = altered(closed, events=one_route), {"ties": ties}
    entry = spec.analyses["A31H"].model_copy(update={**changes, "reported": ("kin",)})
    result = routes.fit(entry, data, spec)
    for name, rule in (("hazard_ratio", ties), ("subdistribution_hazard_ratio", "breslow")):
        whole = hazard.fit(spec.analyses["A30"].model_copy(update={"ties": rule}), data, spec)
        found, expected = ratio(result, name, cause="kin"), ratio(whole)
        assert found.value == pytest.approx(expected.value, rel=1e-9)
        assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=1e-9)


def test_events_of_the_routes_add_up_to_any_route(fitted, closed, spec):
    whole = hazard.fit(spec.analyses["A30"], closed, spec)
    for arm in ("NIM", "SAU"):
        parts = [each.value for each in select(fitted.counts, name="events", arm=arm)]
        (expected,) = select(whole.counts, name="events", arm=arm)
        assert len(parts) == 4 and sum(parts) == expected.value


def test_a_cause_specific_ratio_takes_the_other_routes_as_censored(fitted, closed, spec):
    for cause in spec.analyses["A31H"].reported:
        event = spec.analyses["A30"].event.model_copy(update={"causes": (cause,)})
        alone = hazard.fit(spec.analyses["A30"].model_copy(update={"event": event}), closed, spec)
        assert ratio(fitted, cause=cause).value == ratio(alone).value


def test_grays_test_is_given_by_both_variances(fitted):
    for cause in ("home", "kin", "foster", "adopted"):
        robust, plain = (
            ratio(fitted, "gray_test", cause=cause, variance=each)
            for each in ("family-robust", "independent children")
        )
        assert robust.df == plain.df == 1
        assert robust.statistic != plain.statistic


def test_children_as_families_leave_estimates_alone(fitted, closed, spec):
    """Only what is robust to families changes when every child is a family of its own."""

    def alone(rows):
        return rows.assign(family_id=rows["child_id"])

    other = routes.fit(spec.analyses["A31H"], altered(closed, events=alone, subjects=alone), spec)
    for each, apart in zip(fitted.estimates, other.estimates, strict=True):
        same = each.name != "gray_test" or each.labels["variance"] == "independent children"
        assert (each.value == pytest.approx(apart.value, rel=1e-9)) == same
        if each.name != "gray_test":
            assert each.low != pytest.approx(apart.low, rel=1e-6)


def test_a_route_that_an_arm_never_takes_has_no_ratio_and_the_others_stand(fitted, closed, spec):
    def without(rows):
        return rows.assign(cause=rows["cause"].mask((rows["cause"] == "adopted") & (rows["arm"] == "NIM")))

    result = routes.fit(spec.analyses["A31H"], altered(closed, events=without), spec)
    for name in ("hazard_ratio", "subdistribution_hazard_ratio"):
        assert ratio(result, name, cause="adopted").value is None
        assert math.isfinite(ratio(result, name, cause="home").value)
    assert ratio(result, cause="home").value == ratio(fitted, cause="home").value
    assert ratio(result, "gray_test", cause="adopted", variance="family-robust").p < 0.01
    assert len(result.notes) == 2 and all(note.startswith("Adopted: ") for note in result.notes)


def test_a_route_that_nobody_takes_is_said_and_the_others_stand(closed, spec):
    def without(rows):
        return rows.assign(cause=rows["cause"].mask(rows["cause"] == "adopted"))

    result = routes.fit(spec.analyses["A31H"], altered(closed, events=without), spec)
    missing = [each for each in result.estimates if each.value is None]
    assert [each.name for each in missing] == ["hazard_ratio", "subdistribution_hazard_ratio", "gray_test"]
    assert {each.labels["cause"] for each in missing} == {"adopted"}
    assert any("nobody has an event by this route" in note for note in result.notes)


def small(spec, *, late: int = 0):
    children = [(f"C{at}", f"F{at}", ("NIM", "SAU")[at % 2], "GLA") for at in range(FAMILIES)]
    times = {
        child: (late, 100 + 7 * at, ("home", "kin")[at % 3 == 0]) for at, (child, *_) in enumerate(children)
    }
    entry = spec.analyses["A31H"].model_copy(update={"reported": ("home", "kin")})
    return routes.fit(entry, small_trial(spec, children, events=events(children, times)), spec)


def test_late_entry_is_for_cause_specific_hazards_only(spec):
    """All enter on one day before any event, so the cause-specific ratios do not move."""
    whole, late = small(spec), small(spec, late=50)
    assert all(each.value is not None for each in whole.estimates)
    for cause in ("home", "kin"):
        assert ratio(late, cause=cause) == ratio(whole, cause=cause)
        for name in ("subdistribution_hazard_ratio", "gray_test"):
            assert ratio(late, name, cause=cause).value is None
    assert any("enters late" in note for note in late.notes)
    assert any("first observed late" in note for note in late.notes)


def test_nobody_with_an_event_is_refused(closed, spec):
    data = altered(closed, events=lambda rows: rows.assign(cause=None))
    with pytest.raises(ModelError, match="nobody has an event"):
        routes.fit(spec.analyses["A31H"], data, spec)

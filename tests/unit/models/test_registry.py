"""Wall 3: who may see a family's results is a property of the family and of its data, not of the caller."""

from pathlib import Path

import pytest

from analysis.data.allocation import read_allocated, read_pooled
from analysis.data.walls import check_destination
from analysis.errors import BlindingError, ModelError, SpecError
from analysis.models import registry
from analysis.models.registry import FAMILIES, family_named, fit_all
from analysis.results import Failure


@pytest.fixture(scope="module")
def pooled(trial, spec):
    return read_pooled(trial.derived, spec)


@pytest.fixture(scope="module")
def allocated(trial, spec):
    return read_allocated(trial.allocated, spec, view="closed")


@pytest.mark.parametrize("name", [family.name for family in FAMILIES.values() if family.compares_arms])
def test_a_family_that_compares_arms_refuses_pooled_data(pooled, spec, name):
    with pytest.raises(BlindingError, match="compares arms"):
        fit_all(FAMILIES[name], pooled, spec)


def test_plain_tables_are_refused(spec):
    with pytest.raises(BlindingError, match="must come from"):
        fit_all(FAMILIES["flow"], {"flow": None}, spec)


@pytest.mark.parametrize("name", [family.name for family in FAMILIES.values() if not family.compares_arms])
def test_the_audience_of_a_result_is_that_of_its_data(pooled, allocated, spec, name):
    for data, audience in ((pooled, "open"), (allocated, "closed")):
        results = fit_all(FAMILIES[name], data, spec)
        assert {result.audience for result in results} == {audience}
    assert any(estimate.labels.get("contrast") for result in results for estimate in result.estimates) == (
        name in ("incidence", "occupation", "recurrence", "harms", "retention", "missing")
    )


def test_pooled_results_name_no_arm(pooled, spec):
    for name in (
        "flow",
        "accrual",
        "retention",
        "baseline",
        "incidence",
        "occupation",
        "recurrence",
        "harms",
    ):
        for result in fit_all(FAMILIES[name], pooled, spec):
            items = [*result.counts, *result.estimates, *result.curves]
            assert {item.labels.get("arm", "All") for item in items} == {"All"}


@pytest.mark.parametrize(
    ("path", "audience"),
    [
        ("out/open/results/mixed.json", "closed"),
        ("out/data/derived", "closed"),
        ("out/closed/results/flow.json", "open"),
    ],
)
def test_the_wrong_root_is_refused(path, audience):
    with pytest.raises(BlindingError, match="may not be written"):
        check_destination(Path(path), audience=audience)


def test_the_right_root_passes():
    check_destination(Path("/data/closed/best/out/open/report.html"), audience="open")
    check_destination(Path("out/dummy/results/mixed.json"), audience="closed")
    check_destination(Path("out/open/results/flow.json"), audience="open")


def test_an_unknown_family_names_those_there_are():
    with pytest.raises(SpecError, match="occupation"):
        family_named("regression")


class _Broken:
    @staticmethod
    def fit(entry, data, spec):
        raise ModelError("nobody has an event.")


def test_a_failed_secondary_analysis_is_a_value(allocated, spec, monkeypatch):
    monkeypatch.setattr(registry.importlib, "import_module", lambda name: _Broken)
    results = fit_all(FAMILIES["hazard"], allocated, spec)
    assert all(isinstance(result, Failure) and "nobody has an event" in result.reason for result in results)


@pytest.mark.parametrize("name", ["mixed", "harms"])
def test_a_failed_primary_or_safety_analysis_fails_the_run(allocated, spec, monkeypatch, name):
    monkeypatch.setattr(registry.importlib, "import_module", lambda name: _Broken)
    with pytest.raises(ModelError, match="could not be fitted"):
        fit_all(FAMILIES[name], allocated, spec)

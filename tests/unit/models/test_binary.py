"""Binary outcomes: bands by form, counts, what standardisation collapses to, and the refusals."""

from dataclasses import replace

import numpy as np
import pytest

from analysis.data.allocation import ARM, read_allocated
from analysis.errors import ModelError
from analysis.models import binary
from analysis.models.linear import outcome_rows
from analysis.models.registry import FAMILIES, fit_all
from analysis.results import Failure, select
from analysis.spec.visit_outcomes import ScoreEvent


@pytest.fixture(scope="module")
def closed(trial, spec):
    return read_allocated(trial.allocated, spec, view="closed")


def changed(spec, **update):
    return spec.analyses["A22A"].model_copy(update=update)


def events(result):
    return {each.labels["arm"]: each.value for each in select(result.counts, name="events")}


def with_outcomes(data, **columns):
    outcomes = data.tables["outcomes"].assign(**columns)
    return replace(data, tables={**data.tables, "outcomes": outcomes})


def test_the_bands_are_those_of_the_form_answered(closed, spec):
    """Sixteen points are abnormal on the form for 2 to 4 years and borderline on the other."""
    entry = spec.analyses["A22A"]
    rows = outcome_rows(closed, entry)
    cut = np.where(rows["form"] == "2-4", 16, 17)
    expected = (rows["value"] >= cut).groupby(rows[ARM]).sum().to_dict()
    assert events(binary.fit(entry, closed, spec)) == expected
    assert ((rows["value"] == 16) & (rows["form"] == "4-17")).any()
    assert ((rows["value"] == 16) & (rows["form"] == "2-4")).any()


def test_bands_together_are_a_cut_point(closed, spec):
    above = changed(spec, event=ScoreEvent(at_least=14))
    rows = outcome_rows(closed, above)
    only = with_outcomes(
        closed, value=closed.tables["outcomes"]["value"].where(closed.tables["outcomes"]["form"].ne("2-4"))
    )
    banded = binary.fit(spec.analyses["A22B"], only, spec)
    assert events(banded) == events(binary.fit(above, only, spec))
    assert sum(events(banded).values()) < (rows["value"] >= 14).sum()


def test_a_cut_from_above_is_the_complement_of_one_from_below(closed, spec):
    high = binary.fit(changed(spec, event=ScoreEvent(at_least=11)), closed, spec)
    low = binary.fit(changed(spec, event=ScoreEvent(at_most=10)), closed, spec)
    one, two = (select(each.estimates, name="risk_difference")[0] for each in (high, low))
    assert one.value == pytest.approx(-two.value, rel=1e-8)
    assert one.se == pytest.approx(two.se, rel=1e-8)
    (ratio,) = select(high.estimates, name="risk_ratio")
    risk = {each.labels["arm"]: each.value for each in select(high.estimates, name="risk")}
    assert ratio.value == pytest.approx(risk["NIM"] / risk["SAU"])
    assert one.value == pytest.approx(risk["NIM"] - risk["SAU"])


def test_without_covariates_the_risks_are_the_raw_shares(closed, spec):
    result = binary.fit(changed(spec, covariates=()), closed, spec)
    for arm, n in events(result).items():
        (children,) = select(result.counts, name="children", arm=arm, set="analysed")
        (risk,) = select(result.estimates, name="risk", arm=arm)
        assert risk.value == pytest.approx(n / children.value)


def test_an_arm_without_events_is_a_failure_that_is_printed(closed, spec):
    outcomes = closed.tables["outcomes"]
    none = with_outcomes(closed, value=outcomes["value"].where(outcomes[ARM] == "NIM", outcomes["value"] * 0))
    results = {each.analysis: each for each in fit_all(FAMILIES["binary"], none, spec)}
    failed = results["A22A"]
    assert isinstance(failed, Failure) and not failed.essential
    assert failed.reason == "arm SAU has no event; a logistic model has no maximum."


def test_columns_that_separate_are_refused(closed, spec):
    """The one child without a sex has the event."""
    entry = changed(spec, covariates=spec.analyses["A01"].covariates)
    with pytest.raises(ModelError, match="separate those with and without the event"):
        binary.fit(entry, closed, spec)


def test_a_form_without_bands_is_refused(closed, spec):
    outcomes = closed.tables["outcomes"]
    strange = with_outcomes(closed, form=outcomes["form"].mask(outcomes["form"] == "2-4", "0-1"))
    with pytest.raises(ModelError, match="155 children answered a form without bands of three_band"):
        binary.fit(spec.analyses["A22A"], strange, spec)


def test_the_method_says_when_a_score_is_an_event(closed, spec):
    method = binary.fit(spec.analyses["A22A"], closed, spec).method
    assert "16 to 40 of the 2-4 form (abnormal), 17 to 40 of the 4-17 form (abnormal)" in method
    assert "Event: 40 or less." in binary.fit(spec.analyses["A22C"], closed, spec).method

"""Every number of the trial's own models against R on the same tables."""

import math
from pathlib import Path

import pandas as pd
import pytest
from scipy.special import ndtri

from analysis.data.allocation import read_allocated
from analysis.models.registry import FAMILIES, fit_all
from tests.reference.trial.export import digests, inputs

HERE = Path(__file__).parent
ESTIMATE, SE, DF = 1e-6, 1e-5, 1e-2
# R's gls and lme stop their search for the covariance earlier than lmer.
# And lmer stops a little short of a variance between families that is a hundredth of the other (A09C).
# coxph() approaches a variance of the frailty by the likelihood alone: class t2.
LOOSER = {"A04": 1e-4, "A04H1": 1e-5, "A04H2": 1e-5, "A09C": 1e-5, "A30F": 1e-4}
LOOSER_SE = {"A30F": 1e-3}
FITTED = (
    *("mixed", "averages", "binary", "subgroups"),
    *("hazard", "frailty", "proportionality", "routes", "incidence", "occupation", "recurrence"),
)
# Where a probability or a number of days is near zero a relative bound has no meaning.
NEAR_ZERO = 1e-9


@pytest.fixture(scope="module")
def estimates(trial, spec):
    data = read_allocated(trial.allocated, spec, view="closed")
    return {
        result.analysis: result.estimates for name in FITTED for result in fit_all(FAMILIES[name], data, spec)
    }


def expected() -> list[tuple]:
    frame = pd.read_csv(HERE / "expected.csv", dtype={"day": str}, keep_default_na=False)
    rows = frame[frame["label"] != "(s0)"]
    return [tuple(row) for row in rows.itertuples(index=False)]


def find(estimates, analysis, name, arm, label, day):
    """The one estimate with these labels."""

    def fits(each):
        labels = each.labels
        here = labels.get("arm", ""), _other(labels), labels.get("day", "")
        return each.name == name and here == (arm, label, day)

    (found,) = [each for each in estimates[analysis] if fits(each)]
    return found


def _other(labels) -> str:
    """Labels beside those of every estimate, and what groups were made by."""
    values = [value for key, value in labels.items() if key not in ("arm", "contrast", "day", "by")]
    return (": " if "moderator" in labels else " ").join(values)


def standard_error(estimate) -> float:
    """Of a ratio, that of its logarithm: its limits are as far from it on either side."""
    if estimate.se is not None:
        return estimate.se
    return math.log(estimate.high / estimate.low) / (2 * ndtri((1 + estimate.level) / 2))


def test_the_reference_is_about_the_tables_of_today(trial):
    for name, frame in inputs(trial.allocated).items():
        kept = pd.read_csv(HERE / f"input-{name}.csv", dtype=str, keep_default_na=False)
        pd.testing.assert_frame_equal(frame.reset_index(drop=True), kept)


def test_a_report_can_tell_that_they_are(trial):
    """Where this fails and the test above does not, make tables.csv anew: R need not run again."""
    kept = pd.read_csv(HERE / "tables.csv")
    here = digests(trial.allocated)
    given = here[here["table"].isin(kept["table"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(given, kept)


@pytest.mark.parametrize("analysis", sorted({row[0] for row in expected()}))
def test_every_number_agrees_with_r(estimates, analysis):
    rows = [row for row in expected() if row[0] == analysis]
    assert rows
    for _, quantity, arm, label, day, value, se, df in rows:
        name, _, part = quantity.partition(".")
        ours, where = find(estimates, analysis, name, arm, label, day), (quantity, arm, label, day)
        close = LOOSER.get(analysis, ESTIMATE)
        assert getattr(ours, part or "value") == pytest.approx(float(value), rel=close, abs=NEAR_ZERO), where
        if se != "":
            close = LOOSER_SE.get(analysis, SE)
            assert standard_error(ours) == pytest.approx(float(se), rel=close, abs=NEAR_ZERO), where
        if df != "":
            assert ours.df == pytest.approx(float(df), abs=DF)

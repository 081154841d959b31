"""Baseline scores parted by their date, counted by hand."""

import statistics

import pytest

from analysis.data.allocation import read_allocated
from analysis.models import baseline
from analysis.results import select
from analysis.spec.sap import REMOVED_BEFORE
from tests.unit.models.small_trial import altered


@pytest.fixture(scope="module")
def closed(trial, spec):
    return read_allocated(trial.allocated, spec, view="closed")


def by_hand(closed, arm: str) -> dict[str, list[float]]:
    people = closed.tables["subjects"].set_index("child_id")
    values: dict[str, list[float]] = {"before": [], "after": []}
    for row in closed.tables["outcomes"].itertuples():
        here = (row.parameter, row.visit) == ("SDQ_TOTAL", "V3") and row.value == row.value
        if here and people["is_randomised"][row.child_id] and people["arm"][row.child_id] == arm:
            early = row.date <= people["randomisation_date"][row.child_id]
            values["before" if early else "after"].append(float(row.value))
    return values


@pytest.mark.parametrize("arm", ["NIM", "SAU"])
def test_scores_are_parted_by_their_date(closed, spec, arm):
    result = baseline.fit(spec.analyses["B01"], closed, spec)
    for dated, values in by_hand(closed, arm).items():
        where = {"variable": "SDQ_TOTAL", "arm": arm, "dated": dated}
        (n,) = select(result.counts, name="n_dated", **where)
        (mean,) = select(result.estimates, name="mean_dated", **where)
        (sd,) = select(result.estimates, name="sd_dated", **where)
        assert n.value == len(values) > 1
        assert mean.value == pytest.approx(statistics.mean(values))
        assert sd.value == pytest.approx(statistics.stdev(values))


def test_a_visit_called_off_as_the_family_was_removed_was_not_missed(closed, spec):
    """One family was removed before the visit, one after a visit it had missed, and one only withdrew."""
    outcomes = closed.tables["outcomes"]
    scores = outcomes[(outcomes["parameter"] == "SDQ_TOTAL") & (outcomes["visit"] == "V3")]
    absent = scores.loc[scores["missing_reason"] == "not_attended", "child_id"]
    people = closed.tables["subjects"]
    here = people[people["is_randomised"] & people["child_id"].isin(absent)]
    removed, missed, kept = here["child_id"].to_list()[:3]

    def at_baseline(rows):
        off = rows["child_id"].isin([removed, kept]) & (rows["visit"] == "V3")
        standing = rows["standing"].mask(rows["visit"] == "V3", "missed").mask(off, "withdrawn")
        return rows.assign(standing=standing)

    def of_two(rows):
        gone = rows["child_id"].isin([removed, missed])
        day = rows["randomisation_date"].where(gone)
        return rows.assign(removed_date=day)

    found = baseline.fit(spec.analyses["B01"], altered(closed, subjects=of_two, visits=at_baseline), spec)
    counts = select(found.counts, name="missing", variable="SDQ_TOTAL")
    told = [
        sum(each.value for each in select(counts, reason=reason))
        for reason in (REMOVED_BEFORE, "not_attended")
    ]
    assert told == [1, len(here) - 1]

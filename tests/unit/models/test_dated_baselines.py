"""Baseline scores parted by their date, counted by hand."""

import statistics

import pytest

from analysis.data.allocation import read_allocated
from analysis.models import baseline
from analysis.results import select


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

"""What is said of covariates that are missing: counted for everybody, told to who looks it up."""

import pytest

from analysis.data.allocation import read_allocated
from analysis.models import mixed
from analysis.results import select


@pytest.fixture(scope="module")
def primary(trial, spec):
    closed = read_allocated(trial.allocated, spec, view="closed")
    return mixed.fit(spec.analyses["A01"], closed, spec), closed


def test_the_children_with_a_baseline_are_counted(primary, spec):
    result, closed = primary
    outcomes = closed.tables["outcomes"]
    subjects = closed.tables["subjects"].set_index("child_id")
    known = {"yes": 0, "no": 0}
    for row in outcomes.itertuples():
        here = (row.parameter, row.visit) == ("SDQ_TOTAL", "V5") and subjects["is_followed_up"][row.child_id]
        if here and row.value == row.value:
            known["yes" if row.base == row.base else "no"] += 1
    found = {each.labels["is"]: each.value for each in select(result.counts, name="baseline_known")}
    assert found == known and min(known.values()) > 0


def test_covariates_are_called_by_their_titles_among_the_details(primary):
    result, _ = primary
    assert any(each.startswith("Sex: missing for ") for each in result.details)
    assert not any("indicator added" in each for each in result.notes)
    assert "with an indicator)" in result.method

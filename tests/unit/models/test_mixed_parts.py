"""Mixed models of the plan: parts of the trial, families removed, and variances of each group."""

from dataclasses import replace

import numpy as np
import pytest

from analysis.data.allocation import read_allocated
from analysis.errors import ModelError
from analysis.models import mixed
from analysis.results import select
from analysis.spec.visit_outcomes import Restriction


@pytest.fixture(scope="module")
def closed(trial, spec):
    return read_allocated(trial.allocated, spec, view="closed")


def difference(result):
    return select(result.estimates, name="difference")[0]


def sizes(result, which):
    return sum(each.value for each in select(result.counts, name="children", set=which))


def test_parts_of_the_trial_add_up_to_all(closed, spec):
    results = {f"A09{each}": mixed.fit(spec.analyses[f"A09{each}"], closed, spec) for each in "ABCDEF"}
    for which in ("due", "analysed"):
        whole = sizes(results["A09A"], which)
        assert sizes(results["A09B"], which) + sizes(results["A09C"], which) == whole
        assert sum(sizes(results[f"A09{each}"], which) for each in "DEF") == whole


def test_a_part_is_the_analysis_of_a_trial_that_has_nobody_else(closed, spec):
    entry = spec.analyses["A09B"]
    subjects = closed.tables["subjects"]
    only = replace(closed, tables={**closed.tables, "subjects": subjects[subjects["site"] == "GLA"]})
    whole = mixed.fit(entry.model_copy(update={"within": None}), only, spec)
    assert difference(mixed.fit(entry, closed, spec)) == difference(whole)


def test_a_part_with_nobody_says_which(closed, spec):
    entry = spec.analyses["A09B"].model_copy(
        update={"within": Restriction(**{"column": "site", "is": "EDI"})}
    )
    with pytest.raises(ModelError, match="population followed_up with site EDI"):
        mixed.fit(entry, closed, spec)


def test_families_removed_are_analysed_where_their_outcome_was_collected(closed, spec):
    """Some families that were followed up are given a day of removal: A01 leaves them out, A09A does not."""
    subjects = closed.tables["subjects"]
    gone = subjects["family_id"].isin(subjects.loc[subjects["is_followed_up"], "family_id"].unique()[:22])
    removed = subjects.assign(
        removed_date=subjects["removed_date"].mask(gone, subjects["randomisation_date"]),
        is_followed_up=subjects["is_followed_up"] & ~gone,
    )
    data = replace(closed, tables={**closed.tables, "subjects": removed})
    kept, everybody = (mixed.fit(spec.analyses[name], data, spec) for name in ("A01", "A09A"))
    assert sizes(kept, "analysed") < sizes(everybody, "analysed") == 351
    said = [note for note in everybody.notes if "removed" in note]
    assert said and said[0].endswith(f" {351 - sizes(kept, 'analysed')} children.")
    assert difference(everybody).value == difference(mixed.fit(spec.analyses["A01"], closed, spec)).value
    assert not any("removed" in note for note in kept.notes)


def test_each_group_has_its_variances_and_they_are_those_of_its_own_children(closed, spec):
    """With every effect differing between sites the model is one per site."""
    result = mixed.fit(spec.analyses["A04H2"], closed, spec)
    for group, alone in (("GLA", "A09B"), ("LON", "A09C")):
        family, residual = (
            select(result.estimates, name="variance", component=each, group=group)[0].value
            for each in ("family", "residual")
        )
        (share,) = select(result.estimates, name="icc", group=group)
        assert share.value == pytest.approx(family / (family + residual))
        parts = select(mixed.fit(spec.analyses[alone], closed, spec).estimates, name="variance")
        assert family + residual == pytest.approx(sum(each.value for each in parts), rel=0.05)
    assert "variances of both levels of their own for each site" in result.method


def test_a_noisier_arm_is_found_by_its_variances(closed, spec):
    outcomes = closed.tables["outcomes"]
    rng = np.random.default_rng(5)
    noise = np.where(outcomes["arm"] == "NIM", rng.normal(0.0, 20.0, len(outcomes)), 0.0)
    data = replace(
        closed, tables={**closed.tables, "outcomes": outcomes.assign(value=outcomes["value"] + noise)}
    )
    result = mixed.fit(spec.analyses["A04H1"], data, spec)
    by_arm = {
        each.labels["group"]: each.value
        for each in select(result.estimates, name="variance", component="residual")
    }
    assert by_arm["NIM"] > 5 * by_arm["SAU"]


def test_missing_baselines_by_reason_have_a_coefficient_each(closed, spec):
    terms = [
        each.labels["term"]
        for each in mixed.fit(spec.analyses["A01R"], closed, spec).estimates
        if each.name == "coefficient" and "base missing" in each.labels["term"]
    ]
    assert terms == ["base missing not_due_age", "base missing after_randomisation", "base missing other"]

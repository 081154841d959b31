"""Subgroups: interaction first; a moderator that cannot be estimated is named and not hidden."""

from dataclasses import replace

import pytest

from analysis.data.allocation import ARM, read_allocated
from analysis.errors import ModelError
from analysis.models import mixed, subgroups
from analysis.results import select


@pytest.fixture(scope="module")
def closed(trial, spec):
    return read_allocated(trial.allocated, spec, view="closed")


@pytest.fixture(scope="module")
def entry(spec):
    return spec.analyses["A10"]


def with_subjects(data, subjects):
    return replace(data, tables={**data.tables, "subjects": subjects})


def test_every_group_of_every_moderator_has_an_effect_and_every_moderator_one_test(closed, entry, spec):
    result = subgroups.fit(entry, closed, spec)
    for moderator in entry.moderators:
        assert len(select(result.estimates, name="interaction", moderator=moderator.label)) == 1
        effects = select(result.estimates, name="difference", moderator=moderator.label)
        assert len(effects) >= 2
        if moderator.groups:
            assert tuple(each.labels["level"] for each in effects) == moderator.groups
    assert not any("not estimable" in note for note in result.notes)


def test_groups_together_are_the_children_whose_moderator_is_known(closed, entry, spec):
    result = subgroups.fit(entry, closed, spec)
    whole = sum(each.value for each in select(result.counts, name="children", set="analysed"))
    for moderator in entry.moderators:
        parts = sum(each.value for each in select(result.counts, name="children", moderator=moderator.label))
        said = [note for note in result.notes if note.startswith(f"{moderator.label}: not known")]
        assert parts == whole if not said else parts < whole and str(whole - parts) in said[0]


def test_an_interaction_of_two_groups_is_the_squared_t_of_their_difference(closed, entry, spec):
    """With one product the F statistic is that of its coefficient, and the effects differ by it."""
    result = subgroups.fit(entry, closed, spec)
    site, one = select(result.estimates, name="difference", moderator="Site"), "interaction"
    (test,) = select(result.estimates, name=one, moderator="Site")
    assert test.ndf == 1
    assert (test.value > 3.9) == (test.p < 0.05)
    assert site[0].value != site[1].value


def test_a_group_without_an_arm_leaves_the_other_moderators(closed, entry, spec):
    """All girls of one arm lose their outcome's sex: the moderator is named, the rest is estimated."""
    subjects = closed.tables["subjects"]
    gone = (subjects["sex"] == "F") & (subjects[ARM] == "NIM")
    result = subgroups.fit(
        entry, with_subjects(closed, subjects.assign(sex=subjects["sex"].mask(gone))), spec
    )
    assert not select(result.estimates, moderator="Sex")
    assert select(result.estimates, moderator="Site")
    assert "Sex: not estimable, arm NIM has nobody in the group F." in result.notes


def test_no_moderator_at_all_is_a_failure(closed, entry, spec):
    same = entry.model_copy(update={"moderators": entry.moderators[:1]})
    one_site = with_subjects(closed, closed.tables["subjects"].assign(site="GLA"))
    with pytest.raises(ModelError, match="Site: not estimable, all children are in one group"):
        subgroups.fit(same, one_site, spec)


def test_a_negative_correlation_is_allowed_where_the_plan_says_so(closed, spec):
    """A04 on outcomes made to differ within families more than between them."""
    outcomes = closed.tables["outcomes"]
    first = ~outcomes.duplicated(["family_id", "parameter", "visit"])
    siblings = outcomes.duplicated(["family_id", "parameter", "visit"], keep=False)
    apart = outcomes["value"].mask(siblings & first, 5.0).mask(siblings & ~first, 25.0)
    data = replace(closed, tables={**closed.tables, "outcomes": outcomes.assign(value=apart)})
    (found,) = select(mixed.fit(spec.analyses["A04"], data, spec).estimates, name="icc")
    (bound,) = select(mixed.fit(spec.analyses["A01"], data, spec).estimates, name="icc")
    assert found.value < 0 == bound.value

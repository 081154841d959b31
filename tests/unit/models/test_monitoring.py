"""Monitoring in every situation a committee may meet: an answer that says so, found a second time."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.data.allocation import read_allocated
from analysis.errors import BlindingError, ModelError, ReportError
from analysis.models import mixed, monitoring, nuisance
from analysis.qc.agreement import agree
from analysis.qc.kept import Kept
from analysis.qc.tables import read_tables
from analysis.results import Result, ResultFile, Stamp, read_results, select, to_json
from analysis.spec.coded_arms import coded
from analysis.spec.edition import edition
from analysis.steps.common import results_of_last_meeting
from tests.unit.models.small_trial import altered

LOOKS = ("2014-12-31", "2017-06-30", "2020-06-30", "2023-12-31")
SDQ = "SDQ_TOTAL"


@pytest.fixture(scope="module")
def closed(trial, spec):
    """With the events of a few families only, which are enough for a hazard ratio."""
    return altered(read_allocated(trial.allocated, spec, view="closed"), events=of_families(0.25))


@pytest.fixture(scope="module")
def tables(trial, spec):
    read = read_tables(trial.allocated, spec)
    return replace(read, frames={**read.frames, "events": of_families(0.25)(read.frames["events"])})


def of_families(share: float):
    """The first so many of the families, by name."""

    def keep(rows):
        names = sorted(rows["family_id"].unique())
        return rows[rows["family_id"].isin(names[: int(share * len(names))])]

    return keep


def moved(by: float, *, spread: float = 1.0, noise: float = 0.0):
    """SDQ of the intervention arm moved, all of them spread about their mean, with noise or without."""

    def change(rows):
        here = rows["parameter"] == SDQ
        mean, rng = rows.loc[here, "value"].mean(), np.random.default_rng(1)
        value = mean + spread * (rows["value"] - mean) + by * (rows["arm"] == "NIM")
        return rows.assign(value=rows["value"].mask(here, value + noise * rng.normal(size=len(rows))))

    return change


class Meetings:
    """Meetings one after the other, each with the results of the last.

    Every number is found again; where a meeting is `only` to be there before another, at that one.
    """

    def __init__(self, data, tables, spec, folder):
        self.data, self.tables, self.spec, self.folder = data, tables, spec, folder
        self.earlier = ()

    def hold(self, cut: str, *, only: bool = False, **edits) -> Result:
        day = pd.Timestamp(cut)
        edits["recruitment"] = lambda rows: rows.assign(cut_date=day)
        entry, seen = self.spec.analyses["A70"], altered(self.data, **edits)
        found = monitoring.fit(entry, seen, self.spec, earlier=self.earlier)
        if not only:
            self.find_again(found, edits)
        path = self.folder / "monitoring.json"
        path.write_text(to_json(ResultFile(Stamp("closed", cut, "1", "a", "b", {}), (found,))))
        self.earlier = read_results(path).results
        return found

    def find_again(self, found: Result, edits: dict) -> None:
        theirs = {name: edit(self.tables.frames[name]) for name, edit in edits.items()}
        second = replace(self.tables, frames={**self.tables.frames, **theirs}, earlier=self.earlier)
        (agreed,) = agree({"A70": found}, second, Kept())
        assert agreed.n > 5 and [each.name for each in agreed.differing] == []


@pytest.fixture
def meetings(closed, tables, spec, tmp_path):
    return Meetings(closed, tables, spec, tmp_path)


def value(result: Result, name: str, **labels: str) -> float | None:
    (found,) = select(result.estimates, name=name, **labels)
    return found.value


def says(result: Result, text: str) -> bool:
    return any(text in note for note in result.notes)


def test_information_is_that_of_the_primary_analysis(closed, spec, meetings) -> None:
    found = meetings.hold(LOOKS[2])
    main = mixed.fit(spec.analyses["A01"], closed, spec)
    (difference,) = select(main.estimates, name="difference")
    assert value(found, "information", state="now") == pytest.approx(difference.se**-2, rel=1e-12)
    z = np.sign(difference.value) * stats.norm.isf(stats.t.sf(abs(difference.statistic), difference.df))
    assert value(found, "z", state="now") == pytest.approx(z, rel=1e-9)
    n = {each.name: each.value for each in select(found.counts, state="now") if "arm" not in each.labels}
    for of in ("children", "families"):
        share = n[of] / value(found, "maximum", of=of)
        assert value(found, "fraction", state="now", of=of) == pytest.approx(share)
    assert says(found, "No look before this one was handed over")


def test_looks_are_kept_and_their_boundaries_stand(meetings, spec) -> None:
    first = meetings.hold(LOOKS[1], only=True, subjects=of_families(0.3))
    second = meetings.hold(LOOKS[2], subjects=of_families(0.6))
    assert value(second, "critical", look="1") == value(first, "critical", state="now")
    assert value(second, "z", look="1", state="taken") == value(first, "z", state="now")
    assert [each.labels["look"] for each in select(second.estimates, name="spent")] == ["1", "2", "3"]
    # Unequal information: the boundary planned for this look was of another fraction.
    planned = value(first, "critical", state="planned", cut=LOOKS[2])
    assert value(second, "critical", state="now") != pytest.approx(planned, abs=1e-3)
    assert value(second, "spent", state="now") > value(first, "spent", state="now")
    last = meetings.hold(LOOKS[3])
    assert value(last, "spent", state="now") == pytest.approx(spec.analyses["A70"].spending.alpha)
    assert says(last, "it spends what was left of the error") and not select(last.estimates, state="planned")
    assert value(last, "adjusted_difference") == pytest.approx(
        value(last, "difference", state="now"), abs=0.05
    )
    assert not select(last.estimates, name="conditional_power")


def test_a_changed_plan_leaves_boundaries_that_were_used(meetings, spec) -> None:
    first = meetings.hold(LOOKS[1], only=True, subjects=of_families(0.5))
    entry = spec.analyses["A70"]
    spending = entry.spending.model_copy(update={"kind": "pocock"})
    changed = {**spec.analyses, "A70": entry.model_copy(update={"spending": spending})}
    meetings.spec = replace(spec, analyses=changed)
    meetings.tables = replace(meetings.tables, spec=meetings.spec)
    second = meetings.hold(LOOKS[2], subjects=of_families(0.8))
    assert value(second, "critical", look="1") == value(first, "critical", state="now")
    assert value(second, "critical", state="now") < 2.5


@pytest.mark.parametrize(("by", "side"), [(-9.0, "below"), (9.0, "above")])
def test_a_crossing_and_the_look_after_it(meetings, by: float, side: str) -> None:
    stopped = meetings.hold(LOOKS[2], only=side == "above", subjects=of_families(0.6), outcomes=moved(by))
    assert says(stopped, f"crossed the boundary {side}")
    naive, adjusted = value(stopped, "difference", state="now"), value(stopped, "adjusted_difference")
    assert adjusted == pytest.approx(naive, rel=1e-6)  # at a first look nothing is adjusted
    assert not select(stopped.estimates, state="planned") and not select(
        stopped.estimates, name="predictive_power"
    )
    after = meetings.hold(LOOKS[3], outcomes=moved(by))
    assert says(after, "The boundary was crossed at look 1, of 2020-06-30") and says(after, "overrunning")
    assert value(after, "critical", state="now") is None
    assert value(after, "spent", state="now") == value(stopped, "spent", state="now")
    found = {each.labels["of"]: each for each in select(after.estimates, name="adjusted_difference")}
    assert found["the look that stopped"].value == pytest.approx(adjusted)
    assert found["the data since"].value == pytest.approx(value(after, "difference", state="now"), rel=1e-6)


def test_a_later_crossing_is_adjusted_towards_none(meetings) -> None:
    meetings.hold(LOOKS[1], only=True, subjects=of_families(0.35), outcomes=moved(-2.5))
    stopped = meetings.hold(LOOKS[2], subjects=of_families(0.7), outcomes=moved(-5.0))
    assert says(stopped, "crossed the boundary below")
    (adjusted,) = select(stopped.estimates, name="adjusted_difference")
    naive = value(stopped, "difference", state="now")
    assert naive < adjusted.value < 0 and adjusted.low < naive < adjusted.high


def test_information_that_falls_tests_and_spends_nothing(meetings) -> None:
    first = meetings.hold(LOOKS[1], only=True, subjects=of_families(0.5))
    fallen = meetings.hold(LOOKS[2], only=True, subjects=of_families(0.5), outcomes=moved(0.0, noise=4.0))
    assert says(fallen, "has fallen since look 1")
    assert value(fallen, "critical", state="now") is None
    assert value(fallen, "spent", state="now") == value(first, "spent", state="now")
    assert select(fallen.estimates, name="conditional_power", side="either")
    last = meetings.hold(LOOKS[3])
    assert value(last, "critical", state="now") < 2.1


def test_information_that_has_fallen_at_the_last_look_is_tested_with_what_is_left(meetings) -> None:
    first = meetings.hold(LOOKS[2], only=True)
    last = meetings.hold(LOOKS[3], outcomes=moved(0.0, noise=4.0))
    assert says(last, "by Bonferroni") and not select(last.estimates, name="adjusted_difference")
    left = 0.05 - value(first, "spent", state="now")
    assert value(last, "critical", state="now") == pytest.approx(stats.norm.isf(left / 2))


def test_the_same_data_again_are_no_look(meetings) -> None:
    meetings.hold(LOOKS[1], only=True, subjects=of_families(0.5))
    again = meetings.hold("2017-12-31", subjects=of_families(0.5))
    assert says(again, "has not risen by 1%") and says(again, "not among the planned looks")


def test_information_beyond_the_maximum_spends_all(meetings) -> None:
    beyond = meetings.hold(LOOKS[2], outcomes=moved(0.0, spread=0.5))
    assert says(beyond, "beyond the maximum of the design")
    assert value(beyond, "spent", state="now") == pytest.approx(0.05)
    assert not select(beyond.estimates, state="planned")
    assert select(beyond.estimates, name="adjusted_difference")
    after = meetings.hold(LOOKS[3], outcomes=moved(0.0, spread=0.4))
    assert says(after, "All error was spent at look 1") and value(after, "critical", state="now") is None


def without_outcome(rows):
    return rows.assign(value=rows["value"].mask(rows["parameter"] == SDQ))


def of_one_arm(rows):
    return rows[rows["arm"] == "NIM"]


def without_events(rows):
    return rows.assign(cause=None)


def nobody(rows):
    return rows[:0]


def test_a_cut_before_the_first_outcome_is_a_look_without_an_estimate(meetings) -> None:
    early = meetings.hold(LOOKS[0], outcomes=without_outcome)
    assert says(early, "nobody has the outcome yet")
    for name in ("information", "z", "critical"):
        assert value(early, name, state="now") is None
    assert value(early, "spent", state="now") == 0
    assert {each.value for each in select(early.counts, name="children")} == {0}
    assert [each.labels["cut"] for each in select(early.estimates, name="critical", state="planned")] == [
        *LOOKS[1:]
    ]
    assert not select(early.estimates, name="conditional_power")
    later = meetings.hold(LOOKS[1], subjects=of_families(0.4))
    assert value(later, "critical", state="now") is not None and not says(later, "handed over")


def test_an_arm_that_is_empty_so_far_is_told(meetings) -> None:
    early = meetings.hold(LOOKS[0], subjects=of_one_arm)
    assert says(early, "arm SAU has nobody to analyse") and says(early, "No hazard ratio of A30")
    assert value(early, "z", state="now") is None and value(early, "event_z", state="now") is None


@pytest.mark.parametrize("edit", [without_events, nobody])
def test_no_events_is_no_hazard_ratio(meetings, edit) -> None:
    found = meetings.hold(LOOKS[1], events=edit)
    assert says(found, "No hazard ratio of A30") and value(found, "event_z", state="now") is None
    assert {each.value for each in select(found.counts, name="events")} == {0}
    assert value(found, "z", state="now") is not None


def test_limits_of_the_time_to_an_event_are_fixed(meetings) -> None:
    for cut, level in ((LOOKS[2], 0.001), (LOOKS[3], 0.05)):
        found = meetings.hold(cut, **({"subjects": of_families(0.6)} if level < 0.05 else {}))
        limit = value(found, "event_critical", state="now")
        assert limit == pytest.approx(stats.norm.isf(level / 2), rel=1e-12)


def test_looks_of_a_later_cut_are_refused(meetings, closed, spec) -> None:
    meetings.hold(LOOKS[3], only=True)
    with pytest.raises(ModelError, match="not of earlier data cuts"):
        meetings.hold(LOOKS[2])
    with pytest.raises(ModelError, match="has no looks of A70"):
        monitoring.fit(
            spec.analyses["A70"], closed, spec, earlier=(replace(meetings.earlier[0], analysis="X"),)
        )


def test_coded_arms_have_the_difference_of_the_design_both_ways(closed, spec) -> None:
    """Whichever service is called A, the numbers are mirrored and none of them is missing."""
    plan, found = coded(edition(spec, LOOKS[1])), {}
    for intervention, names in (("A", {"NIM": "A", "SAU": "B"}), ("B", {"NIM": "B", "SAU": "A"})):
        tables = {name: rows.assign(arm=rows["arm"].map(names)) for name, rows in closed.tables.items()}
        data = replace(closed, tables=tables, arms=("B", "A"))
        day = pd.Timestamp(LOOKS[1])
        half = altered(
            data, subjects=of_families(0.5), recruitment=lambda rows, day=day: rows.assign(cut_date=day)
        )
        found[intervention] = monitoring.fit(plan.analyses["A70"], half, plan)
    mirrored = {"design": "design, the other way", "design, the other way": "design", "none": "none"}
    sides = {"above": "below", "below": "above"}
    for drift, other in mirrored.items():
        for side, opposite in sides.items():
            first = value(found["A"], "conditional_power", drift=drift, side=side)
            second = value(found["B"], "conditional_power", drift=other, side=opposite)
            assert first == pytest.approx(second, rel=1e-9)


def test_nothing_is_told_of_the_outcome_of_a_few_families(closed, spec) -> None:
    entry = spec.analyses["N14"]
    few = nuisance.fit(entry, altered(closed, subjects=of_families(0.04)), spec)
    assert says(few, "fewer than 20 families have the outcome; nothing is projected")
    told = [each for each in select(few.estimates, set="observed") if each.value is not None]
    assert {each.name for each in told} == {"kept", "retention"}


def test_families_removed_do_not_bring_the_outcome(closed, spec) -> None:
    """Retention is of the families kept; at the end are those kept and retained of those randomised."""
    entry = spec.analyses["N14"]
    randomised = sorted(closed.tables["recruitment"]["family_id"].dropna().unique())
    known = set(closed.tables["outcomes"].query("parameter == @SDQ and visit == 'V5'")["family_id"])
    gone = [each for each in randomised if each not in known][:20]

    def removed(rows):
        return rows.assign(is_eligible=rows["is_eligible"] & ~rows["family_id"].isin(gone))

    found = nuisance.fit(entry, altered(closed, subjects=removed), spec)
    kept, retention, end = (
        value(found, name, set="observed") for name in ("kept", "retention", "families_at_end")
    )
    (families,) = (each.value for each in select(found.counts, name="families", set="kept"))
    eligible = removed(closed.tables["subjects"]).query("is_eligible")["family_id"].nunique()
    assert families == eligible and kept == eligible / len(randomised) < 1
    planned = spec.analyses[entry.monitors].design.families
    assert end == pytest.approx(planned * kept * retention)
    needed, to_randomise = (
        value(found, name, set="observed") for name in ("families_needed", "families_to_randomise")
    )
    assert needed / to_randomise == pytest.approx(end / planned)


def test_retention_is_of_closed_windows(closed, spec) -> None:
    """Those who may still come are not counted, and neither are those who came or withdrew before them."""
    opened = altered(closed, visits=lambda rows: rows.assign(is_due=rows["is_due"] & (rows.index % 2 == 0)))
    found, whole = (nuisance.fit(spec.analyses["N14"], data, spec) for data in (opened, closed))
    visits = opened.tables["visits"]
    due = visits[(visits["visit"] == "V5") & visits["is_due"]]["child_id"].nunique()
    (children,) = select(found.counts, name="children", set="due")
    (all_children,) = select(whole.counts, name="children", set="due")
    assert children.value <= due < all_children.value


def test_nuisance_parameters_do_not_know_the_arms(closed, spec, trial) -> None:
    entry = spec.analyses["N14"]
    found = nuisance.fit(entry, closed, spec)
    swapped = {"NIM": "SAU", "SAU": "NIM"}
    turned = altered(
        closed,
        **{name: lambda rows: rows.assign(arm=rows["arm"].map(swapped)) for name in ("subjects", "outcomes")},
    )
    assert nuisance.fit(entry, turned, spec) == found
    named = [each.labels for each in (*found.estimates, *found.counts)]
    assert {labels.get("arm", "All") for labels in named} == {"All"}
    assert not any("contrast" in labels for labels in named)


def test_pooling_adds_a_quarter_of_the_squared_difference(closed, spec) -> None:
    """Of arms of one size; the covariates are left out, so that nothing else moves."""
    watched = spec.analyses["A01"].model_copy(update={"covariates": ()})
    plain = replace(spec, analyses={**spec.analyses, "A01": watched})
    entry = spec.analyses["N14"]

    def variance(by: float) -> float:
        found = nuisance.fit(entry, altered(closed, outcomes=moved(by)), plain)
        return value(found, "sd", of="raw", set="observed") ** 2

    base = [variance(by) for by in (-10.0, 0.0, 10.0)]
    # The part that is linear in the difference cancels between both directions.
    assert (base[0] + base[2]) / 2 - base[1] == pytest.approx(25.0, rel=0.02)


def test_what_the_design_assumes_gives_its_own_power(closed, spec) -> None:
    found = nuisance.fit(spec.analyses["N14"], closed, spec)
    needed, families = (value(found, name, set="assumed") for name in ("families_needed", "families_at_end"))
    assert value(found, "power", set="assumed") == pytest.approx(0.9, abs=0.002)
    information = value(found, "information_at_end", set="assumed")
    assert information == pytest.approx(value(found, "maximum") * families / needed)


def test_nuisance_parameters_before_the_first_outcome_are_absent(closed, spec) -> None:
    found = nuisance.fit(spec.analyses["N14"], altered(closed, outcomes=without_outcome), spec)
    for name in ("icc", "information_at_end", "power", "families_needed"):
        assert value(found, name, set="observed") is None
    assert value(found, "retention", set="observed") == 0
    assert says(found, "No variance of the outcome yet")


def test_error_spent_under_another_plan_is_not_given_back(meetings, spec) -> None:
    """What a Pocock type had spent is more than one of O'Brien-Fleming type has by the next look."""
    entry = spec.analyses["A70"]
    spending = entry.spending.model_copy(update={"kind": "pocock"})
    meetings.spec = replace(
        spec, analyses={**spec.analyses, "A70": entry.model_copy(update={"spending": spending})}
    )
    first = meetings.hold(LOOKS[1], only=True, subjects=of_families(0.5))
    meetings.spec = spec
    second = meetings.hold(LOOKS[2], subjects=of_families(0.6))
    assert value(second, "critical", state="now") is None
    spent = [each.value for each in select(second.estimates, name="spent")]
    assert spent == sorted(spent) and spent[1] == value(first, "spent", state="now")


def test_results_of_the_last_meeting_are_of_the_same_view_and_an_earlier_cut(meetings) -> None:
    meetings.hold(LOOKS[1], only=True)
    path = meetings.folder / "monitoring.json"
    assert results_of_last_meeting(None, meetings.spec, view="closed", cut=LOOKS[2]) == ()
    assert results_of_last_meeting(path, meetings.spec, view="closed", cut=LOOKS[2]) == meetings.earlier
    with pytest.raises(BlindingError, match="of the closed view"):
        results_of_last_meeting(path, meetings.spec, view="dummy", cut=LOOKS[2])
    with pytest.raises(ReportError, match="not of an earlier data cut"):
        results_of_last_meeting(path, meetings.spec, view="closed", cut=LOOKS[1])


def test_looks_of_arms_by_other_names_are_refused(meetings) -> None:
    """A less B may be control less intervention, and z of the other sign."""
    meetings.hold(LOOKS[1], only=True)
    path = meetings.folder / "monitoring.json"
    with pytest.raises(BlindingError, match="call the arms by other names; arm_labels must be the same"):
        results_of_last_meeting(path, coded(meetings.spec), view="closed", cut=LOOKS[2])
    one, other = meetings.spec.codes["arm"]
    text = (
        path.read_text().replace(f'"arm": "{one}"', '"arm": "A"').replace(f'"arm": "{other}"', '"arm": "B"')
    )
    path.write_text(text)
    assert results_of_last_meeting(path, coded(meetings.spec), view="closed", cut=LOOKS[2])
    with pytest.raises(BlindingError, match="call the arms by other names"):
        results_of_last_meeting(path, meetings.spec, view="closed", cut=LOOKS[2])


def test_a_planned_look_whose_information_is_there_already_has_no_boundary(meetings) -> None:
    found = meetings.hold(LOOKS[1])
    assert says(found, f"The information planned for {LOOKS[2]} is already there")
    assert [each.labels["cut"] for each in select(found.estimates, name="critical", state="planned")] == [
        LOOKS[3]
    ]


def test_a_look_with_next_to_no_information_is_found_again(meetings) -> None:
    """The difference may then be nearly anything, which an average over few differences would miss."""
    found = meetings.hold(LOOKS[0], subjects=of_families(0.12))
    assert value(found, "fraction", state="now", of="model") < 0.15
    assert value(found, "predictive_power", side="either") > 0.5

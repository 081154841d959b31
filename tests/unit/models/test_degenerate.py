"""Thin data for every analysis of times and states: an answer or a reason, never a crash."""

import math

import pandas as pd
import pytest

from analysis.data.allocation import read_allocated
from analysis.models import hazard, incidence, occupation, recurrence
from analysis.models.registry import FAMILIES, fit_all
from analysis.results import Failure, ResultFile, Stamp, read_results, to_json
from tests.unit.models.small_trial import altered

COX = ("hazard", "frailty", "proportionality", "routes")
CURVES = ("incidence", "occupation", "recurrence")


@pytest.fixture(scope="module")
def closed(trial, spec):
    return read_allocated(trial.allocated, spec, view="closed")


def nothing_happens(rows):
    return rows.assign(cause=None)


def nothing_happens_to_the_intervention(rows):
    return rows.assign(cause=rows["cause"].mask(rows["arm"] == "NIM"))


def everybody_stays(rows):
    """One row per child and basis, in care to its last day."""
    last = rows.groupby(["basis", "child_id"])["stop"].transform("max")
    first = ~rows.duplicated(["basis", "child_id"])
    return rows.assign(stop=last, source_state="care", target_state=None)[first]


def nothing_recurs(rows):
    last = rows.groupby(["parameter", "level", "unit_id"])["stop"].transform("max")
    first = ~rows.duplicated(["parameter", "level", "unit_id"])
    return rows.assign(stop=last, is_event=False)[first]


def of_one_family(rows):
    followed = rows.loc[rows["is_in_records"], "family_id"]
    return rows[rows["family_id"] == followed.value_counts().idxmax()]


def of_one_family_per_arm(rows):
    followed = rows[rows["is_in_records"]]
    return rows[rows["family_id"].isin(followed.drop_duplicates("arm")["family_id"])]


def of_one_arm(rows):
    return rows[rows["arm"] == "NIM"]


def where_an_arm_lacks_a_site(rows):
    return rows[(rows["arm"] == "NIM") | (rows["site"] == "GLA")]


def nobody(rows):
    return rows[:0]


CASES = {
    "nothing happens": {
        "events": nothing_happens,
        "transitions": everybody_stays,
        "recurrences": nothing_recurs,
    },
    "an arm without the event": {"events": nothing_happens_to_the_intervention},
    "one family": {"subjects": of_one_family},
    "one family per arm": {"subjects": of_one_family_per_arm},
    "one arm": {"subjects": of_one_arm},
    "a site of one arm": {"subjects": where_an_arm_lacks_a_site},
    "nobody": {"events": nobody, "transitions": nobody, "recurrences": nobody},
}
# Reason by case of all analyses of the families; those not named answer.
REASONS = {
    "nothing happens": (COX, ("no row has an event", "nobody has an event")),
    "an arm without the event": (COX[:3], ("finite", "infinite")),
    "one family": ((*COX, *CURVES), ("nobody of arm",)),
    "one arm": ((*COX, *CURVES), ("nobody of arm SAU",)),
    "a site of one arm": (CURVES, ("every arm at every site",)),
    "nobody": ((*COX, *CURVES), ("belongs to the population", "is followed for")),
}


def written(*results) -> str:
    """The file of the results: two that are alike have one text, limits that are not there included."""
    return to_json(ResultFile(Stamp("closed", "2023-12-31", "1.0", "a", "b", {}), results))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.replace(" ", "_"))
def test_thin_data_give_an_answer_or_a_reason(closed, spec, case, tmp_path):
    data = altered(closed, **CASES[case])
    refused, said = REASONS.get(case, ((), ()))
    results = [result for name in (*COX, *CURVES) for result in fit_all(FAMILIES[name], data, spec)]
    assert len(results) == sum(len(spec.family(name)) for name in (*COX, *CURVES))
    for result in results:
        if isinstance(result, Failure):
            assert any(part in result.reason for part in said) or case == "one family per arm", result
            assert not any(label in result.reason for label in data.tables["subjects"]["child_id"])
        else:
            entry = spec.analyses[result.analysis]
            unstratified = case == "a site of one arm" and not entry.strata
            assert result.family not in refused or unstratified, result.analysis
            assert not any(each.value is not None and math.isinf(each.value) for each in result.estimates)
    path = tmp_path / "all.json"
    path.write_text(written(*results))
    assert [each.analysis for each in read_results(path).results] == [each.analysis for each in results]


def test_where_nothing_happens_curves_are_flat_and_say_so(closed, spec):
    data = altered(closed, **CASES["nothing happens"])
    for name in CURVES:
        for result in fit_all(FAMILIES[name], data, spec):
            assert result.notes
            for each in result.estimates:
                if each.name in ("probability", "mean_count", "occupation_never_returned"):
                    assert each.value == 0
                if each.labels.get("state") == "care" and each.name == "days_in_state":
                    assert each.value == pytest.approx(913)


def test_a_horizon_before_the_first_event_is_an_answer(closed, spec):
    """Nobody moves, is placed or comes back by day 1, so every probability is that of the start."""
    for module, analysis in ((incidence, "A31"), (occupation, "A40"), (recurrence, "A41A")):
        first = {"days": (1,), **({"horizon_days": 1} if module is occupation else {})}
        entry = spec.analyses[analysis].model_copy(update=first)
        late = altered(
            closed,
            events=lambda rows: rows[rows["time_days"] > 1],
            transitions=lambda rows: rows[rows.groupby("child_id")["stop"].transform("min") > 1],
            recurrences=lambda rows: rows[rows.groupby("unit_id")["stop"].transform("min") > 1],
        )
        result = module.fit(entry, late, spec)
        shown = [each for each in result.estimates if each.labels.get("day") == "1"]
        assert shown
        away = [each.value for each in shown if each.labels.get("state") != "care"]
        assert set(away) <= {0.0}


def test_a_child_whose_every_day_lies_before_the_clock_is_left_out(closed, spec):
    """Care that began after the last day of the records leaves no day on the clock that counts from it."""
    people = closed.tables["subjects"]
    gone = people.loc[people["is_in_records"], "child_id"].iloc[0]

    def after_the_records(rows):
        late = rows["randomisation_date"] + pd.Timedelta(days=20_000)
        return rows.assign(care_entry_date=rows["care_entry_date"].mask(rows["child_id"] == gone, late))

    def without(rows):
        return rows[rows["child_id"] != gone]

    moved = altered(closed, subjects=after_the_records)
    apart = altered(closed, events=without, transitions=without)
    for module, analysis in ((hazard, "A30E"), (incidence, "A31E"), (occupation, "A40E")):
        entry = spec.analyses[analysis]
        assert written(module.fit(entry, moved, spec)) == written(module.fit(entry, apart, spec))


def test_a_time_that_ends_on_day_0_is_a_reason_and_names_nobody(closed, spec):
    people = closed.tables["subjects"]
    kept = people.loc[people["is_in_records"], "child_id"]

    def at_once(rows):
        recorded = rows["child_id"].isin(kept)
        first = rows[recorded].groupby(["parameter", "basis"]).cumcount() == 0
        return rows.assign(time_days=rows["time_days"].mask(first.reindex(rows.index, fill_value=False), 0))

    for name in (*COX, "incidence"):
        for result in fit_all(FAMILIES[name], altered(closed, events=at_once), spec):
            if spec.analyses[result.analysis].model_dump().get("origin") is None:
                assert isinstance(result, Failure) or name == "routes", result.analysis
                reason = result.reason if isinstance(result, Failure) else " ".join(result.notes)
                assert "start must be before stop" in reason

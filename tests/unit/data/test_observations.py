"""What became of each outcome at each visit, child by child."""

from dataclasses import replace

import pandas as pd
import pytest

from analysis.data.observations import BY_STANDING, derive_observations
from analysis.data.retention import derive_visits
from analysis.spec.declarations import Spec
from tests.unit.data.tables import shown, values

# Into care and randomised on 2015-01-01: visits V3 to 2015-04-09, V4 to 2016-07-02, V5 to 2018-07-02.
PEOPLE = pd.DataFrame(
    {
        "child_id": [f"C{n}" for n in range(1, 8)],
        "family_id": ["F1", "F1", "F2", "F3", "F4", "F5", "F6"],
        "birth_date": pd.to_datetime(["2013-06-01"] * 5 + ["2014-11-01", "2013-06-01"]),
        "care_entry_date": pd.Timestamp("2015-01-01"),
        "randomisation_date": pd.Timestamp("2015-01-01"),
    }
)
# C7 has no visit at all; C6 is two months old at baseline and has none at 15 months.
VISITS = """
child_id | visit | due_date   | status
C1       | V3    | 2015-03-01 | attended
C1       | V4    | 2016-04-01 | missed
C2       | V4    | 2016-04-01 | withdrawn
C3       | V4    | 2016-04-01 | not_due
C4       | V4    | 2016-04-01 | not_due
C5       | V4    | 2016-04-01 | missed
C6       | V4    | 2016-04-01 | not_due
"""
WITHDRAWALS = """
withdrawal_id | family_id | child_id | withdrawal_date | withdrawal_level
W0001         | F2        |          | 2016-07-02      | visits
W0002         | F3        | C4       | 2016-07-03      | visits
W0003         | F6        | C7       | 2015-02-01      | all
"""
DEATHS = pd.Series({"C5": pd.Timestamp("2016-03-01")})
OUTCOMES = [
    ("C1", "RAD", "V3", 4.0, None),
    ("C1", "RAD", "V4", None, "not_attended"),
    ("C1", "DAI", "V3", None, "refused"),
    *((f"C{n}", name, "V4", None, "not_attended") for n in (1, 2, 5) for name in ("DAI", "PIRGAS")),
    *((f"C{n}", name, "V4", None, "not_due_yet") for n in (3, 4) for name in ("DAI", "PIRGAS")),
    ("C2", "RAD", "V4", 5.0, None),
]


def stood(spec: Spec, cut: str) -> pd.DataFrame:
    tables = {
        "assessments": values(spec, "assessments", VISITS),
        "withdrawals": values(spec, "withdrawals", WITHDRAWALS),
    }
    return derive_visits(PEOPLE, tables, DEATHS, spec.trial, data_cut=pd.Timestamp(cut))


@pytest.fixture
def derived(spec: Spec):
    def make(cut: str = "2023-12-31", rows=OUTCOMES, spec: Spec = spec) -> pd.DataFrame:
        columns = ["child_id", "parameter", "visit", "value", "missing_reason"]
        outcomes = pd.DataFrame(rows, columns=columns)
        assessments = values(spec, "assessments", VISITS)
        return derive_observations(outcomes, PEOPLE, stood(spec, cut), assessments, spec)

    return make


def of(frame: pd.DataFrame, parameter: str, visit: str) -> dict[str, str]:
    here = frame[(frame["parameter"] == parameter) & (frame["visit"] == visit)]
    return dict(shown(here, "child_id", "reason"))


def test_a_visit_that_was_not_attended_is_told_apart(derived) -> None:
    """C3's family withdrew on the last day of the window, C4 a day later; C5 had died; C7 left it all."""
    assert of(derived(), "PIRGAS", "V4") == {
        **{"C1": "not_attended", "C2": "withdrawn", "C3": "withdrawn", "C4": "no_record", "C5": "died"},
        **{"C6": "no_record", "C7": "withdrawn"},
    }


def test_a_visit_has_one_answer(derived, spec: Spec) -> None:
    """Once every window has closed, the reason of an outcome without a row is how the visit stood."""
    assert set(BY_STANDING) == set(spec.codes["visit_standing"])
    assert set(BY_STANDING.values()) <= set(spec.codes["missing_reason"])
    visits = stood(spec, "2023-12-31").set_index(["child_id", "visit"])["standing"]
    found = derived(rows=OUTCOMES[:1])
    found = found[(found["parameter"] == "PIRGAS") & ~found["is_observed"]]
    told = found.set_index(["child_id", "visit"])["reason"]
    wanted = {"died": "died", "withdrawn": "withdrawn", "missed": "not_attended", "overdue": "no_record"}
    at = [each for each in told.index if visits[each] in wanted]
    assert {visits[each] for each in at} == set(wanted)
    assert [told[each] for each in at] == [wanted[visits[each]] for each in at]


def test_in_an_open_window_a_visit_stands_as_recorded(derived) -> None:
    """On the day before the window closes: those recorded, and those of whom nothing is known yet."""
    assert of(derived("2016-07-01"), "PIRGAS", "V4") == {
        **{"C1": "not_attended", "C2": "withdrawn", "C3": "not_due_yet", "C4": "not_due_yet"},
        **{"C5": "not_attended", "C6": "not_due_yet", "C7": "not_due_yet"},
    }


def test_a_form_may_follow_its_visit(derived) -> None:
    """C1 came at baseline: a form that is awaited may come, one of a visit not attended was not taken."""
    for reason, wanted in (("not_due_yet", "not_due_yet"), ("not_attended", "not_collected")):
        assert of(derived(rows=[("C1", "PIRGAS", "V3", None, reason)]), "PIRGAS", "V3")["C1"] == wanted


def test_nothing_is_due_of_a_child_randomised_after_the_cut(derived) -> None:
    found = derived("2014-12-31", rows=OUTCOMES[:0])
    assert set(found["reason"]) == {"not_due_yet"} and not found["is_due"].any()


def test_an_outcome_collected_once_is_not_due_again(derived, spec: Spec) -> None:
    """C1 had it at baseline; C2 missed it there and had it at 15 months."""
    found = derived()
    row = found[(found["child_id"] == "C1") & (found["parameter"] == "RAD") & (found["visit"] == "V4")]
    assert shown(row, "is_due", "is_observed", "reason") == [(False, False, "collected_before")]
    assert of(found, "RAD", "V4")["C2"] == ""
    assert of(found, "DAI", "V4")["C1"] == "not_attended", "due at every visit"
    assert spec.scores["RAD"].once and not spec.scores["DAI"].once


def test_a_reason_of_the_outcome_stands(derived) -> None:
    assert of(derived(), "DAI", "V3")["C1"] == "refused"


def test_without_a_row_age_and_the_open_window_excuse(derived) -> None:
    """On 2016-06-30 the window of the 15-month visit is open; C6 is too young for DAI at baseline."""
    assert of(derived("2016-07-02"), "DAI", "V4")["C6"] == "no_record"
    early = derived("2016-07-01")
    assert of(early, "DAI", "V4")["C6"] == of(early, "DAI", "V5")["C1"] == "not_due_yet"
    assert of(early, "DAI", "V3")["C6"] == "not_due_age"
    assert of(early, "PIRGAS", "V3")["C6"] == "no_record"


def test_every_child_stands_at_every_visit_and_due_is_observed_or_missing(derived, spec: Spec) -> None:
    found = derived()
    scheduled = sum(len(each.visits) for each in spec.scores.values())
    scheduled += sum(len(each.visits) * len(each.totals) for each in spec.instruments.values())
    assert len(found) == len(PEOPLE) * scheduled
    assert not found.duplicated(["child_id", "parameter", "visit"]).any()
    assert (found["is_observed"] == found["reason"].isna()).all()
    waived = found["reason"].isin(["not_due_age", "not_due_yet", "collected_before"])
    assert (found["is_due"] == ~waived).all()


def test_a_visit_that_had_nothing_yet_has_rows(derived) -> None:
    found = derived(rows=OUTCOMES[:1])
    assert not found.loc[found["visit"] == "V5", "is_observed"].any()


def test_other_words_for_a_schedule_that_repeats(derived, spec: Spec) -> None:
    """Without `once` the outcome that C1 missed at 15 months was due."""
    again = replace(
        spec, scores={**spec.scores, "RAD": spec.scores["RAD"].model_copy(update={"once": False})}
    )
    found = derived(spec=again)
    assert of(found, "RAD", "V4")["C1"] == "not_attended"

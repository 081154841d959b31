"""One row per child, and the populations of the plan."""

from dataclasses import replace

import pandas as pd
import pytest

from analysis.data.harms import derive_harms
from analysis.data.subjects import derive_people, derive_safety_days, derive_subjects
from analysis.spec.declarations import Spec
from analysis.spec.sap import Population
from tests.unit.data.tables import shown, values

FAMILIES = """
family_id | site | local_authority | epoch | randomisation_date | removed_date
F0001     | GLA  | GLASGOW         | CBR   | 2015-01-01         |
F0002     | LON  | BROMLEY         | CRB   | 2018-01-01         | 2018-03-01
F0003     | LON  | BROMLEY         | CRB   | 2018-06-01         |
"""
# C0003 joined family F0001 after randomisation.
CHILDREN = """
child_id | family_id | birth_date | birth_date_precision | sex | care_entry_date | joined_date
C0001    | F0001     | 2012-01-02 | day                  | F   | 2014-10-01      |
C0002    | F0001     | 2014-01-01 | day                  | M   | 2014-10-01      |
C0003    | F0001     | 2015-06-01 | day                  |     | 2015-08-01      | 2015-08-10
C0004    | F0002     | 2016-01-01 | month                | M   | 2017-10-01      |
C0005    | F0003     | 2016-01-01 | day                  | M   | 2018-03-01      |
"""
VISITS = """
child_id | visit | due_date   | status
C0001    | V5    | 2017-07-02 | attended
C0002    | V5    | 2017-07-02 | missed
C0003    | V5    | 2017-07-02 | attended
C0004    | V5    | 2020-07-02 | attended
C0005    | V4    | 2019-07-02 | attended
"""
PLACEMENTS = "child_id | start_date\nC0001 | 2014-10-01\nC0003 | 2015-08-01\nC0004 | 2017-10-01"


@pytest.fixture
def tables(spec: Spec) -> dict[str, pd.DataFrame]:
    texts = {"families": FAMILIES, "children": CHILDREN, "assessments": VISITS, "placements": PLACEMENTS}
    return {name: values(spec, name, text) for name, text in texts.items()}


@pytest.fixture
def subjects(spec: Spec, tables) -> pd.DataFrame:
    people = derive_people(tables)
    ends = pd.DataFrame({"end_date": pd.Timestamp("2018-03-01")}, index=people["child_id"])
    return derive_subjects(people, ends, tables, spec, origin="randomisation_date")


def test_children_with_the_facts_of_their_family(subjects) -> None:
    assert shown(subjects, "child_id", "site", "epoch", "randomisation_date", "removed_date") == [
        ("C0001", "GLA", "CBR", "2015-01-01", ""),
        ("C0002", "GLA", "CBR", "2015-01-01", ""),
        ("C0003", "GLA", "CBR", "2015-01-01", ""),
        ("C0004", "LON", "CRB", "2018-01-01", "2018-03-01"),
        ("C0005", "LON", "CRB", "2018-06-01", ""),
    ]


def test_age_at_randomisation_in_months_of_mean_length(subjects) -> None:
    """C0001: 1095 days from 2012-01-02 to 2015-01-01; C0003 was born 151 days after it."""
    ages = dict(shown(subjects, "child_id", "age_months"))
    assert ages["C0001"] == pytest.approx(1095 / 30.4375, rel=1e-15)
    assert ages["C0003"] == pytest.approx(-151 / 30.4375, rel=1e-15)


def test_siblings_are_counted_as_they_were_randomised(subjects) -> None:
    """A baseline variable knows nothing of the sibling who joined later."""
    assert shown(subjects, "child_id", "n_siblings", "is_late_joiner") == [
        ("C0001", 2, False),
        ("C0002", 2, False),
        ("C0003", 2, True),
        ("C0004", 1, False),
        ("C0005", 1, False),
    ]


def test_follow_up_in_days_is_never_negative(subjects) -> None:
    """To 2018-03-01: 1155 days from 2015-01-01, 59 from 2018-01-01; F0003 was randomised later."""
    assert shown(subjects, "child_id", "followup_days") == [
        ("C0001", 1155),
        ("C0002", 1155),
        ("C0003", 1155),
        ("C0004", 59),
        ("C0005", 0),
    ]


def test_populations(subjects) -> None:
    """Late joiners are followed up but not randomised; a removed family is randomised and nothing else."""
    assert shown(subjects, "child_id", "is_randomised", "is_eligible", "is_followed_up", "is_in_records") == [
        ("C0001", True, True, True, True),
        ("C0002", True, True, False, False),  # missed the visit, no placement in the records
        ("C0003", False, False, True, False),
        ("C0004", True, False, False, False),
        ("C0005", True, True, False, False),  # attended another visit
    ]


def test_a_population_by_code_and_by_blank(spec: Spec, tables, subjects) -> None:
    """Conditions on a code list and on a missing value, as a plan may add them."""
    girls = Population(
        id="girls",
        label="g",
        text="g",
        where=[{"column": "sex", "is": "F"}, {"column": "joined_date", "is": "blank"}],
    )
    unknown = Population(id="unknown", label="u", text="u", where=[{"column": "sex", "is": "blank"}])
    people = derive_people(tables)
    ends = pd.DataFrame({"end_date": pd.Timestamp("2018-03-01")}, index=people["child_id"])
    changed = replace(spec, populations={each.id: each for each in (girls, unknown)})
    out = derive_subjects(people, ends, tables, changed, origin="randomisation_date")
    assert shown(out, "is_girls", "is_unknown") == [
        (True, False),
        (False, False),
        (False, True),
        (False, False),
        (False, False),
    ]


@pytest.mark.parametrize(
    ("withdrawals", "deaths", "days"),
    [
        # To the cut on 2018-03-01: 1155 days in F0001, of which 913 count, 59 in F0002, none in F0003.
        ("", {}, [913, 913, 913, 59, 0]),
        # F0001 withdraws everything after 100 days; C0001 alone had done so after 50.
        ("F0001 | | 2015-04-11 | all\nF0001 | C0001 | 2015-02-20 | all", {}, [50, 100, 100, 59, 0]),
        # No more visits: events are still reported.
        ("F0001 | | 2015-04-11 | visits", {}, [913, 913, 913, 59, 0]),
        # C0002 dies on day 31, before its family withdraws; C0004 before it was randomised.
        ("F0001 | | 2015-04-11 | all", {"C0002": "2015-02-01", "C0004": "2017-12-01"}, [100, 31, 100, 0, 0]),
    ],
)
def test_days_in_which_a_serious_event_would_be_reported(
    spec: Spec, tables, withdrawals: str, deaths: dict[str, str], days: list[int]
) -> None:
    header = "family_id | child_id | withdrawal_date | withdrawal_level\n"
    safety = derive_safety_days(
        derive_people(tables),
        values(spec, "withdrawals", header + withdrawals),
        pd.to_datetime(pd.Series(deaths, dtype=object)),
        data_cut=pd.Timestamp("2018-03-01"),
        horizon=913,
    )
    assert safety.tolist() == days


def test_nothing_is_asked_of_a_family_after_its_removal(spec: Spec, tables) -> None:
    people = derive_people(tables)
    removed = people["randomisation_date"] + pd.Timedelta(days=40)
    people["removed_date"] = removed.where(people["family_id"] == "F0001")
    cut, nobody = pd.Timestamp("2018-03-01"), pd.Series(dtype="datetime64[ns]")
    withdrawals = values(spec, "withdrawals", "family_id | child_id | withdrawal_date | withdrawal_level\n")
    safety = derive_safety_days(people, withdrawals, nobody, data_cut=cut, horizon=913)
    assert safety.tolist() == [40, 40, 40, 59, 0]


EVENTS = """
event_id | family_id | child_id | event_date | category | is_serious | relatedness
E0001    | F0001     | C0001    | 2015-01-01 | injury   | true       | unrelated
E0002    | F0001     |          | 2015-02-01 | other    | true       | unrelated
E0003    | F0001     | C0001    | 2014-12-31 | injury   | true       | unrelated
E0004    | F0001     | C0001    | 2015-02-01 | injury   | false      | unrelated
E0005    | F0002     | C0004    | 2018-01-11 | injury   | true       | possible
"""


def test_harms_are_serious_events_from_randomisation_on(spec: Spec, tables) -> None:
    """E0003 is dated the day before randomisation (a query of its own), E0004 is not serious."""
    harms = derive_harms(
        values(spec, "reported_events", EVENTS), derive_people(tables), origin="randomisation_date"
    )
    assert shown(harms, "event_id", "family_id", "child_id", "day", "date") == [
        ("E0001", "F0001", "C0001", 0, "2015-01-01"),
        ("E0002", "F0001", "", 31, "2015-02-01"),
        ("E0005", "F0002", "C0004", 10, "2018-01-11"),
    ]


def test_harms_do_not_depend_on_the_order_of_children(spec: Spec, tables) -> None:
    people = derive_people(tables)
    events = values(spec, "reported_events", EVENTS)
    first = derive_harms(events, people, origin="randomisation_date")
    second = derive_harms(events, people.iloc[::-1], origin="randomisation_date")
    assert first.equals(second)
    assert len(derive_harms(events.iloc[:0], people, origin="randomisation_date")) == 0

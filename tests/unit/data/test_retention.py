"""How visits stood and whether families had withdrawn on a day, from tables written by hand.

Everybody came into care on 2015-01-01 and was randomised on 2015-02-01: windows of V3 from 29 January to 9
April 2015, of V4 from 2 January to 2 July 2016, of V5 from 3 May 2017 to 2 August 2018.
"""

import pandas as pd
import pytest

from analysis.data.retention import derive_retention, derive_visits
from analysis.data.subjects import derive_people
from analysis.data.table import write_table
from analysis.spec.declarations import Spec
from tests.unit.data.tables import shown, values

FAMILIES = """
family_id | site | local_authority | epoch | randomisation_date | removed_date
F0001     | GLA  | GLASGOW         | CBR   | 2015-02-01         |
F0002     | GLA  | GLASGOW         | CBR   | 2015-02-01         |
F0003     | GLA  | GLASGOW         | CBR   | 2015-02-01         | 2015-06-01
F0004     | GLA  | GLASGOW         | CBR   | 2017-02-01         |
"""
CHILDREN = "child_id | family_id | birth_date | birth_date_precision | care_entry_date\n" + "\n".join(
    f"{child} | {family} | 2013-01-01 | day | {'2017-01-01' if family == 'F0004' else '2015-01-01'}"
    for child, family in (
        ("C0001", "F0001"),
        ("C0002", "F0001"),
        ("C0003", "F0002"),
        ("C0004", "F0003"),
        ("C0005", "F0004"),
    )
)
ASSESSMENTS = """
child_id | visit | due_date   | visit_date | status
C0001    | V3    | 2015-03-05 | 2015-01-28 | attended
C0001    | V4    | 2016-04-01 | 2016-07-03 | attended
C0001    | V5    | 2017-08-02 | 2017-05-03 | attended
C0002    | V3    | 2015-03-05 | 2015-04-09 | attended
C0002    | V4    | 2016-04-01 |            | attended
C0002    | V5    | 2017-08-02 |            | missed
C0003    | V3    | 2015-03-05 |            | withdrawn
C0003    | V4    | 2016-04-01 |            | missed
"""
NOBODY = pd.Series(dtype="datetime64[ns]")
WITHDRAWALS = "withdrawal_id | family_id | child_id | withdrawal_date | withdrawal_level | reason"


@pytest.fixture
def at(spec: Spec):
    """Both tables at a cut, with withdrawals and deaths as given."""

    def derived(cut: str, withdrawals: str = "", deaths: pd.Series = NOBODY):
        texts = {"families": FAMILIES, "children": CHILDREN, "assessments": ASSESSMENTS}
        tables = {name: values(spec, name, text) for name, text in texts.items()}
        tables["withdrawals"] = values(spec, "withdrawals", f"{WITHDRAWALS}\n{withdrawals}")
        people, schedule, day = derive_people(tables), spec.trial.visits, pd.Timestamp(cut)
        visits = derive_visits(people, tables, deaths, spec.trial, data_cut=day)
        families = derive_retention(people, visits, tables["withdrawals"], deaths, schedule, data_cut=day)
        return visits, families

    return derived


def standing(visits: pd.DataFrame, child: str) -> list[str]:
    return visits[visits["child_id"] == child].sort_values("visit")["standing"].tolist()


def test_visits_stand_by_their_day_then_by_what_is_known(at) -> None:
    visits, _ = at("2018-12-31")
    assert standing(visits, "C0001") == ["early", "late", "in_window"]
    assert standing(visits, "C0002") == ["in_window", "undated", "missed"]
    assert standing(visits, "C0003") == ["withdrawn", "missed", "overdue"]
    assert standing(visits, "C0005") == ["overdue", "overdue", "not_due"]


def test_nothing_is_due_while_its_window_is_open(at) -> None:
    """The last day of the window of V4 belongs to it: on the day before, the visit may still come."""
    for cut, wanted in (("2016-07-01", "not_due"), ("2016-07-02", "missed")):
        visits, _ = at(cut)
        assert standing(visits, "C0003")[1] == wanted
    visits, _ = at("2016-07-02")
    # Attended the day after the cut: by the cut nothing tells on which day.
    assert standing(visits, "C0001") == ["early", "undated", "not_due"]
    assert "C0005" not in set(visits["child_id"]), "randomised later"


def test_a_cut_before_the_first_visit(at) -> None:
    visits, families = at("2015-02-01")
    assert set(visits["standing"]) == {"not_due", "early"}
    assert families["time_days"].tolist() == [1, 1, 1] and not families["is_withdrawn"].any()


@pytest.mark.parametrize(("day", "wanted"), [("2018-08-02", "withdrawn"), ("2018-08-03", "overdue")])
def test_who_withdrew_before_the_window_closed_is_not_awaited(at, day: str, wanted: str) -> None:
    """What was recorded of a visit stands, whatever a withdrawal would make of it."""
    visits, _ = at("2018-12-31", f"W0001 | F0002 | | {day} | visits | moved")
    assert standing(visits, "C0003")[1:] == ["missed", wanted]


def test_every_window_closes_with_the_last_cut_of_the_trial(at, spec: Spec) -> None:
    assert spec.trial.data_cut == "2023-12-31"
    for cut, wanted in (("2018-08-01", "not_due"), ("2018-08-02", "overdue")):
        visits, _ = at(cut)
        assert standing(visits, "C0003")[2] == wanted
    visits, _ = at("2023-12-31")
    assert visits["is_due"].all()


def test_who_died_neither_withdrew_nor_missed(at) -> None:
    deaths = pd.Series({"C0003": pd.Timestamp("2016-01-10")})
    visits, families = at("2018-12-31", "W0001 | F0002 | C0003 | 2017-01-01 | visits | moved", deaths)
    assert standing(visits, "C0003")[1:] == ["died", "died"]
    (row,) = shown(families[families["family_id"] == "F0002"], "time_days", "is_withdrawn", "ended_by")
    assert row == (343, False, "died")


def test_families_are_followed_to_their_last_visit_removal_or_the_cut(at) -> None:
    _, families = at("2018-12-31")
    assert shown(families, "family_id", "time_days", "is_withdrawn", "ended_by") == [
        ("F0001", 822, False, "completed"),
        ("F0002", 1278, False, "completed"),
        ("F0003", 120, False, "removed"),
        ("F0004", 698, False, "data_cut"),
    ]


def test_a_family_has_withdrawn_when_the_last_of_its_children_has(at) -> None:
    one = "W0001 | F0001 | C0001 | 2015-05-01 | visits | moved"
    both = f"{one}\nW0002 | F0001 | C0002 | 2015-07-01 | all | not_given"
    for text, wanted in ((one, (822, False, "")), (both, (150, True, "not_given"))):
        _, families = at("2018-12-31", text)
        (row,) = shown(families[families["family_id"] == "F0001"], "time_days", "is_withdrawn", "reason")
        assert row == wanted


def test_the_first_withdrawal_counts_and_none_after_the_last_visit(at) -> None:
    late = "W0001 | F0001 | | 2018-01-01 | all | moved"
    early = "W0002 | F0001 | | 2016-01-01 | visits | not_given\nW0003 | F0001 | | 2016-02-01 | all | moved"
    _, families = at("2018-12-31", late)
    assert not families["is_withdrawn"].any()
    _, families = at("2018-12-31", early)
    (row,) = shown(families[families["is_withdrawn"]], "time_days", "withdrawal_level", "reason", "ended_by")
    assert row == (334, "visits", "not_given", "withdrew")


@pytest.mark.parametrize("cut", ["2018-12-31", "2015-02-01", "2014-01-01"])
def test_both_tables_are_valid_at_any_cut(at, spec: Spec, cut: str, tmp_path) -> None:
    for name, frame in zip(("visits", "retention"), at(cut), strict=True):
        write_table(frame, tmp_path / f"{name}.csv", spec.table(name), spec)
        assert frame.empty == (cut == "2014-01-01")

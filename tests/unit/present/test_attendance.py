"""Visits and withdrawal on the page."""

from dataclasses import replace

from analysis.present.attendance import STANDINGS
from analysis.present.attendance_figure import FILLS
from analysis.present.tables import tabulate
from tests.unit.present import fabricated
from tests.unit.present.test_figures import drawn, words_of


def table(view: str, **results):
    spec = fabricated.spec()
    return tabulate(spec.outputs["T4"], {**fabricated.results(view), **results}, spec, view)


def row(made, stub: str) -> list[str]:
    """The first row of that name."""
    return next([cell.text for cell in each.cells] for each in made.rows if each.stub == stub)


def test_all_sites_and_arms_stand_side_by_side() -> None:
    names = [each.split("\n")[0] for each in table("closed").columns]
    assert names == ["All", "Glasgow", "London", "NIM", "SAU", "NIM \u2212 SAU"]
    assert [each.split("\n")[0] for each in table("open").columns] == ["All", "Glasgow", "London"]


def test_attendance_is_of_those_due_and_the_rest_of_all() -> None:
    made = table("closed")
    assert row(made, "Due")[0] == "235; 197"
    assert row(made, "Attended, of those due")[0] == "225 (95.7%); 187 (94.9%)"
    assert row(made, "Attended in the window")[0] == "225 (75.0%); 187"
    assert row(made, "Attended, of those due")[-1] == "8.3 (\u22120.4 to 17.2)"
    assert row(made, "Not yet due")[0] == "60 (20.0%); 48"
    assert row(made, "Died")[0] == "0 (0.0%); 0"


def test_every_standing_of_the_code_list_has_its_place_and_fill() -> None:
    codes = sorted(fabricated.spec().codes["visit_standing"])
    assert sorted(STANDINGS) == sorted(FILLS) == codes


def test_days_siblings_and_withdrawals_are_told() -> None:
    made = table("open")
    assert row(made, "Days from the date due to the visit")[0] == "1.5 (\u221212.0 to 13.3); 11"
    assert row(made, "Some children came") == ["4", "4", "4"]
    assert row(made, "Withdrew")[0] == "30 (12.0%)"
    assert row(made, "Withdrawn by 30 months (Kaplan-Meier)") == ["8.0% (4.0 to 16.0)", "", ""]


def test_bars_hold_their_numbers_and_the_words_all_of_them() -> None:
    made = drawn("open", "F3")
    words = words_of(made["svg"])
    assert {"225", "187", "Attended in the window", "Not yet due", "Glasgow"} <= set(words)
    assert "Died" not in words, "nobody did"
    assert "2.5 years, London, families: attended in the window 37" in made["txt"].decode()


def test_a_curve_ends_where_the_last_family_was_followed() -> None:
    """And its name tells the share of that day, or of the last day of the plan."""
    assert {"NIM 6%", "SAU 10%"} <= set(words_of(drawn("closed", "F4")["svg"]))
    known = fabricated.results("open")["N13"]
    short = tuple(replace(each, time=(0.0, 30.0, 60.0, 90.0)) for each in known.curves)
    made = drawn("open", "F4", {**fabricated.results("open"), "N13": replace(known, curves=short)})
    assert "All 8%" in words_of(made["svg"])
    nobody = tuple(replace(each, time=(), value=(), low=(), high=()) for each in known.curves)
    empty = drawn("open", "F4", {**fabricated.results("open"), "N13": replace(known, curves=nobody)})
    assert not [word for word in words_of(empty["svg"]) if word.startswith("All ")], "no end to name"

"""The first page's table."""

from dataclasses import replace

from analysis.present.headline import summarise
from analysis.present.reading import horizon_name
from analysis.present.table_form import Row, Table
from analysis.results import Estimate
from tests.unit.present import fabricated


def summary(view: str = "closed", **results) -> Table:
    return summarise({**fabricated.results(view), **results}, fabricated.spec(), view)


def rows_of(made: Table, analysis: str) -> list[Row]:
    return [row for row in made.rows if row.cells and row.cells[0].analysis == analysis]


def test_a_post_hoc_analysis_says_so_on_the_first_page() -> None:
    late = replace(fabricated.results("closed")["A30"], timing="post_hoc")
    assert [row.stub.endswith("(post hoc)") for row in rows_of(summary(A30=late), "A30")] == [True]
    assert not any("post hoc" in row.stub for row in summary().rows)


def test_a_hazard_says_to_which_day_its_events_count() -> None:
    item = fabricated.results("closed")["A30"]
    seen = replace(item, estimates=(*item.estimates, Estimate("last_day", 3421.0, unit="days")))
    (row,) = rows_of(summary(A30=seen), "A30")
    assert row.stub.startswith("Children with the event in all follow-up, to day 3,421; hazard ratio")
    ended = replace(seen, analysis="A30H", estimates=(Estimate("last_day", 913.0, unit="days"),))
    assert horizon_name(ended, fabricated.spec()) == "to day 913"


def test_only_the_primary_analysis_has_a_p_value() -> None:
    made = summary()
    shown = {row.cells[-1].text for row in made.rows if row.cells and row.cells[0].analysis != "A01"}
    (primary,) = rows_of(made, "A01")
    assert shown == {"–"} and primary.cells[-1].text == "0.17"
    assert all(row.cells[-1].values == {"p": None} for row in rows_of(made, "A30"))
    assert any("a dash" in note.text for note in made.footnotes)
    assert not any("a dash" in note.text for note in summary("open").footnotes)


def test_means_say_how_many_children_they_are_of() -> None:
    (row,) = rows_of(summary(), "A01")
    assert [cell.text for cell in row.cells[:2]] == ["11.5 (7.6); 188", "11.1 (7.2); 172"]


def test_every_declared_summary_of_permanence_has_its_line() -> None:
    points, days = rows_of(summary(), "A30K")
    found = {each.name: each for each in fabricated.results("closed")["A30K"].estimates}
    assert "percentage points" in points.stub and "difference in days" in days.stub
    assert days.cells[2].values["value"] == found["restricted_mean_difference"].value


def test_the_first_page_says_why_two_numbers_of_one_visit_differ() -> None:
    notes = {note.term: note.text for note in summary().footnotes}
    assert "siblings who joined their family later" in notes["Note"] and "Method" not in notes

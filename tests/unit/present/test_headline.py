"""The first page's table."""

from dataclasses import replace

from analysis.present.headline import summarise, summarise_for_committee
from analysis.present.reading import horizon_name
from analysis.present.table_form import Row, Table
from analysis.results import Estimate, Result
from analysis.spec.edition import edition
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


def few(analysis: str, **crude) -> Result:
    """The ratio of a fabricated result from 4 events an arm, with the crude ratio given."""
    item = fabricated.results("closed")[analysis]
    counts = tuple(replace(each, value=4) if each.name == "events" else each for each in item.counts)
    found = tuple(
        replace(each, **crude) if each.name == "crude_rate_ratio" else each for each in item.estimates
    )
    return replace(item, counts=counts, estimates=found)


def test_from_few_events_the_ratio_is_that_of_the_rates_beside_it() -> None:
    (many,) = rows_of(summary(), "A41A")
    assert "ratio of rates" in many.stub and many.cells[2].values["value"] == 0.87
    (row,) = rows_of(summary(A41A=few("A41A")), "A41A")
    assert "few events, exact" in row.stub and row.cells[2].values["value"] == 1.01
    (empty,) = rows_of(summary(A41A=few("A41A", value=None, low=0.5, high=None)), "A41A")
    assert empty.cells[2].text == "at least 0.50"
    (hazard,) = rows_of(summary(A30=few("A30")), "A30")
    assert hazard.cells[2].text == "too few events"


def test_the_committee_sees_harms_and_deaths_first_and_whom_each_effect_favours() -> None:
    plan = edition(fabricated.spec(), "2014-12-31")
    made = summarise_for_committee(fabricated.results("closed"), plan, "closed")
    sides = {row.cells[0].analysis: row.cells[-1].text for row in made.rows}
    assert [row.stub.partition(":")[0] for row in made.rows[:3]] == [
        *("Serious adverse events", "Death of a child", "Death of a parent")
    ]
    assert made.columns[-1] == "Favours\nNIM"
    assert (sides["A50"], sides["A01"], sides["A30"], sides["A41A"]) == (
        *("below 0", "below 0", "above 1", "below 1"),
    )
    assert "A41C" not in sides

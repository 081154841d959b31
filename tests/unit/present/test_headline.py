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

"""The checklists: every item has an answer, and every answer a place on the page."""

from dataclasses import replace

import pytest
from pydantic import ValidationError

from analysis.errors import SpecError
from analysis.present.methods_text import methods_text
from analysis.present.tables import tabulate
from analysis.spec.check_plan import check_plan
from analysis.spec.conduct import ChecklistItem
from analysis.spec.outputs import SECTIONS
from tests.unit.present import fabricated

ITEM = {"list": "A list", "item": "1", "asks": "something"}


def places(view: str, item: str) -> tuple[str, tuple[str, ...]]:
    spec = fabricated.spec()
    made = tabulate(spec.outputs["C1"], fabricated.results(view), spec, view)
    cell = next(row for row in made.rows if row.stub == item).cells[-1]
    return cell.text, cell.links


def test_an_item_leads_to_the_output_that_answers_it() -> None:
    assert places("closed", "22a") == ("Figure F1", ("F1",))
    text, links = places("closed", "26")
    assert text.startswith("Table T8, ") and links[0] == "T8"


def test_an_open_page_does_not_lead_to_what_it_lacks() -> None:
    text, links = places("open", "26")
    assert text.startswith("Table T8 of the closed report, ") and links[0] == ""


def test_what_the_authors_know_has_no_place() -> None:
    assert places("closed", "8") == ("", ())


def test_the_lists_are_whole() -> None:
    """30 items of CONSORT 2025, and what the two extensions add to theirs."""
    items = fabricated.spec().checklist
    numbers = [int(each.item.rstrip("abcd")) for each in items if each.list == "CONSORT 2025"]
    assert sorted(set(numbers)) == list(range(1, 31)) and len(numbers) == 42
    harms = {each.item for each in items if each.list == "Harms 2022"}
    assert {"6c", "17a2", "17c"} <= harms, "the three new ones"


@pytest.mark.parametrize("wrong", [{"by": "report"}, {"by": "author", "at": ["F1"]}, {"by": "nobody"}])
def test_an_item_that_is_not_mapped_is_refused(wrong: dict) -> None:
    with pytest.raises(ValidationError):
        ChecklistItem(**ITEM, **wrong)


@pytest.mark.parametrize(
    ("at", "words"), [(("F99",), "no such output or section: F99"), (("methods",), "needs an output")]
)
def test_an_item_answered_by_nothing_that_is_there_stops_the_plan(at: tuple[str, ...], words: str) -> None:
    spec = fabricated.spec()
    item = ChecklistItem(**ITEM, by="report", at=at)
    with pytest.raises(SpecError, match=words):
        check_plan(replace(spec, checklist=(*spec.checklist, item)))


def test_every_analysis_that_ran_is_in_the_methods() -> None:
    blocks = methods_text(fabricated.results("closed"), fabricated.spec())
    assert blocks[0][0] == "Primary analysis"
    ids = [name for _, entries in blocks for name, _, _ in entries]
    assert sorted(ids) == sorted(fabricated.spec().analyses)
    assert "methods" in SECTIONS

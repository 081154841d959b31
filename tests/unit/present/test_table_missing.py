"""The table and the map of missing outcomes: what they show, and what they refuse."""

from dataclasses import replace

import pytest

from analysis.errors import ReportError
from analysis.present.missing_text import missing_text
from analysis.present.tables import tabulate
from tests.unit.present import fabricated
from tests.unit.present.fabricated_conduct import missing


def table(result, view: str = "closed"):
    spec = fabricated.spec()
    (output,) = [each for each in spec.outputs.values() if each.kind == "missing"]
    return tabulate(output, {"N03": result}, spec, view)


def line(made, *stubs: str) -> list[str]:
    """The first row of the last name below those of the others."""
    rows = iter(made.rows)
    found = [next(row for row in rows if row.stub == stub) for stub in stubs]
    return [cell.text for cell in found[-1].cells]


def test_a_line_adds_up_from_due_to_the_last_reason() -> None:
    """At baseline 210 of 250 children are due: 149 observed, 61 missing; the 40 others are not due by age."""
    made = table(missing("N03", "closed"))
    assert line(made, "PIR-GAS", "Baseline", "NIM, children") == [
        *("210", "149 (71.0%)", "4", "11", "30", "14", "0", "2", "40", "0", "")
    ]
    pooled = table(missing("N03", "open"), "open")
    assert line(pooled, "PIR-GAS", "2.5 years", "Families")[:2] == ["200", "139 (69.5%)"]
    assert "refused (" in " ".join(note.text for note in pooled.footnotes)


def test_an_outcome_collected_once_says_where_it_is_not_due() -> None:
    said = {note.term: note.text for note in table(missing("N03", "closed")).footnotes}
    assert said["Schedule"] == (
        "RAD observation is collected once, at baseline or 15 months and from 12 months of age: "
        "it is not due, by schedule, where an earlier visit has it."
    )


BROKEN = {
    "observed": r"N03, SDQ_TOTAL at V3, NIM: 160 families are due, 161 observed or missing",
    "missing": r"N03, SDQ_TOTAL at V3, NIM: 160 families are due, 161 observed or missing",
    "not_due": r"N03, SDQ_TOTAL at V3, NIM: 201 families are due or not due, not all there are",
}


@pytest.mark.parametrize("name", BROKEN)
def test_numbers_that_do_not_add_up_are_refused(name: str) -> None:
    result = missing("N03", "closed")
    counts = list(result.counts)
    at = next(at for at, each in enumerate(counts) if each.name == name)
    counts[at] = replace(counts[at], value=counts[at].value + 1)
    with pytest.raises(ReportError, match=BROKEN[name]):
        table(replace(result, counts=tuple(counts)))


def test_arms_that_are_not_all_together_are_refused() -> None:
    """One more due and observed in one arm, which adds up there."""
    result, counts = missing("N03", "closed"), []
    for each in result.counts:
        more = (
            each.name in ("due", "observed") and each.labels["arm"] == "All" and each.labels["visit"] == "V5"
        )
        counts.append(replace(each, value=each.value + more))
    with pytest.raises(ReportError, match=r"N03, due \(.*V5\): the arms together are not all"):
        table(replace(result, counts=tuple(counts)))


def test_the_map_in_words_has_every_cell_course_and_pattern() -> None:
    words = missing_text(missing("N03", "open"), fabricated.spec()).splitlines()
    assert words[0].startswith("Map of the share of children with each outcome")
    at = words.index("PIR-GAS")
    assert words[at + 1] == (
        "  Baseline, observed of children due: Glasgow 90 (90.0%) of 100; London 40 (80%) of 50"
    )
    assert words[at + 4] == "  Courses, children, All: complete 9, monotone 8, intermittent 7, never 6"
    assert words[at + 7] == "    All: OOM 5, -MO 5"


def test_the_difference_of_the_arms_stands_with_the_last_and_is_marked_where_it_leaves_out_zero() -> None:
    made = table(missing("N03", "closed"))
    seen = [line(made, "PIR-GAS", visit, "SAU, families")[-1] for visit in ("Baseline", "2.5 years")]
    assert seen == ["11.0 (2.0 to 20.0)*", "11.0 (\u22128.0 to 20.0)"]
    assert len(made.columns) == 11 and len(table(missing("N03", "open")).columns) == 10

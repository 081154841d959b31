"""The table of the service received: what it says, and what it refuses to say."""

from dataclasses import replace

import pytest

from analysis.errors import BlindingError, ReportError
from analysis.present.tables import tabulate
from tests.unit.present import fabricated
from tests.unit.present.fabricated_conduct import delivery


def table(result=None, view: str = "closed"):
    spec = fabricated.spec()
    (output,) = [each for each in spec.outputs.values() if each.kind == "delivery"]
    return tabulate(output, {"N02": result or delivery("N02")}, spec, view)


def cells(made, stub: str) -> list[str]:
    return [cell.text for cell in next(row for row in made.rows if row.stub == stub).cells]


def test_every_share_is_of_all_allocated() -> None:
    """120 of 180 families and 148 of 222 children; 130 of 190 and 160 of 234."""
    made = table()
    assert made.spans[0].text.splitlines() == ["NIM", "180 families, 222 children"]
    assert cells(made, "Received the allocated service") == [
        "120 (66.7%)",
        "148 (66.7%)",
        "130 (68.4%)",
        "160 (68.4%)",
    ]
    assert cells(made, "Court decision") == ["0 (0.0%)"] * 4
    assert cells(made, "Reason not recorded")[:2] == ["8 (4.4%)", "9 (4.1%)"]


def test_what_the_plan_does_not_define_is_said_and_what_it_does_is_told() -> None:
    made = table()
    assert cells(made, "Completed")[2:] == cells(made, "Completed: not known")[2:] == ["not defined"] * 2
    said = " ".join(note.text for note in made.footnotes)
    assert "Completed: NIM at least 270 days from first to last contact; SAU not defined" in said
    assert "Adherent: NIM at least 1 session or contact; SAU at least 1 session or contact" in said


def test_a_median_that_is_not_reached_is_said() -> None:
    result = delivery("N02")
    late = replace(
        result,
        estimates=tuple(
            replace(each, value=None) if each.name == "median_of_all" else each for each in result.estimates
        ),
    )
    assert (
        cells(table(late), "Of those whose wait is known, day by which half had begun") == ["not reached"] * 4
    )


@pytest.mark.parametrize("name", ["received", "not_received", "not_recorded"])
def test_numbers_that_do_not_make_up_all_allocated_are_refused(name: str) -> None:
    result = delivery("N02")
    at = next(at for at, each in enumerate(result.counts) if each.name == name)
    counts = list(result.counts)
    counts[at] = replace(counts[at], value=counts[at].value + 1)
    with pytest.raises(ReportError, match=r"N02, NIM: 181 families received the service or not, 180 were"):
        table(replace(result, counts=tuple(counts)))


def test_it_is_for_no_open_page() -> None:
    with pytest.raises(BlindingError, match="not for the open report"):
        table(view="open")

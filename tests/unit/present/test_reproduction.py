"""Published figures beside ours: compared at the precision they were printed with."""

from dataclasses import replace

import pytest

from analysis.errors import ReportError
from analysis.present.table_form import Row, Table
from analysis.present.tables import tabulate
from analysis.results import Estimate
from analysis.spec.reported import Place
from tests.unit.present import fabricated


def made(results=None, **changed) -> Table:
    spec = fabricated.spec()
    if changed:
        spec = replace(spec, reported={**spec.reported, **changed})
    return tabulate(spec.outputs["R1"], results or fabricated.results("closed"), spec, "closed")


def row(table: Table, name: str) -> Row:
    return next(each for each in table.rows if each.stub.startswith(f"{name} "))


def shown(table: Table, name: str) -> list[str]:
    return [cell.text for cell in row(table, name).cells]


def with_difference(value: float) -> dict:
    """The fabricated results with another adjusted difference of the primary analysis."""
    results = dict(fabricated.results("closed"))
    changed = tuple(
        replace(each, value=value) if isinstance(each, Estimate) and each.name == "difference" else each
        for each in results["A01"].estimates
    )
    results["A01"] = replace(results["A01"], estimates=changed)
    return results


@pytest.mark.parametrize(
    ("value", "ours", "gap", "verdict"),
    [
        (1.35, "1.4", "0.0", "reproduced"),
        (1.4499, "1.4", "0.0", "reproduced"),
        (1.45, "1.5", "0.1", "differs"),
        (1.3499, "1.3", "\u22120.1", "differs"),
        (-1.4, "\u22121.4", "\u22122.8", "differs"),
    ],
)
def test_a_figure_is_compared_as_it_was_printed(value: float, ours: str, gap: str, verdict: str) -> None:
    assert shown(made(with_difference(value)), "R14") == ["1.4", ours, gap, verdict]


def test_what_cannot_be_estimated_says_why() -> None:
    table = made()
    assert row(table, "R34").remark.startswith("Published: 10,002 (J Public Health 2025).")
    assert shown(made(with_difference(float("nan"))), "R14")[1:] == ["not estimable"] * 3


def test_counts_that_fit_are_added_up_and_shares_are_percentages() -> None:
    results = fabricated.results("closed")
    events = [each.value for each in results["A50"].counts if each.name == "events"]
    any_kind = [
        each.value
        for each in results["A50"].counts
        if each.name == "events" and each.labels.get("category") == "any"
    ]
    assert shown(made(), "R18")[1] == str(sum(any_kind)) and len(events) > len(any_kind) == 2
    parts = {
        stage: next(
            each.value
            for each in results["N01"].counts
            if each.name == "families" and each.labels == {"stage": stage, "box": "in", "arm": "All"}
        )
        for stage in ("followed_up", "eligible")
    }
    share = 100 * parts["followed_up"] / parts["eligible"]
    assert shown(made(), "R21")[1] == f"{share:.1f}"


def test_a_place_that_fits_several_estimates_is_refused() -> None:
    vague = fabricated.spec().reported["R10"].model_copy(update={"find": Place(estimate="mean")})
    with pytest.raises(ReportError, match="R10: 2 estimates fit"):
        made(R10=vague)


def test_every_caution_stands_below_the_table() -> None:
    terms = {note.term for note in made().footnotes}
    cautioned = {each.id for each in fabricated.spec().reported.values() if each.caution}
    assert {f"Caution {name}" for name in cautioned} <= terms and len(cautioned) >= 9

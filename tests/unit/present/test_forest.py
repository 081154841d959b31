"""Forest plots and dots of harms: what is drawn is what the results say, in place, size and words."""

import math
import re
from dataclasses import replace

import pytest
from matplotlib.colors import same_color

from analysis.present import canvas, favours, forest_figure
from analysis.present import format as fmt
from analysis.present.figures import draw
from analysis.present.forest import NO_RESULT, Row, read_rows
from analysis.present.forest_figure import draw_forest, draw_ratio_forest
from analysis.present.harms_figure import ROW, draw_harms
from analysis.results import Result, select
from tests.unit.present import fabricated
from tests.unit.present.test_degenerate import UNKNOWN

FOREST, RATIOS, HARMS = "F7", "F8", "F14"


def items(output: str) -> list[Result]:
    results = fabricated.results("closed")
    return [results[name] for name in fabricated.spec().outputs[output].analyses]


def rows_of(found: list, sizes=("families", "children")) -> list[Row]:
    return read_rows(found, fabricated.spec(), sizes)


def with_effect(result: Result, **values) -> Result:
    """The result with its effect changed."""
    made = tuple(
        replace(each, **values) if each.name in ("difference", "hazard_ratio", "risk_difference") else each
        for each in result.estimates
    )
    return replace(result, estimates=made)


def marks(axes) -> list[tuple[float, float, float]]:
    """Place and area of every mark, from the top down."""
    found = [(*map(float, each.get_offsets()[0]), float(each.get_sizes()[0])) for each in axes.collections]
    return sorted(found, key=lambda each: each[1])


def styled(make, found):
    with canvas.styled(fabricated.STYLE):
        return make(found, fabricated.spec())


@pytest.mark.parametrize(
    ("output", "make", "sizes"),
    [
        (FOREST, draw_forest, ("families", "children")),
        (RATIOS, draw_ratio_forest, ("families", "children", "events")),
    ],
)
def test_every_effect_is_drawn_where_it_is_and_said(output: str, make, sizes) -> None:
    found = items(output)
    figure, text = styled(make, found)
    effects = [row for row in rows_of(found, sizes) if row.limits]
    assert [x for x, _, _ in marks(figure.axes[0])] == [row.effect.value for row in effects]
    words = {each.get_text() for each in figure.axes[1].texts}
    for row in effects:
        assert row.shown in words and f"{row.label}: {row.shown}" in text
        assert " / ".join(fmt.whole(n) for n in row.sizes) in words


def test_sizes_are_those_of_both_arms() -> None:
    (row,) = [each for each in rows_of(items(FOREST)) if each.is_main]
    analysed = select(fabricated.results("closed")["A01"].counts, set="analysed")
    assert row.sizes == tuple(
        sum(each.value for each in analysed if each.name == name) for name in ("families", "children")
    )


def test_the_primary_is_marked_and_its_line_drawn_through() -> None:
    figure, _ = styled(draw_forest, items(FOREST))
    (primary,) = [each for each in figure.axes[0].collections if same_color(each.get_facecolor(), "#0072B2")]
    value = fabricated.results("closed")["A01"].estimates
    expected = select(value, name="difference")[0].value
    assert primary.get_offsets()[0][0] == expected
    bottom, top = figure.axes[0].get_ylim()
    assert reference(figure.axes[0], expected) == [top, bottom]


def reference(axes, value: float) -> list[float]:
    """From where to where the one upright line at a value goes."""
    (line,) = [each for each in axes.lines if list(each.get_xdata()) == [value, value]]
    return list(line.get_ydata())


def test_what_estimates_something_else_stands_below_the_line_of_the_main_effect() -> None:
    main, other = items(RATIOS)[:2]
    spec = fabricated.spec()
    told = spec.analyses[other.analysis].model_copy(update={"apart": "Another event"})
    spec = replace(spec, analyses={**spec.analyses, other.analysis: told})
    rows = read_rows([other, main], spec, ())
    assert [row.is_apart for row in rows] == [False, False, True, True]
    assert rows[2].label == "Another event (supplementary, declared in the plan)"
    with canvas.styled(fabricated.STYLE):
        axes = draw_ratio_forest([other, main], spec)[0].axes[0]
    (_, first, _), (_, second, _) = marks(axes)
    start, end = reference(axes, rows[1].effect.value)
    assert start < first < end < second


def test_the_narrower_an_interval_the_larger_its_mark() -> None:
    first, second = items(FOREST)[:2]
    wide = with_effect(second, low=-5.0, high=7.85)
    (_, _, one), (_, _, other) = marks(styled(draw_forest, [first, wide])[0].axes[0])
    assert one == forest_figure.MOST and forest_figure.LEAST < other < one


def test_role_and_timing_stand_over_their_analyses() -> None:
    first, second = items(FOREST)[:2]
    spec = fabricated.spec()
    late = spec.analyses[second.analysis].model_copy(update={"timing": "post_hoc"})
    spec = replace(spec, analyses={**spec.analyses, second.analysis: late})
    headings = [row.label for row in read_rows([first, second], spec, ()) if row.kind == "heading"]
    assert headings == ["Primary, declared in the plan", "Sensitivity, post hoc"]


def test_the_test_of_interaction_stands_before_its_groups() -> None:
    kinds = [row.kind for row in rows_of(items(FOREST)) if row.indent == 2 or row.kind == "test"]
    assert kinds == ["test", "effect", "effect"] * 2
    first = next(row for row in rows_of(items(FOREST)) if row.kind == "test")
    assert (first.label, first.shown) == ("Site", "P of interaction 0.37")


@pytest.mark.parametrize(
    ("direction", "sides"),
    [
        ("higher is worse", ["\u2190 favours NIM", "favours SAU \u2192"]),
        ("higher is better", ["\u2190 favours SAU", "favours NIM \u2192"]),
    ],
)
def test_the_axis_says_which_arm_either_side_favours(direction: str, sides: list[str], monkeypatch) -> None:
    declared = favours.scale_of(fabricated.spec(), "SDQ_TOTAL")
    changed = replace(declared, direction=direction)
    monkeypatch.setattr(favours, "scale_of", lambda spec, parameter: changed)
    axes = styled(draw_forest, items(FOREST))[0].axes[0]
    assert [each.get_text() for each in axes.texts if "favours" in each.get_text()] == sides


def test_an_interval_far_beyond_the_others_is_cut_with_an_arrow() -> None:
    first, second, third = items(FOREST)[:3]
    figure, text = styled(draw_forest, [first, with_effect(second, high=900.0), third])
    axes = figure.axes[0]
    assert axes.get_xlim()[1] < 60
    (arrow,) = [line for line in axes.lines if line.get_marker() == ">"]
    assert arrow.get_xdata()[0] == axes.get_xlim()[1]
    assert "(\u22120.63 to 900.00)" in text


@pytest.mark.parametrize(
    ("values", "shown"),
    [(UNKNOWN, fmt.NOT_ESTIMABLE), ({"low": None, "high": None}, f"1.43 ({fmt.NO_INTERVAL})")],
)
def test_an_effect_without_limits_keeps_its_row(values: dict, shown: str) -> None:
    first, second = items(FOREST)[:2]
    figure, text = styled(draw_forest, [first, with_effect(second, **values)])
    assert len(marks(figure.axes[0])) == 1 and shown in text


def test_a_ratio_whose_limit_is_zero_is_said_and_not_drawn() -> None:
    first, second = items(RATIOS)[:2]
    figure, text = styled(draw_ratio_forest, [first, with_effect(second, low=0.0)])
    assert len(marks(figure.axes[0])) == 1 and "(0.00 to 1.41)" in text


def test_an_analysis_that_failed_is_a_row_of_its_own() -> None:
    results = {**fabricated.results("closed"), "A02": fabricated.failure("A02", "closed")}
    spec = fabricated.spec()
    made = draw(spec.outputs[FOREST], results, spec, "closed", style=fabricated.STYLE)["txt"].decode()
    assert f"Adjusted for site only: {NO_RESULT}" in made and "1.43 (\u22120.63 to 3.52)" in made


def test_ticks_of_ratios_lie_apart_by_ratio() -> None:
    axes = styled(draw_ratio_forest, items(RATIOS))[0].axes[0]
    ticks = axes.get_xticks()
    assert axes.get_xscale() == "log" and 1.0 in ticks and len(ticks) >= 3
    assert max(abs(math.log(b / a)) for a, b in zip(ticks, ticks[1:], strict=False)) < math.log(2.1)


def test_dots_are_the_shares_of_families_and_their_difference() -> None:
    (result,) = items(HARMS)
    figure, _ = styled(draw_harms, [result])
    risks, gaps, _ = figure.axes
    kinds = ["any", *fabricated.spec().codelists["event_category"]]
    dots = marks(risks)
    assert len(dots) == 2 * len(kinds)
    for at, kind in enumerate(kinds):
        expected = [
            100
            * select(result.counts, name="families", arm=arm, category=kind)[0].value
            / select(result.counts, name="at_risk_families", arm=arm)[0].value
            for arm in fabricated.ARMS
        ]
        mine = [x for x, y, _ in dots if at * ROW < y < (at + 1) * ROW]
        assert mine == pytest.approx(expected)
    shown = [each.value for each in select(result.estimates, name="risk_difference")]
    assert [x for x, _, _ in marks(gaps)] == pytest.approx([100 * each for each in shown])


def test_kinds_that_did_not_happen_are_printed_as_zeros_and_nothing_is_tested() -> None:
    figure, text = styled(draw_harms, items(HARMS))
    words = [each.get_text() for each in figure.axes[2].texts]
    assert words.count("0 / 0 / 0") == 3
    assert "Death of a child: NIM families 0 (0.0%), children 0, events 0" in text
    assert not re.search(r"\bP\b", " ".join(words) + text)


def test_an_empty_arm_has_no_dots() -> None:
    (result,) = items(HARMS)
    none = tuple(
        replace(each, value=0) if each.labels.get("arm") == "SAU" else each for each in result.counts
    )
    figure, text = styled(draw_harms, [with_effect(replace(result, counts=none), **UNKNOWN)])
    assert len(marks(figure.axes[0])) == 8 and marks(figure.axes[1]) == []
    assert "SAU families 0 (none in group)" in text

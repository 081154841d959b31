"""Every figure: the same bytes twice, nothing of the machine in them, its numbers in words."""

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.font_manager import FontProperties, findfont

from analysis.errors import BlindingError, ReportError
from analysis.present import canvas, fonts, occupation_figure
from analysis.present import format as fmt
from analysis.present.curve_figures import draw_incidence
from analysis.present.figures import DRAW, draw
from analysis.present.occupation_figure import draw_occupation, stacking_order
from analysis.spec.outputs import FIGURE_FORMATS, FIGURES, outputs_of
from tests.unit.present import fabricated

DRAWN = [
    (view, output.id)
    for view in ("open", "dummy", "closed")
    for output in outputs_of(fabricated.spec(), view)
    if output.kind in DRAW
]
OF_CURVES = [
    each for each in DRAWN if fabricated.spec().outputs[each[1]].kind not in ("consort", "missing_map")
]


def drawn(view: str, output: str, results=None) -> dict[str, bytes]:
    if results is None:
        return fabricated.figure_files(view, output)
    spec = fabricated.spec()
    return draw(spec.outputs[output], results, spec, view, style=fabricated.STYLE)


def words_of(svg: bytes) -> list[str]:
    root = ElementTree.fromstring(svg)
    return [
        text for each in root.iter("{http://www.w3.org/2000/svg}text") if (text := "".join(each.itertext()))
    ]


def test_every_figure_of_the_plan_can_be_drawn() -> None:
    assert set(DRAW) == FIGURES


@pytest.mark.parametrize(("view", "output"), DRAWN)
def test_a_figure_drawn_twice_has_the_same_bytes(view: str, output: str) -> None:
    first = drawn(view, output)
    assert first == drawn(view, output, dict(fabricated.results(view)))
    assert tuple(first) == FIGURE_FORMATS
    assert first["png"].startswith(b"\x89PNG") and first["pdf"].startswith(b"%PDF")


@pytest.mark.parametrize("output", ["F1", "F10"])
def test_files_say_nothing_of_when_and_with_what(output: str) -> None:
    made = drawn("closed", output)
    svg = made["svg"].decode()
    assert "<dc:date>" not in svg and "<dc:creator>" not in svg
    assert not re.search(rb"/(CreationDate|Producer|Creator|ModDate)", made["pdf"])
    assert not re.search(rb"tEXt|iTXt|tIME", made["png"][:4000])
    for content in made.values():
        assert b"Matplotlib v" not in content


@pytest.mark.parametrize(("view", "output"), DRAWN)
def test_text_stays_text_and_closed_figures_are_marked(view: str, output: str) -> None:
    words = words_of(drawn(view, output)["svg"])
    marks = {"open": 0, "closed": 1, "dummy": 2}[view]
    assert sum(word in ("CLOSED - CONFIDENTIAL", "DUMMY ARMS") for word in words) == marks


@pytest.mark.parametrize("view", ["open", "closed"])
def test_the_last_values_stand_at_the_ends_of_the_lines(view: str) -> None:
    words = words_of(drawn(view, "F9")["svg"])
    for curve in fabricated.results(view)["A30K"].curves:
        assert f"{curve.labels['arm']} {fmt.short_percentage(curve.value[-1])}" in words


@pytest.mark.parametrize(
    ("output", "heading"),
    [("F9", "Children at risk"), ("F10", "Children at risk"), ("F11", "Children under observation")],
)
def test_numbers_at_risk_are_drawn_and_said(output: str, heading: str) -> None:
    made = drawn("closed", output)
    words = words_of(made["svg"])
    assert heading in words
    assert f"\n{heading}\n" in made["txt"].decode()
    for each in fabricated.results("closed")["A30K"].counts:
        if each.name == "at_risk":
            assert str(each.value) in words
            assert f"{fmt.months(float(each.labels['day']))} months {each.value}" in made["txt"].decode()


@pytest.mark.parametrize(("view", "output"), DRAWN)
def test_the_first_line_of_the_words_is_the_alternative_text(view: str, output: str) -> None:
    alt, _, words = drawn(view, output)["txt"].decode().partition("\n")
    assert 60 < len(alt) < 700
    assert re.search(r"\d", alt) and words.endswith("\n")


def test_the_words_of_a_curve_hold_every_estimate() -> None:
    words = drawn("closed", "F10")["txt"].decode()
    for each in fabricated.results("closed")["A31"].estimates:
        if each.name == "probability":
            assert f"{each.labels['arm']} {fmt.percentage_estimate(each.value, each.low, each.high)}" in words


def test_a_failure_is_drawn_as_its_reason() -> None:
    made = drawn("closed", "F9", {"A30K": fabricated.failure("A30K", "closed", "Arm SAU is empty")})
    assert "Arm SAU is empty" in " ".join(words_of(made["svg"]))
    assert "Arm SAU is empty." in made["txt"].decode()


@pytest.mark.parametrize(("view", "output"), OF_CURVES)
def test_a_figure_without_curves_still_renders(view: str, output: str) -> None:
    results = {
        name: replace(each, curves=(), points=(), estimates=())
        for name, each in fabricated.results(view).items()
    }
    spec = fabricated.spec()
    items = [results[name] for name in spec.outputs[output].analyses]
    with canvas.styled(fabricated.STYLE):
        figure, text = DRAW[spec.outputs[output].kind](items, spec)
        FigureCanvasAgg(figure).draw()
    assert "no curve" in text or "no estimate" in text


def test_curves_without_events_lie_on_the_axis() -> None:
    results = fabricated.results("closed")
    flat = tuple(
        replace(each, value=(0.0,) * len(each.time), low=(), high=()) for each in results["A31"].curves
    )
    words = words_of(drawn("closed", "F10", {**results, "A31": replace(results["A31"], curves=flat)})["svg"])
    assert words.count("NIM 0%") == 5


def test_diagnostics_name_nobody_and_are_for_the_closed_report_only() -> None:
    made = drawn("closed", "F6")
    assert "scaled residuals beyond 3: 2\n" in made["txt"].decode()
    assert "skewness of scaled residuals: 0.44\n" in made["txt"].decode()
    assert "Influence of families" in words_of(made["svg"])
    assert fabricated.spec().outputs["F6"].reports == ("closed",)
    with pytest.raises(BlindingError, match="not for the open report"):
        drawn("open", "F6", fabricated.results("closed"))


def test_dollar_signs_are_no_formula() -> None:
    spec = fabricated.spec()
    stage = spec.stages["eligible"].model_copy(update={"label": "costs $5 and $6"})
    changed = replace(spec, stages={**spec.stages, "eligible": stage})
    made = draw(
        changed.outputs["F1"], fabricated.results("closed"), changed, "closed", style=fabricated.STYLE
    )
    assert "costs $5 and $6" in words_of(made["svg"])


def test_the_family_home_is_at_the_bottom_of_the_stack() -> None:
    spec = fabricated.spec()
    order = stacking_order(spec)
    assert set(order) == set(spec.states.states) and len(order) == len(spec.states.states)
    assert set(order[: len(spec.states.family_home)]) == set(spec.states.family_home)
    assert order[-1] == "died"


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2.2."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(
    "colour", [canvas.INK, canvas.PALE, canvas.POOLED, *canvas.ARM_COLOURS, *occupation_figure.WORDS]
)
def test_words_can_be_read_on_white(colour: str) -> None:
    assert 1.05 / (luminance(colour) + 0.05) >= 4.5


def test_the_walls_hold_for_figures() -> None:
    with pytest.raises(BlindingError, match="knows the arms"):
        drawn("open", "F1", fabricated.results("closed"))
    with pytest.raises(ReportError, match="no figure"):
        drawn("closed", "T1")
    labels = {**fabricated.spec().codes["state"]}
    named = labels["home"].model_copy(update={"label": "Home in the intervention arm"})
    spec = replace(fabricated.spec(), codes={**fabricated.spec().codes, "state": {**labels, "home": named}})
    with pytest.raises(BlindingError, match="names an arm"):
        draw(spec.outputs["F11"], fabricated.results("open"), spec, "open", style=fabricated.STYLE)


def test_the_axis_says_whether_routes_compete() -> None:
    results = fabricated.results("open")
    labels = {
        analysis: draw_incidence([results[analysis]], fabricated.spec())[0].axes[0].get_ylabel()
        for analysis in ("A30K", "A31")
    }
    assert labels == {"A30K": "Probability, 1 \u2212 Kaplan-Meier", "A31": "Cumulative incidence"}


def test_the_words_over_a_panel_stay_within_it() -> None:
    figure, _ = draw_occupation([fabricated.results("closed")["A40"]], fabricated.spec())
    FigureCanvasAgg(figure).draw()
    for axes in figure.axes:
        for text in axes.texts:
            if text.get_text().startswith("In a permanent family home"):
                assert text.get_window_extent().x1 < axes.get_window_extent().x1 + 20


def test_figures_use_fonts_that_come_with_the_environment_whatever_a_machine_has():
    with canvas.styled(fabricated.STYLE):
        for weight in ("normal", "bold"):
            found = Path(findfont(FontProperties(weight=weight)))
            assert found.name in fonts.FILES and found.stat().st_size < 60_000


def test_a_font_is_embedded_once_in_a_pdf_whatever_signs_it_shows():
    with canvas.styled(fabricated.STYLE):
        figure = canvas.new_figure(200, 50)
        figure.text(0.1, 0.5, "Difference \u2212 2 to 3, \u2265 4 \u2013 5 \u2192 6")
        pdf = canvas.write_figure(figure, identifier="")["pdf"]
    assert pdf.count(b"/FontFile2") == 1

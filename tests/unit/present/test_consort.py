"""The flow diagram: does it add up, does it fit, and do the words say the same."""

import itertools
import re
from copy import deepcopy
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg

from analysis.errors import ReportError
from analysis.present import canvas
from analysis.present.consort import check_conservation, flow_text, read_flow
from analysis.present.consort_figure import draw_consort
from analysis.present.consort_layout import SIZE, Layout, lay_out, wrap
from analysis.results import Result
from tests.unit.present import fabricated

LONG = "Siblings who joined the family in the trial after randomisation and before the last visit of anybody"
UNBROKEN = "Donaudampfschifffahrtsgesellschaftskapitaenswitwenverein"


def measure(text: str, bold: bool) -> float:
    return canvas.text_width(text, SIZE, bold)


def laid_out(result: Result, spec=None) -> Layout:
    return lay_out(read_flow(result, spec or fabricated.spec()), measure)


def flow_of_arms(number: int) -> Result:
    """The fabricated flow with its second arm repeated until there are so many."""
    arms = tuple(f"ARM{at}" for at in range(number))
    counts = {}
    for stage, boxes in fabricated.FLOW.items():
        for box, sizes in boxes.items():
            wide = sizes if stage == "screening" else (list(sizes) * number)[:number]
            counts.setdefault(stage, {})[box] = wide
    extra = [sum(part) for part in zip(*counts["randomised"]["in"], strict=True)]
    counts["screening"]["randomised"] = [tuple(extra)]
    return fabricated.flow("closed", counts=counts, arms=arms)


def with_labels(text: str):
    spec = fabricated.spec()
    stages = {
        name: stage.model_copy(
            update={
                "label": f"{text} {stage.label}",
                "boxes": tuple(
                    box.model_copy(update={"label": f"{text} {box.label}"}) for box in stage.boxes
                ),
            }
        )
        for name, stage in spec.stages.items()
    }
    return replace(spec, stages=stages)


def assert_fits(layout: Layout) -> None:
    for left, top, right, bottom in layout.rectangles():
        assert 0 <= left < right <= layout.width
        assert 0 <= top < bottom <= layout.height
    for one, other in itertools.combinations(layout.rectangles(), 2):
        apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
        assert apart, "two boxes overlap"
    for box in layout.boxes:
        for line in box.lines:
            assert box.x < line.x and line.x + measure(line.text, line.bold) <= box.x + box.width
            assert box.y < line.y - SIZE * 0.7 and line.y + SIZE * 0.2 < box.bottom


def numbers_in(text: str) -> list[str]:
    return re.findall(r"[\d,]+ (?:family|families|child|children)\b", text)


@pytest.mark.parametrize("view", ["open", "dummy", "closed"])
def test_the_fabricated_flow_adds_up(view: str) -> None:
    check_conservation(fabricated.flow(view), fabricated.spec().stages)


@pytest.mark.parametrize(
    ("stage", "box", "sizes", "message"),
    [
        ("eligible", "removed", [(10, 24), (12, 24)], "stage eligible, All: 488 children enter"),
        ("eligible", "removed", [(9, 24), (12, 25)], "stage eligible, All: 382 families enter"),
        ("eligible", "removed", [(11, 24), (11, 25)], "stage eligible, NIM: 191 families enter"),
        ("followed_up", "joined", [(0, 9), (0, 6)], "stage followed_up, All: 439 children enter and 15 join"),
        ("randomised", "in", [(191, 246), (190, 242)], "stage randomised, All: 382 families enter"),
    ],
)
def test_what_does_not_add_up_is_refused(stage: str, box: str, sizes: list, message: str) -> None:
    counts = deepcopy(fabricated.FLOW)
    counts[stage][box] = sizes
    with pytest.raises(ReportError, match=message):
        check_conservation(fabricated.flow("closed", counts=counts), fabricated.spec().stages)


@pytest.mark.parametrize(("stage", "box"), [("month_15", "attended"), ("received", "not_received")])
def test_arms_that_do_not_sum_to_all_are_refused(stage: str, box: str) -> None:
    result = fabricated.flow("closed")
    where = {"stage": stage, "box": box, "arm": "All"}
    counts = tuple(
        replace(each, value=each.value + 1) if each.labels == where else each for each in result.counts
    )
    with pytest.raises(ReportError, match=f"box {box}: the arms together have"):
        check_conservation(replace(result, counts=counts), fabricated.spec().stages)


def test_a_box_without_a_count_is_named() -> None:
    result = fabricated.flow("closed")
    counts = tuple(each for each in result.counts if each.labels["box"] != "withdrawn")
    with pytest.raises(ReportError, match="box withdrawn has no count of families"):
        check_conservation(replace(result, counts=counts), fabricated.spec().stages)


def test_the_published_totals_stand_in_the_diagram() -> None:
    """Totals of reported.yaml: the fabricated flow was made with them, the diagram must not lose them."""
    text = flow_text(read_flow(fabricated.flow("open"), fabricated.spec()))
    reported = {name: each.value for name, each in fabricated.spec().reported.items()}
    assert f"Randomised: {reported['R01']} families, {reported['R02']} children" in text
    assert f"{reported['R03']} families" in text
    assert f"{reported['R04']} families, {reported['R05']} children" in text
    assert f"{reported['R06']} families, {reported['R07']} children" in text


@pytest.mark.parametrize("number", [1, 2, 3, 4])
@pytest.mark.parametrize("label", ["", LONG, UNBROKEN])
def test_no_box_overlaps_or_leaves_the_canvas(number: int, label: str) -> None:
    assert_fits(laid_out(flow_of_arms(number), with_labels(label) if label else None))


def test_arms_of_unequal_names_stay_level() -> None:
    layout = laid_out(fabricated.flow("closed", arms=("NIM", LONG)))
    assert_fits(layout)
    tops = {}
    for box in layout.boxes:
        tops.setdefault((box.node.stage, box.node.title), set()).add(box.y)
    assert {
        len(each) for (stage, _), each in tops.items() if stage in ("eligible", "followed_up", "analysed")
    } == {1}


@pytest.mark.parametrize("label", ["", LONG, UNBROKEN])
def test_the_open_diagram_fits_too(label: str) -> None:
    assert_fits(laid_out(fabricated.flow("open"), with_labels(label) if label else None))


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    st.text(st.characters(codec="latin-1", categories=["L", "N", "P", "Zs"]), max_size=120), st.integers(1, 4)
)
def test_any_label_fits(label: str, number: int) -> None:
    assert_fits(laid_out(flow_of_arms(number), with_labels(label)))


@st.composite
def flows(draw: st.DrawFn) -> Result:
    """Any flow that adds up: of 2 to 4 arms, with stages left out, an arm empty, few or very many."""
    arms = tuple(f"ARM{at}" for at in range(draw(st.integers(2, 4))))
    most = draw(st.sampled_from([1, 9, 99, 5_000, 10**9]))

    def part(of: int) -> int:
        return draw(st.integers(0, of))

    now = [draw(st.sampled_from([(0, 0), (part(most), part(most))])) for _ in arms]
    total = tuple(map(sum, zip(*now, strict=True)))
    counts = {"screening": {box: [(part(most), part(most))] for box in fabricated.FLOW["screening"]}}
    counts["screening"]["randomised"] = [total]
    for stage in ("randomised", "eligible", "received", "month_15", "followed_up", "analysed"):
        boxes = fabricated.FLOW[stage]
        if stage != "randomised" and draw(st.booleans()):
            continue
        made = {box: [] for box in boxes}
        for at, (families, children) in enumerate(now):
            joined = (0, part(9)) if "joined" in boxes else (0, 0)
            rest = [families, children + joined[1]]
            for box in made:
                size = joined if box == "joined" else (part(rest[0]), part(rest[1]))
                if box not in ("in", "joined"):
                    rest = [rest[0] - size[0], rest[1] - size[1]]
                made[box].append(size)
            if "in" in made:
                now[at] = made["in"][at] = tuple(rest)
        counts[stage] = made
    return fabricated.flow("closed", counts=counts, arms=arms)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(flows(), st.sampled_from(["", LONG, UNBROKEN]))
def test_any_flow_fits_and_is_said_in_the_same_numbers(result: Result, label: str) -> None:
    spec = with_labels(label) if label else fabricated.spec()
    flow = read_flow(result, spec)
    layout = lay_out(flow, measure)
    assert_fits(layout)
    drawn = " ".join(line.text for box in layout.boxes for line in box.lines)
    assert sorted(numbers_in(drawn)) == sorted(numbers_in(flow_text(flow)))


def test_leavers_of_all_arms_stand_level() -> None:
    counts = deepcopy(fabricated.FLOW)
    counts["followed_up"]["joined"] = [(0, 10**12), (0, 0)]
    counts["followed_up"]["in"] = [(149, 192 - 8 + 10**12), (137, 175 - 6)]
    counts["analysed"] = {"in": counts["followed_up"]["in"], "incomplete": [(0, 0), (0, 0)]}
    layout = laid_out(fabricated.flow("closed", counts=counts), with_labels(LONG[:30]))
    assert_fits(layout)
    for stage in ("followed_up", "analysed"):
        tops = [box.y for box in layout.boxes if (box.node.stage, box.node.kind) == (stage, "side")]
        assert len(tops) == 2 and len(set(tops)) == 1


@pytest.mark.parametrize("number", [2, 3, 4])
def test_a_number_stays_with_its_word(number: int) -> None:
    result = flow_of_arms(number)
    large = replace(result, counts=tuple(replace(each, value=100_000 * each.value) for each in result.counts))
    lines = [line.text for box in laid_out(large).boxes for line in box.lines]
    assert not [
        text for text in lines if re.search(r"\d{3}$", text) or re.fullmatch(r"families,?|children", text)
    ]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text(st.characters(codec="ascii", categories=["L", "Zs"]), max_size=200), st.integers(3, 40))
def test_wrapping_keeps_the_text_and_the_width(text: str, width: int) -> None:
    lines = wrap(text, width, len)
    assert all(0 < len(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


@pytest.mark.parametrize("view", ["open", "closed"])
def test_drawn_text_stays_in_its_box(view: str) -> None:
    """By the renderer's own extents, not by the measure that wrapped the text."""
    result = fabricated.flow(view)
    with canvas.styled(fabricated.STYLE):
        figure, _ = draw_consort([result], fabricated.spec())
        renderer = FigureCanvasAgg(figure).get_renderer()
        (axes,) = figure.axes
        boxes = [patch.get_window_extent(renderer) for patch in axes.patches]
        texts = [text.get_window_extent(renderer) for text in axes.texts if text.get_text()]
    assert len(boxes) == len(laid_out(result).boxes)
    for text in texts:
        assert any(
            box.x0 <= text.x0 and text.x1 <= box.x1 and box.y0 <= text.y0 and text.y1 <= box.y1
            for box in boxes
        )
    for one, other in itertools.combinations(texts, 2):
        assert not one.padded(-1).overlaps(other.padded(-1))


@pytest.mark.parametrize("view", ["open", "closed"])
def test_the_words_hold_the_numbers_of_the_boxes(view: str) -> None:
    flow = read_flow(fabricated.flow(view), fabricated.spec())
    drawn = " ".join(line.text for box in lay_out(flow, measure).boxes for line in box.lines)
    assert sorted(numbers_in(flow_text(flow))) == sorted(numbers_in(drawn))


def test_every_count_of_the_result_is_in_the_diagram() -> None:
    result = fabricated.flow("closed")
    text = flow_text(read_flow(result, fabricated.spec()))
    for each in result.counts:
        if each.labels["arm"] != "All" and each.value > 1:
            assert f"{each.value} {each.name}" in text


def test_leavers_and_joiners_point_away_from_and_towards_the_trunk() -> None:
    layout = laid_out(fabricated.flow("open"))
    joins = next(box for box in layout.boxes if box.node.kind == "joins")
    side = next(box for box in layout.boxes if box.node.kind == "side")
    ends = {connector.points[-1] for connector in layout.connectors}
    starts = {connector.points[0] for connector in layout.connectors}
    assert (joins.x, joins.y + joins.height / 2) in starts
    assert (side.x, side.y + side.height / 2) in ends

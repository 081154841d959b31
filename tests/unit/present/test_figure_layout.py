"""What a figure says can be read: texts lie within it and apart, with long names and large numbers too."""

import itertools
from collections.abc import Iterator
from dataclasses import replace

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from analysis.present import canvas
from analysis.present.figures import DRAW
from analysis.results import Result
from analysis.spec.outputs import outputs_of
from tests.unit.present import fabricated

FIGURES = [
    (view, output.id)
    for view in ("open", "closed")
    for output in outputs_of(fabricated.spec(), view)
    if output.kind in DRAW
]
LONG = {"NIM": "Intervention", "SAU": "Usual service", "NIM - SAU": "Intervention - Usual service"}
# Of points: ascenders and descenders that no letter of the text has.
SLACK = 0.8


def renamed(result: Result) -> Result:
    """The same of arms with long names and of a trial ten times as large."""

    def labels(each):
        return replace(each, labels={key: LONG.get(value, value) for key, value in each.labels.items()})

    parts = {
        kind: tuple(map(labels, getattr(result, kind)))
        for kind in ("counts", "estimates", "curves", "points")
    }
    counts = tuple(replace(each, value=10 * each.value) for each in parts["counts"])
    return replace(result, **{**parts, "counts": counts})


def drawn(view: str, output: str, change=lambda result: result) -> Figure:
    entry = fabricated.spec().outputs[output]
    items = [change(fabricated.results(view)[name]) for name in entry.analyses]
    with canvas.styled(fabricated.STYLE):
        figure, _ = DRAW[entry.kind](items, fabricated.spec())
        FigureCanvasAgg(figure).draw()
    return figure


def places_of(figure: Figure) -> Iterator[tuple[str, Bbox]]:
    """Texts as they are rendered."""
    renderer = figure.canvas.get_renderer()
    texts = list(figure.texts)
    for axes in figure.axes:
        texts += [each for each in axes.get_children() if isinstance(each, Text)]
        if axes.axison:
            texts += [axes.xaxis.label, axes.yaxis.label]
            for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, sorted(axes.get_ylim()))):
                texts += [each.label1 for each in axis.get_major_ticks() if low <= each.get_loc() <= high]
    for text in texts:
        if text.get_text().strip():
            yield text.get_text(), text.get_window_extent(renderer)


@pytest.mark.parametrize("change", [lambda result: result, renamed], ids=["as it is", "long and large"])
@pytest.mark.parametrize(("view", "output"), FIGURES)
def test_texts_lie_within_the_figure_and_apart(view: str, output: str, change) -> None:
    figure = drawn(view, output, change)
    places = list(places_of(figure))
    assert len(places) > 5
    across, up = (size * canvas.POINTS for size in figure.get_size_inches())
    for text, box in places:
        assert box.x0 >= 0 and box.x1 <= across and box.y0 >= 0 and box.y1 <= up, text
    for (text, box), (other, place) in itertools.combinations(places, 2):
        assert not box.padded(-SLACK).overlaps(place.padded(-SLACK)), (text, other)

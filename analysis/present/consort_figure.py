"""The flow diagram, drawn."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from analysis.present import canvas
from analysis.present.consort import read_flow
from analysis.present.consort_layout import SIZE, Box, Connector, lay_out
from analysis.present.figure_text import consort_text
from analysis.results import Result
from analysis.spec.declarations import Spec

EDGE = "#374151"
# Fill, edge and dash by kind of box.
LOOKS = {
    "main": ("#FFFFFF", EDGE, "solid"),
    "side": ("#F3F4F6", "#9CA3AF", "solid"),
    "joins": ("#EEF6F3", "#00795A", (0, (3, 1.5))),
    "note": ("#FFFFFF", "#9CA3AF", (0, (1, 1.5))),
}


def draw_consort(items: Sequence[Result], spec: Spec) -> tuple[Figure, str]:
    """The flow diagram and its text."""
    (result,) = items
    flow = read_flow(result, spec)
    layout = lay_out(flow, lambda text, bold: canvas.text_width(text, SIZE, bold))
    figure = canvas.new_figure(layout.width, layout.height)
    axes = canvas.sheet(figure)
    for connector in layout.connectors:
        _draw_connector(axes, connector)
    for box in layout.boxes:
        _draw_box(axes, box)
    return figure, consort_text(flow)


def _draw_connector(axes: Axes, connector: Connector) -> None:
    *start, last = connector.points
    axes.annotate(
        "",
        xy=last,
        xytext=start[-1],
        arrowprops={
            "arrowstyle": "-|>" if connector.has_head else "-",
            **{"linewidth": 0.8, "color": EDGE, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 6.5},
        },
    )


def _draw_box(axes: Axes, box: Box) -> None:
    fill, edge, dash = LOOKS[box.node.kind]
    axes.add_patch(
        Rectangle(
            (box.x, box.y),
            box.width,
            box.height,
            facecolor=fill,
            edgecolor=edge,
            linestyle=dash,
            linewidth=0.8,
        )
    )
    for line in box.lines:
        axes.text(
            line.x,
            line.y,
            line.text,
            fontsize=SIZE,
            va="baseline",
            fontweight="bold" if line.bold else "normal",
        )

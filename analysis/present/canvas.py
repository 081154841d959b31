"""A figure's canvas: style, measured text, marks and files. The same figure always gives the same bytes."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from analysis.present.fonts import use_small_fonts
from analysis.present.reading import ALL
from analysis.present.table_form import MARKS
from analysis.results import View
from analysis.spec.palette import ARM_COLOURS

POINTS = 72.0
WIDTH = 512.0
INK, PALE, POOLED = "#222222", "#6B7280", "#35485A"
ARM_DASHES = ("solid", (0, (5, 1.3)), (0, (1.2, 1.2)), (0, (5, 1.5, 1.2, 1.5)))
# Other hues than those of the arms, so that nobody takes a site for one.
SITE_COLOURS = ("#12705A", "#8F3B66", "#6B6108", "#534394")
# Nothing in a file says when or with what it was made.
_METADATA = {
    "svg": {"Date": None, "Creator": None, "Format": None, "Type": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "png": {"Software": None},
}
IDENTIFIER = "Identifier"


@contextmanager
def styled(style: Path) -> Iterator[None]:
    """Within it figures follow the trial's style and nothing of the user's own."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(matplotlib.rc_params_from_file(style, use_default_template=False))
        use_small_fonts()
        yield


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of that size in points."""
    return Figure(figsize=(width / POINTS, height / POINTS))


def axes_at(figure: Figure, *, left: float, bottom: float, width: float, height: float) -> Axes:
    """Axes at a place given in points from the lower left."""
    across, up = (size * POINTS for size in figure.get_size_inches())
    return figure.add_axes((left / across, bottom / up, width / across, height / up))


def sheet(figure: Figure) -> Axes:
    """Axes over the whole figure, in points from its upper left."""
    across, up = (size * POINTS for size in figure.get_size_inches())
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, across), ylim=(up, 0))
    axes.set_axis_off()
    return axes


def arm_style(arm: str, arms: tuple[str, ...]) -> tuple[str, object]:
    """Colour and dash of an arm."""
    if arm == ALL:
        return POOLED, "solid"
    at = arms.index(arm) % len(ARM_COLOURS)
    return ARM_COLOURS[at], ARM_DASHES[at]


def site_style(site: str, sites: tuple[str, ...]) -> tuple[str, object]:
    """Colour and dash of a site; those of all together for another name."""
    if site not in sites:
        return POOLED, "solid"
    at = sites.index(site) % len(SITE_COLOURS)
    return SITE_COLOURS[at], ARM_DASHES[(at + 1) % len(ARM_DASHES)]


@lru_cache(maxsize=4096)
def text_width(text: str, size: float, bold: bool = False) -> float:
    """Width of a text in points in the trial's font, unhinted, whatever the format it will be written to."""
    font = FontProperties(family="DejaVu Sans", size=size, weight="bold" if bold else "normal")
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return float(width)


def add_mark(figure: Figure, view: View) -> None:
    """The mark of a closed figure in its corner; across a figure whose arms are a rehearsal."""
    if not MARKS[view]:
        return
    across, up = (size * POINTS for size in figure.get_size_inches())
    figure.text(1 - 4 / across, 3.5 / up, MARKS[view], ha="right", va="baseline", fontsize=5.5, color=PALE)
    if view == "dummy":
        size = 0.8 * min(across, 2 * up) / 8
        figure.text(
            *(0.5, 0.5, MARKS[view]),
            **{"rotation": 24, "ha": "center", "va": "center", "fontsize": size, "weight": "bold"},
            **{"color": "#B42318", "alpha": 0.14, "zorder": 50},
        )


def write_figure(figure: Figure, *, identifier: str) -> dict[str, bytes]:
    """Content of a figure's files by format; the SVG carries the identifier of the results it shows."""
    content = {}
    for form, metadata in _METADATA.items():
        buffer = io.BytesIO()
        named = {**metadata, IDENTIFIER: identifier} if form == "svg" else metadata
        figure.savefig(buffer, format=form, metadata=named)
        content[form] = buffer.getvalue()
    # Where the trial's font is not installed, one as wide stands in, so that text still fits its boxes.
    content["svg"] = content["svg"].replace(b"'DejaVu Sans'", b"'DejaVu Sans', Verdana, sans-serif")
    return content


def spread(places: list[float], *, gap: float, low: float, high: float) -> list[float]:
    """Places moved as little as needed to be `gap` apart and within the limits, their order kept."""
    order = sorted(range(len(places)), key=lambda at: (places[at], at))
    moved = [min(max(places[at], low), high) for at in order]
    for at in range(1, len(moved)):
        moved[at] = max(moved[at], moved[at - 1] + gap)
    excess = moved[-1] - high if moved else 0.0
    if excess > 0:
        moved[-1] = high
        for at in range(len(moved) - 2, -1, -1):
            moved[at] = min(moved[at], moved[at + 1] - gap)
    result = [0.0] * len(places)
    for at, place in zip(order, moved, strict=True):
        result[at] = place
    return result

"""Curves of the mean number of events, one panel per analysis with a scale of its own."""

import math
from collections.abc import Sequence

from matplotlib.figure import Figure

from analysis.present import canvas
from analysis.present import format as fmt
from analysis.present.consort_layout import wrap
from analysis.present.curve_axes import (
    RISK_TOP,
    ROW,
    draw_arms,
    draw_at_risk,
    room_for_ends,
    room_for_names,
    set_time_axis,
)
from analysis.present.figure_text import UNITS_UNDER_OBSERVATION, counts_text
from analysis.present.reading import arms_of
from analysis.results import Result
from analysis.spec.declarations import Spec

ACROSS, LEFT, BESIDE, TOP, HEIGHT, FOOT = 2, 48.0, 66.0, 34.0, 118.0, 14.0
TITLE_SIZE, LONGEST = 8.5, "99.99"
# Of a panel: less would have numbers at risk touch. Beside long names the figure grows.
NARROWEST = 128.0
UNITS = {"child": "Mean number per child", "family": "Mean number per family"}


def draw_mean_counts(items: Sequence[Result], spec: Spec) -> tuple[Figure, str]:
    """Mean number of events per child or family by arm, with those under observation below each panel."""
    arms = arms_of(items)
    below = RISK_TOP + (len(arms) + 1) * ROW + FOOT
    down = math.ceil(len(items) / ACROSS)
    left, beside = max(LEFT, room_for_names(arms)), max(BESIDE, room_for_ends(arms, LONGEST))
    width = max(canvas.WIDTH / ACROSS - left - beside, NARROWEST)
    figure = canvas.new_figure(ACROSS * (left + width + beside), down * (TOP + HEIGHT + below))
    for position, result in enumerate(items):
        row = down - 1 - position // ACROSS
        axes = canvas.axes_at(
            figure,
            left=left + (position % ACROSS) * (width + left + beside),
            bottom=below + row * (TOP + HEIGHT + below),
            width=width,
            height=HEIGHT,
        )
        _panel(axes, result, arms, spec)
        axes.set_title("\n".join(_title_lines(result.title, width + beside)))
    return figure, counts_text(items, spec)


def _panel(axes, result: Result, arms: tuple[str, ...], spec: Spec) -> None:
    entry = spec.analyses[result.analysis]
    days = entry.days
    set_time_axis(axes, days, max(days))
    top = max((max((*curve.value, *curve.high)) for curve in result.curves), default=0.0)
    axes.set_ylim(0, top * 1.05 or 1.0)
    axes.set_ylabel(UNITS[entry.level])
    draw_arms(axes, result, arms, "mean_count", horizon=max(days), show=lambda last: fmt.number(last, 2))
    draw_at_risk(axes, result, arms, heading=UNITS_UNDER_OBSERVATION[entry.level])


def _title_lines(title: str, width: float) -> list[str]:
    """A title over its panel and the room for names beside it, in as many lines as it needs."""
    return wrap(fmt.with_minus(title), width, lambda part: canvas.text_width(part, TITLE_SIZE, bold=True))

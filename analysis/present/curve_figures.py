"""Curves of a first event: of any route with its confidence band, and one panel per route."""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.present import canvas
from analysis.present import format as fmt
from analysis.present.curve_axes import (
    RISK_SIZE,
    RISK_TOP,
    ROW,
    at_risk_counts,
    days_shown,
    draw_arms,
    draw_at_risk,
    room_for_ends,
    room_for_names,
    set_percent_axis,
    set_time_axis,
)
from analysis.present.figure_text import AT_RISK, incidence_text
from analysis.present.reading import arm_name, arms_of, values_of
from analysis.present.table_times import cause_label
from analysis.results import Result
from analysis.spec.declarations import Spec

CURVE = "cumulative_incidence"
LEFT, RIGHT, TOP, FOOT = 48.0, 62.0, 18.0, 14.0
LONGEST = ">99%"
PLOT_HEIGHT = 210.0
PANELS_ACROSS, PANEL_HEIGHT, PANEL_LEFT, PANEL_BESIDE, PANEL_BELOW = 3, 118.0, 34.0, 54.0, 46.0
MONTH_COLUMN, RISK_COLUMN, RISK_GAP = 34.0, 28.0, 8.0


def draw_incidence(items: Sequence[Result], spec: Spec) -> tuple[Figure, str]:
    """Probability of the event by any route, by arm, with numbers at risk."""
    (result,) = items
    arms, causes = arms_of(items), values_of(result.curves, "cause")
    foot = RISK_TOP + (len(arms) + 1) * ROW + FOOT
    figure = canvas.new_figure(canvas.WIDTH, TOP + PLOT_HEIGHT + foot)
    left, right = max(LEFT, room_for_names(arms)), max(RIGHT, room_for_ends(arms, LONGEST))
    axes = canvas.axes_at(
        figure, left=left, bottom=foot, width=canvas.WIDTH - left - right, height=PLOT_HEIGHT
    )
    set_time_axis(axes, days_shown(result, "probability", spec), spec.trial.horizon_days)
    set_percent_axis(axes, 1.0, step=0.2, label=_quantity(result, spec))
    for cause in causes[:1]:
        _draw_arms(axes, result, arms, cause, spec)
    draw_at_risk(axes, result, arms)
    return figure, incidence_text(result, spec)


def _quantity(result: Result, spec: Spec) -> str:
    """What the curve is: causes taken together do not compete."""
    is_combined = spec.analyses[result.analysis].combine
    return "Probability, 1 \u2212 Kaplan-Meier" if is_combined else "Cumulative incidence"


def draw_routes(items: Sequence[Result], spec: Spec) -> tuple[Figure, str]:
    """One small panel per route with one scale; those at risk once, as they are the same for all routes."""
    (result,) = items
    causes = values_of(result.curves, "cause")
    # One cell more than there are routes: the table of those at risk.
    down = math.ceil((len(causes) + 1) / PANELS_ACROSS)
    figure = canvas.new_figure(canvas.WIDTH, TOP + down * (PANEL_HEIGHT + PANEL_BELOW))
    top, beside = _common_top(result), max(PANEL_BESIDE, room_for_ends(arms_of(items), LONGEST))
    for position, cause in enumerate(causes):
        axes = _panel(figure, position, down, beside)
        days = days_shown(result, "probability", spec)
        set_time_axis(axes, days, spec.trial.horizon_days, label=position + PANELS_ACROSS >= len(causes))
        set_percent_axis(axes, top, step=_step(top), has_names=position % PANELS_ACROSS == 0)
        axes.set_title(cause_label(cause, spec))
        _draw_arms(axes, result, arms_of(items), cause, spec)
    _risk_table(_panel(figure, len(causes), down, beside), result, arms_of(items))
    return figure, incidence_text(result, spec)


def _panel(figure: Figure, position: int, down: int, beside: float) -> Axes:
    """Axes of one cell of the grid, with so much room for names beside each."""
    width = (canvas.WIDTH - PANEL_LEFT - PANELS_ACROSS * beside) / PANELS_ACROSS
    return canvas.axes_at(
        figure,
        left=PANEL_LEFT + (position % PANELS_ACROSS) * (width + beside),
        bottom=PANEL_BELOW + (down - 1 - position // PANELS_ACROSS) * (PANEL_HEIGHT + PANEL_BELOW),
        width=width,
        height=PANEL_HEIGHT,
    )


def _risk_table(axes: Axes, result: Result, arms: tuple[str, ...]) -> None:
    """Children at risk by month and arm, in a cell of its own."""
    axes.set_axis_off()
    across, _ = axes.figure.get_size_inches() * canvas.POINTS
    axes.set(xlim=(0, axes.get_position().width * across), ylim=(PANEL_HEIGHT, 0))
    axes.set_title(AT_RISK)
    counts = at_risk_counts(result, arms)
    days = list(dict.fromkeys(day for by_day in counts.values() for day in by_day))
    text = {"fontsize": RISK_SIZE, "va": "baseline", "ha": "right"}
    axes.text(MONTH_COLUMN, ROW, "Month", **text)
    across = MONTH_COLUMN
    for arm, by_day in counts.items():
        across += max(canvas.text_width(arm_name(arm), RISK_SIZE, True) + RISK_GAP, RISK_COLUMN)
        axes.text(across, ROW, arm_name(arm), color=canvas.arm_style(arm, arms)[0], weight="bold", **text)
        for row, day in enumerate(days, start=2):
            axes.text(across, row * ROW, fmt.whole(by_day.get(day), absent=""), **text)
    for row, day in enumerate(days, start=2):
        axes.text(MONTH_COLUMN, row * ROW, str(fmt.months(day)), **text)


def _draw_arms(axes: Axes, result: Result, arms: tuple[str, ...], cause: str, spec: Spec) -> None:
    horizon = spec.trial.horizon_days
    draw_arms(axes, result, arms, CURVE, horizon=horizon, show=fmt.short_percentage, cause=cause)


def _common_top(result: Result) -> float:
    """Highest value or limit of any panel, up to the next tenth."""
    highest = max((max((*curve.value, *curve.high)) for curve in result.curves if curve.value), default=0.1)
    return min(max(math.ceil(round(highest * 10, 6)) / 10, 0.1), 1.0)


def _step(top: float) -> float:
    return 0.1 if top <= 0.5 else 0.2 if round(top * 10) % 2 == 0 else 0.1

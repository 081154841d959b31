"""The difference between arms over time, with limits for each day and a band for all days."""

import bisect
import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.present import canvas
from analysis.present import format as fmt
from analysis.present.curve_axes import EndLabel, days_shown, label_ends, set_time_axis
from analysis.present.figure_text import HIDDEN_DETAILS
from analysis.present.reading import contrast_name, contrast_of, one
from analysis.results import Curve, Result
from analysis.spec.declarations import Spec

NAME, POINTWISE, SIMULTANEOUS = "family_home_difference", "pointwise", "simultaneous"
LEFT, RIGHT, TOP, FOOT, HEIGHT = 48.0, 76.0, 18.0, 44.0, 190.0
SHADES = {SIMULTANEOUS: 0.12, POINTWISE: 0.2}
STEP = 0.1


def draw_difference(items: Sequence[Result], spec: Spec) -> tuple[Figure, str]:
    """Difference in the probability of a permanent family home, in percentage points."""
    (result,) = items
    figure = canvas.new_figure(canvas.WIDTH, TOP + HEIGHT + FOOT)
    axes = canvas.axes_at(figure, left=LEFT, bottom=FOOT, width=canvas.WIDTH - LEFT - RIGHT, height=HEIGHT)
    days = days_shown(result, "occupation", spec)
    set_time_axis(axes, days, spec.trial.horizon_days)
    bands = {kind: one(result.curves, NAME, limits=kind) for kind in SHADES}
    contrast = contrast_name(contrast_of(items))
    _set_points_axis(axes, bands.values(), contrast)
    level = fmt.level_name(spec.trial.level).removesuffix(" CI")
    key = f"Dark: {fmt.level_name(spec.trial.level)} of each day. Light: {level} band that holds all days."
    axes.text(
        0.99, 0.02, key, transform=axes.transAxes, ha="right", va="bottom", fontsize=7.0, color=canvas.PALE
    )
    axes.axhline(0, color=canvas.INK, linewidth=0.6)
    for kind, curve in bands.items():
        if curve is not None:
            axes.fill_between(
                curve.time,
                curve.low,
                curve.high,
                step="post",
                color=canvas.POOLED,
                alpha=SHADES[kind],
                linewidth=0,
            )
    if line := bands[POINTWISE]:
        axes.step(line.time, line.value, where="post", color=canvas.POOLED)
        label_ends(axes, [EndLabel(line.value[-1], f"{_points(line.value[-1])} points", canvas.POOLED)])
    return figure, _words(result, bands, contrast, days)


def _set_points_axis(axes: Axes, curves, contrast: str) -> None:
    ends = [abs(each) for curve in curves if curve for each in (*curve.low, *curve.high)]
    top = max(math.ceil(round(max(ends, default=STEP) / STEP, 6)) * STEP, STEP)
    ticks = [at * STEP for at in range(-round(top / STEP), round(top / STEP) + 1)]
    axes.set_ylim(-top, top)
    axes.set_yticks(ticks, [_points(tick) for tick in ticks])
    axes.set_ylabel(f"{contrast}, percentage points")


def _points(value: float) -> str:
    return fmt.number(100 * value, 0)


def _words(result: Result, bands: dict[str, Curve | None], contrast: str, days: Sequence[int]) -> str:
    line, band = bands[POINTWISE], bands[SIMULTANEOUS]
    if line is None or band is None:
        return f"{result.title}: no curve.\n"
    lines = [
        f"Step curve of the difference {contrast} in the probability of a permanent family home since "
        "randomisation, with limits for each day and a band for all days. At the last day "
        f"{_at(line, -1)} points. {HIDDEN_DETAILS}"
    ]
    for day in days:
        at = bisect.bisect_right(line.time, day) - 1
        lines.append(f"  {fmt.day_name(day)}: {_at(line, at)} points; band {_limits(band, at)}")
    return "\n".join(lines) + "\n"


def _at(curve: Curve, at: int) -> str:
    return fmt.points(curve.value[at], curve.low[at], curve.high[at])


def _limits(curve: Curve, at: int) -> str:
    low, high = (fmt.number(100 * each[at], 1) for each in (curve.low, curve.high))
    return f"{low} to {high}"

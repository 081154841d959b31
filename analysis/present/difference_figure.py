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
LEFT, RIGHT, TOP, FOOT, HEIGHT = 48.0, 76.0, 24.0, 44.0, 190.0
SHADES = {SIMULTANEOUS: 0.12, POINTWISE: 0.2}
STEP = 0.1
# More ticks than these on one side of no difference cannot be told apart.
TICKS = 4


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
    # Over the panel, where no band can lie behind the words.
    axes.set_title(key, fontsize=7.0, fontweight="normal", color=canvas.PALE)
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
    highest = max(ends, default=STEP)
    step = STEP if highest <= TICKS * STEP else 2 * STEP
    top = max(math.ceil(round(highest / step, 6)) * step, step)
    ticks = [at * step for at in range(-round(top / step), round(top / step) + 1)]
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

"""Where the children are: shares of the states over time, one on top of the other, arms side by side."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.present import canvas
from analysis.present import format as fmt
from analysis.present.curve_axes import (
    RISK_TOP,
    ROW,
    EndLabel,
    at_risk_counts,
    days_shown,
    draw_risk_heading,
    draw_risk_row,
    label_ends,
    set_percent_axis,
    set_time_axis,
)
from analysis.present.figure_text import UNDER_OBSERVATION, occupation_text
from analysis.present.reading import arm_name, arms_of, one
from analysis.present.table_times import FAMILY_HOME_LABEL, state_label
from analysis.results import Result
from analysis.spec.declarations import Spec

CURVE = "occupation"
LEFT, TOP, FOOT, GAP, HEIGHT = 48.0, 43.0, 14.0, 58.0, 220.0
NAME_SIZE = 7.0
# Light fills of Tol (2021), told apart with common colour vision deficiencies; a second colour for the words.
FILLS = ("#7FB2DE", "#6CC4A7", "#D9CE66", "#F0B98D", "#D6D9DD", "#55606E", "#E3A3C0", "#A99BD1")
WORDS = ("#22608F", "#12705A", "#6B6108", "#96521A", "#59616B", "#2B333D", "#8F3B66", "#534394")


def draw_occupation(items: Sequence[Result], spec: Spec) -> tuple[Figure, str]:
    """Stacked shares of the states, the permanent family home at the bottom and outlined."""
    (result,) = items
    arms = arms_of(items)
    foot = RISK_TOP + ROW + FOOT
    figure = canvas.new_figure(canvas.WIDTH, TOP + HEIGHT + foot)
    names = max(
        canvas.text_width(f"<1% {state_label(state, spec)}", NAME_SIZE, True) for state in spec.states.states
    )
    width = (canvas.WIDTH - LEFT - names - 12 - (len(arms) - 1) * GAP) / len(arms)
    for position, arm in enumerate(arms):
        axes = canvas.axes_at(
            figure, left=LEFT + position * (width + GAP), bottom=foot, width=width, height=HEIGHT
        )
        axes.set_title(arm_name(arm), pad=24)
        axes.grid(False)
        set_time_axis(axes, days_shown(result, CURVE, spec), spec.trial.horizon_days)
        set_percent_axis(axes, 1.0, step=0.2, label="" if position else "Share of children")
        _draw_stack(axes, result, arm, spec, is_last=arm == arms[-1])
        _at_risk(axes, result, arm, is_first=position == 0)
    return figure, occupation_text(result, spec)


def stacking_order(spec: Spec) -> list[str]:
    """States from the bottom up: the family home, other permanence, temporary care, what has no way out."""
    states = spec.states
    home = [state for state in states.states if state in states.family_home]
    permanent = [state for state in states.permanent if state not in home]
    ends = [state for state in states.states if not states.edges.get(state)]
    middle = [state for state in states.states if state not in (*home, *permanent, *ends)]
    return [*home, *permanent, *middle, *(state for state in ends if state not in home)]


def _draw_stack(axes: Axes, result: Result, arm: str, spec: Spec, *, is_last: bool) -> None:
    order = stacking_order(spec)
    curves = [one(result.curves, CURVE, arm=arm, state=state) for state in order]
    if any(curve is None or not curve.value for curve in curves):
        axes.text(0.5, 0.5, fmt.NO_DATA, transform=axes.transAxes, ha="center")
        return
    horizon = max(float(spec.trial.horizon_days), curves[0].time[-1])
    time = np.array([*curves[0].time, horizon])
    shares = np.array([[*curve.value, curve.value[-1]] for curve in curves])
    edges = np.vstack([np.zeros(len(time)), np.cumsum(shares, axis=0)])
    for at in range(len(order)):
        axes.fill_between(
            time, edges[at], edges[at + 1], step="post", color=FILLS[at % len(FILLS)], linewidth=0
        )
    n_home = sum(state in spec.states.family_home for state in order)
    axes.step(time, edges[n_home], where="post", color=canvas.INK, linewidth=1.3)
    _name_home(axes, edges[n_home][-1])
    middles = (edges[:-1, -1] + edges[1:, -1]) / 2
    label_ends(
        axes,
        [_end_label(order, shares, middles, at, spec, is_last=is_last) for at in range(len(order))],
        size=NAME_SIZE,
    )


def _end_label(
    order: list[str], shares: np.ndarray, middles: np.ndarray, at: int, spec: Spec, *, is_last: bool
) -> EndLabel:
    share = fmt.short_percentage(float(shares[at, -1]))
    text = f"{share} {state_label(order[at], spec)}" if is_last else share
    return EndLabel(float(middles[at]), text, WORDS[at % len(WORDS)])


def _name_home(axes: Axes, height: float) -> None:
    """What the outline bounds and its last value, above the panel; in two lines, as panels are narrow."""
    axes.annotate(
        f"{FAMILY_HOME_LABEL}\n(below the line): {fmt.short_percentage(float(height))}",
        xy=(0, 1),
        xycoords="axes fraction",
        xytext=(0, 5),
        textcoords="offset points",
        va="baseline",
        fontsize=6.5,
    )


def _at_risk(axes: Axes, result: Result, arm: str, *, is_first: bool) -> None:
    counts = at_risk_counts(result, (arm,))[arm]
    if is_first:
        draw_risk_heading(axes, UNDER_OBSERVATION)
    draw_risk_row(axes, counts, row=1)

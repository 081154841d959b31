"""What curves over time share: months along the foot, numbers at risk below, names at the ends of lines."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from analysis.present import canvas
from analysis.present import format as fmt
from analysis.present.figure_text import AT_RISK
from analysis.present.reading import arm_name, one, values_of
from analysis.results import Curve, Result, select
from analysis.spec.declarations import Spec

ROW = 11.0
RISK_TOP, RISK_LEFT, RISK_SIZE = 40.0, -36.0, 7.5
# From the edge to names of arms, from these to the first number, and from the end of a line to its name.
EDGE, BESIDE_NAME, BESIDE_LINE = 8.0, 16.0, 5.0
TIME_LABEL = "Months since randomisation"


@dataclass(frozen=True, slots=True)
class EndLabel:
    """A name at the end of a line, at its height."""

    y: float
    text: str
    colour: str


def room_for_names(arms: Sequence[str]) -> float:
    """Left of the axis: the names of arms before the numbers at risk, however long they are."""
    widest = max(canvas.text_width(arm_name(arm), RISK_SIZE, True) for arm in arms)
    return max(widest + BESIDE_NAME, -RISK_LEFT) + EDGE


def room_for_ends(arms: Sequence[str], longest: str) -> float:
    """Right of the axis: the name of an arm and its last value, printed no longer than given."""
    widest = max(canvas.text_width(f"{arm_name(arm)} {longest}", RISK_SIZE, True) for arm in arms)
    return widest + BESIDE_LINE + EDGE


def set_time_axis(axes: Axes, days: Sequence[int], horizon: int, *, label: bool = True) -> None:
    """Ticks at the days of the plan, named in months."""
    ticks = [0, *days]
    axes.set_xlim(0, horizon)
    axes.set_xticks(ticks, [str(fmt.months(day)) for day in ticks])
    if label:
        axes.set_xlabel(TIME_LABEL)


def set_percent_axis(axes: Axes, top: float, *, step: float, label: str = "", has_names: bool = True) -> None:
    """Per cent from 0 to `top`, both shares of one; panels beside another need no names of ticks."""
    ticks = [at * step for at in range(int(round(top / step)) + 1)]
    axes.set_ylim(0, top)
    axes.set_yticks(ticks, [fmt.percentage(tick, 0) if has_names else "" for tick in ticks])
    axes.set_ylabel(label)


def draw_arms(
    axes: Axes,
    result: Result,
    arms: tuple[str, ...],
    name: str,
    *,
    horizon: float,
    show: Callable[[float], str],
    **labels: str,
) -> None:
    """The curve of each arm that has one, named at its end with its last value."""
    ends = []
    for arm in arms:
        curve = one(result.curves, name, arm=arm, **labels)
        if curve is None or not curve.value:
            continue
        last, (colour, dash) = curve.value[-1], canvas.arm_style(arm, arms)
        _draw_steps(axes, curve, colour=colour, dash=dash, horizon=horizon)
        ends.append(EndLabel(last, f"{arm_name(arm)} {show(last)}", colour))
    label_ends(axes, ends)


def label_ends(axes: Axes, labels: Sequence[EndLabel], *, size: float = RISK_SIZE) -> None:
    """Names right of the last value, moved apart where they would touch."""
    low, high = axes.get_ylim()
    height = axes.get_position().height * axes.figure.get_size_inches()[1] * canvas.POINTS
    per_point = (high - low) / height
    gap = 1.25 * size * per_point
    places = canvas.spread([each.y for each in labels], gap=gap, low=low + gap / 2, high=high - gap / 2)
    for label, place in zip(labels, places, strict=True):
        _beside(axes, label, place, size=size)


def draw_at_risk(axes: Axes, result: Result, arms: tuple[str, ...], *, heading: str = AT_RISK) -> None:
    """Children at risk by arm and day below the axis, under their ticks."""
    left = EDGE - room_for_names(arms)
    draw_risk_heading(axes, heading, left=left)
    for position, (arm, by_day) in enumerate(at_risk_counts(result, arms).items(), start=1):
        colour, _ = canvas.arm_style(arm, arms)
        draw_risk_row(axes, by_day, row=position, label=arm_name(arm), colour=colour, left=left)


def draw_risk_heading(axes: Axes, heading: str = AT_RISK, *, left: float = RISK_LEFT) -> None:
    """What the numbers below the axis are."""
    _below(axes, heading, offset=(left, -RISK_TOP), x=0, colour=canvas.INK, weight="bold", ha="left")


def draw_risk_row(
    axes: Axes,
    by_day: Mapping[int, int],
    *,
    row: int,
    label: str = "",
    colour: str = canvas.INK,
    left: float = RISK_LEFT,
) -> None:
    """Numbers of one arm, so many rows below the first."""
    down = -RISK_TOP - row * ROW
    _below(axes, label, offset=(left, down), x=0, colour=colour, weight="bold", ha="left")
    for day, n in by_day.items():
        _below(axes, fmt.whole(n), offset=(0.0, down), x=day, colour=canvas.INK)


def at_risk_counts(result: Result, arms: Sequence[str]) -> dict[str, dict[int, int]]:
    """Children at risk by arm and day."""
    return {
        arm: {
            int(float(each.labels["day"])): each.value
            for each in select(result.counts, name="at_risk", arm=arm)
        }
        for arm in arms
    }


def days_of(result: Result, name: str) -> list[int]:
    """Days at which a quantity of a result is given."""
    return [int(float(day)) for day in values_of(select(result.estimates, name=name), "day")]


def days_shown(result: Result, name: str, spec: Spec) -> list[int]:
    """Those days, within the plan's horizon."""
    return [day for day in days_of(result, name) if day <= spec.trial.horizon_days]


def _draw_steps(axes: Axes, curve: Curve, *, colour: str, dash: object, horizon: float) -> None:
    """A step curve with its confidence band, carried to the horizon."""
    time = _to(horizon, curve.time)
    value = (*curve.value, curve.value[-1])
    if curve.low and curve.high:
        low, high = ((*each, each[-1]) for each in (curve.low, curve.high))
        axes.fill_between(time, low, high, step="post", color=colour, alpha=0.13, linewidth=0)
    axes.step(time, value, where="post", color=colour, linestyle=dash)


def _to(horizon: float, time: Sequence[float]) -> tuple[float, ...]:
    return (*time, max(horizon, time[-1]))


def _beside(axes: Axes, label: EndLabel, place: float, *, size: float) -> None:
    axes.annotate(
        label.text,
        xy=(1, place),
        xycoords=("axes fraction", "data"),
        xytext=(BESIDE_LINE, 0),
        textcoords="offset points",
        va="center_baseline",
        color=label.colour,
        fontsize=size,
        fontweight="bold",
        annotation_clip=False,
    )


def _below(
    axes: Axes,
    text: str,
    *,
    offset: tuple[float, float],
    x: float,
    colour: str,
    weight: str = "normal",
    ha: str = "center",
) -> None:
    axes.annotate(
        text,
        xy=(x, 0),
        xycoords=("data", "axes fraction"),
        xytext=offset,
        textcoords="offset points",
        ha=ha,
        va="baseline",
        color=colour,
        fontsize=RISK_SIZE,
        fontweight=weight,
        annotation_clip=False,
    )

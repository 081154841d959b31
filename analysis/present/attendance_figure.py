"""Visits as stacked bars, children beside families; and the families withdrawn over time."""

import math
from collections.abc import Sequence
from dataclasses import replace

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.present import canvas
from analysis.present import format as fmt
from analysis.present.attendance import STANDINGS, UNITS, Shown, groups_of, standing_name
from analysis.present.curve_axes import (
    RISK_TOP,
    ROW,
    draw_arms,
    draw_at_risk,
    room_for_ends,
    room_for_names,
    set_percent_axis,
    set_time_axis,
)
from analysis.present.figure_text import HIDDEN_DETAILS
from analysis.present.reading import ALL, arm_name, arms_of, count, one, values_of
from analysis.results import ALL_SITES, Curve, Result, select
from analysis.spec.declarations import Spec

LEFT, GAP, RIGHT, TOP, FOOT, HEADING = 62.0, 30.0, 14.0, 20.0, 26.0, 18.0
BAR, SPACE, KEY = 10.0, 4.0, 12.0
MARK = 8.0  # below the key, for whose eyes the figure is
NUMBER_SIZE, NAME_SIZE = 6.5, 7.5
# Came in blue and green, did not in warm colours, not known yet in grey: after Okabe & Ito and Tol, and told
# apart in grey by their order.
FILLS = {
    **{"in_window": "#5B9BD0", "late": "#8CC5B0", "early": "#BFE0D5", "undated": "#DCEBF7"},
    **{"missed": "#E9A15B", "overdue": "#F5D58A", "withdrawn": "#C0607F", "died": "#4A4F57"},
    "not_due": "#E2E4E8",
}
DARK = ("died", "withdrawn")
AT_RISK = "Families at risk"
PLOT_LEFT, PLOT_RIGHT, PLOT_HEIGHT = 48.0, 62.0, 170.0
LONGEST = ">99%"


def draw_attendance(items: Sequence[Result], spec: Spec) -> tuple[Figure, str]:
    """One bar per visit and group, its parts as shares with their numbers where they fit."""
    (result,) = items
    shown, visits = groups_of(items, spec), spec.trial.visits
    names = _present(result)
    height = len(visits) * (HEADING + len(shown) * (BAR + SPACE))
    width = (canvas.WIDTH - LEFT - GAP - RIGHT) / len(UNITS)
    rows = _key_rows(names, spec)
    below = FOOT + KEY * len(rows) + MARK
    figure = canvas.new_figure(canvas.WIDTH, TOP + height + below)
    for at, unit in enumerate(UNITS):
        left = LEFT + at * (width + GAP)
        axes = canvas.axes_at(figure, left=left, bottom=below, width=width, height=height)
        _bars(axes, result, unit, shown, spec, width=width, has_names=at == 0)
    _key(figure, rows, spec)
    return figure, attendance_text(result, shown, spec)


def attendance_text(result: Result, shown: list[Shown], spec: Spec) -> str:
    """Those who came of those due in a sentence, then every part of every bar."""
    said, lines = [], []
    for visit in spec.trial.visits:
        at = {"visit": visit.id}
        came, due = (
            count(result, f"{name}_children", **shown[0].labels, **at) for name in ("due_attended", "due")
        )
        said.append(f"{visit.label.lower()} {fmt.part(came, due)} of {fmt.whole(due)}")
        for group in shown:
            for unit in UNITS:
                parts = ", ".join(
                    f"{standing_name(each, spec).lower()} {fmt.whole(n)}"
                    for each in STANDINGS
                    if (n := count(result, f"visit_{unit}", **group.labels, **at, standing=each))
                )
                lines.append(f"  {visit.label}, {group.name}, {unit}: {parts or 'none'}")
    start = "Stacked bars of visits attended and not attended. Children who came, of those due: "
    if not result.estimates and not result.curves:
        start = f"{result.title}: no curve and no days. Children who came, of those due: "
    return f"{start}{'; '.join(said)}. {HIDDEN_DETAILS}\n" + "\n".join(lines) + "\n"


def _present(result: Result) -> list[str]:
    """Standings that anybody has, in their order."""
    found = {each.labels["standing"] for each in result.counts if each.value and "standing" in each.labels}
    return [each for each in STANDINGS if each in found]


def _bars(
    axes: Axes,
    result: Result,
    unit: str,
    shown: list[Shown],
    spec: Spec,
    *,
    width: float,
    has_names: bool,
) -> None:
    up, down = axes.get_position().height * axes.figure.get_size_inches()[1] * canvas.POINTS, 0.0
    axes.set(xlim=(0, 1), ylim=(up, 0), title=unit.capitalize())
    axes.grid(False)
    axes.spines["left"].set_visible(False)
    axes.set_yticks([])
    ticks = (0, 0.25, 0.5, 0.75, 1)
    axes.set_xticks(ticks, [fmt.percentage(each, 0) for each in ticks])
    for visit in spec.trial.visits:
        if has_names:
            _beside(axes, visit.label, down + HEADING / 2 + 2, 4 - LEFT, ha="left", weight="bold")
        down += HEADING
        for group in shown:
            _bar(axes, result, unit, group, visit.id, down, width=width, has_name=has_names)
            down += BAR + SPACE


def _bar(
    axes: Axes,
    result: Result,
    unit: str,
    group: Shown,
    visit: str,
    down: float,
    *,
    width: float,
    has_name: bool,
) -> None:
    if has_name:
        _beside(axes, group.name, down + BAR / 2, -6.0, ha="right", weight="normal")
    parts = {
        each: count(result, f"visit_{unit}", **group.labels, visit=visit, standing=each) or 0
        for each in STANDINGS
    }
    total, across = sum(parts.values()), 0.0
    if not total:
        axes.text(0.01, down + BAR / 2, fmt.NO_DATA, fontsize=NUMBER_SIZE, va="center_baseline")
        return
    for each, n in parts.items():
        share, text = n / total, fmt.whole(n)
        axes.barh(down + BAR / 2, share, left=across, height=BAR, color=FILLS[each], linewidth=0)
        if canvas.text_width(text, NUMBER_SIZE) + 3 < share * width:
            axes.text(
                *(across + share / 2, down + BAR / 2, text),
                **{"ha": "center", "va": "center_baseline", "fontsize": NUMBER_SIZE},
                color="white" if each in DARK else canvas.INK,
            )
        across += share


def _beside(axes: Axes, text: str, down: float, across: float, *, ha: str, weight: str) -> None:
    """A name beside the bars, so far left of them."""
    axes.annotate(
        text,
        xy=(0, down),
        xytext=(across, 0),
        textcoords="offset points",
        ha=ha,
        va="center_baseline",
        fontsize=NAME_SIZE,
        fontweight=weight,
        annotation_clip=False,
    )


def _key_rows(names: list[str], spec: Spec) -> list[list[str]]:
    """The names of the fills, in rows that fit the page."""
    rows, used = [[]], LEFT
    for name in names:
        room = canvas.text_width(standing_name(name, spec), NAME_SIZE) + 24
        if rows[-1] and used + room > canvas.WIDTH - RIGHT:
            rows.append([])
            used = LEFT
        rows[-1].append(name)
        used += room
    return rows


def _key(figure: Figure, rows: list[list[str]], spec: Spec) -> None:
    axes = canvas.axes_at(figure, left=0, bottom=MARK, width=canvas.WIDTH, height=KEY * len(rows) + 4)
    axes.set_axis_off()
    axes.set(xlim=(0, canvas.WIDTH), ylim=(0, KEY * len(rows) + 4))
    for row, names in enumerate(rows):
        across, up = LEFT, KEY * (len(rows) - row) - 4
        for name in names:
            axes.barh(up, 8, left=across, height=7, color=FILLS[name], linewidth=0)
            text = standing_name(name, spec)
            axes.text(across + 11, up, text, fontsize=NAME_SIZE, va="center_baseline")
            across += canvas.text_width(text, NAME_SIZE) + 24


def draw_withdrawal(items: Sequence[Result], spec: Spec) -> tuple[Figure, str]:
    """Share of families withdrawn since randomisation, with those at risk."""
    (result,) = items
    pooled = _of_all_sites(result)
    arms = arms_of([pooled])
    foot = RISK_TOP + (len(arms) + 1) * ROW + 14
    figure = canvas.new_figure(canvas.WIDTH, TOP + PLOT_HEIGHT + foot)
    left, right = max(PLOT_LEFT, room_for_names(arms)), max(PLOT_RIGHT, room_for_ends(arms, LONGEST))
    axes = canvas.axes_at(
        figure, left=left, bottom=foot, width=canvas.WIDTH - left - right, height=PLOT_HEIGHT
    )
    days = list(spec.analyses[result.analysis].days)
    set_time_axis(axes, days, max(days))
    top = _top(pooled)
    set_percent_axis(axes, top, step=top / 5, label="Withdrawn, 1 \u2212 Kaplan-Meier")
    # Each to the last day on which a family was followed, and no farther.
    seen = replace(pooled, curves=tuple(_until(each, max(days)) for each in pooled.curves))
    draw_arms(axes, seen, arms, "withdrawn", horizon=0.0, show=fmt.short_percentage)
    draw_at_risk(axes, pooled, arms, heading=AT_RISK)
    return figure, withdrawal_text(pooled, spec)


def _of_all_sites(result: Result) -> Result:
    """The result without its sites, which have no curves, and with arms alone where there are any."""
    arms = arms_of([result])

    def kept(each) -> bool:
        return each.labels.get("site", ALL_SITES) == ALL_SITES and each.labels.get("arm", ALL) in arms

    parts = {name: tuple(filter(kept, getattr(result, name))) for name in ("counts", "estimates", "curves")}
    return replace(result, **parts)


def _until(curve: Curve, day: float) -> Curve:
    """The curve up to a day, and at it where it goes on."""
    so_many = sum(each <= day for each in curve.time)
    time, value, low, high = (each[:so_many] for each in (curve.time, curve.value, curve.low, curve.high))
    if so_many == len(curve.time):
        return curve
    last = ((*each, each[-1]) for each in (value, low, high) if each)
    return replace(curve, time=(*time, float(day)), **dict(zip(("value", "low", "high"), last, strict=False)))


def withdrawal_text(result: Result, spec: Spec) -> str:
    """Shares withdrawn on the last day in a sentence, then by day, then the families at risk."""
    found = select(result.estimates, name="withdrawn")
    days, arms = values_of(found, "day"), arms_of([result])
    if not days:
        return f"{result.title}: no curve.\n"
    lines = [
        f"  {fmt.day_name(float(day))}: "
        + ", ".join(f"{arm_name(arm)} {_share(result, arm, day)}" for arm in arms)
        for day in days
    ]
    risks = [
        f"  {arm_name(arm)}: "
        + ", ".join(
            f"{fmt.months(float(each.labels['day']))} months {fmt.whole(each.value)}"
            for each in select(result.counts, name="at_risk", arm=arm)
        )
        for arm in arms
    ]
    said = f"Step curves of the share of families withdrawn since randomisation. {lines[-1].strip()}."
    return "\n".join([f"{said} {HIDDEN_DETAILS}", *lines, AT_RISK, *risks]) + "\n"


def _share(result: Result, arm: str, day: str) -> str:
    found = one(result.estimates, "withdrawn", arm=arm, day=day)
    if found is None:
        return fmt.NOT_ESTIMABLE
    return fmt.percentage_estimate(found.value, found.low, found.high)


def _top(result: Result) -> float:
    """Highest value or limit, up to the next twentieth, or tenth where it is high."""
    highest = max((max((*each.value, *each.high)) for each in result.curves if each.value), default=0.05)
    step = 0.05 if highest <= 0.25 else 0.1
    return min(max(math.ceil(round(highest / step, 6)) * step, 0.05), 1.0)

"""The boundary plot: z of each look against information, with the boundaries taken and those planned."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.present import canvas
from analysis.present import format as fmt
from analysis.present.figure_text import HIDDEN_DETAILS
from analysis.present.label_places import Labels
from analysis.present.looks import (
    INFORMATION,
    NOT_TESTED,
    OUT_OF_REACH,
    Shown,
    bound_text,
    is_crossed,
    looks_of,
)
from analysis.present.reading import contrast_name, contrast_of, one
from analysis.results import Result
from analysis.spec.declarations import Spec

LEFT, RIGHT, TOP, FOOT, HEIGHT = 44.0, 16.0, 52.0, 58.0, 236.0
# Beyond it a boundary is an arrow at the edge, so that z near 0 can still be told apart.
HIGHEST = 5.0
SIZE = 7.0
LEFT_OF_KEY = -34.0
# Neither is of an arm.
BOUND, Z = canvas.POOLED, canvas.INK


def draw_boundaries(items: Sequence[Result], spec: Spec) -> tuple[Figure, str]:
    """Looks taken as filled marks, planned ones hollow; fractions of the maximum above."""
    (result,) = items
    shown = looks_of(result)
    figure = canvas.new_figure(canvas.WIDTH, TOP + HEIGHT + FOOT)
    axes = canvas.axes_at(figure, left=LEFT, bottom=FOOT, width=canvas.WIDTH - LEFT - RIGHT, height=HEIGHT)
    maximum = one(result.estimates, "maximum", of="model").value
    top = _set_axes(axes, result, shown, maximum)
    labels = Labels(axes, SIZE)
    _draw_bounds(axes, labels, result, shown, top)
    _draw_z(axes, labels, result, shown)
    _say_key(axes, result, shown)
    return figure, _words(result, shown, maximum, contrast_name(contrast_of(items)))


def _set_axes(axes: Axes, result: Result, shown: Sequence[Shown], maximum: float) -> float:
    information = [each.value(result, "information") or 0.0 for each in shown]
    scores = [abs(each.value(result, "z") or 0.0) for each in shown]
    last = 1.06 * max(maximum, *information)
    top = max(HIGHEST, max(scores) + 1.0)
    axes.set_xlim(0, last)
    axes.set_ylim(-top, top)
    axes.set_yticks(range(-int(top), int(top) + 1))
    axes.set_yticklabels([fmt.number(each, 0) for each in range(-int(top), int(top) + 1)])
    axes.set_xlabel("Information, 1 / SE\u00b2 of the difference")
    axes.set_ylabel("z")
    axes.axhline(0, color=canvas.PALE, linewidth=0.6)
    axes.axvline(maximum, color=canvas.PALE, linewidth=0.8, linestyle=(0, (2, 2)))
    above = axes.secondary_xaxis("top", functions=(lambda x: x / maximum, lambda x: x * maximum))
    step = 0.25 if last < 2 * maximum else 0.5
    ticks = [at * step for at in range(int(last / maximum / step) + 1)]
    above.set_xticks(ticks, [fmt.percentage(tick, 0) for tick in ticks])
    above.set_xlabel("Fraction of the maximum information")
    above.spines["top"].set_visible(False)
    return top


def _draw_bounds(axes: Axes, labels: Labels, result: Result, shown: Sequence[Shown], top: float) -> None:
    known = [
        (look, look.value(result, "information"), bound)
        for look in shown
        if (bound := look.value(result, "critical")) is not None
    ]
    known = sorted((each for each in known if each[1] is not None), key=lambda each: each[1])
    for sign in (1, -1):
        x, y = [each[1] for each in known], [sign * min(each[2], top) for each in known]
        axes.plot(x, y, color=BOUND, linewidth=1.0, zorder=2)
        for look, x, bound in known:
            _mark_bound(axes, labels, look, x, sign * bound, top)


def _mark_bound(axes: Axes, labels: Labels, look: Shown, x: float, bound: float, top: float) -> None:
    beyond, sign = abs(bound) > top, 1 if bound > 0 else -1
    marker = ("^" if sign > 0 else "v") if beyond else "o"
    y = sign * min(abs(bound), top)
    fill = "white" if look.state == "planned" else BOUND
    axes.plot(
        [x], [y], marker=marker, markersize=5, color=BOUND, markerfacecolor=fill, clip_on=False, zorder=3
    )
    # Away from no difference, but where the mark lies at the edge.
    up = -sign if beyond else sign
    places = [(0, up), (1, up), (-1, up), (1, -up), (-1, -up)]
    labels.add(fmt.number(bound, 2), x, y, colour=BOUND, places=places, bold=False)


def _draw_z(axes: Axes, labels: Labels, result: Result, shown: Sequence[Shown]) -> None:
    seen = [
        (look, look.value(result, "information"), z)
        for look in shown
        if (z := look.value(result, "z")) is not None
    ]
    if not seen:
        axes.text(
            *(0.5, 0.56, "No estimate of the difference at any look yet"),
            transform=axes.transAxes,
            ha="center",
            fontsize=SIZE + 1,
            color=canvas.PALE,
        )
        return
    axes.plot([x for _, x, _ in seen], [z for *_, z in seen], color=Z, linewidth=0.8, zorder=4)
    for look, x, z in seen:
        fill = Z if look.state == "now" else canvas.PALE
        axes.plot([x], [z], marker="D", markersize=5.5, color=Z, markerfacecolor=fill, zorder=5)
        # Towards no difference, where no boundary is named, unless z lies beyond its own.
        up = 1 if (z < 0) != bool(is_crossed(result, look)) else -1
        places = [(1, up), (-1, up), (1, -up), (-1, -up), (0, up), (0, -up)]
        text = f"{look.number}: {fmt.number(z, 2)}"
        labels.add(text, x, z, colour=Z, places=places, bold=True)


def _say_key(axes: Axes, result: Result, shown: Sequence[Shown]) -> None:
    """What the marks are, below the axis."""
    parts = ["Diamonds: z by number of the look, the dark one is this look."]
    parts.append("Circles: boundaries, filled where taken, hollow where planned; arrows: beyond the axis.")
    without = [each for each in shown if each.value(result, "critical") is None]
    for why in (OUT_OF_REACH, NOT_TESTED):
        if out := [each.number for each in without if bound_text(result, each) == why]:
            parts.append(f"{why.capitalize()} at {', '.join(out)}.")
    for at, text in enumerate([parts[0], " ".join(parts[1:])]):
        axes.annotate(
            text,
            (0, 0),
            xycoords="axes fraction",
            xytext=(LEFT_OF_KEY, -38 - 10 * at),
            textcoords="offset points",
            fontsize=SIZE,
            color=canvas.PALE,
            annotation_clip=False,
        )


def _words(result: Result, shown: Sequence[Shown], maximum: float, contrast: str) -> str:
    now = next(each for each in shown if each.state == "now")
    crossed = is_crossed(result, now)
    told = {True: "crosses", False: "does not cross"}.get(crossed, "has nothing to be tested against")
    z = fmt.number(now.value(result, "z"), 2)
    start = (
        f"Plot of the test statistic z of the difference {contrast} against information, with boundaries at "
        f"each look. z at look {now.number}, of {fmt.date_name(now.cut)}: {z}, which {told} "
        f"{'' if crossed is None else 'the boundary'}".rstrip()
    )
    lines = [
        f"{start}. {HIDDEN_DETAILS}",
        f"Maximum information: {fmt.number(maximum, INFORMATION)}",
    ]
    return "\n".join([*lines, *(_line(result, each) for each in shown)]) + "\n"


def _line(result: Result, look: Shown) -> str:
    information, share = look.value(result, "information"), look.value(result, "fraction", of="model")
    bound = bound_text(result, look)
    said = [
        f"information {fmt.number(information, INFORMATION)} ({fmt.percentage(share)} of the maximum)",
        bound if bound == NOT_TESTED else f"boundary {bound}",
    ]
    if look.state != "planned":
        said.insert(1, f"z {fmt.number(look.value(result, 'z'), 3)}")
    return f"{look.name}: {', '.join(said)}"

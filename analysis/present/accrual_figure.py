"""Recruitment month by month: families against the target, then children, in all and by site."""

from collections.abc import Sequence
from datetime import date, timedelta

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from analysis.present import canvas
from analysis.present import format as fmt
from analysis.present.consort_layout import wrap
from analysis.present.curve_axes import EndLabel
from analysis.present.figure_text import HIDDEN_DETAILS
from analysis.present.reading import count, label, one
from analysis.present.table_accrual import (
    UNITS,
    projected_finish,
    site_name,
    target_sentence,
)
from analysis.results import ALL_SITES, Curve, Estimate, Result
from analysis.spec.declarations import Spec

LEFT, RIGHT, FOOT, BETWEEN, EPOCHS = 48.0, 92.0, 30.0, 34.0, 44.0
HEIGHTS = {"families": 190.0, "children": 130.0}
WIDTH = canvas.WIDTH - LEFT - RIGHT
NAME_SIZE, EPOCH_SIZE = 7.5, 6.0
# Months between the ticks of the axis; the first that gives so few is taken.
STEPS, MOST_TICKS = (1, 3, 6, 12, 24, 60, 120), 13
# A projection is drawn no farther beyond the last day of recruitment than this share of its length.
BEYOND = 0.5


def draw_accrual(items: Sequence[Result], spec: Spec) -> tuple[Figure, str]:
    """Cumulative numbers with the target and, while recruitment is open, the projection of its end."""
    (result,) = items
    figure = canvas.new_figure(canvas.WIDTH, FOOT + sum(HEIGHTS.values()) + BETWEEN + EPOCHS)
    bottom, last = FOOT, _last_day(result, spec)
    for unit in reversed(UNITS):
        axes = canvas.axes_at(figure, left=LEFT, bottom=bottom, width=WIDTH, height=HEIGHTS[unit])
        _panel(axes, result, unit, last, spec)
        bottom += HEIGHTS[unit] + BETWEEN
    _name_epochs(axes, result, last, spec)
    return figure, accrual_text(result, spec)


def accrual_text(result: Result, spec: Spec) -> str:
    """Where recruitment stands in a sentence, then the numbers at the end of every year and in the end."""
    curves = _curves(result, spec)
    if not curves:
        return f"{result.title}: no curve.\n"
    said = [
        f"{site_name(site, spec)} {fmt.whole(int(each['families'].value[-1]))} families, "
        f"{fmt.whole(int(each['children'].value[-1]))} children"
        for site, each in curves.items()
    ]
    finish = projected_finish(result)
    end = f" The target is projected to be met on {finish}." if finish else ""
    lines = [
        f"Curves of the families and children randomised by the end of each month. "
        f"{fmt.sentence(target_sentence(result, spec))} In the end: {'; '.join(said)}.{end} {HIDDEN_DETAILS}"
    ]
    first = curves[ALL_SITES]["families"]
    for at in _year_ends(first):
        day = fmt.date_name(_date(first, first.time[at]).isoformat())
        numbers = "; ".join(
            f"{site_name(site, spec)} {fmt.whole(int(each['families'].value[at]))} families, "
            f"{fmt.whole(int(each['children'].value[at]))} children"
            for site, each in curves.items()
        )
        lines.append(f"  {day}: {numbers}")
    return "\n".join(lines) + "\n"


def _curves(result: Result, spec: Spec) -> dict[str, dict[str, Curve]]:
    """Curves by site and unit; none where a site has none."""
    found = {
        site: {unit: one(result.curves, "randomised", site=site, unit=unit) for unit in UNITS}
        for site in (ALL_SITES, *spec.trial.sites)
    }
    return {site: each for site, each in found.items() if all(each.values())}


def _year_ends(curve: Curve) -> list[int]:
    """Positions of the last point of every year."""
    years = [_date(curve, each).year for each in curve.time]
    return [at for at, year in enumerate(years) if at + 1 == len(years) or years[at + 1] > year]


def _date(curve: Curve, day: float) -> date:
    return date.fromisoformat(curve.labels["from"]) + timedelta(days=int(day))


def _day(iso: str, spec: Spec) -> int:
    return (date.fromisoformat(iso) - date.fromisoformat(spec.trial.recruitment.first)).days


def _last_day(result: Result, spec: Spec) -> float:
    """The right end of the axis: the end of recruitment, of the curves, or of the projection in reach."""
    planned = _day(spec.trial.recruitment.last, spec)
    ends = [each.time[-1] for each in result.curves if each.name == "randomised"]
    finish = one(result.estimates, "finish")
    if finish and ends:
        far = ends[0] + (finish.high if fmt.is_number(finish.high) else planned)
        ends.append(min(far, (1 + BEYOND) * planned))
    return float(max([planned, *ends]))


def _panel(axes: Axes, result: Result, unit: str, last: float, spec: Spec) -> None:
    axes.set_xlim(0, last)
    axes.set_xticks(*_ticks(last, spec))
    axes.set_ylabel(f"{unit.capitalize()} randomised")
    curves = {site: each[unit] for site, each in _curves(result, spec).items()}
    target = one(result.curves, "target") if unit == "families" else None
    top = max([1.0, *(max(each.value) for each in (*curves.values(), *([target] if target else [])))])
    axes.set_ylim(0, 1.06 * top)
    axes.yaxis.set_major_locator(MaxNLocator(6, integer=True, steps=(1, 2, 5, 10)))
    _mark_epochs(axes, spec)
    if target:
        axes.plot(target.time, target.value, color=canvas.PALE, linewidth=1.0, linestyle=(0, (2, 2)))
        _draw_projection(axes, result, curves)
    for site, curve in curves.items():
        _draw_site(axes, site, curve, spec)
    _name_ends(axes, curves, target, spec)


def _draw_site(axes: Axes, site: str, curve: Curve, spec: Spec) -> None:
    """From month to month, from the last before the site opened on."""
    colour, dash = canvas.site_style(site, spec.trial.sites)
    opened = _day(spec.trial.recruitment.opened.get(site, spec.trial.recruitment.first), spec)
    before = sum(each < opened for each in curve.time)
    start = max(before - 1, 0)
    axes.plot(curve.time[start:], curve.value[start:], color=colour, linestyle=dash)


def _ticks(last: float, spec: Spec) -> tuple[list[int], list[str]]:
    """First days of months so far apart that their names fit, with the names."""
    start = date.fromisoformat(spec.trial.recruitment.first)
    step = next((each for each in STEPS if last / float(fmt.DAYS_PER_MONTH) / each < MOST_TICKS), STEPS[-1])
    month = -(-(12 * start.year + start.month - (start.day == 1)) // step) * step
    days, names = [], []
    while (day := (date(month // 12, month % 12 + 1, 1) - start).days) <= last:
        days.append(day)
        name = str(month // 12)
        names.append(name if step >= 12 else f"{fmt.MONTHS[month % 12][:3]}\n{name}")
        month += step
    return days, names


def _mark_epochs(axes: Axes, spec: Spec) -> None:
    for epoch in spec.trial.epochs[1:]:
        axes.axvline(_day(epoch.from_date, spec), color="#C9CDD2", linewidth=0.7, zorder=0)


def _name_epochs(axes: Axes, result: Result, last: float, spec: Spec) -> None:
    """Over the first panel: the order of consent in each period, and the families randomised in it."""
    starts = [*(max(_day(each.from_date, spec), 0) for each in spec.trial.epochs), last]
    for epoch, start, stop in zip(spec.trial.epochs, starts, starts[1:], strict=False):
        room = (min(stop, last) - start) / last * WIDTH - 4
        if room < 20:
            continue
        n = count(result, "in_epoch_families", epoch=epoch.id, site=ALL_SITES)
        lines = wrap(label(spec, "epoch", epoch.id), room, lambda text: canvas.text_width(text, EPOCH_SIZE))
        _write(axes, "\n".join([*lines, fmt.families(n)]), start, 1.0, (3, 3), va="bottom", size=EPOCH_SIZE)


def _draw_projection(axes: Axes, result: Result, curves: dict[str, Curve]) -> None:
    """From the cut to the target: the median as a line, between the limits a pale wedge."""
    finish, target = one(result.estimates, "finish"), count(result, "target")
    if finish is None or ALL_SITES not in curves or target is None:
        return
    start, n = curves[ALL_SITES].time[-1], curves[ALL_SITES].value[-1]
    low, middle, high = (start + each for each in _reach(finish, axes))
    axes.fill([start, low, high], [n, target, target], color=canvas.POOLED, alpha=0.13, linewidth=0)
    axes.plot([start, middle], [n, target], color=canvas.POOLED, linewidth=1.0, linestyle=(0, (1, 1.5)))
    axes.axvline(start, color=canvas.PALE, linewidth=0.7)
    _write(axes, "data cut", start, 1.0, (3, -3), va="top", size=EPOCH_SIZE, colour=canvas.PALE)


def _reach(finish: Estimate, axes: Axes) -> list[float]:
    far = 100 * axes.get_xlim()[1]
    return [
        min(each, far) if fmt.is_number(each) else far for each in (finish.low, finish.value, finish.high)
    ]


def _name_ends(axes: Axes, curves: dict[str, Curve], target: Curve | None, spec: Spec) -> None:
    """Names with last values at the ends of the lines, moved apart where they would touch.

    A line that ends before the axis does has its name below its end, clear of what is projected from there.
    """
    right = axes.get_xlim()[1]
    labels = {True: [], False: []}
    # Of those at one height the last is named highest.
    for site, each in reversed(curves.items()):
        text = f"{site_name(site, spec)} {fmt.whole(int(each.value[-1]))}"
        colour, _ = canvas.site_style(site, spec.trial.sites)
        labels[each.time[-1] >= right].append(EndLabel(each.value[-1], text, colour))
    if target:
        text = f"Target {fmt.whole(int(target.value[-1]))}"
        labels[True].append(EndLabel(target.value[-1], text, canvas.PALE))
    ends = [each.time[-1] for each in curves.values()]
    _name_all(axes, labels[True], right, lower=0.0)
    _name_all(axes, labels[False], min(ends, default=right), lower=0.8)


def _name_all(axes: Axes, labels: Sequence[EndLabel], x: float, *, lower: float) -> None:
    """Names at a day, so many lines lower than their lines end."""
    low, high = axes.get_ylim()
    height = axes.get_position().height * axes.figure.get_size_inches()[1] * canvas.POINTS
    gap = 1.25 * NAME_SIZE * (high - low) / height
    wanted = [each.y - lower * gap for each in labels]
    places = canvas.spread(wanted, gap=gap, low=low + 0.75 * gap, high=high - gap / 2)
    for each, place in zip(labels, places, strict=True):
        _write(
            *(axes, each.text, x, place, (5, 0)),
            **{"size": NAME_SIZE, "colour": each.colour, "weight": "bold", "in_data": True},
        )


def _write(
    axes: Axes,
    text: str,
    x: float,
    y: float,
    offset: tuple[float, float],
    *,
    size: float,
    va: str = "center_baseline",
    colour: str = canvas.INK,
    weight: str = "normal",
    in_data: bool = False,
) -> None:
    """Text at a day, and at a height in shares of the panel or in its numbers."""
    axes.annotate(
        text,
        xy=(x, y),
        xycoords=("data", "data" if in_data else "axes fraction"),
        xytext=offset,
        textcoords="offset points",
        va=va,
        color=colour,
        fontsize=size,
        fontweight=weight,
        annotation_clip=False,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5, "alpha": 0.85} if in_data else None,
    )

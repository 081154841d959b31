"""Harms as dots: the share of families with an event by arm, and the risk difference, by kind of event."""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from analysis.present import canvas
from analysis.present import format as fmt
from analysis.present.consort_layout import wrap
from analysis.present.figure_text import harms_text
from analysis.present.reading import arm_name, arms_of, contrast_of, count, one
from analysis.present.table_harms import ANY, kind_label
from analysis.results import Estimate, Result
from analysis.spec.declarations import Spec

SIZE, LINE = 7.5, 9.8
EDGE, GAP, LABELS, PANEL, ROW = 8.0, 10.0, 94.0, 84.0, 24.0
HEAD, FOOT = 68.0, 48.0
MARKS = ("o", "s", "D", "^")
COUNTED = ("families", "children", "events")
COUNTS_HEAD = ("Families / children / events", "of those at risk, in child-years")
DOT = 22.0


def draw_harms(items: Sequence[Result], spec: Spec) -> tuple[Figure, str]:
    """One row per kind of event of the code list, whether or not it happened; no tests."""
    (result,) = items
    arms, kinds = arms_of(items), [ANY, *spec.codelists["event_category"]]
    differences = {kind: one(result.estimates, "risk_difference", category=kind) for kind in kinds}
    shown = {kind: _points(each) for kind, each in differences.items()}
    places, width = _places(result, arms, kinds, list(shown.values()), spec)
    height = ROW * len(kinds)
    figure = canvas.new_figure(width, HEAD + height + FOOT)
    risks, gaps = (
        canvas.axes_at(figure, left=left, bottom=FOOT, width=PANEL, height=height) for left in places[:2]
    )
    for axes in (risks, gaps):
        axes.set_ylim(height, 0)
        axes.set_yticks([(at + 0.5) * ROW for at in range(len(kinds))], [""] * len(kinds))
    _draw_risks(risks, result, arms, kinds)
    _draw_differences(gaps, list(differences.values()), *_sides(items))
    sheet = canvas.sheet(figure)
    _write_heads(sheet, result, arms, places, spec)
    for at, kind in enumerate(kinds):
        _write_row(sheet, result, kind, arms, places, HEAD + (at + 0.5) * ROW, shown[kind], spec)
    return figure, harms_text(result, kinds, spec)


def _sides(items: Sequence[Result]) -> tuple[str, str]:
    left, _, right = (contrast_of(items) or "").partition(" - ")
    return left, right


def _points(found: Estimate | None) -> str:
    return fmt.points(found.value, found.low, found.high) if found else fmt.NOT_ESTIMABLE


def _places(
    result: Result, arms: Sequence[str], kinds: Sequence[str], shown: Sequence[str], spec: Spec
) -> tuple[list[float], float]:
    """Left edges of both panels and of the differences, right edges of the counts of each arm; the width."""
    texts = max(canvas.text_width(each, SIZE, True) for each in [*shown, _level(spec)])
    first = EDGE + LABELS + GAP
    places = [first, first + PANEL + 2 * GAP, first + 2 * PANEL + 3 * GAP]
    at = places[-1] + texts
    for arm in arms:
        columns = [*_head(result, arm), *(_counts(result, arm, kind) for kind in kinds)]
        at += GAP + max(canvas.text_width(each, SIZE, True) for each in columns)
        places.append(at)
    return places, max(canvas.WIDTH, at + EDGE)


def _level(spec: Spec) -> str:
    return f"points ({fmt.level_name(spec.trial.level)})"


def _head(result: Result, arm: str) -> list[str]:
    """An arm with those at risk and their time."""
    years = one(result.estimates, "child_years", arm=arm)
    families, children = (count(result, f"at_risk_{each}", arm=arm) for each in COUNTED[:2])
    return [
        arm_name(arm),
        f"of {fmt.whole(families)} / {fmt.whole(children)}",
        f"in {fmt.number(years.value if years else None, fmt.RATE)} y",
    ]


def _counts(result: Result, arm: str, kind: str) -> str:
    return " / ".join(fmt.whole(count(result, each, arm=arm, category=kind)) for each in COUNTED)


def _write_heads(
    sheet: Axes, result: Result, arms: Sequence[str], places: Sequence[float], spec: Spec
) -> None:
    text = {"fontsize": SIZE, "fontweight": "bold", "va": "baseline"}
    low = HEAD - 7
    sheet.text(EDGE, low, "Kind of event", **text)
    sheet.text(places[0], low - LINE, "Families with", **text)
    sheet.text(places[0], low, "an event", **text)
    sheet.text(places[1], low - LINE, "Risk difference", **text)
    sheet.text(places[1], low, "of families", **text)
    sheet.text(places[2], low, _level(spec), **text)
    for line, words in enumerate(COUNTS_HEAD):
        sheet.text(places[-1], low - (4 - line) * LINE - 3, words, ha="right", **text)
    for arm, at in zip(arms, places[3:], strict=True):
        name, *sizes = _head(result, arm)
        colour = canvas.arm_style(arm, arms)[0]
        sheet.text(at, low - 2 * LINE, name, ha="right", color=colour, **text)
        sheet.scatter(
            [at - canvas.text_width(name, SIZE, True) - 6],
            [low - 2 * LINE - 2.6],
            s=DOT,
            marker=_marker(arm, arms),
            color=colour,
        )
        for line, words in enumerate(sizes):
            sheet.text(at, low - (1 - line) * LINE, words, ha="right", fontsize=SIZE, va="baseline")


def _write_row(
    sheet: Axes,
    result: Result,
    kind: str,
    arms: Sequence[str],
    places: Sequence[float],
    middle: float,
    shown: str,
    spec: Spec,
) -> None:
    weight = "bold" if kind == ANY else "normal"
    text = {"fontsize": SIZE, "fontweight": weight, "va": "baseline"}
    words = wrap(kind_label(kind, spec), LABELS, lambda part: canvas.text_width(part, SIZE, kind == ANY))
    base = middle + 0.28 * LINE - (len(words) - 1) * LINE / 2
    for line, part in enumerate(words):
        sheet.text(EDGE, base + line * LINE, part, **text)
    sheet.text(places[2], middle + 0.28 * LINE, shown, **text)
    for arm, at in zip(arms, places[3:], strict=True):
        sheet.text(at, middle + 0.28 * LINE, _counts(result, arm, kind), ha="right", **text)


def _marker(arm: str, arms: Sequence[str]) -> str:
    return MARKS[list(arms).index(arm) % len(MARKS)]


def _draw_risks(axes: Axes, result: Result, arms: Sequence[str], kinds: Sequence[str]) -> None:
    """Shares of the families at risk, arms a little apart; nothing where an arm has no family."""
    top = 0.0
    for position, arm in enumerate(arms):
        families = count(result, "at_risk_families", arm=arm)
        for at, kind in enumerate(kinds):
            n = count(result, "families", arm=arm, category=kind)
            if not families or n is None:
                continue
            y = (at + 0.5) * ROW + 5.0 * (position - (len(arms) - 1) / 2)
            colour = canvas.arm_style(arm, tuple(arms))[0]
            marks = {"marker": _marker(arm, arms), "color": colour, "zorder": 3, "clip_on": False}
            axes.scatter([100 * n / families], [y], s=DOT, **marks)
            top = max(top, 100 * n / families)
    axes.set_xlim(0, 1.06 * top or 1.0)
    _set_ticks(axes, unit="%")
    axes.set_xlabel("Per cent of families", fontsize=SIZE)


def _draw_differences(axes: Axes, found: Sequence[Estimate | None], left: str, right: str) -> None:
    axes.axvline(0, color=canvas.INK, linewidth=0.7)
    axes.spines["left"].set_visible(False)
    reach = 0.0
    for at, each in enumerate(found):
        if each is None or not fmt.is_number(each.value):
            continue
        y, colour = (at + 0.5) * ROW, canvas.POOLED
        ends = [100 * end for end in (each.low, each.high) if fmt.is_number(end)]
        axes.plot(ends, [y] * len(ends), color=colour, linewidth=1.2)
        axes.scatter([100 * each.value], [y], s=DOT, marker="s", color=colour, zorder=3)
        reach = max([reach, abs(100 * each.value), *map(abs, ends)])
    axes.set_xlim(-1.06 * reach or -1.0, 1.06 * reach or 1.0)
    _set_ticks(axes)
    axes.set_xlabel(f"Points, {left} {fmt.MINUS} {right}" if left and right else "", fontsize=SIZE)
    side = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points", "va": "baseline"}
    for words, across, ha in (("\u2190 fewer", -4, "right"), ("more \u2192", 4, "left")):
        place = {"xy": (0, 0), "xytext": (across, -39), "ha": ha}
        axes.annotate(words, fontsize=7.0, color=canvas.PALE, **place, **side)


def _set_ticks(axes: Axes, unit: str = "") -> None:
    low, high = axes.get_xlim()
    found = MaxNLocator(nbins=4, steps=[1, 2, 5, 10]).tick_values(low, high)
    decimals = max(0, -math.floor(math.log10(found[1] - found[0]) + 1e-9))
    ticks = [float(each) for each in found if low <= each <= high]
    axes.set_xticks(ticks, [f"{fmt.number(each, decimals)}{unit}" for each in ticks])

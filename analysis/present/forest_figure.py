"""Forest plots: one line per effect with its interval, sizes left of it and the numbers right of it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator

from analysis.present import canvas
from analysis.present import format as fmt
from analysis.present.consort_layout import wrap
from analysis.present.favours import BELOW, better_side
from analysis.present.figure_text import forest_text
from analysis.present.forest import Row, read_rows
from analysis.present.reading import Found, contrast_of, label
from analysis.results import Result
from analysis.spec.declarations import Spec

SIZE, LINE, PAD = 7.5, 9.8, 4.2
EDGE, GAP, INDENT, LABELS, PLOT = 8.0, 12.0, 8.0, 178.0, 120.0
HEAD, FOOT = 30.0, 62.0
# Squares grow with the precision of their effect, from the smallest that can be seen.
LEAST, MOST = 9.0, 52.0
# An interval that goes farther than so many times half a usual one would make all others short: it is cut.
FAR = 5.0
RATIO_TICKS = ((0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0), (0.5, 0.7, 1.0, 1.4, 2.0), (0.8, 0.9, 1.0, 1.1, 1.25))


@dataclass(frozen=True, slots=True)
class Scale:
    """What the plot is of: where no effect is, the axis, and what lies on either side."""

    none: float
    is_log: bool
    level: str
    effect: str
    axis: str
    sides: tuple[str, str]
    sizes: tuple[str, ...]

    def at(self, value: float) -> float:
        """A value on the scale it is drawn on."""
        return math.log(value) if self.is_log else value


def draw_forest(items: Sequence[Found], spec: Spec) -> tuple[Figure, str]:
    """Differences of one outcome: primary, sensitivity and supplementary analyses and subgroups."""
    entry = spec.analyses[items[0].analysis]
    left, right = _contrast(items, spec)
    better = better_side(entry.id, spec)
    below, above = (left, right) if better == BELOW else (right, left)
    scale = Scale(
        none=0.0,
        is_log=False,
        level=fmt.level_name(spec.trial.level),
        effect=f"{left} {fmt.MINUS} {right}",
        axis=f"Adjusted difference in {label(spec, 'parameter', entry.outcome.parameter)}, points",
        sides=(f"favours {below}", f"favours {above}") if better else ("", ""),
        sizes=("families", "children"),
    )
    return _draw(items, spec, scale)


def draw_ratio_forest(items: Sequence[Found], spec: Spec) -> tuple[Figure, str]:
    """Hazard ratios of one event on a logarithmic axis: main, sensitivity and supplementary analyses."""
    left, right = _contrast(items, spec)
    scale = Scale(
        none=1.0,
        is_log=True,
        level=fmt.level_name(spec.trial.level),
        effect=f"{left} / {right}",
        axis="Hazard ratio, logarithmic scale",
        sides=(f"sooner with {right}", f"sooner with {left}"),
        sizes=("families", "children", "events"),
    )
    return _draw(items, spec, scale)


def _contrast(items: Sequence[Found], spec: Spec) -> tuple[str, str]:
    named = contrast_of(item for item in items if isinstance(item, Result))
    arms = spec.trial.arms
    left, _, right = (named or f"{arms.intervention} - {arms.control}").partition(" - ")
    return left, right


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where the columns stand, in points from the left."""

    sizes: float
    plot: float
    width: float
    shown: float
    total: float


def _draw(items: Sequence[Found], spec: Spec, scale: Scale) -> tuple[Figure, str]:
    rows = read_rows(items, spec, scale.sizes)
    columns = _columns(rows, scale)
    lines = [_lines(row, columns) for row in rows]
    tops = [0.0]
    for each in lines:
        tops.append(tops[-1] + LINE * len(each) + PAD)
    figure = canvas.new_figure(columns.total, HEAD + tops[-1] + FOOT)
    axes = canvas.axes_at(figure, left=columns.plot, bottom=FOOT, width=columns.width, height=tops[-1])
    axes.set_ylim(tops[-1], 0)
    _set_axis(axes, rows, scale)
    _draw_effects(axes, rows, [top + (LINE + PAD) / 2 for top in tops], scale)
    _draw_reference(axes, rows, tops)
    sheet = canvas.sheet(figure)
    _write_heads(sheet, columns, scale)
    for row, words, top in zip(rows, lines, tops, strict=False):
        _write_row(sheet, row, words, columns, HEAD + top)
    return figure, forest_text(rows, scale.effect, scale.level, scale.axis, scale.sizes, scale.sides)


def _columns(rows: Sequence[Row], scale: Scale) -> _Columns:
    """Wide enough for what they hold; the plot has the rest, and the figure grows where that is little."""
    labels = max(_label_width(row) for row in rows if row.kind == "effect")
    sizes = max(canvas.text_width(_sizes(row), SIZE) for row in rows)
    sizes = max(sizes, *(canvas.text_width(each, SIZE, True) for each in _sizes_head(scale)))
    shown = max(canvas.text_width(row.shown, SIZE, row.is_main) for row in rows)
    shown = max(shown, canvas.text_width(_shown_head(scale), SIZE, True))
    before = EDGE + min(labels, LABELS) + GAP + sizes
    total = max(canvas.WIDTH, before + GAP + PLOT + GAP + shown + EDGE)
    right = total - EDGE - shown
    return _Columns(before, plot=before + GAP, width=right - before - 2 * GAP, shown=right, total=total)


def _label_width(row: Row) -> float:
    return row.indent * INDENT + canvas.text_width(row.label, SIZE, _is_bold(row))


def _is_bold(row: Row) -> bool:
    return row.kind == "heading" or row.is_main


def _lines(row: Row, columns: _Columns) -> list[str]:
    """A label in its column; those of rows without sizes run on to the plot."""
    width = LABELS if row.kind == "effect" else columns.plot - EDGE
    return wrap(
        row.label, width - row.indent * INDENT, lambda part: canvas.text_width(part, SIZE, _is_bold(row))
    )


def _sizes(row: Row) -> str:
    return " / ".join(fmt.whole(n) for n in row.sizes)


def _sizes_head(scale: Scale) -> list[str]:
    *first, last = [each.capitalize() if at == 0 else each for at, each in enumerate(scale.sizes)]
    return [" / ".join(first) + " /", last]


def _shown_head(scale: Scale) -> str:
    return f"{scale.effect} ({scale.level})"


def _write_heads(sheet: Axes, columns: _Columns, scale: Scale) -> None:
    text = {"fontsize": SIZE, "fontweight": "bold", "va": "baseline"}
    sheet.text(EDGE, HEAD - 9, "Analysis", **text)
    for at, words in enumerate(_sizes_head(scale)):
        sheet.text(columns.sizes, HEAD - 9 - LINE * (1 - at), words, ha="right", **text)
    sheet.text(columns.shown, HEAD - 9, _shown_head(scale), **text)
    sheet.plot(
        [EDGE, columns.total - EDGE], [HEAD - 3, HEAD - 3], color=canvas.PALE, linewidth=0.6, clip_on=False
    )


def _write_row(sheet: Axes, row: Row, words: Sequence[str], columns: _Columns, top: float) -> None:
    text = {"fontsize": SIZE, "va": "baseline"}
    base = top + PAD / 2 + 0.78 * LINE
    for at, line in enumerate(words):
        weight = "bold" if _is_bold(row) else "normal"
        sheet.text(EDGE + row.indent * INDENT, base + at * LINE, line, fontweight=weight, **text)
    sheet.text(columns.sizes, base, _sizes(row), ha="right", **text)
    weight = "bold" if row.is_main else "normal"
    sheet.text(columns.shown, base, row.shown, fontweight=weight, **text)


def _set_axis(axes: Axes, rows: Sequence[Row], scale: Scale) -> None:
    low, high = _range(rows, scale)
    ticks, names = _ticks(low, high, scale)
    if scale.is_log:
        axes.set_xscale("log")
        low, high = math.exp(low), math.exp(high)
    axes.set_xlim(low, high)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(ticks, names)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.grid(False)
    axes.axvline(scale.none, color=canvas.INK, linewidth=0.7)
    side = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points", "va": "baseline"}
    is_told = all(scale.sides)
    below, above = (f"\u2190 {scale.sides[0]}", f"{scale.sides[1]} \u2192") if is_told else ("", "")
    for words, across, ha in ((below, -4, "right"), (above, 4, "left")):
        place = {"xy": (scale.none, 0), "xytext": (across, -27), "ha": ha}
        axes.annotate(words, fontsize=SIZE, color=canvas.PALE, **place, **side)
    axes.annotate(
        scale.axis,
        xy=(0.5, 0),
        xycoords="axes fraction",
        xytext=(0, -41),
        textcoords="offset points",
        ha="center",
        va="baseline",
        fontsize=SIZE,
    )


def _range(rows: Sequence[Row], scale: Scale) -> tuple[float, float]:
    """From the lowest limit to the highest, less those far beyond most; no effect is within."""
    known = [tuple(map(scale.at, row.limits)) for row in rows if row.limits and _can_be_drawn(row, scale)]
    none = scale.at(scale.none)
    if not known:
        return none - 1, none + 1
    half = median((high - low) / 2 for low, _, high in known) or 1.0
    centre = median(value for _, value, _ in known)
    ends = [none, *(each for trio in known for each in (trio[0], trio[2]))]
    kept = [min(max(each, centre - FAR * half), centre + FAR * half) for each in ends]
    low, high = min(none, *kept), max(none, *kept)
    return low - 0.06 * (high - low), high + 0.06 * (high - low)


def _can_be_drawn(row: Row, scale: Scale) -> bool:
    return row.limits is not None and (not scale.is_log or min(row.limits) > 0)


def _ticks(low: float, high: float, scale: Scale) -> tuple[list[float], list[str]]:
    if scale.is_log:
        within = [[each for each in ticks if low <= math.log(each) <= high] for ticks in RATIO_TICKS]
        chosen = next((each for each in within if len(each) >= 3), within[0])
        return chosen, [f"{each:g}" for each in chosen]
    found = MaxNLocator(nbins=5, steps=[1, 2, 5, 10]).tick_values(low, high)
    step = found[1] - found[0]
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    ticks = [float(each) for each in found if low <= each <= high]
    return ticks, [fmt.number(each, decimals) for each in ticks]


def _draw_effects(axes: Axes, rows: Sequence[Row], middles: Sequence[float], scale: Scale) -> None:
    drawn = [(row, y) for row, y in zip(rows, middles, strict=False) if _can_be_drawn(row, scale)]
    widths = {id(row): scale.at(row.limits[2]) - scale.at(row.limits[0]) for row, _ in drawn}
    narrowest = min((each for each in widths.values() if each > 0), default=1.0)
    for row, y in drawn:
        colour = canvas.ARM_COLOURS[0] if row.is_main else canvas.POOLED
        share = (narrowest / widths[id(row)]) ** 2 if widths[id(row)] > 0 else 1.0
        _draw_effect(axes, row, y, colour=colour, area=LEAST + (MOST - LEAST) * share)


def _draw_reference(axes: Axes, rows: Sequence[Row], tops: Sequence[float]) -> None:
    """The main effect as a line through the rows that can be read against it."""
    low, high = axes.get_xlim()
    end = next((top for row, top in zip(rows, tops, strict=False) if row.is_apart), tops[-1])
    for row in rows:
        if row.is_main and row.limits and low <= row.limits[1] <= high:
            across = (row.limits[1], row.limits[1])
            axes.plot(across, (0, end), color=canvas.ARM_COLOURS[0], linewidth=0.8, linestyle=(0, (4, 2)))


def _draw_effect(axes: Axes, row: Row, y: float, *, colour: str, area: float) -> None:
    """Interval and mark; an arrow where the interval goes on beyond the axis."""
    low, high = axes.get_xlim()
    first, value, last = row.limits
    shown = (max(first, low), min(last, high))
    if shown[0] < shown[1]:
        axes.plot(shown, (y, y), color=colour, linewidth=1.6 if row.is_main else 1.1)
    for is_beyond, at, marker in ((first < low, low, "<"), (last > high, high, ">")):
        if is_beyond:
            axes.plot([at], [y], marker=marker, color=colour, markersize=4, clip_on=False)
    if low <= value <= high:
        axes.scatter([value], [y], s=area, marker="D" if row.is_main else "s", color=colour, zorder=3)

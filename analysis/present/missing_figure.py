"""Where outcomes are missing: shares observed by outcome, visit and site, and the courses over the visits."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from analysis.present import canvas
from analysis.present import format as fmt
from analysis.present.missing_text import missing_text
from analysis.present.reading import arm_name, arms_of, count, label
from analysis.present.table_missing import check_missing, places, visit_name
from analysis.results import Result
from analysis.spec.declarations import Spec

BARS, GAP, MARGIN, FOOT, BESIDE, NAME = 112.0, 5.0, 6.0, 24.0, 24.0, 5.0
# Base lines of the heads: titles, visits, sites, arms.
TITLE, VISIT, SITE, ARM = 9.0, 26.0, 38.0, 50.0
ROW, BAR_GAP, SMALL, SIZE = 19.0, 3.0, 6.0, 7.5
# From paper to ink: the paler a cell, the more is missing. Where nothing was due there is no colour.
SHADES = LinearSegmentedColormap.from_list("observed", ["#FFFFFF", "#DCEAF4", "#8FBCDB", "#1E4E75"])
DARK, STEPS, NONE_DUE = 0.83, 20, "#F0F0F0"
# Told apart in grey too: light, middle, dark.
FILLS = {"complete": "#D5DEE6", "monotone": "#8E7CC3", "intermittent": "#F2B134", "never": "#3B4148"}
WORDS = {"complete": canvas.INK, "monotone": "#FFFFFF", "intermittent": canvas.INK, "never": "#FFFFFF"}


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of the map: where it stands, and whom it is of."""

    left: float
    width: float
    visit: str
    site: str
    arm: str


@dataclass(frozen=True, slots=True)
class _Map:
    """What is drawn: a result, its declarations, its rows and columns, where the courses begin, its width."""

    result: Result
    spec: Spec
    outcomes: tuple[str, ...]
    columns: tuple[_Column, ...]
    arms: tuple[str, ...]
    head: float
    bars: float
    width: float

    @property
    def height(self) -> float:
        return self.top(len(self.outcomes)) + FOOT

    def top(self, row: int) -> float:
        return self.head + row * ROW


def draw_missing(items: Sequence[Result], spec: Spec) -> tuple[Figure, str]:
    """A cell per outcome, visit, site and arm with the share observed, and a bar of courses per arm."""
    (result,) = items
    check_missing(result)
    drawn = _lay_out(result, spec)
    figure = canvas.new_figure(drawn.width, drawn.height)
    axes = canvas.sheet(figure)
    _draw_headings(axes, drawn)
    _draw_key(axes, drawn)
    for row, outcome in enumerate(drawn.outcomes):
        middle = drawn.top(row) + ROW / 2
        _write(axes, MARGIN, middle, label(spec, "parameter", outcome), size=SIZE, ha="left")
        for column in drawn.columns:
            _draw_cell(axes, drawn, row, column)
        _draw_courses(axes, drawn, row)
    _draw_note(axes, drawn)
    return figure, missing_text(result, spec)


def _lay_out(result: Result, spec: Spec) -> _Map:
    found, arms = places(result, spec), arms_of([result])
    visits = [each.id for each in spec.trial.visits if any(each.id == visit for _, visit in found)]
    outcomes = tuple(dict.fromkeys(parameter for parameter, _ in found))
    names = [canvas.text_width(label(spec, "parameter", each), SIZE) for each in outcomes]
    left = MARGIN + max(names, default=0.0) + 8
    several = arms if len(arms) > 1 else ()
    beside = max((canvas.text_width(arm_name(arm), NAME) + 3 + MARGIN for arm in several), default=0.0)
    beside = max(beside, BESIDE)
    width = (canvas.WIDTH - BARS - 6 - beside - left - len(visits) * GAP) / max(
        len(visits) * len(spec.trial.sites) * len(arms), 1
    )
    # Beside long names of arms the figure grows.
    width = max([width, *(canvas.text_width(arm_name(arm), SMALL) + 2 for arm in several)])
    columns, at = [], left
    for visit in visits:
        for site in spec.trial.sites:
            for arm in arms:
                columns.append(_Column(at, width, visit, site, arm))
                at += width
        at += GAP
    head = (ARM if len(arms) > 1 else SITE) + 9
    total = max(canvas.WIDTH, at + 6 + BARS + beside)
    return _Map(result, spec, outcomes, tuple(columns), arms, head, at + 6, total)


def _write(
    axes: Axes, x: float, y: float, text: str, *, size: float = SMALL, ha: str = "center", **style
) -> None:
    axes.text(x, y, text, fontsize=size, ha=ha, va="center", **style)


def _draw_headings(axes: Axes, drawn: _Map) -> None:
    spec, first = drawn.spec, drawn.columns[0].left if drawn.columns else MARGIN
    _write(axes, first, TITLE, "Observed, % of children due", size=8, ha="left", weight="bold")
    for visit in dict.fromkeys(column.visit for column in drawn.columns):
        here = [each for each in drawn.columns if each.visit == visit]
        _over(axes, here, VISIT, visit_name(visit, spec), weight="bold")
        for site in spec.trial.sites:
            there = [each for each in here if each.site == site]
            _over(axes, there, SITE, label(spec, "site", site))
            for column in there if len(drawn.arms) > 1 else ():
                _over(axes, [column], ARM, arm_name(column.arm))


def _draw_key(axes: Axes, drawn: _Map) -> None:
    """The colours of the courses, two in a line."""
    _write(axes, drawn.bars, TITLE, "Course over the visits", size=8, ha="left", weight="bold")
    for position, (course, fill) in enumerate(FILLS.items()):
        x, y = drawn.bars + (position % 2) * BARS / 2, (VISIT, SITE)[position // 2]
        axes.add_patch(Rectangle((x, y - 3), 6, 6, facecolor=fill, edgecolor=canvas.PALE, linewidth=0.4))
        _write(axes, x + 9, y, course, ha="left")


def _over(axes: Axes, columns: Sequence[_Column], y: float, text: str, **style) -> None:
    middle = (columns[0].left + columns[-1].left + columns[-1].width) / 2
    _write(axes, middle, y, text, **style)


def _draw_cell(axes: Axes, drawn: _Map, row: int, column: _Column) -> None:
    where = {"arm": column.arm, "unit": "child", "parameter": drawn.outcomes[row], "visit": column.visit}
    due, observed = (
        count(drawn.result, f"{name}_at_site", site=column.site, **where) for name in ("due", "observed")
    )
    share = observed / due if due else None
    box = Rectangle(
        (column.left, drawn.top(row)),
        *(column.width, ROW),
        facecolor=NONE_DUE if share is None else SHADES(round(STEPS * share) / STEPS),
        edgecolor="white",
        linewidth=0.8,
    )
    axes.add_patch(box)
    text = "\u2013" if share is None else fmt.number(100 * share, 0)
    size = min(SMALL, SMALL * (column.width - 1) / canvas.text_width("100", SMALL))
    dark = share is not None and share > DARK
    middle = column.left + column.width / 2, drawn.top(row) + ROW / 2
    _write(axes, *middle, text, size=size, color="white" if dark else canvas.INK)


def _draw_courses(axes: Axes, drawn: _Map, row: int) -> None:
    """A bar per arm, as long as the children whom the outcome was ever due from."""
    thick = (ROW - BAR_GAP) / len(drawn.arms)
    for position, arm in enumerate(drawn.arms):
        where = {"arm": arm, "unit": "child", "parameter": drawn.outcomes[row]}
        parts = {each: count(drawn.result, "course", course=each, **where) or 0 for each in FILLS}
        top, at = drawn.top(row) + BAR_GAP / 2 + position * thick, drawn.bars
        for course, n in parts.items():
            length = BARS * n / sum(parts.values()) if n else 0.0
            bar = Rectangle(
                (at, top), length, thick, facecolor=FILLS[course], edgecolor="white", linewidth=0.5
            )
            axes.add_patch(bar)
            if length > canvas.text_width(fmt.whole(n), SMALL - 0.5) + 2:
                style = {"color": WORDS[course], "size": SMALL - 0.5}
                _write(axes, at + length / 2, top + thick / 2, fmt.whole(n), **style)
            at += length
        if len(drawn.arms) > 1:
            _write(axes, drawn.bars + BARS + 3, top + thick / 2, arm_name(arm), size=NAME, ha="left")


def _draw_note(axes: Axes, drawn: _Map) -> None:
    cells, bars = (
        "Paler cells have more missing; a dash: due from nobody.",
        "Bars: children it was ever due from.",
    )
    _write(axes, MARGIN, drawn.height - 12, f"{cells} {bars}", ha="left", color=canvas.PALE)

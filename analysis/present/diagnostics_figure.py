"""Diagnostics of a mixed model in three panels: residuals by quantile and by fit, influence of families."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.present import canvas
from analysis.present import format as fmt
from analysis.present.reading import one
from analysis.results import Points, Result, select
from analysis.spec.declarations import Spec

PANELS = {
    "residual_quantiles": ("Normal quantiles", "Standard normal quantile", "Scaled residual (SD)"),
    "residual_fitted": ("Against the fit", "Fitted value (points)", "Scaled residual (SD)"),
    "family_influence": (
        "Influence of families",
        "Families, in order of influence",
        "Change without it (SE)",
    ),
}
LEFT, BESIDE, RIGHT, TOP, HEIGHT, BELOW = 38.0, 52.0, 8.0, 18.0, 138.0, 40.0
DOT = 5.0
DECIMALS = 2


def draw_diagnostics(items: Sequence[Result], spec: Spec) -> tuple[Figure, str]:
    """Scaled residuals beside normal quantiles and fitted values, and what each family moves."""
    (result,) = items
    figure = canvas.new_figure(canvas.WIDTH, TOP + HEIGHT + BELOW)
    width = (canvas.WIDTH - LEFT - RIGHT - BESIDE * (len(PANELS) - 1)) / len(PANELS)
    for position, (name, (title, across, up)) in enumerate(PANELS.items()):
        left = LEFT + position * (width + BESIDE)
        axes = canvas.axes_at(figure, left=left, bottom=BELOW, width=width, height=HEIGHT)
        axes.set(xlabel=across, ylabel=up)
        axes.set_title(title)
        points = one(result.points, name)
        if points is not None and points.x:
            _draw(axes, points)
    return figure, diagnostics_text(result)


def _draw(axes: Axes, points: Points) -> None:
    axes.scatter(points.x, points.y, s=DOT, color=canvas.POOLED, alpha=0.55, linewidths=0)
    if points.name == "residual_quantiles":
        axes.axline((0.0, 0.0), slope=1.0, color=canvas.PALE, linewidth=0.8)
    else:
        axes.axhline(0.0, color=canvas.PALE, linewidth=0.8)


def diagnostics_text(result: Result) -> str:
    """The summary of the diagnostics in a sentence, then a line each."""
    found = select(result.estimates, name="diagnostic")
    if not found:
        return f"{result.title}: no curve.\n"
    lines = [f"{each.labels['of']}: {_shown(each.value)}" for each in found]
    return (
        "Three panels of points: scaled residuals of children against standard normal quantiles and against "
        "fitted values, and the change of the difference between arms without each family, in its standard "
        f"errors. {'; '.join(lines[:5]).capitalize()}. No point is named.\n" + "\n".join(lines) + "\n"
    )


def _shown(value: float | None) -> str:
    is_count = value is not None and value == int(value)
    return fmt.whole(int(value)) if is_count else fmt.number(value, DECIMALS)

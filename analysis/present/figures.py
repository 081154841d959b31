"""Results -> figures: one way of drawing per kind of output. A new kind is one line here."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from analysis.errors import ReportError
from analysis.present import canvas
from analysis.present.accrual_figure import draw_accrual
from analysis.present.attendance_figure import draw_attendance, draw_withdrawal
from analysis.present.blinding import check_open_text
from analysis.present.boundary_figure import draw_boundaries
from analysis.present.consort_figure import draw_consort
from analysis.present.consort_layout import wrap
from analysis.present.count_figures import draw_mean_counts
from analysis.present.curve_figures import draw_incidence, draw_routes
from analysis.present.diagnostics_figure import draw_diagnostics
from analysis.present.difference_figure import draw_difference
from analysis.present.figure_text import failure_text
from analysis.present.forest_figure import draw_forest, draw_ratio_forest
from analysis.present.harms_figure import draw_harms
from analysis.present.missing_figure import draw_missing
from analysis.present.occupation_figure import draw_occupation
from analysis.present.reading import Found, results_digest, results_for
from analysis.results import Failure, Result, View
from analysis.spec.declarations import Spec
from analysis.spec.sap import Output

DRAW: dict[str, Callable[[Sequence[Result], Spec], tuple[Figure, str]]] = {
    "consort": draw_consort,
    "accrual_curve": draw_accrual,
    "attendance_bars": draw_attendance,
    "withdrawal_curve": draw_withdrawal,
    "incidence_curve": draw_incidence,
    "route_curves": draw_routes,
    "occupation_stack": draw_occupation,
    "diagnostics": draw_diagnostics,
    "mean_count_curves": draw_mean_counts,
    "difference_curve": draw_difference,
    "forest": draw_forest,
    "ratio_forest": draw_ratio_forest,
    "harms_dots": draw_harms,
    "missing_map": draw_missing,
    "boundary_plot": draw_boundaries,
}
# Those in which an analysis that failed is a row.
HAVE_ROWS = ("forest", "ratio_forest")
REASON_SIZE = 8.0


def draw(
    output: Output, results: Mapping[str, Found], spec: Spec, view: View, *, style: Path
) -> dict[str, bytes]:
    """The figure of an output of the plan: its files by format, and its text (`txt`).

    Raises
    ------
    ReportError
        If the output is no figure, or a result is absent.
    BlindingError
        If the output is not for this view, or an open figure would name an arm.
    """
    if output.kind not in DRAW:
        raise ReportError(f"output {output.id}: kind {output.kind} is no figure; figures: {', '.join(DRAW)}.")
    items = results_for(output, results, view)
    with canvas.styled(style):
        figure, text = _figure(output, items, spec)
        canvas.add_mark(figure, view)
        files = canvas.write_figure(figure, identifier=results_digest(items))
    if view == "open":
        check_open_text(f"{files['svg'].decode()} {text}", spec)
    return {**files, "txt": text.encode()}


def _figure(output: Output, items: Sequence[Found], spec: Spec) -> tuple[Figure, str]:
    failed = [item for item in items if isinstance(item, Failure)]
    if len(failed) == len(items) or (failed and output.kind not in HAVE_ROWS):
        text = failure_text(output.title, " ".join(item.reason for item in failed))
        return _reason_figure(text), text
    return DRAW[output.kind](items, spec)


def _reason_figure(text: str) -> Figure:
    lines = wrap(text, canvas.WIDTH - 40, lambda part: canvas.text_width(part, REASON_SIZE))
    height = 40 + 1.4 * REASON_SIZE * len(lines)
    figure = canvas.new_figure(canvas.WIDTH, height)
    figure.text(20 / canvas.WIDTH, 1 - 20 / height, "\n".join(lines), va="top", fontsize=REASON_SIZE)
    return figure

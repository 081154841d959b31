"""Which files an output of the plan becomes, and which results it needs."""

from pathlib import Path

from analysis.spec.declarations import Spec
from analysis.spec.sap import Output

FIGURES = frozenset(
    {
        "consort",
        "accrual_curve",
        "attendance_bars",
        "withdrawal_curve",
        "incidence_curve",
        "route_curves",
        "occupation_stack",
        "mean_count_curves",
        "difference_curve",
        "diagnostics",
        "forest",
        "ratio_forest",
        "harms_dots",
        "missing_map",
        "boundary_plot",
    }
)
# Outputs of the whole plan, which name no analyses.
WHOLE = frozenset({"validation", "checklist"})
# What a page holds beside its outputs: anchor, and name in a list of places.
SECTIONS = {
    "conduct": "Design and conduct",
    "methods": "Statistical methods",
    "changes": "Changes of the plan",
    "estimands": "Estimands and populations",
    "assumptions": "Assumptions",
    "data-quality": "Data quality",
    "provenance": "Provenance",
    "manifest": "Manifest",
}
# What a page of the committee's pack holds besides.
INTERIM_SECTIONS = {
    "meeting": "Actions since the last meeting",
    "since": "What became known since the last meeting",
    "unmasking": "Unmasking log",
}
FIGURE_FORMATS = ("svg", "pdf", "png", "txt")
TABLE_FORMATS = ("csv", "values.csv", "tex", "json")
# The list of findings whose site cannot be told.
UNPLACED = "not_known"


def report_of(view: str) -> str:
    """The kind of report a view makes: the rehearsal is laid out like the closed one."""
    return "open" if view == "open" else "closed"


def sections_of(spec: Spec) -> dict[str, str]:
    """Anchors and names of a page's sections, in no order; those of the pack in an interim edition alone."""
    return {**(INTERIM_SECTIONS if spec.interim_cut else {}), **SECTIONS}


def template_of(spec: Spec, view: str) -> str:
    """Name of the template of a view's report."""
    return f"{'interim_' if spec.interim_cut else ''}{report_of(view)}.html.j2"


def outputs_of(spec: Spec, view: str) -> tuple[Output, ...]:
    """Outputs of a view's report, in the plan's order."""
    return tuple(output for output in spec.outputs.values() if report_of(view) in output.reports)


def files_of(output: Output) -> tuple[str, ...]:
    """File names of an output."""
    formats = FIGURE_FORMATS if output.kind in FIGURES else TABLE_FORMATS
    return tuple(f"{output.id}.{each}" for each in formats)


def output_files(spec: Spec, view: str) -> tuple[str, ...]:
    """File names of all outputs of a view."""
    return tuple(name for output in outputs_of(spec, view) for name in files_of(output))


def families_of(spec: Spec, view: str) -> tuple[str, ...]:
    """Model families whose results a view's outputs show, in the plan's order."""
    needed = {analysis for output in outputs_of(spec, view) for analysis in output.analyses}
    return tuple(dict.fromkeys(each.family for each in spec.analyses.values() if each.id in needed))


def issue_lists(spec: Spec) -> tuple[str, ...]:
    """File names of the findings by site."""
    return tuple(f"{site}.csv" for site in (*spec.trial.sites, UNPLACED))


def template_files(root: Path) -> tuple[str, ...]:
    """Templates and styles of the reports, relative to the repository."""
    return tuple(
        sorted(path.relative_to(root).as_posix() for path in (root / "reports").rglob("*") if path.is_file())
    )

"""Results -> tables: one way of laying out per kind of output. A new kind is one line here."""

from collections.abc import Callable, Mapping

from analysis.agreement import Agreements
from analysis.errors import ReportError
from analysis.present.blinding import check_open_text
from analysis.present.reading import Found, results_for
from analysis.present.request import Request
from analysis.present.table_accrual import tabulate_accrual, tabulate_balance
from analysis.present.table_attendance import tabulate_attendance
from analysis.present.table_averages import tabulate_averages, tabulate_variances
from analysis.present.table_baseline import tabulate_baseline
from analysis.present.table_checklist import tabulate_checklist
from analysis.present.table_course import tabulate_course
from analysis.present.table_delivery import tabulate_delivery
from analysis.present.table_deviations import tabulate_deviations
from analysis.present.table_effects import tabulate_hazards, tabulate_means, tabulate_selected_hazards
from analysis.present.table_form import Table, to_csv, to_json, to_values_csv
from analysis.present.table_harms import tabulate_harms, tabulate_harms_listing
from analysis.present.table_latex import to_latex
from analysis.present.table_missing import tabulate_missing
from analysis.present.table_monitoring import tabulate_monitoring
from analysis.present.table_nuisance import tabulate_nuisance
from analysis.present.table_recurrences import tabulate_recurrences
from analysis.present.table_reproduction import tabulate_reproduction
from analysis.present.table_risks import tabulate_risks
from analysis.present.table_routes import tabulate_proportionality, tabulate_routes
from analysis.present.table_states import tabulate_states
from analysis.present.table_subgroups import tabulate_subgroups
from analysis.present.table_times import tabulate_days, tabulate_probabilities
from analysis.present.table_validation import tabulate_validation
from analysis.results import View
from analysis.spec.declarations import Spec
from analysis.spec.sap import Output

TABULATE: dict[str, Callable[[Request], Table]] = {
    "accrual": tabulate_accrual,
    "balance": tabulate_balance,
    "attendance": tabulate_attendance,
    "baseline": tabulate_baseline,
    "delivery": tabulate_delivery,
    "missing": tabulate_missing,
    "deviations": tabulate_deviations,
    "means": tabulate_means,
    "averages": tabulate_averages,
    "variances": tabulate_variances,
    "risks": tabulate_risks,
    "subgroups": tabulate_subgroups,
    "course": tabulate_course,
    "hazards": tabulate_hazards,
    "selected_hazards": tabulate_selected_hazards,
    "proportionality": tabulate_proportionality,
    "routes": tabulate_routes,
    "recurrences": tabulate_recurrences,
    "probabilities": tabulate_probabilities,
    "days": tabulate_days,
    "states": tabulate_states,
    "harms": tabulate_harms,
    "harms_listing": tabulate_harms_listing,
    "monitoring": tabulate_monitoring,
    "nuisance": tabulate_nuisance,
    "reproduction": tabulate_reproduction,
    "checklist": tabulate_checklist,
    "validation": tabulate_validation,
}

# By the ending of the file's name.
FORMS: dict[str, Callable[[Table], str]] = {
    "csv": to_csv,
    "values.csv": to_values_csv,
    "tex": to_latex,
    "json": to_json,
}


def tabulate(
    output: Output,
    results: Mapping[str, Found],
    spec: Spec,
    view: View,
    agreements: Agreements | None = None,
) -> Table:
    """The table of an output of the plan; `agreements` is what the second programmer found.

    Raises
    ------
    ReportError
        If the output is no table, or a result is absent.
    BlindingError
        If the output is not for this view, or an open table would name an arm.
    """
    if output.kind not in TABULATE:
        raise ReportError(
            f"output {output.id}: kind {output.kind} is no table; tables: {', '.join(TABULATE)}."
        )
    table = TABULATE[output.kind](Request(output, results_for(output, results, view), spec, view, agreements))
    if view == "open":
        check_open_text(to_json(table), spec)
    return table


def write_forms(table: Table) -> dict[str, bytes]:
    """Content of a table's files by format."""
    return {form: write(table).encode() for form, write in FORMS.items()}

"""The first page's table: lines for each estimand, from its main analysis."""

from collections.abc import Mapping
from dataclasses import replace

from analysis.present import format as fmt
from analysis.present.favours import favours
from analysis.present.footnotes import TIMINGS, abbreviations, remarks_note
from analysis.present.headline_lines import READ, Line
from analysis.present.reading import Found, arm_name, results_for
from analysis.present.request import Request, words_of
from analysis.present.table_form import Cell, Footnote, Row, Table, numbers
from analysis.results import Failure, Result, View
from analysis.spec.declarations import Spec
from analysis.spec.outputs import report_of
from analysis.spec.sap import Output

TITLE = "Summary of results"
DASH = "\u2013"
PRIMARY, SAFETY = "primary", "safety"
CONVENTIONS = (
    "Means with standard deviations are raw, of the n children analysed",
    "Each line says by when its events count; lines of different horizons are different questions",
)
TESTED = (
    "P is given for the primary analysis, which alone tests a hypothesis; the others have a dash here, and "
    "what P values they have in their own tables"
)
OF_PACK = ("Means are raw; each line says by when its events count",)


def summarise(results: Mapping[str, Found], spec: Spec, view: View) -> Table:
    """Per estimand: its measure by arm or pooled and, where arms are compared, the effect and P."""
    request = _request("S1", [each for each in spec.estimands.values()], results, spec, view)
    compared = [f"Effect, {against(request)}\n({request.level})", "P"] if request.contrast else []
    table = request.table(
        stub="Estimand and measure",
        columns=[*map(arm_name, request.arms), *compared],
        rows=[row for item in request.items for row in _rows(item, request)],
        conventions=(*CONVENTIONS, TESTED) if request.contrast else CONVENTIONS,
    )
    return brief(table, request)


def summarise_for_committee(results: Mapping[str, Found], spec: Spec, view: View) -> Table:
    """The same for the committee's first page: harms first, one row per line, and whom an effect favours.

    Nothing is tested outside the boundaries of the guideline, so that there is no P.
    """
    shown = [each for each in spec.estimands.values() if each.first_page]
    roles = {each.id: {spec.analyses[main].role for main in each.main} for each in shown}
    shown.sort(key=lambda each: SAFETY not in roles[each.id])
    request = _request("S2", shown, results, spec, view)
    side = f"Favours\n{request.arms[0]}" if request.contrast else ""
    compared = [f"Effect\n({request.level})", side] if request.contrast else []
    of_arms = (f"Effects are of {against(request)}",) if request.contrast else ()
    table = request.table(
        stub="Estimand and measure",
        columns=[*map(arm_name, request.arms), *compared],
        rows=[row for item in request.items for row in _single_rows(item, request)],
        conventions=(*of_arms, *OF_PACK),
    )
    return brief(table, request)


def _request(name: str, estimands, results: Mapping[str, Found], spec: Spec, view: View) -> Request:
    mains = tuple(main for each in estimands for main in each.main if main in results)
    output = Output(id=name, kind="means", title=TITLE, analyses=mains, reports=(report_of(view),))
    return Request(output, results_for(output, results, view), spec, view)


def against(request: Request) -> str:
    """The two arms in the order in which they are compared, whatever the measure."""
    return " against ".join(arm_name(arm) for arm in request.arms)


def brief(table: Table, request: Request) -> Table:
    """The table with the lines below it that do not repeat what stands below the tables of each analysis."""
    kept = [note for note in table.footnotes if note.term in ("Data cut", "Denominator", "Conventions")]
    remarks = remarks_note(request.items, request.spec)
    words = (*table.columns, *words_of(table.rows), *(note.text for note in (*kept, *remarks)))
    said = abbreviations(request.items, request.spec, words)
    short = (Footnote("Abbreviations", said),) if said else ()
    return replace(table, footnotes=(*kept, *short, *remarks))


def _rows(item: Found, request: Request) -> list[Row]:
    estimand = request.spec.estimands[request.spec.analyses[item.analysis].estimand]
    is_first = item.analysis == next(each for each in estimand.main if each in request.output.analyses)
    head = [Row(f"{estimand.id} {estimand.title}", kind="group")] if is_first else []
    if isinstance(item, Failure):
        return [*head, request.failed(item)]
    return [*head, *(_row(item, request, line) for line in READ[item.family](item, request))]


def _row(result: Result, request: Request, line: Line) -> Row:
    late = f" ({TIMINGS['post_hoc']})" if result.timing == "post_hoc" else ""
    cells = _arm_cells(result, line)
    if not request.contrast:
        return Row(f"{line.measure}{late}", tuple(cells), indent=1)
    is_tested = request.spec.analyses[result.analysis].role == PRIMARY
    p = line.effect.p if line.effect and is_tested else None
    tested = fmt.p_value(p) if is_tested else DASH
    cells += [_effect_cell(result, line), Cell(tested, numbers(p=p), result.analysis, "P value")]
    return Row(f"{line.measure}; {line.effect_name}{late}", tuple(cells), indent=1)


def _single_rows(item: Found, request: Request) -> list[Row]:
    """Each line with its estimand before it."""
    if isinstance(item, Failure):
        return [request.failed(item)]
    estimand = request.spec.estimands[request.spec.analyses[item.analysis].estimand]
    late = f" ({TIMINGS['post_hoc']})" if item.timing == "post_hoc" else ""
    rows = []
    for line in READ[item.family](item, request):
        cells, name = _arm_cells(item, line), line.alone or f"{estimand.title}: {fmt.lower(line.measure)}"
        if request.contrast:
            side = favours(item.analysis, line.effect, request.spec)
            cells += [_effect_cell(item, line), Cell(side, {}, item.analysis, "favours")]
            name = f"{name}; {line.effect_name}"
        rows.append(Row(f"{name}{late}", tuple(cells)))
    return rows


def _arm_cells(result: Result, line: Line) -> list[Cell]:
    return [Cell(text, {}, result.analysis, line.measure) for text in line.texts]


def _effect_cell(result: Result, line: Line) -> Cell:
    found = line.effect
    full = numbers(value=found.value, low=found.low, high=found.high) if found else {}
    shown = line.show(found) if found else fmt.NOT_ESTIMABLE
    return Cell(shown, full, result.analysis, line.effect_name)

"""Tables and figures as a page shows them, each checked against the results it claims to show."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from analysis.agreement import Agreements
from analysis.errors import ReportError
from analysis.present import format as fmt
from analysis.present.footnotes import footnotes, origins
from analysis.present.inline_figure import identifier_of, inline_svg
from analysis.present.reading import Found, results_digest, results_for
from analysis.present.table_form import Footnote, Origin, Table, to_json
from analysis.present.tables import TABULATE, tabulate
from analysis.results import View
from analysis.spec.declarations import Spec
from analysis.spec.sap import Output


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure on a page: the drawing, its alternative text, and every number of it in words."""

    svg: str
    alt: str
    words: str


@dataclass(frozen=True, slots=True)
class Piece:
    """One output of the plan on a page: a table or a drawing."""

    id: str
    kind: str
    title: str
    footnotes: tuple[Footnote, ...]
    origins: Mapping[str, Origin]
    table: Table | None = None
    drawing: Drawing | None = None


def read_pieces(
    outputs: tuple[Output, ...],
    folder: Path,
    results: Mapping[str, Found],
    spec: Spec,
    view: View,
    agreements: Agreements | None = None,
) -> tuple[Piece, ...]:
    """The outputs of a report, in the plan's order.

    Raises
    ------
    ReportError
        If a file is absent, or was made from other results than these.
    """
    return tuple(
        _read_table(output, folder, tabulate(output, results, spec, view, agreements))
        if output.kind in TABULATE
        else _read_drawing(output, folder, results, spec, view)
        for output in outputs
    )


def _read_table(output: Output, folder: Path, table: Table) -> Piece:
    if _text(folder / f"{output.id}.json") != to_json(table):
        raise _stale(output)
    return Piece(output.id, output.kind, table.title, table.footnotes, table.origins, table=table)


def _read_drawing(
    output: Output, folder: Path, results: Mapping[str, Found], spec: Spec, view: View
) -> Piece:
    items = results_for(output, results, view)
    svg = _text(folder / f"{output.id}.svg")
    if identifier_of(svg) != results_digest(items):
        raise _stale(output)
    alt, _, words = _text(folder / f"{output.id}.txt").partition("\n")
    drawing = Drawing(inline_svg(svg, prefix=output.id), alt, words)
    notes = footnotes(items, spec, view, texts=(output.title, words))
    return Piece(
        output.id, output.kind, fmt.with_minus(output.title), notes, origins(items, spec), drawing=drawing
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ReportError(f"outputs/{path.name} is absent; run present.") from error


def _stale(output: Output) -> ReportError:
    return ReportError(f"outputs/{output.id} was made from other results; run present again.")

"""A table as a frozen value; as CSV of what is displayed or of the full numbers, and as JSON of both."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from analysis.errors import ReportError
from analysis.results import View, as_mapping

Number = float | int | None
VALUES_HEADER = ("row", "column", "displayed", "analysis", "what", "name", "value")
MARKS: Mapping[str, str] = {"dummy": "DUMMY ARMS", "closed": "CLOSED - CONFIDENTIAL", "open": ""}


@dataclass(frozen=True, slots=True)
class Cell:
    """What is displayed, the full numbers behind it, and the analysis they come from.

    `links` holds for each part of a list of places the anchor it leads to, empty for one of another report.
    """

    text: str
    values: Mapping[str, Number] = field(default_factory=dict)
    analysis: str = ""
    what: str = ""
    links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table. A *group* row heads those after it; a *failure* row says why there is no result."""

    stub: str
    cells: tuple[Cell, ...] = ()
    indent: int = 0
    kind: Literal["data", "group", "failure"] = "data"
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """A heading over several columns; an empty one leaves its columns without."""

    text: str
    columns: int


@dataclass(frozen=True, slots=True)
class Footnote:
    """A line below a table or figure: what it is about, and its text."""

    term: str
    text: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the numbers of one analysis come from."""

    analysis: str
    title: str
    status: str
    estimand: str
    numbers: str
    method: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a report.

    Raises
    ------
    ReportError
        If a row has not one cell per column, or the spans do not cover the columns.
    """

    id: str
    title: str
    view: View
    stub: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    spans: tuple[Span, ...] = ()
    footnotes: tuple[Footnote, ...] = ()
    origins: Mapping[str, Origin] = field(default_factory=dict)

    def __post_init__(self) -> None:
        width = len(self.columns)
        if any(row.kind == "data" and len(row.cells) != width for row in self.rows):
            raise ReportError(f"table {self.id}: every row needs {width} cells.")
        if self.spans and sum(span.columns for span in self.spans) != width:
            raise ReportError(f"table {self.id}: its spans do not cover its {width} columns.")

    @property
    def mark(self) -> str:
        """What must stand on the table whoever it is shown to."""
        return MARKS[self.view]

    def span_of(self, column: int) -> str:
        """Heading over a column."""
        return next((text for text, at in self._spread() if at == column), "")

    def _spread(self) -> list[tuple[str, int]]:
        texts = [span.text for span in self.spans for _ in range(span.columns)]
        return [(text, at) for at, text in enumerate(texts)]


def to_csv(table: Table) -> str:
    """Displayed values, one header line; the first heading carries the mark of closed and dummy tables."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([_head(table), *(_flat(table, at) for at in range(len(table.columns)))])
    for group, row in _with_groups(table.rows):
        cells = [row.remark] if row.kind == "failure" else [cell.text for cell in row.cells]
        cells += [""] * (len(table.columns) - len(cells))
        writer.writerow([": ".join(filter(None, (*group, row.stub))), *cells])
    return buffer.getvalue()


def to_values_csv(table: Table) -> str:
    """One line per full number: where it stands, what is displayed there, its analysis, its name and value.

    Numbers are written so that reading them gives the same bits; a cell that displays no number has one line
    without a value, and so has a result that is absent.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(VALUES_HEADER)
    writer.writerows(_values(table))
    return buffer.getvalue()


def to_json(table: Table) -> str:
    """The whole table: displayed text, full-precision values, headings, footnotes and origins."""
    return json.dumps(table, default=as_mapping, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def numbers(**values: Number) -> dict[str, Number]:
    """Full numbers of a cell; what is not finite is `None`."""
    return {
        key: value if value is not None and abs(value) < float("inf") else None
        for key, value in values.items()
    }


def _values(table: Table) -> Iterator[tuple[str, ...]]:
    for group, row in _with_groups(table.rows):
        name = ": ".join(filter(None, (*group, row.stub)))
        if row.kind == "failure":
            yield (name, "", row.remark, "", "", "", "")
        for at, cell in enumerate(row.cells):
            where = (name, _flat(table, at), cell.text, cell.analysis, cell.what)
            for key, value in (cell.values or {"": None}).items():
                if cell.text:
                    yield (*where, key, "" if value is None else repr(value))


def _head(table: Table) -> str:
    return ". ".join(filter(None, (table.mark, table.stub)))


def _flat(table: Table, column: int) -> str:
    parts = (table.span_of(column), table.columns[column])
    return ", ".join(" ".join(part.split()) for part in parts if part)


def _with_groups(rows: Sequence[Row]) -> list[tuple[tuple[str, ...], Row]]:
    """Rows that are not headings, each with the stubs of the rows it is indented below."""
    found, above = [], {}
    for row in rows:
        above = {indent: text for indent, text in above.items() if indent < row.indent}
        if row.kind != "group":
            found.append((tuple(above.values()), row))
        above[row.indent] = row.stub
    return found

"""The return as XML (EXPSSDA903): its episodes as the rows that the CSV file would have.

The file is read in blocks and forgotten as it goes, so memory holds no more than the rows. A document type,
and with it every entity and reference to another file, is refused.
"""

from pathlib import Path
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from analysis.errors import BlindingError, SourceError
from analysis.sources.delimited import LONGEST_CELL
from analysis.sources.text import Text, check_size
from analysis.spec.arm_words import is_arm_like

ROOT, CHILD, EPISODE, NUMBER = "EXPSSDA903", "CHILD", "EPISODE", "CHILDID"
COLUMNS = (
    *("CHILD", "DECOM", "RNE", "LS", "CIN", "PLACE", "PLACE_PROVIDER", "DEC", "REC", "REASON_PLACE_CHANGE"),
    *("HOME_POST", "PL_POST", "URN"),
)
# Of the return's own part on health, and no arm.
HARMLESS = frozenset({"INTERVENTION_RECEIVED", "INTERVENTION_OFFERED"})
# What the XML names otherwise than the CSV file.
CSV_NAMES = {"PL": "PLACE"}
BLOCK = 1 << 16  # bytes
DEEPEST = 32


def read_return(path: Path, *, file: str) -> Text:
    """The episodes of a return, one row each, blank where an element is absent.

    A row's line is that of its EPISODE element; where several begin on one line, the n-th episode stands on
    line n + 1, as it would in a CSV file.

    Raises
    ------
    SourceError
        If it is not well-formed XML of the return, or has a document type; the message names file and line.
    BlindingError
        If an element is named like an arm.
    """
    reading = _Episodes(file)
    parser = DefusedXMLParser(target=reading, forbid_dtd=True)
    reading.line = lambda: parser.parser.CurrentLineNumber
    try:
        with path.open("rb") as stream:
            while block := stream.read(BLOCK):
                parser.feed(block)
        parser.close()
    except OSError as error:
        raise SourceError(f"{file}: cannot be read ({error.strerror}).") from error
    except DefusedXmlException as error:
        raise SourceError(
            f"{file}, row {reading.line()}: has a document type or entities, which no return needs; refused."
        ) from error
    except (ParseError, LookupError, ValueError) as error:
        raise SourceError(f"{file}, row {reading.line()}: not well-formed XML, or damaged.") from error
    return reading.text()


class _Episodes:
    """The target of the parser: where in the tree it stands, and the rows so far."""

    def __init__(self, file: str) -> None:
        self.file, self.line = file, lambda: 1
        self._path: list[str] = []
        self._columns = dict.fromkeys(COLUMNS)
        self._child, self._cell, self._size = "", [], 0
        self._row: dict[str, str] = {}
        self._rows: list[dict[str, str]] = []
        self._lines: list[int] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag not in HARMLESS and is_arm_like(tag):
            raise BlindingError(
                f"{self.file}, row {self.line()}: element '{tag[:40]}' looks like the arm; an open file may "
                "not hold it."
            )
        self._path.append(tag)
        self._cell, self._size = [], 0
        if self._path[0] != ROOT or len(self._path) > DEEPEST:
            raise SourceError(
                f"{self.file}, row {self.line()}: not a return; its root is no {ROOT}, or too deep."
            )
        if self._path[1:] == [CHILD]:
            self._child = ""
        elif self._path[1:] == [CHILD, EPISODE]:
            self._row = {}
            self._lines.append(self.line())
        elif self._path[1:3] == [CHILD, EPISODE] and len(self._path) > 4:
            raise SourceError(f"{self.file}, row {self.line()}: an element within an element of an episode.")

    def data(self, text: str) -> None:
        self._size += len(text)
        if self._size > LONGEST_CELL:
            raise SourceError(f"{self.file}, row {self.line()}: an element too long for any return.")
        self._cell.append(text)

    def end(self, tag: str) -> None:
        where = self._path[1:]
        if where[:2] == [CHILD, EPISODE] and len(where) == 3:
            self._keep(CSV_NAMES.get(tag, tag), "".join(self._cell))
        elif where == [CHILD, EPISODE]:
            self._rows.append({"CHILD": self._child, **self._row})
            check_size(len(self._rows), len(self._columns), file=self.file)
        elif where in ([CHILD, "HEADER", NUMBER], [CHILD, NUMBER]):
            self._child = "".join(self._cell)
        self._path.pop()
        self._cell, self._size = [], 0

    def close(self) -> None:
        pass

    def _keep(self, column: str, cell: str) -> None:
        if column in self._row:
            raise SourceError(f"{self.file}, row {self.line()}: element '{column}' twice in one episode.")
        self._columns[column] = None
        self._row[column] = cell

    def text(self) -> Text:
        columns = tuple(self._columns)
        rows = tuple(tuple(row.get(column, "") for column in columns) for row in self._rows)
        own_lines = len(set(self._lines)) == len(self._lines) and min(self._lines, default=2) > 1
        lines = self._lines if own_lines else range(2, len(rows) + 2)
        return Text.of_rows(self.file, columns, rows, tuple(lines))

"""The return as XML (EXPSSDA903): its episodes as the rows that the CSV file would have."""

from pathlib import Path

from analysis.errors import BlindingError, SourceError
from analysis.sources.text import Text, check_size
from analysis.sources.xml_stream import XmlReader, read_xml
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
    read_xml(path, reading)
    return reading.text()


class _Episodes(XmlReader):
    """The rows so far."""

    root, not_it = ROOT, "not a return"

    def __init__(self, file: str) -> None:
        super().__init__(file)
        self._columns = dict.fromkeys(COLUMNS)
        self._child, self._in_episode, self._harmless = "", False, set(HARMLESS)
        self._row: dict[str, str] = {}
        self._rows: list[dict[str, str]] = []
        self._lines: list[int] = []

    def begins(self, name: str, attributes: dict[str, str]) -> None:
        if name not in self._harmless:
            self._check_harmless(name)
        depth = len(self.path)
        if self._in_episode:
            if depth > 4:
                raise SourceError(f"{self.place}: an element within an element of an episode.")
        elif depth == 2 and name == CHILD:
            self._child = ""
        elif self.path[1:] == [CHILD, EPISODE]:
            self._in_episode, self._row = True, {}
            self._lines.append(self.line())

    def ends(self, name: str, text: str) -> None:
        if self._in_episode and len(self.path) == 4:
            self._keep(CSV_NAMES.get(name, name), text)
        elif self._in_episode:
            self._rows.append({"CHILD": self._child, **self._row})
            self._columns |= dict.fromkeys(self._row)
            self._in_episode = False
            check_size(len(self._rows), len(self._columns), file=self.file)
        elif name == NUMBER and self.path[1:-1] in ([CHILD, "HEADER"], [CHILD]):
            self._child = text

    def _check_harmless(self, name: str) -> None:
        if is_arm_like(name):
            raise BlindingError(
                f"{self.place}: element '{name[:40]}' looks like the arm; an open file may not hold it."
            )
        self._harmless.add(name)

    def _keep(self, column: str, cell: str) -> None:
        if column in self._row:
            raise SourceError(f"{self.place}: element '{column}' twice in one episode.")
        self._row[column] = cell

    def text(self) -> Text:
        columns = tuple(self._columns)
        cells = tuple(tuple(row.get(column, "") for row in self._rows) for column in columns)
        own_lines = len(set(self._lines)) == len(self._lines) and min(self._lines, default=2) > 1
        lines = self._lines if own_lines else range(2, len(self._rows) + 2)
        return Text(self.file, columns, cells, tuple(lines))

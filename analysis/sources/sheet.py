"""The parts of a workbook as streams of XML events: what a handler keeps is all that is kept of its part."""

import re
from collections.abc import Sequence
from typing import Any
from xml.sax.handler import ContentHandler

from analysis.errors import SourceError
from analysis.sources import moments
from analysis.sources.text import check_size

MOST_ROWS, MOST_COLUMNS = 1_048_576, 16_384  # of a sheet, by the format
_PLACE = re.compile(r"([A-Z]{1,3})(\d{1,7})")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


class _Part(ContentHandler):
    """Calls `start_NAME` and `end_NAME`, whatever prefix the elements have, and collects text when told to.

    Readings of Asian characters (`rPh`) are no part of a text.
    """

    def __init__(self) -> None:
        super().__init__()
        self._collected: list[str] | None = None
        self._is_reading = False

    def startElement(self, name: str, attrs: Any) -> None:  # noqa: N802 - the interface's own name
        if found := getattr(self, f"start_{name.rpartition(':')[2]}", None):
            found(attrs)

    def endElement(self, name: str) -> None:  # noqa: N802
        if found := getattr(self, f"end_{name.rpartition(':')[2]}", None):
            found()

    def characters(self, content: str) -> None:
        if self._collected is not None:
            self._collected.append(content)

    def start_rPh(self, attrs: Any) -> None:  # noqa: N802
        self._is_reading = True

    def end_rPh(self) -> None:  # noqa: N802
        self._is_reading = False

    def _collect(self) -> None:
        self._collected = None if self._is_reading else []

    def _text(self) -> str:
        text, self._collected = "".join(self._collected or ()), None
        return text


class Parts(_Part):
    """Sheets of the workbook, by name the relation that leads to each, and the day its dates count from."""

    def __init__(self) -> None:
        super().__init__()
        self.sheets: dict[str, str] = {}
        self.is_1904 = False

    def start_sheet(self, attrs: Any) -> None:
        relation = next((value for name, value in attrs.items() if name.rpartition(":")[2] == "id"), "")
        self.sheets[attrs["name"]] = relation

    def start_workbookPr(self, attrs: Any) -> None:  # noqa: N802
        self.is_1904 = attrs.get("date1904", "0") in ("1", "true")


class Targets(_Part):
    """Where each relation leads; those that lead out of the workbook are left out."""

    def __init__(self) -> None:
        super().__init__()
        self.targets: dict[str, str] = {}

    def start_Relationship(self, attrs: Any) -> None:  # noqa: N802
        if attrs.get("TargetMode") != "External":
            self.targets[attrs["Id"]] = attrs["Target"]


class Strings(_Part):
    """Texts that cells share."""

    def __init__(self) -> None:
        super().__init__()
        self.strings: list[str] = []
        self._parts: list[str] = []

    def start_si(self, attrs: Any) -> None:
        self._parts = []

    def start_t(self, attrs: Any) -> None:
        self._collect()

    def end_t(self) -> None:
        self._parts.append(self._text())

    def end_si(self) -> None:
        self.strings.append(unescaped("".join(self._parts)))


class Styles(_Part):
    """For each style of cells, whether its numbers are moments or durations."""

    def __init__(self) -> None:
        from openpyxl.styles.numbers import BUILTIN_FORMATS

        super().__init__()
        self.kinds: list[str] = []
        self._formats = {str(key): form for key, form in BUILTIN_FORMATS.items()}
        self._are_cells = False

    def start_numFmt(self, attrs: Any) -> None:  # noqa: N802
        self._formats[attrs["numFmtId"]] = attrs["formatCode"]

    def start_cellXfs(self, attrs: Any) -> None:  # noqa: N802
        self._are_cells = True

    def end_cellXfs(self) -> None:  # noqa: N802
        self._are_cells = False

    def start_xf(self, attrs: Any) -> None:
        from openpyxl.styles.numbers import is_date_format, is_timedelta_format

        if self._are_cells:
            form = self._formats.get(attrs.get("numFmtId", "0"), "General")
            is_duration = is_timedelta_format(form)
            self.kinds.append("duration" if is_duration else "moment" if is_date_format(form) else "number")


class Cells(_Part):
    """Rows of a sheet that hold anything: number of the row, and column from 0 -> text."""

    def __init__(self, strings: Sequence[str], kinds: Sequence[str], is_1904: bool, *, file: str) -> None:
        super().__init__()
        self.rows: list[tuple[int, dict[int, str]]] = []
        self.merged: list[tuple[int, int, int]] = []
        self._strings, self._kinds, self._is_1904, self._file = strings, kinds, is_1904, file
        self._row, self._column, self._n = 0, -1, 0
        self._filled: dict[int, str] = {}
        self._type, self._kind, self._value, self._has_formula = "n", "number", "", False

    def start_row(self, attrs: Any) -> None:
        row = int(attrs.get("r", self._row + 1))
        if not self._row < row <= MOST_ROWS:
            raise ValueError("rows out of order")
        self._row, self._column, self._filled = row, -1, {}

    def end_row(self) -> None:
        if self._filled:
            self.rows.append((self._row, self._filled))
            self._n += len(self._filled)
            check_size(self._n, 1, file=self._file)

    def start_c(self, attrs: Any) -> None:
        column = place(attrs["r"])[0] if "r" in attrs else self._column + 1
        if not self._column < column < MOST_COLUMNS:
            raise ValueError("cells out of order")
        style = int(attrs.get("s", 0))
        self._column, self._type, self._value, self._has_formula = column, attrs.get("t", "n"), "", False
        self._kind = self._kinds[style] if self._kinds else "number"

    def start_f(self, attrs: Any) -> None:
        self._has_formula = True

    def start_v(self, attrs: Any) -> None:
        self._collect()

    def end_v(self) -> None:
        self._value = self._text()

    def start_t(self, attrs: Any) -> None:
        self._collect()

    def end_t(self) -> None:
        self._value += self._text()

    def end_c(self) -> None:
        if self._has_formula and not self._value and self._type != "str":
            raise SourceError(
                f"{self._file}, row {self._row}: a formula without its value; calculate and save the "
                "workbook."
            )
        if text := self._written():
            self._filled[self._column] = text

    def start_mergeCell(self, attrs: Any) -> None:  # noqa: N802
        (left, low), (_, high) = (place(corner) for corner in attrs["ref"].split(":"))
        self.merged.append((low, high, left))

    def _written(self) -> str:
        value, kind = self._value, self._type
        if not value:
            return ""
        if kind == "s":
            return self._strings[_index(value)]
        if kind == "b":
            return {"1": "true", "0": "false"}[value]
        if kind == "d":
            return value.removesuffix("T00:00:00")
        if kind == "n":
            return self._number(float(value))
        return unescaped(value)

    def _number(self, value: float) -> str:
        if self._kind == "duration":
            return moments.clock(round(value * moments.DAY, 3))
        return moments.excel(value, self._is_1904) if self._kind == "moment" else moments.number(value)


def _index(text: str) -> int:
    if not text.isdecimal():
        raise ValueError("not a place in a list")
    return int(text)


def place(corner: str) -> tuple[int, int]:
    """Column from 0 and row of a cell such as AB12."""
    found = _PLACE.fullmatch(corner)
    if not found:
        raise ValueError("not a place in a sheet")
    column = 0
    for letter in found[1]:
        column = 26 * column + ord(letter) - ord("A") + 1
    return column - 1, int(found[2])


def unescaped(text: str) -> str:
    """Characters that XML cannot hold, as the format writes them: ``_x000D_``."""
    plain = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    return plain.encode("utf-16", "surrogatepass").decode("utf-16")

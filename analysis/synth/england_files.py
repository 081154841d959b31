"""London's returns as they are sent: a folder for each authority, and from some of them XML."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from xml.sax.saxutils import escape

from analysis.synth.hand import Spot
from analysis.synth.sheets import Sheet, encode_rows

FOLDER, AUTHORITY = "london/", "AUTHORITY"
SEND_XML = frozenset({"TOWER_HAMLETS"})
XML_NAMES = {"PLACE": "PL"}
MARK = "byte_order_mark"


@dataclass(frozen=True, slots=True)
class _Part:
    """One authority's rows of a year's sheet: their lines there, and their cells."""

    path: str
    header: list[str]
    lines: list[int]
    rows: list[list[str]]


def send(sheets: Mapping[str, Sheet], spots: Iterable[Spot]) -> tuple[dict[str, bytes], list[Spot]]:
    """The files of every authority by name, and the spots where they now are.

    Parameters
    ----------
    sheets : mapping of str to Sheet
        All sheets; those of London's returns have a column that tells the authority of each row.
    spots : iterable of Spot
        Dirt in any sheet.
    """
    files: dict[str, bytes] = {}
    moved: dict[str, dict[int, tuple[str, int]]] = {}
    for name, sheet in sheets.items():
        if name.startswith(FOLDER):
            moved[name] = {}
            for part in _parts(name, sheet):
                content, lines = _xml(part) if part.path.endswith(".xml") else _csv(part, sheet)
                files[part.path] = content
                places = ((part.path, line) for line in lines)
                moved[name] |= dict(zip(part.lines, places, strict=True))
    return files, sorted(_placed(spots, moved), key=lambda spot: spot[:4])


def _parts(name: str, sheet: Sheet) -> Iterable[_Part]:
    header = list(sheet.columns)
    of = header.index(AUTHORITY)
    rows = [*map(list, zip(*sheet.columns.values(), strict=True)), *sheet.extra]
    file = name.removeprefix(FOLDER).removesuffix(".csv")
    for authority in sorted({row[of] for row in rows}):
        kept = [at for at, row in enumerate(rows) if row[of] == authority]
        path = f"{FOLDER}{authority}/{file}.{'xml' if authority in SEND_XML else 'csv'}"
        without = [[*rows[at][:of], *rows[at][of + 1 :]] for at in kept]
        yield _Part(path, [*header[:of], *header[of + 1 :]], [at + 2 for at in kept], without)


def _csv(part: _Part, sheet: Sheet) -> tuple[bytes, list[int]]:
    mark = b"\xef\xbb\xbf" if sheet.has_mark else b""
    return mark + encode_rows(sheet, [part.header, *part.rows]), list(range(2, len(part.rows) + 2))


def _xml(part: _Part) -> tuple[bytes, list[int]]:
    """A line for each episode, so that a row stands on the line it has in a CSV file."""
    text, child = ['<?xml version="1.0" encoding="utf-8"?><EXPSSDA903>'], part.header.index("CHILD")
    for number, rows in groupby(part.rows, key=lambda row: row[child]):
        episodes = [_episode(part.header, row) for row in rows]
        episodes[0] = f"<CHILD><HEADER><CHILDID>{escape(number)}</CHILDID></HEADER>{episodes[0]}"
        text += [*episodes[:-1], f"{episodes[-1]}</CHILD>"]
    return "\n".join([*text, "</EXPSSDA903>", ""]).encode(), list(range(2, len(part.rows) + 2))


def _episode(header: list[str], row: list[str]) -> str:
    return f"<EPISODE>{''.join(_element(*each) for each in zip(header, row, strict=True))}</EPISODE>"


def _element(column: str, cell: str) -> str:
    if column == "CHILD":
        return ""
    name = XML_NAMES.get(column, column)
    return f"<{name}>{escape(cell)}</{name}>" if cell else f"<{name} />"


def _placed(spots: Iterable[Spot], moved: Mapping[str, Mapping[int, tuple[str, int]]]) -> Iterable[Spot]:
    for spot in spots:
        if spot.file not in moved:
            yield spot
        elif spot.line > 1:
            file, line = moved[spot.file][spot.line]
            yield spot._replace(file=file, line=line)
        else:
            # What is said of the year's sheet is true of each of its files, but that XML has no mark.
            names = sorted({file for file, _ in moved[spot.file].values()})
            plain = [file for file in names if file.endswith(".csv")]
            yield from (spot._replace(file=each) for each in (plain if spot.kind == MARK else names))

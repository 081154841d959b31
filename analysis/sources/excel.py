"""A sheet of an Excel workbook (.xlsx, .xlsm): its cells as text, whatever the formatting shows.

Only the parts that hold the sheet are opened; macros, links to other files and pictures never are. Each part
is read as a stream of events, so that memory grows with the cells that are filled in and nothing else.
"""

import zipfile
import zlib
from pathlib import Path, PurePosixPath
from xml.sax import SAXException
from xml.sax.handler import ContentHandler

from analysis.errors import SourceError
from analysis.sources.archive import open_archive
from analysis.sources.sheet import Cells, Parts, Strings, Styles, Targets
from analysis.sources.text import Text, check_size
from analysis.spec.source_base import Dialect

BOOK = "xl/workbook.xml"


def read_excel(path: Path, dialect: Dialect, *, file: str) -> Text:
    """Read one sheet whole: its first filled row is the header, `Text.lines` are rows of the sheet.

    A cell with a formula is the value that was last calculated for it. A number with the format of a date
    is a date.

    Raises
    ------
    SourceError
        If the file is no workbook or a bomb, has no such sheet or one that the mapping does not mention, or
        if a cell is merged with others, lies beyond the header, or has a formula whose value was not kept.
    """
    from defusedxml import DefusedXmlException

    with open_archive(path, file=file) as archive:
        try:
            return _read(archive, dialect, file=file)
        except (SAXException, DefusedXmlException, ValueError, IndexError, KeyError) as error:
            raise SourceError(f"{file}: not an .xlsx workbook, or damaged.") from error
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError, OverflowError) as error:
            raise SourceError(f"{file}: a workbook that is damaged or protected.") from error


def sheets_of(path: Path, *, file: str) -> tuple[str, ...]:
    """Names of the sheets of a workbook, in their order.

    Raises
    ------
    SourceError
        If the file is no workbook, or a bomb.
    """
    from defusedxml import DefusedXmlException

    with open_archive(path, file=file) as archive:
        try:
            return tuple(_parse(archive, BOOK, Parts()).sheets)
        except (SAXException, DefusedXmlException, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise SourceError(f"{file}: not an .xlsx workbook, or damaged.") from error


def _read(archive: zipfile.ZipFile, dialect: Dialect, *, file: str) -> Text:
    book = _parse(archive, BOOK, Parts())
    _check_sheets(list(book.sheets), dialect, file=file)
    targets = _parse(archive, "xl/_rels/workbook.xml.rels", Targets()).targets
    names = set(archive.namelist())
    part = _inside(targets[book.sheets[dialect.sheet]])
    styles = _parse(archive, "xl/styles.xml", Styles()) if "xl/styles.xml" in names else Styles()
    shared = "xl/sharedStrings.xml"
    strings = _parse(archive, shared, Strings()).strings if shared in names else []
    cells = Cells(strings, styles.kinds, book.is_1904, file=file)
    return _table(_parse(archive, part, cells), file=file)


def _parse(archive: zipfile.ZipFile, part: str, handler: ContentHandler):
    from defusedxml import sax

    with archive.open(part) as stream:
        sax.parse(stream, handler, forbid_dtd=True)
    return handler


def _inside(target: str) -> str:
    """The name in the archive of a part that the workbook names."""
    return target[1:] if target.startswith("/") else str(PurePosixPath("xl") / target)


def _check_sheets(sheets: list[str], dialect: Dialect, *, file: str) -> None:
    if dialect.sheet not in sheets:
        raise SourceError(f"{file}: has no sheet '{dialect.sheet}', which the mapping reads.")
    unread = [name for name in sheets if name not in (dialect.sheet, *dialect.ignore_sheets)]
    if unread:
        raise SourceError(
            f"{file}: sheet {sheets.index(unread[0]) + 1} of {len(sheets)} is neither read nor ignored; "
            "name it under ignore_sheets or in a dialect of its own."
        )


def _table(cells: Cells, *, file: str) -> Text:
    if not cells.rows:
        raise SourceError(f"{file}: the sheet is empty; expected a header and rows.")
    (first, header), *rest = cells.rows
    width = max(header) + 1
    check_size(len(rest), width, file=file)
    for row, filled in rest:
        if max(filled) >= width:
            raise SourceError(f"{file}, row {row}: {max(filled) + 1} cells where the header has {width}.")
    for low, high, left in cells.merged:
        if low <= cells.rows[-1][0] and high >= first and left < width:
            raise SourceError(f"{file}, row {low}: cells are merged; give each cell its own value.")
    columns = tuple(header.get(k, "").strip() for k in range(width))
    rows = tuple(tuple(filled.get(k, "") for k in range(width)) for _, filled in rest)
    return Text.of_rows(file, columns, rows, tuple(row for row, _ in rest))

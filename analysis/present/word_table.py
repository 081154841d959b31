"""Tables of a Word document: native ones, with header rows that repeat and columns as wide as they need."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element
from xml.sax.saxutils import quoteattr

from analysis.present.page_tree import classes, text_of
from analysis.present.word_text import Run, paragraph, runs_of, written

TWIPS = 20
PADDING = 5.5
SIZE = 8.0
# Room that a stub needs in points, and in how many lines it may stand.
STUB, STUB_LINES = 118.0, 2.5
INDENT = 10
# A single column of numbers does not stand a whole page away from its stub.
NARROW_SHARE = 0.65
# In a table of prose its last column has the room; no other takes more than this share.
PROSE_SHARE = 0.28
# Of Arial, in parts of its size.
_NARROW, _WIDE = frozenset(" .,:;'|()[]-/ijltfrI!"), frozenset("mwMW%@")
_BULLET = '<w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr><w:ind w:left="160" w:hanging="160"/>'
_RULE = '<w:tcBorders><w:bottom w:val="single" w:sz="6" w:space="0" w:color="1F2328"/></w:tcBorders>'


@dataclass(frozen=True, slots=True)
class _Cell:
    element: Element
    columns: int
    is_heading: bool


@dataclass(frozen=True, slots=True)
class _Line:
    """A row of a table; `part` is thead or tbody."""

    cells: tuple[_Cell, ...]
    part: str
    level: int
    is_group: bool


def text_width(text: str, size: float = SIZE, *, bold: bool = False) -> float:
    """Width of a text in points, a little too large rather than too small."""
    parts = (
        0.31 if each in _NARROW else 0.87 if each in _WIDE else 0.7 if each.isupper() else 0.57
        for each in text
    )
    return size * sum(parts) * (1.08 if bold else 1.0)


def is_wide(table: Element, page: float) -> bool:
    """Whether a table of numbers leaves its stub too little of a page."""
    if _wraps(table):
        return False
    least, whole = _needs(_lines(table), wraps=False)
    room = page - sum(least[1:])
    return room < min(whole[0], STUB) or whole[0] > STUB_LINES * room


@dataclass(frozen=True, slots=True)
class _Layout:
    widths: tuple[float, ...]
    wraps: bool
    anchors: frozenset[str]
    last_head: int
    kept_to: int


def word_table(table: Element, *, page: float, anchors: frozenset[str], label: str, is_kept: bool) -> str:
    """The table on a page that many points wide.

    `label` is its text for those who do not see it; one that `is_kept` is not broken over pages.
    """
    lines = _lines(table)
    wraps = _wraps(table)
    heads = [at for at, line in enumerate(lines) if line.part == "thead"]
    layout = _Layout(
        widths=_widths(lines, page * (NARROW_SHARE if "columns1" in classes(table) else 1.0), wraps=wraps),
        wraps=wraps,
        anchors=anchors,
        last_head=max(heads, default=-1),
        kept_to=len(lines) - 1 if is_kept else 0,
    )
    rows = "".join(_row(line, at, layout) for at, line in enumerate(lines))
    grid = "".join(f'<w:gridCol w:w="{_twips(each)}"/>' for each in layout.widths)
    return f"<w:tbl>{_properties(layout, label)}<w:tblGrid>{grid}</w:tblGrid>{rows}</w:tbl>"


def _properties(layout: _Layout, label: str) -> str:
    has_head = layout.last_head >= 0
    return (
        f'<w:tblPr><w:tblStyle w:val="{"Lined" if layout.wraps else "Report"}"/>'
        f'<w:tblW w:w="{sum(map(_twips, layout.widths))}" w:type="dxa"/><w:tblLayout w:type="fixed"/>'
        f'<w:tblLook w:val="06{"A" if has_head else "8"}0" w:firstRow="{int(has_head)}" w:lastRow="0" '
        f'w:firstColumn="1" w:lastColumn="0" w:noHBand="1" w:noVBand="1"/>'
        f"<w:tblCaption w:val={quoteattr(label)}/></w:tblPr>"
    )


def _wraps(table: Element) -> bool:
    """Whether its cells are prose, which is broken where there is no room."""
    return bool(classes(table) & {"plain", "attributes"})


def _lines(table: Element) -> list[_Line]:
    return [
        _Line(tuple(map(_cell, row)), part.tag, _level(row), "group" in classes(row))
        for part in table
        if part.tag in ("thead", "tbody")
        for row in part
    ]


def _cell(element: Element) -> _Cell:
    return _Cell(element, int(element.get("colspan", "1")), element.tag == "th")


def _level(row: Element) -> int:
    return next((int(name[5:]) for name in classes(row) if name[:5] == "level"), 0)


def _widths(lines: Sequence[_Line], page: float, *, wraps: bool) -> tuple[float, ...]:
    least, whole = _needs(lines, wraps=wraps)
    if not wraps:
        # A heading stands in two lines rather than take room from the stub.
        halved = [max(few, most / 2) for few, most in zip(least[1:], whole[1:], strict=True)]
        return _shared(least, [whole[0], *halved], page)
    first = [
        max(few, min(most, PROSE_SHARE * page)) for few, most in zip(least[:-1], whole[:-1], strict=True)
    ]
    return _shared([*first, least[-1]], [*first, page], page)


def _needs(lines: Sequence[_Line], *, wraps: bool) -> tuple[list[float], list[float]]:
    """Least and whole width of each column: of its longest word, or of its longest line."""
    count = max(sum(cell.columns for cell in line.cells) for line in lines)
    least, whole = [0.0] * count, [0.0] * count
    for line in lines:
        for at, cell in _placed(line):
            if cell.columns == 1:
                edge = PADDING + (INDENT * line.level if at == 0 else 0)
                bold = line.part == "thead"
                texts = _texts(cell.element)
                words = " ".join(texts).split() if wraps or cell.is_heading else texts
                least[at] = max(least[at], edge + _widest(words, bold))
                whole[at] = max(whole[at], edge + _widest(texts, bold))
    return least, whole


def _widest(texts: Sequence[str], bold: bool) -> float:
    return max((text_width(each, bold=bold) for each in texts), default=0.0)


def _texts(element: Element) -> list[str]:
    """Lines of a cell as the page breaks them."""
    if element.find("ul") is not None:
        return [text_of(each) for each in element.iter("li")]
    return "".join("\n" if run.text == "\n" else run.text for run in runs_of(element)).split("\n")


def _placed(line: _Line) -> Iterator[tuple[int, _Cell]]:
    at = 0
    for cell in line.cells:
        yield at, cell
        at += cell.columns


def _shared(least: list[float], whole: list[float], page: float) -> tuple[float, ...]:
    """Widths that fill the page: what each column needs, and the rest where most is wanted."""
    spare = page - sum(least)
    if spare <= 0:
        return tuple(each * page / sum(least) for each in least)
    wanted = [most - few for most, few in zip(whole, least, strict=True)]
    if sum(wanted) > spare:
        return tuple(few + spare * more / sum(wanted) for few, more in zip(least, wanted, strict=True))
    return tuple(most + (spare - sum(wanted)) / len(whole) for most in whole)


def _twips(points: float) -> int:
    return round(points * TWIPS)


def _row(line: _Line, at: int, layout: _Layout) -> str:
    is_head = line.part == "thead"
    is_kept = at < layout.kept_to or is_head or line.is_group
    cells = "".join(
        f"<w:tc>{_frame(line, at, place, cell, layout)}{_content(line, place, cell, layout, is_kept)}</w:tc>"
        for place, cell in _placed(line)
    )
    return f"<w:tr><w:trPr><w:cantSplit/>{'<w:tblHeader/>' if is_head else ''}</w:trPr>{cells}</w:tr>"


def _frame(line: _Line, at: int, place: int, cell: _Cell, layout: _Layout) -> str:
    width = sum(layout.widths[place : place + cell.columns])
    span = f'<w:gridSpan w:val="{cell.columns}"/>' if cell.columns > 1 else ""
    is_ruled = at == layout.last_head or "span" in classes(cell.element)
    side = "bottom" if line.part == "thead" else "top"
    return (
        f'<w:tcPr><w:tcW w:w="{_twips(width)}" w:type="dxa"/>{span}{_RULE if is_ruled else ""}'
        f'<w:vAlign w:val="{side}"/></w:tcPr>'
    )


def _content(line: _Line, place: int, cell: _Cell, layout: _Layout, is_kept: bool) -> str:
    kept = "<w:keepNext/>" if is_kept else ""
    items = [*cell.element.findall("ul/li")]
    if items:
        texts = [written(runs_of(each), anchors=layout.anchors) for each in items]
        return "".join(paragraph(text, "Cell", kept + _BULLET) for text in texts)
    text = written(_runs(line, cell), anchors=layout.anchors)
    return paragraph(text, "Cell", kept + _spacing(line) + _indent(line, place) + _side(place, cell, layout))


def _spacing(line: _Line) -> str:
    return '<w:spacing w:before="100"/>' if line.is_group and line.level == 0 else ""


def _indent(line: _Line, place: int) -> str:
    return f'<w:ind w:left="{_twips(INDENT * line.level)}"/>' if place == 0 and line.level else ""


def _side(place: int, cell: _Cell, layout: _Layout) -> str:
    if place == 0 or (layout.wraps and "number" not in classes(cell.element)):
        return ""
    return f'<w:jc w:val="{"center" if "span" in classes(cell.element) else "right"}"/>'


def _runs(line: _Line, cell: _Cell) -> list[Run]:
    is_bold = cell.is_heading and (line.part == "thead" or line.is_group)
    return runs_of(cell.element, marks=frozenset({"b"} if is_bold else ()))

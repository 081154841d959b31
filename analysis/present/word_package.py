"""The parts of a DOCX file around the text of the report, and the file itself; the same bytes every time."""

import io
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_DRAWING = "http://schemas.openxmlformats.org/drawingml/2006"
_NAMES = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    f'xmlns:r="{_OFFICE}/relationships" '
    f'xmlns:wp="{_DRAWING}/wordprocessingDrawing" xmlns:a="{_DRAWING}/main" xmlns:pic="{_DRAWING}/picture"'
)
_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml"
# The earliest date a ZIP file can name: nothing in the file says when it was made.
_NEVER = (1980, 1, 1, 0, 0, 0)
_MARGIN_TWIPS = 1021
_EMU = 12700
_LOOKS = ("styles", "numbering", "settings")
_CORE = {"core": (f"{_PACKAGE}/relationships/metadata/core-properties", "docProps/core.xml")}


@dataclass(frozen=True, slots=True)
class Sheet:
    """A side of A4, with its size and the width between its margins."""

    name: str
    across: int
    down: int

    @property
    def width(self) -> float:
        """Points between the margins."""
        return (self.across - 2 * _MARGIN_TWIPS) / 20

    @property
    def height(self) -> float:
        """Points for text, below the head and above the foot, less a caption."""
        return (self.down - 2.6 * _MARGIN_TWIPS) / 20 - 60


PORTRAIT = Sheet("portrait", 11906, 16838)
LANDSCAPE = Sheet("landscape", 16838, 11906)


def section(sheet: Sheet) -> str:
    """Properties of a section on that sheet, with the head and foot of every page."""
    turned = ' w:orient="landscape"' if sheet is LANDSCAPE else ""
    margin = f'w:right="{_MARGIN_TWIPS}" w:bottom="{_MARGIN_TWIPS}" w:left="{_MARGIN_TWIPS}"'
    return (
        f'<w:sectPr><w:headerReference w:type="default" r:id="{sheet.name}"/>'
        '<w:footerReference w:type="default" r:id="foot"/>'
        f'<w:pgSz w:w="{sheet.across}" w:h="{sheet.down}"{turned}/>'
        f'<w:pgMar w:top="1304" {margin} w:header="567" w:footer="510" w:gutter="0"/></w:sectPr>'
    )


def picture(identifier: str, alt: str, content: bytes, number: int, sheet: Sheet) -> str:
    """A run with a PNG file, as large as it was drawn and no larger than the sheet allows."""
    across, down = picture_size(content)
    scale = min(1.0, sheet.width / across, sheet.height / down)
    size = f'cx="{round(across * scale * _EMU)}" cy="{round(down * scale * _EMU)}"'
    name = f'id="{number}" name={quoteattr(f"Figure {identifier}")} descr={quoteattr(alt)}'
    shape = (
        f"<pic:pic><pic:nvPicPr><pic:cNvPr {name}/><pic:cNvPicPr/></pic:nvPicPr>"
        f'<pic:blipFill><a:blip r:embed="{identifier}"/><a:stretch><a:fillRect/></a:stretch></pic:blipFill>'
        f'<pic:spPr><a:xfrm><a:off x="0" y="0"/><a:ext {size}/></a:xfrm>'
        '<a:prstGeom prst="rect"><a:avLst/></a:prstGeom></pic:spPr></pic:pic>'
    )
    return (
        '<w:r><w:drawing><wp:inline distT="0" distB="0" distL="0" distR="0">'
        f"<wp:extent {size}/><wp:docPr {name}/>"
        f'<a:graphic><a:graphicData uri="{_DRAWING}/picture">{shape}</a:graphicData></a:graphic>'
        "</wp:inline></w:drawing></w:r>"
    )


def picture_size(content: bytes) -> tuple[float, float]:
    """Width and height of a PNG file in points, by the resolution that it states."""
    across, down = struct.unpack(">II", content[16:24])
    at = content.index(b"pHYs")
    per_metre = struct.unpack(">I", content[at + 4 : at + 8])[0]
    points = 72 / (per_metre * 0.0254)
    return across * points, down * points


def write_package(
    body: str, pictures: Mapping[str, bytes], styles: Path, *, title: str, head: str, mark: str
) -> bytes:
    """The file: `body` between its declarations, pictures by their id, `styles` the folder of its looks."""
    parts = {
        "[Content_Types].xml": _types(),
        "_rels/.rels": _relations({"document": ("officeDocument", "word/document.xml"), **_CORE}),
        "docProps/core.xml": _core(title),
        "word/document.xml": f"{_HEAD}<w:document {_NAMES}><w:body>{body}</w:body></w:document>",
        "word/_rels/document.xml.rels": _relations(_document_relations(pictures)),
        "word/foot.xml": _foot(),
        **{f"word/{sheet.name}.xml": _page_head(head, mark, sheet) for sheet in (PORTRAIT, LANDSCAPE)},
        **{f"word/{name}.xml": (styles / f"{name}.xml").read_text(encoding="utf-8") for name in _LOOKS},
    }
    written = {name: text.encode() for name, text in parts.items()}
    return _zipped(written | {f"word/media/{name}.png": content for name, content in pictures.items()})


def _zipped(parts: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content in parts.items():
            entry = zipfile.ZipInfo(name, _NEVER)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 0
            file.writestr(entry, content)
    return buffer.getvalue()


def _document_relations(pictures: Mapping[str, bytes]) -> dict[str, tuple[str, str]]:
    return {
        **{name: (name, f"{name}.xml") for name in _LOOKS},
        **{sheet.name: ("header", f"{sheet.name}.xml") for sheet in (PORTRAIT, LANDSCAPE)},
        "foot": ("footer", "foot.xml"),
        **{name: ("image", f"media/{name}.png") for name in pictures},
    }


def _relations(targets: Mapping[str, tuple[str, str]]) -> str:
    lines = "".join(
        f'<Relationship Id="{name}" Type="{kind if "/" in kind else f"{_OFFICE}/relationships/{kind}"}" '
        f'Target="{target}"/>'
        for name, (kind, target) in targets.items()
    )
    return f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{lines}</Relationships>'


def _types() -> str:
    parts = {
        "word/document.xml": f"{_WORD}.document.main+xml",
        **{f"word/{name}.xml": f"{_WORD}.{name}+xml" for name in _LOOKS},
        **{f"word/{sheet.name}.xml": f"{_WORD}.header+xml" for sheet in (PORTRAIT, LANDSCAPE)},
        "word/foot.xml": f"{_WORD}.footer+xml",
        "docProps/core.xml": "application/vnd.openxmlformats-package.core-properties+xml",
    }
    lines = "".join(f'<Override PartName="/{name}" ContentType="{kind}"/>' for name, kind in parts.items())
    return (
        f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        '<Default Extension="png" ContentType="image/png"/>'
        f"{lines}</Types>"
    )


def _core(title: str) -> str:
    """What the file says of itself: its title, and neither who made it nor when."""
    return (
        f'{_HEAD}<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<dc:title>{escape(title)}</dc:title><dc:language>en-GB</dc:language></cp:coreProperties>"
    )


def _page_head(head: str, mark: str, sheet: Sheet) -> str:
    edge = sheet.across - 2 * _MARGIN_TWIPS
    tabs = f'<w:tabs><w:tab w:val="right" w:pos="{edge}"/></w:tabs>'
    return (
        f'{_HEAD}<w:hdr {_NAMES}><w:p><w:pPr><w:pStyle w:val="Header"/>{tabs}</w:pPr>'
        f'<w:r><w:t xml:space="preserve">{escape(head)}</w:t></w:r>'
        f"<w:r><w:rPr><w:b/></w:rPr><w:tab/><w:t>{escape(mark)}</w:t></w:r></w:p></w:hdr>"
    )


def _foot() -> str:
    number, pages = (
        f'<w:fldSimple w:instr=" {field} "><w:r><w:t>1</w:t></w:r></w:fldSimple>'
        for field in ("PAGE", "NUMPAGES")
    )
    between = '<w:r><w:t xml:space="preserve"> / </w:t></w:r>'
    line = f'<w:p><w:pPr><w:pStyle w:val="Footer"/></w:pPr>{number}{between}{pages}</w:p>'
    return f"{_HEAD}<w:ftr {_NAMES}>{line}</w:ftr>"

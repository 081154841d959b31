"""The report as a Word document: the elements of its page in Word's headings, captions, tables, pictures."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree.ElementTree import Element

from analysis.present.page_tree import classes, parse_page, text_of, within
from analysis.present.word_package import LANDSCAPE, PORTRAIT, Sheet, picture, section, write_package
from analysis.present.word_table import is_wide, word_table
from analysis.present.word_text import anchor_name, caption_runs, paragraph, runs_of, written

# What is for a screen only.
SKIPPED = frozenset({"head", "details", "skip", "watermark", "origins", "register"})
_STYLES = {
    "synthetic": "MarkSynthetic",
    "open": "MarkOpen",
    "mark": "Mark",
    "series": "Small",
    "caption": "Caption",
}
_HEADINGS = {"h1": "Title", "h2": "Heading1", "h3": "Heading2", "h4": "Heading3"}
_NEW_PAGE = "<w:pageBreakBefore/>"
_KEPT = "<w:keepNext/>"
_STOP = '<w:r><w:t xml:space="preserve">. </w:t></w:r>'
# The paragraph that ends a section takes no room to speak of.
_ENDING = '<w:pStyle w:val="Cell"/><w:spacing w:before="0" w:after="0" w:line="20" w:lineRule="exact"/>'


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph or table, the sheet that it needs, and whether it belongs with the next."""

    content: str
    sheet: Sheet = PORTRAIT
    is_heading: bool = False


def render_word(page: str, pictures: Mapping[str, bytes], parts: Path) -> bytes:
    """The page of a report as DOCX, the same bytes for the same page.

    `pictures` are the figures as PNG by the id of their output, `parts` the folder of the document's styles.
    """
    root = parse_page(page)
    writer = _Writer(root, pictures)
    blocks = _with_sheets(list(writer.blocks(root.find("body"), PORTRAIT)))
    named = {each.get("name"): each.get("content", "") for each in root.iter("meta")}
    title = text_of(root.find("head/title"))
    return write_package(
        _body(blocks), writer.pictures, parts, title=title, head=named["head"], mark=named["mark"]
    )


def _with_sheets(blocks: list[Block]) -> list[Block]:
    """A heading stands on the sheet of what it heads."""
    for at in range(len(blocks) - 2, -1, -1):
        if blocks[at].is_heading:
            blocks[at] = replace(blocks[at], sheet=blocks[at + 1].sheet)
    return blocks


def _body(blocks: list[Block]) -> str:
    """All blocks, with the end of a section where the sheet is turned."""
    written, last = [], blocks[0].sheet
    for block in blocks:
        if block.sheet != last:
            written.append(f"<w:p><w:pPr>{_ENDING}{section(last)}</w:pPr></w:p>")
        written.append(block.content)
        last = block.sheet
    return "".join(written) + section(last)


class _Writer:
    """Blocks of the elements of a page; names that links lead to wait for the next paragraph."""

    def __init__(self, root: Element, pictures: Mapping[str, bytes]) -> None:
        shown = within(root, skipped=SKIPPED)
        self.anchors = frozenset(each.get("id", "") for each in shown) - {""}
        self.pictures: dict[str, bytes] = {}
        self._available = pictures
        self._waiting: list[str] = []
        self._bookmarks = 0
        self._label = ""
        self._is_kept = False
        self._is_first_section = True

    def blocks(self, element: Element, sheet: Sheet) -> Iterator[Block]:
        if element.tag in SKIPPED or classes(element) & SKIPPED:
            return
        self._waiting += [element.get("id")] if element.get("id") in self.anchors else []
        if element.tag == "section":
            self._is_kept = False
        if "piece" in classes(element):
            sheet, self._is_kept = _sheet_of(element), "short" in classes(element)
        write = _WRITERS.get(element.tag, _Writer._inside)
        if "drawing" in classes(element):
            write = _Writer._picture
        yield from write(self, element, sheet)

    def _inside(self, element: Element, sheet: Sheet) -> Iterator[Block]:
        self._label = element.get("aria-label", self._label)
        for child in element:
            yield from self.blocks(child, sheet)

    def _heading(self, element: Element, sheet: Sheet) -> Iterator[Block]:
        # The first chapter follows the title, the others begin a page.
        starts = element.tag == "h2" and not self._is_first_section
        self._is_first_section &= element.tag != "h2"
        text = written(runs_of(element), anchors=self.anchors)
        style = _HEADINGS[element.tag]
        yield self._block(text, style, _NEW_PAGE if starts else "", sheet, is_heading=True)

    def _text(self, element: Element, sheet: Sheet) -> Iterator[Block]:
        style = next((_STYLES[name] for name in _STYLES if name in classes(element)), "Normal")
        runs = runs_of(element)
        write = caption_runs if style == "Caption" else written
        yield self._block(write(runs, anchors=self.anchors), style, "", sheet)

    def _terms(self, element: Element, sheet: Sheet) -> Iterator[Block]:
        style = "Normal" if "definitions" in classes(element) else "Small"
        for line in element:
            term, text = (written(runs_of(each), anchors=self.anchors) for each in line)
            yield self._block(f"{term}{_STOP}{text}", style, "", sheet)

    def _list(self, element: Element, sheet: Sheet) -> Iterator[Block]:
        for item in element:
            yield self._block(written(runs_of(item), anchors=self.anchors), "ListBullet", "", sheet)

    def _contents(self, element: Element, sheet: Sheet) -> Iterator[Block]:
        # They follow the first chapter on its page.
        self._is_first_section = True
        yield from self.blocks(element.find("h2"), sheet)
        for item in element.find("ol"):
            entries = [("TOC1", item.find("a")), *(("TOC2", each) for each in item.findall("ul/li/a"))]
            for style, link in entries:
                yield self._block(written(runs_of(link), anchors=self.anchors), style, "", sheet)

    def _table(self, element: Element, sheet: Sheet) -> Iterator[Block]:
        caption = element.find("caption")
        if caption is not None:
            self._label = text_of(caption)
            text = caption_runs(runs_of(caption), self.anchors)
            yield self._block(text, "Caption", _KEPT, sheet, is_heading=True)
        is_kept = self._is_kept or "attributes" in classes(element)
        content = word_table(
            element, page=sheet.width, anchors=self.anchors, label=self._label, is_kept=is_kept
        )
        yield Block(content, sheet)
        # Without a paragraph between them Word joins a table to the next.
        yield self._block("", "Small", "", sheet)

    def _picture(self, element: Element, sheet: Sheet) -> Iterator[Block]:
        identifier = self._waiting[-1]
        self.pictures[identifier] = self._available[identifier]
        content, alt = self._available[identifier], element.get("aria-label", "")
        text = picture(identifier, alt, content, len(self.pictures), sheet)
        yield self._block(text, "Figure", "", sheet)

    def _block(
        self, text: str, style: str, properties: str, sheet: Sheet, *, is_heading: bool = False
    ) -> Block:
        marks = "".join(map(self._bookmark, self._waiting))
        self._waiting.clear()
        return Block(paragraph(marks + text, style, properties), sheet, is_heading)

    def _bookmark(self, identifier: str) -> str:
        self._bookmarks += 1
        number, name = self._bookmarks, anchor_name(identifier)
        return f'<w:bookmarkStart w:id="{number}" w:name="{name}"/><w:bookmarkEnd w:id="{number}"/>'


_WRITERS = {
    **dict.fromkeys(_HEADINGS, _Writer._heading),
    "p": _Writer._text,
    "dl": _Writer._terms,
    "ul": _Writer._list,
    "ol": _Writer._list,
    "nav": _Writer._contents,
    "table": _Writer._table,
}


def _sheet_of(piece: Element) -> Sheet:
    table = piece.find(".//table")
    return LANDSCAPE if table is not None and is_wide(table, PORTRAIT.width) else PORTRAIT

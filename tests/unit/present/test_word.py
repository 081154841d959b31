"""The report as a Word document: nothing lost, native, accessible, and the same bytes every time."""

import io
import re
import xml.etree.ElementTree as ElementTree
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from analysis.present.page_tree import classes, parse_page, text_of, within
from analysis.present.word import SKIPPED
from analysis.present.word_package import picture_size
from analysis.present.word_table import text_width
from tests.unit.present import fabricated, fabricated_report

VIEWS = ("open", "dummy", "closed")
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}"
RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
# Order in which the schema (ECMA-376 part 1, wml.xsd) wants what we use; Word refuses a file that differs.
ORDER = {
    "pPr": "pStyle keepNext keepLines pageBreakBefore numPr pBdr shd tabs spacing ind jc outlineLvl sectPr",
    "rPr": "rStyle rFonts b i color sz szCs lang",
    "tblPr": "tblStyle tblW tblInd tblBorders tblLayout tblCellMar tblLook tblCaption",
    "trPr": "cantSplit tblHeader",
    "tcPr": "tcW gridSpan tcBorders vAlign",
    "sectPr": "headerReference footerReference pgSz pgMar",
    "tbl": "tblPr tblGrid tr",
    "style": "name basedOn next uiPriority semiHidden qFormat pPr rPr tblPr",
}


@dataclass(frozen=True)
class Made:
    """A report as a page and as a document."""

    page: str
    document: bytes

    def part(self, name: str = "word/document.xml") -> ElementTree.Element:
        return ElementTree.fromstring(fabricated_report.part_of(self.document, name))

    @property
    def names(self) -> list[str]:
        with zipfile.ZipFile(io.BytesIO(self.document)) as file:
            return file.namelist()

    def shown(self, *tags: str) -> list[ElementTree.Element]:
        """Elements of the page that are not for a screen only."""
        return [each for each in within(parse_page(self.page), skipped=SKIPPED) if each.tag in tags]


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Made]:
    made = {}
    for view in VIEWS:
        folder, results = tmp_path_factory.mktemp(view), fabricated.results(view)
        figures = fabricated_report.blank(view, results)
        fabricated_report.write_outputs(folder, view, results, figures=figures)
        page = fabricated_report.render(view, folder, results)
        made[view] = Made(page, fabricated_report.word_of(page, folder))
        assert made[view].document == fabricated_report.word_of(page, folder), "the same page, the same bytes"
    return made


@pytest.fixture(params=VIEWS)
def report(request: pytest.FixtureRequest, reports: dict[str, Made]) -> Made:
    return reports[request.param]


def text(element: ElementTree.Element) -> str:
    """Text of a paragraph, cell or document; breaks and ends of paragraphs are spaces."""
    parts = [
        " " if each.tag in (f"{W}br", f"{W}p") else each.text or ""
        for each in element.iter()
        if each.tag in (f"{W}t", f"{W}br", f"{W}p")
    ]
    return " ".join("".join(parts).split())


def styled(document: ElementTree.Element, style: str) -> list[str]:
    return [
        text(each)
        for each in document.iter(f"{W}p")
        if (found := each.find(f"{W}pPr/{W}pStyle")) is not None and found.get(f"{W}val") == style
    ]


def visible(element: ElementTree.Element) -> str:
    """Text of an element of the page; breaks and ends of items are spaces."""
    parts = [element.text or ""]
    for child in element:
        parts += [visible(child), " " if child.tag in ("br", "li") else "", child.tail or ""]
    return " ".join("".join(f" {part} " if not part.strip() else part for part in parts).split()).replace(
        " ,", ","
    )


def test_the_file_says_nothing_of_when_and_by_whom(report: Made) -> None:
    with zipfile.ZipFile(io.BytesIO(report.document)) as file:
        assert file.testzip() is None
        assert {each.date_time for each in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert len(set(file.namelist())) == len(file.namelist())
    core = report.part("docProps/core.xml")
    assert [each.tag.split("}")[1] for each in core] == ["title", "language"]
    assert "docProps/app.xml" not in report.names


def test_every_part_is_declared_and_every_relation_leads_somewhere(report: Made) -> None:
    types = report.part("[Content_Types].xml")
    declared = {each.get("PartName") for each in types if each.get("PartName")}
    endings = {each.get("Extension") for each in types if each.get("Extension")}
    for name in report.names:
        assert (
            f"/{name}" in declared
            or name.rsplit(".", 1)[1] in endings - {"xml"}
            or name == "[Content_Types].xml"
        )
    relations = report.part("word/_rels/document.xml.rels")
    targets = {each.get("Id"): each.get("Target") for each in relations}
    assert {f"word/{each}" for each in targets.values()} <= set(report.names)
    used = {value for each in report.part().iter() for name, value in each.attrib.items() if RELATION in name}
    assert used <= set(targets)


def test_elements_stand_in_the_order_of_the_schema(report: Made) -> None:
    parts = [name for name in report.names if name.startswith("word/") and name.endswith(".xml")]
    seen = set()
    for element in (each for name in parts for each in report.part(name).iter()):
        kind = element.tag.removeprefix(W)
        if kind in ORDER:
            seen.add(kind)
            children = [child.tag.removeprefix(W) for child in element]
            places = [ORDER[kind].split().index(child) for child in children]
            assert places == sorted(places), (kind, children)
    assert seen == set(ORDER)


def test_nothing_that_the_page_shows_is_lost(report: Made) -> None:
    body = parse_page(report.page).find("body")
    for hidden in [each for each in body.iter() if classes(each) & SKIPPED or each.tag in SKIPPED]:
        tail = hidden.tail
        hidden.clear()
        hidden.tail = tail
    for each in body.iter():
        each.tail = f" {each.tail or ''}" if each.tag not in ("b", "a", "code", "em", "strong") else each.tail
    shown = Counter(re.findall(r"\w+", " ".join(body.itertext())))
    kept = Counter(re.findall(r"\w+", text(report.part())))
    differing = {word: (shown[word], kept[word]) for word in shown | kept if shown[word] != kept[word]}
    assert differing == {}


def test_tables_are_native_with_the_cells_of_the_page(report: Made) -> None:
    tables = report.shown("table")
    made = list(report.part().iter(f"{W}tbl"))
    assert len(made) == len(tables) > 20
    for page, word in zip(tables, made, strict=True):
        rows = [row for part in page if part.tag in ("thead", "tbody") for row in part]
        for row, line in zip(rows, word.iter(f"{W}tr"), strict=True):
            assert [visible(cell) for cell in row] == [text(cell) for cell in line.iter(f"{W}tc")]
            spans = [int(cell.get("colspan", "1")) for cell in row]
            found = [cell.find(f"{W}tcPr/{W}gridSpan") for cell in line.iter(f"{W}tc")]
            assert spans == [1 if each is None else int(each.get(f"{W}val")) for each in found]


def test_header_rows_are_marked_and_repeat_and_rows_do_not_break(report: Made) -> None:
    for page, word in zip(report.shown("table"), report.part().iter(f"{W}tbl"), strict=True):
        heads = sum(len(part) for part in page if part.tag == "thead")
        rows = list(word.iter(f"{W}tr"))
        marked = [row.find(f"{W}trPr/{W}tblHeader") is not None for row in rows]
        assert marked == [True] * heads + [False] * (len(rows) - heads)
        assert all(row.find(f"{W}trPr/{W}cantSplit") is not None for row in rows)
        look = word.find(f"{W}tblPr/{W}tblLook")
        assert (look.get(f"{W}firstRow"), look.get(f"{W}firstColumn")) == (str(int(heads > 0)), "1")
        assert len(word.find(f"{W}tblPr/{W}tblCaption").get(f"{W}val")) > 5


def test_captions_are_those_of_word_and_count_as_the_plan_numbers(report: Made) -> None:
    document = report.part()
    captions = [visible(each) for each in report.shown("caption")]
    captions += [text_of(each) for each in report.shown("p") if "caption" in classes(each)]
    assert sorted(styled(document, "Caption")) == sorted(captions)
    fields = [each for each in document.iter(f"{W}fldSimple") if "SEQ" in each.get(f"{W}instr")]
    numbers = [
        re.fullmatch(r" SEQ (Table|Figure) .* \\r (\d+) ", each.get(f"{W}instr")).groups() for each in fields
    ]
    assert [number for _, number in numbers] == [text_in(each) for each in fields]
    named = {f"{kind[0]}{number}" for kind, number in numbers}
    pieces = [each.get("id") for each in report.shown("div", "figure") if "piece" in classes(each)]
    # Those of other letters (S1, R1, C1, V1) have a number of their own kind.
    assert {name for name in named if name in pieces} == {name for name in pieces if name[0] in "TF"}


def text_in(field: ElementTree.Element) -> str:
    return "".join(each.text for each in field.iter(f"{W}t"))


def test_headings_are_those_of_word(report: Made) -> None:
    document = report.part()
    for tag, style in (("h1", "Title"), ("h2", "Heading1"), ("h3", "Heading2")):
        assert styled(document, style) == [text_of(each) for each in report.shown(tag)]


def test_figures_are_embedded_with_their_alternative_text(report: Made) -> None:
    drawings = [each for each in report.shown("div") if "drawing" in classes(each)]
    inlines = list(report.part().iter(f"{DRAWING}inline"))
    assert len(inlines) == len(drawings) == sum(name.endswith(".png") for name in report.names) > 3
    for drawing, inline in zip(drawings, inlines, strict=True):
        assert inline.find(f"{DRAWING}docPr").get("descr") == drawing.get("aria-label")
    assert len({each.find(f"{DRAWING}docPr").get("id") for each in inlines}) == len(inlines)


def test_links_lead_to_bookmarks(report: Made) -> None:
    document = report.part()
    names = [each.get(f"{W}name") for each in document.iter(f"{W}bookmarkStart")]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[A-Za-z]\w{0,39}", name) for name in names)
    wanted = {each.get(f"{W}anchor") for each in document.iter(f"{W}hyperlink")}
    assert wanted <= set(names)
    contents = [link.get("href")[1:] for nav in report.shown("nav") for link in nav.iter("a")]
    assert {re.sub(r"\W", "_", each) for each in contents} <= wanted


@pytest.mark.parametrize(
    ("view", "name", "mark"),
    [
        ("open", "Open report", "OPEN"),
        ("dummy", "Rehearsal of the closed report", "DUMMY ARMS"),
        ("closed", "Closed report", "CLOSED - CONFIDENTIAL"),
    ],
)
def test_every_page_says_what_it_is_and_its_number(view: str, name: str, mark: str, reports) -> None:
    report = reports[view]
    for sheet in ("portrait", "landscape"):
        head = report.part(f"word/{sheet}.xml")
        assert text(head) == f"BeST? {name}, data cut 31 December 2023{mark}"
    fields = [each.get(f"{W}instr").strip() for each in report.part("word/foot.xml").iter(f"{W}fldSimple")]
    assert fields == ["PAGE", "NUMPAGES"]
    sections = list(report.part().iter(f"{W}sectPr"))
    for section in sections:
        assert {each.tag for each in section} >= {f"{W}headerReference", f"{W}footerReference"}


def sections(document: ElementTree.Element) -> list[tuple[bool, float, list[ElementTree.Element]]]:
    """Each section: whether it lies across, points between its margins, and what is in it."""
    found, inside = [], []
    for block in document.find(f"{W}body"):
        end = block if block.tag == f"{W}sectPr" else block.find(f"{W}pPr/{W}sectPr")
        inside.append(block)
        if end is not None:
            size, margin = end.find(f"{W}pgSz"), end.find(f"{W}pgMar")
            width = int(size.get(f"{W}w")) - int(margin.get(f"{W}left")) - int(margin.get(f"{W}right"))
            found.append((size.get(f"{W}orient") == "landscape", width / 20, inside))
            inside = []
    return found


def test_tables_fit_their_sheets_and_their_words_fit_their_columns(report: Made) -> None:
    for is_across, page, blocks in sections(report.part()):
        assert page == pytest.approx(739.8 if is_across else 493.2)
        for table in (block for block in blocks if block.tag == f"{W}tbl"):
            grid = [int(each.get(f"{W}w")) for each in table.iter(f"{W}gridCol")]
            total = int(table.find(f"{W}tblPr/{W}tblW").get(f"{W}w"))
            assert sum(grid) == total and total / 20 <= page + 1
            for row in table.iter(f"{W}tr"):
                widths = [int(cell.find(f"{W}tcPr/{W}tcW").get(f"{W}w")) for cell in row.iter(f"{W}tc")]
                assert abs(sum(widths) - total) <= len(grid), "rows are as wide as their table"
                for cell, width in zip(row.iter(f"{W}tc"), widths, strict=True):
                    for word in text(cell).split():
                        assert text_width(word) < width / 20 + 1, word


def test_only_the_widest_tables_lie_across(reports) -> None:
    across = [blocks for is_across, _, blocks in sections(reports["closed"].part()) if is_across]
    columns = [
        len(list(block.iter(f"{W}gridCol")))
        for blocks in across
        for block in blocks
        if block.tag == f"{W}tbl"
    ]
    assert 9 in columns and min(columns) >= 5
    assert not any(is_across for is_across, _, _ in sections(reports["open"].part()))
    for blocks in across:
        assert text(blocks[0]), "a section begins with a heading or caption"


def test_the_open_document_has_no_word_of_the_arms(reports) -> None:
    report = reports["open"]
    texts = " ".join(
        fabricated_report.part_of(report.document, name) for name in report.names if not name.endswith(".png")
    )
    for word in ("NIM", "SAU", "New Orleans", "as usual", "intervention arm", "CLOSED", "DUMMY"):
        assert word not in texts


def test_a_figure_is_as_large_as_it_was_drawn_or_as_its_sheet_allows() -> None:
    png = fabricated.figure_files("open", "F9")["png"]
    svg = fabricated.figure_files("open", "F9")["svg"].decode()
    across, down = map(float, re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg).groups())
    assert picture_size(png) == pytest.approx((across, down), rel=0.005)


@pytest.mark.parametrize("name", ["styles", "numbering", "settings"])
def test_the_looks_are_well_formed(name: str) -> None:
    root = ElementTree.parse(Path(fabricated_report.WORD) / f"{name}.xml").getroot()
    styles = [each.get(f"{W}styleId") for each in root.iter(f"{W}style")]
    used = {
        "Mark",
        "MarkOpen",
        "MarkSynthetic",
        "Title",
        "Heading1",
        "Caption",
        "Cell",
        "Small",
        "TOC1",
        "TOC2",
        "ListBullet",
        "Report",
        "Lined",
    }
    assert name != "styles" or (used <= set(styles) and len(set(styles)) == len(styles))

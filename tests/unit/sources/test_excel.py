"""Workbooks: what a cell is, not how it is shown; nothing beside the sheet is opened, no bomb unpacked."""

import io
import re
import zipfile
from datetime import date, datetime, time, timedelta
from pathlib import Path

import openpyxl
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904, from_excel

from analysis.errors import SourceError
from analysis.sources import moments
from analysis.sources.excel import read_excel
from analysis.sources.text import Text
from analysis.spec.source_base import Dialect

HEADER = ["id", "score", "day"]
SHEET = "xl/worksheets/sheet1.xml"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "visits.xlsx"


def workbook(*rows: list) -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    book.active.title = "Visits"
    for row in rows:
        book.active.append(row)
    return book


def read(path: Path, **more: object) -> Text:
    dialect = Dialect(format="excel", sheet="Visits", dates=(), **more)
    return read_excel(path, dialect, file="trial/visits.xlsx [Visits]")


def refusal(path: Path, **more: object) -> str:
    with pytest.raises(SourceError) as stopped:
        read(path, **more)
    message = str(stopped.value)
    assert message.startswith("trial/visits.xlsx [Visits]")
    assert "\n" not in message
    assert "Zoe" not in message
    return message


def with_part(path: Path, name: str, change) -> None:
    """Rewrite one part of a workbook."""
    with zipfile.ZipFile(path) as old:
        parts = {part: old.read(part) for part in old.namelist()}
    parts[name] = change(parts.get(name, b""))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for part, content in parts.items():
            new.writestr(part, content)


def test_cells_are_what_they_are_whatever_is_shown(path: Path) -> None:
    book = workbook(
        ["id", "n", "day", "moment", "clock", "length", "flag", "text"],
        ["007", 1.0, date(2020, 1, 5), datetime(2020, 1, 5, 10, 11, 12), time(8, 30), timedelta(hours=26)],
        ["NA", 0.1, date(1900, 2, 28), datetime(1900, 3, 1), None, None, True, "a\nb é 😀"],
        ["null", -1e20, None, None, None, None, False, " _x0041_ "],
    )
    book.active["B2"].number_format = "0.00%"
    book.active["C2"].number_format = "[$-809]dd mmmm yyyy"
    book.save(path)
    assert read(path).rows == (
        ("007", "1", "2020-01-05", "2020-01-05T10:11:12", "08:30:00", "26:00:00", "", ""),
        ("NA", "0.1", "1900-02-28", "1900-03-01", "", "", "true", "a\nb é 😀"),
        ("null", "-1e+20", "", "", "", "", "false", " A "),
    )


@pytest.mark.parametrize("is_1904", [False, True])
def test_days_agree_with_openpyxl(is_1904: bool) -> None:
    epoch = {"epoch": CALENDAR_MAC_1904} if is_1904 else {}
    for serial in [*range(1, 60), *range(61, 60_000, 37), 40_000.25, 40_000.999_999]:
        expected = from_excel(serial, **epoch).replace(microsecond=0)
        mine = datetime.fromisoformat(moments.excel(serial, is_1904))
        assert abs(mine - expected) < timedelta(seconds=1)


@pytest.mark.parametrize(("serial", "text"), [(60, "60"), (-3, "-3"), (1e9, "1000000000"), (0.5, "12:00:00")])
def test_a_number_that_is_no_day_is_left_a_number(serial: float, text: str) -> None:
    """Excel has a 29 February 1900, which was none: serial 60."""
    assert moments.excel(serial, False) == text


def test_a_workbook_that_counts_from_1904(path: Path) -> None:
    book = workbook(HEADER, ["F0001", 1, date(2020, 1, 5)])
    book.epoch = CALENDAR_MAC_1904
    book.save(path)
    assert read(path).rows == (("F0001", "1", "2020-01-05"),)


def test_rows_keep_their_numbers_and_blank_ones_go(path: Path) -> None:
    book = workbook([None], [None, None], HEADER, ["F0001", 1], [None] * 9, ["F0002", None, "x"])
    book.active["A1000"].number_format = "0.00"
    book.save(path)
    text = read(path)
    assert (text.columns, text.lines) == (tuple(HEADER), (4, 6))
    assert text.rows == (("F0001", "1", ""), ("F0002", "", "x"))


def test_a_cell_beyond_the_header(path: Path) -> None:
    workbook(HEADER, ["F0001", 1, None, "Zoe"]).save(path)
    assert "row 2: 4 cells where the header has 3" in refusal(path)


def test_sheets_are_read_or_ignored(path: Path) -> None:
    book = workbook(HEADER, ["F0001", 1, None])
    book.create_sheet("Zoe Quux")
    book.save(path)
    assert "sheet 2 of 2 is neither read nor ignored" in refusal(path)
    assert len(read(path, ignore_sheets=["Zoe Quux"]).rows) == 1
    book["Visits"].title = "Other"
    book.save(path)
    assert "no sheet 'Visits'" in refusal(path)


def test_an_empty_sheet(path: Path) -> None:
    workbook().save(path)
    assert "empty" in refusal(path)


def test_merged_cells_are_refused_where_there_are_data(path: Path) -> None:
    book = workbook(HEADER, ["F0001", 1, None], ["", 2, None])
    book.active.merge_cells("A2:A3")
    book.save(path)
    assert "row 2: cells are merged" in refusal(path)
    book.active.unmerge_cells("A2:A3")
    book.active.merge_cells("A9:C9")
    book.active.merge_cells("F1:G3")
    book.save(path)
    assert len(read(path).rows) == 2


def test_a_formula_is_the_value_kept_for_it(path: Path) -> None:
    workbook(HEADER, ["F0001", "=1+1", None]).save(path)
    assert "row 2: a formula without its value" in refusal(path)
    with_part(path, SHEET, lambda xml: re.sub(rb"<v\s*/>|<v></v>", b"<v>2</v>", xml))
    assert read(path).rows == (("F0001", "2", ""),)


def test_text_that_looks_like_a_formula_is_text(path: Path) -> None:
    book = workbook(HEADER, ["F0001", None, None])
    book.active["C2"].value = "=cmd|' /C calc'!A0"
    book.active["C2"].data_type = "s"
    book.save(path)
    assert read(path).rows[0][2] == "=cmd|' /C calc'!A0"


def with_shared_text(path: Path, item: bytes) -> None:
    """The text `word` as Excel keeps it: in a list that cells share (openpyxl puts it into the cell)."""
    shared = b"<sst xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'>" + item + b"</sst>"
    with_part(path, "xl/sharedStrings.xml", lambda old: shared)
    with_part(path, SHEET, lambda xml: re.sub(rb'"inlineStr"><is><t>word</t></is>', b'"s"><v>0</v>', xml))


def test_rich_text_is_one_text_without_its_reading(path: Path) -> None:
    workbook(HEADER, ["word", 1, None]).save(path)
    rich = b"<si><r><t>Glas</t></r><r><rPr><b/></rPr><t>gow</t></r><rPh sb='0' eb='1'><t>Zoe</t></rPh></si>"
    with_shared_text(path, rich)
    assert read(path).rows[0][0] == "Glasgow"


def test_a_sheet_whose_elements_have_a_prefix(path: Path) -> None:
    workbook(HEADER, ["F0001", 1, None]).save(path)
    with_part(
        path, SHEET, lambda xml: re.sub(rb"<(/?)(?=\w)", rb"<\1x:", xml).replace(b"xmlns=", b"xmlns:x=")
    )
    assert read(path).rows == (("F0001", "1", ""),)


def test_an_old_or_protected_workbook(path: Path) -> None:
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500))
    assert "old format or with a password" in refusal(path)


def test_a_zip_bomb_is_not_unpacked(path: Path) -> None:
    """Ten million blanks in a sheet of ten kilobytes."""
    workbook(HEADER, ["Zoe", 1, None]).save(path)
    with_part(path, SHEET, lambda xml: xml.replace(b"<sheetData>", b"<sheetData>" + b" " * 10_000_000))
    assert path.stat().st_size < 100_000
    assert "200 times its size" in refusal(path)


def test_a_bomb_that_lies_about_its_size_is_damaged(path: Path) -> None:
    """The directory says one byte: no more than that is unpacked."""
    workbook(HEADER, ["Zoe", 1, None]).save(path)
    with_part(path, SHEET, lambda xml: xml.replace(b"<sheetData>", b"<sheetData>" + b" " * 10_000_000))
    raw = bytearray(path.read_bytes())
    at = raw.rindex(SHEET.encode())
    raw[at - 46 + 24 : at - 46 + 28] = (1).to_bytes(4, "little")
    path.write_bytes(raw)
    assert "damaged" in refusal(path)


STRINGS = b"<sst><si><t>&b;</t></si></sst>"
ENTITIES = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "Zoe"><!ENTITY b "&a;&a;">]>' + STRINGS
OUTSIDE = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:passwords">]>' + STRINGS


@pytest.mark.parametrize("xml", [ENTITIES, OUTSIDE, ENTITIES.decode().encode("utf-16")])
def test_entities_are_refused(path: Path, xml: bytes) -> None:
    workbook(HEADER, ["F0001", 1, None]).save(path)
    with_part(path, "xl/sharedStrings.xml", lambda old: xml)
    assert "damaged" in refusal(path)


def test_a_sheet_outside_the_workbook_is_not_followed(path: Path) -> None:
    workbook(HEADER, ["F0001", 1, None]).save(path)
    external = b'TargetMode="External" Target="https://example.org/Zoe.xml"'
    with_part(
        path,
        "xl/_rels/workbook.xml.rels",
        lambda xml: re.sub(rb'Target="/xl/worksheets/sheet1.xml"', external, xml),
    )
    assert "damaged" in refusal(path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (rb'r="2"', b'r="99999999"'),
        (rb'r="B2"', b'r="ZZZ2"'),
        (rb'r="B2"', b'r="A1 or 1"'),
        (rb'r="B2"', b'r="B2" s="999"'),
        (rb"<v>0</v>", b"<v>-1</v>"),
        (rb"<v>0</v>", b"<v>1</v>"),
        (rb"<v>0</v>", b"<v>Zoe</v>"),
        (rb"<v>0</v>", b"<v></c>"),
        (rb"</sheetData>", b"<sheetData>"),
    ],
)
def test_a_sheet_that_cannot_be(path: Path, old: bytes, new: bytes) -> None:
    workbook(HEADER, ["F0001", "a", "word"]).save(path)
    with_shared_text(path, b"<si><t>Zoe</t></si>")
    assert read(path).rows == (("F0001", "a", "Zoe"),)
    with_part(path, SHEET, lambda xml: re.sub(old, new, xml))
    assert "damaged" in refusal(path)


def test_a_sheet_that_leads_nowhere(path: Path) -> None:
    workbook(HEADER, ["F0001", 1, None]).save(path)
    with_part(path, "xl/workbook.xml", lambda xml: xml.replace(b"r:id=", b"r:if="))
    assert "damaged" in refusal(path)


def test_macros_and_pictures_are_not_opened(path: Path) -> None:
    workbook(HEADER, ["word", 1, None]).save(path)
    with_shared_text(path, b"<si><t>F0001</t></si>")
    with_part(path, "xl/vbaProject.bin", lambda old: b"Zoe")
    opened = []
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
        assert "xl/vbaProject.bin" in archive.namelist()
    real = zipfile.ZipFile.open
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zipfile.ZipFile, "open", lambda *a, **k: opened.append(a[1]) or real(*a, **k))
        read(path)
    assert sorted(opened) == [
        "xl/_rels/workbook.xml.rels",
        "xl/sharedStrings.xml",
        "xl/styles.xml",
        "xl/workbook.xml",
        SHEET,
    ]

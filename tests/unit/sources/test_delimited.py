"""Delimited text as it comes: nothing guessed, and every refusal names file and line."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from analysis.errors import SourceError
from analysis.sources.delimited import _any, _plain, read_delimited
from analysis.sources.text import Text
from tests.unit.sources.conftest import COMMA, SEMICOLON


@pytest.fixture
def read(tmp_path: Path):
    def build(content: str | bytes, dialect=COMMA) -> Text:
        path = tmp_path / "a.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_delimited(path, dialect, file="trial/a.csv")

    return build


def refusal(read, content: str | bytes, dialect=COMMA) -> str:
    with pytest.raises(SourceError) as stopped:
        read(content, dialect)
    return str(stopped.value)


def test_cells_are_strings_as_they_stand(read) -> None:
    text = read("id,score,day\n007, 1.0 ,\n8,NA,null\n")
    assert text.file == "trial/a.csv"
    assert text.columns == ("id", "score", "day")
    assert text.rows == (("007", " 1.0 ", ""), ("8", "NA", "null"))
    assert text.lines == (2, 3)


def test_a_byte_order_mark_is_no_part_of_the_first_column(read) -> None:
    assert read(b"\xef\xbb\xbfid,day\n1,2\n").columns == ("id", "day")


def test_another_encoding_and_delimiter(read) -> None:
    assert read("id;name\r\n1;Zoë €\r\n".encode("cp1252"), SEMICOLON).rows == (("1", "Zoë €"),)


def test_quoted_newlines_keep_the_line_numbers(read) -> None:
    """The note of the first row ends on line 4 of the file, an empty line follows."""
    text = read('id,note\n1,"a\nb\r\nc"\n\n2,"say ""hi"", she said"\n3,d\n')
    assert text.rows == (("1", "a\nb\r\nc"), ("2", 'say "hi", she said'), ("3", "d"))
    assert text.lines == (2, 6, 7)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end(read, end: str) -> None:
    text = read(end.join(["id,day", "1,2", "3,4"]))
    assert (text.rows, text.lines) == ((("1", "2"), ("3", "4")), (2, 3))


def test_a_cell_beyond_the_default_limit_of_the_csv_module(read) -> None:
    """REDCap dictionaries hold cells of 181,280 characters; the module stops at 131,072."""
    assert len(read(f"id,choices\n1,{'x' * 200_000}\n").rows[0][1]) == 200_000


@pytest.mark.parametrize("row", ["1,2", "1,2,3,4", "1"])
def test_a_ragged_row_is_refused(read, row: str) -> None:
    cells = row.count(",") + 1
    assert (
        refusal(read, f"a,b,c\n1,2,3\n{row}\n")
        == f"trial/a.csv, row 3: {cells} cells where the header has 3."
    )


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_refused(read, content: bytes) -> None:
    assert "trial/a.csv: the file is empty" in refusal(read, content)


def test_a_file_of_a_header_alone_has_no_rows(read) -> None:
    assert read("id,day\n").rows == ()


def test_a_nul_character_is_refused(read) -> None:
    assert "row 3: holds a NUL character" in refusal(read, "id,day\n1,2\n3,\0\n")


def test_the_wrong_encoding_is_refused_with_its_line(read) -> None:
    """The mark at the head of the file shifts bytes, not lines."""
    message = refusal(read, b"\xef\xbb\xbfid,day\n1,2\n3,4\n5,M\xe4dchen\n")
    assert "row 4: not utf-8-sig text" in message
    assert refusal(read, b"\xef\xbb\xbfid\n\xe4\n").startswith("trial/a.csv, row 2:")


@pytest.mark.parametrize("row", ['"1"x,2', '1,"2'])
def test_a_broken_quotation_is_refused(read, row: str) -> None:
    assert "trial/a.csv, row 3: not valid delimited text" in refusal(read, f"id,day\n7,8\n{row}\n")


def test_no_message_holds_a_cell(read) -> None:
    for content in ('id,day\n"SECRET"x,2\n', "id,day\nSECRET\n", "id,day\n1,SECRET\0\n", b"id\nSECRET\xff\n"):
        assert "SECRET" not in refusal(read, content)


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="trial/b.csv: cannot be read"):
        read_delimited(tmp_path / "b.csv", COMMA, file="trial/b.csv")
    with pytest.raises(SourceError, match="cannot be read"):
        read_delimited(tmp_path, COMMA, file="folder")


def cells(marks: str) -> st.SearchStrategy[str]:
    """Short cells in which the marks that matter are frequent, and any other character occurs."""
    return st.text(st.one_of(st.sampled_from(marks), st.characters(exclude_characters="\0")), max_size=4)


@st.composite
def files(draw, marks: str) -> str:
    """Rows of mostly one width, line ends of mostly one kind, with and without one at the end."""
    width, end = draw(st.integers(1, 4)), draw(st.sampled_from(["\n", "\r\n", "\r"]))
    widths = st.one_of(st.just(width), st.just(width), st.integers(0, 5))
    rows = draw(
        st.lists(widths.flatmap(lambda n: st.lists(cells(marks), min_size=n, max_size=n)), max_size=5)
    )
    start, last = draw(st.sampled_from(["", "", "\ufeff", end])), draw(st.sampled_from(["", end, 2 * end]))
    return start + end.join(";".join(row) for row in rows) + last


def contents(text: Text | None) -> tuple[object, ...] | None:
    return text and (text.file, text.columns, text.rows, text.lines)


@given(text=st.one_of(files(" a\t.-"), files('"\n\r,; \ufeff\u2028\x1c')))
@example(text="a;b\r1;2\r\n")
@example(text="a;b\n\r1;2\n\r")
@example(text="a;b\n1;2\n\n3;4\n")
@example(text='a;b\n1;"2\n3"\n')
@example(text="\ufeffa;b\n1;2\n")
def test_plain_text_is_read_as_any_text_is(text: str) -> None:
    """The csv module reads every file; where the quick way reads it too, line for line the same."""
    quick = contents(_plain(text, ";", file="a.csv"))
    try:
        slow = contents(_any(text, ";", file="a.csv"))
    except SourceError:
        slow = None
    assert quick in (None, slow)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_plain_text_is_read_the_quick_way(delimiter: str, end: str) -> None:
    rows = [("id", "näme"), ("1", " x "), ("", ""), ("2", "\u2028")]
    text = _plain(end.join(delimiter.join(row) for row in rows) + end, delimiter, file="a.csv")
    assert contents(text) == ("a.csv", rows[0], tuple(rows[1:]), (2, 3, 4))

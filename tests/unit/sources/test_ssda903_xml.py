"""The return as XML: the rows of the CSV file, with their lines; bombs and foreign trees refused."""

import tracemalloc
from pathlib import Path

import pytest

from analysis.errors import BlindingError, SourceError
from analysis.sources.ssda903_xml import COLUMNS, read_return
from analysis.sources.text import Text

EPISODE = "<EPISODE><DECOM>06/01/2017</DECOM><RNE>T</RNE><PL>U6</PL><DEC /></EPISODE>"
HEADER = "<HEADER><CHILDID>9</CHILDID><OC2><INTERVENTION_RECEIVED>0</INTERVENTION_RECEIVED></OC2></HEADER>"


@pytest.fixture
def read(tmp_path: Path):
    def run(content: str | bytes) -> Text:
        path = tmp_path / "a.xml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_return(path, file="LA/a.xml")

    return run


def whole(*children: str) -> str:
    return "\n".join(["<?xml version='1.0' encoding='utf-8'?>", "<EXPSSDA903>", *children, "</EXPSSDA903>"])


def cells(text: Text, *names: str) -> list[tuple[str, ...]]:
    return [tuple(row[text.columns.index(name)] for name in names) for row in text.rows]


def test_episodes_are_rows_with_the_columns_of_the_csv_file(read) -> None:
    """PL is PLACE, the child's number stands in every row, and an element that is absent is blank."""
    text = read(whole("<CHILD>", HEADER, EPISODE, EPISODE.replace("06/01", "07/02"), "</CHILD>"))
    assert text.columns == COLUMNS
    assert cells(text, "CHILD", "DECOM", "PLACE", "DEC", "URN") == [
        ("9", "06/01/2017", "U6", "", ""),
        ("9", "07/02/2017", "U6", "", ""),
    ]
    assert text.lines == (5, 6)


def test_where_episodes_share_a_line_they_are_numbered(read) -> None:
    text = read(whole(f"<CHILD>{HEADER}{EPISODE}{EPISODE}</CHILD>", f"<CHILD>{EPISODE}</CHILD>"))
    assert text.lines == (2, 3, 4)
    assert cells(text, "CHILD") == [("9",), ("9",), ("",)]


def test_a_column_beyond_the_return_is_kept_for_the_mapping_to_judge(read) -> None:
    text = read(whole(f"<CHILD>{HEADER}{EPISODE.replace('<PL>', '<NEW>x</NEW><PL>')}</CHILD>"))
    assert text.columns == (*COLUMNS, "NEW")


def test_entities_characters_and_a_return_without_children(read) -> None:
    escaped = EPISODE.replace("U6", "&lt;&amp;&#233;")
    assert cells(read(whole(f"<CHILD>{escaped}</CHILD>")), "PLACE") == [("<&\u00e9",)]
    assert read(whole()).rows == ()


BOMB = "<!DOCTYPE a [<!ENTITY a '{}'>{}]>\n<EXPSSDA903><CHILD>&j;</CHILD></EXPSSDA903>".format(
    "x" * 100,
    "".join(
        f"<!ENTITY {one} '{f'&{two};' * 100}'>" for one, two in zip("bcdefghij", "abcdefghi", strict=True)
    ),
)
REFUSED = {
    "a bomb of entities": (BOMB, "document type"),
    "another file": (
        "<!DOCTYPE a [<!ENTITY f SYSTEM 'secret.txt'>]><EXPSSDA903>&f;</EXPSSDA903>",
        "document type",
    ),
    "a document type elsewhere": ("<!DOCTYPE a SYSTEM 'a.dtd'><EXPSSDA903/>", "document type"),
    "another root": ("<RETURN><CHILD/></RETURN>", "not a return"),
    "a broken tag": ("<EXPSSDA903><CHILD></EXPSSDA903>", "not well-formed"),
    "cut off": (whole(f"<CHILD>{EPISODE}")[:-20], "not well-formed"),
    "no XML": ("CHILD,DECOM\n1,2\n", "not well-formed"),
    "nothing": ("", "not well-formed"),
    "a NUL": (b"<EXPSSDA903>\0</EXPSSDA903>", "not well-formed"),
    "bytes of another encoding": (b"<EXPSSDA903>\xff</EXPSSDA903>", "not well-formed"),
    "an unknown encoding": (b"<?xml version='1.0' encoding='utf-99'?><EXPSSDA903/>", "not well-formed"),
    "too deep": ("<EXPSSDA903>" + "<a>" * 50, "too deep"),
    "a cell twice": (whole(f"<CHILD>{EPISODE.replace('<DEC />', '<RNE>P</RNE>')}</CHILD>"), "'RNE' twice"),
    "a tree in a cell": (whole(f"<CHILD>{EPISODE.replace('<DEC />', '<DEC><b/></DEC>')}</CHILD>"), "within"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_names_file_and_line(read, case: str) -> None:
    content, words = REFUSED[case]
    with pytest.raises(SourceError, match=words) as stopped:
        read(content)
    assert str(stopped.value).startswith("LA/a.xml, row ")


def test_an_element_named_like_an_arm_is_refused_wherever_it_stands(read) -> None:
    with pytest.raises(BlindingError, match="'ARM' looks like the arm"):
        read(whole("<CHILD><HEADER><ARM>1</ARM></HEADER></CHILD>"))


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="LA/b.xml: cannot be read"):
        read_return(tmp_path / "b.xml", file="LA/b.xml")


def test_memory_holds_the_rows_and_not_the_tree(read) -> None:
    """Ten thousand children with long headers: what is not a row is forgotten."""
    header = HEADER.replace("<OC2>", f"<UPN>{'x' * 2000}</UPN><OC2>")
    content = whole(*[f"<CHILD>{header}</CHILD>"] * 10_000)
    tracemalloc.start()
    try:
        read(content)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # The bytes written by this test are one copy; a tree would be several.
    assert peak < 1.3 * len(content)

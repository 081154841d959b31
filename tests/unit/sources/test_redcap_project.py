"""The project file of REDCap: its codes are kept, its tree is not."""

import tracemalloc
from pathlib import Path

import pytest

from analysis.errors import BlindingError
from analysis.sources.redcap_project import read_project

CODES = "<MissingDataCodes>-99, Refused | NASK, <![CDATA[<b>Not</b> asked]]></MissingDataCodes>"
LONG = f"<Doc>{'x' * 1000}</Doc>\n"
VALUES = [f'<ItemData ItemOID="note" Value="{"y" * 500} {n}"/>\n' for n in range(2000)]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    text = "".join([*VALUES, *[LONG] * 2000, CODES, '\n<ItemDataString ItemOID="note">NIM</ItemDataString>'])
    (tmp_path / "p.xml").write_text(f"<ODM>{text}</ODM>")
    return tmp_path / "p.xml"


def test_memory_holds_neither_the_tree_nor_the_values(project: Path) -> None:
    tracemalloc.start()
    try:
        codes = read_project(project, file="p.xml", arms=["SAU"])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert codes[["code", "label"]].values.tolist() == [["-99", "Refused"], ["NASK", "Not asked"]]
    assert peak < project.stat().st_size / 3


def test_the_line_of_what_tells_an_arm_is_named_and_asked_for_only_in_the_open(project: Path) -> None:
    with pytest.raises(BlindingError, match=r"^p\.xml, row 4002: a value names an arm"):
        read_project(project, file="p.xml", arms=["NIM"])
    assert len(read_project(project, file="p.xml")) == 2

"""Every page of a folder of documents is named, once, in the folder's index."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("folder", ["methods", "decisions"])
def test_the_index_names_every_page_once(folder: str) -> None:
    named = re.findall(r"\]\(([^)]+\.md)\)", (DOCS / folder / "README.md").read_text(encoding="utf-8"))
    pages = {path.name for path in (DOCS / folder).glob("*.md")} - {"README.md"}
    assert sorted(named) == sorted(pages)

"""Where raw files may lie and what they may be called."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from analysis.errors import SourceError
from analysis.sources.places import check_place
from analysis.spec.mapping import TabularSource

DEVIATIONS = {
    "table": "deviations",
    "files": "trial/deviations.csv",
    "columns": {"family_id": "family", "deviation_date": "date", "category": "category", "level": "level"},
}
CONTENT = "family,date,category,level\n"


def refusal(exports, name: str = "trial/deviations.csv") -> str:
    with pytest.raises(SourceError) as stopped:
        exports.read(DEVIATIONS, tables=("deviations",))
    message = str(stopped.value)
    assert message.startswith(name)
    assert message.isprintable()
    return message


def test_a_link_within_the_raw_folder_is_a_file_like_any(exports) -> None:
    path = exports.write("trial/deviations.csv", CONTENT)
    (path.parent / "a.csv").symlink_to(path)
    check_place(path.parent / "a.csv", exports.folder)


def test_a_raw_folder_that_is_itself_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.csv").write_text(CONTENT)
    (tmp_path / "raw").symlink_to(tmp_path / "real")
    check_place(tmp_path / "raw" / "a.csv", tmp_path / "raw")


@pytest.mark.parametrize("is_relative", [False, True])
def test_a_link_to_a_file_outside(exports, tmp_path_factory, is_relative: bool) -> None:
    secret = tmp_path_factory.mktemp("other") / "secret.csv"
    secret.write_text(CONTENT)
    link = exports.folder / "trial" / "deviations.csv"
    link.parent.mkdir()
    link.symlink_to(Path("..", "..", secret.parent.name, secret.name) if is_relative else secret)
    assert "leads out of the raw folder" in refusal(exports)


def test_a_link_to_a_folder_outside(exports, tmp_path_factory) -> None:
    other = tmp_path_factory.mktemp("other")
    (other / "deviations.csv").write_text(CONTENT)
    (exports.folder / "trial").symlink_to(other)
    assert "leads out of the raw folder" in refusal(exports, "trial")


def test_a_link_that_nobody_reads(exports, tmp_path_factory) -> None:
    exports.write("trial/deviations.csv", CONTENT)
    (exports.folder / "notes").symlink_to(tmp_path_factory.mktemp("other"))
    assert "leads out of the raw folder" in refusal(exports, "notes")


@pytest.mark.parametrize(
    "name", ["=cmd|' calc'!A0.csv", "-1+1.csv", "@SUM(1).csv", "+1.csv", "a\nb.csv", "a\x1b[2J.csv"]
)
def test_a_name_that_would_be_run_or_cannot_be_shown(exports, name: str) -> None:
    exports.write("trial/deviations.csv", CONTENT)
    exports.write(name, CONTENT)
    assert "rename it" in refusal(exports, name[:1])


@pytest.mark.parametrize("name", ["../a.csv", "a/../../b.csv", "/etc/a.csv", "C:\\a.csv", "..\\a.csv", ""])
def test_a_path_of_a_mapping_stays_below_the_raw_folder(name: str) -> None:
    how = {**DEVIATIONS, "kind": "tabular", "dialect": "comma"}
    assert TabularSource(**{**how, "files": "a..b/c.csv"}).files == "a..b/c.csv"
    with pytest.raises(ValidationError, match="files"):
        TabularSource(**{**how, "files": name})

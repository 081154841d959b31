"""A cut is of certain files: their digests are those of any tool, and other files are refused by name."""

import hashlib
import json
from pathlib import Path

import pytest

from analysis.__main__ import main

CUT = "2014-12-31"


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    folder = tmp_path / "raw"
    (folder / "returns").mkdir(parents=True)
    (folder / "b.csv").write_text("id\n1\n")
    (folder / "returns" / "a.csv").write_text("")
    (folder / ".snakemake_timestamp").touch()  # where a rule made the folder
    return folder


def record(raw: Path, *more: object, name: str = "cut.json", cut: str = CUT) -> tuple[int, Path]:
    out = raw.parent / "data" / name
    arguments = ["snapshot", "--raw", raw, "--cut", cut, "--out", out, *more]
    return main([str(each) for each in arguments]), out


def test_the_record_names_the_files_the_day_and_the_rules(raw: Path) -> None:
    code, out = record(raw, "--extracted", "2015-01-07")
    body = json.loads(out.read_text())
    assert (code, body["cut"], body["extracted"], body["corrections"]) == (0, CUT, "2015-01-07", None)
    assert list(body["files"]) == ["b.csv", "returns/a.csv"]
    # SHA-256 of nothing, FIPS 180-4; and the lines that sha256sum would print.
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert body["files"]["returns/a.csv"] == empty
    lines = f"{hashlib.sha256(b'id' + bytes([10]) + b'1' + bytes([10])).hexdigest()}  b.csv\n"
    assert body["digest"] == hashlib.sha256(f"{lines}{empty}  returns/a.csv\n".encode()).hexdigest()
    assert body["rules"]["partial_dates"] == "last_day"
    assert "not due" in body["rules"]["open_windows_text"]


def test_an_earlier_cut_again_is_the_same_record(raw: Path) -> None:
    _, first = record(raw)
    _, later = record(raw, name="later.json", cut="2017-06-30")
    code, again = record(raw, "--same-as", first, name="again.json")
    assert code == 0
    assert again.read_bytes() == first.read_bytes() != later.read_bytes()
    assert json.loads(later.read_text())["digest"] == json.loads(first.read_text())["digest"]


def test_other_files_are_refused_in_one_sentence_that_names_them(raw: Path, capsys) -> None:
    _, first = record(raw)
    (raw / "b.csv").write_text("id\n9\n")
    (raw / "returns" / "a.csv").rename(raw / "c.csv")
    capsys.readouterr()
    code, again = record(raw, "--same-as", first, name="again.json")
    assert (code, again.exists()) == (2, False)
    assert capsys.readouterr().err == (
        "error: the raw files are not those of the snapshot "
        f"{'/'.join(first.parts[-3:])}: b.csv (changed), c.csv (new), returns/a.csv (absent).\n"
    )


def test_other_corrections_are_other_data(raw: Path, capsys) -> None:
    signed = raw.parent / "signed.csv"
    signed.write_text("old\n")
    _, first = record(raw, "--corrections", signed)
    signed.write_text("new\n")
    code, _ = record(raw, "--corrections", signed, "--same-as", first, name="again.json")
    assert code == 2
    assert "corrections: signed.csv (changed)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("spoil", "part"),
    [
        (lambda text: "{", "not a record of a data cut"),
        (lambda text: "[]", "not a record of a data cut"),
        (lambda text: text.replace("b.csv", "d.csv"), "its digest is not that of the files it names"),
    ],
)
def test_a_record_that_was_changed_is_refused(raw: Path, spoil, part: str, capsys) -> None:
    _, first = record(raw)
    first.write_text(spoil(first.read_text()))
    code, _ = record(raw, "--same-as", first, name="again.json")
    assert code == 2
    assert part in capsys.readouterr().err


def test_closed_files_have_a_record_of_their_own(raw: Path, capsys) -> None:
    files = [raw / "b.csv", raw / "returns" / "a.csv"]
    out = raw.parent / "closed" / "cut.json"
    given = ["snapshot", "--restricted", *files, "--cut", CUT, "--out", out]
    assert main([str(each) for each in given]) == 0
    assert list(json.loads(out.read_text())["files"]) == ["b.csv", "returns/a.csv"]
    given[-1] = raw.parent / "data" / "cut.json"
    assert main([str(each) for each in given]) == 2
    assert "closed results may not be written to data/" in capsys.readouterr().err

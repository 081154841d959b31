"""Bad raw exports: one clear paragraph with file, row and rule, a non-zero exit code, and nothing half-
written.
"""

import shutil
from pathlib import Path

import pytest

from analysis.__main__ import main

FAMILIES, CHILDREN = "trial/redcap_families.csv", "trial/redcap_children.csv"
LONDON = "london/CROYDON/ssda903_episodes_2019.csv"


class Exports:
    """A copy of the raw exports that a test may damage, and the two steps that read them."""

    def __init__(self, source: Path, folder: Path, spec) -> None:
        self.raw, self.out, self.spec = folder / "raw", folder / "out", spec
        shutil.copytree(source, self.raw)

    def rows(self, file: str) -> list[list[str]]:
        return [line.split(",") for line in self.text(file).splitlines()]

    def text(self, file: str) -> str:
        return (self.raw / file).read_text(encoding="utf-8-sig")

    def write(self, file: str, text: str) -> None:
        (self.raw / file).write_text(text, encoding="utf-8-sig")

    def set_cell(self, file: str, row: int, column: str, value: str) -> None:
        lines = self.text(file).splitlines()
        cells = lines[row - 1].split(",")
        cells[lines[0].split(",").index(column)] = value
        lines[row - 1] = ",".join(cells)
        self.write(file, "\n".join(lines) + "\n")

    def read(self) -> int:
        """Ingest and clean; the first exit code that is not 0."""
        tables = self.spec.table_names(layer="raw", audience="open")
        ingest = ["ingest", "--raw", self.raw, "--mapping", "synthetic", "--out", self.out / "ingest"]
        ingest += ["--issues", self.out / "issues" / "exports.csv"]
        clean = ["clean", "--raw-tables", self.out / "ingest", "--cut", self.spec.trial.data_cut]
        clean += ["--out", self.out / "clean", "--issues", self.out / "issues"]
        for step in (ingest, clean):
            if code := main([str(each) for each in [*step, "--tables", *tables]]):
                return code
        return 0


@pytest.fixture
def exports(trial, spec, tmp_path) -> Exports:
    return Exports(trial.raw, tmp_path, spec)


def refused(exports: Exports, capsys: pytest.CaptureFixture[str], *words: str) -> None:
    """The run stops with one paragraph that holds these words."""
    code = exports.read()
    (message,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error:")]
    assert code == 2, message
    for word in words:
        assert word in message
    assert "Traceback" not in message
    assert not (exports.out / "clean").exists()
    assert not list(exports.out.rglob("*.partial"))


def test_the_untouched_exports_pass(exports):
    assert exports.read() == 0


def test_a_missing_file(exports, capsys):
    (exports.raw / FAMILIES).unlink()
    refused(exports, capsys, FAMILIES, "no such file")


def test_an_empty_file(exports, capsys):
    (exports.raw / FAMILIES).write_bytes(b"")
    refused(exports, capsys, FAMILIES, "empty")


def test_bytes_that_are_not_text(exports, capsys):
    (exports.raw / FAMILIES).write_bytes(b"record_id\n\xff\xfe\x00\n")
    refused(exports, capsys, FAMILIES, "row 2", "utf-8")


def test_a_renamed_column(exports, capsys):
    exports.write(FAMILIES, exports.text(FAMILIES).replace("rand_dt", "rand_date", 1))
    refused(exports, capsys, FAMILIES, "row 1", "rand_date")


def test_an_arm_column_in_an_open_file(exports, capsys):
    lines = exports.text(FAMILIES).splitlines()
    exports.write(FAMILIES, "\n".join([lines[0] + ",arm", *(line + ",NIM" for line in lines[1:])]) + "\n")
    refused(exports, capsys, FAMILIES, "row 1", "arm")


def test_a_row_cut_short(exports, capsys):
    lines = exports.text(FAMILIES).splitlines()
    lines[4] = lines[4].split(",")[0]
    exports.write(FAMILIES, "\n".join(lines) + "\n")
    refused(exports, capsys, FAMILIES, "row 5", "cells")


def test_a_code_that_is_not_in_the_list(exports, capsys):
    exports.set_cell(FAMILIES, 7, "epoch", "9")
    refused(exports, capsys, FAMILIES, "row 7", "S05", "families.epoch")


def test_a_date_that_does_not_exist(exports, capsys):
    exports.set_cell(FAMILIES, 8, "rand_dt", "31/02/2019")
    refused(exports, capsys, FAMILIES, "row 8", "S04", "families.randomisation_date")


def test_a_key_given_twice_with_different_content(exports, capsys):
    first = exports.rows(FAMILIES)[5][0]
    exports.set_cell(FAMILIES, 9, "record_id", first)
    refused(exports, capsys, FAMILIES, "S08")


def test_a_key_to_nothing(exports, capsys):
    lines = exports.text(CHILDREN).splitlines()
    row = next(k for k, line in enumerate(lines[1:], start=2) if ",enrolment," in f",{line},")
    exports.set_cell(CHILDREN, row, "family", "F9999")
    refused(exports, capsys, CHILDREN, f"row {row}", "S09", "children.family_id")


def test_a_placement_that_ends_before_it_begins(exports, capsys):
    rows = exports.rows(LONDON)
    end = rows[0].index("DEC")
    row = next(k for k, cells in enumerate(rows[1:], start=2) if cells[end])
    exports.set_cell(LONDON, row, "DEC", "01/01/2012")
    # A later return may restate this episode; make sure that none does.
    for later in exports.raw.glob("london/CROYDON/ssda903_episodes_202*.csv"):
        later.write_text(later.read_text(encoding="utf-8-sig").splitlines()[0] + "\n", encoding="utf-8-sig")
    refused(exports, capsys, LONDON, f"row {row}", "PL01")


def test_a_message_never_quotes_a_value(exports, capsys):
    exports.set_cell(FAMILIES, 7, "epoch", "Sarah Smith")
    exports.read()
    assert "Sarah" not in capsys.readouterr().err


def test_an_allocation_without_a_family(trial, spec, tmp_path, capsys):
    lists = trial.folder / "closed" / "clean"
    lines = (lists / "allocation.csv").read_text().splitlines()
    (tmp_path / "allocation.csv").write_text("\n".join(lines[:-1]) + "\n")
    arguments = ["allocate", "--view", "closed", "--derived", trial.derived, "--out", tmp_path / "closed"]
    arguments += ["--revealing", tmp_path / "closed" / "derived"]
    code = main([str(each) for each in [*arguments, "--allocation", tmp_path / "allocation.csv"]])
    assert code == 2
    assert "W01" in capsys.readouterr().err
    assert not (tmp_path / "closed").exists()

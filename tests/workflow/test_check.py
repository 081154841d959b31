"""`check`: everything that is wrong with a folder of exports in one go, and the same findings as a run."""

import csv
import io
import re
import shutil
from collections import Counter
from pathlib import Path

import pytest

from analysis.__main__ import main
from analysis.spec.declarations import Spec
from tests.conftest import Trial, run

FAMILIES, CHILDREN = "trial/redcap_families.csv", "trial/redcap_children.csv"


class Checked:
    """A copy of the exports, and what the check says of it."""

    def __init__(self, raw: Path, folder: Path) -> None:
        self.raw, self.out = folder / "raw", folder / "found"
        shutil.copytree(raw, self.raw)

    def check(self, *options: object) -> int:
        command = ["check", self.raw, "--mapping", "synthetic", "--out", self.out, *options]
        return main([str(each) for each in command])

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

    def stops(self) -> Counter[tuple[str, str, str]]:
        """Rule, file and row of what stops, from the lists."""
        return Counter(
            (row["rule"], row["source_file"], row["source_row"])
            for path in sorted((self.out / "issues").glob("*.csv"))
            for row in csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline=""))
            if row["severity"] == "stop"
        )

    def page(self) -> str:
        return (self.out / "issues.html").read_text(encoding="utf-8")


@pytest.fixture
def exports(trial: Trial, tmp_path: Path) -> Checked:
    return Checked(trial.raw, tmp_path)


def test_it_finds_what_a_run_finds_and_no_more(exports: Checked, trial: Trial, spec: Spec, capsys) -> None:
    assert exports.check() == 0
    assert re.match(r"0 stops, \d+ queries, \d+ notes: ", capsys.readouterr().out)
    data = trial.folder / "data"
    folders = ("--ingested", data / "ingest", "--clean", data / "clean", "--parents", data / "clean")
    told = ("--lists", exports.out / "run", "--out", exports.out / "run.html")
    issues = ("--issues", data / "issues", "--cut", spec.trial.data_cut)
    run("issues", "--view", "open", *folders, *issues, *told)
    lists = sorted(path.name for path in (exports.out / "issues").iterdir())
    assert lists == sorted(f"{site}.csv" for site in (*spec.trial.sites, "not_known"))
    for name in lists:
        assert (exports.out / "issues" / name).read_bytes() == (exports.out / "run" / name).read_bytes()
    rows = [
        page[page.index('id="files"') : page.index('class="rule"')]
        for page in (exports.page(), (exports.out / "run.html").read_text())
    ]
    assert rows[0] == rows[1]
    assert "<strong>no</strong>" not in rows[0]


def test_the_same_exports_give_the_same_bytes(exports: Checked, tmp_path: Path) -> None:
    first = exports.check(), {path.name: path.read_bytes() for path in exports.out.rglob("*.*")}
    shutil.rmtree(exports.out)
    assert first == (exports.check(), {path.name: path.read_bytes() for path in exports.out.rglob("*.*")})


def test_it_does_not_stop_at_the_first_stop(exports: Checked, capsys) -> None:
    """A file that is no text, one that is not there, one that nobody declared, one that tells the arm; cells,
    a key and a reference that cannot be; a correction that no longer fits.
    """
    (exports.raw / "trial/withdrawals.csv").write_bytes(b"id\n\xff\xfe\x00\n")
    (exports.raw / "court/proceedings.csv").unlink()
    (exports.raw / "trial/notes.csv").write_text("x\n")
    exports.set_cell("trial/deviations.csv", 3, "level", "NIM")
    exports.set_cell(FAMILIES, 7, "epoch", "9")
    exports.set_cell(FAMILIES, 9, "record_id", exports.text(FAMILIES).splitlines()[9].split(",")[0])
    exports.set_cell("trial/redcap_events.csv", 4, "event_dt", "2019-02-31")
    exports.set_cell("trial/screening_log.csv", 4, "family", "F9999")
    lines = exports.raw.parent / "corrections.csv"
    header = "table,key,field,old,new,reason,initials,date\n"
    lines.write_text(f"{header}children,C0001,sex,Q,M,typed,AB,2024-01-10\n")
    assert exports.check("--corrections", lines) == 1
    stops = exports.stops()
    expected = {
        ("R60", "trial/withdrawals.csv", "2"),
        ("R60", "court/proceedings.csv", "0"),
        ("R60", "trial/notes.csv", "0"),
        ("R61", "trial/deviations.csv", "3"),
        ("S05", FAMILIES, "7"),
        ("S08", FAMILIES, "10"),
        ("S04", "trial/redcap_events.csv", "4"),
        ("S09", "trial/screening_log.csv", "4"),
        ("K03", "corrections.csv", "2"),
    }
    assert expected <= set(stops)
    # What else stops follows from the key that was given twice: its children and its referral.
    assert {rule for rule, *_ in set(stops) - expected} <= {
        "S09",
        "SR02",
        "SR03",
        "SR04",
        "FA07",
        "FA08",
        "SR08",
    }
    first, *told = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{stops.total()} stops, ")
    assert "court/proceedings.csv, rule R60: no such file in the raw folder; table proceedings is" in told[1]
    assert {line.partition(",")[0] for line in told} == {file for _, file, _ in stops}


def test_it_says_which_checks_were_not_made(exports: Checked) -> None:
    exports.set_cell(FAMILIES, 9, "record_id", "Zoe Quux")
    (exports.raw / "glasgow/clas_placements.csv").write_bytes(b"")
    assert exports.check() == 1
    page = exports.page()
    assert "SR06 of screening: table families has rows whose key cannot be told" in page
    assert "CH06 of children: a file of table placements could not be read" in page
    assert "care histories (TR01 to TR05): they are put together only from tables without a stop" in page
    assert "Zoe" not in page + "".join(path.read_text() for path in (exports.out / "issues").iterdir())
    # The rows without a usable key are accounted for.
    (cells,) = re.findall(r'<tr><th scope="row">families</th>(.*?)</tr>', page)
    read, clean, aside, damaged = (int(each) for each in re.findall(r'data-sort="(\d+)"', cells))
    assert (read - clean - aside, damaged) == (1, 1)


def test_a_file_that_cannot_be_read_spares_the_others_of_its_pattern(exports: Checked) -> None:
    (exports.raw / "london/CROYDON/ssda903_episodes_2019.csv").write_bytes(b"\x00")
    exports.check()
    page = exports.page()
    assert ("R60", "london/CROYDON/ssda903_episodes_2019.csv", "1") in exports.stops()
    assert '<th scope="row">london/CROYDON/ssda903_episodes_2020.csv</th>' in page
    assert '<th scope="row">london/CROYDON/ssda903_episodes_2019.csv</th>' not in page


def test_a_column_named_after_an_arm_is_told_without_its_name(exports: Checked, spec: Spec) -> None:
    """What is found goes to people who may not know the arms; file and row are enough to find it."""
    arm = next(iter(spec.codelists["arm"]))
    lines = exports.text(FAMILIES).splitlines()
    exports.write(FAMILIES, "\n".join([f"{lines[0]},{arm}", *(f"{line},1" for line in lines[1:])]) + "\n")
    (exports.raw / f"trial/{arm}.csv").write_text("x\n")
    assert exports.check() == 1
    assert ("R61", FAMILIES, "1") in exports.stops()
    assert ("R60", "trial/?.csv", "0") in exports.stops()
    assert not re.search(rf"\b{arm}\b", exports.page())


def test_an_unsigned_list_of_corrections_is_a_finding(exports: Checked) -> None:
    lines = exports.raw.parent / "corrections.csv"
    lines.write_text("table,key,field,old,new,reason,initials,date\nchildren,C0001,sex,M,F,,,\n")
    assert exports.check("--corrections", lines) == 1
    assert exports.stops() == Counter({("K02", "corrections.csv", "2"): 1})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({0: "nowhere"}, "nowhere: no such folder; give the folder of the open exports."),
        ({0: "{parent}/empty"}, "empty: the raw folder holds no file."),
        ({2: "nobody"}, "nobody.yaml: no such file in mappings/."),
        ({5: "--cut", 6: "31/12/2019"}, "--cut: not a date of the form 2021-07-31"),
        ({4: "closed"}, "open results may not be written to closed/."),
        ({2: None}, "the following arguments are required: --mapping"),
        ({5: "--cutt", 6: "2019-12-31"}, "unrecognized arguments: --cutt"),
    ],
    ids=str,
)
def test_what_it_cannot_do_is_one_line(exports: Checked, capsys, change: dict, said: str) -> None:
    (exports.raw.parent / "empty").mkdir()
    words = dict(enumerate([str(exports.raw), "--mapping", "synthetic", "--out", str(exports.out)])) | change
    arguments = [
        word.format(parent=exports.raw.parent)
        for at, word in sorted(words.items())
        if not (change.get(2, "") is None and at in (1, 2))
    ]
    assert main(["check", *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert said in line
    assert not exports.out.exists()


def test_nothing_is_written_among_the_exports(exports: Checked, capsys) -> None:
    exports.out = exports.raw / "found"
    assert exports.check() == 2
    assert "may not lie among the exports" in capsys.readouterr().err
    assert not exports.out.exists()


def test_progress_is_shown_only_where_it_is_asked_for(exports: Checked, capsys) -> None:
    exports.check()
    assert capsys.readouterr().err == ""
    exports.check("--progress")
    assert "checks" in capsys.readouterr().err

"""Every kind of damage to an input, one at a time: what stops the run, what becomes a query, what is noted.

A row of a table below is one damage and what must become of it. Whatever it is, the message holds no value of
the data, nothing is half-written, and the rows read are the rows written and those set aside.
"""

import csv
import io
import os
import shutil
from collections.abc import Callable, Container, Mapping
from contextlib import redirect_stderr
from dataclasses import dataclass
from pathlib import Path

import pytest

from analysis.__main__ import main
from tests.conftest import run

FAMILIES, CHILDREN = "trial/redcap_families.csv", "trial/redcap_children.csv"
SCREENING, EVENTS = "trial/screening_log.csv", "trial/redcap_events.csv"
WITHDRAWALS, DEVIATIONS, COURT = "trial/withdrawals.csv", "trial/deviations.csv", "court/proceedings.csv"
GLASGOW, LONDON = "glasgow/clas_placements.csv", "london/BARKING_DAGENHAM/ssda903_episodes_2024.csv"
ALLOCATION, DELIVERY = "allocation.csv", "service/delivery.csv"
# Column by which the rows of a few families are kept, and whether it holds families or their children.
OF_FAMILIES = {
    **{SCREENING: "family", FAMILIES: "record_id", EVENTS: "family", WITHDRAWALS: "family"},
    **{DEVIATIONS: "family", COURT: "family", ALLOCATION: "family_id", DELIVERY: "family"},
}
OF_CHILDREN = {CHILDREN: "record_id", "glasgow/": "child_ref", "london/": "CHILD"}
ENROLMENT, FOLLOW_UP = {"redcap_event_name": "enrolment"}, {"redcap_event_name": "year_2_5"}
SEEN = {**FOLLOW_UP, "visit_dt": True}


@dataclass(frozen=True)
class Inputs:
    """Exports, restricted files and outputs of one small run."""

    folder: Path
    spec: object

    @property
    def out(self) -> Path:
        return self.folder / "out"

    def path(self, file: str) -> Path:
        return self.folder / ("restricted" if file in (ALLOCATION, DELIVERY) else "raw") / file

    def rows(self, file: str) -> list[list[str]]:
        text = self.path(file).read_text(encoding=encoding(file))
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter(file)))

    def write(self, file: str, rows: list[list[str]]) -> None:
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=delimiter(file), lineterminator="\n").writerows(rows)
        self.path(file).write_bytes(text.getvalue().encode(encoding(file)))

    def set_cell(
        self, file: str, where: Mapping[str, str | bool], column: str, value: str, used: Container[int] = ()
    ) -> int:
        """Change one cell in the first unused row that fits (True: filled in); its line."""
        header, *rows = self.rows(file)
        for line, row in enumerate(rows, start=2):
            cells = dict(zip(header, row, strict=True))
            if line not in used and all(
                wanted in (cells[name], bool(cells[name])) for name, wanted in where.items()
            ):
                row[header.index(column)] = value
                self.write(file, [header, *rows])
                return line
        raise LookupError(f"no row of {file} fits")

    def read(self, *, corrections: Path | None = None) -> int:
        """Ingest, clean, derive and allocate; the first exit code that is not 0."""
        data, closed = self.out / "data", self.out / "closed"
        cut = ["--cut", self.spec.trial.data_cut]
        raw = ["ingest", "--raw", self.folder / "raw", "--mapping", "synthetic"]
        tables = {each: self.spec.table_names(layer="raw", audience=each) for each in ("open", "closed")}
        fixed = ["--corrections", corrections] if corrections else []
        steps = [
            [*raw, "--out", data / "ingest", "--tables", *tables["open"]]
            + ["--issues", data / "issues" / "exports.csv"],
            ["clean", "--raw-tables", data / "ingest", *cut, *fixed, "--out", data / "clean"]
            + ["--issues", data / "issues", "--tables", *tables["open"]],
            [*raw, "--out", closed / "ingest", "--allocation", self.path(ALLOCATION)]
            + ["--issues", closed / "issues" / "exports.csv", "--tables", *tables["closed"]],
            ["clean", "--raw-tables", closed / "ingest", *cut, "--parents", data / "clean"]
            + ["--out", closed / "clean", "--issues", closed / "issues", "--tables", *tables["closed"]],
            ["derive", "--clean", data / "clean", *cut, "--out", data / "derived"]
            + ["--issues", data / "issues" / "histories.csv"],
            ["allocate", "--view", "closed", "--derived", data / "derived", "--out", closed / "allocated"]
            + ["--allocation", closed / "clean" / "allocation.csv", "--revealing", closed / "derived"],
        ]
        return next((code for step in steps if (code := main([str(each) for each in step]))), 0)

    def issues(self) -> list[dict[str, str]]:
        files = sorted(self.out.glob("*/issues/*.csv"))
        return [row for file in files for row in csv.DictReader(io.StringIO(file.read_text(), newline=""))]


def encoding(file: str) -> str:
    return "cp1252" if file == COURT else "utf-8-sig"


def delimiter(file: str) -> str:
    return ";" if file == COURT else ","


@pytest.fixture(scope="module")
def small(spec, tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    """The files of a few families, without dirt, so that what is found is the damage."""
    made = Inputs(tmp_path_factory.mktemp("small"), spec)
    run("synth", "--clean", "--raw", made.folder / "raw", "--restricted", made.folder / "restricted")
    for file in ("truth.json", "dirt.csv"):
        (made.folder / "restricted" / file).unlink()
    kept = set()
    for file in (EVENTS, WITHDRAWALS, DEVIATIONS):
        kept |= {row[made.rows(file)[0].index("family")] for row in made.rows(file)[1:4]}
    last = [
        row for path in made.folder.glob("raw/london/*/*_2024.csv") for row in made.rows(named(made, path))
    ]
    seen = {row[0] for row in [*last[:12], *made.rows(LONDON)[1:]]}
    kept |= {row[4] for row in made.rows(CHILDREN) if row[0] in seen and row[4]}
    children = {row[0] for row in made.rows(CHILDREN) if row[4] in kept}
    for path in made.folder.rglob("*.xml"):  # damage is done to tables of text
        path.unlink()
    files = [named(made, path) for path in made.folder.glob("raw/**/*.csv")]
    files = [file for file in files if not file.endswith("_dictionary.csv")]  # which hold no rows of families
    for file in [*files, ALLOCATION, DELIVERY]:
        (column,) = [name for part, name in {**OF_FAMILIES, **OF_CHILDREN}.items() if file.startswith(part)]
        header, *rows = made.rows(file)
        units = kept if file in OF_FAMILIES else children
        made.write(file, [header, *(row for row in rows if row[header.index(column)] in units)])
    return made


def named(made: Inputs, path: Path) -> str:
    return path.relative_to(made.folder / "raw").as_posix()


@pytest.fixture
def inputs(small: Inputs, tmp_path: Path) -> Inputs:
    shutil.copytree(small.folder, tmp_path / "run")
    return Inputs(tmp_path / "run", small.spec)


def refused(inputs: Inputs, capsys: pytest.CaptureFixture[str], *words: str, **options: Path) -> str:
    """The run stops with one paragraph that holds these words, and leaves no step half done."""
    code = inputs.read(**options)
    said = capsys.readouterr().err
    (message,) = [line for line in said.splitlines() if not line.startswith(("ingest:", "clean:", "derive:"))]
    assert (code, message[:7]) == (2, "error: ")
    for word in words:
        assert word in message
    assert not list(inputs.out.rglob("*.partial"))
    assert not (inputs.out / "closed" / "allocated").exists()
    return message


def test_the_untouched_inputs_raise_nothing_but_notes(inputs: Inputs) -> None:
    """And what one year's return of an authority takes back of another's."""
    assert inputs.read() == 0
    queries = [issue["rule"] for issue in inputs.issues() if issue["severity"] != "note"]
    assert set(queries) <= {"R32", "R44"}


STOPS = {
    "unknown code": (FAMILIES, {}, "epoch", "Zoe", "S05", "families.epoch"),
    "a code given in two lines": (FAMILIES, {}, "authority", "GLAS\nGOW", "S05", "families.local_authority"),
    "31 February": (FAMILIES, {}, "rand_dt", "31/02/2019", "S04", "families.randomisation_date"),
    "placeholder of a required date": (FAMILIES, {}, "rand_dt", "1900-01-01", "S07", "randomisation_date"),
    "missing code of a required date": (FAMILIES, {}, "rand_dt", "-97", "S07", "randomisation_date"),
    "id that is a name": (CHILDREN, ENROLMENT, "record_id", "Zoe Quux", "S06", "children.child_id"),
    "id without its zeros": (FAMILIES, {}, "record_id", "F1", "S06", "families.family_id"),
    "empty id": (FAMILIES, {}, "record_id", "", "S07", "families.family_id"),
    "born after the cut": (CHILDREN, ENROLMENT, "dob", "2035-01-01", "CH03", "children.birth_date"),
    "dangling family of a child": (CHILDREN, ENROLMENT, "family", "F9999", "S09", "children.family_id"),
    "dangling child of a placement": (GLASGOW, {}, "child_ref", "C9999", "S09", "placements.child_id"),
    "family that is not in the trial": (SCREENING, {}, "family", "F9999", "S09", "screening.family_id"),
    "event of another family's child": (EVENTS, {"record_id": True}, "family", "", "S07", "family_id"),
    "referral without its family": (SCREENING, {}, "family", "", "SR02", "screening.family_id"),
    "family of a referral declined": (SCREENING, {}, "outcome", "declined", "SR03", "screening.family_id"),
    "another number of children": (SCREENING, {}, "children", "9", "SR08", "screening.n_children"),
    "placement ends before it begins": (LONDON, {"DEC": True}, "DEC", "01/01/2003", "PL01", "end_date"),
    "unknown event of the form": (CHILDREN, FOLLOW_UP, "redcap_event_name", "year_5", "no table takes", ""),
    "answer in a row of another form": (CHILDREN, ENROLMENT, "sdq_01", "1", "'sdq_01' is filled in", ""),
    "answers without the day": (CHILDREN, {"sdq_dt": True}, "sdq_dt", "", "is filled in", ""),
    "placement outside its episode": (GLASGOW, {}, "episode_start_date", "31/12/2050", "its episode", ""),
    "arm in a cell that is read": (EVENTS, {}, "outcome", "sau", "names an arm", "'outcome'"),
    "arm in a cell that is not read": (LONDON, {}, "URN", "seen by NIM", "names an arm", "'URN'"),
    "unknown arm": (ALLOCATION, {}, "arm", "placebo", "S05", "allocation.arm"),
    "no arm": (ALLOCATION, {}, "arm", "", "S07", "allocation.arm"),
    "arm of a family that is not in the trial": (ALLOCATION, {}, "family_id", "F9999", "S09", "family_id"),
    "neither yes nor no": (DELIVERY, {}, "received", "maybe", "S04", "delivery.is_received"),
}


@pytest.mark.parametrize("case", STOPS, ids=lambda case: case.replace(" ", "_"))
def test_a_cell_that_stops(inputs: Inputs, capsys, case: str) -> None:
    file, where, column, value, *words = STOPS[case]
    line = inputs.set_cell(file, where, column, value)
    message = refused(inputs, capsys, f"{file}, row {line}", *words)
    assert len(value) < 3 or value not in message


FOUND = {
    "unknown code of an optional field": (FAMILIES, {}, "removed_reason", "Zoe", "S05", "set_missing"),
    "31 February, optional": (FAMILIES, {}, "consent_dt", "2019-02-31", "S04", "set_missing"),
    "placeholder": (FAMILIES, {}, "consent_dt", "1900-01-01", "S01", "keep"),
    "year 9999": (FAMILIES, {}, "consent_dt", "9999-12-31", "S04", "set_missing"),
    "serial number of a spreadsheet": (FAMILIES, {}, "consent_dt", "41000", "S04", "set_missing"),
    "year of two digits": (FAMILIES, {}, "consent_dt", "08/03/12", "S04", "set_missing"),
    "our own mark": (CHILDREN, {"sdq_dt": True}, "sdq_01", ".lost", "S05", "set_missing"),
    "negative item": (CHILDREN, {"sdq_dt": True}, "sdq_01", "-98", "S06", "set_missing"),
    "item out of range": (CHILDREN, {"sdq_dt": True}, "sdq_01", "3", "S06", "set_missing"),
    "item that is a word": (CHILDREN, {"sdq_dt": True}, "sdq_01", "Zoe", "S04", "set_missing"),
    "item in other digits": (CHILDREN, {"sdq_dt": True}, "sdq_01", "\u0661", "S04", "set_missing"),
    "number beyond all": (CHILDREN, {"pirgas": True}, "pirgas", "1e999", "S04", "set_missing"),
    "number with a grouping comma": (CHILDREN, {"pirgas": True}, "pirgas", "1,234", "S04", "set_missing"),
    "decimal comma": (CHILDREN, {"pirgas": True}, "pirgas", "50,5", "S03", "restored"),
    "formula": (CHILDREN, {"pirgas": True}, "pirgas", "=1+1", "S04", "set_missing"),
    "score out of range": (CHILDREN, {"pirgas": True}, "pirgas", "140", "SC01", "set_missing"),
    "printed total": (CHILDREN, {"sdq_total": True}, "sdq_total", "40", "SD01", "keep"),
    "item the form has not": (CHILDREN, {"pedsql_form": "1-12m"}, "pedsql_45", "1", "PQ04", "keep"),
    "form for another age": (CHILDREN, {"pedsql_form": "1-12m"}, "pedsql_form", "5-7", "PQ02", "keep"),
    "small letters": (FAMILIES, {"authority": "GLASGOW"}, "authority", "gLaSgOw", "S03", "restored"),
    "authority of another site": (SCREENING, {"site": "London"}, "site", "Glasgow", "SR05", "keep"),
    "code no longer in use": (LONDON, {"REC": True}, "REC", "E43", "PL08", "keep"),
    "randomised after recruitment": (FAMILIES, {}, "rand_dt", "2022-05-05", "FA02", "keep"),
    "referred after randomisation": (SCREENING, {}, "date_referred", "01/01/2022", "SR06", "keep"),
    "consent after the cut": (FAMILIES, {}, "consent_dt", "2031-01-01", "C03", "set_back"),
    "visit before care": (
        CHILDREN,
        FOLLOW_UP | {"visit_dt": True},
        "visit_dt",
        "2003-01-01",
        "AS03",
        "set_missing",
    ),
    "day of a missed visit": (
        CHILDREN,
        FOLLOW_UP | {"visit_dt": True},
        "visit_status",
        "missed",
        "AS05",
        "keep",
    ),
    "no reason for ending": (LONDON, {"DEC": True}, "REC", "", "PL03", "keep"),
    "placement ends after the cut": (LONDON, {"DEC": ""}, "DEC", "01/02/2031", "C03", "set_back"),
    "order before application": (COURT, {}, "final_order", "15.12.2010", "PR01", "set_missing"),
    "application after the cut": (COURT, {}, "applied", "15.12.2030", "C01", "set_aside"),
    "event after the cut": (EVENTS, {}, "event_dt", "2030-12-15", "C01", "set_aside"),
    "withdrawal after the cut": (WITHDRAWALS, {}, "date", "15/12/2030", "C01", "set_aside"),
    "deviation after the cut": (DEVIATIONS, {}, "date", "15/12/2030", "C01", "set_aside"),
    "service before randomisation": (
        DELIVERY,
        {"received": "1"},
        "first_contact",
        "01/01/2011",
        "DE03",
        "keep",
    ),
    "sessions of a service not received": (DELIVERY, {"received": "0"}, "sessions", "12", "DE07", "keep"),
    "probability beyond one": (ALLOCATION, {}, "probability", "1.5", "S06", "set_missing"),
}


@dataclass(frozen=True)
class Found:
    """What one run said of all the damages of `FOUND`, each in a row of its own."""

    inputs: Inputs
    lines: dict[str, int]
    said: str


@pytest.fixture(scope="module")
def found(small: Inputs, tmp_path_factory: pytest.TempPathFactory) -> Found:
    inputs = Inputs(tmp_path_factory.mktemp("found") / "run", small.spec)
    shutil.copytree(small.folder, inputs.folder)
    lines: dict[str, int] = {}
    for case, (file, where, column, value, *_) in FOUND.items():
        used = {line for other, line in lines.items() if FOUND[other][0] == file}
        lines[case] = inputs.set_cell(file, where, column, value, used)
    with redirect_stderr(io.StringIO()) as said:
        assert inputs.read() == 0, said.getvalue()
    return Found(inputs, lines, said.getvalue())


@pytest.mark.parametrize("case", FOUND, ids=lambda case: case.replace(" ", "_"))
def test_a_cell_that_is_found(found: Found, case: str) -> None:
    """The run goes on; the finding names the row and holds no value."""
    file, _, _, value, rule, action = FOUND[case]
    issues = [each for each in found.inputs.issues() if (each["source_file"], each["rule"]) == (file, rule)]
    assert (str(found.lines[case]), action) in {(each["source_row"], each["action"]) for each in issues}
    if len(value) > 3 and value.lower() not in file:
        assert not any(value in text for each in issues for text in each.values())
        assert value not in found.said.replace(file, "")


def test_no_row_is_lost(found: Found) -> None:
    check_rows_add_up(found.inputs)


def check_rows_add_up(inputs: Inputs) -> None:
    for folder in (inputs.out / "data", inputs.out / "closed"):
        for path in folder.glob("clean/*.csv"):
            read, kept, found = (lines(folder / part / path.name) for part in ("ingest", "clean", "issues"))
            aside = [row for row in found if row["action"] == "set_aside"]
            assert len(read) == len(kept) + len(aside), path.name


def lines(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(), newline="")))


def bytes_of(change: Callable[[bytes], bytes], file: str = FAMILIES) -> Callable[[Inputs], None]:
    return lambda inputs: inputs.path(file).write_bytes(change(inputs.path(file).read_bytes()))


def rows_of(change: Callable[[list], list], file: str = FAMILIES) -> Callable[[Inputs], None]:
    return lambda inputs: inputs.write(file, change(inputs.rows(file)))


def add_file(name: str) -> Callable[[Inputs], None]:
    def add(inputs: Inputs) -> None:
        (inputs.folder / "raw" / name).parent.mkdir(exist_ok=True)
        (inputs.folder / "raw" / name).write_text("a,b\n1,2\n")

    return add


def widened(name: str, value: str) -> Callable[[list], list]:
    return lambda rows: [[*rows[0], name], *([*row, value] for row in rows[1:])]


FILES = {
    "missing": (lambda inputs: inputs.path(FAMILIES).unlink(), FAMILIES, "no such file"),
    "a folder in its place": (
        lambda i: (i.path(FAMILIES).unlink(), i.path(FAMILIES).mkdir()),
        FAMILIES,
        "no such",
    ),
    "a link to nothing": (
        lambda i: (i.path(FAMILIES).unlink(), i.path(FAMILIES).symlink_to("none.csv")),
        FAMILIES,
        "no such file",
    ),
    "empty": (bytes_of(lambda content: b""), FAMILIES, "empty"),
    "blank lines": (bytes_of(lambda content: b"\n\n"), FAMILIES, "empty"),
    "cut short within a row": (
        bytes_of(lambda c: c[: c.rindex(b",", 0, -30)] + b"\n"),
        FAMILIES,
        "cells where",
    ),
    "header alone": (rows_of(lambda rows: rows[:1]), "S09", "table families"),
    "no screening log": (rows_of(lambda rows: rows[:1], SCREENING), FAMILIES, "FA07"),
    "a family without its children": (
        rows_of(lambda rows: [row for row in rows if row[0] != rows[1][0]], CHILDREN),
        "S09",
        "table children",
    ),
    "a workbook": (
        bytes_of(lambda c: b"PK\x03\x04\x14\x00\x06\xff" + bytes(range(256))),
        FAMILIES,
        "not utf-8",
    ),
    "UTF-16": (bytes_of(lambda c: c.decode().encode("utf-16")), FAMILIES, "row 1", "not utf-8"),
    "UTF-16 without its mark": (
        bytes_of(lambda c: c.decode("utf-8-sig").encode("utf-16-le")),
        "row 1",
        "NUL",
    ),
    "one line in another encoding": (
        bytes_of(lambda c: c.replace(b"GLASGOW", b"GL\xc2SGOW", 1)),
        "row 2",
        "not utf-8",
    ),
    "another delimiter": (bytes_of(lambda c: c.replace(b",", b";")), FAMILIES, "row 1", "not the header"),
    "two byte-order marks": (
        bytes_of(lambda c: b"\xef\xbb\xbf\xef\xbb\xbf" + c.lstrip(b"\xef\xbb\xbf")),
        "row 1",
    ),
    "NUL character": (bytes_of(lambda c: c.replace(b"GLASGOW", b"GLAS\0GOW", 1)), "row 2", "NUL"),
    "end mark of an old system": (bytes_of(lambda c: c + b"\x1a\n"), FAMILIES, "1 cells where"),
    "open quotation": (
        bytes_of(lambda c: c.replace(b"GLASGOW", b'"GLASGOW', 1).replace(b',"', b',"', 1)),
        FAMILIES,
    ),
    "total line": (bytes_of(lambda c: c + b"12 rows\n"), FAMILIES, "1 cells where"),
    "no header": (rows_of(lambda rows: rows[1:]), FAMILIES, "row 1", "not the header"),
    "header twice": (rows_of(lambda rows: [*rows, rows[0]]), FAMILIES, "S06"),
    "column twice": (
        rows_of(lambda rows: [[*rows[0][:3], "authority", *rows[0][4:]], *rows[1:]]),
        "row 1",
        "twice",
    ),
    "column more": (rows_of(widened("notes", "Zoe Quux")), FAMILIES, "row 1", "'notes'"),
    "column less": (rows_of(lambda rows: [row[:-2] for row in rows]), FAMILIES, "row 1", "no column"),
    "column renamed": (rows_of(lambda r: [["RECORD", *r[0][1:]], *r[1:]]), FAMILIES, "row 1", "'RECORD'"),
    "column of the arm": (rows_of(widened("studyArm", "1")), FAMILIES, "row 1", "looks like the arm"),
    "arms in a column nobody reads": (
        rows_of(lambda rows: [rows[0], *([*row[:-1], "NIM"] for row in rows[1:])]),
        FAMILIES,
        "row 2",
        "names an arm",
    ),
    "row cut short": (rows_of(lambda rows: [*rows[:3], rows[3][:-1], *rows[4:]]), "row 4", "8 cells"),
    "row too long": (rows_of(lambda rows: [*rows[:3], [*rows[3], ""], *rows[4:]]), "row 4", "10 cells"),
    "key twice": (rows_of(lambda rows: [*rows, [rows[1][0], *rows[2][1:]]]), FAMILIES, "S08"),
    "family referred twice": (
        rows_of(lambda rows: [*rows, ["S9999", *rows[1][1:]]], SCREENING),
        "SR04",
        "screening.family_id",
    ),
    "child twice under two ids": (rows_of(lambda r: [*r, ["C9999", *r[1][1:]]], CHILDREN), SCREENING, "SR08"),
    "placements overlap": (
        rows_of(lambda rows: [*rows, [*rows[1][:4], "01/01/2012", "01/01/2030", *rows[1][6:]]], GLASGOW),
        GLASGOW,
    ),
    "file nobody declared": (add_file("trial/notes.csv"), "trial/notes.csv", "no entry of the mapping"),
    "delivery among the open files": (add_file(DELIVERY), DELIVERY, "reveals the arm"),
    "allocation among the open files": (add_file(ALLOCATION), ALLOCATION, "reveals the arm"),
    "no raw folder": (lambda inputs: shutil.rmtree(inputs.folder / "raw"), "raw folder"),
    "output that is a file": (lambda inputs: inputs.out.write_text(""), "out"),
    "allocation missing": (lambda inputs: inputs.path(ALLOCATION).unlink(), ALLOCATION),
    "allocation without a family": (rows_of(lambda rows: rows[:-1], ALLOCATION), ALLOCATION, "W01"),
    "allocation of a stranger": (
        rows_of(lambda r: [*r, ["F9999", *r[1][1:]]], ALLOCATION),
        ALLOCATION,
        "S09",
    ),
    "two arms for a family": (
        rows_of(lambda r: [*r, [r[1][0], {"NIM": "SAU", "SAU": "NIM"}[r[1][1]], *r[1][2:]]], ALLOCATION),
        ALLOCATION,
        "S08",
    ),
    "one arm only": (rows_of(lambda r: [r[0], *([x[0], "NIM", *x[2:]] for x in r[1:])], ALLOCATION), "W03"),
    "allocation with names": (rows_of(widened("name", "Zoe Quux"), ALLOCATION), ALLOCATION, "'name'"),
    "delivery missing": (lambda inputs: inputs.path(DELIVERY).unlink(), DELIVERY, "no such file"),
}


@pytest.mark.parametrize("case", FILES, ids=lambda case: case.replace(" ", "_"))
def test_a_file_that_stops(inputs: Inputs, capsys, case: str) -> None:
    damage, *words = FILES[case]
    damage(inputs)
    message = refused(inputs, capsys, *words)
    for value in ("Zoe", "placebo", "F9999", "C9999"):
        assert value not in message


HEADER = "table,key,field,old,new,reason,initials,date\n"
CORRECTIONS = {
    "old value gone": (HEADER + "families,{id},epoch,Zoe,CBR,x,AB,2024-01-05\n", "row 2, rule K03"),
    "not signed": (HEADER + "families,{id},epoch,{old},CBR,x,,2024-01-05\n", "row 2, rule K02"),
    "no reason": (HEADER + "families,{id},epoch,{old},CBR,,AB,2024-01-05\n", "row 2, rule K02"),
    "another date": (HEADER + "families,{id},epoch,{old},CBR,x,AB,05/01/2024\n", "row 2, rule K02"),
    "unknown table": (HEADER + "familes,{id},epoch,{old},CBR,x,AB,2024-01-05\n", "row 2, rule K01"),
    "closed table": (HEADER + "allocation,{id},arm,NIM,SAU,x,AB,2024-01-05\n", "row 2, rule K01"),
    "provenance": (HEADER + "families,{id},source_row,2,3,x,AB,2024-01-05\n", "row 2, rule K01"),
    "one value twice": (
        HEADER
        + "families,{id},epoch,{old},CRB,x,AB,2024-01-05\nfamilies,{id},epoch,{old},CBR,y,AB,2024-01-06\n",
        "row 3, rule K04",
    ),
    "a code that is none": (HEADER + "families,{id},epoch,{old},Zoe,x,AB,2024-01-05\n", "rule S05"),
    "row too long": (HEADER + "families,{id},epoch,{old},CBR,x,AB,2024-01-05,more\n", "corrections.csv"),
    "other columns": ("table,key,field,was\n", "row 1"),
    "empty": ("", "corrections.csv"),
    "UTF-16": ("\ufeff" + HEADER, "corrections.csv"),
}


@pytest.mark.parametrize("case", CORRECTIONS, ids=lambda case: case.replace(" ", "_"))
def test_a_list_of_corrections_that_stops(inputs: Inputs, capsys, case: str) -> None:
    content, word = CORRECTIONS[case]
    family, path = inputs.rows(FAMILIES)[1], inputs.folder / "corrections.csv"
    old = {"1": "CBR", "2": "RCB", "3": "CRB"}[family[3]]
    text = content.replace("{id}", family[0]).replace("{old}", old)
    path.write_text(text, encoding="utf-16-le" if case == "UTF-16" else "utf-8")
    message = refused(inputs, capsys, word, corrections=path)
    assert "Zoe" not in message


def test_a_step_that_cannot_write_leaves_nothing(inputs: Inputs, capsys) -> None:
    """A folder lies where the step would write its last file: none of the others is written."""
    (inputs.out / "data" / "clean" / "deviations.csv").mkdir(parents=True)
    refused(inputs, capsys, os.path.join("clean", "deviations.csv"))
    assert [path.name for path in (inputs.out / "data" / "clean").iterdir()] == ["deviations.csv"]
    assert [path.name for path in (inputs.out / "data" / "issues").iterdir()] == ["exports.csv"]

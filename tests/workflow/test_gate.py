"""The leakage gate: every kind of leak, planted in a part of a finished run, is caught, and nothing else."""

import base64
import csv
import io
import json
import shutil
import struct
import subprocess
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from analysis.__main__ import main
from analysis.gate.check import BESIDE_CLOSED, BY_ITSELF, check_beside_closed, check_open
from analysis.gate.finding import KINDS
from analysis.spec.declarations import Spec
from tests.workflow.conftest import Copy

# A part of the run, so that a leak is looked for in a fraction of a second.
PART = (
    *(f"open/outputs/F9.{form}" for form in ("svg", "pdf", "png", "txt")),
    *("open/outputs/T1.csv", "open/outputs/T1.json", "open/define.html"),
    *("open/results/flow.json", "open/results/harms.json", "open/issues/GLA.csv"),
    *("data/clean/families.csv", "data/clean/children.csv", "data/derived/retention.csv"),
    *("data/derived/protocol_deviations.csv", "data/derived/recruitment.csv", "logs/clean.log"),
    *("closed/clean/allocation.csv", "closed/allocated/subjects.csv", "closed/outputs/T1.csv"),
    *("closed/results/flow.json", "closed/results/harms.json"),
)

# Finished runs, by fixture, whose walls are looked at.
RUNS = ["finished"]


@dataclass(frozen=True)
class Tree:
    """A part of a finished run, to plant leaks in."""

    out: Path
    whole: Path

    def __truediv__(self, name: str) -> Path:
        return self.out / name

    def arms(self) -> dict[str, bool]:
        """Family -> whether it is in the first arm of the list."""
        rows = self.rows("closed/clean/allocation.csv")
        return {row["family_id"]: row["arm"] == rows[0]["arm"] for row in rows}

    def rows(self, name: str) -> list[dict[str, str]]:
        with (self / name).open(encoding="utf-8", newline="") as handle:
            return list(csv.DictReader(handle))

    def write(self, name: str, rows: list[dict[str, str]]) -> None:
        with (self / name).open("w", encoding="utf-8", newline="") as handle:
            writer = csv.DictWriter(handle, rows[0])
            writer.writeheader()
            writer.writerows(rows)

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self / name).read_text(encoding="utf-8")
        assert old in text
        (self / name).write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.fixture
def tree(finished: Copy, tmp_path: Path) -> Tree:
    for name in PART:
        (tmp_path / "out" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(finished.folder / "out" / name, tmp_path / "out" / name)
    return Tree(tmp_path / "out", finished.folder / "out")


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def with_chunk(kind: bytes, body: bytes) -> Callable[[Tree], None]:
    def plant(tree: Tree) -> None:
        data = (tree / "open/outputs/F9.png").read_bytes()
        (tree / "open/outputs/F9.png").write_bytes(data[:33] + chunk(kind, body) + data[33:])

    return plant


def drawn(form: str, *, text: str = "", colour: str = "#35485A", **metadata: str) -> Callable[[Tree], None]:
    """A figure drawn as the others are, with a legend in a colour."""

    def plant(tree: Tree) -> None:
        from matplotlib.figure import Figure

        from analysis.present.canvas import styled

        with styled(Path("reports/trial.mplstyle")):
            figure = Figure(figsize=(4, 3))
            axes = figure.add_subplot()
            axes.plot([0, 1], [0, 1], color=colour, label="First")
            axes.plot([0, 1], [1, 0], color="#35485A", label="Second")
            axes.legend()
            axes.set_title(f"Families, {text} Σ")
            stream = io.BytesIO()
            figure.savefig(stream, format=form, metadata=metadata)
        (tree / f"open/outputs/F9.{form}").write_bytes(stream.getvalue())

    return plant


def added(name: str, text: str) -> Callable[[Tree], None]:
    def plant(tree: Tree) -> None:
        with (tree / name).open("a", encoding="utf-8") as handle:
            handle.write(text)

    return plant


def docx(name: str, old: bytes, new: bytes) -> Callable[[Tree], None]:
    """The Word report without its pictures, one of its parts changed."""

    def plant(tree: Tree) -> None:
        with (
            zipfile.ZipFile(tree.whole / "open/report.docx") as package,
            zipfile.ZipFile(tree / "open/report.docx", "w") as changed,
        ):
            assert old in package.read(name)
            for part in package.namelist():
                if not part.startswith("word/media/"):
                    data = package.read(part)
                    changed.writestr(part, data.replace(old, new, 1) if part == name else data)

    return plant


def named(tree: Tree) -> None:
    (tree / "open/issues/nim_sessions.csv").write_text("family_id\n")


def headed(column: str) -> Callable[[Tree], None]:
    """A list for data managers with one more column, which is empty."""

    def plant(tree: Tree) -> None:
        rows = [{**row, column: ""} for row in tree.rows("open/issues/GLA.csv")]
        tree.write("open/issues/GLA.csv", rows)

    return plant


def label_of_arm(tree: Tree) -> None:
    path = tree / "open/results/flow.json"
    body = json.loads(path.read_text())
    body["results"][0]["counts"][0]["labels"]["arm"] = "1"
    path.write_text(json.dumps(body))


def embedded(tree: Tree) -> None:
    """A picture within a page, in the colour of an arm."""
    drawn("png", colour="#BD5200")(tree)
    picture = base64.b64encode((tree / "open/outputs/F9.png").read_bytes()).decode()
    (tree / "open/outputs/F9.png").unlink()
    added("open/define.html", f'<img alt="" src="data:image/png;base64,{picture}">')(tree)


OPEN_LEAKS: dict[str, tuple[str, Callable[[Tree], None]]] = {
    "an arm in a log": ("name", added("logs/clean.log", "clean: 12 rows of NIM\n")),
    "a label in a log": ("name", added("logs/clean.log", "social work services as usual\n")),
    "a service": ("name", added("logs/clean.log", "seen by LIFT\n")),
    "a comment of a page": ("name", added("open/define.html", "<!-- SAU -->")),
    "an alternative text": (
        "name",
        added("open/define.html", '<img alt="the New&#32;Orleans Intervention Model">'),
    ),
    "a word cut by tags": ("name", added("open/define.html", "<b>N</b>IM")),
    "a text in two bytes a letter": ("name", added("logs/clean.log", "\0N\0I\0M\0")),
    "a title in SVG": ("name", added("open/outputs/F9.svg", "<!-- --><title>SAU</title>")),
    "words of a PDF": ("name", drawn("pdf", text="SAU")),
    "words of a Word document": ("name", docx("word/document.xml", b"</w:t>", b" S</w:t><w:t>AU</w:t>")),
    "metadata of a PDF": ("metadata", drawn("pdf", Author="team NIM")),
    "metadata of a PNG": ("metadata", with_chunk(b"tEXt", b"Comment\0NIM")),
    "compressed metadata of a PNG": (
        "metadata",
        with_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"by SAU")),
    ),
    "metadata of a Word document": (
        "metadata",
        docx("docProps/core.xml", b"</dc:title>", b" NIM</dc:title>"),
    ),
    "a name of a file": ("file name", named),
    "a legend in SVG": ("colour", drawn("svg", colour="#0072B2")),
    "a legend in PDF": ("colour", drawn("pdf", colour="#0072B2")),
    "a legend in PNG": ("colour", drawn("png", colour="#BD5200")),
    "a legend of a picture in a page": ("colour", embedded),
    "a column of the service": ("closed column", headed("n_sessions")),
    "a column named like an arm": ("closed column", headed("allocatedGroup")),
    "a number of one arm": ("label", label_of_arm),
    "a picture that is none": ("unreadable", lambda tree: (tree / "open/outputs/F9.png").write_bytes(b"x")),
}


@pytest.fixture(params=RUNS)
def run(request: pytest.FixtureRequest) -> Path:
    """The output folder of a finished run."""
    return request.getfixturevalue(request.param).folder / "out"


def test_nothing_is_found_in_an_untouched_run(run: Path):
    """The whole run passed both gates, or it would not be finished; what each looked for is on record."""
    for view, checks in (("open", BY_ITSELF), ("closed", BESIDE_CLOSED)):
        with (run / view / "gate.csv").open(newline="") as handle:
            rows = list(csv.DictReader(handle))
        assert [row["check"] for row in rows] == list(checks)
        assert {row["findings"] for row in rows} == {"0"}
        assert all(int(row["files"]) > 40 for row in rows)
    assert {*BY_ITSELF, *BESIDE_CLOSED} == set(KINDS)


def test_the_closed_side_is_for_its_owner_alone(run: Path):
    closed = [run / name for name in ("closed", "logs/closed", "benchmarks/closed")]
    assert [each.stat().st_mode & 0o777 for each in closed] == [0o700] * len(closed)
    below = [path for top in closed[:1] for path in top.rglob("*")]
    assert len(below) > 100
    assert [str(path) for path in below if path.stat().st_mode & 0o077] == []
    assert (run / "open").stat().st_mode & 0o077  # as the user's own mask has it


def test_nothing_is_found_in_the_untouched_part(tree: Tree, spec: Spec):
    assert check_open(tree.out, spec)[1] == []
    assert check_beside_closed(tree.out, tree / "closed", spec)[1] == []


@pytest.mark.parametrize("leak", OPEN_LEAKS)
def test_a_leak_is_caught_without_knowing_the_allocation(tree: Tree, spec: Spec, leak: str):
    kind, plant = OPEN_LEAKS[leak]
    plant(tree)
    _, found = check_open(tree.out, spec)
    assert [each.kind for each in found] == [kind]
    names = [*spec.arm_names, *spec.blinding.services, "nim"]
    assert not any(name in str(each) for each in found for name in names)


def test_a_dummy_or_closed_file_may_name_arms(tree: Tree, spec: Spec):
    for folder in ("closed", "logs/closed", "dummy"):
        (tree / folder).mkdir(parents=True, exist_ok=True)
        (tree / folder / "NIM.txt").write_text("NIM")
    assert check_open(tree.out, spec)[1] == []
    (tree / "open/closed").mkdir()
    (tree / "open/closed/list.txt").write_text("NIM")
    assert [each.file for each in check_open(tree.out, spec)[1]] == ["open/closed/list.txt"]


@pytest.mark.parametrize(
    ("body", "kinds"),
    [
        ({"input": ["analysis/errors.py", "out/data/cut.json"]}, []),
        ({"input": ["out/closed/clean/allocation.csv"]}, ["origin"]),
        ({"input": ["out/synthetic/restricted/allocation.csv"]}, ["origin"]),
        ({"input": [], "params": ["'NIM'"]}, ["metadata"]),
    ],
)
def test_how_an_open_file_was_made_is_looked_at(tmp_path: Path, spec: Spec, monkeypatch, body, kinds):
    monkeypatch.chdir(tmp_path)
    records = Path("records")
    for name in ("out/open/T1.csv", "out/closed/T1.csv", "elsewhere/NIM.csv"):
        coded = base64.urlsafe_b64encode(name.encode()).decode()
        folder = records / f"@{coded[:8]}"
        folder.mkdir(parents=True)
        (folder / coded[8:]).write_text(json.dumps(body))
    Path("out/open").mkdir(parents=True)
    _, found = check_open(Path("out"), spec, records)
    assert [(each.file, each.kind) for each in found] == [("open/T1.csv", kind) for kind in kinds]


def sizes_in_a_log(tree: Tree) -> None:
    arms = list(tree.arms().values())
    added("logs/clean.log", f"randomised: {sum(arms)} and {len(arms) - sum(arms)} families\n")(tree)


def grouping(labels: Callable[[str], dict[str, str]]) -> Callable[[Tree], None]:
    """Counts of each arm, in the open results under another label."""

    def plant(tree: Tree) -> None:
        closed = json.loads((tree / "closed/results/flow.json").read_text())["results"][0]
        path = tree / "open/results/flow.json"
        body = json.loads(path.read_text())
        for count in closed["counts"]:
            arm = count["labels"]["arm"]
            if arm != "All" and count["labels"]["box"] == "in":
                body["results"][0]["counts"].append(
                    {**count, "labels": {**count["labels"], "arm": "All", **labels(arm)}}
                )
        path.write_text(json.dumps(body))

    return plant


def rest_of_a_total(tree: Tree) -> None:
    """A second analysis with one arm's families: all less these are the other arm's."""
    grouping(lambda arm: {"arm": arm})(tree)
    path = tree / "open/results/flow.json"
    body = json.loads(path.read_text())
    (first,) = body["results"]
    arm = next(each["labels"]["arm"] for each in first["counts"] if each["labels"]["arm"] != "All")
    part = [
        {**each, "labels": {**each["labels"], "arm": "All"}}
        for each in first["counts"]
        if each["labels"]["arm"] == arm
    ]
    first["counts"] = [each for each in first["counts"] if each["labels"]["arm"] == "All"]
    body["results"].append({**first, "analysis": "N01X", "counts": part})
    path.write_text(json.dumps(body))


def only_of_one_arm(tree: Tree) -> None:
    path = tree / "closed/results/harms.json"
    body = json.loads(path.read_text())
    counts = body["results"][0]["counts"]
    first = next(each for each in counts if each["labels"].get("arm", "All") != "All")
    first["value"] = 40
    same = {key: value for key, value in first["labels"].items() if key != "arm"}
    for each in counts:
        here = {key: value for key, value in each["labels"].items() if key != "arm"}
        if each["name"] == first["name"] and here == same and each is not first:
            each["value"] = 0
    path.write_text(json.dumps(body))


def column_of_an_arm(tree: Tree) -> None:
    def read(name: str) -> list[list[str]]:
        with (tree / name).open(encoding="utf-8-sig", newline="") as handle:
            return list(csv.reader(handle))

    closed = {row[0]: row[1] for row in read("closed/outputs/T1.csv")}
    rows = read("open/outputs/T1.csv")
    rows = [[*row, closed.get(row[0], "") if at else "Team 1"] for at, row in enumerate(rows)]
    with (tree / "open/outputs/T1.csv").open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows(rows)


def in_order(*columns: str) -> Callable[[Tree], None]:
    def plant(tree: Tree) -> None:
        arms = tree.arms()
        rows = tree.rows("data/clean/families.csv")
        rows.sort(key=lambda row: [*(row[column] for column in columns), arms.get(row["family_id"], True)])
        tree.write("data/clean/families.csv", rows)

    return plant


def rows_of_one_arm(tree: Tree) -> None:
    arms = tree.arms()
    rows = [row for row in tree.rows("data/derived/retention.csv") if arms.get(row["family_id"])]
    tree.write("data/derived/retention.csv", rows)


def pattern(value: Callable[[int, bool], str]) -> Callable[[Tree], None]:
    """A new column of the families, by the place of a row and its arm."""

    def plant(tree: Tree) -> None:
        arms = tree.arms()
        rows = tree.rows("data/clean/families.csv")
        rows = [
            {**row, "contact": value(at, arms.get(row["family_id"], False))} for at, row in enumerate(rows)
        ]
        tree.write("data/clean/families.csv", rows)

    return plant


CLOSED_LEAKS: dict[str, tuple[str, Callable[[Tree], None]]] = {
    "sizes of the arms in a log": ("sizes", sizes_in_a_log),
    "a grouping as the arms": ("parts", grouping(lambda arm: {"team": "1" if arm == "SAU" else "2"})),
    "one of two parts": ("parts", grouping(lambda arm: {"team": "1"} if arm == "SAU" else {"arm": "none"})),
    "the rest of a total": ("parts", rest_of_a_total),
    "a count of one arm alone": ("one arm", only_of_one_arm),
    "a column of a table": ("parts", column_of_an_arm),
    "rows in the order of the arms": ("order", in_order()),
    "the same within each site": ("order", in_order("site")),
    "rows of one arm alone": ("rows", rows_of_one_arm),
    "dates of the service": (
        "column",
        pattern(lambda at, arm: f"20{10 + at // 40}-03-{1 + at % 28:02}" if arm else ""),
    ),
    "dates that lack for some": ("column", pattern(lambda at, arm: "2015-05-01" if arm and at % 40 else "")),
    "a code of a team": ("column", pattern(lambda at, arm: f"T{at % 3 + 3 * arm}")),
    "a longer wait": ("column", pattern(lambda at, arm: f"{at % 7 + 6.5 * arm}")),
}


@pytest.mark.parametrize("leak", CLOSED_LEAKS)
def test_a_leak_is_caught_beside_the_allocation(tree: Tree, spec: Spec, leak: str):
    kind, plant = CLOSED_LEAKS[leak]
    plant(tree)
    _, found = check_beside_closed(tree.out, tree / "closed", spec)
    assert [each.kind for each in found] == [kind]


def test_a_column_that_may_foretell_the_arm_is_accepted(tree: Tree, spec: Spec):
    from dataclasses import replace

    from analysis.spec.blinding import Accepted

    CLOSED_LEAKS["a code of a team"][1](tree)
    accepted = Accepted(file="data/clean/families.csv", column="contact", reason="a test")
    blinding = spec.blinding.model_copy(update={"accepted": (accepted,)})
    assert check_beside_closed(tree.out, tree / "closed", replace(spec, blinding=blinding))[1] == []


def test_a_leak_is_one_error_without_the_value_and_no_report(tree: Tree, capsys):
    OPEN_LEAKS["an arm in a log"][1](tree)
    assert main(["gate", "--tree", str(tree.out), "--out", str(tree / "open/gate.csv")]) == 2
    said = capsys.readouterr().err
    assert said.startswith(
        "error: logs/clean.log: names an arm or a service in its text. Nothing of this run"
    )
    assert "NIM" not in said
    assert not (tree / "open/gate.csv").exists()


def test_no_shuffled_allocation_raises_an_alarm(tree: Tree, spec: Spec):
    """The checks of rows are tests of chance: arms drawn anew, which no table can know, are never found."""
    import random

    rows = tree.rows("closed/clean/allocation.csv")
    arms = [row["arm"] for row in rows]
    for seed in range(8):
        random.Random(seed).shuffle(arms)
        shuffled = [{**row, "arm": arm} for row, arm in zip(rows, arms, strict=True)]
        tree.write("closed/clean/allocation.csv", shuffled)
        _, found = check_beside_closed(tree.out, tree / "closed", spec)
        assert [each for each in found if each.kind in ("order", "rows", "column")] == []


def test_the_words_of_a_pdf_are_those_another_reader_finds(finished: Copy):
    """Beside pdftotext, where it is installed."""
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed")
    from analysis.gate.reading import read_content

    path = finished.folder / "out/closed/outputs/F9.pdf"
    told = subprocess.run(["pdftotext", "-raw", path, "-"], capture_output=True, text=True, check=True).stdout
    read = [set(text.split()) for _, text in read_content("F9.pdf", path.read_bytes()).texts]
    words = {word for word in told.split() if word.isascii() and word.isalpha()}
    assert {"NIM", "SAU", "CONFIDENTIAL"} <= words
    assert words <= set().union(*read)

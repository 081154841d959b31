"""Whatever becomes of the exports, a run ends in findings with all rows accounted for, or in one sentence.

A small synthetic trial is damaged by up to three accidents, or by somebody who means harm, and read again.
"""

import csv
import io
import random
import re
import resource
import shutil
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, redirect_stderr
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from unittest.mock import patch

import openpyxl
import pandas as pd
import pyreadstat
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from analysis.__main__ import main
from analysis.data.cells import FORMULA_STARTS, NUMBER
from analysis.spec.load import load_mapping
from analysis.spec.mapping import Mapping
from analysis.spec.synthetic import load_synthetic
from analysis.synth.draw import draw_trial
from analysis.synth.trial import export, write_trial
from tests.conftest import ROOT

FAMILIES = "trial/redcap_families"
# A run reads the questionnaires, or everything else: what damage does to one is not seen in the other.
GROUPS = {
    "questionnaires": ("families", "children", "assessments", "sdq", "pedsql", "scales"),
    "histories": (
        *("screening", "families", "children", "placements", "adoption_decisions", "proceedings"),
        *("reported_events", "withdrawals", "deviations"),
    ),
}
MEMORY = 1 << 20  # KiB that all runs together may take beyond what the process has had before
NAME = "Zoe Quux"
FORMULAS = ("=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "{{7*7}}", "${jndi:x}", "%s%n")
TEXTS = ("<script>x</script>", "'; DROP TABLE children; --", "../../../a", "a\nb", "a\rb", " ", NAME)
SIGNS = (
    "\u0661\u0662",
    "\u202eabc",
    "\ufeff",
    "\U0001f600",
    "\xa0",
    ".",
    ".a",
    "..",
    "..9",
    "NA",
    "NULL",
    "true",
)
NUMBERS = ("NaN", "inf", "-inf", "1e999", "9" * 400, "1" * 16, "-0", "0x1F", "1_000", "-99", "1,5")
DAYS = ("31/02/2019", "2019-13-01", "00/00/0000", "1900-01-01", "2999-12-31", "41000", "12:30")
HOSTILE = (*FORMULAS, *TEXTS, *SIGNS, *NUMBERS, *DAYS)


@dataclass(frozen=True)
class Run:
    """A copy of the raw exports, and what a run made of them."""

    folder: Path
    draw: random.Random
    mapping: Mapping
    tables: tuple[str, ...]

    @property
    def raw(self) -> Path:
        return self.folder / "raw"

    @property
    def out(self) -> Path:
        return self.folder / "out"

    def any_file(self, pattern: str = "*.csv") -> Path | None:
        """A file of the run's tables, or one of the lists beside them."""
        read = {source.files for source in self.mapping.sources if source.table in self.tables}
        others = {source.files for source in self.mapping.sources} - read
        files = sorted(
            path
            for path in self.raw.rglob(pattern)
            if path.is_file()
            and not path.is_symlink()
            and not any(path.relative_to(self.raw).match(each) for each in others)
        )
        return self.draw.choice(files) if files else None


Damage = Callable[[Run], None]
BYTES: dict[str, Callable[[bytes, random.Random], bytes]] = {}
ROWS: dict[str, Callable[[list[list[str]], random.Random], list[list[str]]]] = {}
FILES: dict[str, Damage] = {}


def of_bytes(function):
    BYTES[function.__name__] = function
    return function


def of_rows(function):
    ROWS[function.__name__] = function
    return function


def of_files(function):
    FILES[function.__name__] = function
    return function


@of_bytes
def flip(content, draw):
    raw = bytearray(content)
    for _ in range(draw.choice((1, 2, 20))):
        if raw:
            raw[draw.randrange(len(raw))] ^= 1 << draw.randrange(8)
    return bytes(raw)


@of_bytes
def truncate(content, draw):
    return content[: draw.randrange(len(content) + 1)]


@of_bytes
def nothing(content, draw):
    return b""


@of_bytes
def insert(content, draw):
    what = (
        b"\0",
        b'"',
        b"\r",
        b"\n",
        b"\r\r\n",
        b"\x1a",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b",",
        b";",
        b'""',
        b"'",
        b"\x85",
    )
    at = draw.randrange(len(content) + 1)
    return content[:at] + draw.choice(what) * draw.choice((1, 1, 3)) + content[at:]


@of_bytes
def overwrite_block(content, draw):
    at, n = draw.randrange(len(content) + 1), draw.randrange(1, 200)
    return content[:at] + draw.randbytes(n) + content[at + n :]


@of_bytes
def double_block(content, draw):
    a, b = sorted(draw.randrange(len(content) + 1) for _ in range(2))
    return content[:b] + content[a:b] + content[b:]


@of_bytes
def mix_line_ends(content, draw):
    return b"".join(line + draw.choice((b"\n", b"\r\n", b"\r")) for line in content.splitlines())


@of_bytes
def other_encoding(content, draw):
    encoding = draw.choice(("utf-16", "utf-16-le", "utf-32", "cp037", "utf-7", "cp1252", "utf-8"))
    return content.decode("utf-8", "replace").encode(encoding, "replace")


@of_bytes
def long_field(content, draw):
    at = draw.randrange(len(content) + 1)
    return content[:at] + draw.choice((b"x", b"9", b'"', b",", b"\n")) * 10_000_000 + content[at:]


@of_bytes
def bomb(content, draw):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b" " * 10_000_000)
    return packed.getvalue()


@of_rows
def swap_headers(rows, draw):
    a, b = (draw.randrange(len(rows[0])) for _ in range(2))
    rows[0][a], rows[0][b] = rows[0][b], rows[0][a]
    return rows


@of_rows
def move_column(rows, draw):
    a, b = (draw.randrange(len(rows[0])) for _ in range(2))
    for row in rows:
        row.insert(b, row.pop(a))
    return rows


@of_rows
def rename_column(rows, draw):
    rows[0][draw.randrange(len(rows[0]))] = draw.choice(("", "other", "ARM", "source_row", " x ", *HOSTILE))
    return rows


@of_rows
def drop_column(rows, draw):
    at = draw.randrange(len(rows[0]))
    return [row[:at] + row[at + 1 :] for row in rows]


@of_rows
def double_column(rows, draw):
    at = draw.randrange(len(rows[0]))
    return [[*row, row[at]] for row in rows]


@of_rows
def drop_rows(rows, draw):
    return [rows[0], *(row for row in rows[1:] if draw.random() < 0.8)]


@of_rows
def double_rows(rows, draw):
    a, b = sorted(draw.randrange(len(rows) + 1) for _ in range(2))
    return rows + [list(row) for row in rows[a:b]]


@of_rows
def shuffle_rows(rows, draw):
    body = rows[1:]
    draw.shuffle(body)
    return [rows[0], *body]


@of_rows
def header_again(rows, draw):
    rows.insert(draw.randrange(len(rows) + 1), list(rows[0]))
    return rows


@of_rows
def cell_in_header(rows, draw):
    rows[0][draw.randrange(len(rows[0]))] = draw.choice(draw.choice(rows))
    return rows


@of_rows
def blank_row(rows, draw):
    rows.insert(draw.randrange(len(rows) + 1), [""] * draw.choice((0, 1, len(rows[0]))))
    return rows


@of_rows
def ragged_row(rows, draw):
    row = draw.choice(rows)
    row.append("1") if draw.random() < 0.5 or not row else row.pop()
    return rows


def day_in(cell: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(cell, form)
    except ValueError:
        return None


@of_rows
def mixed_dates(rows, draw):
    """A day as another system writes it, in a few cells of every column of days."""
    forms = ("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%Y-%m-%d", "%d %b %Y", "%Y-%m-%dT00:00:00")
    for row in rows[1:]:
        for k, cell in enumerate(row):
            day = next((day for form in forms[:4] if (day := day_in(cell, form))), None)
            if day and draw.random() < 0.2:
                row[k] = day.strftime(draw.choice(forms))
    return rows


@of_rows
def hostile_cells(rows, draw):
    for _ in range(draw.choice((1, 1, 5))):
        row = draw.choice(rows[1:] or rows)
        row[draw.randrange(len(row))] = draw.choice(HOSTILE)
    return rows


@of_rows
def hostile_column(rows, draw):
    at, what = draw.randrange(len(rows[0])), draw.choice(HOSTILE)
    for row in rows[1:]:
        row[at] = what
    return rows


@of_rows
def exchange_cells(rows, draw):
    for _ in range(draw.choice((1, 5))):
        one, other = draw.choice(rows), draw.choice(rows)
        a, b = draw.randrange(len(one)), draw.randrange(len(other))
        one[a], other[b] = other[b], one[a]
    return rows


@of_files
def remove(run):
    run.any_file().unlink()


@of_files
def folder_in_place(run):
    path = run.any_file()
    path.unlink()
    path.mkdir()


@of_files
def another_return(run):
    path = run.any_file("ssda903_*.csv") or run.any_file()
    other = path.with_name(f"ssda903_episodes_{run.draw.randrange(1990, 2040)}.csv")
    other.write_bytes(path.read_bytes())


@of_files
def exchange_files(run):
    one, other = run.any_file(), run.any_file()
    a, b = one.read_bytes(), other.read_bytes()
    one.write_bytes(b)
    other.write_bytes(a)


@of_files
def path_in_a_name(run):
    names = (
        "..%2f..%2fa.csv",
        "..\\a.csv",
        "=1+1.csv",
        "a\nb.csv",
        "ssda903_episodes_=1.csv",
        "\x1b[2J.csv",
        "a" * 200,
    )
    shutil.copy(run.any_file(), run.raw / run.draw.choice(("", "london")) / run.draw.choice(names))


@of_files
def link_out(run):
    path = run.any_file()
    elsewhere = run.folder / "elsewhere.csv"
    shutil.move(path, elsewhere)
    path.symlink_to(elsewhere)


@of_files
def link_in_a_circle(run):
    (run.raw / "trial" / "loop").symlink_to(run.raw)


def hurt(run: Run, kind: str) -> None:
    path = run.any_file()
    if path is None:
        return None
    if kind in FILES:
        return FILES[kind](run)
    content = path.read_bytes()
    if kind in BYTES:
        return path.write_bytes(BYTES[kind](content, run.draw)) and None
    delimiter = ";" if path.parent.name == "court" else ","
    try:
        text = content.decode("cp1252" if delimiter == ";" else "utf-8-sig")
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row]
    except (UnicodeDecodeError, csv.Error):
        return None  # hurt before in a way that leaves no rows
    if rows:
        out = io.StringIO(newline="")
        csv.writer(out, delimiter=delimiter, lineterminator="\n").writerows(ROWS[kind](rows, run.draw))
        path.write_bytes(out.getvalue().encode("utf-8-sig", "replace"))
    return None


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pristine")
    trial = export(draw_trial(load_synthetic(ROOT / "data_spec"), seed=2, scale=0.05))
    write_trial(trial, folder / "raw", folder / "restricted")
    return folder / "raw"


@pytest.fixture(scope="module")
def mapping() -> Mapping:
    return load_mapping(ROOT / "data_spec", "synthetic")


@pytest.fixture(scope="module")
def secrets(pristine: Path, spec) -> frozenset[str]:
    """Cells of the exports that are no word of a declaration: what no message may hold."""
    declared = "\n".join(
        path.read_text() for path in (ROOT / "data_spec").rglob("*.*") if path.suffix != ".png"
    )
    headers, cells = set(), set()
    for path in pristine.rglob("*.csv"):
        if not path.name.endswith("_dictionary.csv"):  # which hold nobody's data
            text = path.read_text(encoding="utf-8-sig", errors="replace")
            header, *rows = csv.reader(io.StringIO(text), delimiter=",")
            headers |= set(header)
            cells |= {cell for row in rows for cell in row if len(cell) > 4}
    return frozenset(cell for cell in cells - headers if cell not in declared) | {NAME, "Quux"}


@pytest.fixture(scope="module", autouse=True)
def bounded_memory() -> Iterator[None]:
    """The most memory ever held, here or by a process that reads a file for us, grows by a little only."""
    before = most_memory()
    yield
    assert most_memory() - before < MEMORY


def most_memory() -> int:
    """KiB."""
    return sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


@pytest.fixture(scope="module")
def check(spec, secrets: frozenset[str]) -> Callable[[Run], int]:
    """Read the exports, and insist on one of the two ends."""

    def read(run: Run) -> tuple[int, str]:
        data = run.out / "data"
        raw = ["ingest", "--raw", run.raw, "--mapping", "synthetic", "--out", data / "ingest"]
        clean = [
            "clean",
            "--raw-tables",
            data / "ingest",
            "--cut",
            spec.trial.data_cut,
            "--out",
            data / "clean",
        ]
        steps = (
            [*raw, "--issues", data / "issues" / "exports.csv"],
            [*clean, "--issues", data / "issues"],
        )
        with ExitStack() as stack:
            for step in ("ingest", "clean"):
                stack.enter_context(patch(f"analysis.steps.{step}.spec", lambda: spec))
            stack.enter_context(patch("analysis.spec.load.load_mapping", lambda folder, name: run.mapping))
            said = stack.enter_context(redirect_stderr(io.StringIO()))
            codes = (main([str(each) for each in [*step, "--tables", *run.tables]]) for step in steps)
            return next((code for code in codes if code), 0), said.getvalue()

    def checked(run: Run) -> int:
        code, said = read(run)
        errors = [line for line in said.splitlines() if not line.startswith(("ingest: ", "clean: "))]
        assert code in (0, 2), errors
        assert not list(run.out.rglob("*.partial"))
        if code:
            check_refused(run, errors, secrets)
        else:
            assert errors == []
            check_accounts(run)
            check_cells(run, secrets)
        return code

    return checked


def check_refused(run: Run, errors: list[str], secrets: frozenset[str]) -> None:
    assert len(errors) == 1
    (message,) = errors
    assert message.startswith("error: ")
    assert re.search(r"\.csv|\.xlsx|\.\w{3,8}|raw folder|elsewhere|loop|table \w+", message), message
    held = [secret for secret in secrets if secret in message]
    told = [secret for secret in held if re.search(rf"(?<!\w){re.escape(secret)}(?!\w)", message)]
    assert not told, message
    assert len(message) < 3000
    written = {path.parent.name for path in run.out.rglob("*.csv")}
    assert written <= {"ingest", "issues"}
    assert {path.name for path in run.out.rglob("issues/*.csv")} <= {"exports.csv"}


def check_accounts(run: Run) -> None:
    """Rows of a file = kept + elsewhere + blank + superseded + set aside; of a table = clean + set aside."""
    data = run.out / "data"
    counts = lines(data / "ingest" / "rows.csv")
    parts = ("rows_kept", "rows_elsewhere", "rows_blank", "rows_superseded", "rows_set_aside")
    kept: Counter[str] = Counter()
    for row in counts:
        assert int(row["rows_in"]) == sum(int(row[part]) for part in parts), row
        kept[row["table"]] += int(row["rows_kept"])
    assert len({(row["file"], row["rows_in"]) for row in counts}) == len({row["file"] for row in counts})
    for table in run.tables:
        read, clean, found = (lines(data / part / f"{table}.csv") for part in ("ingest", "clean", "issues"))
        aside = [issue for issue in found if issue["action"] == "set_aside"]
        assert len(read) == kept[table]
        assert len(read) == len(clean) + len(aside), table


def check_cells(run: Run, secrets: frozenset[str]) -> None:
    """No cell that a spreadsheet would run; no value in a finding."""
    for path in [*run.out.glob("data/clean/*.csv"), *run.out.glob("data/issues/*.csv")]:
        for row in lines(path):
            for cell in row.values():
                assert not cell.startswith(FORMULA_STARTS) or NUMBER.fullmatch(cell), path.name
            if path.parent.name == "issues":
                assert "Quux" not in str(row)


def lines(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(), newline="")))


KINDS = sorted([*BYTES, *ROWS, *FILES])
SEEDS = st.integers(0, 2**32 - 1)


def examples(number: int) -> settings:
    """The same on every run. One that fails is small and told by its seed, so none is made smaller."""
    phases = (Phase.explicit, Phase.generate)
    return settings(max_examples=number, deadline=None, derandomize=True, database=None, phases=phases)


@pytest.mark.parametrize("group", GROUPS)
@examples(40)
@given(st.lists(st.sampled_from(KINDS), min_size=1, max_size=3, unique=True), SEEDS)
def test_damage_ends_in_findings_or_in_one_sentence(pristine, mapping, check, group, kinds, seed) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run = Run(Path(folder), random.Random(seed), mapping, GROUPS[group])
        shutil.copytree(pristine, run.raw)
        for kind in kinds:
            hurt(run, kind)
        check(run)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_damage_does_some(pristine, mapping, tmp_path, kind) -> None:
    """A damage that leaves the files as they are would test nothing."""
    before = contents(pristine)
    for seed in range(9):  # a file may have too few rows to be shuffled, or no day
        run = Run(tmp_path / str(seed), random.Random(seed), mapping, GROUPS["histories"])
        shutil.copytree(pristine, run.raw)
        hurt(run, kind)
        if contents(run.raw) != before:
            return
    pytest.fail("nothing was damaged")


def contents(folder: Path) -> dict[str, tuple[bool, bytes]]:
    return {
        str(path.relative_to(folder)): (path.is_symlink(), path.read_bytes() if path.is_file() else b"")
        for path in folder.rglob("*")
    }


# The register of families as other programs keep it; what pyreadstat writes is read by a process of its own.
def as_workbook(frame: pd.DataFrame, path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "Families"
    for row in (list(frame.columns), *frame.itertuples(index=False, name=None)):
        book.active.append([cell or None for cell in row])
    book.save(path)


TYPED_TABLES = ("families", "children")
TYPED = {
    "xlsx": ({"format": "excel", "sheet": "Families"}, as_workbook),
    "sav": ({"format": "spss", "cells": "codes"}, pyreadstat.write_sav),
    "zsav": (
        {"format": "spss", "cells": "codes"},
        lambda frame, path: pyreadstat.write_sav(frame, path, compress=True),
    ),
    "dta": ({"format": "stata", "cells": "codes"}, pyreadstat.write_dta),
    "xpt": ({"format": "xport", "encoding": "utf-8"}, pyreadstat.write_xport),
    "parquet": ({"format": "parquet"}, lambda frame, path: frame.to_parquet(path)),
}


def with_typed_families(pristine: Path, mapping: Mapping, folder: Path, suffix: str, seed: int) -> Run:
    """The exports with the register of families in another format, and the mapping that says so."""
    how, write = TYPED[suffix]
    dialect = {**how, "dates": mapping.dialects["redcap"].dates}
    given = mapping.model_dump(exclude_unset=True)
    given["dialects"]["typed"] = dialect
    for source in given["sources"]:
        if source["table"] == "families":
            source |= {"files": f"{FAMILIES}.{suffix}", "dialect": "typed"}
    run = Run(folder, random.Random(seed), Mapping(**given), TYPED_TABLES)
    shutil.copytree(pristine, run.raw)
    path = run.raw / f"{FAMILIES}.csv"
    frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    write(frame, path.with_suffix(f".{suffix}"))
    path.unlink()
    return run


@pytest.fixture(scope="module")
def families(pristine, mapping, check, tmp_path_factory) -> str:
    """The clean register of families, read as text."""
    run = Run(tmp_path_factory.mktemp("plain"), random.Random(1), mapping, TYPED_TABLES)
    shutil.copytree(pristine, run.raw)
    assert check(run) == 0
    return (run.out / "data" / "clean" / "families.csv").read_text()


@pytest.mark.parametrize("suffix", TYPED)
def test_typed_exports_are_read_like_text(pristine, mapping, check, families, tmp_path, suffix) -> None:
    run = with_typed_families(pristine, mapping, tmp_path, suffix, 1)
    assert check(run) == 0
    typed = (run.out / "data" / "clean" / "families.csv").read_text()
    assert typed == families.replace(f"{FAMILIES}.csv", run_name(suffix))


def run_name(suffix: str) -> str:
    return f"{FAMILIES}.{suffix} [Families]" if suffix == "xlsx" else f"{FAMILIES}.{suffix}"


def hurt_workbook(path: Path, draw: random.Random) -> None:
    """One part of a workbook damaged, and packed again as if nothing had happened."""
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    name = draw.choice(sorted(parts))
    parts[name] = BYTES[draw.choice(sorted(BYTES))](parts[name], draw)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in parts.items():
            new.writestr(name, content)


def hurt_typed(pristine, mapping, check, suffix: str, kind: str, seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run = with_typed_families(pristine, mapping, Path(folder), suffix, seed)
        path = run.raw / f"{FAMILIES}.{suffix}"
        if kind == "part":
            hurt_workbook(path, run.draw)
        else:
            path.write_bytes(BYTES[kind](path.read_bytes(), run.draw))
        check(run)


@examples(25)
@given(st.sampled_from(["part", *sorted(BYTES)]), SEEDS)
@example("bomb", 1)
@example("part", 1)
def test_damaged_workbooks(pristine, mapping, check, kind, seed) -> None:
    hurt_typed(pristine, mapping, check, "xlsx", kind, seed)


@examples(8)
@given(st.sampled_from(sorted(set(TYPED) - {"xlsx"})), st.sampled_from(sorted(BYTES)), SEEDS)
@example("sav", "flip", 167)
def test_damaged_typed_files(pristine, mapping, check, suffix, kind, seed) -> None:
    hurt_typed(pristine, mapping, check, suffix, kind, seed)

"""The gate on stray files, linked folders and a trial without families, in folders made by hand."""

from pathlib import Path

import pytest

from analysis.gate.check import BESIDE_CLOSED, check_beside_closed, check_open
from analysis.spec.declarations import Spec


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A run's folders before the first family is randomised."""
    for name, header in {
        "closed/allocated/subjects.csv": "child_id,family_id,arm",
        "closed/clean/allocation.csv": "family_id,arm",
        "closed/results/flow.json": "{}",
        "data/clean/children.csv": "child_id,family_id",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{header}\n")
    for folder in ("open/results", "logs"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "logs" / "clean.log").write_text("clean: 0 rows in, 0 out\n")
    return tmp_path


def told(found: list) -> list[tuple[str, str]]:
    return [(each.file, each.kind) for each in found]


def test_before_the_first_family_nothing_tells_an_arm(out: Path, spec: Spec) -> None:
    checks, found = check_beside_closed(out, out / "closed", spec)
    assert tuple(checks) == BESIDE_CLOSED
    assert found == []


@pytest.mark.parametrize("folder", ["open/link", "logs/link", "data/clean/link"])
def test_a_link_to_a_folder_is_found(out: Path, spec: Spec, folder: str) -> None:
    assert check_open(out, spec)[1] == []
    (out / folder).symlink_to(out / "closed")
    assert told(check_open(out, spec)[1]) == [(folder, "link")]


@pytest.mark.parametrize("text", ["", "no JSON", "[]", "{}", '{"results": 1}', '{"results": [1]}'])
def test_a_stray_file_among_results_is_unreadable(out: Path, spec: Spec, text: str) -> None:
    (out / "open" / "results" / "flow.json").write_text(text)
    expected = [("open/results/flow.json", "unreadable")]
    assert told(check_open(out, spec)[1]) == expected
    assert told(check_beside_closed(out, out / "closed", spec)[1]) == expected


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n1,2,3\n", b"a\n\xff\n"])
def test_a_stray_table_is_unreadable(out: Path, spec: Spec, content: bytes) -> None:
    (out / "closed" / "clean" / "allocation.csv").write_text("family_id,arm\nF1,NIM\nF2,SAU\n")
    (out / "open" / "stray.csv").write_bytes(content)
    found = check_beside_closed(out, out / "closed", spec)[1]
    assert told(found) == [("open/stray.csv", "unreadable")]


@pytest.mark.parametrize(("place", "is_looked_at"), [("interim", False), ("open/interim", True)])
def test_a_run_within_the_run_has_a_gate_of_its_own(
    out: Path, spec: Spec, place: str, is_looked_at: bool
) -> None:
    """But nothing hides below the open folders of this one."""
    for name, text in {"data/cut.json": "{}", "closed/report.txt": "NIM"}.items():
        (out / place / name).parent.mkdir(parents=True)
        (out / place / name).write_text(text)
    found = told(check_open(out, spec)[1])
    assert found == ([(f"{place}/closed/report.txt", "name")] if is_looked_at else [])

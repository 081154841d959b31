"""Walls 4 to 6: the open outputs have no path to the allocation, and do not change with it."""

import csv
import io
import shutil
from pathlib import Path

import pytest

from tests.workflow.conftest import ROOT, Copy, Packs, files_below


@pytest.fixture(scope="module")
def inputs_of(finished: Copy) -> dict[str, set[str]]:
    """Output file -> its input files, for every planned file."""
    text = finished.snakemake("--detailed-summary", "all", "--cores", "1").stdout
    lines = text[text.index("output_file") :].splitlines()
    table = csv.DictReader(io.StringIO("\n".join(lines)), delimiter="\t")
    return {row["output_file"]: set((row["input-file(s)"] or "").split(",")) for row in table}


def test_open_rules_have_no_allocation_and_no_view():
    text = (ROOT / "rules/open.smk").read_text() + (ROOT / "rules/data.smk").read_text()
    wiring = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    assert "allocation" not in wiring
    assert "{view}" not in wiring


def test_no_ancestor_of_an_open_file_knows_arms(inputs_of: dict[str, set[str]]):
    opened = [name for name in inputs_of if name.startswith(("out/open/", "out/data/"))]
    assert len(opened) > 30
    for name in opened:
        seen, pending = set(), [name]
        while pending:
            for each in inputs_of.get(pending.pop(), set()) - seen:
                seen.add(each)
                pending.append(each)
        secret = [
            each for each in seen if each.startswith(("out/closed/", "out/dummy/")) or "/restricted/" in each
        ]
        assert secret == [], name


def test_a_planted_path_would_be_found(inputs_of: dict[str, set[str]]):
    closed = inputs_of["out/closed/results/mixed.json"]
    assert any(each.startswith("out/closed/allocated/") for each in closed)


def test_open_outputs_do_not_change_with_the_allocation(finished: Copy, packs: Packs):
    """The same raw data with a shuffled allocation, and with none: open/ and data/ are the same bytes.

    At an interim cut, where a leak would cost most.
    """
    assert (packs.blinded / "dummy/report.html").exists()
    assert not (packs.blinded / "closed").exists()
    for part in ("open", "data"):
        first, second = files_below(packs.blinded, part), files_below(packs.unblinded, part)
        assert first
        assert first == second
    used, real = (
        arms_by_family(out / "closed/clean/allocation.csv")
        for out in (packs.unblinded, finished.folder / "out")
    )
    assert used and used != {family: real[family] for family in used}


def arms_by_family(path: Path) -> dict[str, str]:
    with path.open(encoding="utf-8", newline="") as handle:
        return {row["family_id"]: row["arm"] for row in csv.DictReader(handle)}


def test_an_allocation_inside_the_repository_is_refused(finished: Copy, tmp_path):
    inside = finished.folder / "reports" / "allocation.csv"
    inside.write_text("family_id,arm\n")
    try:
        raw = shutil.copytree(finished.folder / "out/synthetic/raw", tmp_path / "raw")
        done = finished.snakemake("-n", "--config", f"raw={raw}", f"allocation={inside}", check=False)
    finally:
        inside.unlink()
    assert done.returncode != 0
    assert "may not lie inside the repository" in done.stdout
    assert "Traceback" not in done.stdout

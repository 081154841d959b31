"""The table of times: its rows, its ratios, and what it says without R."""

import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from analysis.spec.declarations import Spec
from benchmarks import __main__ as table
from benchmarks import episodes
from benchmarks.simulated import DATA, children, survival, trial, visits
from benchmarks.tasks import PYTHON_PEERS, TASKS, Task

TASK = Task("fit", "a fit", "trial", lambda data: (0.002, 512.0), "lmertest", 30)


def test_a_row_prints_both_times_and_their_ratio():
    peers = {("lmertest", "trial"): ("0.134", "lmerTest 3.1")}
    expected = ("a fit", "2 ms", "134 ms", "67.0", "30", "lmerTest 3.1", "0.50 GiB")
    assert table.row(TASK, 0.002, 512.0, peers) == expected


@pytest.mark.parametrize(
    "peers",
    [{}, {("lmertest", "trial"): ("skipped", "lmerTest is not installed")}],
    ids=["no R", "no package"],
)
def test_a_row_without_its_peer_says_so(peers):
    cells = table.row(TASK, 3.6e-6, None, peers)
    assert cells[1:4] == ("3.6 µs", "skipped", "")


def test_our_side_alone(capsys, monkeypatch):
    monkeypatch.setattr(table.shutil, "which", lambda name: None)
    monkeypatch.setattr(table, "TASKS", (TASK,))
    table.main(["fit"])
    printed = capsys.readouterr().out
    assert "Rscript was not found" in printed and "| a fit | 2 ms | skipped |" in printed


def test_an_unknown_row_is_refused(capsys):
    with pytest.raises(SystemExit):
        table.main(["nothing"])
    assert "no such row: nothing; there are fit, mmrm" in capsys.readouterr().err


def test_every_task_has_data_and_a_peer():
    programs = table.PEERS.read_text(encoding="utf-8")
    for task in TASKS:
        assert task.data in DATA
        assert task.peer in PYTHON_PEERS or f"\n  {task.peer} = list(" in programs


def test_data_are_the_same_on_every_run_and_shaped_like_the_trial(tmp_path):
    for make in (trial, visits, survival, lambda: children(2000)):
        first, second = make(), make()
        assert all(np.array_equal(first[name], second[name]) for name in first)
    data = trial()
    assert 350 < len(data["family"]) < 420
    assert (np.bincount(data["family"]) == 1).mean() > 0.72
    table.write(tmp_path / "trial", data)
    read = np.fromfile(tmp_path / "trial.bin").reshape(len(data), -1)
    assert np.array_equal(read[list(data).index("age")], data["age"])


def seconds_of_steps(folder: Path, spec: Spec, scale: float) -> list[float]:
    """Processor time of each step on the exports of a trial of some size, and of both the smaller part."""
    episodes.write_exports(folder, scale, "placements")
    stops = [time.process_time()]
    for step in episodes.STEPS.values():
        step(folder, episodes.TABLES, spec)
        stops.append(time.process_time())
    return [end - begin for begin, end in pairwise(stops)]


@pytest.mark.slow
def test_the_time_from_exports_to_histories_grows_as_the_rows_do(tmp_path: Path, spec: Spec):
    """From 100,000 to 200,000 placements; a step that compared rows in pairs would take 4 times as long."""
    small, large = (seconds_of_steps(tmp_path / str(scale), spec, scale) for scale in (45.0, 90.0))
    assert len((tmp_path / "90.0/clean/placements.csv").read_text().splitlines()) > 150_000
    assert all(more < 2.6 * less for less, more in zip(small, large, strict=True))


def test_a_larger_trial_brings_what_care_histories_need(tmp_path: Path, spec: Spec):
    episodes.write_exports(tmp_path, 2.0, "placements")
    assert episodes.tables_of(tmp_path, spec) == episodes.TABLES
    for step in episodes.STEPS.values():
        step(tmp_path, episodes.TABLES, spec)
    written = {path.stem for path in (tmp_path / "derived").iterdir()}
    assert written == {"spells", "transitions"}

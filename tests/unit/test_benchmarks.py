"""The table of times: its rows, its ratios, and what it says without R."""

import numpy as np
import pytest

from benchmarks import __main__ as table
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
    table.main([])
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

"""python -m benchmarks [ROW ...] [--without-r]: print our times, R's, and the ratio; and those of data."""

import argparse
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np

from benchmarks import episodes
from benchmarks.simulated import DATA, Table
from benchmarks.tasks import PYTHON_PEERS, TASKS, Task

PEERS = Path(__file__).with_name("peers.R")
HEAD = ("Work", "Ours", "R", "Times faster", "Wanted", "Peer", "Our memory")
Peer = tuple[str, str]


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    names = [*(task.name for task in TASKS), episodes.NAME]
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"{', '.join(names)}; all if none")
    parser.add_argument("--without-r", action="store_true", help="time our side only")
    options = parser.parse_args(argv)
    unknown = set(options.rows) - set(names)
    if unknown:
        parser.error(f"no such row: {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    tasks = [task for task in TASKS if not options.rows or task.name in options.rows]
    if tasks:
        compare(tasks, without_r=options.without_r)
    if not options.rows or episodes.NAME in options.rows:
        print(*episodes.lines(), sep="\n")


def compare(tasks: Sequence[Task], *, without_r: bool) -> None:
    """Print the table of our times and those of our peers."""
    tables = {name: DATA[name]() for name in dict.fromkeys(task.data for task in tasks)}
    # One after the other, never together: both sides have the machine to themselves.
    ours = {task.name: task.ours(tables[task.data]) for task in tasks}
    peers = times_of_python(tasks, tables)
    if not without_r:
        peers |= times_of_r([task for task in tasks if task.peer not in PYTHON_PEERS], tables)
    for line in table_lines(tasks, ours, peers):
        print(line)


def times_of_python(tasks: Sequence[Task], tables: dict[str, Table]) -> dict[Peer, Peer]:
    """Seconds and package, by package and data."""
    wanted = dict.fromkeys((task.peer, task.data) for task in tasks if task.peer in PYTHON_PEERS)
    return {
        (name, data): (str(PYTHON_PEERS[name](tables[data])), f"{name} {version(name)}")
        for name, data in wanted
    }


def times_of_r(tasks: Sequence[Task], tables: dict[str, Table]) -> dict[Peer, Peer]:
    """Seconds (or "skipped") and package, by program and data; empty without R."""
    if shutil.which("Rscript") is None:
        print("R is skipped: Rscript was not found.")
        return {}
    wanted = dict.fromkeys(f"{task.peer}:{task.data}" for task in tasks)
    with tempfile.TemporaryDirectory() as folder:
        for name, table in tables.items():
            write(Path(folder, name), table)
        run = ["Rscript", "--vanilla", str(PEERS), folder, *wanted]
        found = subprocess.run(run, check=True, capture_output=True, text=True).stdout.splitlines()
    of_r, *lines = (line.split("\t") for line in found)
    print(f"R {of_r[1]}")
    return {(program, data): (seconds, package) for program, data, seconds, package in lines}


def write(path: Path, table: Table) -> None:
    """Doubles column by column, and the names of the columns."""
    np.array([column.astype(float) for column in table.values()]).tofile(path.with_suffix(".bin"))
    path.with_suffix(".txt").write_text("\n".join(table) + "\n", encoding="utf-8")


def table_lines(
    tasks: Sequence[Task], ours: dict[str, tuple[float, float | None]], peers: dict[Peer, Peer]
) -> list[str]:
    """A Markdown table."""
    rows = [HEAD, tuple("-" * 3 for _ in HEAD), *(row(task, *ours[task.name], peers) for task in tasks)]
    return ["| " + " | ".join(cells) + " |" for cells in rows]


def row(task: Task, seconds: float, memory: float | None, peers: dict[Peer, Peer]) -> tuple[str, ...]:
    theirs, package = peers.get((task.peer, task.data), ("skipped", "not run"))
    wanted = "" if task.target is None else f"{task.target:,.0f}"
    size = "" if memory is None else f"{memory / 1024:.2f} GiB"
    if theirs == "skipped":
        return task.what, duration(seconds), "skipped", "", wanted, package, size
    ratio = float(theirs) / seconds
    return task.what, duration(seconds), duration(float(theirs)), f"{ratio:,.1f}", wanted, package, size


def duration(seconds: float) -> str:
    unit, name = next((u, name) for u, name in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")) if seconds >= u)
    return f"{seconds / unit:.3g} {name}"


if __name__ == "__main__":
    main()

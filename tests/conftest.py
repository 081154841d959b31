"""The synthetic trial taken through the data path once, for every test that needs real tables."""

import fcntl
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from analysis.__main__ import main
from analysis.spec.declarations import Spec
from analysis.spec.load import load_spec

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Trial:
    """Folders of a run of the data path and of one view with arms."""

    folder: Path
    raw: Path
    restricted: Path
    clean: Path
    derived: Path
    allocated: Path


def made_once(temporary: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder that all workers of a test run share: the first to come makes it, the others wait."""
    shared = temporary.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder, done = shared / name, shared / f"{name}.done"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            folder.mkdir()
            make(folder)
            done.touch()
    return folder


def run(*arguments: object) -> None:
    """Run one step as the command line does, and insist that it succeeds."""
    assert main([str(each) for each in arguments]) == 0


@pytest.fixture(scope="session")
def spec() -> Spec:
    return load_spec(ROOT / "data_spec")


@pytest.fixture(scope="session")
def trial(spec: Spec, tmp_path_factory: pytest.TempPathFactory) -> Trial:
    """Read only: all workers share it."""
    return folders_of(made_once(tmp_path_factory, "trial", lambda out: run_data_path(spec, out)))


def folders_of(out: Path) -> Trial:
    return Trial(
        out,
        out / "synthetic" / "raw",
        out / "synthetic" / "restricted",
        out / "data" / "clean",
        out / "data" / "derived",
        out / "closed" / "allocated",
    )


def run_data_path(spec: Spec, out: Path, *options: str) -> Trial:
    """Synthetic exports to tables with arms, step by step."""
    made = folders_of(out)
    cut = spec.trial.data_cut
    tables = spec.table_names(layer="raw", audience="open")
    secret = spec.table_names(layer="raw", audience="closed")
    run("synth", "--raw", made.raw, "--restricted", made.restricted, *options)
    common = ("--raw", made.raw, "--mapping", "synthetic")
    allocation = ("--allocation", made.restricted / "allocation.csv")
    issues = out / "data" / "issues"
    told = ("--out", out / "data" / "ingest", "--issues", issues / "exports.csv")
    run("ingest", *common, "--tables", *tables, *told)
    told = ("--out", out / "closed" / "ingest", "--issues", out / "closed" / "issues" / "exports.csv")
    run("ingest", *common, *allocation, "--tables", *secret, *told)
    cleaned = ("--cut", cut, "--out", made.clean, "--issues", issues)
    run("clean", "--raw-tables", out / "data" / "ingest", "--tables", *tables, *cleaned)
    closed = (
        "--out",
        out / "closed" / "clean",
        "--issues",
        out / "closed" / "issues",
        "--parents",
        made.clean,
    )
    run("clean", "--raw-tables", out / "closed" / "ingest", "--tables", *secret, "--cut", cut, *closed)
    run(
        "derive",
        "--clean",
        made.clean,
        "--cut",
        cut,
        "--out",
        made.derived,
        "--issues",
        issues / "histories.csv",
    )
    where = ("--derived", made.derived, "--out", made.allocated, "--revealing", out / "closed" / "derived")
    lists = out / "closed" / "clean"
    delivery = ("--allocation", lists / "allocation.csv", "--delivery", lists / "delivery.csv")
    run("allocate", "--view", "closed", *where, *delivery)
    return made

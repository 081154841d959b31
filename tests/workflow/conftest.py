"""Runs of the whole workflow in a copy of the repository."""

import csv
import os
import random
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import made_once

ROOT = Path(__file__).resolve().parents[2]
PARTS = (
    *("Snakefile", "config.yaml", "analysis", "data_spec", "rules", "reports", "profiles"),
    "tests/reference/trial",
)
# As the rules set them, but for the seed of hashes, on which nothing may hang.
FIXED = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    **{"PYTHONHASHSEED": "7", "MPLBACKEND": "Agg", "SOURCE_DATE_EPOCH": "0"},
}


@dataclass(frozen=True)
class Copy:
    """A copy of the repository and how to run Snakemake in it."""

    folder: Path

    def snakemake(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run Snakemake with these arguments; standard output and error together in `stdout`."""
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-m", "snakemake", "--nocolor", *arguments]
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        if check:
            assert done.returncode == 0, done.stdout[-4000:]
        return done

    def repeat_in_one_process(self, finished: "Copy") -> None:
        """What Snakemake ran there, job after job in one process of its own."""
        # What Snakemake itself writes and a job reads: how files were made.
        records = ".snakemake/metadata"
        shutil.copytree(finished.folder / records, self.folder / records)
        self.in_one_process()

    def in_one_process(self, *arguments: str) -> None:
        """The jobs that Snakemake plans for these arguments, one after the other in one process."""
        listing = self.snakemake(*arguments, "--dry-run", "--printshellcmds").stdout
        shutil.copy2(Path(__file__).with_name("in_one_process.py"), self.folder)
        done = subprocess.run(
            [sys.executable, "in_one_process.py"],
            cwd=self.folder,
            env={**os.environ, **FIXED, "PYTHONPATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1"},
            input=listing,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert done.returncode == 0, done.stdout[-4000:]
        planned = re.search(r"^total +(\d+)$", listing, re.MULTILINE)
        # One of the jobs is the target, which runs nothing.
        assert planned and done.stdout.splitlines()[-1] == f"{int(planned[1]) - 1} jobs"

    def files(self, *parts: str) -> dict[str, bytes]:
        """Every output below a folder of ``out/``, but for logs and timings."""
        return files_below(self.folder / "out", *parts)

    def planned(self) -> list[str]:
        """Names of the jobs that a dry run plans, with their wildcards: ``fit[closed,hazard]``."""
        text = self.snakemake("--dry-run", "--cores", "1").stdout
        jobs, name = [], None
        for line in text.splitlines():
            if line.startswith(("rule ", "localrule ")):
                name = line.split()[1].rstrip(":")
                jobs.append(name)
            elif line.strip().startswith("wildcards:") and name:
                values = [pair.split("=")[1].strip() for pair in line.split(":", 1)[1].split(",")]
                jobs[-1] = f"{name}[{','.join(values)}]"
        return sorted(jobs)


MARK = ".snakemake_timestamp"


def files_below(top: Path, *parts: str) -> dict[str, bytes]:
    """Files of an output folder by name, but for logs, timings and the mark of Snakemake itself."""
    found = sorted(path for path in top.joinpath(*parts).rglob("*") if path.is_file() and path.name != MARK)
    names = {path.relative_to(top).as_posix(): path for path in found}
    return {
        name: path.read_bytes()
        for name, path in names.items()
        if not name.startswith(("logs/", "benchmarks/"))
    }


def copy_repository(folder: Path) -> Copy:
    """The files a clone has, and nothing else."""
    folder.mkdir(parents=True)
    ignore = shutil.ignore_patterns("__pycache__", "*.pyc", ".ruff_cache")
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=ignore)
        else:
            shutil.copy2(source, folder / part)
    return Copy(folder)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """The default run, on two cores, made once and copied for each worker. Who changes it changes it back."""

    def make(folder: Path) -> None:
        copy_repository(folder / "trial").snakemake("--cores", "2")

    made = made_once(tmp_path_factory, "finished", make)
    return Copy(shutil.copytree(made / "trial", tmp_path_factory.mktemp("finished") / "trial"))


@dataclass(frozen=True)
class Packs:
    """Output folders of two runs at an interim cut of the same raw data: without and with an allocation."""

    blinded: Path
    unblinded: Path
    cut: str


@pytest.fixture(scope="session")
def packs(finished: Copy, tmp_path_factory: pytest.TempPathFactory) -> Packs:
    """The committee's packs at an interim cut, with dummy arms and with a shuffled allocation. Read only."""
    synthetic, cut = finished.folder / "out/synthetic", "2014-12-31"

    def make(folder: Path) -> None:
        common = ("interim", "--config", f"raw={synthetic / 'raw'}", f"data_cut={cut}")
        copy = copy_repository(folder / "trial")
        copy.in_one_process(*common)
        secret = folder / "secret" / "allocation.csv"
        shuffle(synthetic / "restricted/allocation.csv", secret)
        shutil.copytree(synthetic / "restricted/service", secret.parent / "service")
        given = ("recipient=The chair", f"allocation={secret}", f"out={folder / 'out'}")
        copy.snakemake(*common, *given, "--cores", "2")

    made = made_once(tmp_path_factory, "packs", make)
    return Packs(made / "trial" / "out", made / "out", cut)


def shuffle(source: Path, target: Path) -> None:
    """The same families with their arms permuted."""
    with source.open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    arms = [row["arm"] for row in rows]
    random.Random(7).shuffle(arms)
    target.parent.mkdir()
    with target.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, rows[0])
        writer.writeheader()
        writer.writerows({**row, "arm": arm} for row, arm in zip(rows, arms, strict=True))

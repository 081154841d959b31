"""The jobs that a dry run lists, one after the other in this process: what a run makes, without Snakemake."""

import re
import shlex
import sys
from contextlib import redirect_stderr
from pathlib import Path

from analysis.__main__ import main

COMMAND = re.compile(r"python -m analysis (?P<arguments>.*?) 2>&1 \| tee (?P<log>\S+)")


def run_jobs(listing: str) -> int:
    """Run the jobs in the order they are listed in, their progress in their logs; how many there were."""
    found = list(COMMAND.finditer(listing))
    for job in found:
        (log,) = (Path(each) for each in shlex.split(job["log"]))
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("w", encoding="utf-8") as handle, redirect_stderr(handle):
            code = main(shlex.split(job["arguments"]))
        if code:
            raise SystemExit(log.read_text(encoding="utf-8"))
    return len(found)


if __name__ == "__main__":
    print(f"{run_jobs(sys.stdin.read())} jobs")

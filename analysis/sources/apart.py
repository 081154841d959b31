"""Formats read by a process of their own: a damaged file may end their libraries, or take all memory or time.

What comes back is JSON, which holds text and nothing that could be run.
"""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from analysis.errors import SourceError
from analysis.sources.parquet import read_parquet
from analysis.sources.statistical import read_statistical
from analysis.sources.text import Text
from analysis.spec.source_base import Dialect

READERS = {
    "stata": read_statistical,
    "spss": read_statistical,
    "sas7bdat": read_statistical,
    "parquet": read_parquet,
}
MOST_MEMORY = 8 << 30  # bytes of address space, of which the libraries alone reserve one gigabyte
LONGEST_READING = 900  # seconds; ten times what a million rows take


def read_apart(path: Path, dialect: Dialect, *, file: str) -> Text:
    """Read a file by the reader of its format, in a process of its own.

    Raises
    ------
    SourceError
        What that reader raises; or, if it ended in any other way, that the file is not what its mapping says.
    """
    request = {"path": str(path.absolute()), "dialect": dialect.model_dump(exclude_unset=True), "file": file}
    command = [sys.executable, "-m", __name__]
    paths = os.pathsep.join(each or os.curdir for each in sys.path)
    try:
        done = subprocess.run(
            command,
            input=json.dumps(request),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # a library's message may quote a value
            encoding="utf-8",
            timeout=LONGEST_READING,
            env={**os.environ, "PYTHONPATH": paths},
            check=False,
        )
        reply = json.loads(done.stdout) if done.returncode == 0 else {"error": _damaged(dialect, file)}
    except (subprocess.TimeoutExpired, ValueError):
        reply = {"error": _damaged(dialect, file)}
    if "error" in reply:
        raise SourceError(reply["error"])
    return _text(reply)


def _damaged(dialect: Dialect, file: str) -> str:
    return f"{file}: cannot be read as {dialect.format}; it is damaged, too large, or not of this format."


def _text(reply: dict) -> Text:
    missing = {name: tuple(codes) for name, codes in reply["missing"].items()}
    cells = tuple(map(tuple, reply["cells"]))
    return Text(
        reply["file"], tuple(reply["columns"]), cells, tuple(reply["lines"]), reply["labels"], missing
    )


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # no such limit on Windows
        return
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    limit = MOST_MEMORY if most == resource.RLIM_INFINITY else min(MOST_MEMORY, most)
    resource.setrlimit(resource.RLIMIT_AS, (limit, most))


def main() -> None:
    """Answer one request on the standard input."""
    request = json.load(sys.stdin)
    _limit_memory()
    dialect, file = Dialect(**request["dialect"]), request["file"]
    try:
        reply = asdict(READERS[dialect.format](Path(request["path"]), dialect, file=file))
    except SourceError as error:
        reply = {"error": str(error)}
    except Exception:  # a message of a library may quote a value
        reply = {"error": _damaged(dialect, file)}
    json.dump(reply, sys.stdout)


if __name__ == "__main__":
    main()

"""What is secret is for its owner alone, and nowhere twice."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from analysis.errors import BlindingError

SECRET = ("closed", "dummy")  # views that know arms
PRIVATE = (*SECRET, "logs/closed", "benchmarks/closed")
OTHERS = 0o077  # permissions of a group and of everybody


def check_private(out: Path, *, file: str = "config.yaml") -> None:
    """Refuse an output folder of an earlier run whose closed side others than its owner may enter.

    Raises
    ------
    BlindingError
        Naming the folder and the command that closes it.
    """
    for name in PRIVATE:
        folder = out / name
        if folder.is_dir() and folder.stat().st_mode & OTHERS:
            raise BlindingError(
                f"{file}, out: {name}/ of the output folder can be read by others than its owner; "
                f"chmod -R go= {name} there takes it from them."
            )


def check_copies(allocation: Path, folders: Mapping[str, Path], *, file: str = "config.yaml") -> None:
    """Refuse a folder, named by what it is, that holds the allocation once more: a copy, or a link to it.

    Raises
    ------
    BlindingError
        Naming the folder, and the copy by its place in it.
    """
    content = allocation.read_bytes()
    for what, folder in folders.items():
        for path in _files(folder):
            if path.stat().st_size == len(content) and path.read_bytes() == content:
                raise BlindingError(
                    f"{file}, allocation: the {what} holds a copy of it or a link to it, "
                    f"{path.relative_to(folder).as_posix()}; remove it."
                )


def _files(folder: Path) -> Iterator[Path]:
    """Files below a folder, without hidden folders and environments."""
    for here, folders, files in os.walk(folder):
        folders[:] = [
            each
            for each in sorted(folders)
            if not each.startswith(".") and not Path(here, each, "pyvenv.cfg").is_file()
        ]
        yield from (path for name in sorted(files) if (path := Path(here, name)).is_file())

"""Files written whole or not at all, and those of the closed side for their owner alone."""

import errno
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from analysis.data.walls import secret_folders


def write_whole(path: Path, content: bytes, *, private: bool = False) -> None:
    """Write a file whole or not at all; a private one is for its owner alone, wherever it lies."""
    write_all({path: content}, private=private)


def write_all(contents: Mapping[Path, bytes], *, private: bool = False) -> None:
    """Write files that belong together, each whole, and none before all of them lie ready on the disk.

    What is below a secret root is for its owner alone, the folders too, whoever made them.
    """
    partial = {path: path.with_name(f".{path.name}.partial") for path in contents}
    try:
        for path, content in contents.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
            _make_private(partial[path], always=private)
            partial[path].write_bytes(content)
        for path in contents:
            os.replace(partial[path], path)
    except OSError:
        for path in partial.values():
            with suppress(OSError):
                path.unlink(missing_ok=True)
        raise


def _make_private(path: Path, *, always: bool) -> None:
    """Take folders of the closed side, and a file before anything is in it, from all but their owner."""
    folders = secret_folders(path)
    for folder in folders:
        if folder.stat().st_mode & 0o077:
            folder.chmod(0o700)
    if folders or always:
        path.touch(mode=0o600)
        path.chmod(0o600)

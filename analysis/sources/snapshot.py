"""The raw files of a data cut: a digest of each and of all, and whether they are still the same files."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from analysis.errors import SourceError, place_of

FILES, CORRECTIONS = "files", "corrections"
SHOWN = 10
_BLOCK = 1 << 20
# Put by Snakemake into a folder that a rule makes: no export, and another one after each run.
_MARK = ".snakemake_timestamp"


def files_below(folder: Path) -> dict[str, Path]:
    """Every file of a folder by its way from there, but the mark of the workflow."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != _MARK)
    return {path.relative_to(folder).as_posix(): path for path in paths}


def file_digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def digest_of_all(digests: Mapping[str, str]) -> str:
    """SHA-256 of the lines that ``sha256sum`` prints of the files, in the order of their names."""
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def read_record(path: Path) -> Mapping[str, str]:
    """The digests by file that a record of a cut holds.

    Raises
    ------
    SourceError
        If it is not such a record, or its digest is not that of its files.
    """
    body = _read(path)
    return body[FILES] | (body.get(CORRECTIONS) or {})


def read_cut(path: Path) -> dict[str, str]:
    """The day of a cut and the digest of its files, from its record; raises as `read_record`."""
    body = _read(path)
    return {"cut": body["cut"], "digest": body["digest"]}


def _read(path: Path) -> dict[str, Any]:
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        fits = bool(body["cut"]) and body["digest"] == digest_of_all(body[FILES])
    except (ValueError, KeyError, TypeError, AttributeError, UnicodeDecodeError) as error:
        raise SourceError(f"{place_of(path)}: not a record of a data cut.") from error
    if not fits:
        raise SourceError(f"{place_of(path)}: its digest is not that of the files it names.")
    return body


def check_same(now: Mapping[str, str], then: Mapping[str, str], *, record: str) -> None:
    """Raise `SourceError` that names the files which are not those of an earlier record."""
    differing = [(name, "changed") for name in now if name in then and now[name] != then[name]]
    differing += [(name, "new") for name in now if name not in then]
    differing += [(name, "absent") for name in then if name not in now]
    if differing:
        raise SourceError(f"the raw files are not those of the snapshot {record}: {_told(differing)}.")


def _told(differing: Iterable[tuple[str, str]]) -> str:
    told = [f"{name} ({how})" for name, how in sorted(differing)]
    more = f" and {len(told) - SHOWN} others" if len(told) > SHOWN else ""
    return ", ".join(told[:SHOWN]) + more

"""Which files are open: everything below the output folder that does not lie on the closed side."""

import base64
import binascii
import json
from collections.abc import Iterator
from pathlib import Path

from analysis.gate.finding import Finding
from analysis.spec.blinding import TellingName, named_in
from analysis.spec.private import SECRET

# Folders that have one for each view.
BY_VIEW = ("logs", "benchmarks")
OPEN = ("open", "data", *BY_VIEW)
# Exports of the synthetic trial: they come in, and are handed to nobody.
INPUTS = "synthetic"


def open_files(out: Path) -> Iterator[Path]:
    """Open files below the output folder, sorted, hidden and stray ones too.

    A link to a file is followed, so that what it leads to is read as what it is: open.
    """
    return (path for path in _open_paths(out) if path.is_file())


def check_links(out: Path) -> Iterator[Finding]:
    """Open folders that are links: what they lead to is not looked at, and may be the closed side."""
    for path in _open_paths(out):
        if path.is_symlink() and path.is_dir():
            yield Finding(path.relative_to(out).as_posix(), "link")


def other_runs(out: Path) -> tuple[Path, ...]:
    """Output folders of other runs that lie within this one, such as those of interim cuts.

    They have the record of a data cut of their own, and a gate of their own. Nothing below this run's own
    open folders is another run.
    """
    found = (path.parents[1] for path in out.glob("*/**/data/cut.json"))
    return tuple(sorted(each for each in found if each.relative_to(out).parts[0] not in OPEN))


def _open_paths(out: Path) -> Iterator[Path]:
    others = other_runs(out)
    for path in sorted(out.rglob("*")):
        if any(path.is_relative_to(each) for each in others):
            continue
        parts = path.relative_to(out).parts
        place = parts[1:] if parts[0] in BY_VIEW else parts
        if place[:1] not in [(each,) for each in (*SECRET, INPUTS)]:
            yield path


def check_records(folder: Path, out: Path, names: tuple[TellingName, ...]) -> Iterator[Finding]:
    """Snakemake's own records of how the open files were made: words and inputs.

    A record bears the name of its file in base 64 and lists inputs, command and parameters.
    """
    inside = tuple(f"{out.as_posix()}/{each}/" for each in (*SECRET, f"{INPUTS}/restricted"))
    others = other_runs(out)
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        name = _made(path.relative_to(folder))
        if name is None or not Path(name).is_relative_to(out) or name.startswith(inside):
            continue
        if any(Path(name).is_relative_to(each) for each in others):
            continue
        place = Path(name).relative_to(out).as_posix()
        text = path.read_text(encoding="utf-8", errors="replace")
        if named_in(text, names):
            yield Finding(place, "metadata", "record of Snakemake")
        try:
            inputs = json.loads(text).get("input") or []
        except ValueError:
            continue
        if any(str(each).startswith(inside) for each in inputs):
            yield Finding(place, "origin", "record of Snakemake")


def _made(record: Path) -> str | None:
    """The file a record tells of; long names are cut into folders that begin with @."""
    coded = "".join(part.removeprefix("@") for part in record.parts)
    try:
        return base64.urlsafe_b64decode(coded).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None

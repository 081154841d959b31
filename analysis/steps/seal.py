"""A finished closed view -> one archive for the committee, locked with a passphrase."""

import argparse
from pathlib import Path

from analysis.steps.common import ROOT, add_path, say

# What a committee reads. Tables of participants never leave the folder.
PAGES = ("report.html", "report.docx", "manifest.csv")
OUTPUTS = "outputs"
VARIABLE = "BEST_PASSPHRASE"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_path(parser, "closed", "folder of the closed view")
    add_path(parser, "out", "the archive to write, ending in .zip")
    parser.epilog = f"The passphrase is asked for, or taken from {VARIABLE}; it is never an option."


def run(options: argparse.Namespace) -> None:
    from analysis.data.writing import write_whole
    from analysis.errors import CommandError
    from analysis.present.seal import seal

    if options.out.suffix != ".zip":
        raise CommandError(f"{options.out.name}: a sealed pack is an archive; its name ends in .zip.")
    if options.out.exists():
        raise CommandError(f"{options.out.name} is there already; a pack is not overwritten.")
    _check_place(options.out.resolve(), options.closed.resolve().parent)
    files = _files(options.closed)
    write_whole(options.out, seal(files, _passphrase()), private=True)
    say(f"seal: {len(files)} files in {options.out.name}; send the passphrase by another way")


def _check_place(out: Path, run: Path) -> None:
    """A pack lies in no folder that is open, and not where it could be committed."""
    from analysis.errors import BlindingError

    if out.is_relative_to(run / "open"):
        raise BlindingError(f"{out.name}: a sealed pack may not lie in open/.")
    if out.is_relative_to(ROOT):
        raise BlindingError(f"{out.name}: a sealed pack may not lie inside the repository.")


def _files(closed: Path) -> dict[str, bytes]:
    from analysis.errors import BlindingError, CommandError

    if closed.resolve().name != "closed":
        raise BlindingError(f"{closed.name}/: not the closed view; only a folder closed/ is sealed.")
    if absent := [name for name in (*PAGES, "gate.csv") if not (closed / name).is_file()]:
        raise CommandError(f"closed/{absent[0]} is absent; a pack is sealed when its run has finished.")
    paths = [*(closed / name for name in PAGES), *sorted((closed / OUTPUTS).iterdir())]
    files = {path.relative_to(closed).as_posix(): path.read_bytes() for path in paths}
    _check_manifest(files)
    return files


def _check_manifest(files: dict[str, bytes]) -> None:
    """Every file of the pack is the one that its manifest lists, and none is wanting."""
    import csv
    from hashlib import sha256

    from analysis.errors import CommandError

    rows = csv.DictReader(files["manifest.csv"].decode().splitlines())
    listed = {row["file"].removeprefix("closed/"): row["sha256"] for row in rows}
    packed = {name for name in listed if name in PAGES or name.startswith(f"{OUTPUTS}/")}
    for name in sorted({*files, *packed} - {"manifest.csv"}):
        if name not in files or sha256(files[name]).hexdigest() != listed.get(name):
            raise CommandError(f"closed/{name} is not what the manifest lists; run the report again.")


def _passphrase() -> str:
    import os
    import warnings
    from getpass import GetPassWarning, getpass

    from analysis.errors import CommandError

    if given := os.environ.get(VARIABLE):
        return given
    try:
        with warnings.catch_warnings():
            # Where it cannot be hidden it would be shown as it is typed.
            warnings.simplefilter("error", GetPassWarning)
            first, second = getpass("Passphrase: "), getpass("Once more: ")
    except (EOFError, GetPassWarning, KeyboardInterrupt):
        raise CommandError(f"no passphrase: there is nobody to ask, and {VARIABLE} is empty.") from None
    if first != second:
        raise CommandError("the two passphrases are not the same; nothing was written.")
    return first

"""A finished closed view -> one archive for the committee, locked with a passphrase."""

import argparse
from pathlib import Path

from analysis.steps.common import add_path, say

# What a committee reads. Tables of participants never leave the folder.
PAGES = ("report.html", "report.docx", "manifest.csv")
OUTPUTS = "outputs"
VARIABLE = "BEST_PASSPHRASE"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_path(parser, "closed", "folder of the closed view")
    add_path(parser, "out", "the archive to write, ending in .zip")
    parser.epilog = f"The passphrase is asked for, or taken from {VARIABLE}; it is never an option."


def run(options: argparse.Namespace) -> None:
    from analysis.data.table import write_whole
    from analysis.errors import CommandError
    from analysis.present.seal import seal

    if options.out.suffix != ".zip":
        raise CommandError(f"{options.out.name}: a sealed pack is an archive; its name ends in .zip.")
    files = _files(options.closed)
    write_whole(options.out, seal(files, _passphrase()), private=True)
    say(f"seal: {len(files)} files in {options.out.name}; send the passphrase by another way")


def _files(closed: Path) -> dict[str, bytes]:
    from analysis.errors import BlindingError, CommandError

    if closed.resolve().name != "closed":
        raise BlindingError(f"{closed.name}/: not the closed view; only a folder closed/ is sealed.")
    if absent := [name for name in (*PAGES, "gate.csv") if not (closed / name).is_file()]:
        raise CommandError(f"closed/{absent[0]} is absent; a pack is sealed when its run has finished.")
    paths = [*(closed / name for name in PAGES), *sorted((closed / OUTPUTS).iterdir())]
    return {path.relative_to(closed).as_posix(): path.read_bytes() for path in paths}


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

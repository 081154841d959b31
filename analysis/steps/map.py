"""Draft a mapping from exports nobody has described yet."""

import argparse
from pathlib import Path

from analysis.steps.common import DATA_SPEC, add_path, say, spec


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--propose", type=Path, required=True, help="an export, or a folder of exports")
    add_path(parser, "dictionary", "the data dictionary of a REDCap export", required=False)
    add_path(parser, "out", "file for the draft; without it, it is shown", required=False)


def run(options: argparse.Namespace) -> None:
    from analysis.data.writing import write_all
    from analysis.errors import SourceError
    from analysis.sources.propose import propose
    from analysis.spec.base import read_yaml
    from analysis.spec.layouts import load_layouts

    given: Path = options.propose
    folder = given if given.is_dir() else given.parent
    files = [path for path in given.rglob("*") if path.is_file()] if given.is_dir() else [given]
    files = [path for path in files if not path.name.startswith(".")]
    for path in filter(None, [given, options.dictionary]):
        if not path.exists():
            raise SourceError(f"{path}: no such file or folder.")
    if options.out and options.out.exists():
        raise SourceError(f"{options.out}: is there already; name another file, so that nothing is lost.")
    if options.out and not options.out.parent.is_dir():
        raise SourceError(f"{options.out.parent}: no such folder for the draft.")
    if options.dictionary and not options.dictionary.resolve().is_relative_to(folder.resolve()):
        raise SourceError(
            f"{options.dictionary.name}: lay the dictionary beside the export, as ingest needs it."
        )
    if options.dictionary:
        files = sorted({*files, folder / options.dictionary.resolve().relative_to(folder.resolve())})
    name = options.out.stem if options.out else "draft"
    meanings = read_yaml(DATA_SPEC / "words.yaml")
    draft = propose(spec(), meanings, load_layouts(DATA_SPEC), folder, sorted(files), name=name)
    if options.out:
        write_all({options.out: draft.text.encode()})
    else:
        print(draft.text, end="")
    found = ", ".join(draft.tables) or "none"
    say(f"map: tables found: {found}; lines to decide: {draft.n_undecided}")

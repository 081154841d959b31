"""Raw files -> record of the data cut."""

import argparse
from pathlib import Path

from analysis.steps.common import add_cut, add_path, day, say, spec


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_path(parser, "raw", "folder of the exports", required=False)
    parser.add_argument(
        "--restricted", nargs="+", type=Path, help="the allocation and other closed exports, instead"
    )
    add_path(parser, "corrections", "signed corrections", required=False)
    add_cut(parser)
    parser.add_argument("--extracted", type=day, help="day on which the exports were made")
    add_path(parser, "same-as", "record of an earlier run, whose files these must be", required=False)
    add_path(parser, "out", "the record to write")


def run(options: argparse.Namespace) -> None:
    import json

    from analysis.data.walls import check_destination
    from analysis.data.writing import write_whole
    from analysis.errors import CommandError, place_of
    from analysis.sources import snapshot

    if (options.raw is None) == (options.restricted is None):
        raise CommandError("give --raw or --restricted.")
    check_destination(options.out, audience="closed" if options.restricted else "open")
    paths = (
        snapshot.files_below(options.raw)
        if options.raw
        else {path.relative_to(options.restricted[0].parent).as_posix(): path for path in options.restricted}
    )
    digests = {name: snapshot.file_digest(path) for name, path in paths.items()}
    signed = options.corrections
    corrections = {f"corrections: {signed.name}": snapshot.file_digest(signed)} if signed else {}
    if options.same_as:
        then = snapshot.read_record(options.same_as)
        snapshot.check_same(digests | corrections, then, record=place_of(options.same_as))
    rules = spec().package.cutRules
    record = {
        "cut": options.cut,
        "extracted": options.extracted,
        "digest": snapshot.digest_of_all(digests),
        "rules": rules.model_dump(),
        snapshot.FILES: digests,
        snapshot.CORRECTIONS: corrections or None,
    }
    write_whole(options.out, (json.dumps(record, indent=1, ensure_ascii=False) + "\n").encode())
    say(f"snapshot: cut {options.cut}, {len(digests)} files, digest {record['digest'][:16]}")

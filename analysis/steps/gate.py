"""A finished run -> whether anything open tells an arm."""

import argparse

from analysis.steps.common import add_path, say, spec

SHOWN = 20  # findings in a message; the rest are counted


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_path(parser, "tree", "output folder of the run")
    add_path(
        parser,
        "closed",
        "folder of its closed view, to look at rows and counts with the arms",
        required=False,
    )
    add_path(parser, "records", "folder in which Snakemake records how files were made", required=False)
    add_path(parser, "out", "the list of checks to write")


def run(options: argparse.Namespace) -> None:
    from analysis.data.walls import check_destination
    from analysis.data.writing import write_whole
    from analysis.errors import BlindingError
    from analysis.gate.check import check_beside_closed, check_open

    declared = spec()
    check_destination(options.out, audience="closed" if options.closed else "open")
    if options.closed:
        checks, found = check_beside_closed(options.tree, options.closed, declared)
    else:
        checks, found = check_open(options.tree, declared, options.records)
    if found:
        more = f" And {len(found) - SHOWN} more." if len(found) > SHOWN else ""
        listed = " ".join(str(each) for each in found[:SHOWN])
        raise BlindingError(f"{listed}{more} Nothing of this run may be handed over as open.")
    write_whole(options.out, _report(checks))
    say(f"gate: {options.out.parent.name}, nothing that tells an arm")


def _report(checks: dict[str, int]) -> bytes:
    from analysis.gate.finding import KINDS

    lines = [f'{kind},{looked},0,"{KINDS[kind]}"' for kind, looked in checks.items()]
    return "\n".join(["check,files,findings,meaning", *lines, ""]).encode()

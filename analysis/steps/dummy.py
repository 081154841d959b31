"""Draw a rehearsal allocation from the clean families and a seed."""

import argparse

from analysis.steps.common import add_path, say, spec


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_path(parser, "families", "clean table of families")
    parser.add_argument("--seed", type=int, required=True, help="seed of the draw")
    add_path(parser, "out", "the allocation to write")


def run(options: argparse.Namespace) -> None:
    from analysis.data.allocation import draw_dummy
    from analysis.data.table import read_table, write_table
    from analysis.data.walls import check_destination

    declared = spec()
    check_destination(options.out, audience="closed")
    families = read_table(options.families, declared.table("families"))
    drawn = draw_dummy(families, declared, seed=options.seed)
    write_table(drawn, options.out, declared.table("allocation"), declared)
    say(f"dummy: {len(drawn)} families in rehearsal arms")

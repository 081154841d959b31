"""Fit the analyses of one model family."""

import argparse

from analysis.steps.common import (
    ROOT,
    add_arms,
    add_cut,
    add_path,
    file_digests,
    plan,
    results_of_last_meeting,
    say,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--family", required=True, help="model family of data_spec/sap/analyses.yaml")
    parser.add_argument(
        "--view", choices=("open", "dummy", "closed"), required=True, help="whose eyes it is for"
    )
    add_cut(parser)
    add_arms(parser)
    add_path(parser, "tables", "folder of the derived (open) or allocated tables")
    add_path(parser, "earlier", "the family's results of the run at the last meeting's cut", required=False)
    add_path(parser, "out", "file of results to write")


def run(options: argparse.Namespace) -> None:
    from analysis.data.allocation import read_allocated, read_pooled
    from analysis.data.walls import check_destination
    from analysis.data.writing import write_whole
    from analysis.models.registry import family_named, fit_all
    from analysis.models.stamp import stamp_of
    from analysis.results import Failure, ResultFile, to_json
    from analysis.spec.edition import is_interim

    declared, family = plan(options.cut, options.arms), family_named(options.family)
    blinded = options.view == "open"
    data = (
        read_pooled(options.tables, declared)
        if blinded
        else read_allocated(options.tables, declared, view=options.view)
    )
    check_destination(options.out, audience=data.audience)
    earlier = results_of_last_meeting(options.earlier, declared, view=options.view, cut=options.cut)
    results = fit_all(family, data, declared, is_interim=is_interim(declared, options.cut), earlier=earlier)
    inputs = file_digests(options.tables.glob("*.csv"))
    stamp = stamp_of(declared, ROOT, family=options.family, view=options.view, cut=options.cut, inputs=inputs)
    write_whole(options.out, to_json(ResultFile(stamp, results)).encode())
    for result in results:
        state = f"failed: {result.reason}" if isinstance(result, Failure) else "done"
        say(f"fit: {result.analysis} {result.title}: {state}")

"""Declarations -> description of the data, and the data package beside the tables."""

import argparse

from analysis.steps.common import DATA_SPEC, ROOT, add_cut, add_path, say, spec


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--view", choices=("open", "closed"), required=True, help="whose tables")
    parser.add_argument("--mapping", required=True, help="name of a file of data_spec/mappings")
    add_cut(parser)
    parser.add_argument(
        "--synthetic", action="store_true", help="say on the page that the data are synthetic"
    )
    add_path(parser, "package", "the descriptor to write")
    add_path(parser, "out", "the page to write")


def run(options: argparse.Namespace) -> None:
    from analysis.data.walls import check_destination
    from analysis.data.writing import write_all
    from analysis.present.define_page import render_define
    from analysis.spec.descriptor import descriptor
    from analysis.spec.load import load_mapping

    declared, mapping = spec(), load_mapping(DATA_SPEC, options.mapping)
    for path in (options.out, options.package):
        check_destination(path, audience=options.view)
    page = render_define(
        options.view,
        declared,
        mapping,
        cut=options.cut,
        templates=ROOT / "reports",
        synthetic=options.synthetic,
    )
    package = descriptor(declared, audience=options.view)
    write_all({options.out: page.encode(), options.package: package})
    say(f"define: {options.out}, {len(page) // 1024} KiB")

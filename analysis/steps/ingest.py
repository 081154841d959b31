"""Raw exports -> raw tables as text."""

import argparse

from analysis.steps.common import DATA_SPEC, add_path, say, spec


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_path(parser, "raw", "folder of the exports")
    add_path(parser, "allocation", "the restricted file (closed tables only)", required=False)
    parser.add_argument("--mapping", required=True, help="name of a file of data_spec/mappings")
    parser.add_argument("--tables", nargs="+", required=True, help="tables to fill")
    add_path(parser, "out", "folder for the raw tables and rows.csv")
    add_path(parser, "issues", "file for what was found in the exports")


def run(options: argparse.Namespace) -> None:
    from dataclasses import asdict

    import pandas as pd

    from analysis.data.issues import as_frame
    from analysis.data.table import to_csv
    from analysis.data.walls import check_destination
    from analysis.data.writing import write_all
    from analysis.sources.ingest import ingest
    from analysis.spec.load import load_mapping

    declared, mapping = spec(), load_mapping(DATA_SPEC, options.mapping)
    check_destination(options.out, audience=declared.audience(options.tables))
    read = ingest(
        declared, mapping, options.raw, tables=options.tables, allocation=options.allocation, say=say
    )
    rows = pd.DataFrame([asdict(count) for count in read.counts]).astype(str)
    files = {
        options.out / f"{name}.csv": to_csv(frame) for name, frame in {**read.tables, "rows": rows}.items()
    }
    write_all({**files, options.issues: to_csv(as_frame(read.issues).astype(str))})
    for name, frame in read.tables.items():
        say(f"ingest: {name}.csv, {len(frame)} rows")
    say(f"ingest: {len(read.issues)} issues in the exports")

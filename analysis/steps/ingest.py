"""Raw exports -> raw tables as text."""

import argparse

from analysis.steps.common import DATA_SPEC, add_path, say, spec


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_path(parser, "raw", "folder of the exports")
    add_path(parser, "allocation", "the restricted file (closed tables only)", required=False)
    parser.add_argument("--mapping", required=True, help="name of a file of data_spec/mappings")
    parser.add_argument("--tables", nargs="+", required=True, help="tables to fill")
    add_path(parser, "out", "folder for the raw tables and rows.csv")


def run(options: argparse.Namespace) -> None:
    from dataclasses import asdict

    import pandas as pd

    from analysis.data.table import to_csv, write_all
    from analysis.data.walls import check_destination
    from analysis.sources.ingest import ingest
    from analysis.spec.load import load_mapping

    declared, mapping = spec(), load_mapping(DATA_SPEC, options.mapping)
    check_destination(options.out, audience=declared.audience(options.tables))
    tables, counts = ingest(
        declared, mapping, options.raw, tables=options.tables, allocation=options.allocation, say=say
    )
    rows = pd.DataFrame([asdict(count) for count in counts]).astype(str)
    write_all(
        {options.out / f"{name}.csv": to_csv(frame) for name, frame in {**tables, "rows": rows}.items()}
    )
    for name, frame in tables.items():
        say(f"ingest: {name}.csv, {len(frame)} rows")

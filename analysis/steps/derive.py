"""Clean tables -> derived tables."""

import argparse

from analysis.steps.common import add_cut, add_path, say, spec


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_path(parser, "clean", "folder of the clean tables")
    add_cut(parser)
    add_path(parser, "out", "folder for the derived tables")
    add_path(parser, "issues", "file for what was found in the care histories")


def run(options: argparse.Namespace) -> None:
    from analysis.data.derive import derive
    from analysis.data.issues import as_frame
    from analysis.data.table import read_table, read_text, table_csv, to_csv
    from analysis.data.writing import write_all

    declared = spec()
    names = declared.table_names(layer="raw", audience="open")
    tables = {name: read_table(options.clean / f"{name}.csv", declared.table(name)) for name in names}
    scales = read_text(options.clean / "scales.csv", declared.table("scales"))
    derived = derive(tables, declared, data_cut=options.cut, scales_text=scales)
    files = {
        options.out / f"{name}.csv": table_csv(frame, declared.table(name), declared)
        for name, frame in derived.tables.items()
    }
    write_all({**files, options.issues: to_csv(as_frame(derived.issues).astype(str))})
    for name, frame in derived.tables.items():
        say(f"derive: {name}.csv, {len(frame)} rows")
    say(f"derive: {len(derived.issues)} issues in the care histories")

"""Raw tables -> clean tables and issues."""

import argparse

from analysis.steps.common import add_cut, add_path, say, spec


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_path(parser, "raw-tables", "folder written by ingest")
    parser.add_argument("--tables", nargs="+", required=True, help="tables to clean")
    add_cut(parser)
    add_path(parser, "corrections", "signed corrections", required=False)
    add_path(parser, "parents", "folder of clean tables that keys may point to", required=False)
    add_path(parser, "without", "families and children cut from the parents", required=False)
    add_path(parser, "out", "folder for the clean tables")
    add_path(parser, "issues", "folder for the issues, one file per table")
    add_path(parser, "readout", "file for what the data cut left and took, by table and site", required=False)
    add_path(parser, "removed", "file for the families and children that the cut took", required=False)


def run(options: argparse.Namespace) -> None:
    from analysis.data.clean import clean_tables
    from analysis.data.corrections import read_corrections
    from analysis.data.cut_readout import read_removed
    from analysis.data.issues import as_frame
    from analysis.data.table import read_coded, text_csv, to_csv
    from analysis.data.walls import check_destination
    from analysis.data.writing import write_all

    declared = spec()
    check_destination(options.out, audience=declared.audience(options.tables))
    raw = {
        name: read_coded(options.raw_tables / f"{name}.csv", declared.table(name)) for name in options.tables
    }
    parents = {
        name: read_coded(options.parents / f"{name}.csv", declared.table(name))
        for name in (("families", "children") if options.parents else ())
    }
    corrections = read_corrections(options.corrections, declared)
    cleaned = clean_tables(
        raw,
        declared,
        data_cut=options.cut,
        corrections=corrections,
        parents=parents,
        removed=read_removed(options.without),
    )
    found = {name: as_frame(issue for issue in cleaned.issues if issue.table == name) for name in raw}
    files = {options.issues / f"{name}.csv": to_csv(frame.astype(str)) for name, frame in found.items()}
    for name, text in cleaned.tables.items():
        files[options.out / f"{name}.csv"] = text_csv(text, declared.table(name), declared)
    lists = {options.readout: cleaned.readout, options.removed: cleaned.removed}
    write_all(files | {path: to_csv(frame.astype(str)) for path, frame in lists.items() if path})
    for name, text in cleaned.tables.items():
        say(f"clean: {name}.csv, {len(raw[name])} rows in, {len(text)} out, {len(found[name])} issues")

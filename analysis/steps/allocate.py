"""Derived tables + allocation -> tables with arms."""

import argparse

from analysis.steps.common import add_path, say, spec


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--view", choices=("dummy", "closed"), required=True, help="whose arms")
    add_path(parser, "derived", "folder of the derived tables")
    add_path(parser, "allocation", "clean table of the allocation")
    add_path(parser, "delivery", "clean table of the service delivered (closed view)", required=False)
    add_path(parser, "revealing", "folder for the derived tables that reveal the arm")
    add_path(parser, "out", "folder for the tables with arms")


def run(options: argparse.Namespace) -> None:
    import pandas as pd

    from analysis.data.allocation import allocate, allocated_table
    from analysis.data.delivery import derive_service, with_delivery
    from analysis.data.table import read_table, table_csv, typed, write_all
    from analysis.data.walls import check_destination
    from analysis.spec.tables import ALLOCATED_TABLES, REVEALING_TABLES

    declared = spec()
    for out in (options.out, options.revealing):
        check_destination(out, audience="closed")
    tables = {
        name: read_table(options.derived / f"{name}.csv", declared.table(name)) for name in ALLOCATED_TABLES
    }
    table = declared.table("delivery")
    delivery = typed(pd.DataFrame(columns=list(table.columns), dtype=object), table)
    if options.delivery:
        delivery = read_table(options.delivery, table)
        tables["flow"] = with_delivery(tables["flow"], delivery, declared)
    tables["service"] = derive_service(delivery, tables["subjects"])
    allocation = read_table(options.allocation, declared.table("allocation"))
    allocated = allocate(tables, allocation, declared, view=options.view).tables
    revealing = {
        options.revealing / f"{name}.csv": table_csv(tables[name], declared.table(name), declared)
        for name in REVEALING_TABLES
    }
    with_arms = {
        options.out / f"{name}.csv": table_csv(frame, allocated_table(name, declared), declared)
        for name, frame in allocated.items()
    }
    write_all({**revealing, **with_arms})
    say(f"allocate: {len(with_arms)} tables in {options.out}")

"""Derived tables + allocation -> tables with arms."""

import argparse

from analysis.steps.common import add_path, say, spec


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--view", choices=("dummy", "closed"), required=True, help="whose arms")
    add_path(parser, "derived", "folder of the derived tables")
    add_path(parser, "allocation", "clean table of the allocation")
    add_path(parser, "delivery", "clean table of the service delivered (closed view)", required=False)
    add_path(parser, "out", "folder for the tables with arms")


def run(options: argparse.Namespace) -> None:
    from analysis.data.allocation import allocate, allocated_table
    from analysis.data.delivery import with_delivery
    from analysis.data.table import read_table, table_csv, write_all
    from analysis.data.walls import check_destination
    from analysis.spec.tables import ALLOCATED_TABLES

    declared = spec()
    check_destination(options.out, audience="closed")
    tables = {
        name: read_table(options.derived / f"{name}.csv", declared.table(name)) for name in ALLOCATED_TABLES
    }
    if options.delivery:
        delivery = read_table(options.delivery, declared.table("delivery"))
        tables["flow"] = with_delivery(tables["flow"], delivery, declared)
    allocation = read_table(options.allocation, declared.table("allocation"))
    allocated = allocate(tables, allocation, declared, view=options.view).tables
    write_all(
        {
            options.out / f"{name}.csv": table_csv(frame, allocated_table(name, declared), declared)
            for name, frame in allocated.items()
        }
    )
    say(f"allocate: {len(ALLOCATED_TABLES)} tables in {options.out}")

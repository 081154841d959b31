"""Derived tables + allocation -> tables with arms."""

import argparse

from analysis.steps.common import add_arms, add_path, say, spec


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--view", choices=("dummy", "closed"), required=True, help="whose arms")
    add_path(parser, "derived", "folder of the derived tables")
    add_path(parser, "allocation", "clean table of the allocation")
    add_path(parser, "delivery", "clean table of the service delivered (closed view)", required=False)
    add_arms(parser)
    add_path(parser, "key", "which arm is called A: read, or drawn and written once", required=False)
    parser.add_argument("--seed", type=int, help="seed of that draw (synthetic trial)")
    add_path(parser, "revealing", "folder for the derived tables that reveal the arm")
    add_path(parser, "out", "folder for the tables with arms")


def run(options: argparse.Namespace) -> None:
    import pandas as pd

    from analysis.data.allocation import allocate, allocated_table
    from analysis.data.delivery import derive_service, with_delivery
    from analysis.data.table import read_table, table_csv, typed
    from analysis.data.walls import check_destination
    from analysis.data.writing import write_all
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
    if options.arms == "coded":
        allocation, declared = _with_labels(options, allocation, declared)
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


def _with_labels(options: argparse.Namespace, allocation, declared):
    """The allocation by A and B, and declarations that know no other arms. A rehearsal needs no secret."""
    from analysis.data.arm_labels import arm_labels
    from analysis.spec.coded_arms import LABELS, coded

    arms = declared.trial.arms
    labels = dict(zip((arms.intervention, arms.control), LABELS, strict=True))
    if options.key:
        labels = arm_labels(options.key, declared, seed=options.seed)
    return allocation.assign(arm=allocation["arm"].map(labels)), coded(declared)

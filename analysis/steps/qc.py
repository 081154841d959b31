"""Estimate everything a second time and compare."""

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
    parser.add_argument("--view", choices=("dummy", "closed"), required=True, help="whose eyes it is for")
    add_cut(parser)
    add_arms(parser)
    add_path(parser, "tables", "folder of the allocated tables")
    add_path(parser, "results", "folder of the results")
    add_path(parser, "reference", "folder of results of R for these tables", required=False)
    add_path(parser, "earlier", "results of family monitoring at the last meeting's cut", required=False)
    add_path(parser, "out", "folder for agreement.json and numbers.csv")


def run(options: argparse.Namespace) -> None:
    import pandas as pd

    from analysis.agreement import Agreements, agreements_json, numbers_rows
    from analysis.data.table import to_csv
    from analysis.data.walls import check_destination
    from analysis.data.writing import write_all
    from analysis.qc.agreement import agree, refuse_differing
    from analysis.qc.kept import contents, read_kept
    from analysis.qc.stamp import stamp_of_qc
    from analysis.qc.tables import read_tables
    from analysis.results import read_results
    from analysis.spec.edition import is_interim
    from analysis.spec.outputs import families_of

    declared = plan(options.cut, options.arms)
    check_destination(options.out, audience="closed")
    files = [options.results / f"{name}.json" for name in families_of(declared, options.view)]
    results = {item.analysis: item for path in files for item in read_results(path).results}
    inputs = file_digests(options.tables.glob("*.csv"))
    kept = read_kept(options.reference, contents(options.tables.glob("*.csv")))
    interim = is_interim(declared, options.cut)
    earlier = results_of_last_meeting(options.earlier, declared, view=options.view, cut=options.cut)
    tables = read_tables(options.tables, declared, earlier=earlier)
    found = agree(results, tables, kept, is_interim=interim)
    for each in found:
        state = each.absent or f"{each.n} numbers, {len(each.differing)} differ"
        say(f"qc: {each.analysis} {state}")
    (options.out / "differing.csv").unlink(missing_ok=True)
    differing = pd.DataFrame([row for row in numbers_rows(found) if not row["agrees"]])
    if len(differing):
        write_all({options.out / "differing.csv": to_csv(differing.astype(str))})
    refuse_differing(found)
    stamp = stamp_of_qc(declared, ROOT, view=options.view, cut=options.cut, inputs=inputs)
    content = Agreements(stamp, file_digests(files), bool(kept.numbers), found)
    write_all(
        {
            options.out / "agreement.json": agreements_json(content).encode(),
            options.out / "numbers.csv": to_csv(pd.DataFrame(numbers_rows(found)).astype(str)),
        }
    )

"""Findings -> issue report, and lists for the data managers."""

import argparse

from analysis.steps.common import ROOT, add_cut, add_path, say, spec


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--view", choices=("open", "closed"), required=True, help="whose tables")
    add_cut(parser)
    add_path(parser, "ingested", "folder written by ingest")
    add_path(parser, "clean", "folder of the clean tables")
    add_path(parser, "parents", "folder of the clean families and children")
    add_path(parser, "issues", "folder of the findings")
    parser.add_argument(
        "--synthetic", action="store_true", help="say on the page that the data are synthetic"
    )
    add_path(parser, "lists", "folder for one list per site")
    add_path(parser, "out", "the page to write")


def run(options: argparse.Namespace) -> None:
    from analysis.data import issue_log as log
    from analysis.data.walls import check_destination
    from analysis.data.writing import write_all
    from analysis.present.issue_lists import site_lists
    from analysis.present.issue_page import FileRows, IssueLog, TableRows, render_issues

    declared, view = spec(), options.view
    check_destination(options.out, audience=view)
    names = declared.table_names(layer="raw", audience=view)
    found = {path.stem: log.read_issues(path) for path in sorted(options.issues.glob("*.csv"))}
    issues = [issue for each in found.values() for issue in each]
    sites = log.sites_on_disk(
        issues, declared, parents=options.parents, clean=options.clean, ingested=options.ingested
    )
    files = tuple(FileRows(**line) for line in log.read_counts(options.ingested / "rows.csv"))
    folders = (options.ingested, options.clean)
    rows = {name: [log.count_rows(folder / f"{name}.csv") for folder in folders] for name in names}
    tables = tuple(TableRows(name, *rows[name], log.set_aside(found[name])) for name in names)
    page = render_issues(
        view,
        declared,
        IssueLog(tuple(issues), sites, files, tables),
        cut=options.cut,
        templates=ROOT / "reports",
        synthetic=options.synthetic,
        lists=options.lists.name,
        title="Issue report" if view == "open" else "Issue report of the closed tables",
    )
    lists = site_lists(issues, sites, declared)
    write_all({options.out: page.encode(), **{options.lists / name: text for name, text in lists.items()}})
    say(f"issues: {options.out}, {len(issues)} findings, {len(page) // 1024} KiB")

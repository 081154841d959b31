"""A folder of exports -> everything that is wrong with it."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from analysis.steps.common import DATA_SPEC, ROOT, add_cut, add_path, spec

SHOWN = 20  # stops; all of them are on the page


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="folder of the open exports")
    parser.add_argument("--mapping", required=True, help="name of a file of data_spec/mappings")
    add_cut(parser, required=False)
    add_path(parser, "corrections", "signed corrections", required=False)
    parser.add_argument("--out", type=Path, default=Path("out/check"), help="folder for page and lists")
    parser.add_argument(
        "--progress", action="store_true", help="show progress also where there is no terminal"
    )


def run(options: argparse.Namespace) -> int:
    from tqdm import tqdm

    from analysis.data.walls import check_destination
    from analysis.data.writing import write_all
    from analysis.present.define_page import render_define
    from analysis.present.issue_lists import site_lists
    from analysis.present.issue_page import render_issues
    from analysis.spec.load import load_mapping

    declared, mapping = spec(), load_mapping(DATA_SPEC, options.mapping)
    check_destination(options.out, audience="open")
    _check_folders(options)
    cut = options.cut or declared.trial.data_cut
    shown = options.progress or sys.stderr.isatty()
    with tqdm(disable=not shown, file=sys.stderr, unit=" checks", leave=False) as bar:

        def say(text: str) -> None:
            bar.set_description_str(text, refresh=False)
            bar.update()

        log = _log(options, declared, mapping, cut, say)
    about = {"cut": cut, "templates": ROOT / "reports", "synthetic": False}
    page = render_issues("open", declared, log, **about, lists="issues", title="Check of the exports")
    files = {f"issues/{name}": text for name, text in site_lists(log.issues, log.sites, declared).items()}
    files |= {
        "issues.html": page.encode(),
        "define.html": render_define("open", declared, mapping, **about).encode(),
    }
    write_all({options.out / name: text for name, text in files.items()})
    return _tell(log.issues, options.out / "issues.html")


def _check_folders(options: argparse.Namespace) -> None:
    from analysis.errors import CommandError, SourceError

    if not options.folder.is_dir():
        raise SourceError(f"{options.folder}: no such folder; give the folder of the open exports.")
    if options.out.resolve().is_relative_to(options.folder.resolve()):
        raise CommandError("--out: what is written may not lie among the exports.")


def _log(options: argparse.Namespace, declared, mapping, cut: str, say: Callable[[str], None]):
    """What reading and cleaning find, in the form of the page."""
    from dataclasses import asdict

    from analysis.data.whole_check import check_tables
    from analysis.present.issue_page import FileRows, IssueLog, TableRows
    from analysis.sources.ingest import ingest
    from analysis.sources.refusals import refusal

    refused = []
    names = declared.table_names(layer="raw", audience="open")
    read = ingest(declared, mapping, options.folder, tables=names, say=say, refuse=refused.append)
    checked = check_tables(
        read.tables,
        declared,
        data_cut=cut,
        corrections=options.corrections,
        found=[*(refusal(each, declared) for each in refused), *read.issues],
        incomplete=frozenset(table for each in refused for table in each.tables),
        say=say,
    )
    files = tuple(FileRows(**asdict(count)) for count in read.counts)
    sizes = tuple(TableRows(name, *size) for name, size in checked.sizes.items())
    return IssueLog(checked.issues, checked.sites, files, sizes, checked.unchecked)


def _tell(issues, page: Path) -> int:
    """The stops, one sentence per rule and file, and the numbers of findings; the exit code."""
    from analysis.data.issues import stop_lines
    from analysis.present.issue_lists import SEVERITIES

    lines = stop_lines(issues)
    more = [f"And {len(lines) - SHOWN} others that stop a run."] if len(lines) > SHOWN else []
    stops, queries, notes = (sum(issue.severity == each for issue in issues) for each in SEVERITIES)
    print(f"{stops} stops, {queries} queries, {notes} notes: {page}", *lines[:SHOWN], *more, sep="\n")
    return 1 if lines else 0

"""A folder of exports -> everything that is wrong with it."""

import argparse
import sys
from pathlib import Path

from analysis.steps.common import DATA_SPEC, ROOT, add_cut, add_path, spec


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

    from analysis.data.table import write_all
    from analysis.data.walls import check_destination
    from analysis.errors import CommandError, SourceError
    from analysis.present.define_page import render_define
    from analysis.present.issue_lists import SEVERITIES, site_lists
    from analysis.present.issue_page import render_issues
    from analysis.spec.load import load_mapping
    from analysis.steps.whole_check import check_exports

    declared, mapping = spec(), load_mapping(DATA_SPEC, options.mapping)
    check_destination(options.out, audience="open")
    if not options.folder.is_dir():
        raise SourceError(f"{options.folder}: no such folder; give the folder of the open exports.")
    if options.out.resolve().is_relative_to(options.folder.resolve()):
        raise CommandError("--out: what is written may not lie among the exports.")
    cut = options.cut or declared.trial.data_cut
    shown = options.progress or sys.stderr.isatty()
    with tqdm(disable=not shown, file=sys.stderr, unit=" checks", leave=False) as bar:

        def say(text: str) -> None:
            bar.set_description_str(text, refresh=False)
            bar.update()

        log = check_exports(
            declared, mapping, options.folder, cut=cut, corrections=options.corrections, say=say
        )
    about = {"cut": cut, "templates": ROOT / "reports", "synthetic": False}
    page = render_issues("open", declared, log, **about, lists="issues", title="Check of the exports")
    files = {f"issues/{name}": text for name, text in site_lists(log.issues, log.sites, declared).items()}
    files |= {
        "issues.html": page.encode(),
        "define.html": render_define("open", declared, mapping, **about).encode(),
    }
    write_all({options.out / name: text for name, text in files.items()})
    found = [sum(issue.severity == each for issue in log.issues) for each in SEVERITIES]
    print(f"{found[0]} stops, {found[1]} queries, {found[2]} notes: {options.out / 'issues.html'}")
    return 1 if found[0] else 0

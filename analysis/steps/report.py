"""Tables and figures -> report."""

import argparse
import os
from pathlib import Path

from analysis.steps.common import ROOT, add_arms, add_cut, add_path, file_digests, plan, say, sha256


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--view", choices=("open", "dummy", "closed"), required=True, help="whose eyes it is for"
    )
    add_cut(parser)
    add_arms(parser)
    add_path(parser, "results", "folder of the results")
    add_path(parser, "outputs", "folder of tables and figures")
    add_path(parser, "tables", "folder of the tables the results were made of")
    add_path(parser, "agreement", "what the second programmer found (closed and dummy views)", required=False)
    parser.add_argument("--issues", type=Path, nargs="+", required=True, help="folders of the data issues")
    parser.add_argument(
        "--synthetic", action="store_true", help="say on every page that the data are synthetic"
    )
    _add_pack(parser)
    add_path(parser, "out", "the report to write as a page")
    add_path(parser, "word", "the report to write as a Word document")
    add_path(parser, "manifest", "the list to write of every file the report is made of")


def _add_pack(parser: argparse.ArgumentParser) -> None:
    """What the report of an interim cut shows besides."""
    for name in ("open", "closed"):
        text = f"what earlier meetings agreed in {name} session"
        option = "--meetings" if name == "open" else "--closed-meetings"
        parser.add_argument(option, type=Path, nargs="*", default=[], help=text)
    parser.add_argument("--delta", type=Path, nargs="*", default=[], help="delta.json since the last meeting")
    parser.add_argument("--recipient", default="", help="for whom this copy is")
    parser.add_argument("--copy-number", default="", help="its number")


def run(options: argparse.Namespace) -> None:
    from analysis.data.issues import count_issues
    from analysis.data.walls import check_destination
    from analysis.data.writing import write_all
    from analysis.models.stamp import stamp_of
    from analysis.present.document import render_report
    from analysis.present.manifest import list_files, to_csv
    from analysis.present.word import render_word
    from analysis.results import read_results
    from analysis.spec.outputs import families_of

    declared, view = plan(options.cut, options.arms), options.view
    for out in (options.out, options.word, options.manifest):
        check_destination(out, audience="open" if view == "open" else "closed")
    names = families_of(declared, view)
    files = {name: read_results(options.results / f"{name}.json") for name in names}
    inputs = file_digests(options.tables.glob("*.csv"))
    current = {
        name: stamp_of(declared, ROOT, family=name, view=view, cut=options.cut, inputs=inputs)
        for name in names
    }
    agreements = _agreements(options, declared, names, inputs) if options.agreement else None
    listed = list_files(view, declared, files, _folders(options), agreements and agreements.stamp)
    page = render_report(
        view,
        declared,
        files=files,
        current=current,
        outputs=options.outputs,
        issues=count_issues(options.issues),
        templates=ROOT / "reports",
        synthetic=options.synthetic,
        manifest=listed,
        agreements=agreements,
        pack=_pack(options),
    )
    pictures = {path.stem: path.read_bytes() for path in options.outputs.glob("*.png")}
    pages = {options.out: page.encode(), options.word: render_word(page, pictures, ROOT / "reports" / "word")}
    digests = {_place(path, options): sha256(content) for path, content in pages.items()}
    manifest = to_csv(listed, digests, declared, view, options.cut)
    write_all({**pages, options.manifest: manifest.encode()})
    say(f"report: {', '.join(f'{path.name}, {len(each) // 1024} KiB' for path, each in pages.items())}")


def _pack(options: argparse.Namespace):
    """What an interim report shows beside results."""
    import json

    from analysis.present.interim import Pack
    from analysis.spec.meetings import read_meetings

    return Pack(
        meetings=(
            *read_meetings(options.meetings),
            *read_meetings(options.closed_meetings, session="closed"),
        ),
        changes=[json.loads(path.read_text(encoding="utf-8")) for path in options.delta],
        recipient=options.recipient,
        copy_number=options.copy_number,
    )


def _folders(options: argparse.Namespace):
    """What the report is made of, with the digest of every file."""
    from analysis.present.manifest import Folder, Folders

    def folder(path: Path, pattern: str) -> Folder:
        digests = {each.name: sha256(each.read_bytes()) for each in sorted(path.glob(pattern))}
        return Folder(_place(path, options), digests)

    return Folders(
        tables=folder(options.tables, "*.csv"),
        results=folder(options.results, "*.json"),
        outputs=folder(options.outputs, "*.*"),
        second=folder(options.agreement.parent, "*.*") if options.agreement else None,
    )


def _place(path: Path, options: argparse.Namespace) -> str:
    """A path below the output folder, which holds a folder for each view."""
    return Path(os.path.relpath(path, options.manifest.parent.parent)).as_posix()


def _agreements(options: argparse.Namespace, declared, names, inputs):
    """What the second programmer found, of these very results."""
    from analysis.agreement import check_current, read_agreements
    from analysis.qc.stamp import stamp_of_qc

    found = read_agreements(options.agreement)
    stamp = stamp_of_qc(declared, ROOT, view=options.view, cut=options.cut, inputs=inputs)
    check_current(found, stamp, file_digests(options.results / f"{name}.json" for name in names))
    return found

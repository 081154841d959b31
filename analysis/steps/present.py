"""Results -> tables and figures."""

import argparse

from analysis.steps.common import ROOT, add_arms, add_cut, add_path, plan, say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--view", choices=("open", "dummy", "closed"), required=True, help="whose eyes it is for"
    )
    add_cut(parser)
    add_arms(parser)
    add_path(parser, "results", "folder of the results")
    add_path(parser, "agreement", "what the second programmer found (closed and dummy views)", required=False)
    add_path(parser, "out", "folder for tables and figures")


def run(options: argparse.Namespace) -> None:
    from analysis.agreement import read_agreements
    from analysis.data.walls import check_destination
    from analysis.data.writing import write_whole
    from analysis.errors import BlindingError
    from analysis.present.figures import draw
    from analysis.present.tables import tabulate, write_forms
    from analysis.results import read_results
    from analysis.spec.outputs import FIGURES, families_of, outputs_of

    declared = plan(options.cut, options.arms)
    check_destination(options.out, audience="open" if options.view == "open" else "closed")
    names = families_of(declared, options.view)
    files = [read_results(options.results / f"{name}.json") for name in names]
    if any(file.stamp.view != options.view for file in files):
        raise BlindingError(f"results/: not all of these are results of the {options.view} view.")
    results = {item.analysis: item for file in files for item in file.results}
    agreements = read_agreements(options.agreement) if options.agreement else None
    for output in outputs_of(declared, options.view):
        if output.kind in FIGURES:
            forms = draw(output, results, declared, options.view, style=ROOT / "reports" / "trial.mplstyle")
        else:
            forms = write_forms(tabulate(output, results, declared, options.view, agreements))
        for form, content in forms.items():
            write_whole(options.out / f"{output.id}.{form}", content)
        say(f"present: {output.id} {output.title}")

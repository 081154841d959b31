"""The command line: ``python -m analysis STEP ...`` runs one step; the workflow runs all of them."""

import argparse
import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

from analysis.errors import CommandError, TrialError

STEPS = {
    "synth": "write the synthetic trial: raw exports, and apart from them its allocation and truth",
    "map": "draft a mapping from exports nobody has described yet",
    "snapshot": "raw files -> record of the data cut",
    "ingest": "raw exports -> raw tables",
    "clean": "raw tables -> clean tables and issues",
    "derive": "clean tables -> derived tables",
    "dummy": "draw a rehearsal allocation",
    "allocate": "derived tables + allocation -> tables with arms",
    "fit": "fit the analyses of one model family",
    "qc": "estimate everything a second time and compare",
    "present": "results -> tables and figures",
    "report": "tables and figures -> report",
    "gate": "a finished run -> whether anything open tells an arm",
    "issues": "findings -> issue report and lists for the data managers",
    "delta": "two cuts -> what became known between them",
    "seal": "a closed view -> one archive for the committee, locked with a passphrase",
    "define": "declarations -> description of the data, and the data package",
    "check": "a folder of exports -> everything that is wrong with it",
}
UNEXPECTED = 70


class Parser(argparse.ArgumentParser):
    """Its errors are one paragraph like any other."""

    def error(self, message: str) -> NoReturn:
        raise CommandError(f"{self.prog}: {message}; see {self.prog} --help.")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one step; the exit code is what the step answers, or that of the error."""
    parser = Parser(prog="python -m analysis", description=__doc__, allow_abbrev=False)
    names = parser.add_subparsers(dest="step", required=True, metavar="STEP")
    arguments = list(sys.argv[1:] if argv is None else argv)
    chosen = arguments[0] if arguments and arguments[0] in STEPS else None
    for name, text in STEPS.items():
        step = names.add_parser(name, help=text, description=text, allow_abbrev=False)
        if name == chosen:
            module = importlib.import_module(f"analysis.steps.{name}")
            module.add_arguments(step)
            step.set_defaults(run=module.run)
    step = chosen or "?"
    try:
        options = parser.parse_args(arguments)
        return options.run(options) or 0
    except TrialError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        place = error.filename2 or error.filename or "a file"
        print(f"error: {place}: {error.strerror or type(error).__name__}.", file=sys.stderr)
        return TrialError.exit_code
    except Exception as error:  # the last resort: a message of ours, never a participant's value
        return _unexpected(step, error)


def _unexpected(step: str, error: Exception) -> int:
    """A bug. Its message may quote data, so only its kind and place are shown unless asked for."""
    if os.environ.get("BEST_TRACEBACK"):
        raise error
    place = traceback.extract_tb(error.__traceback__)[-1]
    print(
        f"error: step {step} failed unexpectedly ({type(error).__name__} in "
        f"{os.path.basename(place.filename)}, line {place.lineno}). Please report it. "
        "BEST_TRACEBACK=1 shows the traceback, which may quote data.",
        file=sys.stderr,
    )
    return UNEXPECTED


if __name__ == "__main__":
    sys.exit(main())

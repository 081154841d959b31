"""What every step shares: the root of the repository, its declarations, and a line of progress."""

import argparse
import hashlib
import sys
from collections.abc import Iterable
from pathlib import Path

from analysis.errors import BlindingError, ReportError
from analysis.spec.base import is_iso_day
from analysis.spec.coded_arms import coded
from analysis.spec.declarations import Spec
from analysis.spec.edition import edition
from analysis.spec.load import load_spec

ROOT = Path(__file__).resolve().parents[2]
DATA_SPEC = ROOT / "data_spec"
ALL = "All"  # arms together


def spec() -> Spec:
    """The declarations of this repository."""
    return load_spec(DATA_SPEC)


def plan(cut: str, arms: str = "named") -> Spec:
    """The declarations, and of the plan what the edition of this cut shows; with arms `named` or `coded`."""
    shown = edition(spec(), cut)
    return coded(shown) if arms == "coded" else shown


def add_arms(parser: argparse.ArgumentParser) -> None:
    """Declare what the arms are called."""
    parser.add_argument(
        "--arms", choices=("named", "coded"), default="named", help="codes of the arms, or A and B"
    )


def results_of_last_meeting(path: Path | None, declared: Spec, *, view: str, cut: str) -> tuple:
    """Results of the run at the last meeting's cut; none without one.

    Raises
    ------
    BlindingError
        If they are of another view, or of arms that `declared` does not know: by other names, A less B may
        have the other sign.
    ReportError
        If their cut is not an earlier one.
    """
    from analysis.results import read_results

    if path is None:
        return ()
    found = read_results(path)
    if found.stamp.view != view:
        raise BlindingError(f"{path.name}: results of the last meeting are of the {found.stamp.view} view.")
    if found.stamp.cut >= cut:
        raise ReportError(f"{path.name}: results of the last meeting are not of an earlier data cut.")
    arms = {
        count.labels["arm"]
        for each in found.results
        for count in getattr(each, "counts", ())
        if "arm" in count.labels
    }
    if not arms <= {ALL, *declared.codes["arm"]}:
        raise BlindingError(
            f"{path.name}: results of the last meeting call the arms by other names; "
            "arm_labels must be the same at every cut."
        )
    return found.results


def say(text: str) -> None:
    """A line of progress, on the terminal and in the rule's log. Never a participant's value."""
    print(text, file=sys.stderr, flush=True)


def add_path(parser: argparse.ArgumentParser, name: str, text: str, *, required: bool = True) -> None:
    """Declare a path option."""
    parser.add_argument(f"--{name}", type=Path, required=required, help=text)


def add_cut(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Declare the data cut."""
    parser.add_argument("--cut", type=day, required=required, help="data cut, ISO date")


def day(text: str) -> str:
    """An option that is a day of the calendar."""
    if not is_iso_day(text):
        raise argparse.ArgumentTypeError("not a date of the form 2021-07-31")
    return text


def sha256(content: bytes) -> str:
    """SHA-256 of a file's content."""
    return hashlib.sha256(content).hexdigest()


def file_digests(paths: Iterable[Path]) -> dict[str, str]:
    """File name -> SHA-256 (first 16 hexadecimal digits)."""
    return {path.name: sha256(path.read_bytes())[:16] for path in sorted(paths)}

"""The third wall: where what knows arms may be written."""

from pathlib import Path

import pytest

from analysis.data.walls import check_destination
from analysis.errors import BlindingError

SECRET = ["out/closed/results/mixed.json", "out/dummy/allocated/events.csv", "elsewhere/closed/report.html"]
OPEN = ["out/open/report.html", "out/data/clean/families.csv", "results/open/results/flow.json"]


@pytest.mark.parametrize("path", SECRET)
def test_what_knows_arms_goes_below_a_secret_root(path: str) -> None:
    check_destination(Path(path), audience="closed")
    with pytest.raises(BlindingError, match="open results may not be written to (closed|dummy)/"):
        check_destination(Path(path), audience="open")


@pytest.mark.parametrize("path", OPEN)
def test_what_is_open_goes_below_an_open_root(path: str) -> None:
    check_destination(Path(path), audience="open")
    with pytest.raises(BlindingError, match="closed results may not be written to (open|data)/"):
        check_destination(Path(path), audience="closed")


def test_the_innermost_root_decides() -> None:
    """An output folder may itself lie below a folder of that name."""
    check_destination(Path("closed/trial/out/open/report.html"), audience="open")
    with pytest.raises(BlindingError):
        check_destination(Path("closed/trial/out/open/report.html"), audience="closed")
    check_destination(Path("data/trial/out/closed/report.html"), audience="closed")


def test_a_folder_that_is_no_root_holds_no_secret() -> None:
    with pytest.raises(BlindingError, match="neither closed/ nor dummy/"):
        check_destination(Path("somewhere/report.html"), audience="closed")

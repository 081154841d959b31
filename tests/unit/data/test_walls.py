"""The third wall: where what knows arms may be written."""

from pathlib import Path

import pytest

from analysis.data.walls import check_destination
from analysis.data.writing import write_all, write_whole
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


def test_what_knows_arms_is_for_its_owner_alone_whoever_made_the_folder(tmp_path: Path) -> None:
    """Snakemake makes folders before a job, for everybody to read."""
    secret = [tmp_path / "closed/outputs/T1.csv", tmp_path / "dummy/manifest.csv"]
    opened = tmp_path / "open/outputs/T1.csv"
    for path in (*secret, opened):
        path.parent.mkdir(parents=True)
        path.parent.chmod(0o755)
    secret[0].write_text("before")
    secret[0].chmod(0o644)
    write_all({path: b"after" for path in (*secret, opened)})
    for path in secret:
        assert path.read_bytes() == b"after"
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "closed").stat().st_mode & 0o777 == 0o700
    assert opened.parent.stat().st_mode & 0o777 == 0o755


def test_a_private_file_is_so_wherever_it_lies(tmp_path: Path) -> None:
    write_whole(tmp_path / "pack.zip", b"x", private=True)
    assert (tmp_path / "pack.zip").stat().st_mode & 0o777 == 0o600

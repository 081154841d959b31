"""The run at the last meeting's cut: finished, earlier, with the views and arms of this one."""

from pathlib import Path

import pytest

from analysis.errors import BlindingError, SpecError
from analysis.spec.config import check_config
from analysis.spec.previous import check_previous
from tests.unit.spec.folders import real


@pytest.fixture
def last_meeting(repository: Path) -> Path:
    """Output folder of a finished run at the cut 2014-12-31, with arms by their names."""
    folder = repository / "out" / "interim"
    for view, arms in (("open", "none"), ("closed", "named")):
        (folder / view).mkdir(parents=True)
        (folder / view / "manifest.csv").write_text(f"sha256,file,arms\n0,report.html,{arms}\n")
    (folder / "data").mkdir()
    (folder / "data" / "cut.json").write_text('{"cut": "2014-12-31"}')
    return folder


def later(repository: Path, **more: object) -> dict[str, object]:
    """A run of real data with an allocation after that one."""
    places = {"allocation": "secure/allocation.csv", "out": "results"}
    given = {name: str(repository.parent / place) for name, place in places.items()}
    return real(repository, previous="out/interim", **given, **more)


def test_the_run_of_the_last_meeting_is_a_finished_one_at_an_earlier_cut(
    repository: Path, last_meeting: Path
) -> None:
    check_previous(check_config({}, repository), repository, cut="2014-12-31")
    config = check_config({"previous": "out/interim"}, repository)
    check_previous(config, repository, cut="2015-01-01")
    with pytest.raises(
        SpecError, match="previous: its data cut, 2014-12-31, is not before the one of this run"
    ):
        check_previous(config, repository, cut="2014-12-31")


@pytest.mark.parametrize("name", ["data/cut.json", "open/manifest.csv", "closed/manifest.csv"])
def test_a_run_of_the_last_meeting_that_is_not_finished_is_refused(
    repository: Path, last_meeting: Path, name: str
) -> None:
    (last_meeting / name).unlink()
    config = check_config({"previous": "out/interim"}, repository)
    with pytest.raises(SpecError, match=rf"mine.yaml, previous: no folder of a finished run .* no {name};"):
        check_previous(config, repository, cut="2017-06-30", file="mine.yaml")


def test_a_rehearsal_follows_a_rehearsal(repository: Path, last_meeting: Path) -> None:
    config = check_config(real(repository, previous="out/interim"), repository)
    with pytest.raises(SpecError, match="no dummy/manifest.csv"):
        check_previous(config, repository, cut="2017-06-30")


@pytest.mark.parametrize("text", ["{}", "[]", "not json"])
def test_a_record_of_the_last_meeting_that_is_none_is_refused(
    repository: Path, last_meeting: Path, text: str
) -> None:
    (last_meeting / "data" / "cut.json").write_text(text)
    config = check_config({"previous": "out/interim"}, repository)
    with pytest.raises(SpecError, match="not the record of a data cut"):
        check_previous(config, repository, cut="2017-06-30")


def test_labels_shown_at_the_last_meeting_are_not_drawn_anew(repository: Path, last_meeting: Path) -> None:
    check_previous(check_config(later(repository), repository), repository, cut="2017-06-30")
    manifest = last_meeting / "closed" / "manifest.csv"
    manifest.write_text(manifest.read_text().replace("named", "coded"))
    config = check_config(later(repository, arm_labels="coded"), repository)
    with pytest.raises(SpecError, match="no arm_labels.csv beside the allocation"):
        check_previous(config, repository, cut="2017-06-30")
    (repository.parent / "secure" / "arm_labels.csv").touch()
    check_previous(config, repository, cut="2017-06-30")


def test_arms_are_called_the_same_at_every_cut(repository: Path, last_meeting: Path) -> None:
    manifest = last_meeting / "closed" / "manifest.csv"
    named = manifest.read_text()
    for text, labels in ((named, "coded"), (named.replace("named", "coded"), "named")):
        manifest.write_text(text)
        config = check_config(later(repository, arm_labels=labels), repository)
        with pytest.raises(BlindingError, match="arm_labels must be the same at every cut"):
            check_previous(config, repository, cut="2017-06-30")
    for text in ("", "sha256,file\n0,report.html\n", named.replace("named", "none")):
        manifest.write_text(text)
        with pytest.raises(SpecError, match="not the manifest of a report with arms"):
            check_previous(config, repository, cut="2017-06-30")


def test_a_run_does_not_write_over_the_one_it_follows(repository: Path, last_meeting: Path) -> None:
    (repository / "link").symlink_to(last_meeting)
    for out in ("out/interim", "out/../out/interim", "link"):
        config = check_config({"previous": "out/interim", "out": out}, repository)
        with pytest.raises(SpecError, match="previous: it is the output folder of this run"):
            check_previous(config, repository, cut="2017-06-30")


def test_looks_already_taken_are_there_where_the_plan_has_any(repository: Path, last_meeting: Path) -> None:
    config = check_config({"previous": "out/interim"}, repository)
    check_previous(config, repository, cut="2017-06-30", looks_back=False)
    with pytest.raises(SpecError, match=r"it has no closed/results/monitoring.json;"):
        check_previous(config, repository, cut="2017-06-30", looks_back=True)
    (last_meeting / "closed" / "results").mkdir()
    (last_meeting / "closed" / "results" / "monitoring.json").touch()
    check_previous(config, repository, cut="2017-06-30", looks_back=True)

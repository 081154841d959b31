"""What a run's configuration may say, and where the allocation may not lie."""

import datetime
import errno
from pathlib import Path

import pytest

from analysis.errors import BlindingError, SpecError
from analysis.spec.config import check_config, closed_files, raw_files
from analysis.spec.load import load_mapping
from tests.unit.spec.folders import real

ROOT = Path(__file__).resolve().parents[3]


def test_the_default_is_the_synthetic_trial_with_all_arms(repository: Path) -> None:
    config = check_config({}, repository)
    assert config.is_synthetic
    assert config.views == ("open", "closed")
    assert config.raw_folder == "out/synthetic/raw"
    assert config.allocation_file == "out/synthetic/restricted/allocation.csv"
    assert raw_files(config) == ["out/synthetic/raw"]


def test_real_data_without_an_allocation_have_rehearsal_arms(repository: Path) -> None:
    config = check_config(real(repository), repository)
    assert config.views == ("open", "dummy")
    assert config.allocation_file is None
    assert raw_files(config) == [str(repository.parent / "exports" / "trial" / "families.csv")]


def test_real_data_with_an_allocation_have_arms(repository: Path) -> None:
    secret = str(repository.parent / "secure" / "allocation.csv")
    outside = str(repository.parent / "results")
    config = check_config(real(repository, allocation=secret, out=outside), repository)
    assert config.views == ("open", "closed")
    assert config.allocation_file == secret


def test_outputs_with_real_arms_may_not_lie_inside_the_repository(repository: Path) -> None:
    """What is below closed/ is as secret as the allocation."""
    secret = str(repository.parent / "secure" / "allocation.csv")
    with pytest.raises(BlindingError, match="config.yaml, out: with a real allocation"):
        check_config(real(repository, allocation=secret), repository)
    check_config(real(repository), repository)  # blinded, they may


@pytest.mark.parametrize("out", ["exports", "exports/out", "."])
def test_outputs_and_exports_do_not_lie_in_each_other(repository: Path, out: str) -> None:
    with pytest.raises(SpecError, match="may not lie in each other"):
        check_config(real(repository, out=str(repository.parent / out)), repository)


def test_an_allocation_inside_the_repository_is_refused(repository: Path) -> None:
    inside = repository / "out" / "allocation.csv"
    inside.parent.mkdir()
    inside.write_text("family_id,arm\n")
    for name in (str(inside), "out/allocation.csv", "../repository/out/allocation.csv"):
        with pytest.raises(BlindingError, match="may not lie inside the repository"):
            check_config(real(repository, allocation=name), repository)


def test_a_link_from_outside_into_the_repository_is_refused(repository: Path) -> None:
    (repository / "allocation.csv").write_text("family_id,arm\n")
    link = repository.parent / "secure" / "link.csv"
    link.symlink_to(repository / "allocation.csv")
    with pytest.raises(BlindingError):
        check_config(real(repository, allocation=str(link)), repository)


def test_an_allocation_in_the_raw_folder_is_refused(repository: Path) -> None:
    """Every file there is an input of the open steps."""
    inside = repository.parent / "exports" / "allocation.csv"
    inside.write_text("family_id,arm\n")
    with pytest.raises(BlindingError, match="raw folder"):
        check_config(real(repository, allocation=str(inside)), repository)


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ({"rawfolder": "x"}, "rawfolder"),
        ({"seed": "one"}, "seed"),
        ({"seed": -1}, "seed"),
        ({"data_cut": "31/12/2023"}, "data_cut"),
        ({"data_cut": "2023-02-29"}, "data_cut"),
        ({"raw": ""}, "raw"),
        ({"raw": "nowhere"}, "no such folder"),
        ({"allocation": "x.csv"}, "the synthetic trial brings its own"),
        ({"corrections": "nowhere.csv"}, "corrections: no such file"),
        ({"snapshot": "nowhere.json"}, "snapshot: no such file"),
        ({"data_cut": "2015-01-02", "extracted": "2015-01-01"}, "extracted: the exports were made before"),
    ],
)
def test_a_wrong_entry_is_named(repository: Path, body: dict[str, object], part: str) -> None:
    with pytest.raises(SpecError, match=r"config\.yaml") as stopped:
        check_config(body, repository)
    assert part in str(stopped.value)


def test_an_allocation_that_is_not_there_is_named(repository: Path) -> None:
    with pytest.raises(SpecError, match="allocation: no such file"):
        check_config(real(repository, allocation=str(repository.parent / "secure" / "list.csv")), repository)


def test_a_date_that_yaml_made_of_the_cut_is_a_day(repository: Path) -> None:
    """Snakemake's own YAML reader turns an unquoted date into one."""
    assert check_config({"data_cut": datetime.date(2022, 6, 30)}, repository).data_cut == "2022-06-30"
    with pytest.raises(SpecError, match="data_cut"):
        check_config({"data_cut": datetime.datetime(2022, 6, 30, 12)}, repository)


def test_messages_name_the_file_that_was_given(repository: Path) -> None:
    with pytest.raises(SpecError, match=r"^my-run.yaml: no such key: mappping; is mapping meant\?"):
        check_config({"mappping": "mine"}, repository, file="my-run.yaml")
    with pytest.raises(SpecError, match=r"^my-run.yaml, corrections: no such file"):
        check_config({"corrections": "none.csv"}, repository, file="my-run.yaml")


def test_closed_exports_lie_beside_the_allocation(repository: Path) -> None:
    secret, outside = repository.parent / "secure", str(repository.parent / "results")
    mapping = load_mapping(ROOT / "data_spec", "synthetic")
    config = check_config(
        real(repository, allocation=str(secret / "allocation.csv"), out=outside), repository
    )
    closed = ("allocation", "delivery")
    with pytest.raises(SpecError, match=r"^service/delivery.csv: no such file beside the allocation;"):
        closed_files(config, mapping, closed)
    (secret / "service").mkdir()
    (secret / "service" / "delivery.csv").write_text("family\n")
    assert closed_files(config, mapping, closed) == [
        str(secret / "allocation.csv"),
        str(secret / "service" / "delivery.csv"),
    ]
    assert closed_files(check_config(real(repository), repository), mapping, closed) == []
    made = closed_files(check_config({}, repository), mapping, closed)
    assert made == [f"out/synthetic/restricted/{name}" for name in ("allocation.csv", "service/delivery.csv")]


def test_what_a_closed_session_agreed_lies_where_no_open_step_reads(repository: Path) -> None:
    for folder in (repository, repository.parent / "secure"):
        (folder / "meetings.yaml").write_text("[]\n")
    outside = str(repository.parent / "secure" / "meetings.yaml")
    check_config(real(repository, meetings="meetings.yaml", closed_meetings=outside), repository)
    with pytest.raises(BlindingError, match="config.yaml, closed_meetings: what a closed session agreed"):
        check_config(real(repository, closed_meetings="meetings.yaml"), repository)
    exported = repository.parent / "exports" / "trial" / "meetings.yaml"
    exported.write_text("[]\n")
    with pytest.raises(BlindingError, match="closed_meetings: .* may not lie in the raw folder"):
        check_config(real(repository, closed_meetings=str(exported)), repository)
    with pytest.raises(SpecError, match="config.yaml, meetings: no such file"):
        check_config({"meetings": "none.yaml"}, repository)


@pytest.mark.parametrize("place", ["exports/trial/list.csv", "repository/notes/list.csv"])
@pytest.mark.parametrize("how", ["copy", "link", "hard link"])
def test_the_allocation_may_lie_nowhere_twice(repository: Path, place: str, how: str) -> None:
    secret, other = repository.parent / "secure" / "allocation.csv", repository.parent / place
    other.parent.mkdir(exist_ok=True)
    if how == "copy":
        other.write_bytes(secret.read_bytes())
    elif how == "link":
        other.symlink_to(secret)
    else:
        other.hardlink_to(secret)
    body = real(repository, allocation=str(secret), out=str(repository.parent / "results"))
    with pytest.raises(BlindingError, match="holds a copy of it or a link to it, .*list.csv; remove it"):
        check_config(body, repository)
    other.unlink()
    other.write_text("family_id,ARM\n")  # as long, and another file
    check_config(body, repository)


@pytest.mark.parametrize("folder", ["closed", "logs/closed", "benchmarks/closed", "dummy"])
@pytest.mark.parametrize("mode", [0o750, 0o705, 0o701])
def test_a_closed_side_that_others_may_enter_is_refused(repository: Path, folder: str, mode: int) -> None:
    out = repository.parent / "results"
    (out / folder).mkdir(parents=True)
    (out / folder).chmod(mode)
    body = real(repository, out=str(out))
    with pytest.raises(BlindingError, match=f"{folder}/ of the output folder can be read by others"):
        check_config(body, repository)
    (out / folder).chmod(0o700)
    check_config(body, repository)


def test_a_closed_folder_that_is_a_link_into_the_repository_is_refused(repository: Path) -> None:
    out, inside = repository.parent / "results", repository / "closed"
    out.mkdir()
    inside.mkdir(mode=0o700)
    (out / "closed").symlink_to(inside)
    secret = str(repository.parent / "secure" / "allocation.csv")
    with pytest.raises(BlindingError, match="may not lie inside the repository"):
        check_config(real(repository, allocation=secret, out=str(out)), repository)


def test_a_path_that_the_system_refuses_is_one_error(repository: Path) -> None:
    with pytest.raises(SpecError, match="cannot be read by you"):
        check_config({"corrections": "x" * 300}, repository)


def test_a_file_that_may_not_be_read_is_one_error(repository: Path, monkeypatch) -> None:
    """Refused by the system, which would refuse nothing to a superuser who runs the tests."""
    secret = repository.parent / "secure" / "allocation.csv"
    (repository / "notes.csv").write_bytes(secret.read_bytes())
    read = Path.read_bytes

    def guarded(path: Path) -> bytes:
        if path.name == "notes.csv":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", guarded)
    body = real(repository, allocation=str(secret), out=str(repository.parent / "results"))
    with pytest.raises(SpecError, match=r"repository/notes.csv: cannot be read by you \(Permission denied\)"):
        check_config(body, repository)

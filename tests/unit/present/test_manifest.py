"""The manifest: every file of a report, what it was made from, and a digest that can be checked."""

import csv
import hashlib
import io
from dataclasses import replace

import pytest

from analysis.errors import ReportError
from analysis.present.manifest import HEADER, Folder, Folders, list_files, to_csv
from analysis.spec.outputs import output_files
from tests.unit.present import fabricated
from tests.unit.present.fabricated_agreements import STAMP


def sha256(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def folder(place: str, names) -> Folder:
    return Folder(place, {name: sha256(f"{place}/{name}") for name in names})


def folders(view: str) -> Folders:
    files = fabricated.result_files(view)
    tables = next(iter(files.values())).stamp.inputs
    return Folders(
        folder("data/derived" if view == "open" else f"{view}/allocated", [*tables, "unread.csv"]),
        folder(f"{view}/results", [f"{name}.json" for name in files]),
        folder(f"{view}/outputs", [*output_files(fabricated.spec(), view), "of-an-older-plan.csv"]),
        None if view == "open" else folder(f"{view}/qc", ["numbers.csv", "agreement.json"]),
    )


def listed(view: str, **changes):
    second = None if view == "open" else STAMP
    made_of = replace(folders(view), **changes)
    return list_files(view, fabricated.spec(), fabricated.result_files(view), made_of, second)


@pytest.mark.parametrize("view", ["open", "dummy", "closed"])
def test_every_file_of_the_report_is_listed_once(view: str) -> None:
    found = listed(view)
    assert len({each.file for each in found}) == len(found)
    outputs = {f"{view}/outputs/{name}" for name in output_files(fabricated.spec(), view)}
    assert {each.file for each in found if each.kind in ("table", "figure")} == outputs
    results = [each for each in found if each.kind == "result"]
    assert [each.file for each in results] == [
        f"{view}/results/{name}.json" for name in fabricated.result_files(view)
    ]
    assert {each.kind == "second programmer" for each in found} == (
        {False} if view == "open" else {True, False}
    )
    assert all(each.sha256 == sha256(each.file) for each in found)


def test_every_file_but_the_tables_says_what_it_was_made_from() -> None:
    """And that is listed before it; the checklist is of the plan alone."""
    before: set[str] = set()
    for each in listed("closed"):
        assert set(each.made_from) <= before
        assert bool(each.made_from) == (each.kind != "input" and not each.name.startswith("C1."))
        before.add(each.file)


def test_a_table_names_its_analyses_and_a_result_its_plan_and_code() -> None:
    found = {each.name: each for each in listed("closed")}
    spec, stamp = fabricated.spec(), fabricated.result_files("closed")["harms"].stamp
    (output,) = [each for each in spec.outputs.values() if each.kind == "harms"]
    assert found[f"{output.id}.csv"].analyses == output.analyses
    assert found[f"{output.id}.csv"].made_from == ("closed/results/harms.json",)
    assert (found["harms.json"].plan, found["harms.json"].code) == (stamp.sap_digest, stamp.code_digest)
    assert set(found["V1.csv"].made_from) >= {"closed/qc/agreement.json", "closed/results/mixed.json"}


def test_the_file_ends_with_the_pages_and_what_they_are_made_of() -> None:
    text = to_csv(listed("open"), {"open/report.html": "f" * 64}, fabricated.spec(), "open", "2023-12-31")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert tuple(rows[0]) == HEADER
    assert {(row["audience"], row["view"], row["data_cut"], row["sap_version"]) for row in rows} == {
        ("open", "open", "2023-12-31", "1.0")
    }
    last = rows[-1]
    assert (last["sha256"], last["file"], last["kind"]) == ("f" * 64, "open/report.html", "report")
    used = set(last["made_from"].split())
    assert used == {row["file"] for row in rows[:-1] if row["kind"] != "input"}
    assert not any(word in text for word in (*fabricated.ARMS, "closed", "dummy"))


@pytest.mark.parametrize(
    ("part", "name"), [("tables", "subjects.csv"), ("results", "flow.json"), ("outputs", "T1.tex")]
)
def test_a_file_that_is_not_there_is_named(part: str, name: str) -> None:
    whole = getattr(folders("open"), part)
    without = replace(whole, files={key: value for key, value in whole.files.items() if key != name})
    with pytest.raises(ReportError, match=rf"^{whole.place}/{name} is absent"):
        listed("open", **{part: without})

"""The data package beside the data, checked by the command line of the standard's own tool."""

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from analysis.spec.declarations import Spec
from tests.conftest import ROOT, Trial, run

# Damage to one cell (table, column, cell) -> the error that names it, or none.
DAMAGE = {
    "type": ("clean/sdq", "q01", "x", "type-error"),
    "range": ("clean/sdq", "q02", "3", "constraint-error"),
    "code": ("clean/families", "epoch", "ABC", "constraint-error"),
    "pattern": ("clean/withdrawals", "withdrawal_id", "1", "constraint-error"),
    "required": ("clean/children", "care_entry_date", ".refused", "constraint-error"),
    "day": ("clean/children", "joined_date", "2019-02-31", "type-error"),
    "reason": ("clean/assessments", "visit_date", ".tired", "type-error"),
    "key to nothing": ("clean/pedsql", "child_id", "C9999", "foreign-key"),
    "derived": ("derived/subjects", "age_months", "old", "type-error"),
    "derived code": ("derived/transitions", "source_state", "moon", "constraint-error"),
}


@pytest.fixture(scope="module")
def package(trial: Trial, spec: Spec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables of the synthetic trial with their descriptors, open and closed."""
    out = tmp_path_factory.mktemp("package")
    for part in ("data/clean", "data/derived", "closed/clean", "closed/derived"):
        shutil.copytree(trial.folder / part, out / part)
    for view, folder in (("open", "data"), ("closed", "closed")):
        about = ("--view", view, "--mapping", "synthetic", "--cut", spec.trial.data_cut)
        told = ("--package", out / folder / "datapackage.json", "--out", out / view / "define.html")
        run("define", *about, *told)
    return out


def validate(descriptor: Path) -> tuple[int, dict]:
    command = [sys.executable, "-m", "frictionless", "validate", str(descriptor), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=descriptor.parent)
    return done.returncode, json.loads(done.stdout)


def rows_of(path: Path) -> int:
    with path.open(encoding="utf-8", newline="") as handle:
        return sum(1 for _ in csv.reader(handle)) - 1


@pytest.mark.parametrize(("folder", "audience"), [("data", "open"), ("closed", "closed")])
def test_the_written_tables_are_valid(package: Path, spec: Spec, folder: str, audience: str) -> None:
    code, report = validate(package / folder / "datapackage.json")
    assert (code, report["valid"], report["warnings"], report["errors"]) == (0, True, [], [])
    names = spec.table_names(audience=audience)
    assert [task["name"] for task in report["tasks"]] == list(names)
    for task, name in zip(report["tasks"], names, strict=True):
        assert (task["type"], task["errors"], task["warnings"]) == ("table", [], [])
        path = package / spec.table(name).path
        # Of a table that an export does not bring there are no rows to count.
        assert task["stats"].get("rows", 0) == rows_of(path), "every row is checked"
        assert task["stats"]["fields"] == len(spec.table(name).columns)


def test_the_declaration_itself_is_valid_in_the_output_folder(package: Path, spec: Spec) -> None:
    """There the paths of open and closed tables lie, and keys from one to the other can be followed."""
    shutil.copy(ROOT / "data_spec/datapackage.yaml", package / "datapackage.yaml")
    code, report = validate(package / "datapackage.yaml")
    assert (code, report["valid"], report["stats"]["tasks"]) == (0, True, len(spec.table_names()))


def test_a_broken_cell_is_found_where_it_is(package: Path, tmp_path: Path) -> None:
    shutil.copytree(package / "data", tmp_path / "data")
    expected = set()
    for line, (table, column, cell, error) in enumerate(DAMAGE.values(), start=3):
        path = tmp_path / "data" / f"{table}.csv"
        with path.open(encoding="utf-8", newline="") as handle:
            rows = list(csv.reader(handle))
        rows[line - 1][rows[0].index(column)] = cell
        with path.open("w", encoding="utf-8", newline="") as handle:
            csv.writer(handle, lineterminator="\n").writerows(rows)
        expected.add((table.split("/")[1], error, line))
    code, report = validate(tmp_path / "data" / "datapackage.json")
    found = {
        (task["name"], error["type"], error["rowNumber"])
        for task in report["tasks"]
        for error in task["errors"]
    }
    assert code == 1
    assert found == expected


def test_columns_and_keys_are_checked_too(package: Path, tmp_path: Path) -> None:
    shutil.copytree(package / "data", tmp_path / "data")
    families, visits = tmp_path / "data/clean/families.csv", tmp_path / "data/clean/deviations.csv"
    lines = families.read_text(encoding="utf-8").splitlines()
    families.write_text("\n".join([*lines, lines[1]]) + "\n", encoding="utf-8")
    lines = visits.read_text(encoding="utf-8").splitlines()
    visits.write_text("\n".join([f"{lines[0]},note", *(f"{each}," for each in lines[1:])]), encoding="utf-8")
    code, report = validate(tmp_path / "data" / "datapackage.json")
    found = {(task["name"], error["type"]) for task in report["tasks"] for error in task["errors"]}
    assert (code, found) == (1, {("families", "primary-key"), ("deviations", "extra-label")})


def test_codes_and_missing_values_carry_their_labels(package: Path, spec: Spec) -> None:
    text = (package / "data/datapackage.json").read_text(encoding="utf-8")
    resources = {each["name"]: each for each in json.loads(text)["resources"]}
    schema = resources["families"]["schema"]
    assert {"value": ".refused", "label": "refused"} in schema["missingValues"]
    (site,) = [field for field in schema["fields"] if field["name"] == "site"]
    assert site["constraints"] == {"required": True, "enum": ["GLA", "LON"]}
    assert site["categories"] == [{"value": "GLA", "label": "Glasgow"}, {"value": "LON", "label": "London"}]
    assert not set(spec.table_names(audience="closed")) & set(resources)
    assert not any(code in text for code in spec.codelists["arm"])

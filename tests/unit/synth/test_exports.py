"""Every file has exactly the declared columns and codes, read through the mapping as ingest would."""

import csv
import fnmatch
from datetime import datetime

import pytest

from analysis.sources.ingest import ingest
from analysis.spec.base import read_yaml
from analysis.spec.load import load_mapping
from analysis.synth.trial import write_trial

MULTIPLE = 2


@pytest.fixture(scope="module")
def files(clean, tables):
    return tables(clean)


@pytest.fixture(scope="module")
def fields(data_spec):
    package = read_yaml(data_spec / "datapackage.yaml")
    return {
        table["name"]: {each["name"]: each for each in table["schema"]["fields"]}
        for table in package["resources"]
    }


@pytest.fixture(scope="module")
def codelists(data_spec):
    lists = {}
    for path in (data_spec / "codelists").glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as handle:
            lists[path.stem] = {row["code"]: row for row in csv.DictReader(handle)}
    return lists


def matching(pattern, files):
    return [path for path in files if fnmatch.fnmatch(path, pattern)]


def records(source, mapping, files):
    """Field -> value of every row that an entry of the mapping reads, recoded, with its file and line."""
    for path in matching(source["files"], files):
        for line, row in enumerate(files[path], start=2):
            if any(row[column] not in values for column, values in source.get("where", {}).items()):
                continue
            if any(row[column] == "" for column in source.get("unless_blank", [])):
                continue
            values = source.get("values", {})
            named = {field: row[column] for field, column in source["columns"].items()}
            yield path, line, {field: values.get(field, {}).get(cell, cell) for field, cell in named.items()}


def test_the_mapping_reads_every_file_and_finds_every_pattern(mapping, files):
    patterns = [source["files"] for source in mapping["sources"]]
    patterns += [source["dictionary"] for source in mapping["sources"] if "dictionary" in source]
    assert all(matching(pattern, files) for pattern in patterns)
    beside = [source["legal_reasons"]["file"] for source in mapping["sources"] if "legal_reasons" in source]
    assert set(beside) <= set(files)
    read = [*patterns, *beside]
    assert all(any(fnmatch.fnmatch(path, pattern) for pattern in read) for path in files)


def test_every_column_is_declared_and_every_declared_column_is_there(mapping, files):
    declared = {}
    for source in mapping["sources"]:
        used = {*source["columns"].values(), *source.get("where", {}), *source.get("unless_blank", [])}
        declared.setdefault(source["files"], set()).update(
            used,
            source.get("ignore", []),
            source.get("latest_by", []),
            source.get("carer", []),
            [source["category_of_need"]] if "category_of_need" in source else [],
        )
    for pattern, columns in declared.items():
        for path in matching(pattern, files):
            assert set(files[path][0]) - added_by_redcap(path, files) == columns - {"redcap_event_name"}, path


def added_by_redcap(path, files):
    """Columns that a project writes by itself: its own, and one for the state of each form."""
    described = path.replace(".csv", "_dictionary.csv") if path.startswith("trial/redcap") else ""
    dictionary = files.get(described, [])
    forms = {f"{row['Form Name']}_complete" for row in dictionary}
    repeats = {"redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance"}
    return forms | repeats if dictionary else set()


def test_a_dictionary_names_the_columns_of_its_export_in_their_order(files):
    for path in [path for path in files if path.endswith("_dictionary.csv")]:
        named = [row["Variable / Field Name"] for row in files[path]]
        export = files[path.replace("_dictionary", "")][0]
        assert [column for column in export if column in named] == named, path


def test_the_branching_logic_is_true_of_the_clean_data(clean, spec, data_spec, tmp_path):
    write_trial(clean, tmp_path / "raw", tmp_path / "restricted")
    mapping = load_mapping(data_spec, "synthetic")
    tables = spec.table_names(layer="raw", audience="open")
    found = ingest(spec, mapping, tmp_path / "raw", tables=tables)
    assert not [issue for issue in found.issues if issue.source_file.startswith("trial/")]
    visits, items = found.tables["assessments"], found.tables["pedsql"]
    came = visits["status"] == "attended"
    assert (visits.loc[~came, "visit_date"] == ".not_asked").all()
    assert not (visits.loc[came, ["visit_date", "informant"]] == ".not_asked").any(axis=None)
    length = items["form"].map({"1-12m": 36, "13-24m": 45, "2-4": 21, "5-7": 23})
    columns = [f"p{item:02d}" for item in range(1, 46)]
    assert ((items[columns] == ".not_asked").sum(axis=1) == 45 - length).all()


def test_codes_are_in_their_lists_and_valid_on_their_date(mapping, files, fields, codelists):
    dates = {"placements": "end_date", "screening": "referral_date", "families": "randomisation_date"}
    for source in mapping["sources"]:
        formats = mapping["dialects"][source["dialect"]]["dates"]
        for path, line, record in records(source, mapping, files):
            for name, cell in record.items():
                codelist = fields[source["table"]].get(name, {}).get("codelist")
                if not codelist or not cell:
                    continue
                code = codelists[codelist].get(cell)
                assert code, f"{path} line {line}: {name} {cell}"
                day = record.get(dates.get(source["table"]), "")
                if day:
                    iso = datetime.strptime(day, formats[0]).date().isoformat()
                    assert (code["valid_from"] or "0") <= iso <= (code["valid_to"] or "9"), (
                        f"{path} line {line}: {name}"
                    )


def test_cells_keep_their_limits(mapping, files, fields):
    for source in mapping["sources"]:
        table = fields[source["table"]]
        for path, line, record in records(source, mapping, files):
            for name, cell in record.items():
                limits = table.get(name, {}).get("constraints", {})
                kind = table.get(name, {}).get("type")
                assert cell or not limits.get("required"), f"{path} line {line}: {name} is required"
                if cell and kind in ("integer", "number"):
                    assert limits.get("minimum", -1e9) <= float(cell) <= limits.get("maximum", 1e9)
                if cell and kind == "boolean":
                    assert cell in ("0", "1")


def test_dates_are_in_the_first_format_of_their_dialect(mapping, files, fields):
    for source in mapping["sources"]:
        form = mapping["dialects"][source["dialect"]]["dates"][0]
        for _, _, record in records(source, mapping, files):
            for name, cell in record.items():
                if cell and fields[source["table"]].get(name, {}).get("type") == "date":
                    datetime.strptime(cell, form)


def test_keys_are_unique(mapping, files):
    keys = {
        "screening": ["screening_id"],
        "families": ["family_id"],
        "children": ["child_id"],
        "assessments": ["child_id", "visit"],
        "reported_events": ["event_id"],
        "withdrawals": ["withdrawal_id"],
        "deviations": ["family_id", "deviation_date", "category"],
        "proceedings": ["family_id", "application_date"],
        "delivery": ["family_id"],
        "allocation": ["family_id"],
    }
    for source in mapping["sources"]:
        if source["table"] in keys:
            found = [
                tuple(record[key] for key in keys[source["table"]])
                for _, _, record in records(source, mapping, files)
            ]
            assert len(set(found)) == len(found), source["table"]


def test_events_of_a_child_name_its_family(files):
    family = {row["record_id"]: row["family"] for row in files["trial/redcap_children.csv"] if row["family"]}
    for row in files["trial/redcap_events.csv"]:
        assert not row["record_id"] or family[row["record_id"]] == row["family"]


def test_no_open_file_has_a_column_named_like_an_arm(files):
    for path, rows in files.items():
        if path not in ("allocation.csv", "service/delivery.csv"):
            assert not {"arm", "allocation", "group", "treatment"} & {column.lower() for column in rows[0]}


def test_printed_totals_are_those_of_the_items(files):
    scales = ((3, 8, 13, 16, 24), (5, 7, 12, 18, 22), (2, 10, 15, 21, 25), (6, 11, 14, 19, 23))
    reversed_items = {7, 11, 14, 21, 25}
    n_partial = n_unscored = 0
    for row in files["trial/redcap_children.csv"]:
        if not row["sdq_dt"]:
            assert not any(row[f"sdq_{item:02d}"] for item in range(1, 26))
            continue
        total = 0
        for scale in scales:
            given = [(item, int(row[f"sdq_{item:02d}"])) for item in scale if row[f"sdq_{item:02d}"] != ""]
            points = [2 - value if item in reversed_items else value for item, value in given]
            total = (
                total + int(5 * sum(points) / len(points) + 0.5)
                if len(points) >= 3 and total is not None
                else None
            )
            n_partial += 3 <= len(points) < 5
        n_unscored += total is None
        assert row["sdq_total"] == ("" if total is None else str(total))
    assert n_partial > 10
    assert n_unscored >= MULTIPLE


def test_printed_scores_of_the_pedsql_are_means_of_their_items(files, data_spec):
    forms = {form["id"]: form for form in read_yaml(data_spec / "instruments" / "pedsql.yaml")["forms"]}
    printed = {"PEDSQL_PHYSICAL": "pedsql_physical", "PEDSQL_PSYCHOSOCIAL": "pedsql_psychosocial"}
    rows = [row for row in files["trial/redcap_children.csv"] if row["pedsql_form"]]
    assert len(rows) > 500
    for row in rows:
        scales = {each["parameter"]: each["items"] for each in forms[row["pedsql_form"]]["scales"]}
        items = {name: [f"pedsql_{item:02d}" for item in numbers] for name, numbers in scales.items()}
        for scale, column in [*printed.items(), (None, "pedsql_total")]:
            names = items[scale] if scale else [name for each in items.values() for name in each]
            points = [100 - 25 * int(row[name]) for name in names if row[name]]
            assert abs(float(row[column]) - sum(points) / len(points)) < 0.00501


def test_recorded_ages_are_completed_months(files):
    birth = {row["record_id"]: row["dob"] for row in files["trial/redcap_children.csv"] if row["dob"]}
    for row in files["trial/redcap_children.csv"]:
        assert bool(row["age_m"]) == (row["visit_status"] == "attended")
        if row["age_m"]:
            born, seen = (
                tuple(int(part) for part in day.split("-"))
                for day in (birth[row["record_id"]], row["visit_dt"])
            )
            months = (seen[0] - born[0]) * 12 + seen[1] - born[1] - (seen[2] < born[2])
            assert row["age_m"] == str(months)


def test_forms_fit_the_age(files, data_spec):
    birth = {row["record_id"]: row["dob"] for row in files["trial/redcap_children.csv"] if row["dob"]}
    for name, prefix in (("sdq", "sdq"), ("pedsql", "pedsql")):
        forms = {form["id"]: form for form in read_yaml(data_spec / "instruments" / f"{name}.yaml")["forms"]}
        for row in files["trial/redcap_children.csv"]:
            if not row[f"{prefix}_form"]:
                continue
            born, seen = (
                tuple(int(part) for part in day.split("-"))
                for day in (birth[row["record_id"]], row["visit_dt"])
            )
            months = (seen[0] - born[0]) * 12 + seen[1] - born[1] - (seen[2] < born[2])
            form = forms[row[f"{prefix}_form"]]
            assert form["from_months"] <= months <= form["to_months"]
            answered = [item for item in range(1, 46) if row.get(f"{prefix}_{item:02d}")]
            assert max(answered) <= form["n_items"]


def test_scores_are_given_at_the_declared_ages_and_ranges(files, data_spec):
    birth = {row["record_id"]: row["dob"] for row in files["trial/redcap_children.csv"] if row["dob"]}
    for score in read_yaml(data_spec / "instruments" / "scores.yaml"):
        column = "cognition" if score["parameter"] == "COG" else score["parameter"].lower()
        rows = [row for row in files["trial/redcap_children.csv"] if row[column]]
        assert len(rows) > 50
        for row in rows:
            assert score["minimum"] <= float(row[column]) <= score["maximum"]
            age = (
                datetime.fromisoformat(row["visit_dt"]) - datetime.fromisoformat(birth[row["record_id"]])
            ).days / 30.4375
            assert score.get("from_months", 0) - 0.1 <= age < score.get("to_months", 200) + 1.1

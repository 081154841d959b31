"""Typed files through the whole of ingest: sheets, missing values with a reason, cells nobody explained."""

from datetime import date

import openpyxl
import pandas as pd
import pyreadstat
import pytest

from analysis.data.cells import cell_problems
from analysis.errors import SourceError

SCALES = {
    "table": "scales",
    "constants": {"visit": "V4", "scale": "TIMB"},
    "columns": {"child_id": "id", "completed_date": "day", "score": "score"},
}
COUNTS = ("rows_in", "rows_kept", "rows_elsewhere", "rows_blank", "rows_superseded", "rows_set_aside")


def scores(exports, files: str, dialect: str, **more: object) -> pd.DataFrame:
    source = {**SCALES, "files": files, "dialect": dialect}
    return exports.read({**source, **more.pop("source", {})}, tables=("scales",), **more).tables["scales"]


@pytest.fixture
def spss(exports) -> str:
    frame = pd.DataFrame(
        {
            "id": [f"C000{k}" for k in range(1, 6)],
            "day": [date(2020, 1, 5)] * 5,
            "score": [9.0, 1.5, 8, -97, None],
        }
    )
    missing = {"score": [9, {"lo": -99, "hi": -95}]}
    pyreadstat.write_sav(frame, exports.folder / "a.sav", missing_ranges=missing)
    return "a.sav"


def test_user_missing_values_of_spss_have_the_reason_of_the_mapping(exports, spss: str) -> None:
    rows = scores(exports, spss, "spss", missing={"9": "refused", "-97": "lost"})
    assert rows["score"].tolist() == [".refused", "1.5", "8", ".lost", ""]
    assert rows["completed_date"].tolist() == ["2020-01-05"] * 5
    assert rows["source_row"].tolist() == ["2", "3", "4", "5", "6"]


def test_a_code_may_be_missing_in_one_field_and_a_value_in_another(exports, spss: str) -> None:
    """A code declared for another field is a value here; what the file calls missing is not."""
    source = {"missing": {"score": {"8": "not_known"}, "n_children": {"9": "refused"}}}
    rows = scores(exports, spss, "spss", source=source)
    assert rows["score"].tolist() == ["...9", "1.5", ".not_known", "...-97", ""]


def test_a_missing_value_without_a_reason_is_a_finding_at_its_cell(exports, spec, spss: str) -> None:
    """A child is said to have 9 points of a scale that goes far beyond 9: it must not pass."""
    rows = scores(exports, spss, "spss")
    (problem,) = cell_problems(rows, spec.table("scales"), spec)
    assert (problem.rule, problem.field, problem.rows.tolist()) == ("S05", "score", [0, 3])


def test_extended_missing_values_of_stata(exports, spec) -> None:
    frame = pd.DataFrame(
        {"id": ["C0001", "C0002", "C0003"], "day": [date(2020, 1, 5)] * 3, "score": ["a", "b", 2.0]}
    )
    pyreadstat.write_dta(frame, exports.folder / "a.dta", missing_user_values={"score": ["a", "b"]})
    rows = scores(exports, "a.dta", "stata", missing={".a": "refused"})
    assert rows["score"].tolist() == [".refused", "..b", "2"]
    (problem,) = cell_problems(rows, spec.table("scales"), spec)
    assert (problem.rule, problem.rows.tolist()) == ("S05", [1])


@pytest.fixture
def workbook(exports) -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    book.active.title = "Visits"
    for row in (["id", "day", "score"], ["C0001", date(2020, 1, 5), 2.0], ["C0002", "05/02/2020", 0.1]):
        book.active.append(row)
    events = book.create_sheet("Events")
    for row in (["family", "date", "category", "level"], ["F0001", date(2020, 3, 1), "consent", "minor"]):
        events.append(row)
    book.save(exports.folder / "trial.xlsx")
    return book


DEVIATIONS = {
    "table": "deviations",
    "columns": {"family_id": "family", "deviation_date": "date", "category": "category", "level": "level"},
}


def test_sheets_of_one_workbook_fill_tables_of_their_own(exports, workbook) -> None:
    read = exports.read(
        {**SCALES, "files": "trial.xlsx", "dialect": "Visits"},
        {**DEVIATIONS, "files": "trial.xlsx", "dialect": "Events"},
        tables=("scales", "deviations"),
    )
    assert read.tables["scales"]["completed_date"].tolist() == ["2020-01-05", "2020-02-05"]
    assert read.tables["scales"]["score"].tolist() == ["2", "0.1"]
    assert read.tables["deviations"]["deviation_date"].tolist() == ["2020-03-01"]
    assert [count.file for count in read.counts] == ["trial.xlsx [Visits]", "trial.xlsx [Events]"]
    for count in read.counts:
        assert count.rows_in == sum(getattr(count, name) for name in COUNTS[1:])


def test_a_sheet_of_the_other_table_is_named_in_its_error(exports, workbook) -> None:
    workbook["Events"]["E1"] = "notes"
    workbook.save(exports.folder / "trial.xlsx")
    with pytest.raises(
        SourceError, match=r"trial.xlsx \[Events\], row 1: column 'notes' is not in the mapping"
    ):
        exports.read(
            {**SCALES, "files": "trial.xlsx", "dialect": "Visits"},
            {**DEVIATIONS, "files": "trial.xlsx", "dialect": "Events"},
            tables=("scales", "deviations"),
        )


def test_an_arm_in_a_sheet_is_found_as_in_any_file(exports, workbook) -> None:
    workbook["Visits"]["A3"] = "NIM"
    workbook.save(exports.folder / "trial.xlsx")
    with pytest.raises(Exception, match=r"trial.xlsx \[Visits\], row 3: a cell of column 'id' names an arm"):
        scores(exports, "trial.xlsx", "Visits")

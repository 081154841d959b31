"""Tables on disk: what is written is read back, and what the schema refuses is not written."""

import os
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from analysis.data.cells import FORMULA_STARTS
from analysis.data.table import (
    as_text,
    check_table,
    read_table,
    read_text,
    text_csv,
    typed,
    write_table,
    write_whole,
)
from analysis.errors import DataError
from analysis.spec.declarations import Spec
from analysis.spec.load import load_spec
from analysis.spec.tables import Field, Table
from tests.unit.data.tables import cells, values

# Tables are needed to name the cases, before any fixture.
SPEC = load_spec(Path(__file__).parents[3] / "data_spec")
TABLES = SPEC.table_names()
DAYS = st.dates(min_value=pd.Timestamp("1901-01-01").date(), max_value=pd.Timestamp("2099-12-31").date())
# Any text but one that reads as missing or that a spreadsheet would run:
# commas, quotes, line ends of every kind, spaces at either end.
TEXTS = st.text(
    st.one_of(
        st.sampled_from(",;\"'\r\n\t |"), st.characters(exclude_categories=["Cs"], exclude_characters="\0")
    ),
    min_size=1,
).filter(lambda text: not text.startswith((".", *FORMULA_STARTS)))


def cell_values(field: Field) -> st.SearchStrategy:
    """Valid values of a field, missing ones among them when it is not required."""
    limits = field.constraints
    if field.codelist:
        valid = st.sampled_from(list(SPEC.codes[field.codelist]))
    elif limits.pattern:
        valid = st.integers(0, 9_999_999).map(lambda n: f"{limits.pattern[0]}{n:04d}")
    elif field.type == "integer":
        bound = 10**15 - 1
        low = -bound if limits.minimum is None else int(limits.minimum)
        valid = st.integers(low, bound if limits.maximum is None else int(limits.maximum))
    elif field.type == "number":
        valid = st.floats(limits.minimum, limits.maximum, allow_nan=False, allow_infinity=False)
    else:
        valid = {"string": TEXTS, "date": DAYS.map(pd.Timestamp), "boolean": st.booleans()}[field.type]
    return valid if field.required else st.none() | valid


def frames(table: Table) -> st.SearchStrategy[pd.DataFrame]:
    rows = st.lists(
        st.tuples(*(cell_values(field) for field in table.fields)),
        max_size=4,
        unique_by=lambda row: tuple(row[table.columns.index(name)] for name in table.key),
    )
    return rows.map(lambda rows: typed_frame(table, rows))


def typed_frame(table: Table, rows: list[tuple]) -> pd.DataFrame:
    dtypes = {
        "string": object,
        "integer": "Int64",
        "number": float,
        "date": "datetime64[ns]",
        "boolean": "boolean",
    }
    columns = zip(*rows, strict=True) if rows else [()] * len(table.fields)
    return pd.DataFrame(
        {
            field.name: pd.Series(list(column), dtype=dtypes[field.type])
            for field, column in zip(table.fields, columns, strict=True)
        }
    )


@pytest.mark.parametrize("name", TABLES)
# No shrinking: a failing table of fifty columns would be made smaller for minutes.
@settings(max_examples=6, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(data=st.data())
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    """Typed -> text -> file -> text -> typed: every value and type as before, rows in order of the key."""
    table = SPEC.table(name)
    frame = data.draw(frames(table))
    path = tmp_path_factory.getbasetemp() / f"{name}.csv"
    write_table(frame, path, table, SPEC)
    back = read_table(path, table)
    expected = frame.sort_values(list(table.key), kind="stable").reset_index(drop=True)
    pd.testing.assert_frame_equal(back, expected, check_exact=True)
    assert as_text(back, table).astype(object).equals(read_text(path, table))


@settings(max_examples=10, deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=20, max_size=200))
def test_a_number_keeps_its_last_digit(numbers: list[float]) -> None:
    text = pd.DataFrame(
        "", index=range(len(numbers)), columns=list(SPEC.table("scales").columns), dtype=object
    )
    text["score"] = [repr(number) for number in numbers]
    assert typed(text, SPEC.table("scales"))["score"].tolist() == numbers


def test_the_file_is_plain_text(spec: Spec, tmp_path: Path) -> None:
    """ISO dates, shortest exact numbers, missing cells empty, line ends of Unix, rows in order of the key."""
    frame = pd.DataFrame(
        {
            "child_id": ["C0002", "C0001"],
            "visit": ["V3", "V4"],
            "scale": "TIMB",
            "score": [0.1 + 0.2, float("nan")],
            "completed_date": pd.to_datetime(["2019-05-01", "2019-06-02"]),
            "source_file": "a,b.csv",
            "source_row": [7, 3],
        }
    )
    path = tmp_path / "scales.csv"
    write_table(frame, path, spec.table("scales"), spec)
    assert path.read_bytes() == (
        b"child_id,visit,scale,completed_date,score,source_file,source_row\n"
        b'C0001,V4,TIMB,2019-06-02,,"a,b.csv",3\n'
        b'C0002,V3,TIMB,2019-05-01,0.30000000000000004,"a,b.csv",7\n'
    )


@pytest.mark.parametrize("file", ["a\rb.csv", "a\nb.csv", "a\r\nb.csv", 'a"b,c.csv', " a.csv "])
def test_awkward_characters_survive(spec: Spec, tmp_path: Path, file: str) -> None:
    """A lone carriage return among them, which some versions of the csv module write unquoted."""
    table, path = spec.table("withdrawals"), tmp_path / "withdrawals.csv"
    text = cells(
        spec,
        "withdrawals",
        "withdrawal_id | family_id | withdrawal_date | withdrawal_level\nW0001 | F0001 | 2019-05-01 | all",
    )
    write_whole(path, text_csv(text.assign(source_file=file), table, spec))
    assert read_text(path, table)["source_file"].tolist() == [file]


def test_reasons_survive_as_text_and_are_missing_as_values(spec: Spec, tmp_path: Path) -> None:
    table = spec.table("scales")
    text = cells(
        spec,
        "scales",
        "child_id | visit | scale | completed_date | score\nC0001 | V3 | TIMB | 2019-05-01 | .refused",
    )
    write_whole(tmp_path / "scales.csv", text_csv(text, table, spec))
    assert read_text(tmp_path / "scales.csv", table).loc[0, "score"] == ".refused"
    assert read_table(tmp_path / "scales.csv", table)["score"].isna().tolist() == [True]


@pytest.mark.parametrize(
    ("changed", "part"),
    [
        ({"score": "1,5"}, "table scales, row 2, rule S04 (score): not a valid number."),
        ({"visit": "V9"}, "table scales, row 2, rule S05 (visit)"),
        ({"child_id": "1"}, "table scales, row 2, rule S06 (child_id)"),
        ({"completed_date": ""}, "table scales, row 2, rule S07 (completed_date)"),
        ({"source_row": "1"}, "table scales, row 2, rule S06 (source_row): outside 2 to inf."),
    ],
)
def test_what_the_schema_refuses_is_not_written(
    spec: Spec, tmp_path: Path, changed: dict[str, str], part: str
) -> None:
    text = cells(
        spec,
        "scales",
        "child_id | visit | scale | completed_date | score\nC0001 | V3 | TIMB | 2019-05-01 | 1.5",
    )
    path = tmp_path / "scales.csv"
    path.write_text("as before")
    with pytest.raises(DataError) as stopped:
        write_whole(path, text_csv(text.assign(**changed), spec.table("scales"), spec))
    assert part in str(stopped.value)
    assert path.read_text() == "as before"
    assert os.listdir(tmp_path) == ["scales.csv"]


def test_a_key_given_twice_is_not_written(spec: Spec, tmp_path: Path) -> None:
    text = cells(
        spec, "scales", "child_id | visit | scale | completed_date\n" + "C0001 | V3 | TIMB | 2019-05-01\n" * 2
    )
    with pytest.raises(DataError, match="row 3, rule S08: the key child_id, visit, scale is given twice"):
        check_table(text, spec.table("scales"), spec)


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new content is complete before it takes the name."""
    path = tmp_path / "new" / "a.csv"
    write_whole(path, b"first")
    assert path.read_bytes() == b"first"

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_whole(path, b"second")
    assert path.read_bytes() == b"first"


def test_a_table_of_other_columns_is_refused(spec: Spec, tmp_path: Path) -> None:
    table, path = spec.table("withdrawals"), tmp_path / "data" / "clean" / "withdrawals.csv"
    path.parent.mkdir(parents=True)
    absent = "^data/clean/withdrawals.csv: no such table; run the step that writes it"
    with pytest.raises(DataError, match=absent):
        read_text(path, table)
    for content in (b"", b"\xff\xfe"):
        path.write_bytes(content)
        with pytest.raises(DataError, match="withdrawals.csv: not a table written by this workflow"):
            read_text(path, table)
    path.write_text(",".join(reversed(table.columns)) + "\n")
    with pytest.raises(
        DataError, match="withdrawals.csv: its columns are not those declared for table withdrawals"
    ):
        read_text(path, table)


def test_an_absent_column_is_named(spec: Spec) -> None:
    frame = values(spec, "withdrawals", "withdrawal_id\nW0001").drop(columns=["reason"])
    with pytest.raises(DataError, match="table withdrawals: no column reason"):
        as_text(frame, spec.table("withdrawals"))


def test_a_fraction_is_not_written_as_a_whole_number(spec: Spec) -> None:
    frame = values(spec, "sdq", "child_id | q01\nC0001 | 1").assign(q01=[1.5])
    with pytest.raises((TypeError, ValueError)):
        as_text(frame, spec.table("sdq"))


def test_nothing_in_a_file_is_taken_for_missing_but_blanks_and_marks(spec: Spec, tmp_path: Path) -> None:
    table = spec.table("flow")
    text = cells(
        spec,
        "flow",
        "level | unit_id | family_id | site | stage | box\n"
        "child | NA | nan | GLA | null | None\n"
        "child | N/A | . | GLA | -1 | #N/A",
    )
    path = tmp_path / "flow.csv"
    text.to_csv(path, index=False)
    back = read_table(path, table)
    assert back["unit_id"].tolist() == ["NA", "N/A"]
    assert back["family_id"].isna().tolist() == [False, True]
    assert back["stage"].tolist() == ["null", "-1"]

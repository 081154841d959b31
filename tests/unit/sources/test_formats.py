"""Files of every format give the same text, cell for cell; nothing is lost on the way and nothing made up."""

import json
import timeit
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from time import process_time

import numpy as np
import pandas as pd
import pyarrow as pa
import pyreadstat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from analysis.errors import SourceError
from analysis.sources import apart, moments
from analysis.sources.formats import READERS, read_file, read_labels
from analysis.sources.text import Text
from analysis.sources.xport import _ibm
from analysis.spec.source_base import FORMAT_KEYS, Dialect

REFERENCE = Path(__file__).parents[2] / "reference" / "export_formats"
EXPECTED = json.loads((REFERENCE / "expected.json").read_text())
STATA, SPSS = ({"format": form, "cells": "codes"} for form in ("stata", "spss"))
SAS, XPORT, PARQUET = {"format": "sas7bdat"}, {"format": "xport", "encoding": "utf-8"}, {"format": "parquet"}


def read(path: Path, how: dict) -> Text:
    """Through the door: some formats by a process of their own."""
    return read_file(path, Dialect(**how, dates=()), file=f"trial/{path.name}")


def read_here(path: Path, how: dict) -> Text:
    """By the reader alone, in this process."""
    reader = apart.READERS.get(how["format"], read_file)
    return reader(path, Dialect(**how, dates=()), file=f"trial/{path.name}")


def refusal(path: Path, how: dict) -> str:
    with pytest.raises(SourceError) as stopped:
        read(path, how)
    message = str(stopped.value)
    assert message.startswith(f"trial/{path.name}")
    assert "\n" not in message
    return message


def test_every_format_that_can_be_declared_has_a_reader() -> None:
    assert set(READERS) == set(FORMAT_KEYS)


@pytest.mark.parametrize(
    ("name", "how", "program"),
    [
        ("stata.dta", STATA, "stata"),
        ("spss.sav", SPSS, "spss"),
        ("spss.zsav", SPSS, "spss"),
        ("sas.sas7bdat", SAS, "sas"),
        ("sas5.xpt", XPORT, "sas"),
        ("sas8.xpt", XPORT, "sas"),
    ],
)
def test_agreement_with_haven(name: str, how: dict, program: str) -> None:
    """Every cell of a file that R wrote, missing values with their kind; numbers to the last bit."""
    text = read(REFERENCE / name, how)
    assert text.columns == ("id", "item", "score", "day", "moment")
    assert text.lines == (2, 3, 4, 5, 6)
    for row, expected in zip(text.rows, EXPECTED[program], strict=True):
        cells = dict(zip(text.columns, row, strict=True))
        # 56 bits to the power of 16 hold every one of these doubles.
        assert float(cells["score"]) == float(expected["score"])
        assert cells == {**expected, "score": cells["score"]}


def test_numbers_are_as_short_as_they_can_be() -> None:
    (scores,) = {tuple(row[2] for row in read_here(REFERENCE / "stata.dta", STATA).rows)}
    assert scores == ("0.1", "0.30000000000000004", "0.3333333333333333", "1e+20", "-7")


def test_labels_are_kept_by_code() -> None:
    path = REFERENCE / "spss.sav"
    assert read_labels(path, Dialect(**SPSS, dates=()), file="a") == {
        "item": {"1": "no", "2": "yes", "9": "refused"}
    }
    stata = read_labels(REFERENCE / "stata.dta", Dialect(**STATA, dates=()), file="a")
    assert stata == {"item": {"1": "no", "2": "yes", ".a": "refused"}}


def test_codes_that_spss_calls_missing() -> None:
    missing = read_here(REFERENCE / "spss.sav", SPSS).missing
    assert missing == {"id": ("F0005",), "item": ("8", "9"), "score": ("-97",)}


@pytest.mark.parametrize(("name", "how", "refused"), [("stata.dta", STATA, ".a"), ("spss.sav", SPSS, "9")])
def test_cells_as_labels_leave_missing_values_their_codes(name: str, how: dict, refused: str) -> None:
    items = [row[1] for row in read_here(REFERENCE / name, {**how, "cells": "labels"}).rows]
    assert items[:4] == ["no", refused, "", "yes"]


def test_two_codes_of_one_label_cannot_be_told_apart(tmp_path: Path) -> None:
    labels = {"q": {1.0: "Zoe", 2.0: "Zoe"}}
    pyreadstat.write_sav(pd.DataFrame({"q": [1.0, 2.0]}), tmp_path / "a.sav", variable_value_labels=labels)
    assert "'q' has one label for two codes" in refusal(tmp_path / "a.sav", {**SPSS, "cells": "labels"})
    assert read_here(tmp_path / "a.sav", SPSS).rows == (("1",), ("2",))


def test_a_number_of_four_bytes_has_no_noise(tmp_path: Path) -> None:
    frame = pd.DataFrame({"four": np.array([0.1, 2, np.nan], "f4"), "eight": [0.1, 2, np.nan]})
    frame.to_stata(tmp_path / "a.dta", write_index=False)
    frame.to_parquet(tmp_path / "a.parquet")
    expected = (("0.1", "0.1"), ("2", "2"), ("", ""))
    assert read_here(tmp_path / "a.dta", STATA).rows == expected
    assert read_here(tmp_path / "a.parquet", PARQUET).rows == expected


@pytest.mark.parametrize("version", [8, 10, 12, 13, 14, 15])
def test_every_version_of_stata(tmp_path: Path, version: int) -> None:
    frame = pd.DataFrame({"id": ["NA", "null"], "q": [1.0, 2.0]})
    pyreadstat.write_dta(frame, tmp_path / "a.dta", version=version)
    assert read_here(tmp_path / "a.dta", STATA).rows == (("NA", "1"), ("null", "2"))


@pytest.mark.parametrize(
    ("form", "value", "text"),
    [
        ("%td", -1, "1959-12-31"),
        ("%tdDD/NN/CCYY", 21915, "2020-01-01"),
        ("%d", 0, "1960-01-01"),
        ("%td", 0.5, "0.5"),
        ("%td", 1e12, "1000000000000"),
        ("%tc", 1.5, "1960-01-01T00:00:00.002"),
        ("%tcHH:MM", 86_400_000, "1960-01-02"),
        ("%tm", 721, "2020-02"),
        ("%tm", -1, "1959-12"),
        ("%tq", 240, "2020q1"),
        ("%th", 121, "2020h2"),
        ("%tw", 52, "1961w1"),
        ("%ty", 2020, "2020"),
        ("%10.0g", 2020, "2020"),
        (None, 1.0, "1"),
    ],
)
def test_periods_of_stata(form: str | None, value: float, text: str) -> None:
    """Help of Stata, datetime display formats: monthly 1960m1 = 0, halfyearly 1960h1 = 0, yearly as it is."""
    assert moments.stata(form)(value) == text


@pytest.mark.parametrize(
    ("form", "value", "text"),
    [
        ("DATE", 0, "1960-01-01"),
        ("DATE9", 21915, "2020-01-01"),
        ("ddmmyys10.", 21915, "2020-01-01"),
        ("YYMMDDN8", 21915, "2020-01-01"),
        ("E8601DA10.", 21915, "2020-01-01"),
        ("MONYY7", 21915, "2020-01-01"),
        ("DATETIME20", 1893456000, "2020-01-01"),
        ("E8601DT", 1893456001.25, "2020-01-01T00:00:01.250"),
        ("TIME8", 30_600, "08:30:00"),
        ("HHMM5", 93_780, "26:03:00"),
        ("BEST12", 21915, "21915"),
        ("$CHAR", 1, "1"),
        (None, 1, "1"),
    ],
)
def test_moments_of_sas(form: str | None, value: float, text: str) -> None:
    assert moments.sas(form)(value) == text


@pytest.mark.parametrize(
    ("form", "value", "text"),
    [
        ("DATE11", 13_797_216_000, "2020-01-01"),
        ("ADATE10", 13_797_216_000, "2020-01-01"),
        ("DATETIME20.2", 13_797_216_000.5, "2020-01-01T00:00:00.500"),
        ("TIME8", 30_600, "08:30:00"),
        ("DATE11", -1e15, "-1000000000000000"),
        ("F8.2", 13_797_216_000, "13797216000"),
        ("WKDAY3", 2, "2"),
    ],
)
def test_moments_of_spss(form: str, value: float, text: str) -> None:
    assert moments.spss(form)(value) == text


@given(st.floats(allow_nan=False))
def test_a_number_is_read_back_to_the_bit(value: float) -> None:
    assert float(moments.number(value)) == value


@given(st.integers(-(2**53) + 1, 2**53 - 1))
def test_a_whole_number_has_no_point(value: int) -> None:
    assert moments.number(float(value)) == str(value)


@given(st.datetimes(min_value=datetime(1600, 1, 1), max_value=datetime(2999, 12, 31)))
def test_a_moment_survives_each_way_of_counting(value: datetime) -> None:
    value = value.replace(microsecond=value.microsecond // 1000 * 1000)
    of_spss, of_sas = (
        (value - origin).total_seconds() for origin in (moments.SPSS_ORIGIN, moments.SAS_ORIGIN)
    )
    expected = moments.moment(value)
    assert moments.spss("DATETIME20")(of_spss) == expected
    assert moments.sas("DATETIME20")(of_sas) == expected
    assert moments.stata("%tc")(round(of_sas * 1000)) == expected


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=1e-60, max_value=1e60))
def test_a_number_of_a_mainframe(value: float) -> None:
    """Written by the rule of the record layout: the fraction to the power of 16, here in whole numbers."""
    numerator, denominator = value.as_integer_ratio()
    power = 0
    while numerator >= 16**power * denominator:
        power += 1
    while numerator * 16 < 16**power * denominator:
        power -= 1
    fraction = (
        numerator * 2**56 // (16**power * denominator)
        if power >= 0
        else (numerator * 16**-power * 2**56 // denominator)
    )
    raw = bytes([64 + power]) + fraction.to_bytes(7, "big")
    assert _ibm(raw) == pytest.approx(value, rel=2**-52, abs=0)


def test_special_missing_values_of_sas_of_every_letter(tmp_path: Path) -> None:
    """Other readers make them all blank: they are put into the bytes of a file that pyreadstat wrote."""
    frame = pd.DataFrame({"q": [float(k) for k in range(1, 29)], "id": ["x"] * 28})
    pyreadstat.write_xport(frame, tmp_path / "a.xpt", file_format_version=5)
    raw = (tmp_path / "a.xpt").read_bytes()
    letters = "_ABCDEFGHIJKLMNOPQRSTUVWXYZ."
    start = raw.index(b"OBS     ") - len("HEADER RECORD*******") + 80
    for k, letter in enumerate(letters):
        at = start + 9 * k
        raw = raw[:at] + letter.encode() + bytes(7) + raw[at + 8 :]
    (tmp_path / "a.xpt").write_bytes(raw)
    cells = [row[0] for row in read(tmp_path / "a.xpt", XPORT).rows]
    assert cells == [f".{letter}" for letter in letters[:-1]] + [""]


@pytest.mark.parametrize("version", [5, 8])
@pytest.mark.parametrize("n", [1, 3, 10, 77])
def test_observations_of_a_transport_file_are_not_lost_in_its_padding(
    tmp_path: Path, version: int, n: int
) -> None:
    name = "a_name_that_is_long" if version == 8 else "NAME"
    frame = pd.DataFrame({name: [f"{k}" for k in range(n)], "q": [None] * n}).astype({"q": float})
    pyreadstat.write_xport(frame, tmp_path / "a.xpt", file_format_version=version)
    text = read(tmp_path / "a.xpt", XPORT)
    assert text.columns == (name, "q")
    assert text.rows == tuple((f"{k}", "") for k in range(n))


def test_a_blank_observation_longer_than_the_padding_is_kept(tmp_path: Path) -> None:
    pyreadstat.write_xport(pd.DataFrame({"a": ["x" * 100, "", ""]}), tmp_path / "a.xpt")
    assert read(tmp_path / "a.xpt", XPORT).rows == (("x" * 100,), ("",), ("",))


def test_a_transport_file_of_two_data_sets_or_cut_short_is_refused(tmp_path: Path) -> None:
    raw = (REFERENCE / "sas5.xpt").read_bytes()
    (tmp_path / "a.xpt").write_bytes(raw + raw[240:])
    assert "several data sets" in refusal(tmp_path / "a.xpt", XPORT)
    for end in (10, 250, 700, 1100, len(raw) - 100):
        (tmp_path / "a.xpt").write_bytes(raw[:end])
        assert "damaged" in refusal(tmp_path / "a.xpt", XPORT)


def test_a_transport_file_takes_time_in_proportion_to_its_rows(tmp_path: Path) -> None:
    """Ten times the rows take about ten times as long, not a hundred; the quickest of three counts."""
    seconds = {}
    for n in (3_000, 30_000):
        frame = pd.DataFrame({"id": ["F0001"] * n, "q": [1.5] * n, "text": ["x" * 50] * n})
        pyreadstat.write_xport(frame, tmp_path / "a.xpt")
        seconds[n] = min(
            timeit.repeat(lambda: read(tmp_path / "a.xpt", XPORT), number=1, repeat=3, timer=process_time)
        )
    assert seconds[30_000] < 30 * seconds[3_000]


def test_types_of_parquet(tmp_path: Path) -> None:
    table = pa.table(
        {
            "whole": pa.array([1, None], pa.int8()),
            "great": pa.array([2**63, None], pa.uint64()),
            "flag": pa.array([True, None]),
            "day": pa.array([date(2020, 1, 5), None]),
            "moment": pa.array([datetime(2020, 1, 5, 10, 11, 12), None], pa.timestamp("ns")),
            "zoned": pa.array([datetime(2020, 1, 5, 10, tzinfo=UTC), None], pa.timestamp("s", "UTC")),
            "clock": pa.array([time(8, 30), None]),
            "exact": pa.array([Decimal("1.50"), None]),
            "coded": pa.array(["NA", None]).dictionary_encode(),
            "nothing": pa.nulls(2),
        }
    )
    parquet.write_table(table, tmp_path / "a.parquet")
    text = read_here(tmp_path / "a.parquet", PARQUET)
    first = ("1", "9223372036854775808", "true", "2020-01-05", "2020-01-05T10:11:12")
    first += ("2020-01-05T10:00:00+00:00", "08:30:00", "1.50", "NA", "")
    assert (text.columns, text.rows) == (tuple(table.column_names), (first, ("",) * 10))


@pytest.mark.parametrize(
    "kind", [pa.list_(pa.int8()), pa.binary(), pa.duration("s"), pa.struct([("a", pa.int8())])]
)
def test_a_column_without_one_text_is_refused(tmp_path: Path, kind: pa.DataType) -> None:
    parquet.write_table(pa.table({"q": pa.nulls(1).cast(kind)}), tmp_path / "a.parquet")
    assert "column 'q' is of type" in refusal(tmp_path / "a.parquet", PARQUET)


def test_absurd_sizes_are_refused_before_they_are_read(tmp_path: Path) -> None:
    """A column of one value costs nothing to store: a hundred million rows are a few kilobytes."""
    block = pa.table({"q": pa.nulls(20_000_000)})
    with parquet.ParquetWriter(tmp_path / "a.parquet", block.schema) as out:
        for _ in range(3):
            out.write_table(block)
    assert (tmp_path / "a.parquet").stat().st_size < 200_000
    assert "declares more than 50,000,000 cells" in refusal(tmp_path / "a.parquet", PARQUET)


@pytest.mark.parametrize("how", [STATA, SPSS, SAS, XPORT, PARQUET, {"format": "excel", "sheet": "a"}])
@pytest.mark.parametrize("content", [b"", b"id,q\nZoe,1\n", b"\0" * 5000, b"PK\x03\x04" + b"\0" * 100])
def test_another_file_than_the_mapping_says(tmp_path: Path, how: dict, content: bytes) -> None:
    (tmp_path / "a.bin").write_bytes(content)
    assert "Zoe" not in refusal(tmp_path / "a.bin", how)


def test_a_reader_that_dies_is_an_error_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart.sys, "executable", "false")
    assert "cannot be read as stata" in refusal(REFERENCE / "stata.dta", STATA)


def test_a_reader_that_takes_forever_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "LONGEST_READING", 0.01)
    assert "cannot be read as stata" in refusal(REFERENCE / "stata.dta", STATA)


def test_a_nul_in_a_cell_is_refused(tmp_path: Path) -> None:
    pd.DataFrame({"q": ["a", "b\0c"]}).to_parquet(tmp_path / "a.parquet")
    assert "row 3: holds a NUL character" in refusal(tmp_path / "a.parquet", PARQUET)

"""What the second programmer reads and writes: tables, results of R, the file of agreement, the step."""

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from analysis.__main__ import main
from analysis.agreement import Agreement, Agreements, agreements_json, check_current, read_agreements
from analysis.errors import ReportError
from analysis.models.registry import FAMILIES
from analysis.qc.again import Again
from analysis.qc.compare import CLASSES, compare
from analysis.qc.kept import contents, read_kept
from analysis.results import Curve, Estimate, Result, ResultFile, Stamp, to_json
from analysis.spec.edition import edition
from analysis.spec.outputs import families_of
from analysis.steps.common import file_digests

STAMP = Stamp("closed", "2023-12-31", "1.0", "a", "b", {"subjects.csv": "c"})
DIFFERENCE = Estimate(
    "difference", 2.0, se=0.5, low=1.0, high=3.0, df=100.0, p=0.001, labels={"contrast": "NIM - SAU"}
)


def result(*estimates: Estimate, curves: tuple[Curve, ...] = ()) -> Result:
    return Result(
        "A01", "mixed", "T", "closed", None, "prespecified", "M", estimates=estimates, curves=curves
    )


def test_the_tables_are_typed_as_declared(tables) -> None:
    people = tables.frames["subjects"]
    assert people["is_eligible"].dtype == bool
    assert people["n_siblings"].dtype == float
    assert people["randomisation_date"].dtype.kind == "M"
    assert people["sex"].isna().sum() == 1
    assert tables.arms == ("NIM", "SAU")


@pytest.mark.parametrize(
    ("part", "off", "agrees"),
    [
        ("value", 1e-6 * 2 * 0.9, True),
        ("value", 1e-6 * 2 * 1.1, False),
        ("se", 1e-5 * 0.5 * 0.9, True),
        ("se", 1e-5 * 0.5 * 1.1, False),
        ("df", 0.009, True),
        ("df", 0.011, False),
        ("low", 1e-6 * 2 + 1e-5 * 0.9, True),
        ("low", 1e-6 * 2 + 1e-5 * 1.2, False),
        ("p", 0.9e-5, True),
        ("p", 1.1e-5, False),
    ],
)
def test_what_is_allowed_is_the_class_of_the_plan(part: str, off: float, agrees: bool) -> None:
    assert (CLASSES["t1"].estimate, CLASSES["t1"].se, CLASSES["t1"].df) == (1e-6, 1e-5, 1e-2)
    other = replace(DIFFERENCE, **{part: getattr(DIFFERENCE, part) + off})
    found = {each.part: each for each in compare(result(DIFFERENCE), Again("m", (other,)))}
    assert found[part].agrees is agrees
    assert all(each.agrees for name, each in found.items() if name != part)


def test_a_curve_is_one_row_at_the_place_where_both_are_farthest_apart() -> None:
    one = Curve("mean_count", (0.0, 5.0, 9.0), (0.0, 0.2, 0.4), labels={"arm": "NIM"})
    found = compare(result(curves=(one,)), Again("m", curves=(replace(one, value=(0.0, 0.2, 0.5)),)))
    time, value = found
    assert (time.n, time.agrees, value.n, value.ours, value.theirs, value.agrees) == (
        3,
        True,
        3,
        0.4,
        0.5,
        False,
    )
    (short,) = [
        each
        for each in compare(result(curves=(one,)), Again("m", curves=(replace(one, value=(0.0, 0.2)),)))
        if each.part == "curve value"
    ]
    assert not short.agrees


def test_a_number_that_rests_on_draws_may_be_four_monte_carlo_errors_away() -> None:
    key = ("difference", "p", (("contrast", "NIM - SAU"),))
    for off, agrees in ((0.0039, True), (0.0041, False)):
        other = replace(DIFFERENCE, p=DIFFERENCE.p + off)
        found = compare(result(DIFFERENCE), Again("m", (other,), drawn={key: 0.001}))
        (p,) = [each for each in found if each.part == "p"]
        assert (p.agrees, p.tolerance) == (agrees, "t3")


def test_the_file_of_agreement_is_read_as_it_was_written(tmp_path: Path) -> None:
    compared = compare(result(DIFFERENCE), Again("m", (DIFFERENCE,)))
    made = Agreements(STAMP, {"mixed.json": "d"}, True, (Agreement("A01", "mixed", "m", compared),))
    (tmp_path / "agreement.json").write_text(agreements_json(made))
    assert read_agreements(tmp_path / "agreement.json") == made
    assert made.of("A01").n == len(compared) and made.of("A99") is None
    (tmp_path / "agreement.json").write_text(json.dumps({"stamp": {}}))
    with pytest.raises(ReportError, match="not a file of agreement"):
        read_agreements(tmp_path / "agreement.json")


def test_a_comparison_of_other_results_is_refused() -> None:
    made = Agreements(STAMP, {"mixed.json": "d"}, False, ())
    check_current(made, STAMP, {"mixed.json": "d"})
    with pytest.raises(ReportError, match="another results than the current; run qc again"):
        check_current(made, STAMP, {"mixed.json": "e"})
    with pytest.raises(ReportError, match="another code_digest"):
        check_current(made, replace(STAMP, code_digest="x"), {"mixed.json": "d"})


def test_results_of_r_are_shown_for_the_tables_r_was_given_and_no_others(tmp_path: Path) -> None:
    (tmp_path / "tables.csv").write_text("table,digest\nsubjects.csv,abc\n")
    (tmp_path / "expected.csv").write_text(
        "analysis,name,arm,label,day,value,se,df\nA01,difference,,,,2.5,0.5, 7\n"
        "A10,interaction,,Site,,1.5,,\n"
        "A30F,frailty_variance.low,,,,0.1,,\nA31,probability,NIM,home,182,0.2,,\n"
    )
    kept = read_kept(tmp_path, {"subjects.csv": "abc"})
    contrast = {"contrast": "NIM - SAU"}
    assert [kept.number("A01", "difference", contrast, part) for part in ("value", "se", "df", "p")] == [
        2.5,
        0.5,
        7,
        None,
    ]
    assert kept.number("A10", "interaction", {"moderator": "Site"}, "value") == 1.5
    assert kept.number("A30F", "frailty_variance", {}, "low") == 0.1
    assert kept.number("A31", "probability", {"arm": "NIM", "cause": "home", "day": "182"}, "value") == 0.2
    assert read_kept(tmp_path, {"subjects.csv": "abc", "later.csv": "f"}) == kept, (
        "R was not given that table"
    )
    assert read_kept(tmp_path, {"subjects.csv": "abd"}).numbers == {}
    assert read_kept(tmp_path, {"later.csv": "f"}).numbers == {}
    assert read_kept(None, {}).numbers == {}


def test_a_table_is_the_same_wherever_its_rows_were_read(tmp_path: Path) -> None:
    for name, row in (("a", "C1,2,x.csv,3"), ("b", "C1,2,y.csv,9"), ("c", "C1,3,x.csv,3")):
        (tmp_path / f"{name}.csv").write_text(f"child_id,value,source_file,source_row\n{row}\n")
    a, b, c = contents(tmp_path.glob("*.csv")).values()
    assert a == b != c


@pytest.fixture(scope="module")
def results(trial, spec, first, tmp_path_factory) -> Path:
    """Files of results of the closed view, as `fit` writes them."""
    folder = tmp_path_factory.mktemp("run") / "closed" / "results"
    folder.mkdir(parents=True)
    for name in families_of(spec, "closed"):
        content = to_json(ResultFile(replace(STAMP, view="closed"), tuple(first(name).values())))
        (folder / f"{name}.json").write_text(content)
    return folder


def step(trial, results: Path) -> int:
    out = results.parent / "qc"
    options = ["--view", "closed", "--cut", "2023-12-31", "--tables", trial.allocated, "--results", results]
    return main([str(each) for each in ("qc", *options, "--out", out)])


def test_the_step_writes_every_number_and_fails_when_one_is_wrong(trial, results: Path, capsys) -> None:
    out = results.parent / "qc"
    assert step(trial, results) == 0
    found = read_agreements(out / "agreement.json")
    assert found.results == file_digests(results.glob("*.json"))
    numbers = pd.read_csv(out / "numbers.csv")
    assert numbers["n"].sum() == sum(each.n for each in found.agreements) > 50_000
    assert numbers["agrees"].all() and not found.has_reference
    assert not (out / "differing.csv").exists()
    capsys.readouterr()

    path = results / "hazard.json"
    body = json.loads(path.read_text())
    body["results"][0]["estimates"][0]["value"] *= 1.0001
    path.write_text(json.dumps(body))
    assert step(trial, results) == 2
    said = capsys.readouterr().err
    assert (
        "error: A30, hazard ratio (contrast NIM - SAU) value: the second programmer has another number"
        in said
    )
    assert pd.read_csv(out / "differing.csv")["analysis"].tolist() == ["A30"]


def test_the_step_writes_nothing_open(trial, results: Path, tmp_path: Path, capsys) -> None:
    options = ["--view", "closed", "--cut", "2023-12-31", "--tables", trial.allocated, "--results", results]
    assert main([str(each) for each in ("qc", *options, "--out", tmp_path / "open" / "qc")]) == 2
    assert "may not be written to open/" in capsys.readouterr().err


def test_all_families_have_files(spec) -> None:
    """In the final edition or in that of an interim cut."""
    interim = edition(spec, "2014-12-31")
    assert {*families_of(spec, "closed"), *families_of(interim, "closed")} == set(FAMILIES)

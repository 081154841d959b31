"""Every form of the report where there is little or nothing to report."""

import csv
import io
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from analysis.present.table_latex import to_latex
from analysis.present.tables import TABULATE, tabulate
from analysis.results import Failure, Result
from analysis.spec.outputs import outputs_of
from tests.unit.present import fabricated, fabricated_report
from tests.unit.present.test_table_latex import body, cells

UNKNOWN = {"value": None, "low": None, "high": None, "se": None, "p": None, "df": None}
Change = Callable[[Result, str], Result]


def where(result: Result, chosen: Callable, *, count: int = 0) -> Result:
    """The result with the chosen counts replaced and the chosen estimates not estimable."""
    return replace(
        result,
        counts=tuple(replace(each, value=count) if chosen(each) else each for each in result.counts),
        estimates=tuple(replace(each, **UNKNOWN) if chosen(each) else each for each in result.estimates),
    )


def empty_arm(result: Result, view: str) -> Result:
    arm = fabricated.arms_in(view)[-1]
    return where(result, lambda each: each.labels.get("arm") == arm)


def zero_events(result: Result, view: str) -> Result:
    """Nobody has an event: counts of them are zero, ratios are not estimable, risks and rates are zero."""
    made = where(
        result, lambda each: "events" in each.name or "ratio" in each.name or "category" in each.labels
    )
    zeros = {"value": 0.0, "low": 0.0, "high": 0.0}
    rates = ("rate", "risk", "probability", "mean_count")
    return replace(
        made,
        estimates=tuple(replace(each, **zeros) if each.name in rates else each for each in made.estimates),
    )


def one_family(result: Result, view: str) -> Result:
    """One family in each arm; nothing between families can be estimated."""
    made = where(result, lambda each: "families" in each.name, count=1)
    return where(
        made, lambda each: each.name in ("icc", "variance", "risk_difference", "difference"), count=1
    )


def all_singletons(result: Result, view: str) -> Result:
    """Every family has one child: no level above one, no variance between families."""
    kept = tuple(
        each
        for each in result.counts
        if not (each.labels.get("variable") == "n_siblings" and each.labels.get("level") != "1")
    )
    made = replace(result, counts=kept)
    families = {"icc": 0.0, "variance": 0.0}
    return replace(
        made,
        estimates=tuple(
            replace(each, value=families[each.name], low=None, high=None)
            if each.name in families and each.labels.get("component") != "residual"
            else each
            for each in made.estimates
        ),
    )


def absent_level(result: Result, view: str) -> Result:
    """Codes that nobody has: no boy, nobody in London, no adoption."""
    absent = {("level", "M"), ("level", "LON"), ("group", "LON"), ("cause", "adopted"), ("state", "adopted")}

    def kept(each) -> bool:
        return not absent & set(each.labels.items())

    parts = {kind: tuple(filter(kept, getattr(result, kind))) for kind in ("counts", "estimates", "curves")}
    return replace(result, **parts)


def missing_visit(result: Result, view: str) -> Result:
    """Nobody has a value at the fifteen-month visit, and nobody a baseline score."""
    gone = {("visit", "V4"), ("variable", "SDQ_TOTAL")}
    return where(result, lambda each: bool(gone & set(each.labels.items())))


# Their parts must make up the whole, so that their thin results come from thin data: tests of the models.
CONSERVED = ("flow", "delivery", "missing", "deviations")
CHANGES = (empty_arm, zero_events, one_family, all_singletons, absent_level, missing_visit)


@pytest.fixture(scope="module", params=CHANGES, ids=lambda change: change.__name__)
def change(request: pytest.FixtureRequest) -> Change:
    return request.param


@pytest.fixture(scope="module", params=["open", "closed"])
def made(request: pytest.FixtureRequest, change: Change, tmp_path_factory) -> tuple[str, dict, Path, str]:
    """A report with little in it: its view, results, folder and page."""
    view = request.param
    results = {
        name: each if isinstance(each, Failure) or each.family in CONSERVED else change(each, view)
        for name, each in fabricated.results(view).items()
    }
    assert results != fabricated.results(view)
    folder = tmp_path_factory.mktemp(f"{change.__name__}-{view}")
    fabricated_report.write_outputs(folder, view, results, figures=fabricated_report.blank(view, results))
    return view, results, folder, fabricated_report.render(view, folder, results)


def test_the_page_and_the_document_hold_every_output(made) -> None:
    view, _, folder, page = made
    document = fabricated_report.part_of(fabricated_report.word_of(page, folder))
    ElementTree.fromstring(document)
    for output in outputs_of(fabricated.spec(), view):
        assert f'id="{output.id}"' in page and f'w:name="{output.id}"' in document
    for text in (re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL), document):
        words = set(re.findall(r"[A-Za-z]+", re.sub(r"<[^>]*>", " ", text)))
        assert {"nan", "NaN", "inf"} & words == set()


def test_every_file_of_a_table_has_its_rows(made) -> None:
    view, results, folder, _ = made
    spec = fabricated.spec()
    for output in outputs_of(spec, view):
        if output.kind not in TABULATE:
            continue
        table = tabulate(output, results, spec, view, fabricated_report.second(view))
        shown = [row for row in table.rows if row.kind != "group"]
        assert not any("None" in cell.text for row in shown for cell in row.cells)
        rows = list(csv.reader(io.StringIO((folder / f"{output.id}.csv").read_text())))
        assert [len(row) for row in rows] == [len(table.columns) + 1] * (len(shown) + 1)
        lines = body((folder / f"{output.id}.tex").read_text())
        assert [len(cells(line)) for line in lines] == [len(table.columns) + 1] * len(table.rows)
        values = list(csv.DictReader(io.StringIO((folder / f"{output.id}.values.csv").read_text())))
        assert {row["row"] for row in values} <= {row[0] for row in rows}
        assert to_latex(table) == (folder / f"{output.id}.tex").read_text()


def test_what_is_not_there_is_said(made, change: Change) -> None:
    """What a reader sees where the numbers were."""
    view, results, _, _ = made
    if view == "open" or change not in (empty_arm, zero_events, missing_visit):
        return
    spec = fabricated.spec()
    outputs = {"empty_arm": "T25", "zero_events": "T25", "missing_visit": "T14"}
    table = tabulate(spec.outputs[outputs[change.__name__]], results, spec, view)
    shown = {cell.text for row in table.rows for cell in row.cells}
    words = {"empty_arm": "0", "zero_events": "0.0", "missing_visit": "0"}
    assert words[change.__name__] in shown

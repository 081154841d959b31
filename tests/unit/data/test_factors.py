"""Factors: the same cells as plain text, whatever is put in them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.data.cells import FORMULA_STARTS, cell_problems
from analysis.data.table import to_csv
from analysis.factors import coded, each_distinct, factor, parts, put, stacked
from analysis.sources.ssda903_years import days
from analysis.spec.declarations import Spec
from tests.unit.data.tables import cells

TEXT = st.lists(st.text(max_size=4).filter(lambda cell: cell.isprintable()), min_size=1, max_size=12)


@settings(max_examples=30, deadline=None)
@given(TEXT, st.data())
def test_a_factor_holds_what_plain_text_would(column: list[str], data: st.DataObject) -> None:
    at = data.draw(st.lists(st.integers(0, len(column) - 1), max_size=4, unique=True))
    plain = pd.DataFrame({"a": column, "b": column[::-1]}, dtype=object)
    made = coded(plain)
    assert made.astype(object).equals(plain)
    assert coded(made).astype(object).equals(plain)
    assert to_csv(made) == to_csv(plain)
    plain.loc[at, "a"] = ".invalid"
    assert list(put(made["a"], np.array(at, dtype=int), ".invalid")) == plain["a"].tolist()


def test_equal_cells_become_one() -> None:
    made = factor(np.array([0, 1, 2, 1]), np.array(["a", "b", "a"], dtype=object))
    assert list(made) == ["a", "b", "a", "b"] and list(made.categories) == ["a", "b"]


def test_a_cell_that_no_row_has_is_no_problem(spec: Spec) -> None:
    """Rows may have left the table, and their cells stay among the distinct ones."""
    text = coded(cells(spec, "placements", "child_id | placement_code\nC0001 | U6\nC0002 | no such code"))
    found = {each.field for each in cell_problems(text, spec.table("placements"), spec)}
    left = {each.field for each in cell_problems(text[:1], spec.table("placements"), spec)}
    assert found - left == {"placement_code"}
    assert "no such code" in parts(text[:1]["placement_code"])[1]


@pytest.mark.parametrize("start", FORMULA_STARTS)
def test_a_formula_is_seen_among_plain_and_empty_cells(spec: Spec, start: str) -> None:
    text = cells(spec, "placements", "source_file\na.csv\nb.csv\nc.csv")
    text["source_file"] = ["a.csv", "", f"{start}b.csv"]
    problems = cell_problems(text, spec.table("placements"), spec)
    formulas = [each for each in problems if each.message.startswith("begins like a formula")]
    assert [(each.field, each.rows.tolist()) for each in formulas] == [("source_file", [2])]


def test_no_cell_is_taken_for_another_one() -> None:
    """A number below zero counts from the end, where another cell stands."""
    column = pd.Series([None, "2020-01-01", "2021-01-01"], dtype=object)
    made = pd.Series(factor(*parts(column)))
    for cells_ in (column, made):
        assert each_distinct(cells_, str.lower).isna().tolist() == [True, False, False]
        assert days(cells_).isna().tolist() == [True, False, False]
    assert stacked([made.to_frame("a")] * 2)["a"].isna().tolist() == [True, False, False] * 2


COLUMN = st.lists(st.sampled_from(["", "a", "b", "NA", ".5"]), max_size=4)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(COLUMN, st.booleans(), st.booleans()), min_size=1, max_size=4))
def test_tables_are_stacked_by_the_names_of_their_columns(tables: list[tuple[list[str], bool, bool]]) -> None:
    """In any order, factors or not, with cells that stand in no row any more, and without one of them."""
    frames, rows = [], []
    for column, is_factor, has_both in tables:
        whole = pd.DataFrame({"b": column[::-1], "a": column}, dtype=object)
        rows += [(a, b if has_both else "") for b, a in whole.to_numpy()]
        frame = whole if has_both else whole[["a"]]
        longer = pd.concat([frame, frame.head(1).assign(a="gone")], ignore_index=True)
        frames.append((coded(longer) if is_factor else longer).head(len(column)))
    found = stacked(frames)
    assert ("b" in found) == any(has_both for *_, has_both in tables)
    assert found["a"].tolist() == [a for a, _ in rows]
    assert "b" not in found or found["b"].tolist() == [b for _, b in rows]
    assert found.index.equals(pd.RangeIndex(len(rows)))
    if all(is_factor for _, is_factor, _ in tables):
        assert all(isinstance(kind, pd.CategoricalDtype) for kind in found.dtypes)

"""Outcomes due, observed and missing, worked out by hand in four children of three families."""

import itertools

import pandas as pd
import pytest

from analysis.data.allocation import read_pooled
from analysis.errors import ModelError
from analysis.models import missing
from analysis.models.missing import course_of
from analysis.models.registry import FAMILIES, fit_all
from analysis.present.figures import draw
from analysis.present.tables import tabulate
from analysis.qc.compare import compare
from analysis.qc.missing import again
from analysis.qc.tables import Tables
from analysis.results import Failure, select
from tests.unit.models.small_trial import small_trial
from tests.unit.present.fabricated_parts import STYLE

CHILDREN = [
    ("C1", "F1", "NIM", "GLA"),
    ("C2", "F1", "NIM", "GLA"),
    ("C3", "F2", "NIM", "LON"),
    ("C4", "F3", "SAU", "GLA"),
]
# What became of PIR-GAS at the three visits; a dot stands for observed.
TOLD = {
    "C1": (".", "withdrawn", "withdrawn"),
    "C2": ("not_due_age", "not_collected", "."),
    "C3": ("not_attended", ".", "too_few_items"),
    "C4": ("not_due_age", "not_due_yet", "not_due_yet"),
}
WAIVED = ("not_due_age", "not_due_yet")


def small(spec, told=TOLD, children=CHILDREN):
    family = {child: of for child, of, *_ in children}
    rows = [
        (
            child,
            family[child],
            "PIRGAS",
            visit,
            state not in WAIVED,
            state == ".",
            None if state == "." else state,
        )
        for child, states in told.items()
        for visit, state in zip(("V3", "V4", "V5"), states, strict=True)
    ]
    columns = ["child_id", "family_id", "parameter", "visit", "is_due", "is_observed", "reason"]
    return small_trial(spec, children, observations=pd.DataFrame(rows, columns=columns))


@pytest.fixture
def entry(spec):
    return spec.analyses["N03"].model_copy(update={"parameters": ("PIRGAS",)})


def number(result, name: str, unit: str, visit: str, arm: str = "All", **labels: str) -> int:
    found = select(result.counts, name=name, unit=unit, visit=visit, arm=arm, **labels)
    return sum(each.value for each in found)


def test_due_is_observed_and_missing_by_reason(spec, entry) -> None:
    result = missing.fit(entry, small(spec), spec)
    table = {
        visit: tuple(
            number(result, name, "child", visit) for name in ("due", "observed", "missing", "not_due")
        )
        for visit in ("V3", "V4", "V5")
    }
    assert table == {"V3": (2, 1, 1, 2), "V4": (3, 1, 2, 1), "V5": (3, 1, 2, 1)}
    assert number(result, "missing", "child", "V5", reason="withdrawn") == 1
    assert number(result, "missing", "child", "V5", arm="SAU") == 0


def test_a_family_stands_where_its_best_placed_child_does(spec, entry) -> None:
    """F1: observed by C1, then not collected of C2 (C1 had withdrawn), then observed by C2."""
    result = missing.fit(entry, small(spec), spec)
    observed = [number(result, "observed", "family", visit) for visit in ("V3", "V4", "V5")]
    assert observed == [1, 1, 1]
    assert number(result, "missing", "family", "V4", reason="not_collected") == 1
    assert number(result, "missing", "family", "V4", reason="withdrawn") == 0
    assert number(result, "not_due", "family", "V3", reason="not_due_age") == 1


def test_courses_and_patterns(spec, entry) -> None:
    result = missing.fit(entry, small(spec), spec)
    found = {
        name: {
            (each.labels["unit"], each.labels[name]): each.value
            for each in select(result.counts, name=name, arm="All")
            if each.value
        }
        for name in ("pattern", "course")
    }
    assert found["pattern"] == {
        **{("child", each): 1 for each in ("OMM", "-MO", "MOM", "---")},
        **{("family", each): 1 for each in ("OMO", "MOM", "---")},
    }
    assert found["course"] == {
        **{("child", "monotone"): 1, ("child", "intermittent"): 2, ("child", "not_due"): 1},
        **{("family", "intermittent"): 2, ("family", "not_due"): 1},
    }


@pytest.mark.parametrize("pattern", ["".join(each) for each in itertools.product("OM-", repeat=3)])
def test_a_course_is_what_it_is_called(pattern: str) -> None:
    due = [letter == "O" for letter in pattern if letter != "-"]
    expected = {
        "not_due": not due,
        "complete": bool(due) and all(due),
        "never": bool(due) and not any(due),
        "monotone": any(due) and not all(due) and due == sorted(due, reverse=True),
        "intermittent": due != sorted(due, reverse=True),
    }
    (name,) = [each for each, holds in expected.items() if holds]
    assert course_of(pattern) == name


def test_numbers_that_do_not_add_up_are_refused(spec, entry) -> None:
    data = small(spec)
    wrong = data.tables["observations"].copy()
    wrong.loc[0, "is_due"] = False
    frames = {**data.tables, "observations": wrong}
    with pytest.raises(ModelError, match="PIRGAS at V3: those observed and missing are not those due"):
        missing.fit(entry, type(data)(frames, "closed", data.arms, data._key), spec)


THIN = {
    "as told": TOLD,
    "nothing at a visit": {child: (a, "not_attended", c) for child, (a, _, c) in TOLD.items()},
    "nothing at all": dict.fromkeys(TOLD, ("withdrawn",) * 3),
    "nothing due": dict.fromkeys(TOLD, ("not_due_yet",) * 3),
    "everything": dict.fromkeys(TOLD, (".",) * 3),
}


@pytest.mark.parametrize("told", THIN.values(), ids=THIN)
@pytest.mark.parametrize("n", [4, 3, 1], ids=["two arms", "one arm", "one family"])
def test_thin_data_are_counted_alike_twice_and_shown(spec, entry, told, n: int) -> None:
    data = small(spec, told)
    frames = {**data.tables, "subjects": data.tables["subjects"].head(n)}
    result = missing.fit(entry, type(data)(frames, "closed", data.arms, data._key), spec)
    plain = {name: frame.astype(object).where(frame.notna(), None) for name, frame in frames.items()}
    assert all(each.agrees for each in compare(result, again(entry, Tables(plain, spec))))
    kinds = {output.kind: output for output in spec.outputs.values() if "N03" in output.analyses}
    shown = tabulate(kinds["missing"], {"N03": result}, spec, "closed")
    assert len([row for row in shown.rows if row.kind == "data"]) == 3 * 2 * 2
    words = draw(kinds["missing_map"], {"N03": result}, spec, "closed", style=STYLE)["txt"].decode()
    assert "Baseline, observed of children due: Glasgow NIM" in words and "nan" not in words.split()


def test_nobody_is_a_reason(spec) -> None:
    data = small(spec)
    nobody = {**data.tables, "subjects": data.tables["subjects"][:0]}
    (found,) = fit_all(FAMILIES["missing"], type(data)(nobody, "closed", data.arms, data._key), spec)
    assert isinstance(found, Failure) and "eligible" in found.reason


def test_the_open_numbers_are_those_of_all_arms(trial, spec) -> None:
    """And hold no label by which an arm could be told."""
    pooled = missing.fit(spec.analyses["N03"], read_pooled(trial.derived, spec), spec)
    assert {each.labels["arm"] for each in pooled.counts} == {"All"}
    due = {
        each.labels["visit"]: each
        for each in select(pooled.counts, name="due", parameter="PIRGAS", unit="child")
    }
    assert {each.value for each in due.values()} == {439}

"""Questionnaire scores: worked by hand, and against a plain second implementation."""

import math
import random
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from analysis.data.scores import round_half_up, score_table
from analysis.spec.declarations import Spec

# The keys as printed in the manuals, typed here a second time (sdqinfo.org; pedsql.org).
SDQ_SCALES = {
    "SDQ_EMOTIONAL": [3, 8, 13, 16, 24],
    "SDQ_CONDUCT": [5, 7, 12, 18, 22],
    "SDQ_HYPERACTIVITY": [2, 10, 15, 21, 25],
    "SDQ_PEER": [6, 11, 14, 19, 23],
    "SDQ_PROSOCIAL": [1, 4, 9, 17, 20],
}
REVERSED = {7, 11, 14, 21, 25}
DIFFICULTIES = ["SDQ_EMOTIONAL", "SDQ_CONDUCT", "SDQ_HYPERACTIVITY", "SDQ_PEER"]
# Form -> number of physical and of psychosocial items.
PEDSQL_FORMS = {"1-12m": (16, 20), "13-24m": (19, 26), "2-4": (8, 13), "5-7": (8, 15)}


def score(spec: Spec, instrument: str, form: str, answers: dict[int, int | None]) -> dict[str, float]:
    """Scores of one form; items not given are left blank."""
    frame = answer_sheet(spec, instrument, [(form, answers)])
    scores = score_table(frame, spec.instruments[instrument])
    return scores.set_index("parameter")["value"].to_dict()


def answer_sheet(
    spec: Spec, instrument: str, sheets: list[tuple[str, dict[int, int | None]]]
) -> pd.DataFrame:
    declared = spec.instruments[instrument]
    longest = max(form.n_items for form in declared.forms)
    columns = {
        f"{declared.item_prefix}{n:02d}": [answers.get(n) for _, answers in sheets]
        for n in range(1, longest + 1)
    }
    return pd.DataFrame({"form": [form for form, _ in sheets], **columns}).astype(
        {name: "Int64" for name in columns}
    )


def all_items(value: int, count: int = 25) -> dict[int, int | None]:
    return {n: value for n in range(1, count + 1)}


def test_sdq_of_all_zeros(spec: Spec) -> None:
    """Reversed items count 2: one in conduct, two in hyperactivity, two in peer problems."""
    assert score(spec, "SDQ", "2-4", all_items(0)) == {
        "SDQ_EMOTIONAL": 0,
        "SDQ_CONDUCT": 2,
        "SDQ_HYPERACTIVITY": 4,
        "SDQ_PEER": 4,
        "SDQ_PROSOCIAL": 0,
        "SDQ_TOTAL": 10,
    }


def test_sdq_of_all_twos(spec: Spec) -> None:
    assert score(spec, "SDQ", "4-17", all_items(2)) == {
        "SDQ_EMOTIONAL": 10,
        "SDQ_CONDUCT": 8,
        "SDQ_HYPERACTIVITY": 6,
        "SDQ_PEER": 6,
        "SDQ_PROSOCIAL": 10,
        "SDQ_TOTAL": 30,
    }


@pytest.mark.parametrize(
    ("answers", "value"),
    [
        ([1, 1, 2, None, None], 7),  # 4 from 3 items: 6.67 rounds to 7, the manual's own example
        ([2, 0, 0, None, None], 3),  # 2 from 3: 3.33
        ([1, 1, 0, 0, None], 3),  # 2 from 4: 2.5 rounds up, where half-even would give 2
        ([2, 2, 1, 1, None], 8),  # 6 from 4: 7.5 rounds up
        ([2, 2, 2, 1, None], 9),  # 7 from 4: 8.75
        ([1, 1, 1, 1, 1], 5),
        ([2, 2, None, None, None], math.nan),  # two items are too few
        ([None] * 5, math.nan),
    ],
)
def test_sdq_with_items_left_blank(spec: Spec, answers: list[int | None], value: float) -> None:
    """A scale is the mean of the answered items times five, half rounded up, from three items on."""
    given = {**all_items(1), **dict(zip(SDQ_SCALES["SDQ_EMOTIONAL"], answers, strict=True))}
    scores = score(spec, "SDQ", "2-4", given)
    assert scores["SDQ_EMOTIONAL"] == pytest.approx(value, nan_ok=True, abs=0)
    # The other three scales are 5 each with every item 1, and the total is missing when one scale is.
    assert scores["SDQ_TOTAL"] == pytest.approx(value + 15, nan_ok=True, abs=0)


def test_sdq_prosocial_is_no_part_of_the_total(spec: Spec) -> None:
    given = {**all_items(1), **dict.fromkeys(SDQ_SCALES["SDQ_PROSOCIAL"])}
    scores = score(spec, "SDQ", "2-4", given)
    assert math.isnan(scores["SDQ_PROSOCIAL"])
    assert scores["SDQ_TOTAL"] == 20


def test_number_of_items_answered(spec: Spec) -> None:
    given = {**all_items(1), 3: None, 8: None}
    counts = score_table(answer_sheet(spec, "SDQ", [("2-4", given)]), spec.instruments["SDQ"]).set_index(
        "parameter"
    )["n_items"]
    assert counts.to_dict() == {
        "SDQ_EMOTIONAL": 3,
        "SDQ_CONDUCT": 5,
        "SDQ_HYPERACTIVITY": 5,
        "SDQ_PEER": 5,
        "SDQ_PROSOCIAL": 5,
        "SDQ_TOTAL": 18,
    }


@pytest.mark.parametrize(("answer", "points"), [(0, 100), (1, 75), (2, 50), (3, 25), (4, 0)])
def test_pedsql_of_equal_answers(spec: Spec, answer: int, points: float) -> None:
    for form, (physical, psychosocial) in PEDSQL_FORMS.items():
        scores = score(spec, "PEDSQL", form, all_items(answer, physical + psychosocial))
        assert scores == {"PEDSQL_PHYSICAL": points, "PEDSQL_PSYCHOSOCIAL": points, "PEDSQL_TOTAL": points}


def test_pedsql_total_weighs_items_not_scales(spec: Spec) -> None:
    """2-4: physical 100, psychosocial 50; total (8 x 100 + 13 x 50) / 21 = 69.05, not 75."""
    given = {**{n: 0 for n in range(1, 9)}, **{n: 2 for n in range(9, 22)}}
    scores = score(spec, "PEDSQL", "2-4", given)
    assert scores["PEDSQL_TOTAL"] == pytest.approx((8 * 100 + 13 * 50) / 21, rel=1e-14)


@pytest.mark.parametrize("form", PEDSQL_FORMS)
def test_pedsql_needs_half_of_the_items(spec: Spec, form: str) -> None:
    """A score is not computed when more than half of its items are missing; exactly half is enough."""
    physical, psychosocial = PEDSQL_FORMS[form]
    enough = {n: 1 for n in range(1, math.ceil(physical / 2) + 1)}
    enough |= {physical + n: 1 for n in range(1, math.ceil(psychosocial / 2) + 1)}
    assert set(score(spec, "PEDSQL", form, enough).values()) == {75.0}
    few = dict(list(enough.items())[1:])  # one physical item less
    scores = score(spec, "PEDSQL", form, few)
    assert math.isnan(scores["PEDSQL_PHYSICAL"])
    assert scores["PEDSQL_PSYCHOSOCIAL"] == 75.0
    answered_half = 2 * len(few) >= physical + psychosocial
    assert math.isnan(scores["PEDSQL_TOTAL"]) is not answered_half


def test_items_beyond_the_form_do_not_count(spec: Spec) -> None:
    given = {**all_items(0, 21), **{n: 4 for n in range(22, 46)}}
    assert score(spec, "PEDSQL", "2-4", given)["PEDSQL_TOTAL"] == 100


def plain_sdq(answers: list[int | None]) -> dict[str, float]:
    """The manual's rule in whole numbers and fractions, item by item."""
    scales: dict[str, float] = {}
    for name, items in SDQ_SCALES.items():
        points = [
            2 - answers[n - 1] if n in REVERSED else answers[n - 1]
            for n in items
            if answers[n - 1] is not None
        ]
        # Half up: twice the exact value, plus one, halved and cut off.
        scales[name] = (
            int((2 * Fraction(5 * sum(points), len(points)) + 1) // 2) if len(points) >= 3 else math.nan
        )
    return {**scales, "SDQ_TOTAL": sum(scales[name] for name in DIFFICULTIES)}


def plain_pedsql(form: str, answers: list[int | None]) -> dict[str, float]:
    physical, psychosocial = PEDSQL_FORMS[form]
    parts = {
        "PEDSQL_PHYSICAL": answers[:physical],
        "PEDSQL_PSYCHOSOCIAL": answers[physical : physical + psychosocial],
        "PEDSQL_TOTAL": answers[: physical + psychosocial],
    }
    scores = {}
    for name, items in parts.items():
        points = [100 - 25 * each for each in items if each is not None]
        missing = len(items) - len(points)
        scores[name] = math.nan if missing > len(items) / 2 else sum(points) / len(points)
    return scores


@pytest.mark.parametrize("blank", [0.0, 0.1, 0.45, 0.9])
def test_sdq_against_a_second_implementation(spec: Spec, blank: float) -> None:
    generator = random.Random(11)
    sheets = []
    for _ in range(300):
        answers = [None if generator.random() < blank else generator.randrange(3) for _ in range(25)]
        sheets.append((generator.choice(["2-4", "4-17"]), answers))
    frame = answer_sheet(spec, "SDQ", [(form, dict(enumerate(answers, 1))) for form, answers in sheets])
    scores = score_table(frame, spec.instruments["SDQ"]).pivot(
        index="position", columns="parameter", values="value"
    )
    expected = pd.DataFrame([plain_sdq(answers) for _, answers in sheets])
    assert scores.index.tolist() == list(range(300))
    np.testing.assert_array_equal(scores[expected.columns].to_numpy(), expected.to_numpy())


@pytest.mark.parametrize("blank", [0.0, 0.3, 0.5, 0.9])
def test_pedsql_against_a_second_implementation(spec: Spec, blank: float) -> None:
    generator = random.Random(12)
    sheets = []
    for _ in range(300):
        answers = [None if generator.random() < blank else generator.randrange(5) for _ in range(45)]
        sheets.append((generator.choice(list(PEDSQL_FORMS)), answers))
    frame = answer_sheet(spec, "PEDSQL", [(form, dict(enumerate(answers, 1))) for form, answers in sheets])
    scores = score_table(frame, spec.instruments["PEDSQL"]).pivot(
        index="position", columns="parameter", values="value"
    )
    expected = pd.DataFrame([plain_pedsql(form, answers) for form, answers in sheets])
    np.testing.assert_allclose(
        scores[expected.columns].to_numpy(), expected.to_numpy(), rtol=1e-14, equal_nan=True
    )


def test_the_sum_of_a_scale_is_exact_for_every_set_of_answers() -> None:
    """Rounding is decided by the exact fraction: every sum of 3, 4 and 5 items of 0 to 2."""
    for answered in (3, 4, 5):
        for total in range(2 * answered + 1):
            exact = int((2 * Fraction(5 * total, answered) + 1) // 2)
            assert round_half_up(np.array([5 * (total / answered)]))[0] == exact


def test_a_form_nobody_declared_has_no_score(spec: Spec) -> None:
    assert score(spec, "SDQ", "teacher", all_items(1)) == {}
    assert list(score_table(answer_sheet(spec, "SDQ", []), spec.instruments["SDQ"]).columns) == [
        "position",
        "parameter",
        "value",
        "n_items",
    ]


def test_scoring_is_as_declared_not_as_named(spec: Spec) -> None:
    """Rounding and the factor five are two declarations: without the factor a scale lies between 0 and 2."""
    declared = spec.instruments["SDQ"]
    plain = declared.model_copy(update={"scale_score": "mean of the answered items", "rounding": "none"})
    frame = answer_sheet(spec, "SDQ", [("2-4", {**all_items(1), 3: 2})])
    scores = score_table(frame, plain).set_index("parameter")["value"]
    assert scores["SDQ_EMOTIONAL"] == pytest.approx(6 / 5, rel=1e-15)
    unrounded = declared.model_copy(update={"rounding": "none"})
    scores = score_table(answer_sheet(spec, "SDQ", [("2-4", {**all_items(1), 3: 2, 8: None})]), unrounded)
    assert scores.set_index("parameter")["value"]["SDQ_EMOTIONAL"] == pytest.approx(5 * 5 / 4, rel=1e-15)

"""Both programmers on the synthetic trial: all numbers agree, and a wrong one is found."""

from dataclasses import replace

import numpy as np
import pytest

from analysis.agreement import Compared
from analysis.errors import AgreementError
from analysis.models.registry import FAMILIES as FIRST
from analysis.qc import registry
from analysis.qc.agreement import agree, refuse_differing
from analysis.qc.families import FAMILIES
from analysis.qc.kept import Kept
from analysis.qc.registry import estimate_again, without_second
from analysis.results import Failure

MUST = ("primary", "secondary", "safety")


def compared(first, tables, family: str):
    return agree(first(family), tables, Kept())


@pytest.mark.parametrize("family", FIRST)
def test_every_number_of_every_family_is_found_again(first, tables, family: str) -> None:
    found = compared(first, tables, family)
    assert [each.analysis for each in found] == [each.id for each in tables.spec.family(family)]
    assert [(each.analysis, one.name) for each in found for one in each.differing][:3] == []
    assert all(each.n > 5 for each in found)
    refuse_differing(found)


def test_nothing_is_passed_over(spec) -> None:
    assert without_second(spec) == ()
    assert set(FAMILIES) == set(FIRST)


def test_an_analysis_without_a_second_version_is_named(spec, monkeypatch) -> None:
    monkeypatch.setattr(registry, "FAMILIES", tuple(each for each in FAMILIES if each != "frailty"))
    assert without_second(spec) == ("A30F",)


def test_one_that_must_have_a_second_version_stops_the_run(first, tables, monkeypatch) -> None:
    monkeypatch.setattr(registry, "FAMILIES", tuple(each for each in FAMILIES if each != "harms"))
    with pytest.raises(AgreementError, match=r"^A50 \(Serious adverse events\): nobody has estimated"):
        agree(first("harms"), tables, Kept())


# A part that a result of each family has, changed by one part in ten thousand.
BROKEN = [
    ("mixed", "A01", "difference", "value"),
    ("mixed", "A01", "difference", "se"),
    ("mixed", "A04", "icc", "low"),
    ("averages", "A03", "informative_size", "se"),
    ("binary", "A22A", "risk_ratio", "high"),
    ("subgroups", "A10", "interaction", "value"),
    ("course", "A11", "covariance", "value"),
    ("hazard", "A30", "log_hazard_ratio", "se"),
    ("proportionality", "A30T", "equality_test", "value"),
    ("routes", "A31H", "subdistribution_hazard_ratio", "value"),
    ("incidence", "A31", "probability", "se"),
    ("occupation", "A40", "days_in_state", "value"),
    ("recurrence", "A41C", "mean_count_difference", "low"),
    ("harms", "A50", "rate", "value"),
    ("baseline", "B01", "mean", "value"),
    ("delivery", "N02", "begun", "se"),
    ("accrual", "N11", "rate", "value"),
    ("balance", "N12", "imbalance", "value"),
    ("retention", "N13", "risk_difference", "low"),
    ("monitoring", "A70", "adjusted_difference", "low"),
    ("nuisance", "N14", "power", "value"),
]


@pytest.mark.parametrize(("family", "analysis", "quantity", "part"), BROKEN)
def test_a_number_that_is_off_by_one_part_in_ten_thousand_stops_the_run(
    first, tables, family: str, analysis: str, quantity: str, part: str
) -> None:
    result = first(family)[analysis]
    found = agree({analysis: broken(result, quantity, part)}, tables, Kept())
    (wrong,) = found[0].differing
    assert (wrong.quantity, wrong.part) == (quantity, part)
    words = rf"^{analysis}, {quantity.replace('_', ' ')}.* {part}: the second programmer has another number"
    with pytest.raises(AgreementError, match=words):
        refuse_differing(found)


def broken(result, quantity: str, part: str):
    """The result with one number of one estimate changed."""
    at = next(
        at
        for at, each in enumerate(result.estimates)
        if each.name == quantity and getattr(each, part) and abs(getattr(each, part)) > 1e-3
    )
    estimates, chosen = list(result.estimates), result.estimates[at]
    estimates[at] = replace(chosen, **{part: getattr(chosen, part) * 1.0001})
    return replace(result, estimates=tuple(estimates))


def test_a_count_that_is_off_by_one_is_seen(first, tables) -> None:
    result = first("flow")["N01"]
    counts = (replace(result.counts[0], value=result.counts[0].value + 1), *result.counts[1:])
    (found,) = agree({"N01": replace(result, counts=counts)}, tables, Kept())
    assert [(each.part, each.theirs + 1 == each.ours) for each in found.differing] == [("count", True)]
    with pytest.raises(AgreementError, match="which must be the same"):
        refuse_differing([found])


def test_one_day_of_a_curve_is_seen(first, tables) -> None:
    result = first("recurrence")["A41A"]
    curve = result.curves[0]
    value = list(curve.value)
    value[-2] *= 1.0001
    curves = (replace(curve, value=tuple(value)), *result.curves[1:])
    (found,) = agree({"A41A": replace(result, curves=curves)}, tables, Kept())
    assert [(each.quantity, each.part) for each in found.differing] == [("mean_count", "curve value")]


def test_a_number_that_only_one_of_both_has_is_seen(first, tables) -> None:
    result = first("hazard")["A30"]
    (found,) = agree({"A30": replace(result, estimates=result.estimates[1:])}, tables, Kept())
    assert found.differing and all(each.ours is None for each in found.differing)
    with pytest.raises(AgreementError, match="where only one of both has one"):
        refuse_differing([found])


def test_a_failure_has_nothing_to_compare(first, tables) -> None:
    made = first("hazard")["A30"]
    failed = Failure("A30", "hazard", made.title, "closed", "no event")
    (found,) = agree({"A30": failed}, tables, Kept())
    assert (found.n, found.absent) == (0, "it has no result")
    refuse_differing([found])


def test_what_cannot_be_estimated_is_named_and_no_value_told(tables, monkeypatch) -> None:
    def fail(entry, tables):
        raise ValueError("C0001 is 42")

    monkeypatch.setattr("analysis.qc.hazard.again", fail)
    with pytest.raises(
        AgreementError, match=r"^A30 \(.*cannot estimate it \(ValueError in analysis.qc.hazard"
    ) as e:
        estimate_again(tables.spec.analyses["A30"], tables)
    assert "42" not in str(e.value)


def test_the_order_of_rows_does_not_matter(first, tables) -> None:
    rng = np.random.default_rng(1)
    frames = {
        name: frame.iloc[rng.permutation(len(frame))].reset_index(drop=True)
        for name, frame in tables.frames.items()
    }
    for family, analysis in (
        ("mixed", "A02"),
        ("routes", "A31H"),
        ("occupation", "A40E"),
        ("recurrence", "A43B"),
    ):
        (found,) = agree({analysis: first(family)[analysis]}, replace(tables, frames=frames), Kept())
        assert found.differing == ()


def test_a_look_already_taken_is_not_counted_as_estimated_again(first, tables, monkeypatch) -> None:
    made = [
        Compared("z", "value", {"look": look, "state": state}, 1.0, 1.0, 0.0, "t1", 1, True)
        for look, state in (("1", "taken"), ("2", "now"))
    ]
    monkeypatch.setattr("analysis.qc.agreement.compare", lambda result, again: made)
    (found, *_) = compared(first, tables, "deviations")
    assert [each.labels["look"] for each in found.compared] == ["2"]

"""Coded arms: A and B in the plan, and nothing that tells which is which by what it holds."""

import json

import pytest
from pydantic import ValidationError

from analysis.spec.blinding import named_in, telling
from analysis.spec.coded_arms import coded, is_coded
from analysis.spec.declarations import Spec
from analysis.spec.edition import edition
from analysis.spec.outputs import outputs_of
from analysis.spec.sap import Output


@pytest.mark.parametrize("cut", ["2023-12-31", "2017-06-30"])
def test_arms_are_a_and_b_and_every_difference_is_a_less_b(spec: Spec, cut: str) -> None:
    plan = coded(edition(spec, cut))
    assert is_coded(plan)
    assert not is_coded(spec)
    assert (plan.trial.arms.intervention, plan.trial.arms.control) == ("A", "B")
    assert list(plan.codelists["arm"]) == ["A", "B"]
    assert not any(named_in(label, telling(spec.codelists["arm"], spec.blinding)) for label in plan.arm_names)


def test_what_reveals_an_arm_is_shown_by_no_report_and_not_analysed(spec: Spec) -> None:
    final = edition(spec, spec.trial.data_cut)
    before, after = outputs_of(final, "closed"), outputs_of(coded(final), "closed")
    gone = {each.id for each in before} - {each.id for each in after}
    assert gone == {each.id for each in before if each.reveals}
    assert gone >= {"T5", "R1"}
    assert "N02" in final.analyses
    assert "N02" not in coded(final).analyses


def test_the_open_report_is_the_same(spec: Spec) -> None:
    final = edition(spec, spec.trial.data_cut)
    assert outputs_of(coded(final), "open") == outputs_of(final, "open")


def test_what_reveals_an_arm_may_be_in_no_open_report() -> None:
    body = {"id": "T99", "kind": "means", "title": "x", "analyses": ["A01"], "reveals": True}
    assert Output(**body, reports=["closed"]).reveals
    for lists in ({"reports": ["open", "closed"]}, {"reports": ["closed"], "interim": ["open"]}):
        with pytest.raises(ValidationError, match="no open report"):
            Output(**body, **lists)


def test_an_analysis_shown_by_coded_arms_names_no_arm(spec: Spec) -> None:
    plan = coded(edition(spec, spec.trial.data_cut))
    text = json.dumps([each.model_dump() for each in plan.analyses.values()], default=str)
    assert not any(f'"{arm}"' in text for arm in spec.codes["arm"])


def test_no_estimand_says_which_offer_is_compared_with_which(spec: Spec) -> None:
    plan = coded(edition(spec, spec.trial.data_cut))
    names = telling(spec.codelists["arm"], spec.blinding)
    before = [named_in(each.treatment, names) for each in spec.estimands.values()]
    assert None not in before
    after = [json.dumps(each.model_dump(), default=str) for each in plan.estimands.values()]
    assert after
    # "arm A" is a word that tells an arm to the open pages alone.
    assert not any(
        named_in(text, [name for name in names if name.name not in ("arm A", "arm B")]) for text in after
    )

"""Editions of the plan: what a report at an interim cut shows, and what the final one leaves to it."""

import re
from dataclasses import replace

import pytest
from pydantic import ValidationError

from analysis.errors import SpecError
from analysis.spec import digest
from analysis.spec.declarations import Spec
from analysis.spec.edition import ELSEWHERE, check_cut, edition, is_interim, without_names
from analysis.spec.outputs import families_of, outputs_of
from analysis.spec.sap import Output

EARLY = "2014-12-31"


def with_output(spec: Spec, name: str, **update: object) -> Spec:
    changed = spec.outputs[name].model_copy(update=update)
    return replace(spec, outputs={**spec.outputs, name: changed})


@pytest.mark.parametrize(
    ("cut", "message"),
    [
        ("2024-01-01", "after the trial's last data cut, 2023-12-31"),
        ("2011-11-30", "before recruitment began"),
    ],
)
def test_a_cut_outside_the_trial_is_refused(spec: Spec, cut: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        check_cut(spec, cut, file="config.yaml")
    for day in ("2011-12-01", "2023-12-31"):
        check_cut(spec, day, file="config.yaml")


def test_a_cut_is_interim_before_the_last_cut_of_the_trial_and_not_on_it(spec: Spec) -> None:
    assert spec.trial.data_cut == "2023-12-31"
    assert is_interim(spec, "2023-12-30")
    assert not is_interim(spec, "2023-12-31")
    assert not is_interim(spec, "2024-01-01")


@pytest.mark.parametrize("view", ["open", "closed", "dummy"])
def test_each_edition_shows_the_outputs_of_its_own_list(spec: Spec, view: str) -> None:
    kind = "open" if view == "open" else "closed"
    for cut, name in ((spec.trial.data_cut, "reports"), (EARLY, "interim")):
        wanted = [each.id for each in spec.outputs.values() if kind in getattr(each, name)]
        assert wanted
        assert [each.id for each in outputs_of(edition(spec, cut), view)] == wanted


def test_an_output_of_the_committee_alone_is_not_in_the_final_edition(spec: Spec) -> None:
    plan = with_output(spec, "T3", reports=())
    assert "T3" not in [each.id for each in outputs_of(edition(plan, plan.trial.data_cut), "closed")]
    assert "N12" not in edition(plan, plan.trial.data_cut).analyses
    assert "balance" not in families_of(edition(plan, plan.trial.data_cut), "closed")
    assert "balance" in families_of(edition(plan, EARLY), "closed")


def test_an_edition_has_the_analyses_it_shows_and_their_estimands(spec: Spec) -> None:
    early = edition(spec, EARLY)
    shown = {name for each in outputs_of(early, "closed") for name in each.analyses}
    assert set(early.analyses) == shown
    assert {each.family for each in early.analyses.values()} == set(families_of(early, "closed"))
    for estimand in early.estimands.values():
        assert estimand.analyses and set(estimand.analyses) <= shown
    for analysis in early.analyses.values():
        assert set(analysis.estimands) <= set(early.estimands)
    assert set(early.outputs) == set(spec.outputs)


def test_the_open_interim_report_shows_no_outcome_and_nothing_by_arm(spec: Spec) -> None:
    """Outcomes before the end are for the committee's closed session."""
    families = set(families_of(edition(spec, EARLY), "open"))
    outcomes = {"mixed", "averages", "binary", "course", "hazard", "incidence", "occupation", "recurrence"}
    assert families and not families & (outcomes | {"balance", "delivery"})


def test_editing_the_list_of_one_edition_leaves_the_other_alone(spec: Spec) -> None:
    changed = with_output(spec, "F7", interim=("closed",))
    final = spec.trial.data_cut
    assert digest.report_slice(edition(changed, final)) == digest.report_slice(edition(spec, final))
    assert digest.report_slice(edition(changed, EARLY)) != digest.report_slice(edition(spec, EARLY))


def test_an_output_that_no_edition_shows_is_refused(spec: Spec) -> None:
    body = spec.outputs["T1"].model_dump()
    assert Output(**{**body, "reports": ()}).interim
    with pytest.raises(ValidationError, match="no report of any edition"):
        Output(**{**body, "reports": (), "interim": ()})


def texts_of(plan: Spec) -> list[str]:
    found = [
        *(each.remark for each in plan.analyses.values()),
        *(each.text for each in plan.trial.assumptions),
    ]
    found += [each.no_sensitivity for each in plan.estimands.values()]
    return [text.strip() for text in found if text]


@pytest.mark.parametrize("cut", [EARLY, None])
def test_no_words_of_an_edition_point_to_what_it_does_not_have(spec: Spec, cut: str | None) -> None:
    plan = edition(spec, cut or spec.trial.data_cut)
    gone = (set(spec.analyses) | set(spec.estimands)) - set(plan.analyses) - set(plan.estimands)
    assert not [text for text in texts_of(plan) if gone & set(re.findall(r"[A-Z]\w+", text))]
    if cut:
        assert gone and len(texts_of(plan)) < len(texts_of(spec))
    else:
        assert sorted(texts_of(plan)) == sorted(texts_of(spec))


def test_a_sentence_that_names_what_is_not_there_goes_and_the_others_stay() -> None:
    text = (
        "Siblings are in it. A09G, which has none, leaves them out. A09 is another; see docs/decisions/0004."
    )
    left = "Siblings are in it. A09 is another; see docs/decisions/0004."
    assert without_names(text, {"A09G"}) == left
    assert without_names(text, set()) == text
    assert without_names("A09G leaves them out.", {"A09G"}) == ""


def test_an_estimand_whose_sensitivity_analyses_are_elsewhere_says_so(spec: Spec) -> None:
    early = edition(spec, EARLY).estimands["E2"]
    assert spec.estimands["E2"].sensitivity and not early.sensitivity
    assert early.no_sensitivity == ELSEWHERE
    assert edition(spec, spec.trial.data_cut).estimands["E2"] == spec.estimands["E2"]

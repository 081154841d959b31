"""What an edition of the reports has of the plan: the final one, or an interim one for the committee."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from analysis.errors import SpecError
from analysis.spec.base import Declaration
from analysis.spec.declarations import Spec
from analysis.spec.sap import Estimand, Output
from analysis.spec.trial import Assumption

LISTS = ("main", "sensitivity", "supplementary")
ELSEWHERE = "Those of the plan are not in this edition."
Declared = TypeVar("Declared", bound=Declaration)
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")


def is_interim(spec: Spec, cut: str) -> bool:
    """Whether a data cut (ISO day) lies before the trial's own last one; nothing else makes a run interim."""
    return cut < spec.trial.data_cut


def check_cut(spec: Spec, cut: str, *, file: str) -> None:
    """Insist on a data cut while the trial lasted.

    After its last one nobody was followed any more, and all would count as followed without an event.

    Raises
    ------
    SpecError
        Naming the configuration and the day that the cut is beyond.
    """
    if cut > spec.trial.data_cut:
        raise SpecError(
            f"{file}, data_cut: {cut} is after the trial's last data cut, {spec.trial.data_cut} "
            "(data_spec/sap/trial.yaml); nobody was followed to that day."
        )
    if cut < spec.trial.recruitment.first:
        raise SpecError(
            f"{file}, data_cut: {cut} is before recruitment began on {spec.trial.recruitment.first}."
        )


def edition(spec: Spec, cut: str) -> Spec:
    """The plan at a data cut: which report carries an output, the analyses shown, and their estimands.

    Outputs that no report of the edition carries stay, with an empty list, for what refers to them by name.
    """
    interim = is_interim(spec, cut)
    outputs = {each.id: _output(each, interim=interim) for each in spec.outputs.values()}
    return replace(shown_by(spec, outputs), interim_cut=cut if interim else None)


def shown_by(spec: Spec, outputs: Mapping[str, Output]) -> Spec:
    """The plan with these outputs, the analyses that a report shows with them, and their estimands.

    What it says in words loses each sentence that names an analysis or estimand which is not among them.
    """
    shown = {name for each in outputs.values() if each.reports for name in each.analyses}
    estimands = [
        each for each in (_estimand(each, shown) for each in spec.estimands.values()) if each.analyses
    ]
    hidden = (set(spec.analyses) - shown) | (set(spec.estimands) - {each.id for each in estimands})
    return replace(
        spec,
        outputs=outputs,
        analyses={
            name: _worded(each, "remark", hidden) for name, each in spec.analyses.items() if name in shown
        },
        estimands={each.id: _worded(each, "no_sensitivity", hidden) for each in estimands},
        trial=spec.trial.model_copy(update={"assumptions": _assumptions(spec, hidden)}),
    )


def without_names(text: str, hidden: set[str]) -> str:
    """A text without its sentences that name one of these."""
    sentences = _SENTENCE.split(text.strip())
    return " ".join(each for each in sentences if not hidden & set(re.findall(r"\w+", each)))


def _worded(entry: Declared, field: str, hidden: set[str]) -> Declared:
    text = getattr(entry, field)
    return entry.model_copy(update={field: without_names(text, hidden) or None}) if text else entry


def _assumptions(spec: Spec, hidden: set[str]) -> tuple[Assumption, ...]:
    """Those of the trial that still say something."""
    found = (_worded(each, "text", hidden) for each in spec.trial.assumptions)
    return tuple(each for each in found if each.text)


def _output(output: Output, *, interim: bool) -> Output:
    # One list is left, so that an edition reruns nothing when the other's list is edited.
    return output.model_copy(update={"reports": output.interim if interim else output.reports, "interim": ()})


def _estimand(estimand: Estimand, shown: set[str]) -> Estimand:
    kept = {name: tuple(each for each in getattr(estimand, name) if each in shown) for name in LISTS}
    if estimand.sensitivity and not kept["sensitivity"]:
        kept["no_sensitivity"] = ELSEWHERE
    return estimand.model_copy(update=kept)

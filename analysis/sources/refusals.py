"""Files that could not be taken, as findings."""

from dataclasses import replace

from analysis.errors import BlindingError
from analysis.sources.places import Refused
from analysis.spec.arm_words import arm_word
from analysis.spec.declarations import Spec
from analysis.spec.issue import HIDDEN, Issue, fault


def refusal(refused: Refused, spec: Spec) -> Issue:
    """What stops a file. It may be named after an arm, or its column, and what is found is open: hidden."""
    rule = "R61" if isinstance(refused.error, BlindingError) else "R60"
    issue = fault(str(refused.error), table=", ".join(refused.tables), file=refused.file, rule=rule)
    arm = arm_word(spec.arm_names)
    if arm is None:
        return issue
    shown = {name: getattr(issue, name) for name in ("source_file", "message")}
    return replace(issue, **{name: arm.sub(HIDDEN, text) for name, text in shown.items()})

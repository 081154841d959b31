"""The plan with arms called A and B, for a committee that does not wish to know which is which."""

from dataclasses import replace

from analysis.spec.declarations import Code, Spec
from analysis.spec.edition import shown_by
from analysis.spec.trial import Arms

LABELS = ("A", "B")
MEANT = ("one of the two services", "the other")
# The plan says which offer is compared with which, and beside A less B that would name A.
TREATMENT = "Offer of the service of one arm against that of the other, A against B; which is which is coded"


def coded(spec: Spec) -> Spec:
    """The declarations with arms A and B, whichever services these are: every difference is A less B.

    Outputs that tell an arm by what they hold (`reveals`) are in no report, and analyses shown by no other
    output are left out.
    """
    first, second = LABELS
    outputs = {
        each.id: each.model_copy(update={"reports": ()}) if each.reveals else each
        for each in spec.outputs.values()
    }
    arms = {
        name: Code(code=name, label=label, source="arm_labels: coded")
        for name, label in zip(LABELS, MEANT, strict=True)
    }
    shown = shown_by(spec, outputs)
    return replace(
        shown,
        trial=shown.trial.model_copy(update={"arms": Arms(intervention=first, control=second)}),
        codes={**spec.codes, "arm": arms},
        estimands={
            name: each.model_copy(update={"treatment": TREATMENT}) for name, each in shown.estimands.items()
        },
    )


def is_coded(spec: Spec) -> bool:
    """Whether these declarations are those of coded arms."""
    return tuple(spec.codes["arm"]) == LABELS

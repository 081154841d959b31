"""What is checked as an open page is made: no word of it may name an arm."""

from analysis.errors import BlindingError
from analysis.spec.blinding import named_in, telling
from analysis.spec.declarations import Spec
from analysis.spec.markup import readings


def check_open_text(text: str, spec: Spec) -> None:
    """Refuse an open artefact that names an arm by its code, its label or a phrase.

    Codes count as whole words in their own case, labels and phrases in any case; mark-up is read both as it
    stands and without its tags, and line breaks do not hide a label.

    Raises
    ------
    BlindingError
        Naming what was found.
    """
    names = telling(spec.codelists["arm"], spec.blinding)
    for reading in readings(text):
        if (name := named_in(reading, names)) is not None:
            raise BlindingError(f"an open page names an arm ('{name}'); open pages know none.")

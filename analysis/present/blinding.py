"""What is checked as an open page is made: no word of it may name an arm."""

import html
import re

from analysis.errors import BlindingError
from analysis.spec.blinding import named_in, telling
from analysis.spec.declarations import Spec

_TAG = re.compile(r"<[^>]*>")
_ATTRIBUTE = re.compile(r'="([^"]*)"')


def check_open_text(text: str, spec: Spec) -> None:
    """Refuse an open artefact that names an arm by its code, its label or a phrase.

    Codes count as whole words in their own case, labels and phrases in any case; mark-up is read both as it
    stands and without its tags, and line breaks do not hide a label.

    Raises
    ------
    BlindingError
        Naming what was found.
    """
    readings = [_plain(text), _plain(_TAG.sub(" ", text)), _plain(" ".join(_ATTRIBUTE.findall(text)))]
    names = telling(spec.codelists["arm"], spec.blinding)
    for reading in readings:
        if (name := named_in(reading, names)) is not None:
            raise BlindingError(f"an open page names an arm ('{name}'); open pages know none.")


def _plain(text: str) -> str:
    return " ".join(html.unescape(text).split())

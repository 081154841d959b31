"""The last gate before an open page: no word of it may name an arm."""

import html
import re

from analysis.errors import BlindingError
from analysis.spec.declarations import Spec

PHRASES = (
    *("intervention arm", "control arm", "treatment arm", "comparison arm"),
    *("intervention group", "control group", "treatment group", "comparison group"),
)
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
    for name, pattern in _patterns(spec):
        if any(pattern.search(reading) for reading in readings):
            raise BlindingError(f"an open page names an arm ('{name}'); open pages know none.")


def _patterns(spec: Spec) -> list[tuple[str, re.Pattern[str]]]:
    arms = spec.codelists["arm"]
    whole = r"(?<![A-Za-z0-9]){}(?![A-Za-z0-9])"
    codes = [(code, re.compile(whole.format(re.escape(code)))) for code in arms]
    texts = [*(label for label in arms.values() if label), *PHRASES]
    return codes + [(text, re.compile(whole.format(re.escape(text)), re.IGNORECASE)) for text in texts]


def _plain(text: str) -> str:
    return " ".join(html.unescape(text).split())

"""The ways in which somebody may read a text with mark-up, each in one line of plain words."""

import html
import re

_TAG = re.compile(r"<[^>]*>")
_ATTRIBUTE = re.compile(r"=\"([^\"]*)\"|='([^']*)'")


def plain(text: str) -> str:
    """Text without entities, every run of white space as one blank, so that no line break hides a label."""
    return " ".join(html.unescape(text).split())


def readings(text: str) -> tuple[str, ...]:
    """The text as it stands; without tags, which a label may stretch over or be cut by; its attributes."""
    attributes = " ".join(a or b for a, b in _ATTRIBUTE.findall(text))
    return tuple(map(plain, (text, _TAG.sub(" ", text), _TAG.sub("", text), attributes)))

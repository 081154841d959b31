"""Ids and codes as they are meant, whatever keyboard or spreadsheet they went through."""

import re

# Capital letters and digits of Cyrillic and Greek that print like Latin ones, and full-width forms' offset.
_LATIN = {
    **dict(zip("АВСЕНІЈКМОРЅТХУЗ", "ABCEHIJKMOPSTXY3", strict=True)),
    **dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX", strict=True)),
    **{chr(code + 0xFEE0): chr(code) for code in range(0x21, 0x7F)},
    "\u2010": "-",
    "\u2011": "-",
    "\u2212": "-",
}
# Characters that do not print at all: zero-width spaces and joiners, soft hyphen, byte-order mark.
_UNSEEN = dict.fromkeys("\u200b\u200c\u200d\u2060\u00ad\ufeff")
_DECIMAL_WHOLE = re.compile(r"^([+-]?\d+)\.0+$")
_TABLE = str.maketrans({**_LATIN, **_UNSEEN})


def fold_lookalikes(text: str) -> str:
    """The text with look-alike characters as the Latin ones they are taken for, and without unseen ones."""
    return text if text.isascii() else text.translate(_TABLE)


def fold_id(text: str) -> str:
    """An id as it is meant, so that it still names the same child: in capitals and without look-alikes."""
    return fold_lookalikes(text.upper())


def whole_number(text: str) -> str:
    """A whole number that a spreadsheet wrote as a decimal, as it was; any other text as it is."""
    return _DECIMAL_WHOLE.sub(r"\1", text) if ".0" in text else text

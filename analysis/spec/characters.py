"""Characters that look alike: ids typed on another keyboard, or pasted, still name the same child."""

# Capital letters and digits of Cyrillic and Greek that print like Latin ones, and full-width forms' offset.
_LATIN = {
    **dict(zip("АВСЕНІЈКМОРЅТХУЗ", "ABCEHIJKMOPSTXY3", strict=True)),
    **dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX", strict=True)),
    **{chr(code + 0xFEE0): chr(code) for code in range(0x21, 0x7F)},
    "\u2010": "-",
    "\u2011": "-",
    "\u2212": "-",
}
_TABLE = str.maketrans(_LATIN)


def fold_lookalikes(text: str) -> str:
    """The text with look-alike characters replaced by the Latin ones they are taken for."""
    return text if text.isascii() else text.translate(_TABLE)

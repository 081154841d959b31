"""An SVG file inside a page: no request, no style that reaches the page, no name shared with another."""

import re

from analysis.errors import ReportError

_ID = re.compile(r'\sid="([^"]+)"')
_REFERENCE = re.compile(r'(?:href="#|url\(#)([^")]+)')
_SIZE = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')
_IDENTIFIER = re.compile(r"<dc:identifier>([^<]+)</dc:identifier>")


def inline_svg(svg: str, *, prefix: str) -> str:
    """The drawing as an element of a page, as wide as it was drawn and no wider than its place.

    Names that nothing refers to are left out, the others get the prefix.

    Raises
    ------
    ReportError
        If the text is not one of this trial's figures.
    """
    size = _SIZE.search(svg)
    if size is None:
        raise ReportError(f"figure {prefix}: not an SVG file of this trial; run present again.")
    body = svg[svg.index(">", svg.index("<svg")) + 1 :]
    body = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", body, flags=re.DOTALL)
    body = body.replace("xlink:href", "href")
    used = set(_REFERENCE.findall(body))
    body = _ID.sub(lambda found: f' id="{prefix}-{found[1]}"' if found[1] in used else "", body)
    body = _REFERENCE.sub(lambda found: found[0].replace("#", f"#{prefix}-"), body)
    frame = f'viewBox="0 0 {size[1]} {size[2]}" style="max-width:{float(size[1]):g}pt"'
    return f'<svg {frame} focusable="false">{body}'


def identifier_of(svg: str) -> str:
    """Digest of the results a figure was drawn from; empty when it carries none."""
    found = _IDENTIFIER.search(svg)
    return found[1] if found else ""

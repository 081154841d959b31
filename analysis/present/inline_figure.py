"""An SVG file inside a page: no request, no style that reaches the page, no name shared with another."""

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from html import escape
from itertools import count

from analysis.errors import ReportError
from analysis.present.svg_path import short_number, short_path

_NAMESPACE = re.compile(r"^\{[^}]*\}")
_REFERENCE = re.compile(r"(?:^|url\()#([^)]+)")
_IDENTIFIER = re.compile(r"<dc:identifier>([^<]+)</dc:identifier>")
_LENGTHS = ("x", "y", "width", "height")
# Of the file, not of the drawing.
_LEFT_OUT = ("metadata", "style")
_UPRIGHT = "rotate(-0 "


def inline_svg(svg: str, *, prefix: str) -> str:
    """The drawing as an element of a page, as wide as it was drawn and no wider than its place.

    Names that nothing refers to are left out, the others are numbered below the prefix; what is drawn alike
    is said once, in classes below the prefix; places are those of the file to a hundredth of a point.

    Raises
    ------
    ReportError
        If the text is not one of this trial's figures.
    """
    try:
        root = ElementTree.fromstring(svg)
        width, height = root.attrib["viewBox"].split()[2:]
    except (ElementTree.ParseError, KeyError, ValueError):
        raise ReportError(f"figure {prefix}: not an SVG file of this trial; run present again.") from None
    names, looks = _names(root, prefix), _Looks(prefix)
    body = "".join(_written(each, names, looks) for each in root)
    frame = f'viewBox="0 0 {width} {height}" style="max-width:{float(width):g}pt"'
    return f'<svg {frame} focusable="false"><style>{looks.rules()}</style>{body}</svg>'


def identifier_of(svg: str) -> str:
    """Digest of the results a figure was drawn from; empty when it carries none."""
    found = _IDENTIFIER.search(svg)
    return found[1] if found else ""


class _Looks:
    """Classes for the styles of one drawing, in the order they are met."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._classes: dict[str, str] = {}

    def class_of(self, style: str) -> str:
        return self._classes.setdefault(style, f"{self._prefix}-{len(self._classes)}")

    def rules(self) -> str:
        # An element's own class weighs more than what a page says of all elements of its kind.
        return "".join(f".{name}{{{_short_style(style)}}}" for style, name in self._classes.items())


def _short_style(style: str) -> str:
    return re.sub(r"\s*([:;])\s*", r"\1", style)


def _names(root: ElementTree.Element, prefix: str) -> dict[str, str]:
    """A new name for everything the drawing refers to."""
    values = [value for element in root.iter() for value in element.attrib.values()]
    used = dict.fromkeys(name for value in values for name in _REFERENCE.findall(value))
    numbers = count()
    return {name: f"{prefix}_{next(numbers)}" for name in used}


def _written(element: ElementTree.Element, names: dict[str, str], looks: _Looks) -> str:
    tag = _local(element.tag)
    if tag in _LEFT_OUT:
        return ""
    attributes = "".join(f' {name}="{escape(value)}"' for name, value in _attributes(element, names, looks))
    inner = _text(element.text) + "".join(
        _written(child, names, looks) + _text(child.tail) for child in element
    )
    if tag in ("g", "defs") and (not inner or tag == "g" and not attributes):
        return inner
    return f"<{tag}{attributes}>{inner}</{tag}>" if inner else f"<{tag}{attributes}/>"


def _attributes(
    element: ElementTree.Element, names: dict[str, str], looks: _Looks
) -> Iterator[tuple[str, str]]:
    for full, value in element.attrib.items():
        name = _local(full)
        if name == "id":
            if value in names:
                yield name, names[value]
        elif name == "style":
            yield "class", looks.class_of(value)
        elif name == "d":
            yield name, short_path(value)
        elif name in _LENGTHS:
            yield name, short_number(value)
        elif not value.startswith(_UPRIGHT):
            yield name, _REFERENCE.sub(lambda found: found[0].replace(found[1], names[found[1]]), value)


def _text(text: str | None) -> str:
    """Text of the drawing; the line breaks between its elements are none of it."""
    return escape(text, quote=False) if text and text.strip() else ""


def _local(name: str) -> str:
    return _NAMESPACE.sub("", name)

"""A page of the report as a tree of its elements."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from html.parser import HTMLParser
from xml.etree.ElementTree import Element

VOID = frozenset({"meta", "br", "img", "hr", "link", "input"})


def parse_page(page: str) -> Element:
    """The page's `html` element. Pages come from our own templates, which close what they open."""
    parser = _Parser()
    parser.feed(page.strip())
    return parser.builder.close()


def classes(element: Element) -> set[str]:
    """Names in an element's class attribute."""
    return set(element.get("class", "").split())


def text_of(element: Element) -> str:
    """All text within an element, on one line."""
    return " ".join("".join(element.itertext()).split())


def within(element: Element, *, skipped: frozenset[str]) -> Iterator[Element]:
    """An element and all below it, but for those of the skipped classes and what is in them."""
    if element.tag in skipped or classes(element) & skipped:
        return
    yield element
    for child in element:
        yield from within(child, skipped=skipped)


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.builder = ElementTree.TreeBuilder()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.builder.start(tag, {name: value or "" for name, value in attrs})
        if tag in VOID:
            self.builder.end(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.builder.start(tag, {name: value or "" for name, value in attrs})
        self.builder.end(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            self.builder.end(tag)

    def handle_data(self, data: str) -> None:
        self.builder.data(data)

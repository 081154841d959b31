"""Paragraphs of a Word document: runs of text with their marks, fields and links."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape, quoteattr

_MARKS = {"b": "b", "strong": "b", "dt": "b", "em": "i", "i": "i", "code": "code"}
_PROPERTIES = {"code": '<w:rStyle w:val="Code"/>', "link": '<w:rStyle w:val="Hyperlink"/>'}
_NUMBERED = re.compile(r"(Table|Figure) ([TF])(\d+)\.$")


@dataclass(frozen=True, slots=True)
class Run:
    """Text of one look; a line break is a run of its own."""

    text: str
    marks: frozenset[str] = frozenset()
    link: str = ""


def runs_of(element: Element, *, marks: frozenset[str] = frozenset()) -> list[Run]:
    """Text of an element as a page shows it: white space counts once, and not at the ends."""
    kept: list[Run] = []
    for run in _spread(element, marks, ""):
        if run.text == "\n":
            kept.append(run)
            continue
        text = re.sub(r"\s+", " ", run.text)
        if not kept or kept[-1].text.endswith((" ", "\n")):
            text = text.lstrip()
        if text:
            kept.append(replace(run, text=text))
    if kept:
        kept[-1] = replace(kept[-1], text=kept[-1].text.rstrip(" "))
    return kept


def _spread(element: Element, marks: frozenset[str], link: str) -> Iterator[Run]:
    own = marks | ({_MARKS[element.tag]} if element.tag in _MARKS else set())
    link = element.get("href", link).removeprefix("#")
    yield Run(element.text or "", own, link)
    for child in element:
        if child.tag == "br":
            yield Run("\n")
        else:
            yield from _spread(child, own, link)
        yield Run(child.tail or "", own, link)


def paragraph(content: str, style: str, properties: str = "") -> str:
    """A paragraph; its properties stand in the order of the schema."""
    return f'<w:p><w:pPr><w:pStyle w:val="{style}"/>{properties}</w:pPr>{content}</w:p>'


def written(runs: list[Run], *, anchors: frozenset[str] = frozenset()) -> str:
    """Runs as they stand in a paragraph; links lead to what is in the document, others are plain text."""
    return "".join(_linked(run) if run.link in anchors else _run(run) for run in runs)


def caption_runs(runs: list[Run], anchors: frozenset[str]) -> str:
    """A caption whose number Word counts as it counts its own, so that it can list tables and figures."""
    found = _NUMBERED.match(runs[0].text) if runs else None
    if not found:
        return written(runs, anchors=anchors)
    kind, letter, number = found.groups()
    first = runs[0]
    instruction = quoteattr(f" SEQ {kind} \\* ARABIC \\r {number} ")
    field = f"<w:fldSimple w:instr={instruction}>{_run(replace(first, text=number))}</w:fldSimple>"
    head, dot = replace(first, text=f"{kind} {letter}"), replace(first, text=".")
    return _run(head) + field + _run(dot) + written(runs[1:], anchors=anchors)


def anchor_name(identifier: str) -> str:
    """A name of the page as Word allows it."""
    return re.sub(r"\W", "_", identifier)


def _linked(run: Run) -> str:
    inner = _run(replace(run, marks=run.marks | {"link"}))
    return f'<w:hyperlink w:anchor="{anchor_name(run.link)}" w:history="1">{inner}</w:hyperlink>'


def _run(run: Run) -> str:
    if run.text == "\n":
        return "<w:r><w:br/></w:r>"
    styles = "".join(_PROPERTIES[each] for each in ("code", "link") if each in run.marks)
    plain = "".join(f"<w:{each}/>" for each in "bi" if each in run.marks)
    properties = f"<w:rPr>{styles}{plain}</w:rPr>" if styles or plain else ""
    return f'<w:r>{properties}<w:t xml:space="preserve">{escape(run.text)}</w:t></w:r>'

"""Every text, metadata entry and picture that a file holds, whatever its format."""

import base64
import binascii
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from analysis.errors import ReportError
from analysis.gate.pdf import read_pdf
from analysis.gate.png import read_png
from analysis.spec.markup import plain, readings

Part = Literal["text", "metadata"]
_EMBEDDED = re.compile(r"data:image/png;base64,([A-Za-z0-9+/=\s]+)")
_MARKUP = (".html", ".svg", ".xml", ".rels")
_COLOUR = re.compile(r"#([0-9a-fA-F]{6})\b|rgb\(\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*\)")


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds: texts by part, and the colours it is drawn in as (red, green, blue) of 255."""

    texts: tuple[tuple[Part, str], ...]
    colours: frozenset[tuple[int, int, int]]


def read_content(name: str, data: bytes) -> Content:
    """The content of a file, by the ending of its name; of another ending as text.

    Raises
    ------
    ReportError
        If the file is not of the format its name says.
    """
    texts: list[tuple[Part, str]] = []
    colours: set[tuple[int, int, int]] = set()
    try:
        for part, text, found in _parts(name, data):
            if text:
                texts.append((part, text))
            colours |= found
    except (ValueError, KeyError, OSError, zipfile.BadZipFile, binascii.Error) as error:
        raise ReportError(f"{name}: not a file of its format ({type(error).__name__}).") from error
    return Content(tuple(texts), frozenset(colours))


def _parts(name: str, data: bytes) -> Iterator[tuple[Part, str, set[tuple[int, int, int]]]]:
    suffix = Path(name).suffix.lower()
    if suffix == ".docx":
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            yield "metadata", package.comment.decode("latin-1"), set()
            for entry in package.namelist():
                yield "metadata", entry, set()
                for part, text, colours in _parts(entry, package.read(entry)):
                    yield ("metadata" if entry.startswith("docProps/") else part), text, colours
    elif suffix == ".png":
        yield from (("metadata", text, colours) for text, colours in read_png(data))
    elif suffix == ".pdf":
        for part, text, colours in read_pdf(data):
            yield part, text, colours
    else:
        yield from _text_parts(data.decode("utf-8", errors="replace"), is_markup=suffix in _MARKUP)


def _text_parts(text: str, *, is_markup: bool) -> Iterator[tuple[Part, str, set[tuple[int, int, int]]]]:
    as_it_stands, *others = readings(text) if is_markup else (plain(text),)
    yield "text", as_it_stands, _colours_of(text) if is_markup else set()
    if "\0" in text:  # text of two bytes a letter
        yield "text", plain(text.replace("\0", "")), set()
    yield from (("text", each, set()) for each in others)
    for picture in _EMBEDDED.findall(text) if is_markup else ():
        yield from (("metadata", each, colours) for each, colours in read_png(base64.b64decode(picture)))


def _colours_of(text: str) -> set[tuple[int, int, int]]:
    found = set()
    for name, *parts in _COLOUR.findall(text):
        levels = bytes.fromhex(name) if name else [int(each) for each in parts]
        found.add((levels[0], levels[1], levels[2]))
    return found

"""A PDF file: its words, what it says of itself, and the colours it is drawn in.

Streams are inflated and strings decoded by the tables that map glyphs to letters (ISO 32000-1, 9.10.3).
Which font a string is in is not followed: it is read by every table of the file, so that one of the readings
is right.
"""

import re
import zlib
from collections.abc import Iterable, Iterator
from typing import Literal

_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
_SHOWN = re.compile(
    rb"\[((?:\\.|\((?:\\.|[^\\()])*\)|[^\]])*)\]\s*TJ|(\((?:\\.|[^\\()])*\))\s*Tj|<([0-9A-Fa-f\s]+)>\s*Tj",
    re.DOTALL,
)
_PIECE = re.compile(rb"\(((?:\\.|[^\\()])*)\)|<([0-9A-Fa-f\s]*)>", re.DOTALL)
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|\r?\n|.)", re.DOTALL)
_NAMED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_RANGES = re.compile(rb"beginbfrange(.*?)endbfrange", re.DOTALL)
_CHARS = re.compile(rb"beginbfchar(.*?)endbfchar", re.DOTALL)
_HEX = re.compile(rb"<([0-9A-Fa-f]+)>")
_COLOUR = re.compile(rb"(?<![\d.])([\d.]+)\s+([\d.]+)\s+([\d.]+)\s+(?:RG|rg|SCN|scn|SC|sc)\b")
_LITERAL = re.compile(rb"\(((?:\\.|[^\\()])*)\)", re.DOTALL)


def read_pdf(data: bytes) -> Iterator[tuple[Literal["text", "metadata"], str, set[tuple[int, int, int]]]]:
    """Shown text and colours of the streams, and the strings beside them.

    Raises
    ------
    ValueError
        If it is not a PDF file.
    """
    if not data.startswith(b"%PDF-"):
        raise ValueError("no signature of PDF")
    streams = [_inflated(each) for each in _STREAM.findall(data)]
    tables = [table for each in streams if b"begincmap" in each and (table := _letters(each))]
    for each in streams:
        shown = [_bytes(found) for found in _SHOWN.findall(each)]
        for table in tables or [{}]:
            yield "text", " ".join(_decoded(text, table) for text in shown), set()
        yield "text", b" ".join(shown).replace(b"\0", b"").decode("latin-1"), _colours(each)
        if b"BT" not in each and not each.startswith((b"\0\1\0\0", b"OTTO", b"true")):
            yield "metadata", each.replace(b"\0", b"").decode("utf-8", errors="replace"), set()
    beside = _STREAM.sub(b" ", data)
    strings = [_unescaped(each) for each in _LITERAL.findall(beside)]
    strings += [_unhexed(each) for each in _HEX.findall(beside)]
    yield "metadata", beside.decode("latin-1"), set()
    yield "metadata", b" ".join(strings).replace(b"\0", b"").decode("latin-1"), set()


def _inflated(stream: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(stream)
    except zlib.error:
        return stream


def _bytes(found: tuple[bytes, bytes, bytes]) -> bytes:
    """The string that an operator shows, whose pieces kerning has parted."""
    array, literal, hexed = found
    if hexed:
        return _unhexed(hexed)
    return b"".join(_unhexed(b) if b else _unescaped(a) for a, b in _PIECE.findall(array or literal))


def _unescaped(text: bytes) -> bytes:
    def plain(match: re.Match[bytes]) -> bytes:
        sign = match[1]
        if sign[:1].isdigit() and sign[:1] < b"8":
            return bytes([int(sign, 8) & 255])
        return b"" if sign in (b"\n", b"\r\n") else _NAMED.get(sign, sign)

    return _ESCAPE.sub(plain, text)


def _unhexed(text: bytes) -> bytes:
    digits = b"".join(text.split())
    return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode())


def _letters(table: bytes) -> dict[int, str]:
    """Glyph -> letter of a table ``ToUnicode``."""
    found: dict[int, str] = {}
    for part in _CHARS.findall(table):
        signs = _HEX.findall(part)
        found |= {int(a, 16): _letter(b) for a, b in zip(signs[::2], signs[1::2], strict=False)}
    for part in _RANGES.findall(table):
        for line in part.splitlines():
            first, last, *to = _HEX.findall(line) or [b"1", b"0"]
            span = range(int(first, 16), int(last, 16) + 1)
            if len(to) == len(span):
                found |= {glyph: _letter(each) for glyph, each in zip(span, to, strict=True)}
            elif to:
                found |= {glyph: chr(int(to[0], 16) + step) for step, glyph in enumerate(span)}
    return found


def _letter(digits: bytes) -> str:
    return _unhexed(digits).decode("utf-16-be", errors="replace")


def _decoded(text: bytes, table: dict[int, str]) -> str:
    """Glyphs of two bytes, or of one where the table knows no other."""
    wide = max(table, default=0) > 255 or text[:1] == b"\0"
    step = 2 if wide and len(text) % 2 == 0 else 1
    glyphs: Iterable[int] = (int.from_bytes(text[at : at + step], "big") for at in range(0, len(text), step))
    return "".join(table.get(glyph, " ") for glyph in glyphs)


def _colours(stream: bytes) -> set[tuple[int, int, int]]:
    found = set()
    for parts in _COLOUR.findall(stream):
        red, green, blue = (round(float(each) * 255) for each in parts)
        found.add((red, green, blue))
    return found

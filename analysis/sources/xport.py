"""SAS transport files, versions 5 and 8, with the special missing values that other readers leave out.

Source: SAS Institute, "The record layout of a data set in SAS transport (XPORT) format" (TS-140), and its
extension for version 8.
"""

import math
import struct
from dataclasses import dataclass
from pathlib import Path

from analysis.errors import SourceError
from analysis.sources import moments
from analysis.sources.delimited import read_whole
from analysis.sources.moments import ToText
from analysis.sources.text import Text, check_size, from_observations
from analysis.spec.source_base import Dialect
from analysis.spec.tables import MISSING_MARK

RECORD, NAMESTR = 80, 140  # bytes
MARK = b"HEADER RECORD*******"
SPECIAL = {ord(letter): MISSING_MARK + letter for letter in "_ABCDEFGHIJKLMNOPQRSTUVWXYZ"} | {ord("."): ""}


@dataclass(frozen=True, slots=True)
class _Variable:
    name: str
    is_number: bool
    start: int
    width: int
    text: ToText


def read_xport(path: Path, dialect: Dialect, *, file: str) -> Text:
    """Read a transport file of one data set whole.

    A special missing value arrives as SAS writes it, ``.A`` to ``.Z`` and ``._``.

    Raises
    ------
    SourceError
        If it is no transport file, is cut short, holds several data sets or other text than its encoding.
    """
    content = read_whole(path, file=file)
    try:
        variables, start = _head(content, dialect.encoding)
        return _observations(content[start:], variables, dialect.encoding, file=file)
    except (ValueError, struct.error) as error:
        raise SourceError(f"{file}: not a SAS transport file in {dialect.encoding}, or damaged.") from error


def _head(content: bytes, encoding: str) -> tuple[list[_Variable], int]:
    """The variables, and where the observations begin."""
    if not content.startswith((MARK + b"LIBRARY", MARK + b"LIBV8")):
        raise ValueError("no library header")
    at = _after(content, b"NAMESTR ", b"NAMSTV8 ")
    n, is_long = int(content[at - 32 : at - 22]), content[at - 60 : at].startswith(b"NAMSTV8")
    variables = [
        _variable(content[at + k * NAMESTR : at + (k + 1) * NAMESTR], is_long, encoding) for k in range(n)
    ]
    if not variables or len({each.name for each in variables}) < n:
        raise ValueError("no variables, or one twice")
    return variables, _after(content, b"OBS     ", b"OBSV8   ", start=at + n * NAMESTR)


def _after(content: bytes, *names: bytes, start: int = 0) -> int:
    """Where the record after a header begins."""
    for name in names:
        if (found := content.find(MARK + name, start)) >= 0 and found % RECORD == 0:
            return found + RECORD
    raise ValueError("a header is missing")


def _variable(raw: bytes, is_long: bool, encoding: str) -> _Variable:
    kind, _, width, _ = struct.unpack_from(">4h", raw)
    (start,) = struct.unpack_from(">i", raw, 84)
    name = (raw[88:120] if is_long else raw[8:16]).decode(encoding).strip(" \0")
    is_number = kind == 1
    if kind not in (1, 2) or not name or width < 1 or start < 0 or (is_number and not 2 <= width <= 8):
        raise ValueError("a variable that cannot be")
    return _Variable(name, is_number, start, width, moments.sas(raw[56:64].decode("ascii").strip(" \0")))


def _observations(content: bytes, variables: list[_Variable], encoding: str, *, file: str) -> Text:
    if MARK in content:
        raise SourceError(f"{file}: holds several data sets; export each to a file of its own.")
    length = sum(each.width for each in variables)
    if max(each.start + each.width for each in variables) > length:
        raise ValueError("variables overlap")
    n, rest = divmod(len(content), length)
    check_size(n, len(variables), file=file)
    if len(content) % RECORD or content[len(content) - rest :].strip(b" "):
        raise ValueError("cut short")
    # The last record is filled up with blanks, which may look like observations of text alone.
    while n and len(content) - (n - 1) * length < RECORD and not content[(n - 1) * length :].strip(b" "):
        n -= 1
    records = (content[k * length : (k + 1) * length] for k in range(n))
    rows = (
        tuple(_cell(raw[each.start : each.start + each.width], each, encoding) for each in variables)
        for raw in records
    )
    return from_observations(file, [each.name for each in variables], rows)


def _cell(raw: bytes, variable: _Variable, encoding: str) -> str:
    if not variable.is_number:
        return raw.decode(encoding).rstrip(" \0")
    if raw[0] in SPECIAL and not any(raw[1:]):
        return SPECIAL[raw[0]]
    return variable.text(_ibm(raw.ljust(8, b"\0")))


def _ibm(raw: bytes) -> float:
    """A number of IBM mainframes: sign, seven bits of a power of 16, 56 bits of a fraction."""
    bits = int.from_bytes(raw, "big")
    sign, power, fraction = bits >> 63, bits >> 56 & 0x7F, bits & (1 << 56) - 1
    return math.copysign(math.ldexp(fraction, 4 * (power - 64) - 56), -1 if sign else 1)

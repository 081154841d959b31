"""REDCap's branching logic: a small language of comparisons, read by a parser of its own and never executed.

A blank in a comparison of size is no number, so the comparison fails; in one of equality it is the empty
text. Two texts that are both numbers are compared as numbers, and dates, which are ISO 8601, as text.
"""

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from analysis.errors import SourceError

TOKEN = re.compile(
    r"\s*(?:(?P<reference>(?:\[[^\[\]]*\])+)|(?P<text>'[^']*'|\"[^\"]*\")|(?P<number>\d+\.?\d*|\.\d+)"
    r"|(?P<sign><>|!=|<=|>=|==|&&|\|\||[=<>()+*/,-])|(?P<word>[A-Za-z_]\w*))"
)
NAME = re.compile(r"([a-z]\w*)(?:\((-?\w+)\))?(?::value)?$", re.IGNORECASE)
ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d")
EQUAL, UNEQUAL = ("=", "=="), ("<>", "!=")
ORDER = {"<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge}
ARITHMETIC = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
# Units of `datediff` in seconds; REDCap's year and month are means.
SECONDS = {"y": 365.2425 * 86400, "M": 30.44 * 86400, "d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0}


class Reference(NamedTuple):
    """A field asked about: in the row's own event unless `event` names another; `code` of a checkbox."""

    event: str
    field: str
    code: str


Cells = Mapping[Reference, str]
Term = Callable[[Cells], str | float]
# What stands for the row itself instead of a field.
EVENT_NAME, INSTANCE = Reference("", "event-name", ""), Reference("", "current-instance", "")


class UnknownLogicError(SourceError):
    """A part of the language that is not evaluated here."""


@dataclass(frozen=True, slots=True)
class Logic:
    """One condition: the cells it reads, and whether it holds for given ones."""

    references: tuple[Reference, ...]
    term: Term

    def holds(self, cells: Cells) -> bool:
        return _is_true(self.term(cells))


def parse_logic(text: str) -> Logic:
    """The condition that a branching logic states.

    Raises
    ------
    UnknownLogicError
        If it has a function, a smart variable or a form that is not evaluated here.
    """
    reader = _Reader(_tokens(text))
    try:
        term = reader.either()
    except RecursionError:
        raise UnknownLogicError("brackets within brackets, too deep to follow") from None
    if reader.kind != "end":
        raise UnknownLogicError(f"'{reader.text}' where an end is expected")
    return Logic(tuple(sorted(set(reader.references))), term)


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at, text = [], 0, text.strip()
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            raise UnknownLogicError(f"a character at place {at + 1} that is no part of the language")
        found.append((match.lastgroup or "", match[match.lastgroup or 0]))
        at = match.end()
    return [*found, ("end", "")]


class _Reader:
    """Recursive descent, loosest operator first."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.tokens, self.at, self.references = tokens, 0, list[Reference]()

    @property
    def kind(self) -> str:
        return self.tokens[self.at][0]

    @property
    def text(self) -> str:
        return self.tokens[self.at][1]

    def take(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1][1]

    def has(self, *signs: str) -> bool:
        return self.kind in ("sign", "word") and self.text.lower() in signs

    def expect(self, sign: str) -> None:
        if not self.has(sign):
            raise UnknownLogicError(f"no '{sign}' where one is expected")
        self.take()

    def either(self) -> Term:
        terms = [self.both()]
        while self.has("or", "||"):
            self.take()
            terms.append(self.both())
        return terms[0] if len(terms) == 1 else _any(terms)

    def both(self) -> Term:
        terms = [self.comparison()]
        while self.has("and", "&&"):
            self.take()
            terms.append(self.comparison())
        return terms[0] if len(terms) == 1 else _all(terms)

    def comparison(self) -> Term:
        left = self.sum()
        if self.has(*EQUAL, *UNEQUAL, *ORDER):
            sign = self.take()
            return _compare(sign, left, self.sum())
        return left

    def sum(self) -> Term:
        term = self.product()
        while self.has("+", "-"):
            sign = self.take()
            term = _calculate(sign, term, self.product())
        return term

    def product(self) -> Term:
        term = self.single()
        while self.has("*", "/"):
            sign = self.take()
            term = _calculate(sign, term, self.single())
        return term

    def single(self) -> Term:
        if self.kind == "reference":
            return self.reference(self.take())
        if self.kind == "text":
            return _constant(self.take()[1:-1])
        if self.kind == "number":
            return _constant(self.take())
        if self.has("-"):
            self.take()
            return _calculate("-", _constant("0"), self.single())
        if self.has("("):
            return self.bracket()
        if self.kind == "word":
            return self.word(self.take())
        raise UnknownLogicError("a value is expected")

    def bracket(self) -> Term:
        self.expect("(")
        term = self.either()
        self.expect(")")
        return term

    def word(self, name: str) -> Term:
        if not self.has("("):
            return _named(name)
        if name.lower() not in FUNCTIONS:
            raise UnknownLogicError(f"function {name}")
        self.expect("(")
        terms = [self.either()]
        while self.has(","):
            self.take()
            terms.append(self.either())
        self.expect(")")
        return _call(name.lower(), terms)

    def reference(self, text: str) -> Term:
        reference = _reference(text)
        self.references.append(reference)
        return lambda cells: cells[reference]


def _reference(text: str) -> Reference:
    *events, name = text[1:-1].split("][")
    if not events and name in (EVENT_NAME.field, INSTANCE.field):
        return Reference("", name, "")
    match = NAME.match(name.strip())
    if match is None or len(events) > 1 or any("-" in event for event in events):
        raise UnknownLogicError(f"reference {text}")
    return Reference("".join(events).strip(), match[1].lower(), match[2] or "")


def _constant(text: str) -> Term:
    return lambda cells: text


def _named(word: str) -> Term:
    if word.lower() not in ("true", "false"):
        raise UnknownLogicError(f"the word {word}")
    return _constant("1" if word.lower() == "true" else "0")


def _any(terms: list[Term]) -> Term:
    return lambda cells: float(any(_is_true(term(cells)) for term in terms))


def _all(terms: list[Term]) -> Term:
    return lambda cells: float(all(_is_true(term(cells)) for term in terms))


def _compare(sign: str, left: Term, right: Term) -> Term:
    if sign in ORDER:
        return lambda cells: float(_is_ordered(sign, left(cells), right(cells)))
    return lambda cells: float(_is_same(left(cells), right(cells)) == (sign in EQUAL))


def _calculate(sign: str, left: Term, right: Term) -> Term:
    def term(cells: Cells) -> float:
        divisor = _number(right(cells))
        return math.nan if sign == "/" and not divisor else ARITHMETIC[sign](_number(left(cells)), divisor)

    return term


def _call(name: str, terms: list[Term]) -> Term:
    function = FUNCTIONS[name]
    return lambda cells: function([term(cells) for term in terms])


def _is_same(left: str | float, right: str | float) -> bool:
    if _is_blank(left) or _is_blank(right):
        return _is_blank(left) and _is_blank(right)
    numbers = _number(left), _number(right)
    return left == right if any(map(math.isnan, numbers)) else numbers[0] == numbers[1]


def _is_ordered(sign: str, left: str | float, right: str | float) -> bool:
    if all(isinstance(each, str) and ISO_DATE.match(each) for each in (left, right)):
        return ORDER[sign](left, right)
    return ORDER[sign](_number(left), _number(right))


def _is_true(value: str | float) -> bool:
    return not _is_blank(value) and value != "0" and value != 0


def _is_blank(value: str | float) -> bool:
    return value == "" or (isinstance(value, float) and math.isnan(value))


def _number(value: str | float) -> float:
    try:
        return float(value)
    except ValueError:
        return math.nan


def _date_difference(values: list[str | float]) -> float:
    """Time from one day to another in a unit; its size alone unless the last argument asks for the sign."""
    if len(values) < 3 or values[2] not in SECONDS:
        raise UnknownLogicError("datediff without a unit")
    days = [_moment(value) for value in values[:2]]
    if None in days:
        return math.nan
    difference = (days[1] - days[0]).total_seconds() / SECONDS[values[2]]
    return difference if values[3:] and values[-1] == "1" else abs(difference)


def _moment(value: str | float) -> datetime | None:
    try:
        return datetime.fromisoformat(str(value))
    except ValueError:
        return None


def _of_numbers(function: Callable[[list[float]], float]) -> Callable[[list[str | float]], float]:
    def of_values(values: list[str | float]) -> float:
        numbers = [_number(value) for value in values if not _is_blank(value)]
        return function(numbers) if numbers else math.nan

    return of_values


FUNCTIONS: dict[str, Callable[[list[str | float]], float]] = {
    "datediff": _date_difference,
    "abs": _of_numbers(lambda numbers: abs(numbers[0])),
    "min": _of_numbers(min),
    "max": _of_numbers(max),
    "sum": _of_numbers(math.fsum),
}

"""What tells the arm (``data_spec/blinding.yaml``): names of columns, words of a text, names of services."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from analysis.spec.base import Declaration, Name


class TellingColumns(Declaration):
    """Words and phrases of a column's name, and phrases that are harmless though they hold such a word."""

    words: tuple[Name, ...]
    phrases: tuple[Name, ...]
    harmless: tuple[Name, ...]


class Accepted(Declaration):
    """A column of an open table that foretells the arm and may, with the reason."""

    file: Name
    column: Name
    reason: Name


class Blinding(Declaration):
    """What tells the arm, and what may though it seems to."""

    columns: TellingColumns
    phrases: tuple[Name, ...]
    services: tuple[Name, ...]
    accepted: tuple[Accepted, ...] = ()


@dataclass(frozen=True, slots=True)
class TellingName:
    """A name that tells an arm, as a whole word: in its own case, or in any."""

    name: str
    any_case: bool
    pattern: re.Pattern[str]


def telling(arms: Mapping[str, str], blinding: Blinding) -> tuple[TellingName, ...]:
    """Every name that tells an arm: code -> label of the arms, and what is declared beside them.

    Codes and abbreviations count in their own case, labels and longer names in any.
    """
    short = [*arms, *(name for name in blinding.services if name.isupper())]
    long = [*arms.values(), *(name for name in blinding.services if not name.isupper()), *blinding.phrases]
    return (*(_name(each, any_case=False) for each in short), *(_name(each, any_case=True) for each in long))


def named_in(text: str, names: Iterable[TellingName]) -> str | None:
    """The first of these names that a text holds, if any."""
    lowered = text.lower()
    for each in names:
        # Nearly every text has none, and to look for letters alone is a hundred times as fast.
        letters, where = (each.name.lower(), lowered) if each.any_case else (each.name, text)
        if letters in where and each.pattern.search(text):
            return each.name
    return None


def _name(name: str, *, any_case: bool) -> TellingName:
    whole = rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])"
    return TellingName(name, any_case, re.compile(whole, re.IGNORECASE if any_case else 0))

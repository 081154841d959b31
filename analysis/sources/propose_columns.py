"""What is known of the columns of an export: their names, titles, codes and cells."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import pandas as pd

from analysis.sources.propose_dialect import date_forms
from analysis.sources.redcap_dictionary import Dictionary
from analysis.sources.tabular import SOURCE_COLUMNS
from analysis.spec.arm_words import is_arm_like
from analysis.spec.declarations import Spec

NUMBER = re.compile(r"-?\d+([.,]\d+)?$")
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `cells` counts its cells and is never shown; `choices` are codes and labels of metadata."""

    name: str
    title: str
    form: str
    choices: Mapping[str, str]
    cells: Counter[str]
    is_date: bool
    is_identifier: bool

    @property
    def n_filled(self) -> int:
        return self.cells.total() - self.cells[""]

    @property
    def is_arm(self) -> bool:
        return is_arm_like(self.name)

    def share(self, pattern: re.Pattern[str]) -> float:
        """Share of the filled cells that have a form; 0 of an empty column."""
        fits = sum(n for cell, n in self.cells.items() if cell and pattern.fullmatch(cell))
        return fits / self.n_filled if self.n_filled else 0.0


def columns_of(
    frame: pd.DataFrame, dictionary: Dictionary | None, labels: Mapping[str, Mapping[str, str]]
) -> list[Column]:
    """Every column of an export, with what a dictionary or the file's own labels say of it."""
    owners = dictionary.owners if dictionary else {}
    found = []
    for name in frame.columns.drop(list(SOURCE_COLUMNS)):
        owner, cells = owners.get(name), Counter(frame[name])
        choices = labels.get(name, {})
        if owner is not None and name == owner.name:
            choices = owner.choices
        found.append(
            Column(
                name=name,
                title=owner.label if owner else "",
                form=owner.form if owner else "",
                choices=choices,
                cells=cells,
                is_date=bool(date_forms(cells)) or bool(owner and owner.validation.startswith("date")),
                is_identifier=bool(owner and owner.is_identifier),
            )
        )
    return found


def with_own_words(meanings: Mapping[str, str], spec: Spec) -> dict[str, str]:
    """The meanings of words, among them those of our own fields, which stand for themselves."""
    fields = [field for table in spec.package.resources for field in table.fields]
    own = {part for field in fields for part in field.name.split("_") if len(part) > 1}
    return {**{word: word for word in sorted(own)}, **meanings}


def words_of(text: str, meanings: Mapping[str, str]) -> tuple[str, ...]:
    """The words of a name, each as our fields write it; a number without leading zeros."""
    return _words(text, tuple(sorted(meanings.items())))


@cache
def _words(text: str, meanings: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    known = dict(meanings)
    parts = (part.lower() for part in WORD.findall(text))
    meant = (known.get(part, part.lstrip("0") or part) for part in parts)
    return tuple(word for part in meant for word in part.split())


def in_words(word: str, meanings: Mapping[str, str]) -> tuple[str, ...]:
    """A word that is made of known ones as these, as few as can be; any other as it is."""
    if word in meanings:
        return (word,)
    # Ways to reach each letter: the last of the fewest words, none of them a single letter.
    ways: dict[int, tuple[str, ...]] = {0: ()}
    for end in range(2, len(word) + 1):
        reached = [
            (*ways[at], word[at:end]) for at in range(end - 1) if at in ways and word[at:end] in meanings
        ]
        if reached:
            ways[end] = min(reached, key=len)
    found = ways.get(len(word), (word,))
    return tuple(part for each in found for part in meanings.get(each, each).split())

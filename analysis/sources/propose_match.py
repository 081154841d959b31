"""Which column of an export a field of ours may be, by its name and by what its cells look like."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from analysis.sources.propose_columns import NUMBER, Column, in_words, words_of
from analysis.spec.declarations import Code, Spec
from analysis.spec.layouts import squashed
from analysis.spec.tables import Field, Table

CERTAIN, LIKELY = 0.8, 0.5
SAME_WORD, SAME_LABEL = 0.85, 0.75
LEAST, LEAST_NAME = 0.01, 0.3
NEAR = 0.85  # of what the same words count
FILLER = frozenset({"of", "the", "a", "as", "by", "to", "in", "at", "and", "on", "or", "if", "was", "is"})
# Words of many fields, which alone say little.
WEAK = frozenset({"date", "number", "code", "id", "type", "name"})
WEIGHT_OF_WEAK = 0.3
STEM = 5  # letters in which words of one stem agree
YES_NO = re.compile(r"0|1|yes|no|true|false|y|n", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Match:
    """A column for a field: how well its name fits (0 to 1), and its content if there is any.

    A name `is_near` that has our words in one, or is but a few letters off: it fits less than the same words.
    """

    field: Field
    column: Column
    name: float
    content: float | None
    is_near: bool = False

    @property
    def score(self) -> float:
        """Name and content, 3 to 2; ids and codes are also known by their form alone."""
        if self.content is None:
            return 0.9 * self.name
        has_form = bool(self.field.codelist or self.field.constraints.pattern)
        if self.content == 0 or (self.name < LEAST_NAME and not has_form):
            return 0.0
        if self.name == 0:
            return 0.55 * self.content
        if self.content <= LEAST:
            return 0.55 * self.name
        return 0.6 * self.name + 0.4 * self.content


def best_columns(
    table: Table, columns: Sequence[Column], spec: Spec, meanings: Mapping[str, str]
) -> dict[str, Match]:
    """Field -> column, each column once, the best fits first."""
    fields = [field for field in table.fields if not field.name.startswith("source_")]
    usable = [column for column in columns if not column.is_arm]
    fits = [fit(field, table, column, spec, meanings) for field in fields for column in usable]
    likely = [match for match in fits if match.score >= LIKELY]
    found: dict[str, Match] = {}
    taken: set[str] = set()
    # Of equal fits the one first in table and file, so that the order of dictionaries plays no part.
    for match in sorted(likely, key=lambda match: -match.score):
        if match.field.name not in found and match.column.name not in taken:
            found[match.field.name] = match
            taken.add(match.column.name)
    return found


def fit(field: Field, table: Table, column: Column, spec: Spec, meanings: Mapping[str, str]) -> Match:
    """How well a column fits a field, by its name and by its cells or choices."""
    name, content = _name_fit(field, table, column, meanings), _content_fit(field, column, spec)
    near = NEAR * _near_fit(field, table, column, meanings) if name < LIKELY else 0.0
    return Match(field, column, max(name, near), content, near > name)


def _name_fit(field: Field, table: Table, column: Column, meanings: Mapping[str, str]) -> float:
    ours = [words_of(field.name, meanings), words_of(field.title, meanings)]
    theirs = [words_of(column.name, meanings), words_of(column.title, meanings)]
    own = set(words_of(table.name, meanings))
    return max(_overlap(left, right, own) for left in ours for right in theirs)


def _near_fit(field: Field, table: Table, column: Column, meanings: Mapping[str, str]) -> float:
    """How alike two names are once theirs is cut into words that are known, or as rows of letters."""
    own = set(words_of(table.name, meanings))
    ours = words_of(field.name, meanings)
    cut = tuple(word for part in words_of(column.name, meanings) for word in in_words(part, meanings))
    alike = SequenceMatcher(None, squashed(field.name), squashed(column.name)).ratio()
    if _numbers(ours) != _numbers(cut):
        return 0.0
    return max(_overlap(ours, cut, own), alike if alike >= SAME_WORD else 0.0)


def _overlap(ours: Sequence[str], theirs: Sequence[str], own: set[str]) -> float:
    """Harmonic mean of the shares of words that both have; words of the table's own name may be left out."""
    left = [word for word in ours if word not in FILLER]
    right = [word for word in theirs if word not in FILLER]
    if _numbers(left) != _numbers(right):
        return 0.0
    # An item's letter says nothing beside its number.
    right = [word for word in right if word in left or not any(_is_same(word, each) for each in own)]
    left = [word for word in left if len(word) > 1 or word.isdigit()]
    right = [word for word in right if len(word) > 1 or word.isdigit()]
    if not left or not right:
        return 0.0
    mine, other = _share(left, right), _share(right, left)
    return 2 * mine * other / (mine + other) if mine and other else 0.0


def _share(words: Sequence[str], among: Sequence[str]) -> float:
    weights = {word: WEIGHT_OF_WEAK if word in WEAK else 1.0 for word in words}
    found = sum(weight for word, weight in weights.items() if any(_is_same(word, each) for each in among))
    return found / sum(weights.values())


def _numbers(words: Sequence[str]) -> list[str]:
    return [word for word in words if word.isdigit()]


def _is_same(word: str, other: str) -> bool:
    if word == other or word.isdigit() or other.isdigit():
        return word == other
    return word[:STEM] == other[:STEM] or SequenceMatcher(None, word, other).ratio() >= SAME_WORD


def _content_fit(field: Field, column: Column, spec: Spec) -> float | None:
    """Share of cells, or of choices, that fit the field's type; `None` for a column without any."""
    if field.codelist:
        return _code_fit(spec.codes_of(field.codelist), column)
    if not column.n_filled:
        return None
    if field.type == "date":
        return float(column.is_date)
    if field.constraints.pattern:
        # Ids of another form are no reason against the name.
        return max(column.share(re.compile(field.constraints.pattern)), LEAST)
    if field.type in ("integer", "number"):
        return 0.0 if column.is_date or column.share(NUMBER) < LIKELY else column.share(NUMBER)
    if field.type == "boolean":
        return column.share(YES_NO) if column.share(YES_NO) > LIKELY else 0.0
    return 0.0 if column.is_date else None


def _code_fit(codes: Mapping[str, Code], column: Column) -> float | None:
    if column.choices:
        return len(codes_for(column.choices, codes)) / len(column.choices)
    if not column.n_filled:
        return None
    known = {name.casefold() for code in codes.values() for name in (code.code, code.label)}
    return sum(n for cell, n in column.cells.items() if cell.casefold() in known) / column.n_filled


def codes_for(choices: Mapping[str, str], codes: Mapping[str, Code]) -> dict[str, tuple[str, float]]:
    """Their code -> ours and how alike they are, for the choices that have a likely one."""
    found = {}
    for choice, label in choices.items():
        fits = [(_alike(choice, label, code), code.code) for code in codes.values()]
        score, best = max(fits, key=lambda each: each[0], default=(0.0, ""))
        if score >= SAME_LABEL:
            found[choice] = (best, score)
    return found


def _alike(choice: str, label: str, code: Code) -> float:
    names = [code.code.replace("_", " ").casefold(), code.label.casefold()]
    theirs = [choice.replace("_", " ").casefold(), label.replace("_", " ").casefold()]
    if set(names) & set(theirs):
        return 1.0
    return max(SequenceMatcher(None, name, theirs[1]).ratio() for name in names)

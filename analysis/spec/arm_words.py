"""Names and words that tell the arm, whoever wrote them: of columns, of REDCap's events, and in a text."""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from analysis.spec.base import name_of, parse, read_yaml
from analysis.spec.blinding import Blinding

FILE = Path(__file__).resolve().parents[2] / "data_spec" / "blinding.yaml"

# In the name of an event of REDCap, and in its label.
REDCAP_ARM = re.compile(r"_arm_(\d+)$|\(Arm (\d+):", re.IGNORECASE)
SHORTEST_WORD = 3  # letters; a shorter code (A, 1) means other things elsewhere


@cache
def load_blinding(file: Path = FILE) -> Blinding:
    """What tells the arm, as declared.

    Raises
    ------
    SpecError
        On an unknown key or a wrong value.
    """
    return parse(Blinding, read_yaml(file), file=name_of(file))


def is_arm_like(column: str) -> bool:
    """Whether a column's name says that it tells the arm: whole words, so that `harm` alarms nobody."""
    names = load_blinding().columns
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", column)
    words = re.findall(r"[a-z]+", parted.lower())
    text = f" {' '.join(words)} "
    for phrase in names.harmless:
        text = text.replace(f" {phrase} ", " ")
    return bool(set(names.words) & set(text.split())) or any(f" {each} " in text for each in names.phrases)


def arms_of(events: Iterable[str]) -> set[str]:
    """Numbers of the arms that names or labels of REDCap's events tell."""
    found = (REDCAP_ARM.search(name) for name in events)
    return {each[1] or each[2] for each in found if each}


def arm_word(names: Iterable[str]) -> re.Pattern[str] | None:
    """What finds a code or label of an arm as a word of its own; `None` where all are too short to be one."""
    words = [re.escape(name) for name in names if sum(map(str.isalpha, name)) >= SHORTEST_WORD]
    return re.compile(rf"(?<![^\W_])(?:{'|'.join(words)})(?![^\W_])", re.IGNORECASE) if words else None

"""Names and words that tell the arm, whoever wrote them: of columns, of REDCap's events, and in a text."""

import re
from collections.abc import Iterable

# Whole words of a name, so that `harm` or `alarm` do not alarm anyone.
ARM_WORDS = frozenset(
    [
        "arm",
        "arms",
        "armcd",
        "actarm",
        "actarmcd",
        "alloc",
        "allocated",
        "allocation",
        "trt",
        "trta",
        "trtp",
        "trtan",
        "trtpn",
        "tx",
        "treatment",
        "treatments",
        "group",
        "grp",
        "intervention",
        "nim",
        "sau",
        "gift",
        "lift",
        "facs",
    ]
)
ARM_PHRASES = ("randomised to", "randomized to", "assigned to", "random assignment")
# Groups that are not arms: the access groups of REDCap are sites.
HARMLESS_PHRASES = ("redcap data access group", "age group", "ethnic group")
# In the name of an event of REDCap, and in its label.
REDCAP_ARM = re.compile(r"_arm_(\d+)$|\(Arm (\d+):", re.IGNORECASE)
SHORTEST_WORD = 3  # letters; a shorter code (A, 1) means other things elsewhere


def is_arm_like(column: str) -> bool:
    """Whether a column's name says that it tells the arm."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", column)
    words = re.findall(r"[a-z]+", parted.lower())
    text = f" {' '.join(words)} "
    for phrase in HARMLESS_PHRASES:
        text = text.replace(f" {phrase} ", " ")
    return bool(ARM_WORDS & set(text.split())) or any(f" {phrase} " in text for phrase in ARM_PHRASES)


def arms_of(events: Iterable[str]) -> set[str]:
    """Numbers of the arms that names or labels of REDCap's events tell."""
    found = (REDCAP_ARM.search(name) for name in events)
    return {each[1] or each[2] for each in found if each}


def arm_word(names: Iterable[str]) -> re.Pattern[str] | None:
    """What finds a code or label of an arm as a word of its own; `None` where all are too short to be one."""
    words = [re.escape(name) for name in names if sum(map(str.isalpha, name)) >= SHORTEST_WORD]
    return re.compile(rf"(?<![^\W_])(?:{'|'.join(words)})(?![^\W_])", re.IGNORECASE) if words else None

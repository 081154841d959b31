"""Names that say a column tells the arm, whoever declares it."""

import re

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


def is_arm_like(column: str) -> bool:
    """Whether a column's name says that it tells the arm."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", column)
    words = re.findall(r"[a-z]+", parted.lower())
    text = f" {' '.join(words)} "
    for phrase in HARMLESS_PHRASES:
        text = text.replace(f" {phrase} ", " ")
    return bool(ARM_WORDS & set(text.split())) or any(f" {phrase} " in text for phrase in ARM_PHRASES)

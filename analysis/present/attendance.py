"""What the pages on visits read: the groups whose numbers stand side by side, and the order of standings."""

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.present.reading import ALL, arm_name, arms_of, label
from analysis.results import ALL_SITES, Result
from analysis.spec.declarations import Spec

# From those who came, by those who did not, to those of whom it is not known yet.
STANDINGS = ("in_window", "late", "early", "undated", "missed", "overdue", "withdrawn", "died", "not_due")
UNITS = ("children", "families")


@dataclass(frozen=True, slots=True)
class Shown:
    """A group of a page: its name, and the labels of its numbers."""

    name: str
    labels: dict[str, str]


def groups_of(items: Sequence[Result], spec: Spec) -> list[Shown]:
    """All together, each site, and each arm where arms are known."""
    found = [Shown("All", {"arm": ALL, "site": ALL_SITES})]
    found += [Shown(label(spec, "site", site), {"arm": ALL, "site": site}) for site in spec.trial.sites]
    arms = [arm for arm in arms_of(items) if arm != ALL]
    return [*found, *(Shown(arm_name(arm), {"arm": arm, "site": ALL_SITES}) for arm in arms)]


def standing_name(standing: str, spec: Spec) -> str:
    """A standing in words."""
    return label(spec, "visit_standing", standing)

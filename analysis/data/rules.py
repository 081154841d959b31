"""Kinds of checks beyond one cell: each is a function from a table to the rows that break it.

The rules are data, the lines of ``rules.yaml``. The kinds live by theme in `analysis.data.checks`.
"""

from collections.abc import Mapping

import numpy as np

from analysis.data.checks import ages, dates, episodes, instruments, records, repeats, scores, siblings
from analysis.data.checks.context import Check, Context
from analysis.spec.rules import Rule

__all__ = ["KINDS", "Context", "broken"]

THEMES = (dates, records, instruments, ages, siblings, repeats, scores, episodes)
KINDS: Mapping[str, Check] = {kind: check for theme in THEMES for kind, check in theme.KINDS.items()}


def broken(rule: Rule, context: Context) -> np.ndarray:
    """Positions of the rows of the rule's table that break it."""
    frame = context.tables[rule.table]
    # A kind may look at some rows only, in any order; the others break nothing.
    found = KINDS[rule.kind](frame, rule, context).astype("boolean").fillna(False)
    return np.sort(frame.index.get_indexer(found.index[found.to_numpy(bool)]))

"""Influence by brute force: an estimator is run with each unit's weight moved a little, all units at once.

The move is imaginary (Squire & Trapp 1998, SIAM Review 40:110): with weight 1 + ih the imaginary part of an
estimate, over h, is its derivative in that weight to the last digit. That derivative is the infinitesimal
jackknife (Jaeckel 1972), whatever the estimator; sums of it within families give the family-robust variance.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import stats

from analysis.qc.tables import ARM, STRATUM, Tables
from analysis.results import Estimate

STEP = 1e-30


@dataclass(frozen=True, eq=False)
class Units:
    """Whose weight is moved: the unit of each row, and the family of each unit."""

    of_row: np.ndarray
    family: np.ndarray

    def count(self, rows: np.ndarray) -> np.ndarray:
        """How many of the given rows there are when each unit in turn weighs a little more, (units,)."""
        moved = np.bincount(self.of_row[rows], minlength=len(self.family))
        return moved.sum() + 1j * STEP * moved


@dataclass(frozen=True, eq=False)
class Summed:
    """Quantities (q,) and their influence summed within families, (families, q)."""

    value: np.ndarray
    sums: pd.DataFrame

    @cached_property
    def se(self) -> np.ndarray:
        return np.sqrt((self.sums.to_numpy() ** 2).sum(axis=0))

    def less(self, other: "Summed") -> "Summed":
        """The difference; a family in both counts once."""
        return Summed(self.value - other.value, self.sums.sub(other.sums, fill_value=0.0))

    def columns(self, which: np.ndarray | slice) -> "Summed":
        return Summed(self.value[which], self.sums.iloc[:, which])


# A quantity of the rows of one arm in one stratum, (units, q), each unit moved.
Moved = Callable[[pd.DataFrame, Units], np.ndarray]


def units_of(rows: pd.DataFrame) -> Units:
    """Units by the column `unit`, with the family of each."""
    names, code = np.unique(rows["unit"], return_inverse=True)
    family = pd.Series(rows["family_id"].to_numpy()).groupby(code).first()
    return Units(code, family.reindex(range(len(names))).to_numpy())


def standardised(rows: pd.DataFrame, moved: Moved, tables: Tables) -> dict[str, Summed]:
    """By arm: the quantity in each stratum, weighed by the stratum's share of all units."""
    share = rows.drop_duplicates("unit")[STRATUM].value_counts(normalize=True)
    return {
        arm: _sum(
            [
                (weight, rows[(rows[ARM] == arm) & (rows[STRATUM] == stratum)])
                for stratum, weight in share.sort_index().items()
            ],
            moved,
        )
        for arm in tables.arms
    }


def _sum(parts: Sequence[tuple[float, pd.DataFrame]], moved: Moved) -> Summed:
    value, sums = 0.0, []
    for weight, rows in parts:
        units = units_of(rows)
        found = weight * moved(rows, units)
        value = value + found[0].real
        sums.append(pd.DataFrame(found.imag / STEP).groupby(units.family).sum())
    return Summed(value, pd.concat(sums).groupby(level=0).sum())


def limits(found: Summed, kind: str, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Limits on the scale that suits: log-log of probabilities, log of means, or the quantity's own."""
    value, half = found.value, stats.norm.ppf((1 + level) / 2) * found.se
    if kind == "own":
        return value - half, value + half
    inside = (value > 0) & ((value < 1) | (kind == "log"))
    value = np.where(inside, value, np.nan)
    if kind == "log":
        return value * np.exp(-half / value), value * np.exp(half / value)
    # Of log(-log p), whose slope is 1 / (p log p).
    scale, spread = np.log(-np.log(value)), half / np.abs(value * np.log(value))
    return np.exp(-np.exp(scale + spread)), np.exp(-np.exp(scale - spread))


def estimates(
    arms: Mapping[str, Summed],
    labels: Sequence[Mapping[str, str]],
    tables: Tables,
    *,
    names: tuple[str, str],
    kind: str,
) -> list[Estimate]:
    """Each quantity by arm, and its difference between the arms with a test."""
    intervention, control = tables.arms
    parts = [(names[0], kind, {"arm": arm}, found) for arm, found in arms.items()]
    gap = arms[intervention].less(arms[control])
    parts.append((names[1], "own", {"contrast": tables.contrast}, gap))
    made = []
    for name, scale, where, found in parts:
        low, high = limits(found, scale, tables.level)
        for at, label in enumerate(labels):
            made.append(_estimate(name, found.value[at], found.se[at], low[at], high[at], {**where, **label}))
    return made


def _estimate(
    name: str, value: float, se: float, low: float, high: float, labels: Mapping[str, str]
) -> Estimate:
    is_tested = "contrast" in labels and se > 0
    z = float(value / se) if is_tested else None
    p = float(2 * stats.norm.sf(abs(z))) if is_tested else None
    low, high = (float(each) if np.isfinite(each) else None for each in (low, high))
    return Estimate(name, float(value), se=float(se), low=low, high=high, statistic=z, p=p, labels=labels)

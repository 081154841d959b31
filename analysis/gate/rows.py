"""Rows of open tables beside the allocation: does their order, presence or content foretell the arm?

Families are the units, since they were randomised: a family counts once for every value that it has.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import betainc

from analysis.gate.finding import Finding

# Chance that a value has only families of one arm: 27 of them, if arms were tossed. With some thousand values
# looked at in every run, no alarm comes of it in ten thousand runs.
RARE = 1e-8
# Share of one arm among the families with a value that is as good as the arm itself.
NEARLY_ALL = 0.95
SMALLEST_ARM = 10  # families; orders and quantities of fewer tell nothing for certain
RUNS = -6.0  # standard deviations


@dataclass(frozen=True, slots=True)
class Arms:
    """The arm of every randomised family (true: intervention), and the family of every id of a unit."""

    of_family: Mapping[str, bool]
    family_of: Mapping[str, str]

    @property
    def share(self) -> float:
        """Share of the families in the intervention arm."""
        return sum(self.of_family.values()) / len(self.of_family)


def check_rows(file: str, frame: pd.DataFrame, arms: Arms, accepted: frozenset[str]) -> Iterator[Finding]:
    """Findings of one open table; columns in `accepted` may foretell the arm.

    Nothing is said of a table without families or children.
    """
    families = _families(frame, arms)
    if families is None:
        return
    rows = pd.DataFrame({"family": families, "arm": families.map(arms.of_family)}).dropna()
    once = rows.drop_duplicates("family")
    arm = once["arm"].to_numpy(bool)
    if is_ordered(arm):
        yield Finding(file, "order")
    here = (int(arm.sum()), int((~arm).sum()))
    gone = tuple(all_ - some for all_, some in zip(_sizes(arms), here, strict=True))
    many = rows.groupby("family", sort=False).size().reindex(once["family"]).to_numpy(float)
    if is_one_arm(here, arms.share) or is_one_arm(gone, arms.share) or separates(many, arm):
        yield Finding(file, "rows")
        return  # every column of such a table would foretell the arm
    for at, column in enumerate(frame.columns):
        if column not in accepted and _foretells(frame.iloc[:, at].loc[rows.index], rows, arms.share):
            yield Finding(file, "column", column if column.isidentifier() else f"column {at + 1}")


def is_ordered(arm: np.ndarray) -> bool:
    """Whether arms stand in fewer runs than any shuffling makes (runs test, Wald & Wolfowitz 1940)."""
    n, first = len(arm), int(arm.sum())
    second = n - first
    if min(first, second) < SMALLEST_ARM:
        return False
    mean = 1 + 2 * first * second / n
    variance = (mean - 1) * (mean - 2) / (n - 1)
    runs = 1 + int((arm[1:] != arm[:-1]).sum())
    return (runs - mean) / math.sqrt(variance) < RUNS


def is_one_arm(counts: tuple[int, ...], share: float) -> bool:
    """Whether families are of one arm, all or nearly all, and more than chance explains (binomial tail)."""
    n, most = sum(counts), max(counts)
    if not n or most < NEARLY_ALL * n:
        return False
    expected = share if counts[0] == most else 1 - share
    return float(betainc(most, n - most + 1, expected)) < RARE


def separates(values: np.ndarray, arm: np.ndarray) -> bool:
    """Whether a quantity is higher in one arm in nearly every pair of families (area under the ROC curve)."""
    first = int(arm.sum())
    second = len(arm) - first
    if min(first, second) < SMALLEST_ARM:
        return False
    ranks = pd.Series(values).rank().to_numpy()
    area = (ranks[arm].sum() - first * (first + 1) / 2) / (first * second)
    return max(area, 1 - area) > NEARLY_ALL


def _sizes(arms: Arms) -> tuple[int, int]:
    first = sum(arms.of_family.values())
    return first, len(arms.of_family) - first


def _families(frame: pd.DataFrame, arms: Arms) -> pd.Series | None:
    """The family of every row, by the column that most often holds the id of a family or a child."""
    best, most = None, 0
    for at in range(frame.shape[1]):
        # Keys of the lists of issues have the id first: C0009/V4.
        found = frame.iloc[:, at].str.split("/").str[0].map(arms.family_of)
        if (n := int(found.notna().sum())) > most:
            best, most = found, n
    return best if 2 * most >= len(frame) and most else None


def _foretells(cells: pd.Series, rows: pd.DataFrame, share: float) -> bool:
    """Whether having a value, or none, or a higher one, foretells the arm."""
    family, names = pd.factorize(rows["family"])
    arm = rows["arm"].to_numpy(bool)[np.unique(family, return_index=True)[1]]
    value, distinct = pd.factorize(cells)
    blank = cells.eq("").to_numpy(int)
    counts = [*_counts(family, value, arm, len(distinct)), *_counts(family, blank, arm, 2)]
    if any(is_one_arm(each, share) for each in counts):
        return True
    quantity = pd.DataFrame({"family": family, "value": _quantity(cells).to_numpy()}).dropna()
    first = quantity.drop_duplicates("family")
    return separates(first["value"].to_numpy(float), arm[first["family"]])


def _counts(family: np.ndarray, value: np.ndarray, arm: np.ndarray, n: int) -> list[tuple[int, int]]:
    """Families of either arm that have each of `n` values at least once."""
    pairs = np.unique(family.astype(np.int64) * n + value)
    of, has = np.divmod(pairs, n)
    first = np.bincount(has[arm[of]], minlength=n)
    second = np.bincount(has[~arm[of]], minlength=n)
    return list(zip(first.tolist(), second.tolist(), strict=True))


def _quantity(cells: pd.Series) -> pd.Series:
    """Cells as numbers, dates as year, month and day in one; missing where they are neither."""
    distinct = pd.Series(cells.unique(), dtype=object).astype(str)
    is_day = distinct.str.fullmatch(r"\d{4}-\d{2}-\d{2}").astype(bool)
    numbers = pd.to_numeric(distinct.where(~is_day, distinct.str.replace("-", "")), errors="coerce")
    return cells.map(dict(zip(distinct, numbers, strict=True))).astype(float)

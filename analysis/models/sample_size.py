"""The information that families bring, how many a design needs, and the power of its looks."""

from collections.abc import Sequence

import numpy as np

from analysis.models.looks import TWO_SIDED, spending_of
from analysis.spec.monitoring_entries import MonitoringAnalysis
from analysis.stats.sequential import crossing
from analysis.stats.spending import boundaries


def information_per_family(sd: float, icc: float, sizes: Sequence[float]) -> float:
    """Information on the difference between two equal arms that a family brings, on average.

    `sizes` are the shares of families with 1, 2, 3 ... children. A family of m children tells a mean as well
    as m / (1 + (m - 1) icc) single ones, and the variance of a difference of two halves of n is 4 sd^2 / n.

    Source
    ------
    Donner & Klar (2000), Design and Analysis of Cluster Randomization Trials in Health Research, chapter 5.
    """
    m = np.arange(1, len(sizes) + 1)
    return float((np.asarray(sizes) * m / (1 + (m - 1) * icc)).sum() / (4 * sd**2))


def families_needed(entry: MonitoringAnalysis, maximum: float) -> float:
    """Families with the outcome that have the maximum information, as the design assumes."""
    design = entry.design
    return maximum / information_per_family(design.sd, design.icc, design.family_sizes)


def power_with(entry: MonitoringAnalysis, information: float) -> float:
    """Power of the planned looks against the effect of the design, with so much information at the last."""
    fractions = np.array([each.fraction for each in entry.looks])
    made = boundaries(fractions, spending=spending_of(entry), alpha=entry.spending.alpha, sided=TWO_SIDED)
    found = crossing(made.critical, fractions * information, effect=entry.design.effect, sided=TWO_SIDED)
    return float(found.upper.sum() + found.lower.sum())

"""Gray's test of equal cumulative incidence in K groups, and its version that is robust to families."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analysis.errors import ModelError
from analysis.stats import gray_score
from analysis.stats.at_risk import BoolArray, FloatArray, IntArray, as_column, refuse_rows
from analysis.stats.influence import ChiSquare, cluster_covariance, wald_test
from analysis.stats.labels import Labels, as_labels, codes, encode

COMPETING = 2
# A variance of a score below this share of the number of events is rounding.
ROUNDING = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class GrayTest:
    """Gray's test of K groups.

    Attributes
    ----------
    groups : (K,)
        Labels of the groups, sorted.
    score : (K,)
        Weighted observed less expected events of the cause; they sum to 0.
    vcov_model, vcov_robust : (K, K)
        Gray's covariance of the scores, which takes subjects as independent, and the covariance robust to
        dependence within clusters.
    plain, robust : ChiSquare
        The test by either covariance; not-a-number where nothing can be compared (see `notes`).
    influence : (n, K)
        Infinitesimal-jackknife influence of each subject on the scores, in the caller's order.
    cluster : (n,) or None
        Labels of the independent units.
    n_events, n_clusters : int
        Events of the cause, and independent units.
    notes : tuple of str
        What a reader of the test must know.
    """

    groups: Labels
    score: FloatArray
    vcov_model: FloatArray
    vcov_robust: FloatArray
    plain: ChiSquare
    robust: ChiSquare
    influence: FloatArray
    cluster: Labels | None
    n_events: int
    n_clusters: int
    notes: tuple[str, ...]


def gray_test(
    time: ArrayLike,
    cause: ArrayLike,
    group: ArrayLike | Sequence[Hashable],
    *,
    cluster: ArrayLike | Sequence[Hashable] | None = None,
    strata: ArrayLike | Sequence[Hashable] | None = None,
    rho: float = 0.0,
    cause_of_interest: int = 1,
) -> GrayTest:
    """Test that groups have the same cumulative incidence of one cause, the other causes competing.

    Parameters
    ----------
    time, cause : (n,)
        Time of event or censoring; 0 when censored, else the number of the cause. A subject censored at an
        event time is still at risk at it.
    group : (n,)
        Labels of the groups compared.
    cluster : (n,), optional
        Labels of the independent units (families), which may span groups. Without them every subject is one.
    strata : (n,), optional
        Labels of strata (sites): groups are compared within strata and the scores summed.
    rho : float
        Power of (1 - pooled incidence) in the weight; above 0 early differences weigh more.
    cause_of_interest : int
        The cause compared.

    Returns
    -------
    GrayTest
        A group with nobody at risk at any event of the cause is left out of the test, and a note says so.

    Raises
    ------
    ModelError
        Naming the row: a value is missing or out of range; or there are fewer than two groups.

    Source
    ------
    Gray (1988), Ann. Stat. 16:1141; covariance as in R ``cmprsk``. Robust: infinitesimal jackknife of the
    score, cf. Chen, Kramer, Greene & Rosenberg (2008), Biometrics 64:172.
    """
    kind = causes(time, cause, cause_of_interest)
    times, n = np.asarray(time, dtype=np.float64), len(kind)
    of_group, groups = encode(as_labels(group, n=n, name="group"))
    if len(groups) < 2:
        raise ModelError("Gray's test compares groups, and there are fewer than two.")
    stratum = codes(strata, "strata", n)
    labels = None if cluster is None else as_labels(cluster, n=n, name="cluster")
    vcov, influence = np.zeros((len(groups),) * 2), np.zeros((n, len(groups)))
    score = np.zeros(len(groups))
    for code in range(stratum.max() + 1):
        rows = np.flatnonzero(stratum == code)
        counts = gray_score.counts_of(times[rows], kind[rows], of_group[rows], len(groups))
        curves = gray_score.curves_of(counts, rho)
        score += gray_score.score(counts, curves)
        vcov += gray_score.covariance(counts, curves)
        influence[rows] = gray_score.influence(counts, curves, rho)
    return _test(groups, score, vcov, influence, labels, int((kind == 1).sum()))


def causes(time: ArrayLike, cause: ArrayLike, cause_of_interest: int) -> IntArray:
    """0 for censored, 1 for the cause of interest and 2 for the others, (n,), with times and causes checked.

    Raises
    ------
    ModelError
        Naming the row: a time is missing or negative, or a cause is not a whole number from 0.
    """
    times = as_column(time, "time")
    refuse_rows(times < 0, "time must not be negative.")
    if not len(times):
        raise ModelError("there is no row to analyse.")
    column = as_column(cause, "cause", n=len(times))
    refuse_rows((column < 0) | (column != np.rint(column)), "cause must be a whole number from 0.")
    if cause_of_interest < 1:
        raise ModelError("the cause of interest must be numbered from 1; 0 is censoring.")
    return np.where(column == 0, 0, np.where(column == cause_of_interest, 1, COMPETING))


def _test(
    groups: Labels,
    score: FloatArray,
    vcov: FloatArray,
    influence: FloatArray,
    cluster: Labels | None,
    n_events: int,
) -> GrayTest:
    robust = cluster_covariance(influence, cluster)
    kept = np.diag(vcov) > ROUNDING * n_events
    units = len(influence) if cluster is None else len(encode(cluster)[1])
    return GrayTest(
        groups=groups,
        score=score,
        vcov_model=vcov,
        vcov_robust=robust,
        plain=_chi_square(score, vcov, kept),
        robust=_chi_square(score, robust, kept),
        influence=influence,
        cluster=cluster,
        n_events=n_events,
        n_clusters=units,
        notes=_notes(groups, vcov, kept, n_events, units),
    )


def _chi_square(score: FloatArray, vcov: FloatArray, kept: BoolArray) -> ChiSquare:
    if kept.sum() < 2:
        return ChiSquare(float("nan"), max(int(kept.sum()) - 1, 0), float("nan"))
    return wald_test(score[kept], vcov[np.ix_(kept, kept)])


def _notes(groups: Labels, vcov: FloatArray, kept: BoolArray, n_events: int, units: int) -> tuple[str, ...]:
    notes = []
    if not n_events:
        notes.append("no test: nobody has an event of the cause.")
    elif not np.isfinite(vcov).all():
        notes.append("no test: the pooled incidence reaches 1 before the last event of the cause.")
    elif kept.sum() < 2:
        notes.append("no test: fewer than two groups have somebody at risk at the same event of the cause.")
    elif not kept.all():
        absent = ", ".join(str(label) for label in groups[~kept])
        notes.append(f"left out, as nobody is at risk at an event of the cause: group(s) {absent}.")
    if units < 2:
        notes.append("no robust test: there is a single cluster.")
    return tuple(notes)

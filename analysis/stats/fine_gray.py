"""Proportional subdistribution hazards (Fine & Gray) with family-robust variance."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from analysis.errors import ModelError
from analysis.stats.at_risk import FloatArray, as_column, refuse_rows
from analysis.stats.gray import causes
from analysis.stats.hazards import design, notes_of_fit
from analysis.stats.influence import ChiSquare, Linear, cluster_covariance, wald_test
from analysis.stats.labels import Labels, as_labels, codes, encode
from analysis.stats.partial_likelihood import likelihood, maximise, refuse_collinear, score_residuals
from analysis.stats.subdistribution import SubdistributionSets, censoring_residuals, subdistribution_sets

WeightInfluence = Literal["martingale", "jackknife"]


@dataclass(frozen=True, slots=True, eq=False)
class FineGrayFit:
    """A fitted model of proportional subdistribution hazards with p covariates.

    Attributes
    ----------
    coef : (p,)
        Log subdistribution hazard ratios; infinite where the likelihood is monotone (see `notes`).
    vcov_model : (p, p)
        Inverse information, which takes the censoring weights as known and rows as independent.
    vcov_independent, vcov_robust : (p, p)
        Sandwich covariance with the weights estimated: of independent rows, and robust to dependence within
        clusters.
    loglik : (float, float)
        Log partial likelihood at 0 and at `coef`.
    influence : (n, p)
        Influence of each row on `coef`, in the caller's order.
    cluster : (n,) or None
        Labels of the independent units.
    n_rows, n_events, n_competing, n_clusters : int
        Rows, events of the cause, events of the other causes, independent units.
    notes : tuple of str
        What a reader of the estimates must know.
    """

    coef: FloatArray
    vcov_model: FloatArray
    vcov_independent: FloatArray
    vcov_robust: FloatArray
    loglik: tuple[float, float]
    influence: FloatArray
    cluster: Labels | None
    n_rows: int
    n_events: int
    n_competing: int
    n_clusters: int
    notes: tuple[str, ...]

    @property
    def linear(self) -> Linear:
        """The log ratios with their influence, to be combined with other estimates."""
        return Linear(self.coef, self.influence, self.cluster, self.notes)

    @property
    def likelihood_ratio(self) -> ChiSquare:
        """Pseudo likelihood-ratio test that all log ratios are 0: weights as known, rows as independent."""
        statistic = 2 * (self.loglik[1] - self.loglik[0])
        return ChiSquare(statistic, len(self.coef), float(chdtrc(len(self.coef), max(statistic, 0.0))))

    def wald_test(self, *, robust: bool = True) -> ChiSquare:
        """Wald test that all log ratios are 0."""
        return wald_test(self.coef, self.vcov_robust if robust else self.vcov_independent)


def fine_gray(
    time: ArrayLike,
    cause: ArrayLike,
    X: ArrayLike,
    *,
    cluster: ArrayLike | Sequence[Hashable] | None = None,
    strata: ArrayLike | Sequence[Hashable] | None = None,
    censoring_strata: ArrayLike | Sequence[Hashable] | None = None,
    entry: ArrayLike | None = None,
    cause_of_interest: int = 1,
    weight_influence: WeightInfluence = "martingale",
) -> FineGrayFit:
    """Log subdistribution hazard ratios of one cause, the other causes competing.

    Parameters
    ----------
    time, cause : (n,)
        Time of event or censoring; 0 when censored, else the number of the cause.
    X : (n, p)
        Covariates of each row, constant in time.
    cluster : (n,), optional
        Labels of the independent units (families). Without labels every row is a unit.
    strata : (n,), optional
        Labels of groups with a baseline subdistribution hazard of their own (sites).
    censoring_strata : (n,), optional
        Labels of groups with a censoring curve of their own. Without labels there is one curve, whatever the
        strata.
    entry : (n,), optional
        Times of entry, which must all be 0: weights for delayed entry are not implemented.
    cause_of_interest : int
        The cause modelled.
    weight_influence : {"martingale", "jackknife"}
        How the estimated censoring weights enter the influence: as published and as in R ``cmprsk``, or as
        the exact derivative in the case weights. The two agree as numbers at risk grow.

    Returns
    -------
    FineGrayFit
        A monotone likelihood (an arm without events of the cause) is fitted to its limit as by `cox`.

    Raises
    ------
    ModelError
        Naming the row: a value is missing or out of range, or a row enters late; or nobody has an event of
        the cause; or a covariate is a linear combination of others in every risk set.

    Source
    ------
    Fine & Gray (1999), J. Am. Stat. Assoc. 94:496; strata: Zhou, Latouche, Rocha & Fine (2011), Biometrics
    67:661; clusters: Zhou, Fine, Latouche & Labopin (2012), Biostatistics 13:371.
    """
    kind = causes(time, cause, cause_of_interest)
    n = len(kind)
    if weight_influence not in ("martingale", "jackknife"):
        raise ModelError(f"weight influence {weight_influence!r} is not known; use martingale or jackknife.")
    if entry is not None:
        late = as_column(entry, "entry", n=n) != 0
        refuse_rows(
            late, "it enters late, and the weights that a subdistribution hazard then needs are not here."
        )
    if not (kind == 1).any():
        raise ModelError(f"no row has an event of cause {cause_of_interest}, so the model is not defined.")
    sets = subdistribution_sets(
        np.asarray(time, dtype=np.float64),
        kind,
        design(X, n),
        stratum=codes(strata, "strata", n),
        group=codes(censoring_strata, "censoring_strata", n),
    )
    labels = None if cluster is None else as_labels(cluster, n=n, name="cluster")
    return _fit(sets, labels, weight_influence == "jackknife", int((kind == 2).sum()))


def _fit(sets: SubdistributionSets, cluster: Labels | None, jackknife: bool, n_competing: int) -> FineGrayFit:
    null = likelihood(sets, np.zeros(sets.X.shape[1]))
    refuse_collinear(sets, null)
    beta, at, endless = maximise(sets, null)
    beta[endless] = np.sign(beta[endless]) * np.inf
    free = np.ix_(~endless, ~endless)
    vcov = np.full((len(beta),) * 2, np.nan)
    vcov[free] = np.linalg.inv(at.information[free])
    residual = score_residuals(sets, at) + censoring_residuals(sets, at, jackknife=jackknife)
    influence = np.empty_like(residual)
    influence[sets.order] = residual @ np.where(np.isnan(vcov), 0.0, vcov)
    influence[:, endless] = np.nan
    units = len(influence) if cluster is None else len(encode(cluster)[1])
    return FineGrayFit(
        coef=beta,
        vcov_model=vcov,
        vcov_independent=cluster_covariance(influence),
        vcov_robust=cluster_covariance(influence, cluster),
        loglik=(null.loglik, at.loglik),
        influence=influence,
        cluster=cluster,
        n_rows=len(influence),
        n_events=len(sets.dead),
        n_competing=n_competing,
        n_clusters=units,
        notes=notes_of_fit(endless, units),
    )

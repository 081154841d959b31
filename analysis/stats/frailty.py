"""Cox model with a gamma frailty shared within clusters, by penalised partial likelihood.

With nu = 1 / theta and frailty exp(w) of a cluster, the penalty nu (w - exp(w) + 1) makes the maximum over w
equal, but for a term in theta alone, to the likelihood with the frailties integrated out. Maximum, curvature
and profile over theta are therefore those of the marginal likelihood (exactly so under Breslow's rule).
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import chdtrc, chdtri, digamma, gammaln

from analysis.errors import ModelError
from analysis.stats.at_risk import FloatArray
from analysis.stats.hazards import Ties, cox
from analysis.stats.intervals import Interval
from analysis.stats.labels import Labels, as_labels, encode
from analysis.stats.penalised_likelihood import Clusters, Point, maximise_penalised, penalised

# Values of theta at which the slope of the likelihood is looked up to enclose its maximum.
GRID = (1 / 16, 1 / 4, 1.0, 4.0, 16.0, 64.0, 256.0)
SMALLEST, LARGEST = 1e-5, 1e5
# A fall of the log likelihood from theta = 0 after which no later rise is looked for.
FALLEN = 5.0
# Relative precision of the limits of theta.
CLOSE = 1e-6
# Relative step of the numerical second derivative in theta.
THETA_STEP = 1e-4
BOUNDARY = (
    "the frailty variance is estimated as 0, the edge of its range: the log hazard ratios are those of the "
    "ordinary Cox model."
)


@dataclass(frozen=True, slots=True, eq=False)
class FrailtyFit:
    """A Cox model with p covariates and a gamma frailty of mean 1 and variance theta.

    Attributes
    ----------
    coef : (p,)
        Log hazard ratios between children of equal frailty, not averages over families.
    vcov : (p, p)
        Their covariance, the estimation of theta included.
    vcov_given_theta : (p, p)
        The same with theta taken as known, as R prints it.
    theta, theta_interval
        Variance of the frailty, and its profile-likelihood limits.
    kendall_tau, kendall_tau_interval
        theta / (theta + 2): concordance of two times of one cluster.
    loglik : (float, float, float)
        Log likelihood with all log hazard ratios and theta 0, with theta 0, and at the maximum, frailties
        integrated out.
    frailty_p : float
        Likelihood-ratio test of theta = 0 by the even mixture of chi-square with 0 and 1 degree of freedom.
    cluster : (G,)
        Labels of the clusters, sorted.
    frailty : (G,)
        Posterior mean frailty of each cluster.
    n_rows, n_events, n_clusters : int
        Rows, events and clusters.
    ties : str
        How tied deaths enter: ``efron`` or ``breslow``.
    notes : tuple of str
        What a reader of the estimates must know.
    """

    coef: FloatArray
    vcov: FloatArray
    vcov_given_theta: FloatArray
    theta: float
    theta_interval: Interval
    loglik: tuple[float, float, float]
    cluster: Labels
    frailty: FloatArray
    n_rows: int
    n_events: int
    n_clusters: int
    ties: Ties
    notes: tuple[str, ...]

    @property
    def likelihood_ratio(self) -> float:
        """Twice the log likelihood gained by the frailty."""
        return max(2 * (self.loglik[2] - self.loglik[1]), 0.0)

    @property
    def frailty_p(self) -> float:
        """Likelihood-ratio test of theta = 0; theta = 0 lies on the boundary (Self & Liang 1987)."""
        return float(chdtrc(1, self.likelihood_ratio)) / 2 if self.theta > 0 else 1.0

    @property
    def kendall_tau(self) -> float:
        """Concordance of two times of one cluster."""
        return self.theta / (self.theta + 2)

    @property
    def kendall_tau_interval(self) -> Interval:
        """Profile limits of Kendall's tau."""
        low, high = (
            np.divide(each, each + 2) for each in (self.theta_interval.low, self.theta_interval.high)
        )
        return Interval(low, high, self.theta_interval.level)


def gamma_frailty(
    start: ArrayLike | None,
    stop: ArrayLike,
    event: ArrayLike,
    X: ArrayLike,
    *,
    cluster: ArrayLike | Sequence[Hashable],
    strata: ArrayLike | Sequence[Hashable] | None = None,
    ties: Ties = "efron",
    level: float = 0.95,
) -> FrailtyFit:
    """Log hazard ratios given a gamma frailty shared within clusters, and the variance of the frailty.

    Parameters
    ----------
    start, stop, event, X, cluster, strata, ties
        As in `cox`. With late entry the frailty is taken to have mean 1 among those who enter.
    level : float
        Coverage of the limits of theta.

    Returns
    -------
    FrailtyFit
        Where the likelihood is highest without a frailty, theta is 0 and the coefficients are those of `cox`,
        with a note.

    Raises
    ------
    ModelError
        As in `cox`; if a log hazard ratio is infinite; if there is a single cluster; or if the likelihood
        rises with theta without bound.

    Source
    ------
    Nielsen et al. (1992), Scand. J. Statist. 19:25; Therneau, Grambsch & Pankratz (2003), J. Comput. Graph.
    Statist. 12:156; R ``survival``, ``frailty(id, distribution = "gamma")``.
    """
    if not 0 < level < 1:
        raise ModelError("the level of an interval must lie between 0 and 1.")
    plain = cox(start, stop, event, X, cluster=cluster, strata=strata, ties=ties)
    labels = as_labels(cluster, n=plain.n_rows, name="cluster")
    if not np.isfinite(plain.coef).all():
        raise ModelError(
            "a frailty model needs finite log hazard ratios; leave out the column without maximum."
        )
    if plain.n_clusters < 2:
        raise ModelError("a frailty needs at least two clusters.")
    code, levels = encode(labels)
    sets = plain.risk_sets
    rows = code[sets.order]
    deaths = np.bincount(rows[sets.dead], minlength=len(levels)).astype(float)
    profile = _Profile(Clusters(sets, rows, deaths), plain.coef)
    theta = profile.maximum()
    vcov_given_theta, vcov = profile.covariances(theta)
    point = profile.point(theta)
    return FrailtyFit(
        coef=point.beta if theta else plain.coef,
        vcov=vcov,
        vcov_given_theta=vcov_given_theta,
        theta=theta,
        theta_interval=Interval(*np.float64(profile.limits(theta, level)), level),
        loglik=(plain.loglik[0], plain.loglik[1], profile.value(theta)),
        cluster=levels,
        frailty=np.exp(point.w),
        n_rows=plain.n_rows,
        n_events=plain.n_events,
        n_clusters=len(levels),
        ties=ties,
        notes=() if theta else (BOUNDARY,),
    )


class _Profile:
    """Log likelihood of theta, maximised over all else; each search begins where the last one ended."""

    def __init__(self, clusters: Clusters, beta: FloatArray) -> None:
        self.clusters = clusters
        self.without = self.last = penalised(clusters, 0.0, beta, np.zeros(len(clusters.deaths)))

    def point(self, theta: float) -> Point:
        if theta == 0:
            return self.without
        if self.last.nu != 1 / theta:
            self.last = maximise_penalised(self.clusters, 1 / theta, self.last.beta, self.last.w)
        return self.last

    def value(self, theta: float) -> float:
        """The log likelihood with the frailties integrated out."""
        point, deaths = self.point(theta), self.clusters.deaths
        if theta == 0:
            return point.value
        nu = point.nu
        rise = gammaln(nu + deaths) - gammaln(nu) - deaths * np.log(nu + deaths)
        return point.value + float((deaths - nu * np.log1p(deaths / nu) + rise).sum())

    def slope(self, theta: float) -> float:
        """Derivative of `value` in theta; what is maximised over does not contribute."""
        point, deaths = self.point(theta), self.clusters.deaths
        if theta == 0:
            return float(((deaths - point.expected) ** 2 - deaths).sum() / 2)
        nu, w = point.nu, point.w
        terms = w - np.expm1(w) - np.log1p(deaths / nu) + digamma(nu + deaths) - digamma(nu)
        return float(-(nu**2) * terms.sum())

    def maximum(self) -> float:
        """The theta of highest likelihood; 0 where no frailty raises it."""
        rising = 0.0 if self.slope(0.0) > 0 else None
        for theta in GRID:
            if self.slope(theta) > 0:
                rising = theta
            elif rising is not None:
                return self._between(max(rising, SMALLEST), theta)
            elif self.value(theta) < self.value(0.0) - FALLEN:
                return 0.0
        if rising is not None:
            raise ModelError("the frailty variance has no finite estimate: the likelihood keeps rising.")
        return 0.0

    def _between(self, low: float, high: float) -> float:
        if self.slope(low) <= 0:
            return 0.0
        theta = float(brentq(self.slope, low, high, xtol=1e-10, rtol=1e-10))
        return theta if self.value(theta) > self.value(0.0) else 0.0

    def limits(self, theta: float, level: float) -> tuple[float, float]:
        """Where the log likelihood lies half a chi-square quantile below its maximum; 0 if it never does."""
        target = self.value(theta) - chdtri(1, 1 - level) / 2

        def excess(other: float) -> float:
            return self.value(other) - target

        low = 0.0 if theta == 0 or excess(0.0) >= 0 else brentq(excess, 0.0, theta, rtol=CLOSE)
        high = max(2 * theta, GRID[0])
        while excess(high) > 0:
            high *= 2
            if high > LARGEST:
                return low, np.inf
        return low, brentq(excess, max(theta, SMALLEST), high, rtol=CLOSE)

    def covariances(self, theta: float) -> tuple[FloatArray, FloatArray]:
        """Covariance of beta, (p, p), with theta taken as known and with theta estimated."""
        point = self.point(theta)
        if theta == 0:
            return (np.linalg.inv(point.at.information),) * 2
        away = np.expm1(point.w)
        information, slope, _ = point.reduced(away)
        known = np.linalg.inv(information)
        along = -(point.nu**2) * known @ (slope.T @ away)
        step = THETA_STEP * theta
        curvature = (self.slope(theta - step) - self.slope(theta + step)) / (2 * step)
        return known, known + np.outer(along, along) / curvature

"""Gray's score and the Fine-Gray model a second time, by loops over times and rows, with case weights.

Written from Gray (1988), Fine & Gray (1999) and Zhou et al. (2012); it shares no code and no arrangement of
the formulas with `analysis.stats`. Case weights are here so that an influence can be found as a numerical
derivative.
"""

import numpy as np


def gray_score(time, kind, group, *, weight=None, stratum=None, rho=0.0):
    """Scores of all groups; `kind` is 0 censored, 1 the cause, 2 another cause."""
    weight = np.ones(len(time)) if weight is None else weight
    stratum = np.zeros(len(time)) if stratum is None else stratum
    return sum(
        _gray_score(*(each[stratum == s] for each in (time, kind, group, weight)), np.unique(group), rho)
        for s in np.unique(stratum)
    )


def _gray_score(time, kind, group, weight, groups, rho):
    survival, incidence = ({g: first for g in groups} for first in (1.0, 0.0))
    pooled, score = 0.0, np.zeros(len(groups))
    for t in np.unique(time[kind > 0]):
        at_risk = {g: weight[(group == g) & (time >= t)].sum() for g in groups}
        events = {g: weight[(group == g) & (time == t) & (kind == 1)].sum() for g in groups}
        ended = {g: weight[(group == g) & (time == t) & (kind > 0)].sum() for g in groups}
        present = [g for g in groups if ((group == g) & (time >= t)).any()]
        share = {g: at_risk[g] * (1 - incidence[g]) / survival[g] for g in present}
        scale = sum(at_risk[g] / survival[g] for g in present)
        total = sum(events.values())
        for place, g in enumerate(groups):
            expected = total * share.get(g, 0.0) / sum(share.values())
            score[place] += (1 - pooled) ** rho * (events[g] - expected)
        for g in present:
            incidence[g] += survival[g] * events[g] / at_risk[g]
            survival[g] *= 1 - ended[g] / at_risk[g]
        pooled += total / scale
    return score


class FineGray:
    """The model of one data set; `weight` are case weights, `stratum` baseline, `group` censoring strata."""

    def __init__(self, time, kind, X, *, weight=None, stratum=None, group=None):
        n = len(time)
        self.time, self.kind, self.X = time, kind, X
        self.weight = np.ones(n) if weight is None else weight
        self.stratum = np.zeros(n) if stratum is None else stratum
        self.group = np.zeros(n) if group is None else group
        self.events = [i for i in range(n) if kind[i] == 1]
        self.W = np.array([[self.at_risk_weight(j, i) for i in self.events] for j in range(n)])

    def censoring_before(self, t, group):
        """Kaplan-Meier curve of censoring just before t."""
        value = 1.0
        rows = self.group == group
        if t > self.time[rows].max():
            return 0.0
        for u in np.unique(self.time[rows & (self.kind == 0)]):
            if u < t:
                at_risk = self.weight[rows & (self.time >= u)].sum()
                value *= 1 - self.weight[rows & (self.time == u) & (self.kind == 0)].sum() / at_risk
        return value

    def at_risk_weight(self, j, i):
        """Weight of row j in the risk set at the event of row i."""
        if self.stratum[j] != self.stratum[i]:
            return 0.0
        if self.time[j] >= self.time[i]:
            return 1.0
        if self.kind[j] != 2:
            return 0.0
        now, then = (self.censoring_before(self.time[k], self.group[j]) for k in (i, j))
        return now / then

    def moments(self, beta):
        """Sums S0 (E,) and means (E, p) of the risk set at each event, with exp(x'b) of each row."""
        risk = np.exp(self.X @ beta)
        total = (self.weight * risk) @ self.W
        return risk, total, ((self.weight * risk)[:, None] * self.X).T @ self.W / total

    def score(self, beta):
        """First derivative and minus the second of the log partial likelihood."""
        risk, total, mean = self.moments(beta)
        U, information = np.zeros(len(beta)), np.zeros((len(beta),) * 2)
        for e, i in enumerate(self.events):
            U += self.weight[i] * (self.X[i] - mean[:, e])
            for j in range(len(self.time)):
                away = self.X[j] - mean[:, e]
                share = self.weight[j] * risk[j] * self.W[j, e] / total[e]
                information += self.weight[i] * share * np.outer(away, away)
        return U, information

    def fit(self):
        beta = np.zeros(self.X.shape[1])
        for _ in range(30):
            U, information = self.score(beta)
            step = np.linalg.solve(information, U)
            beta = beta + step
            if np.abs(step).max() < 1e-13:
                break
        return beta

    def variance(self, beta, cluster):
        """Zhou et al. (2012): sandwich of the cluster sums of eta + psi, for rows of weight 1."""
        risk, total, mean = self.moments(beta)
        n, p = self.X.shape
        residual = np.zeros((n, p))
        for i in range(n):
            for e, k in enumerate(self.events):
                dM = (i == k) - self.W[i, e] * risk[i] / total[e]
                residual[i] += (self.X[i] - mean[:, e]) * dM
        for u in np.unique(self.time[self.kind == 0]):
            for g in np.unique(self.group):
                residual += self._censoring_part(u, g, risk, total, mean)
        meat = np.zeros((p, p))
        for c in np.unique(cluster):
            whole = residual[cluster == c].sum(axis=0)
            meat += np.outer(whole, whole)
        bread = np.linalg.inv(self.score(beta)[1])
        return bread @ meat @ bread

    def _censoring_part(self, u, g, risk, total, mean):
        """psi at one censoring time: q(u) / pi(u) dM^c_i(u) for every row i of group g."""
        rows = self.group == g
        at_risk = rows & (self.time >= u)
        censored = rows & (self.time == u) & (self.kind == 0)
        if not censored.any():
            return np.zeros_like(self.X)
        q = np.zeros(self.X.shape[1])
        for j in np.flatnonzero(rows & (self.kind == 2) & (self.time < u)):
            for e, k in enumerate(self.events):
                if self.time[k] >= u:
                    q -= (self.X[j] - mean[:, e]) * self.W[j, e] * risk[j] / total[e]
        dM = censored.astype(float) - at_risk * censored.sum() / at_risk.sum()
        return -np.outer(dM, q) / at_risk.sum()


def derivative(function, n, step=1e-5):
    """Central difference of `function(weight)` in the weight of each of n rows, around 1; (n, q)."""
    rows = []
    for i in range(n):
        up, down = np.ones(n), np.ones(n)
        up[i], down[i] = 1 + step, 1 - step
        rows.append((function(up) - function(down)) / (2 * step))
    return np.array(rows)

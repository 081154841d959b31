"""Risk sets of Cox's partial likelihood: which rows are at risk at each death time of each stratum.

Sums over risk sets, and sums over the sets of a row, are running sums within strata. A sum never runs across
strata and has to be taken out again, and only rows that enter late are subtracted, so sums keep their digits.
"""

import itertools
from dataclasses import dataclass

import numpy as np

from analysis.stats.at_risk import BoolArray, FloatArray, IntArray, risk_window

# A difference of sums below this share of the first sum is not trusted.
LOST_DIGITS = 1e-8


@dataclass(frozen=True, slots=True, eq=False)
class Suffix:
    """Rows whose position exceeds that of each set, within strata.

    Attributes
    ----------
    row : (k,)
        Rows by stratum, and by descending position within it.
    bounds : (strata + 1,)
        Where the strata begin in `row`.
    last : (m,)
        Place in `row` of the last row that counts for each set.
    some : (m,)
        Whether any row counts.
    """

    row: IntArray
    bounds: IntArray
    last: IntArray
    some: BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class RiskSets:
    """n rows in canonical order, and the m sets of rows at risk at the death times of each stratum.

    Attributes
    ----------
    order : (n,)
        Caller's row number of each row.
    X : (n, p)
        Covariates less their weighted mean in the stratum.
    event, weight, stratum : (n,)
        Whether the row ends in an event; its case weight; its stratum code.
    lo, hi : (n,)
        The row is at risk in sets lo ... hi - 1; a row with an event dies in set hi - 1.
    time : (m,)
        Death time of each set, increasing within stratum.
    bounds : (strata + 1,)
        Where the strata begin among the sets.
    dead : (D,)
        Rows with an event, by set.
    term : (D,)
        Set of each term of the likelihood; there are as many terms as deaths.
    fraction, death_weight : (D,)
        Share of the dying already taken out of the set, and mean weight of the dying.
    first_term, deaths : (m,)
        First term and number of terms of each set.
    leaving, entering : Suffix
        Rows that have not left, and rows among those entering late that have not entered, by each set.
    """

    order: IntArray
    X: FloatArray
    event: BoolArray
    weight: FloatArray
    stratum: IntArray
    lo: IntArray
    hi: IntArray
    time: FloatArray
    bounds: IntArray
    dead: IntArray
    term: IntArray
    fraction: FloatArray
    death_weight: FloatArray
    first_term: IntArray
    deaths: IntArray
    leaving: Suffix
    entering: Suffix

    def over_rows(self, values: FloatArray) -> FloatArray:
        """Sum of row values (n, r) over each risk set, (m, r): rows not yet left, less rows not yet entered.

        The first column must be positive. It is not-a-number where the difference has lost its digits, which
        happens only far out on a likelihood without maximum; the search for the maximum stops there.
        """
        total = _beyond(self.leaving, values)
        if len(self.entering.row):
            some = self.entering.some
            before = total[some, 0]
            total[some] -= _beyond(self.entering, values)
            total[some, 0] = np.where(total[some, 0] > LOST_DIGITS * before, total[some, 0], np.nan)
        return total

    def over_sets(self, terms: FloatArray) -> FloatArray:
        """Sum of term values (D, r) over the sets where each row is at risk, (n, r).

        A dying row takes part in each term of its set only by the share that is still in the set.
        """
        running = np.zeros((len(self.time) + len(self.bounds) - 1, terms.shape[1]))
        per_set = np.add.reduceat(terms, self.first_term, axis=0)
        for code, (first, end) in enumerate(itertools.pairwise(self.bounds)):
            np.cumsum(per_set[first:end], axis=0, out=running[first + code + 1 : end + code + 1])
        collected = running[self.hi + self.stratum] - running[self.lo + self.stratum]
        taken_out = np.add.reduceat(terms * self.fraction[:, None], self.first_term, axis=0)
        collected[self.dead] -= taken_out[self.term]
        return collected


def risk_sets(
    start: FloatArray,
    stop: FloatArray,
    event: BoolArray,
    X: FloatArray,
    *,
    weight: FloatArray,
    stratum: IntArray,
    efron: bool,
) -> RiskSets:
    """Rows sorted for the partial likelihood; the same for every order in which they are given."""
    time, bounds, lo, hi = _death_sets(start, stop, event, stratum)
    order = np.lexsort((*X.T, weight, event, lo, -hi, stratum))
    event, weight, lo, hi, stratum = event[order], weight[order], lo[order], hi[order], stratum[order]
    dead = np.flatnonzero(event)
    dead = dead[np.argsort(hi[dead], kind="stable")]
    term = hi[dead] - 1
    first_term = np.searchsorted(term, np.arange(len(time)))
    deaths = np.diff(first_term, append=len(term))
    place = np.arange(len(term)) - first_term[term]
    late = np.flatnonzero(lo > bounds[stratum])
    return RiskSets(
        order=order,
        X=_centred(X[order], weight, stratum),
        event=event,
        weight=weight,
        stratum=stratum,
        lo=lo,
        hi=hi,
        time=time,
        bounds=bounds,
        dead=dead,
        term=term,
        fraction=place / deaths[term] if efron else np.zeros(len(term)),
        death_weight=(np.add.reduceat(weight[dead], first_term) / deaths)[term],
        first_term=first_term,
        deaths=deaths,
        leaving=_suffix(np.arange(len(hi)), hi, stratum, bounds),
        entering=_suffix(late[np.lexsort((-lo[late], stratum[late]))], lo, stratum, bounds),
    )


def _death_sets(
    start: FloatArray, stop: FloatArray, event: BoolArray, stratum: IntArray
) -> tuple[FloatArray, IntArray, IntArray, IntArray]:
    """Times of the sets, where the strata begin among them, and the window of sets of each row."""
    lo, hi = np.zeros(len(stop), dtype=np.int64), np.zeros(len(stop), dtype=np.int64)
    times: list[FloatArray] = []
    bounds = [0]
    order = np.argsort(stratum, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(stratum[order])) + 1):
        times.append(np.unique(stop[rows][event[rows]]))
        first, last = risk_window(start[rows], stop[rows], times[-1])
        lo[rows], hi[rows] = bounds[-1] + first, bounds[-1] + last
        bounds.append(bounds[-1] + len(times[-1]))
    return np.concatenate(times), np.array(bounds), lo, hi


def _centred(X: FloatArray, weight: FloatArray, stratum: IntArray) -> FloatArray:
    # The partial likelihood does not change, and differences of sums keep their digits.
    total = np.bincount(stratum, weights=weight)
    means = [np.bincount(stratum, weights=weight * column) / total for column in X.T]
    return X - np.column_stack(means)[stratum]


def _suffix(row: IntArray, position: IntArray, stratum: IntArray, set_bounds: IntArray) -> Suffix:
    bounds = np.searchsorted(stratum[row], np.arange(len(set_bounds)))
    sets = np.arange(set_bounds[-1])
    parts = zip(itertools.pairwise(bounds), itertools.pairwise(set_bounds), strict=True)
    count = [
        np.searchsorted(-position[row[first:end]], -sets[begin:stop], side="left")
        for (first, end), (begin, stop) in parts
    ]
    counts = np.concatenate(count)
    last = np.repeat(bounds[:-1], np.diff(set_bounds)) + counts - 1
    return Suffix(row=row, bounds=bounds, last=last, some=counts > 0)


def _beyond(suffix: Suffix, values: FloatArray) -> FloatArray:
    """Sum of row values over the rows that count, for each set that has any."""
    running = values[suffix.row]
    for first, end in itertools.pairwise(suffix.bounds):
        np.cumsum(running[first:end], axis=0, out=running[first:end])
    return running[suffix.last[suffix.some]]

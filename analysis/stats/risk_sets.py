"""Risk sets of Cox's partial likelihood: which rows are at risk at each death time of each stratum.

Sums over risk sets, and sums over the sets of a row, are running sums within strata. A sum never runs across
strata and has to be taken out again, and only rows that enter late are subtracted, so sums keep their digits.
"""

import itertools
from dataclasses import dataclass

import numpy as np

from analysis.stats.at_risk import BoolArray, FloatArray, IntArray

# A difference of sums below this share of the first sum is not trusted.
LOST_DIGITS = 1e-8


@dataclass(frozen=True, slots=True, eq=False)
class Suffix:
    """Rows whose position exceeds that of each set, within strata.

    Attributes
    ----------
    row : (k,)
        Rows by stratum, and by descending position within it.
    blocks : tuple of slice
        Places in `row` of each stratum.
    some : (k',)
        Sets for which any row counts.
    last : (k',)
        Place in `row` of the last row that counts for them.
    """

    row: IntArray
    blocks: tuple[slice, ...]
    some: IntArray
    last: IntArray


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
    blocks : tuple of slice
        The sets of each stratum.
    dead : (D,)
        Rows with an event, by set.
    term : (D,)
        Set of each term of the likelihood; there are as many terms as deaths.
    fraction, death_weight : (D,)
        Share of the dying already taken out of the set, and mean weight of the dying.
    first_term, deaths : (m,)
        First term and number of terms of each set.
    tied : bool
        Whether some term takes dying rows out of its set.
    observed : (p,)
        Weighted sum of the covariates of the dying.
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
    blocks: tuple[slice, ...]
    dead: IntArray
    term: IntArray
    fraction: FloatArray
    death_weight: FloatArray
    first_term: IntArray
    deaths: IntArray
    tied: bool
    observed: FloatArray
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

    def over_terms(self, values: FloatArray, *, fraction: FloatArray | None = None) -> FloatArray:
        """Sum of row values (n, r) over what each term of the likelihood compares, (D, r).

        `fraction`, (D, r), replaces that of the risk sets.
        """
        total = self.over_rows(values).take(self.term, axis=0)
        if self.tied:
            dying = np.add.reduceat(values.take(self.dead, axis=0), self.first_term, axis=0)
            shares = self.fraction[:, None] if fraction is None else fraction
            total -= shares * dying.take(self.term, axis=0)
        return total

    def over_sets(self, terms: FloatArray, *, fraction: FloatArray | None = None) -> FloatArray:
        """Sum of term values (D, r) over the sets where each row is at risk, (n, r).

        A dying row takes part in each term of its set only by the share that is still in the set. `fraction`,
        (D, r), replaces that of the risk sets.
        """
        running = np.zeros((len(self.time) + len(self.blocks), terms.shape[1]))
        per_set = np.add.reduceat(terms, self.first_term, axis=0)
        for code, block in enumerate(self.blocks):
            after = slice(block.start + code + 1, block.stop + code + 1)
            np.add.accumulate(per_set[block], axis=0, out=running[after])
        collected = running.take(self.hi + self.stratum, axis=0)
        if len(self.entering.row):
            collected -= running.take(self.lo + self.stratum, axis=0)
        if self.tied:
            shares = self.fraction[:, None] if fraction is None else fraction
            taken_out = np.add.reduceat(terms * shares, self.first_term, axis=0)
            collected[self.dead] -= taken_out.take(self.term, axis=0)
        return collected


def risk_sets(
    start: FloatArray | None,
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
    position = _descending(hi, stratum, bounds)
    order = np.lexsort((*X.T, weight, event + 2 * (lo + (len(time) + 1) * position)))
    event, weight, lo, hi, stratum = (each[order] for each in (event, weight, lo, hi, stratum))
    dead = np.flatnonzero(event)
    dead = dead[np.argsort(hi[dead], kind="stable")]
    term = hi[dead] - 1
    deaths = np.bincount(term)
    first_term = np.cumsum(deaths) - deaths
    place = np.arange(len(term)) - first_term[term]
    late = np.flatnonzero(lo > bounds[stratum])
    late = late[np.argsort(_descending(lo[late], stratum[late], bounds), kind="stable")]
    centred = _centred(X[order], weight, stratum)
    return RiskSets(
        order=order,
        X=centred,
        event=event,
        weight=weight,
        stratum=stratum,
        lo=lo,
        hi=hi,
        time=time,
        blocks=_blocks(bounds),
        dead=dead,
        term=term,
        fraction=place / deaths[term] if efron else np.zeros(len(term)),
        death_weight=(np.add.reduceat(weight[dead], first_term) / deaths)[term],
        first_term=first_term,
        deaths=deaths,
        tied=efron and len(term) > len(time),
        observed=weight[dead] @ centred[dead],
        leaving=_suffix(np.arange(len(hi)), hi, stratum, bounds),
        entering=_suffix(late, lo[late], stratum[late], bounds),
    )


def _death_sets(
    start: FloatArray | None, stop: FloatArray, event: BoolArray, stratum: IntArray
) -> tuple[FloatArray, IntArray, IntArray, IntArray]:
    """Times of the sets, where the strata begin among them, and the window of sets of each row."""
    order = np.lexsort((stop, stratum))
    times, strata = stop[order], stratum[order]
    new = np.ones(len(stop), dtype=bool)
    new[1:] = (times[1:] != times[:-1]) | (strata[1:] != strata[:-1])
    first = np.flatnonzero(new)
    deadly = np.logical_or.reduceat(event[order], first)
    hi = np.empty(len(stop), dtype=np.int64)
    hi[order] = np.cumsum(deadly)[np.cumsum(new) - 1]
    time, of_set = times[first[deadly]], strata[first[deadly]]
    bounds = np.searchsorted(of_set, np.arange(strata[-1] + 2))
    if start is None:
        return time, bounds, bounds[stratum], hi
    levels = np.unique(time)
    key = of_set * (len(levels) + 1) + np.searchsorted(levels, time, side="right")
    entry = stratum * (len(levels) + 1) + np.searchsorted(levels, start, side="right")
    return time, bounds, np.searchsorted(key, entry, side="right"), hi


def _descending(position: IntArray, stratum: IntArray, set_bounds: IntArray) -> IntArray:
    """A number that grows with the stratum, and within it as the position among the sets falls."""
    return set_bounds[stratum] + set_bounds[stratum + 1] - position + stratum


def _centred(X: FloatArray, weight: FloatArray, stratum: IntArray) -> FloatArray:
    # The partial likelihood does not change, and differences of sums keep their digits.
    total = np.bincount(stratum, weights=weight)
    means = [np.bincount(stratum, weights=weight * column) / total for column in X.T]
    return X - np.column_stack(means)[stratum]


def _suffix(row: IntArray, position: IntArray, stratum: IntArray, set_bounds: IntArray) -> Suffix:
    """The rows `row`, sorted by stratum and descending position, as summed for each set."""
    if not len(row):
        return Suffix(row=row, blocks=(), some=row, last=row)
    of_set = np.repeat(np.arange(len(set_bounds) - 1), np.diff(set_bounds))
    bounds = np.searchsorted(stratum, np.arange(len(set_bounds)))
    nearest = _descending(np.arange(set_bounds[-1]) + 1, of_set, set_bounds)
    counts = np.searchsorted(_descending(position, stratum, set_bounds), nearest, side="right")
    some = np.flatnonzero(counts > bounds[of_set])
    return Suffix(row=row, blocks=_blocks(bounds), some=some, last=counts[some] - 1)


def _blocks(bounds: IntArray) -> tuple[slice, ...]:
    return tuple(itertools.starmap(slice, itertools.pairwise(bounds.tolist())))


def _beyond(suffix: Suffix, values: FloatArray) -> FloatArray:
    """Sum of row values over the rows that count, for each set that has any."""
    running = values.take(suffix.row, axis=0)
    for block in suffix.blocks:
        np.add.accumulate(running[block], axis=0, out=running[block])
    return running.take(suffix.last, axis=0)

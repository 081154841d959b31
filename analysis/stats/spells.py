"""Spells of a multi-state history: rows (subject, start, stop, source, target), checked and sorted."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from analysis.errors import ModelError
from analysis.stats.at_risk import (
    BoolArray,
    FloatArray,
    IntArray,
    as_column,
    as_intervals,
    as_states,
    as_weights,
    refuse_rows,
)
from analysis.stats.labels import Labels, as_labels, encode

CENSORED = -1


@dataclass(frozen=True, slots=True, eq=False)
class Spells:
    """R rows of n subjects, sorted by subject and time.

    Attributes
    ----------
    subject : (R,)
        Position of the row's subject among `subjects`.
    start, stop : (R,)
        The row is observed in (start, stop].
    source, target : (R,)
        State held, and state entered at `stop`, or `CENSORED`.
    weight : (R,)
        Case weights.
    subjects : (n,)
        Labels of the subjects, sorted.
    cluster : (n,) or None
        Label of each subject's independent unit.
    """

    subject: IntArray
    start: FloatArray
    stop: FloatArray
    source: IntArray
    target: IntArray
    weight: FloatArray
    subjects: Labels
    cluster: Labels | None

    @property
    def is_move(self) -> BoolArray:
        """Whether each row ends in a change of state, (R,)."""
        return (self.target != CENSORED) & (self.target != self.source)

    @property
    def moves(self) -> IntArray:
        """Rows that end in a change of state."""
        return np.flatnonzero(self.is_move)

    @property
    def first(self) -> IntArray:
        """First row of each subject, (n,)."""
        return np.flatnonzero(np.diff(self.subject, prepend=-1))


def read_spells(
    subject: ArrayLike | Sequence[Hashable],
    start: ArrayLike,
    stop: ArrayLike,
    source: ArrayLike,
    target: ArrayLike,
    n_states: int,
    *,
    cluster: ArrayLike | Sequence[Hashable] | None = None,
    weights: ArrayLike | None = None,
) -> Spells:
    """Rows of a multi-state history as `aalen_johansen` needs them.

    Parameters
    ----------
    subject : (R,)
        Hashable labels.
    start, stop : (R,)
        Interval of each row, in one unit of time. Gaps between rows of a subject mean time not observed.
    source, target : (R,)
        States 0 ... n_states - 1; `target` may be `CENSORED` (-1). A row whose target is its source goes on.
    n_states : int
        Number of states.
    cluster, weights : (R,), optional
        Cluster labels, constant within subject; positive case weights.

    Raises
    ------
    ModelError
        Naming the row: a value is missing or out of range, start >= stop, intervals of a subject overlap, a
        row starts at the moment the row before ended but in another state than that one entered, or the
        cluster changes within a subject.
    """
    starts, stops = as_intervals(start, stop)
    n = len(stops)
    if n_states < 1:
        raise ModelError("a multi-state history needs at least one state.")
    code, subjects = encode(as_labels(subject, n=n, name="subject"))
    order = np.lexsort((starts, code))
    labels = None if cluster is None else as_labels(cluster, n=n, name="cluster")[order]
    spells = Spells(
        subject=code[order],
        start=starts[order],
        stop=stops[order],
        source=as_states(source, "source", n=n, allowed=range(n_states))[order],
        target=as_states(target, "target", n=n, allowed=range(CENSORED, n_states))[order],
        weight=as_weights(weights, n=n)[order],
        subjects=subjects,
        cluster=labels,
    )
    _refuse_broken(spells, order)
    return spells if labels is None else _per_subject(spells, labels, order)


def single_spells(
    time: ArrayLike,
    target: IntArray,
    *,
    entry: ArrayLike | None,
    cluster: ArrayLike | Sequence[Hashable] | None,
) -> Spells:
    """One row per subject, from state 0 to `target` at `time` (0 when censored); numbered as given.

    Without `entry` every subject is at risk from the origin on, so that an event at time 0 counts.

    Raises
    ------
    ModelError
        Naming the row: a value is missing, a time is negative, or entry >= time.
    """
    if entry is None:
        stops = as_column(time, "time")
        refuse_rows(stops < 0, "time must not be negative.")
        starts = np.full(len(stops), -np.inf)
    else:
        starts, stops = as_intervals(entry, time)
    n = len(stops)
    if not n:
        raise ModelError("there is no row to analyse.")
    return Spells(
        subject=np.arange(n),
        start=starts,
        stop=stops,
        source=np.zeros(n, dtype=np.int64),
        target=target,
        weight=np.ones(n),
        subjects=np.arange(n),
        cluster=None if cluster is None else as_labels(cluster, n=n, name="cluster"),
    )


def _refuse_broken(spells: Spells, order: IntArray) -> None:
    refuse_overlap(spells.subject, spells.start, spells.stop, order)
    goes_on = (spells.subject[1:] == spells.subject[:-1]) & (spells.start[1:] == spells.stop[:-1])
    entered = np.where(spells.target < 0, spells.source, spells.target)[:-1]
    refuse_rows(
        goes_on & (entered != spells.source[1:]),
        "its source is not the state that the subject's row before it ended in.",
        row=order[1:],
    )


def _per_subject(spells: Spells, labels: Labels, order: IntArray) -> Spells:
    return replace(spells, cluster=cluster_of_subjects(labels, spells.subject, order))


def refuse_overlap(subject: IntArray, start: FloatArray, stop: FloatArray, order: IntArray) -> None:
    """Stop at a row that begins before the row before it ends; rows are sorted by subject and start.

    Raises
    ------
    ModelError
        Naming the row as the caller numbers it; `order` holds those numbers.
    """
    overlaps = (subject[1:] == subject[:-1]) & (start[1:] < stop[:-1])
    refuse_rows(overlaps, "it overlaps an earlier row of the same subject.", row=order[1:])


def cluster_of_subjects(labels: Labels, subject: IntArray, order: IntArray) -> Labels:
    """Cluster label of each subject, (n,), from those of its rows, which are sorted by subject.

    Raises
    ------
    ModelError
        Naming the row as the caller numbers it, if a subject is in two clusters.
    """
    first = np.flatnonzero(np.diff(subject, prepend=-1))
    code, _ = encode(labels)
    refuse_rows(code != code[first][subject], "a subject must stay in one cluster.", row=order)
    return labels[first]

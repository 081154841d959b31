"""Placement rows of the looked-after children, made so that their histories can be read back from them."""

from dataclasses import dataclass

import numpy as np

from analysis.spec.synthetic import SyntheticParameters
from analysis.synth.chain import ADOPTED, CARE, DIED, FOSTER, HOME, KIN, NEVER, YEAR, Histories
from analysis.synth.children import Children
from analysis.synth.families import NO_DATE, days
from analysis.synth.streams import stream, whole_days

OPEN, CONTINUES = -1, -2
FOSTER_CARERS, BOUGHT_CARERS, CENTRE, LASTING, ADOPTERS, PARENTS, KIN_CARERS = range(7)
AS_BEFORE = -1
# An exit may begin before its legal date: exit -> placement, shortest and longest lead in days.
LEADS = {ADOPTED: (ADOPTERS, 60, 300), HOME: (PARENTS, 14, 90), KIN: (KIN_CARERS, 30, 200)}
MOST_MOVES = 4
ORDER_DAYS = (120, 240)


@dataclass(frozen=True, slots=True)
class Intervals:
    """Stays in one state by child and date; the current one has `stop` `NO_DATE` and `next` `OPEN`."""

    child: np.ndarray
    state: np.ndarray
    start: np.ndarray
    stop: np.ndarray
    next: np.ndarray

    def take(self, mask: np.ndarray) -> "Intervals":
        """The intervals of a mask."""
        return Intervals(
            self.child[mask], self.state[mask], self.start[mask], self.stop[mask], self.next[mask]
        )


@dataclass(frozen=True, slots=True)
class Placements:
    """One row per placement, ordered by child and date.

    `ends` is `OPEN`, `CONTINUES` (another placement follows the same day) or the state entered; `is_first`
    starts a period of care, which runs from `care_start` to `care_stop`. `is_order_only`: the legal status
    changes, the placement does not. `ordered` is the date of the child's care order. `detail` is a uniform
    number for codes.
    """

    child: np.ndarray
    start: np.ndarray
    stop: np.ndarray
    kind: np.ndarray
    ends: np.ndarray
    is_first: np.ndarray
    is_order_only: np.ndarray
    ordered: np.ndarray
    care_start: np.ndarray
    care_stop: np.ndarray
    detail: np.ndarray

    def take(self, mask: np.ndarray) -> "Placements":
        """The rows of a mask; it must keep or leave a child's rows together."""
        return Placements(*(getattr(self, name)[mask] for name in self.__slots__))


def stays(children: Children, histories: Histories) -> Intervals:
    """Stays of every child in every state but death, the first from care entry, the current one open."""
    n, steps = histories.day.shape
    begin = np.concatenate([(children.entry - children.start)[:, None], histories.day], axis=1)
    begin = begin.astype(np.int64)
    finish = np.concatenate([begin[:, 1:], np.full((n, 1), NEVER)], axis=1)
    onward = np.concatenate([histories.state[:, 1:], histories.state[:, -1:]], axis=1).astype(np.int64)
    happened = (begin != NEVER) & (histories.state < DIED)
    child, step = np.nonzero(happened)
    ends = finish[child, step] != NEVER
    return Intervals(
        child=child,
        state=histories.state[child, step].astype(np.int64),
        start=children.start[child] + begin[child, step],
        stop=np.where(ends, children.start[child] + finish[child, step], NO_DATE),
        next=np.where(ends, onward[child, step], OPEN),
    )


def draw_placements(
    parameters: SyntheticParameters, children: Children, histories: Histories, *, seed: int
) -> Placements:
    """Placement rows of all children."""
    all_stays = stays(children, histories)
    looked_after = (all_stays.state == CARE) | (all_stays.state == FOSTER)
    spells = all_stays.take(looked_after)
    ordered = children.entry + whole_days(stream(seed, "care orders"), *ORDER_DAYS, children.n)
    interval, start, kind = _rows(parameters, children, spells, ordered, seed)
    order = np.lexsort((kind, start, interval))
    interval, start, kind = interval[order], start[order], kind[order]
    # Two changes on one day are one; the lowest kind is AS_BEFORE, so a move on the day of the order stays a
    # move.
    once = np.append((interval[1:] != interval[:-1]) | (start[1:] != start[:-1]), True)
    interval, start, kind = interval[once], start[once], kind[once]
    last = np.append(interval[1:] != interval[:-1], True)
    stop = np.where(last, spells.stop[interval], np.append(start[1:], NO_DATE))
    follows = np.isin(spells.next, (CARE, FOSTER))
    ends = np.where(last, np.where(follows, CONTINUES, spells.next)[interval], CONTINUES)
    is_first = np.append(True, last[:-1]) & _opens_care(all_stays, looked_after)[interval]
    care_start, care_stop = _period(spells.child[interval], start, stop, is_first, ends)
    known = np.maximum.accumulate(np.where(kind == AS_BEFORE, 0, np.arange(kind.size)))
    return Placements(
        child=spells.child[interval],
        start=start,
        stop=stop,
        kind=kind[known],
        ends=ends,
        is_first=is_first,
        is_order_only=kind == AS_BEFORE,
        ordered=ordered[spells.child[interval]],
        care_start=care_start,
        care_stop=care_stop,
        detail=stream(seed, "placement codes").random(kind.size),
    )


def _opens_care(all_stays: Intervals, looked_after: np.ndarray) -> np.ndarray:
    """Which looked-after stays do not follow another one of the same child."""
    same = np.append(False, all_stays.child[1:] == all_stays.child[:-1])
    before = np.append(False, looked_after[:-1])
    return (~(same & before))[looked_after]


def _period(
    child: np.ndarray, start: np.ndarray, stop: np.ndarray, is_first: np.ndarray, ends: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """First and last day of the period of care each row lies in."""
    period = np.cumsum(is_first) - 1
    final = np.append(is_first[1:], True)
    return start[is_first][period], np.where(ends[final] == OPEN, NO_DATE, stop[final])[period]


def _rows(
    parameters: SyntheticParameters, children: Children, spells: Intervals, ordered: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Interval, first day and kind of every placement, unsorted."""
    n = spells.child.size
    stop = np.where(spells.next == OPEN, days(parameters.data_cut), spells.stop)
    lead_kind, lead_start = _leads(parameters, children, spells, stop, seed)
    has_lead = lead_kind != AS_BEFORE
    base_stop = np.where(has_lead, lead_start, stop)
    moved, moved_on = _moves(parameters, spells, base_stop, seed)
    order_day = ordered[spells.child]
    by_order = np.flatnonzero(
        (spells.state == CARE)
        & (order_day > spells.start)
        & (order_day < base_stop)
        & (stream(seed, "orders alone").random(n) < 0.5)
    )
    own = np.where(spells.state == FOSTER, LASTING, _carers(seed, "first carers", n))
    return (
        np.concatenate([np.arange(n), np.flatnonzero(has_lead), moved, by_order]),
        np.concatenate([spells.start, lead_start[has_lead], moved_on, order_day[by_order]]),
        np.concatenate(
            [
                own,
                lead_kind[has_lead],
                _carers(seed, "next carers", moved.size),
                np.full(by_order.size, AS_BEFORE),
            ]
        ),
    )


def _leads(
    parameters: SyntheticParameters, children: Children, spells: Intervals, stop: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Kind and first day of the placement that leads out of care, `AS_BEFORE` where there is none."""
    n, generator = spells.child.size, stream(seed, "leads")
    chance, length = generator.random(n), generator.random(n)
    share = {
        ADOPTED: 1.0,
        HOME: parameters.records.parents_first.value,
        KIN: parameters.records.kin_first.value,
    }
    earliest = np.maximum(spells.start, children.start[spells.child]) + 1
    kind, start = np.full(n, AS_BEFORE), stop.copy()
    for target, (placement, shortest, longest) in LEADS.items():
        lead = np.floor(shortest + length * (longest - shortest)).astype(np.int64)
        here = (spells.state == CARE) & (spells.next == target) & (chance < share[target]) & (earliest < stop)
        kind[here] = placement
        start[here] = np.maximum(stop - lead, earliest)[here]
    return kind, start


def _moves(
    parameters: SyntheticParameters, spells: Intervals, base_stop: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Interval and day of every move between temporary carers."""
    generator = stream(seed, "moves")
    room = base_stop - spells.start
    n_moves = generator.poisson(parameters.records.move_rate.value * np.maximum(room, 0) / YEAR)
    n_moves[(spells.state != CARE) | (room < 2)] = 0
    position = generator.random((spells.child.size, MOST_MOVES))
    day = spells.start[:, None] + 1 + np.floor(position * (room[:, None] - 1)).astype(np.int64)
    interval, which = np.nonzero(np.arange(MOST_MOVES) < np.minimum(n_moves, MOST_MOVES)[:, None])
    return interval, day[interval, which]


def _carers(seed: int, purpose: str, n: int) -> np.ndarray:
    return stream(seed, purpose).choice((FOSTER_CARERS, BOUGHT_CARERS, CENTRE), n, p=(0.65, 0.32, 0.03))

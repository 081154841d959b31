"""State occupation by explicit days (Aalen & Johansen 1978), with every child's weight moved."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.qc.nudged import Summed, Units, limits
from analysis.qc.tables import Tables
from analysis.results import Count, Curve

NOWHERE = -1


@dataclass(frozen=True, eq=False)
class Path:
    """Days with a move; the probabilities from the origin on and after each, (days + 1, units, states)."""

    day: np.ndarray
    probability: np.ndarray

    def at(self, days: Sequence[float]) -> np.ndarray:
        """Probabilities on given days, (units, days, states)."""
        reached = np.searchsorted(self.day, days, side="right")
        return self.probability[reached].transpose(1, 0, 2)

    def area(self, horizon: float) -> np.ndarray:
        """Mean days in each state from the origin to the horizon, (units, states)."""
        edges = np.append(np.insert(self.day[self.day < horizon], 0, 0.0), horizon)
        held = np.diff(edges)
        return np.tensordot(held, self.probability[: len(held)], axes=1)


def walk(rows: pd.DataFrame, units: Units, n_states: int) -> Path:
    """The product over days of who moved among those at risk; a state nobody is seen in keeps its share."""
    start, stop, source, target = (rows[name].to_numpy() for name in ("start", "stop", "source", "target"))
    moves = (target != NOWHERE) & (target != source)
    days = np.unique(stop[moves])
    seen = (start < (days[0] if len(days) else stop.min())) & (stop >= (days[0] if len(days) else stop.min()))
    p = np.column_stack([units.count(np.flatnonzero(seen & (source == each))) for each in range(n_states)])
    p = p / p.sum(axis=1, keepdims=True)
    path = [p]
    for day in days:
        at_risk, here = (start < day) & (stop >= day), moves & (stop == day)
        p, before = p.copy(), p
        for a, b in sorted(set(zip(source[here], target[here], strict=True))):
            moved = units.count(np.flatnonzero(here & (source == a) & (target == b)))
            flow = before[:, a] * moved / units.count(np.flatnonzero(at_risk & (source == a)))
            p[:, a], p[:, b] = p[:, a] - flow, p[:, b] + flow
        path.append(p)
    return Path(days.astype(float), np.array(path))


def days_of_curves(rows: pd.DataFrame, tables: Tables) -> np.ndarray:
    """The origin, each day to the horizon on which anybody moved, and the horizon or last day."""
    target = rows["target"]
    moved = rows.loc[(target != NOWHERE) & (target != rows["source"]), "stop"]
    last = min(float(rows["stop"].max()), float(tables.spec.trial.horizon_days))
    days = np.unique([0.0, last, *moved])
    return days[days <= last]


def curves(
    arms: dict[str, Summed],
    days: np.ndarray,
    labels: Sequence[dict[str, str]],
    tables: Tables,
    name: str,
    kind: str,
) -> list[Curve]:
    """Curves by arm; the quantities run over days, and within a day over labels."""
    made = []
    for arm, found in arms.items():
        for at, label in enumerate(labels):
            part = found.columns(slice(at, None, len(labels)))
            # Where there are no limits the curve itself is drawn.
            ends = (
                np.where(np.isfinite(each), each, part.value) for each in limits(part, kind, tables.level)
            )
            low, high = (tuple(each) for each in ends)
            made.append(Curve(name, tuple(days), tuple(part.value), low, high, labels={"arm": arm, **label}))
    return made


def at_risk(rows: pd.DataFrame, days: Sequence[int], tables: Tables) -> list[Count]:
    """Children under observation just before each day, and after the origin."""
    made = []
    for arm in tables.arms:
        mine = rows[rows["arm"] == arm]
        for day in (0, *days):
            when = max(day, 1e-9)
            n = int(((mine["start"] < when) & (mine["stop"] >= when)).sum())
            made.append(Count("at_risk", n, {"arm": arm, "day": str(day)}))
    return made

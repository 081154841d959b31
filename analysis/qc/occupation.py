"""Where the children are, a second time: the state graph day by day, weights moved; a band of own draws."""

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from analysis.qc.again import Again
from analysis.qc.nudged import Summed, Units, estimates, limits, standardised
from analysis.qc.states import NOWHERE, Path, at_risk, curves, days_of_curves, walk
from analysis.qc.tables import Tables, sizes, with_stratum
from analysis.qc.times import from_day
from analysis.results import Curve, Estimate
from analysis.spec.event_entries import OccupationAnalysis

METHOD = (
    "occupation day by day, each child's weight moved in turn (complex step), sums within families; the band "
    "of a whole curve with draws of its own"
)
HOME = "family_home"
BAND = "family_home_difference"
# Draws held at once.
PART = 500


def again(entry: OccupationAnalysis, tables: Tables) -> Again:
    """Occupation by day, over time and before any return; days in each state."""
    rows, names = _histories(entry, tables), tables.spec.states.states
    homes = [*names, HOME]
    with_home, by_day = _reading(tables), np.asarray(entry.days, float)
    on_days = [{"state": name, "day": str(day)} for day in entry.days for name in homes]
    long = days_of_curves(rows, tables)
    by, spent, over_time = _standardised(
        rows,
        len(names),
        (
            lambda path: path.at(by_day) @ with_home,
            lambda path: path.area(float(entry.horizon_days)) @ with_home,
            lambda path: path.at(long),
        ),
        tables,
    )
    found = estimates(
        by,
        on_days,
        tables,
        names=("occupation", "occupation_difference"),
        kind="log-log",
    )
    found += estimates(
        spent,
        [{"state": name} for name in homes],
        tables,
        names=("days_in_state", "days_difference"),
        kind="own",
    )
    drawn = curves(over_time, long, [{"state": name} for name in names], tables, "occupation", "log-log")
    band, errors = _band(over_time, long, entry, tables) if entry.band else ([], {})
    return Again(
        METHOD,
        estimates=(*found, *_never_returned(rows, entry, tables)),
        counts=(*sizes(rows, tables), *at_risk(rows, entry.days, tables)),
        curves=(*drawn, *band),
        drawn=errors,
    )


def _histories(entry: OccupationAnalysis, tables: Tables) -> pd.DataFrame:
    rows = tables.rows("transitions", tables.people(entry.population), basis=entry.basis)
    if entry.origin:
        rows = from_day(rows, rows[tables.spec.trial.clock_origin.field], entry.origin)
    code = {name: at for at, name in enumerate(tables.spec.states.states)}
    rows = with_stratum(rows.sort_values(["child_id", "start"]), entry.strata)
    return rows.assign(
        unit=rows["child_id"],
        source=rows["source_state"].map(code),
        target=rows["target_state"].map(code).fillna(NOWHERE).astype(int),
    )


def _reading(tables: Tables) -> np.ndarray:
    """Each state, and last all permanent family homes together, (states, states + 1)."""
    states = tables.spec.states
    home = [float(name in states.family_home) for name in states.states]
    return np.column_stack([np.eye(len(home)), home])


def _standardised(
    rows: pd.DataFrame, n_states: int, reads: Sequence[Callable[[Path], np.ndarray]], tables: Tables
) -> list[dict[str, Summed]]:
    """What each reading finds on the way through the states, by arm; the way is walked once for all."""
    widths = []

    def moved(mine: pd.DataFrame, units: Units) -> np.ndarray:
        path = walk(mine, units, n_states)
        found = [read(path).reshape(len(units.family), -1) for read in reads]
        widths[:] = [each.shape[1] for each in found]
        return np.hstack(found)

    together = standardised(rows, moved, tables)
    ends = [0, *np.cumsum(widths)]
    return [
        {arm: each.columns(slice(*span)) for arm, each in together.items()}
        for span in itertools.pairwise(ends)
    ]


def _never_returned(rows: pd.DataFrame, entry: OccupationAnalysis, tables: Tables) -> list[Estimate]:
    """At home, kin or adopted without having come back: every state a second time for those who have."""
    if not entry.never_returned:
        return []
    states, rule = tables.spec.states, tables.spec.states.recurrent[entry.never_returned]
    size, by_day = len(states.states), np.asarray(entry.days, float)
    returns = rows["source_state"].isin(rule.from_) & rows["target_state"].isin(rule.to)
    so_far = returns.astype(int).groupby(rows["child_id"]).cumsum()
    before, after = (so_far - returns > 0), so_far > 0
    rows = rows.assign(
        source=rows["source"] + size * before,
        target=np.where(rows["target"] == NOWHERE, NOWHERE, rows["target"] + size * after),
    )
    homes = [states.states.index(name) for name in states.family_home]
    first = np.column_stack([np.eye(2 * size)[:, homes], np.eye(2 * size)[:, homes].sum(axis=1)])
    (found,) = _standardised(rows, 2 * size, [lambda path: path.at(by_day) @ first], tables)
    return estimates(
        found,
        [{"state": name, "day": str(day)} for day in entry.days for name in (*states.family_home, HOME)],
        tables,
        names=("occupation_never_returned", "occupation_never_returned_difference"),
        kind="log-log",
    )


def _band(
    arms: dict[str, Summed], days: np.ndarray, entry: OccupationAnalysis, tables: Tables
) -> tuple[list[Curve], dict]:
    """The difference in family homes with limits of each day, and limits that hold all days together."""
    states, (intervention, control) = tables.spec.states, tables.arms
    apart, home = (
        arms[intervention].less(arms[control]),
        np.isin(states.states, states.family_home).astype(float),
    )
    read = np.kron(np.eye(len(days)), home[:, None])
    gap = Summed(apart.value @ read, pd.DataFrame(apart.sums.to_numpy() @ read))
    reach, error = _reach(gap, entry, tables.level)
    ends = {
        "pointwise": limits(gap, "own", tables.level),
        "simultaneous": (gap.value - reach * gap.se, gap.value + reach * gap.se),
    }
    made, errors = [], {}
    for kind, (low, high) in ends.items():
        labels = {"contrast": tables.contrast, "limits": kind}
        made.append(Curve(BAND, tuple(days), tuple(gap.value), tuple(low), tuple(high), labels=labels))
    for part in ("curve low", "curve high"):
        errors[BAND, part, tuple(sorted(labels.items()))] = error * gap.se
    return made, errors


def _reach(gap: Summed, entry: OccupationAnalysis, level: float) -> tuple[float, float]:
    """Standard errors to the limits, over draws of a normal multiplier per family, and its Monte Carlo error.

    The error is that of the difference of two quantiles of as many draws, by the spacing of the draws around.
    """
    se = gap.se
    known = gap.sums.to_numpy()[:, se > 0] / se[se > 0]
    generator = np.random.default_rng([entry.band.seed, 2])
    parts = [
        np.abs(generator.standard_normal((min(PART, entry.band.draws - first), len(known))) @ known).max(
            axis=1
        )
        for first in range(0, entry.band.draws, PART)
    ]
    highest = np.sort(np.concatenate(parts))
    spread = math.sqrt(level * (1 - level) / len(highest))
    low, high = np.quantile(highest, [level - 2 * spread, level + 2 * spread])
    return float(np.quantile(highest, level)), float(math.sqrt(2) * (high - low) / 4)

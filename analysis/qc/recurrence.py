"""Events that recur, a second time: mean number day by day, weights moved; rates by a Cox model."""

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from analysis.qc.again import Again, ratio
from analysis.qc.nudged import Units, estimates, standardised
from analysis.qc.risk_sets import hazard
from analysis.qc.states import curves
from analysis.qc.tables import Tables, by_arm, sizes, treated, with_stratum
from analysis.results import Count, Estimate
from analysis.spec.event_entries import RecurrenceAnalysis

METHOD = (
    "Ghosh & Lin (2000) day by day, each unit's weight moved in turn (complex step), sums within families; "
    "rates by statsmodels' Cox model (PHReg) with residuals of all terms as matrices; exact limits of the "
    "ratio of crude rates from those of a binomial share"
)


def again(entry: RecurrenceAnalysis, tables: Tables) -> Again:
    """Mean numbers by day and over time, and the ratio of rates."""
    rows, last = _rows(entry, tables), float(max(entry.days))
    label = {"event": entry.parameter}
    changes = rows.loc[rows["is_event"] | rows["is_death"], "stop"]
    long = np.unique([0.0, last, *changes])
    long = long[long <= last]
    days = np.array([*entry.days, *long], dtype=float)
    both = standardised(rows, lambda mine, units: _mean(mine, units, days), tables)
    asked = len(entry.days)
    found = estimates(
        {arm: each.columns(slice(asked)) for arm, each in both.items()},
        [{**label, "day": str(day)} for day in entry.days],
        tables,
        names=("mean_count", "mean_count_difference"),
        kind="log",
    )
    over_time = {arm: each.columns(slice(asked, None)) for arm, each in both.items()}
    drawn = curves(over_time, long, [label], tables, "mean_count", "log")
    return Again(
        METHOD,
        estimates=(*found, *_rates(rows, last, tables), *_crude(rows, last, tables)),
        counts=(*sizes(tables.people(entry.population), tables), *_numbers(rows, entry, tables)),
        curves=tuple(drawn),
    )


def _rows(entry: RecurrenceAnalysis, tables: Tables) -> pd.DataFrame:
    """Intervals of the children of the population, or of the families that have one of them."""
    people, table = tables.people(entry.population), tables.frames["recurrences"]
    rows = table[(table["level"] == entry.level) & (table["parameter"] == entry.parameter)]
    key = "child_id" if entry.level == "child" else "family_id"
    who = people.drop_duplicates(key).set_index(key)
    rows = rows[rows["unit_id"].isin(who.index)]
    rows = rows.assign(
        unit=rows["unit_id"], **{name: rows["unit_id"].map(who[name]) for name in entry.strata}
    )
    return with_stratum(rows.reset_index(drop=True), entry.strata)


def _mean(rows: pd.DataFrame, units: Units, days: np.ndarray) -> np.ndarray:
    """Mean number by each day, (units, days): those alive just before, times events per unit at risk."""
    start, stop, event, death = (rows[name].to_numpy() for name in ("start", "stop", "is_event", "is_death"))
    when = np.unique(stop[(event | death) & (stop <= days.max())])
    alive = np.ones(len(units.family), dtype=complex)
    mean = np.zeros((len(when) + 1, len(units.family)), dtype=complex)
    for at, day in enumerate(when):
        now = stop == day
        seen = units.count(np.flatnonzero((start < day) & (stop >= day)))
        mean[at + 1] = mean[at] + alive * units.count(np.flatnonzero(now & event)) / seen
        alive = alive * (1 - units.count(np.flatnonzero(now & death)) / seen)
    return mean[np.searchsorted(when, days, side="right")].T


def _rates(rows: pd.DataFrame, last: float, tables: Tables) -> list[Estimate]:
    """The ratio of rates up to the last day."""
    rows = rows[rows["start"] < last]
    event = (rows["is_event"] & (rows["stop"] <= last)).to_numpy()
    fit = hazard(rows.assign(stop=rows["stop"].clip(upper=last)), event, treated(rows, tables))
    label = {"contrast": tables.contrast}
    if fit is None:
        return [Estimate("rate_ratio", None, labels=label)]
    log_ratio, se = float(fit.coef[0]), float(np.sqrt(fit.robust[0, 0]))
    made = ratio("rate_ratio", log_ratio, se, level=tables.level, labels=label)
    return [made, Estimate("log_rate_ratio", log_ratio, se=se, labels=label)]


def _crude(rows: pd.DataFrame, last: float, tables: Tables) -> list[Estimate]:
    """Years and events added up row by row, and the ratio of the rates from the share of the first arm."""
    made, events, years = [], [], []
    for arm, mine in by_arm(rows, tables):
        spans = mine[["start", "stop", "is_event"]].itertuples(index=False)
        days = [(min(stop, last) - start, bool(event and stop <= last)) for start, stop, event in spans]
        years.append(sum(each for each, _ in days if each > 0) / 365.25)
        events.append(sum(event for _, event in days))
        made.append(Estimate("unit_years", years[-1], labels={"arm": arm}))
        rate = 100 * events[-1] / years[-1] if years[-1] else None
        made.append(Estimate("crude_rate", rate, labels={"arm": arm}))
    if len(years) < 2 or not all(years):
        return made
    low, high, share = 0.0, 1.0, np.nan
    if sum(events):
        share = events[0] / sum(events)
        low, high = binomtest(events[0], sum(events)).proportion_ci(tables.level, method="exact")
    odds = [each * years[1] / ((1 - each) * years[0]) if each < 1 else None for each in (share, low, high)]
    value, low, high = (None if each is None or np.isnan(each) else float(each) for each in odds)
    labels = {"contrast": tables.contrast}
    return [*made, Estimate("crude_rate_ratio", value, low=low, high=high, labels=labels)]


def _numbers(rows: pd.DataFrame, entry: RecurrenceAnalysis, tables: Tables) -> list[Count]:
    """Units, their events to the last day, units with one, and units under observation by day."""
    made = []
    for arm, mine in by_arm(rows, tables):
        happened = mine[mine["is_event"] & (mine["stop"] <= max(entry.days))]
        numbers = {"units": mine["unit"], "events": None, "units_with_event": happened["unit"]}
        for name, who in numbers.items():
            made.append(Count(name, len(happened) if who is None else who.nunique(), {"arm": arm}))
        spans = mine.groupby("unit").agg(first=("start", "min"), last=("stop", "max"))
        for day in (0, *entry.days):
            seen = (spans["first"] < max(day, 1)) & (spans["last"] >= day)
            made.append(Count("at_risk", int(seen.sum()), {"arm": arm, "day": str(day)}))
    return made

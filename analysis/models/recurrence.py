"""How often it happens: mean number of events per child or family, and the ratio of their rates."""

import math

import numpy as np
import pandas as pd

from analysis.data.ages import DAYS_PER_YEAR
from analysis.data.allocation import ARM, Allocated
from analysis.errors import ModelError
from analysis.models.answer import interval_of, result_of
from analysis.models.curves import arm_quantities, estimates_by_arm, mean_curves
from analysis.models.groups import (
    STRATUM,
    Data,
    add_stratum,
    arm_names,
    cells,
    contrast_name,
    select,
    sizes,
    stratum_sentence,
    treated,
    with_groups,
)
from analysis.models.ratios import ratio_estimate
from analysis.results import Count, Estimate, Result
from analysis.spec.declarations import Spec
from analysis.spec.event_entries import RecurrenceAnalysis
from analysis.stats.rate_ratio import exact_rate_ratio
from analysis.stats.recurrent import MeanCumulative, lwyy, mean_cumulative

UNITS = {"child": "children", "family": "families"}


def fit(entry: RecurrenceAnalysis, data: Data, spec: Spec) -> Result:
    """Mean number of events up to each day by arm, its difference, and the ratio of rates.

    Parameters
    ----------
    entry : RecurrenceAnalysis
        Event, whether of children or of families, strata and days of the plan.
    data : Pooled or Allocated
        Without arms the pooled curve, no difference and no ratio.
    spec : Spec
        The declarations.

    Returns
    -------
    Result
        Curves `mean_count`; `mean_count` and `mean_count_difference` per day; `rate_ratio` to the last day,
        without a value and with a note where it cannot be estimated, as when an arm has no event;
        `unit_years`, `crude_rate` per 100 of them, and `crude_rate_ratio` with exact limits.

    Raises
    ------
    ModelError
        If nobody is under observation, or an arm is absent from a stratum.

    Source
    ------
    Ghosh & Lin (2000), Biometrics 56:554 (mean number, death ending it); Lin, Wei, Yang & Ying (2000), JRSS B
    62:711 (ratio of rates).
    """
    rows = add_stratum(select_recurrences(data, entry), entry.strata)
    fitted = {(cell.arm, cell.stratum): _curve(cell.rows) for cell in cells(rows, data)}
    days = np.asarray(entry.days, dtype=float)
    counted = arm_quantities(fitted, rows, lambda curve: curve.at(days))
    ratio, missing = _ratio_or_note(rows, entry, data, spec)
    return result_of(
        entry,
        data,
        method=_method(entry),
        counts=(*sizes(select(data, "subjects", entry.population), data), *_numbers(rows, entry, data)),
        estimates=(
            *estimates_by_arm(
                counted,
                [("event", entry.parameter, 0)],
                entry.days,
                data,
                spec,
                name="mean_count",
                difference_name="mean_count_difference",
                kind="positive",
            ),
            *ratio,
            *_crude(rows, entry, data, spec.trial.level),
        ),
        curves=mean_curves(fitted, rows, ("event", entry.parameter), max(entry.days), spec),
        notes=(*(note for curve in fitted.values() for note in curve.notes), *missing),
    )


def select_recurrences(data: Data, entry: RecurrenceAnalysis) -> pd.DataFrame:
    """Rows of `recurrences` of the children of a population, or of the families that have one in it.

    `child_id` names the unit whose events are counted.

    Raises
    ------
    ModelError
        If nobody of the population is under observation.
    """
    subjects = select(data, "subjects", entry.population)
    table = data.tables["recurrences"]
    rows = table[(table["parameter"] == entry.parameter) & (table["level"] == entry.level)]
    people = subjects.assign(unit_id=subjects["child_id" if entry.level == "child" else "family_id"])
    people = people.drop_duplicates("unit_id")[["unit_id", *entry.strata]]
    rows = with_groups(rows).merge(people, on="unit_id", how="inner")
    if rows.empty:
        raise ModelError(f"nobody of population {entry.population} is followed for {entry.parameter}.")
    return rows.assign(child_id=rows["unit_id"]).sort_values(["unit_id", "start"], kind="stable")


def _curve(rows: pd.DataFrame) -> MeanCumulative:
    return mean_cumulative(
        rows["unit_id"].to_numpy(),
        rows["start"].to_numpy(float),
        rows["stop"].to_numpy(float),
        rows["is_event"].to_numpy(int),
        terminal=rows["is_death"].to_numpy(int),
        cluster=rows["family_id"].to_numpy(),
    )


def _numbers(rows: pd.DataFrame, entry: RecurrenceAnalysis, data: Data) -> list[Count]:
    """Units followed, events to the last day, units with any, and units under observation at each day."""
    found, last = [], max(entry.days)
    span = rows.groupby("unit_id", sort=False).agg(
        start=("start", "min"), stop=("stop", "max"), arm=(ARM, "first")
    )
    happened = rows[rows["is_event"] & (rows["stop"] <= last)]
    for arm in arm_names(data):
        here, mine = span[span["arm"] == arm], happened[happened[ARM] == arm]
        found.append(Count("units", len(here), {"arm": arm}))
        found.append(Count("events", len(mine), {"arm": arm}))
        found.append(Count("units_with_event", mine["unit_id"].nunique(), {"arm": arm}))
        for day in (0, *entry.days):
            n = int(((here["start"] < max(day, 1)) & (here["stop"] >= day)).sum())
            found.append(Count("at_risk", n, {"arm": arm, "day": str(day)}))
    return found


def _ratio_or_note(
    rows: pd.DataFrame, entry: RecurrenceAnalysis, data: Data, spec: Spec
) -> tuple[list[Estimate], list[str]]:
    if not isinstance(data, Allocated):
        return [], []
    try:
        return _rate_ratio(rows, entry, data, spec), []
    except ModelError as error:
        labels = {"contrast": contrast_name(data)}
        return [Estimate("rate_ratio", None, labels=labels)], [f"No ratio of rates: {error}"]


def _rate_ratio(rows: pd.DataFrame, entry: RecurrenceAnalysis, data: Allocated, spec: Spec) -> list[Estimate]:
    last = max(entry.days)
    rows = rows[rows["start"] < last]
    event = (rows["is_event"] & (rows["stop"] <= last)).to_numpy(int)
    fitted = lwyy(
        rows["unit_id"].to_numpy(),
        rows["start"].to_numpy(float),
        rows["stop"].clip(upper=last).to_numpy(float),
        event,
        treated(rows, data)[:, None],
        cluster=rows["family_id"].to_numpy(),
        strata=rows[STRATUM].to_numpy(),
    )
    log_ratio, se, level = float(fitted.coef[0]), math.sqrt(fitted.vcov_robust[0, 0]), spec.trial.level
    labels = {"contrast": contrast_name(data)}
    return [
        ratio_estimate("rate_ratio", log_ratio, se, level=level, labels=labels),
        Estimate("log_rate_ratio", log_ratio, se=se, labels=labels),
    ]


def _crude(rows: pd.DataFrame, entry: RecurrenceAnalysis, data: Data, level: float) -> list[Estimate]:
    """Years under observation and events by them, to the last day; of two arms their exact ratio."""
    last = max(entry.days)
    observed = (rows["stop"].clip(upper=last) - rows["start"]).clip(lower=0)
    events, found, pairs = rows["is_event"] & (rows["stop"] <= last), [], []
    for arm in arm_names(data):
        mine, labels = rows[ARM] == arm, {"arm": arm}
        n, years = int(events[mine].sum()), float(observed[mine].sum()) / DAYS_PER_YEAR
        found.append(Estimate("unit_years", years, unit="years", labels=labels))
        found.append(Estimate("crude_rate", 100 * n / years if years else None, labels=labels))
        pairs += [n, years]
    if not data.arms or not all(pairs[1::2]):
        return found
    ratio, labels = exact_rate_ratio(*pairs, level=level), {"contrast": contrast_name(data)}
    return [*found, interval_of("crude_rate_ratio", ratio, level=level, labels=labels)]


def _method(entry: RecurrenceAnalysis) -> str:
    return (
        f"Mean cumulative number of events per {entry.level} (Ghosh-Lin: after a death there are no more), "
        f"over all {UNITS[entry.level]} under observation whether or not the event can happen to them. "
        f"{stratum_sentence(entry.strata, units=UNITS[entry.level])} Ratio of rates to day "
        f"{max(entry.days)} by the model of Lin, Wei, Yang and Ying, stratified alike, Efron ties. Standard "
        "errors robust to dependence within families; limits of numbers on the log scale, of differences on "
        "their own. Crude rates: events over the time under observation; their ratio with exact limits "
        "that take events as independent (binomial given their sum)."
    )

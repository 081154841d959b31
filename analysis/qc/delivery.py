"""The service received a second time: told family by family, waits by the product of daily shares."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pandas as pd

from analysis.qc.again import Again, number
from analysis.qc.nudged import STEP as IMAGINARY
from analysis.qc.nudged import Summed, Units, limits, units_of
from analysis.qc.tables import Tables, by_arm, sizes
from analysis.results import Count, Estimate
from analysis.spec.conduct_entries import DeliveryAnalysis

METHOD = (
    "a tally family by family; waits by a product of daily shares, each unit's weight moved in turn (complex "
    "step), sums within families"
)
OTHERWISE = "not_recorded"
MEASURES = ("wait_days", "n_sessions", "contact_days")


def again(entry: DeliveryAnalysis, tables: Tables) -> Again:
    """Tallies, quartiles and shares begun, by arm, of families and of children."""
    people = tables.people(entry.population)
    service = tables.frames["service"].set_index("family_id").to_dict("index")
    counts, estimates = list(sizes(people, tables)), []
    for arm, mine in by_arm(people, tables):
        for unit in ("family", "child"):
            units = dict(zip(mine[f"{unit}_id"], mine["family_id"], strict=True))
            records = [{**service[family], "family_id": family} for family in units.values()]
            labels = {"arm": arm, "unit": unit}
            counts += _tallies(records, labels, entry, tables)
            estimates += [*_quartiles(records, labels), *_waiting(records, labels, entry, tables)]
    return Again(METHOD, tuple(estimates), tuple(counts))


def _tallies(records: list[dict], labels: dict, entry: DeliveryAnalysis, tables: Tables) -> list[Count]:
    box = Counter(_box(each) for each in records)
    found = [Count(name, box[name], labels) for name in ("received", "not_recorded")]
    for reason in (*tables.spec.codes["not_received_reason"], OTHERWISE):
        found.append(Count("not_received", box["not_received", reason], {**labels, "reason": reason}))
    found.append(Count("other_service", sum(each["is_other_received"] is True for each in records), labels))
    for name in ("adherent", "completed"):
        rule = getattr(entry, name)
        dose = rule.intervention if labels["arm"] == tables.arms[0] else rule.control
        if dose is not None:
            answers = Counter(_reached(each, dose) for each in records)
            found += [Count(name, answers["yes"], labels), Count(f"{name}_not_known", answers["?"], labels)]
    for measure in MEASURES:
        found.append(Count("known", len(_values(records, measure)), {**labels, "of": measure}))
    found.append(Count("wait_known", sum(not pd.isna(each["wait_days"]) for each in records), labels))
    return found


def _box(record: dict):
    if pd.isna(record["is_received"]):
        return "not_recorded"
    if record["is_received"]:
        return "received"
    reason = record["reason_not_received"]
    return "not_received", OTHERWISE if pd.isna(reason) else reason


def _reached(record: dict, dose) -> str:
    asked = {"n_sessions": dose.sessions, "contact_days": dose.contact_days}
    answers = {_box(record) == "received"} if not pd.isna(record["is_received"]) else {None}
    for name, least in asked.items():
        amount = record[name]
        if name == "n_sessions" and least == 1 and pd.isna(amount) and record["has_begun"] is True:
            amount = 1  # the first contact, of a service that still runs
        if least is not None:
            answers.add(None if pd.isna(amount) else amount >= least)
    return "no" if False in answers else "?" if None in answers else "yes"


def _values(records: list[dict], measure: str) -> np.ndarray:
    counted = [each for each in records if measure != "wait_days" or each["has_begun"] is True]
    return np.sort([each[measure] for each in counted if not pd.isna(each[measure])])


def _quartiles(records: list[dict], labels: dict) -> list[Estimate]:
    """The value at the place 1 + (n - 1) times the share, between neighbours in proportion."""
    found = []
    for measure in MEASURES:
        x = _values(records, measure)
        for name, share in (("median", 0.5), ("q1", 0.25), ("q3", 0.75)):
            at, part = divmod((len(x) - 1) * share, 1)
            near = x[int(at) : int(at) + 2] if len(x) else []
            value = float(near[0] + part * (near[-1] - near[0])) if len(near) else None
            found.append(Estimate(name, value, labels={**labels, "of": measure}))
    return found


def _waiting(records: list[dict], labels: dict, entry: DeliveryAnalysis, tables: Tables) -> list[Estimate]:
    rows = pd.DataFrame([each for each in records if not pd.isna(each["wait_days"])])
    if rows.empty:
        days = [Estimate("begun", None, labels={**labels, "day": str(day)}) for day in entry.days]
        return [*days, Estimate("median_of_all", None, labels=labels)]
    rows = rows.assign(unit=range(len(rows)), happened=[each is True for each in rows["has_begun"]])
    units = units_of(rows)
    moved = np.column_stack([1 - _without(rows, units, day) for day in entry.days])
    sums = pd.DataFrame(moved.imag / IMAGINARY).groupby(units.family).sum()
    found = Summed(moved[0].real, sums)
    alone = len(sums) == 1
    low, high = limits(found, "log-log", tables.level)
    shares = [
        Estimate(
            "begun",
            float(found.value[at]),
            se=None if alone else float(found.se[at]),
            low=None if alone else number(low[at]),
            high=None if alone else number(high[at]),
            labels={**labels, "day": str(day)},
        )
        for at, day in enumerate(entry.days)
    ]
    return [*shares, Estimate("median_of_all", _half(rows, units), labels=labels)]


def _without(rows: pd.DataFrame, units: Units, day: float) -> np.ndarray:
    """Share still without a first contact, each unit moved, (units,)."""
    wait, happened = rows["wait_days"].to_numpy(), rows["happened"].to_numpy()
    left = np.ones(len(units.family), dtype=complex)
    for time in np.unique(wait[happened & (wait <= day)]):
        left = left * (1 - units.count(happened & (wait == time)) / units.count(wait >= time))
    return left


def _half(rows: pd.DataFrame, units: Units) -> float | None:
    """The day by which half had begun; where the curve stays at a half, the middle of that stretch.

    A first contact on the day of randomisation is told as half a day.
    """
    times = [*np.unique(rows.loc[rows["happened"], "wait_days"]), rows["wait_days"].max()]
    for time, following in pairwise(times):
        share = 1 - _without(rows, units, time)[0].real
        if share >= 0.5 - 1e-8:
            middle = (max(time, 0.5) + max(following, 0.5)) / 2
            return float(middle if share <= 0.5 + 1e-8 else max(time, 0.5))
    return None

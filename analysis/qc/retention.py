"""Visits and withdrawals a second time: child by child and family by family; Kaplan-Meier by lifelines."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from statistics import quantiles

import numpy as np
from lifelines import KaplanMeierFitter

from analysis.qc.again import Again, number
from analysis.qc.risk_interval import score_limits
from analysis.qc.tables import ARM, Tables
from analysis.results import Count, Curve, Estimate
from analysis.spec.conduct_entries import RetentionAnalysis

METHOD = (
    "a tally of the children and families, one by one; Kaplan-Meier of lifelines; limits of each difference "
    "by Brent's search for the score statistic"
)
ALL, EVERYWHERE = "All", "all"
CAME = {"in_window", "early", "late", "undated"}
BEST = ("in_window", "late", "early", "undated", "not_due", "overdue", "missed", "withdrawn", "died")
Keep = Callable[[dict], bool]


def again(entry: RetentionAnalysis, tables: Tables) -> Again:
    """All numbers of visits, timeliness and withdrawal."""
    people = tables.people(entry.population)
    visits = tables.rows("visits", people).to_dict("records")
    site = dict(zip(people["family_id"], people["site"], strict=True))
    table = tables.frames["retention"]
    families = [
        {**row, "site": site[row["family_id"]]}
        for row in table[table["family_id"].isin(set(site))].to_dict("records")
    ]
    counts, estimates, curves = [], [], []
    for labels, keep in _groups(tables):
        mine, theirs = [each for each in visits if keep(each)], [each for each in families if keep(each)]
        counts += [*_visits(mine, labels, tables), *_withdrawn(mine, theirs, labels, entry, tables)]
        estimates += _days(mine, labels, tables)
        if labels["site"] == EVERYWHERE:
            found, curve = _kaplan_meier(theirs, labels, entry, tables.level)
            estimates, curves = [*estimates, *found], [*curves, curve]
    estimates += _differences(visits, tables)
    return Again(METHOD, estimates=tuple(estimates), counts=tuple(counts), curves=tuple(curves))


def _groups(tables: Tables) -> Iterator[tuple[dict[str, str], Keep]]:
    yield {"arm": ALL, "site": EVERYWHERE}, lambda row: True
    for site in tables.spec.trial.sites:
        yield {"arm": ALL, "site": site}, lambda row, site=site: row["site"] == site
    for arm in tables.arms:
        yield {"arm": arm, "site": EVERYWHERE}, lambda row, arm=arm: row[ARM] == arm


def _families_at(rows: list[dict], visit: str) -> dict[str, list[dict]]:
    found = defaultdict(list)
    for row in rows:
        if row["visit"] == visit:
            found[row["family_id"]].append(row)
    return found


def _best(children: list[dict]) -> str:
    return min((each["standing"] for each in children), key=BEST.index)


def _visits(rows: list[dict], labels: dict[str, str], tables: Tables) -> Iterator[Count]:
    for visit in (each.id for each in tables.spec.trial.visits):
        families = _families_at(rows, visit)
        children = [(each["standing"], each["is_due"]) for each in rows if each["visit"] == visit]
        whole = [(_best(each), all(child["is_due"] for child in each)) for each in families.values()]
        where = {**labels, "visit": visit}
        for unit, units in (("children", children), ("families", whole)):
            tally = Counter(standing for standing, _ in units)
            for standing in tables.spec.codes["visit_standing"]:
                yield Count(f"visit_{unit}", tally[standing], {**where, "standing": standing})
            due = [standing for standing, is_due in units if is_due]
            yield Count(f"due_{unit}", len(due), where)
            yield Count(f"due_attended_{unit}", sum(each in CAME for each in due), where)
        came = Counter(
            _how_many(each)
            for each in families.values()
            if len(each) > 1 and all(child["is_due"] for child in each)
        )
        for how in ("all", "some", "none"):
            yield Count("siblings", came[how], {**where, "came": how})


def _how_many(children: list[dict]) -> str:
    came = {each["standing"] in CAME for each in children}
    return "some" if len(came) == 2 else "all" if came == {True} else "none"


def _withdrawn(
    visits: list[dict], families: list[dict], labels: dict[str, str], entry: RetentionAnalysis, tables: Tables
) -> Iterator[Count]:
    gone = [each for each in families if each["is_withdrawn"]]
    yield Count("group_families", len(families), labels)
    yield Count("group_children", len({each["child_id"] for each in visits}), labels)
    yield Count("withdrawn", len(gone), labels)
    for column, codes in {"withdrawal_level": "withdrawal_level", "reason": "withdrawal_reason"}.items():
        for code in tables.spec.codes[codes]:
            n = sum(each[column] == code for each in gone)
            yield Count(f"withdrawn_{column}", n, {**labels, column: code})
    for day in (0, *entry.days):
        n = sum(each["time_days"] >= day for each in families)
        yield Count("at_risk", n, {**labels, "day": str(day)})


def _days(rows: list[dict], labels: dict[str, str], tables: Tables) -> Iterator[Estimate]:
    for visit in (each.id for each in tables.spec.trial.visits):
        came = [each for each in rows if each["visit"] == visit and each["visit_date"] == each["visit_date"]]
        known = [each for each in came if each["due_date"] == each["due_date"]]
        from_due = [(each["visit_date"] - each["due_date"]).days for each in known]
        late = [(each["visit_date"] - each["closes_date"]).days for each in came]
        early = [(each["opens_date"] - each["visit_date"]).days for each in came]
        outside = [each for each in (*late, *early) if each > 0]
        for origin, values in (("due", from_due), ("window", outside)):
            where = {**labels, "visit": visit, "from": origin}
            yield Estimate("n", float(len(values)), labels=where)
            for name, value in zip(("q1", "median", "q3"), _quartiles(values), strict=True):
                yield Estimate(name, value, labels=where)


def _quartiles(values: list[int]) -> list[float | None]:
    if len(values) < 2:
        return [float(values[0]) if values else None] * 3
    return quantiles(values, n=4, method="inclusive")


def _kaplan_meier(
    families: list[dict], labels: dict[str, str], entry: RetentionAnalysis, level: float
) -> tuple[list[Estimate], Curve]:
    names = [{**labels, "day": str(day)} for day in entry.days]
    if not families:
        curve = Curve("withdrawn", (), (), labels=labels)
        return [Estimate("withdrawn", None, labels=each) for each in names], curve
    time = [each["time_days"] for each in families]
    gone = [each["is_withdrawn"] for each in families]
    fitted = KaplanMeierFitter(alpha=1 - level).fit(time, gone)
    events = {float(day) for day, event in zip(time, gone, strict=True) if event}
    days = sorted({0.0, *events, float(max(time))})
    share, low, high = (_at(fitted, days, part) for part in ("value", "low", "high"))
    curve = Curve("withdrawn", tuple(days), tuple(share), tuple(low), tuple(high), labels=labels)
    found = []
    for day, where in zip(entry.days, names, strict=True):
        if day > max(time):
            found.append(Estimate("withdrawn", None, labels=where))
            continue
        value, low, high = (_at(fitted, [day], part)[0] for part in ("value", "low", "high"))
        inside = {"low": low, "high": high} if 0 < value < 1 else {}
        found.append(Estimate("withdrawn", value, level=level, labels=where, **inside))
    return found, curve


def _at(fitted: KaplanMeierFitter, days: list[float], part: str) -> list[float]:
    """Shares withdrawn, or their limits; where the share is 0 or 1 it is its own limit."""
    survival = fitted.survival_function_.iloc[:, 0]
    lower, upper = (fitted.confidence_interval_.iloc[:, at] for at in (0, 1))
    at = survival.index.searchsorted(days, side="right") - 1
    value = 1 - survival.to_numpy()[at]
    limit = {"value": value, "low": 1 - upper.to_numpy()[at], "high": 1 - lower.to_numpy()[at]}[part]
    return [float(each) for each in np.where((value > 0) & (value < 1), limit, value)]


def _differences(visits: list[dict], tables: Tables) -> Iterator[Estimate]:
    for visit in (each.id for each in tables.spec.trial.visits):
        sizes = []
        for arm in tables.arms:
            families = _families_at([each for each in visits if each[ARM] == arm], visit).values()
            due = [_best(each) for each in families if all(child["is_due"] for child in each)]
            sizes += [sum(each in CAME for each in due), len(due)]
        labels = {"contrast": tables.contrast, "visit": visit}
        x1, n1, x0, n0 = sizes
        if not (n1 and n0):
            yield Estimate("risk_difference", None, labels=labels)
            continue
        low, high = score_limits(*sizes, tables.level)
        gap = number(x1 / n1 - x0 / n0)
        yield Estimate("risk_difference", gap, low=low, high=high, level=tables.level, labels=labels)

"""Recruitment a second time: referral by referral; what is to come by the transform of its distribution."""

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
from scipy import optimize, stats

from analysis.qc.again import Again, number
from analysis.qc.tables import Tables
from analysis.results import Count, Curve, Estimate
from analysis.spec.conduct_entries import AccrualAnalysis

METHOD = (
    "a tally of the referrals, one by one; what is to come from the generating function of the sum "
    "over sites, inverted on a circle"
)
EVERYWHERE, UNDECIDED = "all", "open"
DAYS_PER_MONTH = 30.4375
POINTS = 1 << 14


def again(entry: AccrualAnalysis, tables: Tables) -> Again:
    """All numbers of recruitment."""
    referrals = [_plain(row) for row in tables.frames["recruitment"].to_dict("records")]
    plan, cut = tables.spec.trial.recruitment, max(each["cut_date"] for each in referrals)
    first, last = date.fromisoformat(plan.first), date.fromisoformat(plan.last)
    dated = [each for each in referrals if each["family_id"]]
    end = min(cut, max([last, *(each["randomisation_date"] for each in dated)])) if dated else min(cut, last)
    state = "met" if len(dated) >= plan.target.families else "ended" if cut >= last else "open"
    path = [((date.fromisoformat(day) - first).days, float(n)) for day, n in plan.path]
    target = Curve(
        "target",
        *map(tuple, zip(*((float(a), b) for a, b in path), strict=True)),
        labels={"from": plan.first},
    )
    planned = Estimate("planned", _on_line(path, (cut - first).days), labels={"by": cut.isoformat()})
    estimates = [planned, *_rates(dated, entry, tables, min(cut, last), cut)]
    if state == "open":
        estimates += _to_come(dated, entry, tables, cut, last)
    return Again(
        METHOD,
        estimates=tuple(estimates),
        counts=(
            Count("target", plan.target.families, {"state": state}),
            *_tally(referrals, tables, range(first.year, end.year + 1)),
        ),
        curves=(*_curves(dated, tables, first, max(end, first)), target),
    )


def _plain(row: dict) -> dict:
    """A row with days as days, nothing where a cell is empty."""
    kept = {name: None if value != value or value is None else value for name, value in row.items()}
    for name in ("randomisation_date", "cut_date"):
        kept[name] = None if str(kept[name]) in ("NaT", "None") else kept[name].date()
    return kept


def _tally(referrals: list[dict], tables: Tables, years: range) -> list[Count]:
    found: Counter = Counter()
    for each in referrals:
        outcome = each["screening_outcome"] or UNDECIDED
        keys = [("referred",), ("screened", outcome), ("not_randomised", outcome, each["reason"])]
        if each["family_id"]:
            keys += [("randomised",), ("in_epoch", each["epoch"])]
            keys.append(("in_year", each["randomisation_date"].year))
        for site in (EVERYWHERE, each["site"]):
            for key in keys:
                found[site, key, "families"] += 1
                found[site, key, "children"] += int(each["n_children"])
    spec = tables.spec
    outcomes = [*spec.codes["screening_outcome"], UNDECIDED]
    reasons = sorted({key[1:] for _, key, _ in found if key[0] == "not_randomised" and key[2]})
    shown = [(("referred",), {}), (("randomised",), {})]
    shown += [(("screened", each), {"outcome": each}) for each in outcomes]
    shown += [(("not_randomised", a, b), {"outcome": a, "reason": b}) for a, b in reasons]
    shown += [(("in_epoch", each.id), {"epoch": each.id}) for each in spec.trial.epochs]
    shown += [(("in_year", year), {"year": str(year)}) for year in years]
    return [
        Count(f"{key[0]}_{unit}", found[site, key, unit], {"site": site, **labels})
        for site in (EVERYWHERE, *spec.trial.sites)
        for key, labels in shown
        for unit in ("families", "children")
    ]


def _on_line(path: list[tuple[int, float]], day: int) -> float:
    if day <= path[0][0]:
        return path[0][1]
    for (a, low), (b, high) in zip(path, path[1:], strict=False):
        if day <= b:
            return low + (high - low) * (day - a) / (b - a)
    return path[-1][1]


def _rates(dated: list[dict], entry: AccrualAnalysis, tables: Tables, end: date, cut: date) -> list[Estimate]:
    opened = {site: date.fromisoformat(day) for site, day in tables.spec.trial.recruitment.opened.items()}
    opened = {site: day for site, day in opened.items() if day <= cut}
    found = []
    for site in (EVERYWHERE, *tables.spec.trial.sites):
        mine = [each for each in dated if site in (EVERYWHERE, each["site"])]
        days = [day for name, day in opened.items() if site in (EVERYWHERE, name)]
        for period in ("all", "last"):
            rate = None
            if days and min(days) <= end:
                start = min(days)
                if period == "last":
                    start = max(start, end - timedelta(days=entry.rate_days - 1))
                n = sum(start <= each["randomisation_date"] <= end for each in mine)
                rate = n * DAYS_PER_MONTH / ((end - start).days + 1)
            found.append(Estimate("rate", rate, labels={"site": site, "period": period}))
    return found


def _to_come(
    dated: list[dict], entry: AccrualAnalysis, tables: Tables, cut: date, last: date
) -> list[Estimate]:
    plan, level = tables.spec.trial.recruitment, tables.level
    sites = []
    for site, day in plan.opened.items():
        open_days = min((cut - date.fromisoformat(day)).days + 1, entry.rate_days)
        if open_days > 0:
            recent = (cut - each["randomisation_date"] for each in dated if each["site"] == site)
            sites.append((sum(each.days < entry.rate_days for each in recent), open_days))
    if not any(n for n, _ in sites):
        return []
    wanted, left = plan.target.families - len(dated), (last - cut).days

    def fewer(n: int, time: float) -> float:
        return _chance_of_fewer(n, [(k + entry.prior_shape, tau, time) for k, tau in sites])

    shares = (0.5, (1 - level) / 2, (1 + level) / 2)
    finish = [_root(lambda time, share=share: 1 - fewer(wanted, time) - share) for share in shares]
    by_end = [float(len(dated) + _least(lambda n: fewer(n + 1, left), share)) for share in shares]
    by = {"by": plan.last}
    return [
        _estimate("finish", finish, level, {"from": cut.isoformat()}),
        _estimate("randomised_by_end", by_end, level, by),
        Estimate("chance_of_target", number(1 - fewer(wanted, left)), labels=by),
    ]


def _estimate(name: str, trio: list[float], level: float, labels: dict[str, str]) -> Estimate:
    middle, low, high = map(number, trio)
    return Estimate(name, middle, low=low, high=high, level=level, labels=labels)


def _chance_of_fewer(n: int, sites: list[tuple[float, float, float]]) -> float:
    """Probability that fewer than n come: sites watched alike by the closed form, others by the transform.

    On a circle a little smaller than the unit circle, numbers beyond the last point hardly come back.
    """
    if n <= 0:
        return 0.0
    if len({tau for _, tau, _ in sites}) == 1:
        shape = sum(each[0] for each in sites)
        tau, time = sites[0][1:]
        return float(stats.betaprime.sf(time / tau, n, shape)) if time > 0 else 1.0
    radius = 10.0 ** (-12 / POINTS)
    z = radius * np.exp(2j * np.pi * np.arange(POINTS) / POINTS)
    log = sum(-shape * np.log1p(time / tau * (1 - z)) for shape, tau, time in sites)
    masses = np.fft.fft(np.exp(log)).real / POINTS / radius ** np.arange(POINTS)
    return float(masses[:n].sum())


def _root(over: Callable[[float], float]) -> float:
    low, high = 1e-9, 1.0
    while over(high) < 0:
        low, high = high, 4 * high
        if high > 1e15:
            return np.inf
    return optimize.bisect(over, low, high, xtol=1e-9, rtol=1e-12, maxiter=500)


def _least(chance: Callable[[int], float], share: float) -> int:
    """The smallest number with so much probability up to it."""
    n = 0
    while chance(n) < share:
        n += 1
    return n


def _curves(dated: list[dict], tables: Tables, first: date, end: date) -> list[Curve]:
    days = [first]
    month = date(first.year, first.month, 1)
    while month <= end:
        month = date(month.year + month.month // 12, month.month % 12 + 1, 1)
        if month - timedelta(days=1) <= end:
            days.append(month - timedelta(days=1))
    days = sorted({*days, end})
    found = []
    for site in (EVERYWHERE, *tables.spec.trial.sites):
        mine = [each for each in dated if site in (EVERYWHERE, each["site"])]
        for unit in ("families", "children"):
            value = [
                sum(
                    int(each["n_children"]) if unit == "children" else 1
                    for each in mine
                    if each["randomisation_date"] <= day
                )
                for day in days
            ]
            labels = {"site": site, "unit": unit, "from": first.isoformat()}
            time = tuple(float((day - first).days) for day in days)
            found.append(Curve("randomised", time, tuple(map(float, value)), labels=labels))
    return found

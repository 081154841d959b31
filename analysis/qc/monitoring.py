"""Monitoring a second time: dense fit of the primary model, boundaries by Simpson's rule, look by look."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from analysis.qc import mixed, score_paths
from analysis.qc.again import Again, ratio
from analysis.qc.design import with_outcome
from analysis.qc.planned_looks import families_for, maximum
from analysis.qc.risk_sets import hazard
from analysis.qc.score_paths import START, Scores, chances, next_bound, predictive, spent_by, with_drift
from analysis.qc.tables import Tables, by_arm, sizes, treated
from analysis.qc.times import event_times
from analysis.results import Count, Estimate, Result
from analysis.spec.monitoring_entries import MonitoringAnalysis

METHOD = (
    "dense restricted likelihood of the primary model; boundaries, power and stagewise inference by "
    "Simpson's rule over a fine grid of scores, predictive power from the predictive law of the scores; "
    "statsmodels' Cox model with residuals as matrices"
)
SHARES = ("model", "children", "families")


@dataclass(frozen=True)
class Row:
    """A look in the second programmer's reading: number, cut, information, z, bound and error spent."""

    number: int
    cut: str
    information: float
    z: float
    bound: float
    spent: float


def again(entry: MonitoringAnalysis, tables: Tables) -> Again:
    """All looks, power from here on, and inference after a stop."""
    old = _taken(entry, tables)
    rows = [
        _row(name, old) for name in dict.fromkeys(each.labels["look"] for each in old if each.name == "z")
    ]
    cut = str(tables.frames["recruitment"]["cut_date"].max().date())
    where = {"look": str(len(rows) + 1), "cut": cut, "state": "now"}
    analysed, found = _difference(entry, tables)
    people = dict.fromkeys(("families", "children"), 0)
    for each in analysed:
        people[each.name] += each.value
    most = maximum(entry)
    families = families_for(entry, most)
    maxima = dict(zip(SHARES, (most, families * entry.design.children_per_family, families), strict=True))
    now, used, over, tested = _now(entry, rows, len(rows) + 1, cut, found, most)
    future = [] if over else _future(entry, now, used, most)
    events, counts = _events(entry, tables, where)
    analysed += [Count(name, n, where) for name, n in people.items()]
    return Again(
        METHOD,
        estimates=(
            *(Estimate("maximum", value, labels={"of": of}) for of, value in maxima.items()),
            *(each for each in old if isinstance(each, Estimate)),
            *_numbers(now, found, people, maxima, where),
            *events,
            *_planned(entry, future, most),
            *_powers(entry, now, found, future, tables.arms),
            *_after_stop(entry, rows, now, used, tested and over, [*old, found], tables),
        ),
        counts=(*(each for each in old if isinstance(each, Count)), *analysed, *counts),
    )


def _taken(entry: MonitoringAnalysis, tables: Tables) -> list[Estimate | Count]:
    kept = []
    for result in tables.earlier:
        if result.analysis == entry.id and isinstance(result, Result):
            for each in (*result.estimates, *result.counts):
                if each.labels.get("state") in ("now", "taken"):
                    kept.append(replace(each, labels={**each.labels, "state": "taken"}))
    return kept


def _row(look: str, old: Sequence) -> Row:
    value = {each.name: each.value for each in old if each.labels["look"] == look and "of" not in each.labels}
    cut = next(each.labels["cut"] for each in old if each.labels["look"] == look)
    nan_for_none = [np.nan if value[name] is None else value[name] for name in ("information", "z")]
    bound = np.inf if value["critical"] is None else value["critical"]
    return Row(int(look), cut, *nan_for_none, bound, value["spent"])


def _difference(entry: MonitoringAnalysis, tables: Tables) -> tuple[list[Count], Estimate | None]:
    watched = tables.spec.analyses[entry.watches]
    rows = with_outcome(tables, watched)
    return sizes(rows, tables, set="analysed"), mixed.difference(watched, rows, tables)


def _now(
    entry: MonitoringAnalysis, rows: list[Row], number: int, cut: str, found: Estimate | None, most: float
) -> tuple[Row, list[Row], bool, bool]:
    """This look, the looks whose information rose, whether all is over, and whether it tested in order."""
    alpha, last = entry.spending.alpha, cut >= entry.looks[-1].cut
    spent = rows[-1].spent if rows else 0.0
    information, z = np.nan, np.nan
    if found is not None:
        information, z = found.se**-2, np.sign(found.value) * float(stats.norm.isf(found.p / 2))
    used = []
    for each in rows:
        if each.information > (_enough(entry, used)):
            used.append(each)
    closed = any(abs(each.z) >= each.bound or np.isclose(each.spent, alpha, rtol=1e-9) for each in rows)
    bound, tested = np.inf, False
    if not closed and np.isfinite(information):
        if information > _enough(entry, used):
            kind, share = entry.spending, 1.0 if last else information / most
            side = spent_by(kind.kind, kind.gamma, alpha / 2, share)
            bound = next_bound(
                [each.bound for each in used], [*(each.information for each in used), information], side
            )
            spent, tested = max(spent, 2 * side), True
        elif last:
            bound, spent = float(stats.norm.isf((alpha - spent) / 2)), alpha
    now = Row(number, cut, information, z, bound, spent)
    over = bool(last or closed or abs(z) >= bound or np.isclose(spent, alpha, rtol=1e-9))
    return now, used, over, tested


def _enough(entry: MonitoringAnalysis, used: Sequence[Row]) -> float:
    """Information above which a look counts."""
    return np.nextafter((1 + entry.least_gain) * used[-1].information, 0.0) if used else 0.0


def _future(entry: MonitoringAnalysis, now: Row, used: list[Row], most: float) -> list[Row]:
    kept = [*used, now] if now.information > _enough(entry, used) else list(used)
    floor = (1 + entry.least_gain) * max(
        [each.information for each in (*kept, now) if np.isfinite(each.information)], default=0.0
    )
    ahead = [(each.cut, each.fraction * most) for each in entry.looks if each.cut > now.cut]
    ahead = [*(pair for pair in ahead[:-1] if pair[1] >= floor), (ahead[-1][0], max(most, floor))]
    bounds, information = [each.bound for each in kept], [each.information for each in kept]
    made, rule = [], entry.spending
    for number, (cut, here) in enumerate(ahead, start=now.number + 1):
        share = 1.0 if cut == ahead[-1][0] else here / most
        side = spent_by(rule.kind, rule.gamma, rule.alpha / 2, share)
        information.append(here)
        bounds.append(next_bound(bounds, information, side))
        made.append(Row(number, cut, here, np.nan, bounds[-1], max(now.spent, 2 * side)))
    return made


def _numbers(
    now: Row, found: Estimate | None, people: dict[str, int], maxima: dict[str, float], where: dict[str, str]
) -> Iterator[Estimate]:
    seen = {"model": now.information, **people}
    yield Estimate("information", _known(now.information), labels=where)
    for of, most in maxima.items():
        yield Estimate("fraction", _known(seen[of] / most), labels={**where, "of": of})
    if found is not None:
        yield replace(found, statistic=None, labels={**found.labels, **where})
    yield Estimate("z", _known(now.z), labels=where)
    yield Estimate("critical", _known(now.bound), labels=where)
    yield Estimate("spent", now.spent, labels=where)


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _planned(entry: MonitoringAnalysis, future: list[Row], most: float) -> Iterator[Estimate]:
    for each in future:
        where = {"look": str(each.number), "cut": each.cut, "state": "planned"}
        yield Estimate("information", each.information, labels=where)
        yield Estimate("fraction", each.information / most, labels={**where, "of": "model"})
        yield Estimate("critical", _known(each.bound), labels=where)
        yield Estimate("spent", each.spent, labels=where)
        yield _limit(entry, where)


def _limit(entry: MonitoringAnalysis, where: dict[str, str]) -> Estimate:
    fixed = entry.fixed
    level = fixed.alpha if where["cut"] >= entry.looks[-1].cut else fixed.interim_alpha
    return Estimate("event_critical", float(stats.norm.isf(level / 2)), labels=where)


def _events(
    entry: MonitoringAnalysis, tables: Tables, where: dict[str, str]
) -> tuple[list[Estimate], list[Count]]:
    watched, limit = tables.spec.analyses[entry.fixed.analysis], _limit(entry, where)
    rows = event_times(
        tables, watched.population, watched.event, watched.strata, origin=watched.origin, until=watched.until
    )
    counts = [
        Count("events", int(mine["cause"].notna().sum()), {"arm": arm, **where})
        for arm, mine in by_arm(rows, tables)
    ]
    nothing = [Estimate("event_z", None, labels=where), limit]
    if any(each.value == 0 for each in counts):
        return nothing, counts
    fit = hazard(rows, rows["cause"].notna().to_numpy(), treated(rows, tables), watched.ties)
    value, se = float(fit.coef[0]), float(np.sqrt(fit.robust[0, 0]))
    labels = {**where, "contrast": tables.contrast}
    made = ratio("hazard_ratio", value, se, level=tables.level, labels=labels)
    return [made, Estimate("event_z", value / se, labels=where), limit], counts


def _powers(
    entry: MonitoringAnalysis,
    now: Row,
    found: Estimate | None,
    future: list[Row],
    arms: tuple[str, str],
) -> Iterator[Estimate]:
    if found is None or not future:
        return
    here = Scores(np.array([now.z * np.sqrt(now.information)]), START.p, now.information)
    bounds, information = [each.bound for each in future], [each.information for each in future]
    drifts = {"current trend": found.value, "design": entry.design.effect, "none": 0.0}
    if arms == ("A", "B"):
        drifts["design, the other way"] = -entry.design.effect
    for name, drift in drifts.items():
        yield Estimate("drift", drift, labels={"drift": name})
        sides = chances(bounds, information, with_drift(drift), here).sum(axis=0)
        yield from _sides("conditional_power", sides, {"drift": name})
    yield from _sides("predictive_power", chances(bounds, information, predictive, here).sum(axis=0), {})


def _sides(name: str, sides: np.ndarray, labels: dict[str, str]) -> Iterator[Estimate]:
    for side, value in {"above": sides[0], "below": sides[1], "either": sides.sum()}.items():
        yield Estimate(name, float(value), labels={**labels, "side": side})


def _after_stop(
    entry: MonitoringAnalysis,
    rows: list[Row],
    now: Row,
    used: list[Row],
    stops_here: bool,
    told: Sequence,
    tables: Tables,
) -> Iterator[Estimate]:
    alpha = entry.spending.alpha
    closed = next(
        (each for each in rows if abs(each.z) >= each.bound or np.isclose(each.spent, alpha, rtol=1e-9)), None
    )
    ends = []
    if stops_here:
        ends, before = [("the look that stopped", now)], used
    elif closed is not None and closed in used:
        ends, before = (
            [("the look that stopped", closed)],
            [each for each in used if each.number < closed.number],
        )
        if now.information > _enough(entry, [closed]):
            ends.append(("the data since", now))
    for of, end in ends:
        value, low, high, p = score_paths.stagewise(
            end.z,
            [each.bound for each in before],
            [*(each.information for each in before), end.information],
            tables.level,
        )
        by = _naive(told, end) / (end.z / end.information**0.5) if end.z else 1.0
        parts = {"low": by * low, "high": by * high, "level": tables.level, "p": p}
        labels = {"contrast": tables.contrast, "of": of}
        yield Estimate("adjusted_difference", by * value, **parts, labels=labels)


def _naive(told: Sequence, look: Row) -> float:
    """The difference as it was estimated at a look: one already taken, or the last of those told."""
    then = [
        each for each in told[:-1] if each.name == "difference" and each.labels["look"] == str(look.number)
    ]
    return then[0].value if then else told[-1].value

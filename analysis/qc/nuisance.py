"""Nuisance parameters a second time: dense fit without the arm, families tallied, power by Simpson's rule."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from analysis.qc import accrual
from analysis.qc.again import Again
from analysis.qc.design import columns, those_due, with_outcome
from analysis.qc.planned_looks import families_for, maximum, planned_bounds
from analysis.qc.score_paths import chances, with_drift
from analysis.qc.siblings import Siblings, fit_siblings
from analysis.qc.tables import ARM, Tables
from analysis.results import Count, Estimate
from analysis.spec.monitoring_entries import MonitoringAnalysis, NuisanceAnalysis

METHOD = "dense restricted likelihood without the arm; families tallied one by one; power by Simpson's rule"


def again(entry: NuisanceAnalysis, tables: Tables) -> Again:
    """What the design assumed, and what is seen of all arms together."""
    monitored = tables.spec.analyses[entry.monitors]
    watched = tables.spec.analyses[monitored.watches]
    rows = with_outcome(tables, watched)
    due = those_due(
        tables, tables.people(entry.population), watched.outcome.parameter, [watched.outcome.visit]
    )
    closed = tables.rows("visits", due, visit=watched.outcome.visit)
    due = due[due["child_id"].isin(set(closed.loc[closed["is_due"], "child_id"]))]
    known = due[due["child_id"].isin(set(rows["child_id"]))]
    size = {
        (which, name): len(set(frame[column]))
        for which, frame in (("due", due), ("known", known), ("analysed", rows))
        for name, column in (("families", "family_id"), ("children", "child_id"))
    }
    randomised = {each for each in tables.frames["recruitment"]["family_id"] if isinstance(each, str)}
    kept = randomised & set(tables.people(entry.population)["family_id"])
    size |= {("randomised", "families"): len(randomised), ("kept", "families"): len(kept)}
    recruited = accrual.again(tables.spec.analyses[entry.recruitment], tables)
    most = maximum(monitored)
    shares = {
        "kept": _share(len(kept), len(randomised)),
        "retention": _share(size["known", "families"], size["due", "families"]),
    }
    # Nothing of the outcome is told of few families.
    shown = rows if len(set(rows["family_id"])) >= entry.least_families else rows.iloc[:0]
    seen = list(_observed(entry, shown, _fit(shown, watched, tables), shares, most, tables))
    return Again(
        METHOD,
        estimates=(
            Estimate("maximum", most),
            *_assumed(monitored, most),
            *seen,
            *_projected(monitored, seen, recruited, most, tables),
        ),
        counts=tuple(Count(name, n, {"arm": "All", "set": which}) for (which, name), n in size.items()),
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _fit(rows: pd.DataFrame, watched, tables: Tables) -> Siblings | None:
    """The fit, where two children have the outcome, two siblings, and the covariates can be told apart."""
    if len(rows) < 2 or not rows["family_id"].duplicated().any():
        return None
    X = columns(rows, tables, watched.covariates).drop(columns="arm")
    if len(X) <= X.shape[1] or np.linalg.matrix_rank((X / np.abs(X).max()).to_numpy(float)) < X.shape[1]:
        return None
    return fit_siblings(rows.drop(columns=ARM), X, may_be_negative=watched.structure == "exchangeable")


def _assumed(monitored: MonitoringAnalysis, most: float) -> Iterator[Estimate]:
    design, where = monitored.design, {"set": "assumed"}
    yield Estimate("sd", design.sd, labels={**where, "of": "residual"})
    yield Estimate("icc", design.icc, labels=where)
    yield Estimate("children_per_family", design.children_per_family, labels=where)
    yield Estimate("retention", design.retention, labels=where)
    needed = families_for(monitored, most)
    yield from _end(monitored, most / needed, design.retention, most, where)


def _observed(
    entry: NuisanceAnalysis,
    rows: pd.DataFrame,
    fit: Siblings | None,
    shares: dict[str, float | None],
    most: float,
    tables: Tables,
) -> Iterator[Estimate]:
    monitored = tables.spec.analyses[entry.monitors]
    where, sizes = {"set": "observed"}, rows.groupby("family_id").size()
    raw = float(np.std(rows["value"].to_numpy(float), ddof=1)) if len(rows) > 1 else None
    per_family = residual = None
    correlation = Estimate("icc", None, labels=where)
    if fit is not None:
        found, total = fit.icc(tables.level), float(fit.theta.sum())
        residual = fit.sd(tables.level)
        correlation = Estimate(
            "icc", found.value, low=found.low, high=found.high, level=found.level, labels=where
        )
        per_family = float((sizes / (1 + (sizes - 1) * found.value)).mean() / (4 * total))
    yield Estimate("sd", raw, labels={**where, "of": "raw"})
    yield replace(residual or Estimate("sd", None), labels={**where, "of": "residual"})
    yield correlation
    yield Estimate("children_per_family", float(sizes.mean()) if len(sizes) else None, labels=where)
    for name, share in shares.items():
        yield Estimate(name, share, labels=where)
    told = [share for share in shares.values() if share is not None and len(rows)]
    of_randomised = float(np.prod(told)) if len(told) == len(shares) else None
    yield from _end(monitored, per_family, of_randomised, most, where)


def _projected(
    monitored: MonitoringAnalysis, found: list[Estimate], recruited: Again, most: float, tables: Tables
) -> Iterator[Estimate]:
    """What the families bring that are there at the end of recruitment."""
    where = {"set": "projected"}
    to_come = [each for each in recruited.estimates if each.name == "randomised_by_end"]
    (state,) = (each.labels["state"] for each in recruited.counts if each.name == "target")
    if state != "open":
        (n,) = (
            each.value
            for each in recruited.counts
            if each.name == "randomised_families" and each.labels["site"] == accrual.EVERYWHERE
        )
        to_come = [Estimate("x", float(n), labels={"by": tables.spec.trial.recruitment.last})]
    for each in to_come:
        yield replace(each, name="randomised_by_end", labels={**each.labels, **where})
        value = {mine.name: mine.value for mine in found if mine.labels.get("set") == "observed"}
        planned = monitored.design.families
        families, information = value["families_at_end"], value["information_at_end"]
        per_family = information / families if information else None
        retention = families / planned if families is not None else None
        made = _end(monitored, per_family, retention, most, where, randomised=each.value)
        yield from (one for one in made if one.name in ("families_at_end", "information_at_end", "power"))


def _end(
    monitored: MonitoringAnalysis,
    per_family: float | None,
    retention: float | None,
    most: float,
    where: dict[str, str],
    *,
    randomised: float | None = None,
) -> Iterator[Estimate]:
    number = monitored.design.families if randomised is None else randomised
    families = None if retention is None else number * retention
    information = families * per_family if families is not None and per_family else None
    power = None
    if information:
        looks = [each.fraction * information for each in monitored.looks]
        bounds = planned_bounds(monitored)
        power = float(chances(bounds, looks, with_drift(monitored.design.effect)).sum())
    needed = most / per_family if per_family else None
    randomised = needed / retention if needed and retention else None
    named = {
        "families_at_end": families,
        "information_at_end": information,
        "power": power,
        "families_needed": needed,
        "families_to_randomise": randomised,
    }
    for name, value in named.items():
        yield Estimate(name, value, labels=where)

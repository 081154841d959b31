"""Recruitment against its target: who was referred and randomised, and when the target will be met."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.data.ages import DAYS_PER_MONTH
from analysis.errors import ModelError
from analysis.models.answer import result_of
from analysis.models.groups import Data, so_many
from analysis.results import ALL_SITES, Count, Curve, Estimate, Result
from analysis.spec.conduct_entries import AccrualAnalysis
from analysis.spec.declarations import Spec
from analysis.stats.accrual import chance_of_recruiting, number_recruited, posterior_rates, time_to_recruit

OPEN = "open"
RANDOMISED = "randomised"


@dataclass(frozen=True, slots=True)
class Recruited:
    """Referrals and families at the cut, and the plan they are held to."""

    rows: pd.DataFrame
    spec: Spec

    @property
    def cut(self) -> pd.Timestamp:
        return self.rows["cut_date"].max()

    @property
    def families(self) -> pd.DataFrame:
        return self.rows[self.rows["family_id"].notna()]

    @property
    def first(self) -> pd.Timestamp:
        return pd.Timestamp(self.spec.trial.recruitment.first)

    @property
    def last(self) -> pd.Timestamp:
        return pd.Timestamp(self.spec.trial.recruitment.last)

    @property
    def target(self) -> int:
        return self.spec.trial.recruitment.target.families

    @property
    def state(self) -> str:
        """Whether the target is `met`, recruitment has `ended` without, or is still `open`."""
        if len(self.families) >= self.target:
            return "met"
        return "ended" if self.cut >= self.last else OPEN

    @property
    def opened(self) -> dict[str, pd.Timestamp]:
        """Sites open at the cut, with their first day."""
        days = {site: pd.Timestamp(day) for site, day in self.spec.trial.recruitment.opened.items()}
        return {site: day for site, day in days.items() if day <= self.cut}

    def of(self, site: str) -> pd.DataFrame:
        return self.rows if site == ALL_SITES else self.rows[self.rows["site"] == site]


def fit(entry: AccrualAnalysis, data: Data, spec: Spec) -> Result:
    """Referrals, families and children randomised by site, epoch, year and month, all arms together.

    While recruitment is open, also when the target will be met, how many will have been randomised by its
    last day, and the chance that they are enough: each site has a Poisson rate of its own, known from what it
    recruited in the last `rate_days`.

    Parameters
    ----------
    entry : AccrualAnalysis
        Days from which the rates are taken, and the shape of their prior.
    data : Pooled or Allocated
        Its table `recruitment`; arms are not looked at.
    spec : Spec
        Sites, epochs, and the target.

    Returns
    -------
    Result
        Counts of referrals and families; `rate` per month; `finish`, `randomised_by_end`, `chance_of_target`;
        curves `randomised` at the ends of months and `target`, in days since the first day of recruitment.

    Raises
    ------
    ModelError
        If nobody had been referred or randomised by the cut.

    Source
    ------
    Anisimov & Fedorov (2007), Stat. Med. 26:4958; see `analysis.stats.accrual`.
    """
    found = Recruited(data.tables["recruitment"], spec)
    if found.rows.empty:
        raise ModelError("nobody had been referred or randomised by the data cut.")
    sites = (ALL_SITES, *spec.trial.sites)
    return result_of(
        entry,
        data,
        method=_method(entry),
        counts=(
            Count("target", found.target, {"state": found.state}),
            *(each for site in sites for each in _counts(found, site)),
        ),
        estimates=(
            _planned(found),
            *(each for site in sites for each in _rates(found, site, entry.rate_days)),
            *_projections(found, entry),
        ),
        curves=(*(each for site in sites for each in _curves(found, site)), _target(found)),
        notes=_notes(found, data, entry.rate_days),
    )


def _counts(found: Recruited, site: str) -> list[Count]:
    rows, spec = found.of(site), found.spec
    families, where = rows[rows["family_id"].notna()], {"site": site}
    outcome = rows["screening_outcome"].fillna(OPEN)
    counts = [*_sizes("referred", rows, where), *_sizes("randomised", families, where)]
    for each in (*spec.codes["screening_outcome"], OPEN):
        counts += _sizes("screened", rows[outcome == each], {**where, "outcome": each})
    for each, reason in _reasons(found):
        those = rows[(outcome == each) & (rows["reason"] == reason)]
        counts += _sizes("not_randomised", those, {**where, "outcome": each, "reason": reason})
    for epoch in (each.id for each in spec.trial.epochs):
        counts += _sizes("in_epoch", families[families["epoch"] == epoch], {**where, "epoch": epoch})
    years = families["randomisation_date"].dt.year
    for year in range(found.first.year, _end(found).year + 1):
        counts += _sizes("in_year", families[years == year], {**where, "year": str(year)})
    return counts


def _sizes(name: str, rows: pd.DataFrame, labels: dict[str, str]) -> list[Count]:
    """Families and the children they stand for."""
    children = int(rows["n_children"].sum())
    return [Count(f"{name}_families", len(rows), labels), Count(f"{name}_children", children, labels)]


def _reasons(found: Recruited) -> list[tuple[str, str]]:
    """Outcomes with the reasons that occur, in the order of the code lists."""
    codes = found.spec.codes
    pairs = set(zip(found.rows["screening_outcome"], found.rows["reason"], strict=True))
    return [(a, b) for a in codes["screening_outcome"] for b in codes["screening_reason"] if (a, b) in pairs]


def _planned(found: Recruited) -> Estimate:
    """Families the target asked for by the cut."""
    days, families = zip(*found.spec.trial.recruitment.path, strict=True)
    at = [(pd.Timestamp(day) - found.first).days for day in days]
    planned = np.interp((found.cut - found.first).days, at, families)
    return Estimate("planned", float(planned), labels={"by": _iso(found.cut)})


def _rates(found: Recruited, site: str, window: int) -> list[Estimate]:
    """Families per month since the site opened, and in the last days; none where it is not open."""
    opened = min((day for name, day in found.opened.items() if site in (ALL_SITES, name)), default=None)
    rates = dict.fromkeys(("all", "last"))
    if opened is not None:
        end, dates = min(found.cut, found.last), found.of(site)["randomisation_date"]
        recent = max(opened, end - pd.Timedelta(days=window - 1))
        rates = {"all": _per_month(dates, opened, end), "last": _per_month(dates, recent, end)}
    return [
        Estimate("rate", rate, unit="per month", labels={"site": site, "period": period})
        for period, rate in rates.items()
    ]


def _per_month(dates: pd.Series, start: pd.Timestamp, end: pd.Timestamp) -> float:
    return float(dates.between(start, end).sum() / ((end - start).days + 1) * DAYS_PER_MONTH)


def _projections(found: Recruited, entry: AccrualAnalysis) -> list[Estimate]:
    if found.state != OPEN:
        return []
    start = found.cut - pd.Timedelta(days=entry.rate_days)
    dates = {site: found.of(site)["randomisation_date"] for site in found.opened}
    events = [int((each > start).sum()) for each in dates.values()]
    if not sum(events):
        return []  # said in a note
    exposure = [min(entry.rate_days, (found.cut - day).days + 1) for day in found.opened.values()]
    rates = posterior_rates(events, exposure, prior_shape=entry.prior_shape)
    so_far, left = len(found.families), (found.last - found.cut).days
    level, by = found.spec.trial.level, {"by": _iso(found.last)}
    time = time_to_recruit(rates, found.target - so_far, level=level)
    more = number_recruited(rates, left, level=level)
    return [
        _predicted("finish", time, 0, {"from": _iso(found.cut)}),
        _predicted("randomised_by_end", more, so_far, by),
        Estimate("chance_of_target", chance_of_recruiting(rates, found.target - so_far, left), labels=by),
    ]


def families_by_end(entry: AccrualAnalysis, data: Data, spec: Spec) -> Estimate | None:
    """Families that will have been randomised by the last day of recruitment, with prediction limits.

    Those there are when recruitment has ended; none while nothing can be projected.
    """
    found = Recruited(data.tables["recruitment"], spec)
    if found.rows.empty:
        return None
    if found.state != OPEN:
        return Estimate("randomised_by_end", float(len(found.families)), labels={"by": _iso(found.last)})
    made = (each for each in _projections(found, entry) if each.name == "randomised_by_end")
    return next(made, None)


def _predicted(name: str, made, more: int, labels: dict[str, str]) -> Estimate:
    return Estimate(
        name, more + made.median, low=more + made.low, high=more + made.high, level=made.level, labels=labels
    )


def _curves(found: Recruited, site: str) -> list[Curve]:
    """Cumulative numbers on the first day, at the end of every month, and on the last day shown."""
    rows = found.of(site).dropna(subset="randomisation_date").sort_values("randomisation_date")
    dates = rows["randomisation_date"].to_numpy()
    end = max(_end(found), found.first)
    days = pd.DatetimeIndex([found.first, *pd.date_range(found.first, end, freq="ME"), end]).unique()
    so_many_rows = np.searchsorted(dates, days.to_numpy(), side="right")
    children = np.concatenate([[0], np.cumsum(rows["n_children"].to_numpy(int))])
    time = tuple(float(each) for each in (days - found.first).days)
    labels = {"site": site, "from": _iso(found.first)}
    return [
        Curve("randomised", time, tuple(map(float, value)), labels={**labels, "unit": unit})
        for unit, value in (("families", so_many_rows), ("children", children[so_many_rows]))
    ]


def _target(found: Recruited) -> Curve:
    days, families = zip(*found.spec.trial.recruitment.path, strict=True)
    time = tuple(float((pd.Timestamp(day) - found.first).days) for day in days)
    return Curve("target", time, tuple(map(float, families)), labels={"from": _iso(found.first)})


def _end(found: Recruited) -> pd.Timestamp:
    """Last day shown: the cut, or before it the end of recruitment or the last family after that."""
    return min(found.cut, max(found.last, found.families["randomisation_date"].max()))


def _iso(day: pd.Timestamp) -> str:
    return day.date().isoformat()


def _notes(found: Recruited, data: Data, window: int) -> list[str]:
    notes = []
    families = set(data.tables["subjects"]["family_id"]) - set(found.families["family_id"])
    if families:
        number = so_many(len(families), "family is", "families are")
        notes.append(f"{number} dated as randomised after the data cut and not counted here.")
    early = int((found.families["randomisation_date"] < found.first).sum())
    if early:
        number = so_many(early, "family is", "families are")
        notes.append(
            f"{number} dated as randomised before the first day of recruitment, {_iso(found.first)}; "
            "earlier years have no row."
        )
    recent = found.families["randomisation_date"] > found.cut - pd.Timedelta(days=window)
    if found.state == OPEN and not recent.any():
        notes.append(f"Nobody was randomised in the last {window} days before the data cut: no projection.")
    later = [site for site in found.spec.trial.sites if site not in found.opened]
    if later and found.state == OPEN:
        names = ", ".join(found.spec.codelists["site"][site] for site in later)
        notes.append(f"Not open at the data cut and not in the projection: {names}.")
    return notes


def _method(entry: AccrualAnalysis) -> str:
    return (
        "Families count from the day of their randomisation, children are those in the family at "
        "randomisation, families removed later as ineligible among them. While recruitment is open its end "
        "is projected: each site open at the data cut recruits at a Poisson rate with a gamma distribution, "
        f"of what it recruited in the last {entry.rate_days} days before the cut (prior shape "
        f"{entry.prior_shape:g}); the distribution of what is to come is exact and not simulated."
    )

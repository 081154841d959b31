"""The service that families received: who, why not, how soon, how much, and whether as meant."""

import numpy as np
import pandas as pd

from analysis.data.allocation import ARM, Allocated
from analysis.errors import ModelError
from analysis.models.answer import result_of
from analysis.models.groups import arm_names, select, sizes, so_many
from analysis.results import Count, Estimate, Result
from analysis.spec.conduct_entries import DeliveryAnalysis, Dose, Fulfilment
from analysis.spec.declarations import Spec
from analysis.stats.competing import kaplan_meier
from analysis.stats.multistate import occupation_at

UNITS = ("family", "child")
AMOUNTS = ("n_sessions", "contact_days")
QUARTILES = {"median": 0.5, "q1": 0.25, "q3": 0.75}
NOT_RECORDED = "not_recorded"
# A first contact on the day of randomisation comes before the first day and after the origin.
EARLIEST = 0.5
METHOD = (
    "Counted by what the service recorded; a child has what its family received. Of those whose wait is "
    "known, whether or not they ever had a contact, the share whose service had begun by a day is 1 less the "
    "Kaplan-Meier estimate, censored at the last day followed; standard errors of children are robust to "
    "dependence within families, limits on the log-log scale of the share begun. Arms are not compared."
)


def fit(entry: DeliveryAnalysis, data: Allocated, spec: Spec) -> Result:
    """The service received by arm, with families and with children as units.

    Parameters
    ----------
    entry : DeliveryAnalysis
        Population, doses and days of the plan.
    data : Allocated
        Its tables `subjects` and `service`.
    spec : Spec
        Every reason of the code list has its count.

    Returns
    -------
    Result
        Counts by arm and unit: `received`, `not_received` by reason, `not_recorded`, `other_service`, and
        whether `adherent` and `completed`; `median`, `q1`, `q3` of waits, sessions and days of contact, with
        the number they are of; `begun` by day, the median wait of all whose wait is known (to a first
        contact, or without one to the last day followed), and `wait_known`, how many they are.

    Raises
    ------
    ModelError
        If the population is empty, or those received, not received and not recorded are not all allocated.

    Source
    ------
    CONSORT 2025, item 24a; SAP guidance (Gamble et al. 2017), items 19a and 19b.
    """
    people = select(data, "subjects", entry.population)
    rows = people.merge(data.tables["service"].drop(columns=ARM), on="family_id", how="left")
    counts, estimates = list(sizes(people, data)), []
    for arm in arm_names(data):
        for unit in UNITS:
            mine, labels = _units(rows, arm, unit), {"arm": arm, "unit": unit}
            counts += [*_received(mine, labels, spec), *_fulfilled(mine, labels, entry, spec)]
            estimates += [*_amounts(mine, labels), *_begun(mine, labels, entry, spec)]
            counts += _numbers(mine, labels)
    return result_of(entry, data, method=METHOD, counts=counts, estimates=estimates, notes=_notes(rows, data))


def _units(rows: pd.DataFrame, arm: str, unit: str) -> pd.DataFrame:
    return rows[rows[ARM] == arm].drop_duplicates(f"{unit}_id")


def _is(column: pd.Series, value: bool) -> pd.Series:
    """Whether a column that may be unknown has a value."""
    return column.eq(value).fillna(False).astype(bool)


def _received(rows: pd.DataFrame, labels: dict[str, str], spec: Spec) -> list[Count]:
    """All allocated, parted by whether their service was received and why not."""
    refused = rows.loc[_is(rows["is_received"], False), "reason_not_received"].fillna(NOT_RECORDED)
    reasons = [*spec.codes["not_received_reason"], NOT_RECORDED]
    found = [
        Count("received", int(_is(rows["is_received"], True).sum()), labels),
        *(
            Count("not_received", int((refused == each).sum()), {**labels, "reason": each})
            for each in reasons
        ),
        Count("not_recorded", int(rows["is_received"].isna().sum()), labels),
    ]
    if sum(each.value for each in found) != len(rows):
        raise ModelError(
            "table service: those received, not received and not recorded are not all allocated."
        )
    return [*found, Count("other_service", int(_is(rows["is_other_received"], True).sum()), labels)]


def _fulfilled(
    rows: pd.DataFrame, labels: dict[str, str], entry: DeliveryAnalysis, spec: Spec
) -> list[Count]:
    """Who had the least that the plan asks for, and of whom it cannot be told."""
    found = []
    for name in ("adherent", "completed"):
        dose = _dose(getattr(entry, name), labels["arm"], spec)
        if dose is not None:
            had = _had(rows, dose)
            found.append(Count(name, int((had == 1).sum()), labels))
            found.append(Count(f"{name}_not_known", int(np.isnan(had).sum()), labels))
    return found


def _dose(rule: Fulfilment, arm: str, spec: Spec) -> Dose | None:
    return rule.intervention if arm == spec.trial.arms.intervention else rule.control


def _had(rows: pd.DataFrame, dose: Dose) -> np.ndarray:
    """1 where the dose was reached, 0 where not, not-a-number where it is not known, (n,).

    Whoever fails one part of it has not had it, whatever the other part is.
    """
    parts = [_is(rows["is_received"], True).where(rows["is_received"].notna(), np.nan)]
    # Sessions are counted when a service ends; that there was one is known from the first contact on.
    once = pd.Series(np.where(_is(rows["has_begun"], True), 1.0, np.nan), index=rows.index)
    for column, least in (("n_sessions", dose.sessions), ("contact_days", dose.contact_days)):
        if least is not None:
            amount = rows[column].astype(float)
            if column == "n_sessions" and least <= 1:
                amount = amount.fillna(once)
            parts.append((amount >= least).where(amount.notna(), np.nan))
    had = np.array([part.astype(float) for part in parts])
    return np.where((had == 0).any(axis=0), 0.0, had.min(axis=0))


def _amounts(rows: pd.DataFrame, labels: dict[str, str]) -> list[Estimate]:
    return [
        Estimate(name, _quantile(values, share), labels={**labels, "of": of})
        for of, values in _known(rows).items()
        for name, share in QUARTILES.items()
    ]


def _numbers(rows: pd.DataFrame, labels: dict[str, str]) -> list[Count]:
    known = [Count("known", len(values), {**labels, "of": of}) for of, values in _known(rows).items()]
    return [*known, Count("wait_known", int(rows["wait_days"].notna().sum()), labels)]


def _known(rows: pd.DataFrame) -> dict[str, pd.Series]:
    """Waits of those whose first contact was seen, and amounts where they are recorded."""
    waits = rows.loc[_is(rows["has_begun"], True), "wait_days"]
    return {"wait_days": waits, **{each: rows[each].dropna() for each in AMOUNTS}}


def _quantile(values: pd.Series, share: float) -> float | None:
    return float(np.quantile(values.to_numpy(float), share)) if len(values) else None


def _begun(rows: pd.DataFrame, labels: dict[str, str], entry: DeliveryAnalysis, spec: Spec) -> list[Estimate]:
    """The share whose service had begun, and the median wait, of all whose wait is known."""
    rows = rows[rows["wait_days"].notna()]
    if rows.empty:
        days = [Estimate("begun", None, labels={**labels, "day": str(day)}) for day in entry.days]
        return [*days, Estimate("median_of_all", None, unit="days", labels=labels)]
    curve = kaplan_meier(
        rows["wait_days"].astype(float).clip(lower=EARLIEST).to_numpy(),
        _is(rows["has_begun"], True).to_numpy(int),
        cluster=rows["family_id"].to_numpy(),
        level=spec.trial.level,
    )
    begun = occupation_at(curve.occupation, np.array(entry.days, dtype=float)).select(slice(1, None, 2))
    limits = begun.interval(kind="log-log", level=spec.trial.level)
    median = Estimate("median_of_all", curve.quantile(0.5).value, unit="days", labels=labels)
    columns = (entry.days, begun.estimate, begun.se, limits.low, limits.high)
    shares = [
        Estimate("begun", value, se, low, high, spec.trial.level, labels={**labels, "day": str(day)})
        for day, value, se, low, high in zip(*columns, strict=True)
    ]
    return [*shares, median]


def _notes(rows: pd.DataFrame, data: Allocated) -> list[str]:
    """What the table must say of waits that are not as the records have them."""
    families = rows.drop_duplicates("family_id")
    early = int(_is(families["is_begun_before"], True).sum())
    no_record = int(families["is_received"].isna().sum())
    absent = int((_is(families["is_received"], True) & families["has_begun"].isna()).sum())
    said = []
    if data.view == "dummy":
        said.append("A rehearsal may not know what was delivered: it tells the arm.")
    if early:
        said.append(f"First contact before randomisation, a wait of 0 days: {_families(early)}.")
    if absent:
        said.append(f"Received without the day of a first contact, in no wait: {_families(absent)}.")
    if no_record and data.view != "dummy":
        said.append(f"Without a record of the service, in no wait: {_families(no_record)}.")
    return said


def _families(n: int) -> str:
    return so_many(n, "family", "families")

"""Serious adverse events: families, children, events and time at risk, by kind."""

import pandas as pd

from analysis.data.ages import DAYS_PER_MONTH, DAYS_PER_YEAR
from analysis.data.allocation import ARM
from analysis.models.answer import result_of
from analysis.models.groups import Data, arm_names, contrast_name, select, sizes, with_groups
from analysis.results import Count, Estimate, Result
from analysis.spec.declarations import Spec
from analysis.spec.sap import HarmsAnalysis
from analysis.stats.proportions import risk_difference

ANY = "any"
# What a listing says of an event, beside its arm and month.
LISTED = ("category", "relatedness", "outcome")
NOT_RECORDED = "not recorded"


def fit(entry: HarmsAnalysis, data: Data, spec: Spec) -> Result:
    """Serious adverse events by kind, zeros included, and the difference in the risk of a family having one.

    Families are independent, children of a family are not: the interval is of the share of families with at
    least one event. Events and child-years count from randomisation to the trial's horizon.

    Parameters
    ----------
    entry : HarmsAnalysis
        Population and kind of interval of the plan.
    data : Pooled or Allocated
        Without arms the pooled counts.
    spec : Spec
        The declarations; every kind of event of the code list has its rows.

    Returns
    -------
    Result
        Counts `events`, `children`, `families` by category and by relatedness; `child_years`, `rate`,
        `risk_difference`; where arms are known each event as `listed_event`, the months since randomisation.

    Raises
    ------
    ModelError
        If the population is empty.

    Source
    ------
    Counts; interval: see `analysis.stats.proportions`.
    """
    people = select(data, "subjects", entry.population)
    events = with_groups(data.tables["harms"])
    events = _in_window(events, people)
    categories = [ANY, *spec.codes["event_category"]]
    years = {
        arm: float(people.loc[people[ARM] == arm, "safety_days"].sum()) / DAYS_PER_YEAR
        for arm in arm_names(data)
    }
    return result_of(
        entry,
        data,
        method=_method(entry, data, spec),
        counts=(
            *_at_risk(people, data),
            *(count for each in categories for count in _counts(_of(events, each), data, category=each)),
            *_by_relatedness(events, data, spec),
        ),
        estimates=(
            *(
                Estimate("child_years", years[arm], unit="years", labels={"arm": arm})
                for arm in arm_names(data)
            ),
            *(rate for each in categories for rate in _rates(events, each, years)),
            *(gap for each in categories for gap in _differences(entry, events, people, each, data, spec)),
            *(_listing(events) if data.arms else ()),
        ),
    )


def _of(events: pd.DataFrame, category: str) -> pd.DataFrame:
    return events if category == ANY else events[events["category"] == category]


def _at_risk(people: pd.DataFrame, data: Data) -> list[Count]:
    return [Count(f"at_risk_{count.name}", count.value, count.labels) for count in sizes(people, data)]


def _counts(events: pd.DataFrame, data: Data, **of: str) -> list[Count]:
    found = []
    for arm in arm_names(data):
        rows, labels = events[events[ARM] == arm], {"arm": arm, **of}
        found.append(Count("events", len(rows), labels))
        found.append(Count("children", rows["child_id"].nunique(), labels))
        found.append(Count("families", rows["family_id"].nunique(), labels))
    return found


def _rates(events: pd.DataFrame, category: str, years: dict[str, float]) -> list[Estimate]:
    return [
        Estimate(
            "rate",
            100 * len(_of(events[events[ARM] == arm], category)) / time if time else None,
            unit="per 100 child-years",
            labels={"arm": arm, "category": category},
        )
        for arm, time in years.items()
    ]


def _differences(
    entry: HarmsAnalysis, events: pd.DataFrame, people: pd.DataFrame, category: str, data: Data, spec: Spec
) -> list[Estimate]:
    if not data.arms:
        return []
    with_event = [_of(events[events[ARM] == arm], category)["family_id"].nunique() for arm in arm_names(data)]
    families = [people.loc[people[ARM] == arm, "family_id"].nunique() for arm in arm_names(data)]
    gap = risk_difference(
        *(each for pair in zip(with_event, families, strict=True) for each in pair),
        method=entry.interval,
        level=spec.trial.level,
    )
    labels = {"contrast": contrast_name(data), "category": category}
    return [
        Estimate(
            "risk_difference", gap.estimate, low=gap.low, high=gap.high, level=spec.trial.level, labels=labels
        )
    ]


def _listing(events: pd.DataFrame) -> list[Estimate]:
    """Every event with its arm, by the months completed since randomisation: no identifier and no day."""
    rows = events.assign(month=(events["day"] / DAYS_PER_MONTH).astype(int))
    rows[[*LISTED]] = rows[[*LISTED]].astype(object).fillna(NOT_RECORDED)
    rows = rows.sort_values(["month", *LISTED, "event_id"], kind="stable")
    return [
        Estimate(
            "listed_event",
            float(row["month"]),
            unit="months",
            labels={"arm": row[ARM], "number": str(at), **{name: str(row[name]) for name in LISTED}},
        )
        for at, row in enumerate(rows.to_dict("records"), start=1)
    ]


def _in_window(events: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """Events of the children analysed in the days in which theirs count, or of a family in those of any."""
    own = events["child_id"].map(people.set_index("child_id")["safety_days"])
    familys = events["family_id"].map(people.groupby("family_id")["safety_days"].max())
    last = own.where(events["child_id"].notna(), familys)
    return events[events["family_id"].isin(people["family_id"]) & (events["day"] <= last)]


def _by_relatedness(events: pd.DataFrame, data: Data, spec: Spec) -> list[Count]:
    """The same counts by how the event was judged to be related to a service, zeros included."""
    judged = events["relatedness"].fillna(NOT_RECORDED)
    kinds = [*spec.codes["relatedness"], *([NOT_RECORDED] if (judged == NOT_RECORDED).any() else [])]
    return [count for each in kinds for count in _counts(events[judged == each], data, relatedness=each)]


def _method(entry: HarmsAnalysis, data: Data, spec: Spec) -> str:
    counted = (
        f"Events and child-years count from randomisation to day {spec.trial.horizon_days}, the data cut, "
        "death, removal of the family or withdrawal from everything. A family or child counts once however "
        "many events it has; an event of a parent counts for the family and for no child."
    )
    if not data.arms:
        return counted
    gap = f"Risk difference between arms in the share of families with an event, {entry.interval} interval."
    return f"{counted} {gap}"

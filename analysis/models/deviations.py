"""Deviations from the protocol: how many, in how many families, by kind, weight and site."""

import pandas as pd

from analysis.data.allocation import ARM
from analysis.models.answer import result_of
from analysis.models.groups import Data, arm_names, select, sizes, so_many, with_groups
from analysis.results import Count, Result
from analysis.spec.conduct_entries import DeviationsAnalysis
from analysis.spec.declarations import Spec

ANY = "any"
METHOD = (
    "Counted from the derived table protocol_deviations. A deviation is of a family; a family and each of "
    "its children count once per line, however many deviations the family has."
)


def fit(entry: DeviationsAnalysis, data: Data, spec: Spec) -> Result:
    """Deviations, and families and children affected, zeros included.

    Parameters
    ----------
    entry : DeviationsAnalysis
        Population of the plan.
    data : Pooled or Allocated
        Its tables `subjects` and `protocol_deviations`; without arms the pooled counts.
    spec : Spec
        Every kind, weight and site of the trial has its counts.

    Returns
    -------
    Result
        Counts `deviations`, `affected_families`, `affected_children` by arm, site (``any`` among them) and
        category (``any`` among them) or level; of each category also `deviations_at_level`.

    Raises
    ------
    ModelError
        If the population is empty.

    Source
    ------
    SAP guidance (Gamble et al. 2017), items 19c and 19d; ICH E3, section 10.2.
    """
    people = select(data, "subjects", entry.population)
    about = people.drop_duplicates("family_id")[["family_id", "site"]]
    rows = with_groups(data.tables["protocol_deviations"]).merge(about, on="family_id")
    counts = list(sizes(people, data))
    for arm in arm_names(data):
        for site in (ANY, *spec.trial.sites):
            labels = {"arm": arm, "site": site}
            mine, here = _of(rows, **labels), _of(people, **labels)
            counts += _at_risk(here, labels)
            counts += _counts(mine, here, labels, spec)
    return result_of(entry, data, method=METHOD, counts=counts, notes=_notes(rows))


def _of(rows: pd.DataFrame, *, arm: str, site: str) -> pd.DataFrame:
    return rows[(rows[ARM] == arm) & ((rows["site"] == site) | (site == ANY))]


def _at_risk(people: pd.DataFrame, labels: dict[str, str]) -> list[Count]:
    return [
        Count("all_families", people["family_id"].nunique(), labels),
        Count("all_children", len(people), labels),
    ]


def _counts(rows: pd.DataFrame, people: pd.DataFrame, labels: dict[str, str], spec: Spec) -> list[Count]:
    found = _affected(rows, people, {**labels, "category": ANY})
    for level in spec.codes["deviation_level"]:
        found += _affected(rows[rows["level"] == level], people, {**labels, "level": level})
    for category in spec.codes["deviation_category"]:
        here, where = rows[rows["category"] == category], {**labels, "category": category}
        found += _affected(here, people, where)
        for level in spec.codes["deviation_level"]:
            n = int((here["level"] == level).sum())
            found.append(Count("deviations_at_level", n, {**where, "level": level}))
    return found


def _affected(rows: pd.DataFrame, people: pd.DataFrame, labels: dict[str, str]) -> list[Count]:
    children = people["family_id"].isin(rows["family_id"]).sum()
    return [
        Count("deviations", len(rows), labels),
        Count("affected_families", rows["family_id"].nunique(), labels),
        Count("affected_children", int(children), labels),
    ]


def _notes(rows: pd.DataFrame) -> list[str]:
    early = int((rows["day"] < 0).sum())
    return [f"Dated before randomisation: {so_many(early, 'deviation', 'deviations')}."] if early else []

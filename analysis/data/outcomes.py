"""Outcome values by child, parameter and visit, with the reason for each one that is not there."""

import pandas as pd

from analysis.data.ages import completed_months
from analysis.data.due import ATTENDED, MISSED, NOT_DUE, WITHDRAWN, are_open
from analysis.data.scores import score_table
from analysis.spec.declarations import Spec
from analysis.spec.instruments import Instrument
from analysis.spec.tables import MISSING_MARK

BASELINE_VISIT = "V3"
VALUE_COLUMNS = [
    *("child_id", "parameter", "visit", "value", "n_items", "date", "form", "informant"),
    *("score_reason", "source_file", "source_row"),
]


def derive_outcomes(
    tables: dict[str, pd.DataFrame],
    subjects: pd.DataFrame,
    spec: Spec,
    *,
    origin: str,
    data_cut: pd.Timestamp,
    scales_text: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """One row per child, parameter and visit that the schedule foresees; see table `outcomes`.

    Parameters
    ----------
    tables : dict of str to DataFrame
        Clean typed raw tables.
    subjects : DataFrame
        Ids and dates of the children.
    spec : Spec
        Instruments, visits and epochs.
    origin : str
        Column of `subjects` from which `day` is counted.
    data_cut : Timestamp
        What is not there while the window of its visit is open is not due yet.
    scales_text : DataFrame, optional
        Table `scales` as text, row by row, for the reasons of its missing scores; without it such a score was
        not collected.
    """
    questionnaires = [_scored(tables[each.table], each) for each in spec.instruments.values()]
    parts = [_scales(tables["scales"], scales_text), *questionnaires]
    # An empty part has no types to agree with.
    values = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    values = values.reindex(columns=VALUE_COLUMNS)
    due = schedule(spec)
    visits = tables["assessments"][["child_id", "visit", "status", "due_date"]]
    grid = visits.merge(due, on="visit")
    rows = grid.merge(values, on=["child_id", "parameter", "visit"], how="outer", indicator=True)
    people = subjects.set_index("child_id")
    rows["family_id"] = rows["child_id"].map(people["family_id"])
    rows["day"] = (rows["date"] - rows["child_id"].map(people[origin])).dt.days.astype("Int64")
    is_open = are_open(rows["child_id"], rows["visit"], people, spec.trial, data_cut=data_cut)
    rows["missing_reason"] = _why_missing(rows, people, is_open)
    return _with_baseline(rows, people, due)


def _scored(frame: pd.DataFrame, instrument: Instrument) -> pd.DataFrame:
    scores = score_table(frame, instrument)
    about = frame[["child_id", "visit", "form", "informant", "completed_date", "source_file", "source_row"]]
    about = about.rename(columns={"completed_date": "date"}).reset_index(drop=True)
    return scores.join(about, on="position").drop(columns="position")


def _scales(scales: pd.DataFrame, text: pd.DataFrame | None) -> pd.DataFrame:
    """Scores as supplied; their range is a rule of cleaning (kind `score_range`)."""
    reason = pd.Series("not_collected", index=scales.index, dtype=object)
    if text is not None:
        cells = text["score"].astype(object)
        cells = cells.where(cells.str.startswith(MISSING_MARK), f"{MISSING_MARK}not_collected")
        reason = cells.str.removeprefix(MISSING_MARK).astype(object)
    rows = scales.rename(columns={"scale": "parameter", "score": "value", "completed_date": "date"})
    return rows.assign(score_reason=reason.where(rows["value"].isna(), None))


def schedule(spec: Spec) -> pd.DataFrame:
    """Totals and supplied scores by the visits they are due at, with their ages in completed months."""
    rows = [
        (
            total.parameter,
            visit,
            min(form.from_months for form in each.forms),
            max(form.to_months for form in each.forms),
        )
        for each in spec.instruments.values()
        for total in each.totals
        for visit in each.visits
    ]
    rows += [
        (each.parameter, visit, each.from_months, each.to_months)
        for each in spec.scores.values()
        for visit in each.visits
    ]
    return pd.DataFrame(rows, columns=["parameter", "visit", "from_months", "to_months"])


def _why_missing(rows: pd.DataFrame, people: pd.DataFrame, is_open: pd.Series) -> pd.Series:
    when = rows["date"].fillna(rows["due_date"])
    age = completed_months(rows["child_id"].map(people["birth_date"]), when)
    wrong_age = (age < rows["from_months"]) | (age > rows["to_months"])
    reason = pd.Series("not_collected", index=rows.index, dtype=object)
    reason = reason.mask(rows["status"].isin([MISSED, WITHDRAWN]), "not_attended")
    reason = reason.mask(rows["status"] == NOT_DUE, "not_due_yet")
    reason = reason.mask(wrong_age & (rows["_merge"] == "left_only"), "not_due_age")
    # The age on the day of a visit still to come is not known, and a form may still follow its visit.
    expected = rows["status"].isin([ATTENDED, NOT_DUE]) & (rows["_merge"] == "left_only")
    reason = reason.mask(is_open & expected, "not_due_yet")
    reason = reason.mask(rows["_merge"] != "left_only", "too_few_items")
    reason = reason.mask(rows["score_reason"].notna(), rows["score_reason"])
    return reason.mask(rows["value"].notna(), None)


def _with_baseline(rows: pd.DataFrame, people: pd.DataFrame, due: pd.DataFrame) -> pd.DataFrame:
    """Baseline of each later value: dated on or before randomisation, or the reason why there is none."""
    key = ["child_id", "parameter"]
    base = rows[rows["visit"] == BASELINE_VISIT].set_index(key)[["value", "date", "missing_reason"]]
    rows = rows.join(base.add_prefix("base_"), on=key)
    randomised = rows["child_id"].map(people["randomisation_date"])
    late = rows["base_value"].notna() & ~(rows["base_date"] <= randomised)
    rows["base_missing_reason"] = rows["base_missing_reason"].mask(late, "after_randomisation")
    absent = rows["base_value"].isna() & rows["base_missing_reason"].isna()
    measured_then = due.loc[due["visit"] == BASELINE_VISIT, "parameter"]
    measured_later = rows["parameter"].isin(set(due["parameter"]) - set(measured_then))
    rows["base_missing_reason"] = rows["base_missing_reason"].mask(absent, "not_attended")
    rows["base_missing_reason"] = rows["base_missing_reason"].mask(absent & measured_later, "not_scheduled")
    rows["base"] = rows["base_value"].mask(late)
    rows["base_date"] = rows["base_date"].mask(late | rows["base_value"].isna())
    return rows

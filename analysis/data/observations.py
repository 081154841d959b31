"""Whether each outcome of each child was due, observed or missing, and why."""

import pandas as pd

from analysis.data.ages import completed_months
from analysis.data.due import MISSED, NOT_DUE, WITHDRAWN
from analysis.data.outcomes import schedule
from analysis.spec.declarations import Spec
from analysis.spec.visit_outcomes import WAIVED

KEY = ["child_id", "parameter", "visit"]
SETTLED = (MISSED, WITHDRAWN)
NOT_DUE_YET, NOT_COLLECTED, BEFORE = "not_due_yet", "not_collected", "collected_before"
# Reasons that are of the visit and not of the outcome: how the visit stood tells them.
OF_VISIT = ("not_attended", NOT_DUE_YET)
BY_STANDING = {
    **dict.fromkeys(("in_window", "early", "late", "undated"), NOT_COLLECTED),
    MISSED: "not_attended",
    "overdue": "no_record",
    WITHDRAWN: "withdrawn",
    "died": "died",
    NOT_DUE: NOT_DUE_YET,
}


def derive_observations(
    outcomes: pd.DataFrame,
    subjects: pd.DataFrame,
    visits: pd.DataFrame,
    assessments: pd.DataFrame,
    spec: Spec,
) -> pd.DataFrame:
    """Table `observations`: every child of the trial at every visit of every scheduled outcome.

    Why a visit brought nothing is told by how it stood in table `visits`, whether the outcome has a row or
    not. While its window is open one recorded as missed or withdrawn stands as recorded: those who came early
    count, so must those who will not come. Nothing is due yet of a child randomised after the data cut.

    Parameters
    ----------
    outcomes, subjects, visits : DataFrame
        Derived tables of these names.
    assessments : DataFrame
        Clean typed raw table, for the status of each visit.
    spec : Spec
        Schedule of the instruments and the order of the visits.
    """
    rows = subjects.merge(schedule(spec), how="cross")
    rows = rows.merge(outcomes[[*KEY, "value", "missing_reason"]], on=KEY, how="left")
    stood = visits[["child_id", "visit", "opens_date", "standing"]]
    rows = rows.merge(stood, on=["child_id", "visit"], how="left")
    rows = rows.merge(assessments[["child_id", "visit", "status"]], on=["child_id", "visit"], how="left")
    observed = rows["value"].notna()
    reason = rows["missing_reason"].mask(rows["missing_reason"].isna(), _wrong_age(rows))
    settled = (rows["standing"] == NOT_DUE) & rows["status"].isin(SETTLED)
    of_visit = rows["standing"].mask(settled, rows["status"]).map(BY_STANDING).fillna(NOT_DUE_YET)
    # A form may still follow its visit.
    of_visit = of_visit.mask((of_visit == NOT_COLLECTED) & (reason == NOT_DUE_YET), NOT_DUE_YET)
    reason = reason.mask(reason.isna() | reason.isin(OF_VISIT), of_visit)
    reason = reason.mask(_collected_before(rows, observed, spec), BEFORE).mask(observed)
    rows = rows.assign(is_observed=observed, reason=reason, is_due=~reason.isin(WAIVED))
    return rows[["child_id", "family_id", "parameter", "visit", "is_due", "is_observed", "reason"]]


def _wrong_age(rows: pd.DataFrame) -> pd.Series:
    """The reason of those too young or old for the outcome on the day the window opens."""
    age = completed_months(rows["birth_date"], rows["opens_date"])
    wrong = (age < rows["from_months"]) | (age > rows["to_months"])
    return pd.Series("not_due_age", index=rows.index, dtype=object).where(wrong)


def _collected_before(rows: pd.DataFrame, observed: pd.Series, spec: Spec) -> pd.Series:
    """Whether an outcome that is collected once was observed at an earlier visit of its schedule."""
    once = {name for name, score in spec.scores.items() if score.once}
    order = {visit.id: at for at, visit in enumerate(spec.trial.visits)}
    at = rows["visit"].map(order)
    seen = at.where(observed).groupby([rows["child_id"], rows["parameter"]]).transform("min")
    return rows["parameter"].isin(once) & (seen < at)

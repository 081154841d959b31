"""Balance of the arms: families and children of each by stratum."""

import pandas as pd

from analysis.data.allocation import ARM, Allocated
from analysis.errors import ModelError
from analysis.models.answer import result_of
from analysis.models.groups import arm_names, contrast_name
from analysis.results import Count, Estimate, Result
from analysis.spec.conduct_entries import BalanceAnalysis
from analysis.spec.declarations import Spec

UNITS = ("families", "children")


def fit(entry: BalanceAnalysis, data: Allocated, spec: Spec) -> Result:
    """Families and children of each arm in every stratum, and how many more the intervention has.

    Parameters
    ----------
    entry : BalanceAnalysis
        Columns whose levels, or combinations of levels, are strata.
    data : Allocated
        Its table `recruitment`: families randomised by the cut.
    spec : Spec
        Code lists; every level of a single column has its row, of several those that occur.

    Returns
    -------
    Result
        Counts `families`, `children` by arm; `stratum_families`, `stratum_children` by arm and stratum;
        `imbalance` for both units, in all and by stratum.

    Raises
    ------
    ModelError
        If nobody had been randomised by the cut.

    Source
    ------
    Counts.
    """
    rows = data.tables["recruitment"]
    rows = rows[rows["family_id"].notna()]
    if rows.empty:
        raise ModelError("nobody had been randomised by the data cut.")
    strata = {
        (factor, level): here
        for columns in entry.factors
        for factor, level, here in _levels(rows, columns, spec)
    }
    counts = [each for unit in UNITS for each in _counts(rows, unit, data, unit, {})]
    estimates = [_imbalance(rows, unit, data, {}) for unit in UNITS]
    for (factor, level), here in strata.items():
        labels = {"factor": factor, "level": level}
        for unit in UNITS:
            counts += _counts(here, f"stratum_{unit}", data, unit, labels)
            estimates.append(_imbalance(here, unit, data, labels))
    return result_of(
        entry,
        data,
        method="Families randomised by the data cut and the children in them at randomisation; balance is "
        "described and not tested.",
        counts=counts,
        estimates=estimates,
    )


def _levels(rows: pd.DataFrame, columns: tuple[str, ...], spec: Spec) -> list[tuple[str, str, pd.DataFrame]]:
    """Strata in the order of the code lists: name of the factor, of the level, and its families."""
    wanted = [()]
    for column in columns:
        codes = spec.codes[spec.table("recruitment").field(column).codelist]
        wanted = [(*level, code) for level in wanted for code in codes]
    found = []
    for level in wanted:
        here = rows[(rows[list(columns)] == list(level)).all(axis=1)]
        if len(columns) == 1 or len(here):
            found.append(("/".join(columns), "/".join(level), here))
    return found


def _size(rows: pd.DataFrame, arm: str, unit: str) -> int:
    mine = rows[rows[ARM] == arm]
    return len(mine) if unit == "families" else int(mine["n_children"].sum())


def _counts(rows: pd.DataFrame, name: str, data: Allocated, unit: str, labels: dict[str, str]) -> list[Count]:
    return [Count(name, _size(rows, arm, unit), {"arm": arm, **labels}) for arm in arm_names(data)]


def _imbalance(rows: pd.DataFrame, unit: str, data: Allocated, labels: dict[str, str]) -> Estimate:
    intervention, control = (_size(rows, arm, unit) for arm in arm_names(data))
    where = {"contrast": contrast_name(data), "unit": unit, **labels}
    return Estimate("imbalance", float(intervention - control), labels=where)

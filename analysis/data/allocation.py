"""Where arms meet data, and the only place.

`Pooled` holds derived tables that know no arm; `Allocated` holds them with one. Neither can be built by hand:
a table with arms comes from `allocate`, so a model that compares arms cannot be given anything else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.data.table import read_table
from analysis.errors import BlindingError, DataError
from analysis.spec.declarations import Spec
from analysis.spec.tables import ALLOCATED_TABLES, TABLES_WITH_ARMS, Table

ARM = "arm"
ALL = "All"
WITH_REFERRALS = ("flow", "recruitment")
_KEY = object()


@dataclass(frozen=True, slots=True)
class Pooled:
    """Derived tables without arms."""

    tables: Mapping[str, pd.DataFrame]
    _key: object
    view: str = "open"
    audience: str = "open"
    arms: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self._key is not _KEY or any(ARM in frame for frame in self.tables.values()):
            raise BlindingError("pooled data are read from open tables only, and none of them holds an arm.")


@dataclass(frozen=True, slots=True)
class Allocated:
    """Derived tables with every family's arm, real (closed) or rehearsed (dummy). Control first in `arms`."""

    tables: Mapping[str, pd.DataFrame]
    view: str
    arms: tuple[str, ...]
    _key: object
    audience: str = "closed"

    def __post_init__(self) -> None:
        if self._key is not _KEY:
            raise BlindingError("data with arms are made by allocate() only.")


def allocate(
    tables: Mapping[str, pd.DataFrame], allocation: pd.DataFrame, spec: Spec, *, view: str
) -> Allocated:
    """Derived tables with the arm of each family.

    Raises
    ------
    BlindingError
        If the view is open, or a table already has an arm.
    DataError
        If a randomised family has no arm, a family two, or an arm no family.
    """
    if view not in ("closed", "dummy"):
        raise BlindingError("the open view has no arms; allocate() builds the closed and the dummy view.")
    if any(ARM in frame for frame in tables.values()):
        raise BlindingError("a derived table already holds an arm; derived tables are open.")
    if allocation["family_id"].duplicated().any():
        raise DataError("allocation.csv, rule W02: a family has two arms in the allocation.")
    arms = allocation.set_index("family_id")[ARM].dropna()
    without = tables["subjects"].loc[~tables["subjects"]["family_id"].isin(arms.index), "family_id"].nunique()
    if without:
        raise DataError(
            f"allocation.csv, rule W01: {without} randomised families have no arm in the allocation."
        )
    if set(arms) != {spec.trial.arms.control, spec.trial.arms.intervention}:
        raise DataError("allocation.csv, rule W03: an arm of the trial has no family in the allocation.")
    with_arm = {name: frame.assign(**{ARM: frame["family_id"].map(arms)}) for name, frame in tables.items()}
    return Allocated(with_arm, view, (spec.trial.arms.control, spec.trial.arms.intervention), _KEY)


def draw_dummy(families: pd.DataFrame, spec: Spec, *, seed: int) -> pd.DataFrame:
    """A rehearsal allocation: arms drawn half and half within strata, families whole, from a seed alone.

    Returns
    -------
    DataFrame
        In the form of table `allocation`.
    """
    ordered = families.sort_values("family_id", kind="stable")
    generator = np.random.Generator(np.random.Philox(key=seed))
    parts = []
    for _, stratum in ordered.groupby(list(spec.trial.strata), sort=True):
        arms = np.resize([spec.trial.arms.control, spec.trial.arms.intervention], len(stratum))
        parts.append(
            stratum[["family_id"]].assign(
                arm=generator.permutation(arms), sequence_number=np.arange(len(stratum)) + 1
            )
        )
    return pd.concat(parts, ignore_index=True).assign(probability=0.5, source_file="dummy", source_row=2)


def allocated_table(name: str, spec: Spec) -> Table:
    """The schema of a derived table once it has an arm: the arm's own declaration is the allocation's."""
    arm = spec.table("allocation").field(ARM)
    if name in WITH_REFERRALS:  # those that were never randomised have none
        arm = arm.model_copy(update={"constraints": arm.constraints.model_copy(update={"required": False})})
    return spec.table(name).with_field(arm)


def read_pooled(folder: Path, spec: Spec) -> Pooled:
    """Derived tables of the open view."""
    return Pooled(
        {name: read_table(folder / f"{name}.csv", spec.table(name)) for name in ALLOCATED_TABLES}, _KEY
    )


def read_allocated(folder: Path, spec: Spec, *, view: str) -> Allocated:
    """Tables written by `allocate`, read back.

    Raises
    ------
    BlindingError
        If the folder is not that view's own.
    """
    if view not in ("closed", "dummy") or view not in folder.parts:
        raise BlindingError(f"tables with arms of the {view} view are not read from {folder.name}/.")
    tables = {
        name: read_table(folder / f"{name}.csv", allocated_table(name, spec)) for name in TABLES_WITH_ARMS
    }
    return Allocated(tables, view, (spec.trial.arms.control, spec.trial.arms.intervention), _KEY)

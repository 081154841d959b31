"""Who is analysed, by arm: the selection every family starts from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.data.allocation import ALL, ARM, Allocated, Pooled
from analysis.errors import ModelError
from analysis.results import Count
from analysis.spec.visit_outcomes import Restriction

Data = Pooled | Allocated
STRATUM = "stratum"


@dataclass(frozen=True, slots=True)
class Cell:
    """Rows of one arm in one stratum."""

    arm: str
    stratum: str
    rows: pd.DataFrame


def arm_names(data: Data) -> tuple[str, ...]:
    """Arms in the order intervention, control; one group of all when the data know no arm."""
    return tuple(reversed(data.arms)) or (ALL,)


def contrast_name(data: Data) -> str:
    """How a difference between the arms is labelled."""
    intervention, control = arm_names(data)
    return f"{intervention} - {control}"


def with_groups(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with a column `arm` in either view."""
    return frame if ARM in frame else frame.assign(**{ARM: ALL})


def select(data: Data, name: str, population: str, within: Restriction | None = None) -> pd.DataFrame:
    """Rows of a table that belong to the children of a population, with their subject's columns.

    `within` keeps those of one group of the population.

    Raises
    ------
    ModelError
        If nobody is left.
    """
    subjects = data.tables["subjects"]
    chosen = subjects[subjects[f"is_{population}"].astype(bool)]
    if within:
        chosen = chosen[chosen[within.column] == within.is_]
    frame = data.tables[name]
    extra = [column for column in chosen.columns if column not in frame.columns or column == "child_id"]
    rows = frame.merge(chosen[extra], on="child_id", how="inner") if name != "subjects" else chosen
    if rows.empty:
        part = f" with {within.column} {within.is_}" if within else ""
        raise ModelError(f"no row of table {name} belongs to the population {population}{part}.")
    return with_groups(rows.reset_index(drop=True))


def add_stratum(frame: pd.DataFrame, strata: Sequence[str]) -> pd.DataFrame:
    """The frame with one column naming its stratum; all rows share one when there are no strata."""
    if not strata:
        return frame.assign(**{STRATUM: ""})
    return frame.assign(**{STRATUM: frame[list(strata)].astype(str).agg("/".join, axis=1)})


def cells(frame: pd.DataFrame, data: Data) -> Iterator[Cell]:
    """Rows by arm and stratum; a cell of the design that nobody is in is left out.

    Raises
    ------
    ModelError
        If an arm has nobody.
    """
    refuse_absent_arm(frame, data)
    for arm in arm_names(data):
        for stratum in sorted(frame[STRATUM].unique()):
            rows = frame[(frame[ARM] == arm) & (frame[STRATUM] == stratum)]
            if len(rows):
                yield Cell(arm, stratum, rows)


def refuse_absent_arm(frame: pd.DataFrame, data: Data) -> None:
    """Insist that both arms can be compared.

    Raises
    ------
    ModelError
        If nobody of an arm is in the frame.
    """
    if absent := [arm for arm in arm_names(data) if not (frame[ARM] == arm).any()]:
        raise ModelError(f"nobody of arm {absent[0]} can be analysed.")


def sizes(frame: pd.DataFrame, data: Data, **labels: str) -> tuple[Count, ...]:
    """Families and children by arm."""
    counts = []
    for arm in arm_names(data):
        rows = frame[frame[ARM] == arm]
        counts.append(Count("families", rows["family_id"].nunique(), {"arm": arm, **labels}))
        counts.append(Count("children", rows["child_id"].nunique(), {"arm": arm, **labels}))
    return tuple(counts)


def so_many(n: int, one: str, several: str) -> str:
    """A number with its noun."""
    return f"{n} {one if n == 1 else several}"


def share_of_strata(frame: pd.DataFrame) -> dict[str, float]:
    """Share of the children in each stratum, both arms together: the fixed weights of standardisation."""
    children = frame.drop_duplicates("child_id")
    return (children[STRATUM].value_counts().sort_index() / len(children)).to_dict()


def stratum_sentence(strata: Sequence[str], *, units: str = "children") -> str:
    """How the method footer says that results are standardised."""
    if not strata:
        return "Not standardised."
    return f"Estimated within {' and '.join(strata)} and standardised to the mix of all {units} analysed."


def strata_phrase(strata: Sequence[str]) -> str:
    """How the method footer says what has a baseline hazard of its own."""
    return f"stratified by {' and '.join(strata)}" if strata else "not stratified"


def treated(rows: pd.DataFrame, data: Allocated) -> np.ndarray:
    """1 in the intervention arm, 0 in the control arm, (n,).

    Raises
    ------
    ModelError
        If an arm has nobody.
    """
    refuse_absent_arm(rows, data)
    return (rows[ARM] == arm_names(data)[0]).to_numpy(float)

"""Tables with arms as the second programmer reads them: from the files, by the declared types."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.results import Count, Failure, Result
from analysis.spec.declarations import Spec
from analysis.spec.tables import TABLES_WITH_ARMS
from analysis.spec.visit_outcomes import Restriction

ARM, STRATUM = "arm", "stratum"


@dataclass(frozen=True, slots=True)
class Tables:
    """Tables by name, the declarations, and results of monitoring at the last meeting's cut, if any."""

    frames: Mapping[str, pd.DataFrame]
    spec: Spec
    earlier: Sequence[Result | Failure] = ()

    @property
    def arms(self) -> tuple[str, str]:
        """Intervention, control."""
        return self.spec.trial.arms.intervention, self.spec.trial.arms.control

    @property
    def contrast(self) -> str:
        """Name of the difference between the arms."""
        return " - ".join(self.arms)

    @property
    def level(self) -> float:
        return self.spec.trial.level

    def people(self, population: str, within: Restriction | None = None) -> pd.DataFrame:
        """Children of a population, or of one group of it."""
        found = self.frames["subjects"]
        found = found[found[f"is_{population}"]]
        return found if within is None else found[found[within.column] == within.is_]

    def rows(self, table: str, people: pd.DataFrame, **having: str) -> pd.DataFrame:
        """Rows of a table of the given children, with what `subjects` says of each beside them."""
        frame = self.frames[table]
        for column, value in having.items():
            frame = frame[frame[column] == value]
        beside = people[["child_id", *(name for name in people if name not in frame)]]
        return frame.merge(beside, on="child_id").sort_values("child_id", kind="stable", ignore_index=True)


def read_tables(folder: Path, spec: Spec, *, earlier: Sequence[Result | Failure] = ()) -> Tables:
    """Every table that has arms; an empty cell is not known."""
    frames = {name: _read(folder / f"{name}.csv", spec.table(name)) for name in TABLES_WITH_ARMS}
    return Tables(frames, spec, earlier)


def _read(path: Path, table) -> pd.DataFrame:
    text = pd.read_csv(path, dtype=str, keep_default_na=False)
    types = {field.name: field.type for field in table.fields}
    return pd.DataFrame({name: _typed(text[name], types.get(name, "string")) for name in text})


def _typed(text: pd.Series, kind: str) -> pd.Series:
    known = text.where(text != "")
    if kind in ("integer", "number"):
        return known.astype(float)
    if kind == "date":
        return pd.to_datetime(known, format="%Y-%m-%d")
    if kind == "boolean":
        return known.map({"true": True, "false": False}) if (text == "").any() else text == "true"
    return known


def with_stratum(rows: pd.DataFrame, strata: Sequence[str]) -> pd.DataFrame:
    """The rows with a column that names the stratum of each."""
    named = ["/".join(each) for each in rows[list(strata)].astype(str).to_numpy()] if strata else ""
    return rows.assign(**{STRATUM: named})


def members(family: pd.Series) -> list[np.ndarray]:
    """Positions of the rows of each family, families in the order of their names."""
    return list(family.reset_index(drop=True).groupby(family.to_numpy()).indices.values())


def treated(rows: pd.DataFrame, tables: Tables) -> np.ndarray:
    """1 in the intervention arm, else 0."""
    return (rows[ARM] == tables.arms[0]).to_numpy(float)


def by_arm(rows: pd.DataFrame, tables: Tables) -> Iterator[tuple[str, pd.DataFrame]]:
    """Each arm with its rows."""
    return ((arm, rows[rows[ARM] == arm]) for arm in tables.arms)


def sizes(rows: pd.DataFrame, tables: Tables, **labels: str) -> list[Count]:
    """Families and children of each arm."""
    return [
        Count(name, len(set(mine[f"{unit}_id"])), {"arm": arm, **labels})
        for arm, mine in by_arm(rows, tables)
        for name, unit in (("families", "family"), ("children", "child"))
    ]

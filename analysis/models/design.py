"""From declared covariates to a design matrix."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import pandas as pd

from analysis.data.allocation import ARM
from analysis.errors import ModelError
from analysis.models.groups import so_many
from analysis.spec.visit_outcomes import Covariate


@dataclass(slots=True)
class Design:
    """Columns of a design matrix with their names, and what was done to make them.

    `factors` holds the positions of the columns of each factor, one column per level but the first.
    """

    names: list[str] = field(default_factory=list)
    columns: list[np.ndarray] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    factors: list[list[int]] = field(default_factory=list)
    titles: Mapping[str, str] = field(default_factory=dict)

    def note(self, column: str, text: str) -> None:
        """Append a note on a covariate."""
        title = self.titles.get(column, column)
        self.notes.append(f"{title[0].upper()}{title[1:]}: {text}")

    def add(self, name: str, column: np.ndarray) -> None:
        """Append a column."""
        self.names.append(name)
        self.columns.append(np.asarray(column, dtype=float))

    @property
    def terms(self) -> list[str]:
        """The columns as a reader would call them, each covariate by its title."""
        found = []
        for name in self.names:
            column, _, rest = name.partition(" ")
            found.append(" ".join(filter(None, (self.titles.get(column, column), rest))))
        return found

    @property
    def matrix(self) -> np.ndarray:
        """The matrix, (n, p)."""
        return np.column_stack(self.columns)


def build_design(
    frame: pd.DataFrame,
    covariates: Sequence[Covariate],
    *,
    intervention: str,
    control: str,
    titles: Mapping[str, str] = MappingProxyType({}),
) -> Design:
    """Intercept, arm (1 = intervention) and covariates.

    A covariate with ``missing: indicator`` has its missing values replaced by the mean of those observed,
    computed without arm or outcome (each column of a factor by the share that has its level), and a column
    that says where (White & Thompson 2005); with ``missing: by_reason`` the column is split by the reason. A
    covariate without variation is left out with a note. Notes call a covariate by its title.

    Raises
    ------
    ModelError
        If an arm is empty, a covariate is missing without a declared method, or a baseline is dated after
        randomisation.
    """
    design = Design(titles=titles)
    design.add("intercept", np.ones(len(frame)))
    for arm in (intervention, control):
        if not (frame[ARM] == arm).any():
            raise ModelError(f"arm {arm} has nobody to analyse.")
    design.add("arm", (frame[ARM] == intervention).to_numpy())
    return _add_covariates(design, frame, covariates)


def build_pooled_design(
    frame: pd.DataFrame, covariates: Sequence[Covariate], *, titles: Mapping[str, str] = MappingProxyType({})
) -> Design:
    """Intercept and covariates of all arms together; otherwise as `build_design`."""
    design = Design(titles=titles)
    design.add("intercept", np.ones(len(frame)))
    return _add_covariates(design, frame, covariates)


def _add_covariates(design: Design, frame: pd.DataFrame, covariates: Sequence[Covariate]) -> Design:
    for covariate in covariates:
        if covariate.column == "base" and not covariate.admits_after_randomisation:
            _guard_baseline(frame)
        _ADD[covariate.kind](design, frame, covariate)
    return design


def _guard_baseline(frame: pd.DataFrame) -> None:
    late = frame["base"].notna() & ~(frame["base_date"] <= frame["randomisation_date"])
    if late.any():
        values = so_many(int(late.sum()), "baseline value is", "baseline values are")
        raise ModelError(
            f"{values} dated after randomisation and may not be covariates; the "
            "entry can override this by name (admits_after_randomisation: true)."
        )


def _add_linear(design: Design, frame: pd.DataFrame, covariate: Covariate) -> None:
    values = frame[covariate.column]
    missing = values.isna().to_numpy()
    _need_method(covariate, missing)
    if missing.all():
        design.note(covariate.column, "no value observed, left out.")
        return
    filled = values.astype(float).fillna(values.astype(float).mean()).to_numpy()
    if np.ptp(filled) == 0:
        design.note(covariate.column, "no variation, left out.")
    else:
        design.add(covariate.column, filled)
    if covariate.missing == "by_reason":
        _add_reasons(design, missing, frame[f"{covariate.column}_missing_reason"], covariate)
    else:
        _add_indicator(design, missing, covariate)


def _add_factor(design: Design, frame: pd.DataFrame, covariate: Covariate) -> None:
    values = frame[covariate.column]
    missing = values.isna().to_numpy()
    _need_method(covariate, missing)
    levels = sorted(values.dropna().unique())
    if len(levels) < 2:
        design.note(covariate.column, "a single level, left out.")
    if levels[1:]:
        first = len(design.names)
        design.factors.append(list(range(first, first + len(levels) - 1)))
    for level in levels[1:]:
        column = (values == level).to_numpy().astype(float)
        column[missing] = column[~missing].mean() if (~missing).any() else 0.0
        design.add(f"{covariate.column} {level}", column)
    _add_indicator(design, missing, covariate)


def _add_indicator(design: Design, missing: np.ndarray, covariate: Covariate) -> None:
    if missing.any():
        design.add(f"{covariate.column} missing", missing)
        text = f"missing for {int(missing.sum())} of {len(missing)}, indicator added."
        design.note(covariate.column, text)


def _add_reasons(design: Design, missing: np.ndarray, reason: pd.Series, covariate: Covariate) -> None:
    """An indicator per declared reason and one for all others, of those that anybody has."""
    named = reason.where(reason.isin(covariate.reasons), "other").to_numpy()
    split = {each: missing & (named == each) for each in (*covariate.reasons, "other")}
    for each, where in split.items():
        if where.any():
            design.add(f"{covariate.column} missing {each}", where)
    if missing.any():
        kept = sum(where.any() for where in split.values())
        text = f"missing for {int(missing.sum())} of {len(missing)}, {kept} indicators by reason added."
        design.note(covariate.column, text)


def _need_method(covariate: Covariate, missing: np.ndarray) -> None:
    if missing.any() and covariate.missing == "complete":
        raise ModelError(
            f"covariate {covariate.column} is missing for {so_many(int(missing.sum()), 'child', 'children')} "
            "and the entry declares no method."
        )


_ADD = {"linear": _add_linear, "factor": _add_factor}

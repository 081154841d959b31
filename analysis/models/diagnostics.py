"""Whether a mixed model fits its data: residuals of children and influence of families."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.models.design import Design
from analysis.models.linear import structure_of
from analysis.results import Estimate, Points
from analysis.spec.visit_outcomes import LinearAnalysis
from analysis.stats.diagnostics import Diagnostics, diagnose, normal_quantiles
from analysis.stats.reml import LinearFit

# Scaled residuals beyond this are counted; of a normal distribution 0.27 % are.
BEYOND = 3.0


@dataclass(frozen=True, slots=True)
class Checks:
    """Summary of the diagnostics, the points to be drawn, and what a reader must see."""

    estimates: tuple[Estimate, ...] = ()
    points: tuple[Points, ...] = ()
    notes: tuple[str, ...] = ()


def check_fit(
    entry: LinearAnalysis, rows: pd.DataFrame, design: Design, fitted: LinearFit, difference: Estimate
) -> Checks:
    """Diagnostics of a fitted model, with the influence of each family on the difference between arms.

    Nothing in the answer says whose a residual or an influence is: points are sorted by value.

    Parameters
    ----------
    entry, rows, design, fitted : the analysis, its data and its fit.
    difference : the estimate whose standard error is the unit of influence.

    Returns
    -------
    Checks with points `residual_quantiles`, `residual_fitted` and `family_influence`.

    Source
    ------
    As for `analysis.stats.diagnostics.diagnose`.
    """
    found = diagnose(fitted, rows["value"].to_numpy(float), design.matrix, structure_of(entry, rows))
    influence = np.sort(found.dfbeta[:, design.names.index("arm")] / difference.se)
    known = influence[np.isfinite(influence)]
    return Checks(_summary(found, known), _points(found, known), _notes(len(influence) - len(known)))


def _summary(found: Diagnostics, influence: np.ndarray) -> tuple[Estimate, ...]:
    scaled = found.scaled
    values = {
        "scaled residuals": len(scaled),
        f"scaled residuals beyond {BEYOND:g}": int((np.abs(scaled) > BEYOND).sum()),
        "skewness of scaled residuals": _moment(scaled, 3),
        "excess kurtosis of scaled residuals": _moment(scaled, 4) - 3.0,
        "largest change of the difference without one family, in standard errors": np.abs(influence).max(),
        "largest Cook's distance of a family": np.nanmax(found.cook),
        f"largest leverage of a family, of {found.dfbeta.shape[1]} in all": found.cluster_leverage.max(),
    }
    return tuple(Estimate("diagnostic", float(value), labels={"of": of}) for of, value in values.items())


def _moment(values: np.ndarray, power: int) -> float:
    centred = values - values.mean()
    return float((centred**power).mean() / (centred**2).mean() ** (power / 2))


def _points(found: Diagnostics, influence: np.ndarray) -> tuple[Points, ...]:
    scaled = np.sort(found.scaled)
    order = np.lexsort((found.scaled, found.fitted))
    return (
        _named("residual_quantiles", normal_quantiles(len(scaled)), scaled),
        _named("residual_fitted", found.fitted[order], found.scaled[order]),
        _named("family_influence", np.arange(1.0, len(influence) + 1.0), influence),
    )


def _named(name: str, x: np.ndarray, y: np.ndarray) -> Points:
    return Points(name, tuple(float(each) for each in x), tuple(float(each) for each in y))


def _notes(lost: int) -> tuple[str, ...]:
    if not lost:
        return ()
    each, drawn = ("one family", "it is") if lost == 1 else (f"each of {lost} families", "they are")
    return (f"Without {each} the difference cannot be estimated; {drawn} not drawn.",)

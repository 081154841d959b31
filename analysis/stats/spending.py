"""How much of the error is spent by a fraction of the information, and the boundaries that spend it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from analysis.errors import ModelError
from analysis.stats.at_risk import FloatArray
from analysis.stats.sequential import FURTHEST, Walk, check_information

SpendingKind = Literal["obrien_fleming", "pocock", "hwang_shih_decani"]


@dataclass(frozen=True, slots=True)
class Spending:
    """A spending function; `gamma` is the parameter of Hwang, Shih and DeCani, 0 for the others."""

    kind: SpendingKind
    gamma: float = 0.0

    def spent(self, alpha: float, fraction: float) -> float:
        """Error spent by a fraction of the information, all of it from fraction 1 on.

        Source
        ------
        Lan & DeMets (1983), Biometrika 70:659 (O'Brien-Fleming and Pocock types); Hwang, Shih & DeCani
        (1990), Statistics in Medicine 9:1439.
        """
        return alpha if fraction >= 1 else _SPENT[self.kind](alpha, fraction, self.gamma)


def _obrien_fleming(alpha: float, fraction: float, gamma: float) -> float:
    return float(2 * ndtr(ndtri(alpha / 2) / np.sqrt(fraction)))


def _pocock(alpha: float, fraction: float, gamma: float) -> float:
    return float(alpha * np.log1p((np.e - 1) * fraction))


def _hwang_shih_decani(alpha: float, fraction: float, gamma: float) -> float:
    if abs(gamma) < 1e-12:
        return alpha * fraction
    return float(alpha * np.expm1(-gamma * fraction) / np.expm1(-gamma))


_SPENT: dict[str, Callable[[float, float, float], float]] = {
    "obrien_fleming": _obrien_fleming,
    "pocock": _pocock,
    "hwang_shih_decani": _hwang_shih_decani,
}


@dataclass(frozen=True, slots=True, eq=False)
class Boundaries:
    """Critical values of z at each analysis (K,), the error spent up to it, and its information (K,)."""

    critical: FloatArray
    spent: FloatArray
    information: FloatArray
    sided: Literal[1, 2]


def boundaries(
    information: Sequence[float],
    *,
    spending: Spending,
    alpha: float,
    maximum: float | None = None,
    sided: Literal[1, 2] = 1,
    is_final: bool = True,
    taken: Sequence[float] = (),
) -> Boundaries:
    """Efficacy boundaries that spend the error by the information actually there.

    Parameters
    ----------
    information : (K,)
        Information of each analysis so far, rising; 1 / SE^2 of the estimate.
    spending : Spending
        The spending function.
    alpha : float
        Error of the test; of a two-sided one, both sides together. It is then spent half on each side, so
        that the spending function is that of alpha / 2.
    maximum : float, optional
        Information of the design, at which all is spent; that of the last analysis unless given.
    sided : 1 or 2
        Whether crossing below counts as well.
    is_final : bool
        Whether the last analysis spends what is left, whatever its information: a trial that ends short of
        its maximum, or beyond it, still has its level.
    taken : (J,), J <= K
        Critical values used at the first J analyses. They stand, and what they spent is not spent again.

    Raises
    ------
    ModelError
        If the information does not rise, or `alpha` or `maximum` is not positive.

    Source
    ------
    Lan & DeMets (1983), Biometrika 70:659; Jennison & Turnbull (2000), chapters 7 and 19.
    """
    info = check_information(information)
    if not 0 < alpha < 1 or (maximum is not None and maximum <= 0):
        raise ModelError("alpha must lie between 0 and 1, and the maximum information must be positive.")
    one_sided = alpha / sided
    fractions = info / (info[-1] if maximum is None else maximum)
    spent = np.array([spending.spent(one_sided, each) for each in fractions])
    if is_final:
        spent[-1] = one_sided
    walk, critical, gone = Walk(), [], 0.0
    for at, target in enumerate(spent):
        bound = taken[at] if at < len(taken) else _bound(walk, info[at], max(target - gone, 0.0), sided)
        critical.append(bound)
        gone += walk.above(info[at], bound)
        walk = walk.step(info[at], upper=bound, lower=-bound if sided == 2 else None)
    return Boundaries(np.array(critical), sided * spent, info, sided)


def _bound(walk: Walk, information: float, error: float, sided: int) -> float:
    """The critical value above which the walk leaves with this probability."""

    def excess(bound: float) -> float:
        return walk.above(information, bound) - error

    # An error that no bound within reach is small enough for is not spent: the analysis cannot stop.
    if excess(FURTHEST) >= 0:
        return float("inf")
    return float(brentq(excess, -FURTHEST, FURTHEST, xtol=1e-12, rtol=1e-14))

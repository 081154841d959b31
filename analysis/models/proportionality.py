"""Do hazards stay proportional? Tests that hold under clustering, and the hazard ratio by period."""

import itertools
import math

import numpy as np
import pandas as pd

from analysis.data.allocation import Allocated
from analysis.models.answer import result_of
from analysis.models.arm_effect import fit_cox
from analysis.models.events import count_events, select_events
from analysis.models.groups import STRATUM, add_stratum, contrast_name, sizes, strata_phrase, treated
from analysis.models.ratios import chi_square_estimate, ratio_estimate
from analysis.results import Estimate, Result
from analysis.spec.declarations import Spec
from analysis.spec.event_entries import ProportionalityAnalysis
from analysis.stats.proportionality import PHTest, ph_test
from analysis.stats.time_varying import effect_by_period

TRANSFORMS = {"identity": "time", "log": "log time", "rank": "rank of time", "km": "1 less Kaplan-Meier"}


def fit(entry: ProportionalityAnalysis, data: Allocated, spec: Spec) -> Result:
    """Tests that the hazard ratio between arms is the same at all times, and the ratio in each period.

    Parameters
    ----------
    entry : ProportionalityAnalysis
        Event, strata, ties, function of time, draws with their seed, and days between periods of the plan.
    data : Allocated
        Tables with arms.
    spec : Spec
        The declarations.

    Returns
    -------
    Result
        `proportionality_test` by the information, robust to families and by family bootstrap; `hazard_ratio`
        per period and `equality_test`.

    Raises
    ------
    ModelError
        If nobody is at risk, or an arm has no event in a period.

    Source
    ------
    Grambsch & Therneau (1994), Biometrika 81:515; Lin & Wei (1989), JASA 84:1074; Kline & Santos (2012), J
    Econometric Methods 1:23 (score bootstrap).
    """
    rows = add_stratum(select_events(data, entry.population, entry.event), entry.strata)
    test = ph_test(fit_cox(rows, rows["happened"], data, entry.ties), transform=entry.transform)
    generator = np.random.Generator(np.random.Philox(key=entry.seed))
    bootstrap = float(test.resampled_p(entry.draws, generator, method="family")[0])
    return result_of(
        entry,
        data,
        method=_method(entry),
        counts=(*sizes(rows, data), *count_events(rows, data)),
        estimates=(
            *_tests(test, bootstrap, contrast_name(data)),
            *_periods(rows, entry, data, spec),
        ),
    )


def _tests(test: PHTest, bootstrap: float, contrast: str) -> list[Estimate]:
    labels = {"contrast": contrast}
    return [
        chi_square_estimate(
            "proportionality_test", test.model[0], {**labels, "variance": "independent children"}
        ),
        chi_square_estimate("proportionality_test", test.robust[0], {**labels, "variance": "family-robust"}),
        Estimate(
            "proportionality_test",
            test.robust[0].statistic,
            statistic=test.robust[0].statistic,
            p=bootstrap,
            labels={**labels, "variance": "family bootstrap"},
        ),
    ]


def _periods(
    rows: pd.DataFrame, entry: ProportionalityAnalysis, data: Allocated, spec: Spec
) -> list[Estimate]:
    fitted = effect_by_period(
        rows["entry_days"].to_numpy(float),
        rows["time_days"].to_numpy(float),
        rows["happened"].to_numpy(int),
        treated(rows, data),
        np.asarray(entry.cuts, dtype=float),
        cluster=rows["family_id"].to_numpy(),
        strata=rows[STRATUM].to_numpy(),
        ties=entry.ties,
    )
    labels = {"contrast": contrast_name(data)}
    se = fitted.effect.se
    ratios = [
        ratio_estimate(
            "hazard_ratio",
            float(fitted.effect.estimate[at]),
            float(se[at]),
            level=spec.trial.level,
            labels={**labels, "from": str(first), "to": str(last)},
        )
        for at, (first, last) in enumerate(itertools.pairwise([0, *entry.cuts, math.inf]))
    ]
    return [*ratios, chi_square_estimate("equality_test", fitted.equality, labels)]


def _method(entry: ProportionalityAnalysis) -> str:
    strata = strata_phrase(entry.strata)
    return (
        f"Score test of a hazard ratio that changes with {TRANSFORMS[entry.transform]}, Cox model {strata}, "
        f"{entry.ties.capitalize()} ties: by the information (children independent), by the variance robust "
        f"to families, and by {entry.draws} bootstrap draws of whole families. Hazard ratios by period from "
        "a model with one ratio per period; their equality by a family-robust Wald test."
    )

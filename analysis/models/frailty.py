"""Cox models with a gamma frailty shared by the children of a family."""

import math

from analysis.data.allocation import Allocated
from analysis.models.answer import result_of
from analysis.models.events import count_events, select_events
from analysis.models.groups import STRATUM, add_stratum, contrast_name, sizes, strata_phrase, treated
from analysis.models.ratios import ratio_estimate
from analysis.results import Estimate, Result
from analysis.spec.declarations import Spec
from analysis.spec.event_entries import FrailtyAnalysis
from analysis.stats.frailty import FrailtyFit, gamma_frailty


def fit(entry: FrailtyAnalysis, data: Allocated, spec: Spec) -> Result:
    """Hazard ratio between arms for children of equal family frailty, and the variance of the frailty.

    Parameters
    ----------
    entry : FrailtyAnalysis
        Event, strata and treatment of ties of the plan.
    data : Allocated
        Tables with arms.
    spec : Spec
        The declarations.

    Returns
    -------
    Result
        `hazard_ratio`; `frailty_variance` with its profile limits and the test that it is zero.

    Raises
    ------
    ModelError
        If nobody has an event, or an arm has none.

    Source
    ------
    Nielsen et al. (1992), Scand J Statist 19:25; Therneau, Grambsch & Pankratz (2003), J Comput Graph Statist
    12:156.
    """
    rows = add_stratum(select_events(data, entry.population, entry.event), entry.strata)
    fitted = gamma_frailty(
        rows["entry_days"].to_numpy(float),
        rows["time_days"].to_numpy(float),
        rows["happened"].to_numpy(int),
        treated(rows, data)[:, None],
        cluster=rows["family_id"].to_numpy(),
        strata=rows[STRATUM].to_numpy(),
        ties=entry.ties,
        level=spec.trial.level,
    )
    log_ratio, se = float(fitted.coef[0]), math.sqrt(fitted.vcov[0, 0])
    labels, limits = {"contrast": contrast_name(data)}, fitted.theta_interval
    return result_of(
        entry,
        data,
        method=_method(entry),
        counts=(*sizes(rows, data), *count_events(rows, data)),
        estimates=(
            ratio_estimate("hazard_ratio", log_ratio, se, level=spec.trial.level, labels=labels),
            Estimate("log_hazard_ratio", log_ratio, se=se, labels=labels),
            Estimate(
                "frailty_variance",
                fitted.theta,
                low=float(limits.low),
                high=float(limits.high),
                level=spec.trial.level,
                p=fitted.frailty_p,
            ),
        ),
        notes=(_spread(fitted), *fitted.notes),
    )


def _spread(fitted: FrailtyFit) -> str:
    limits = fitted.theta_interval
    return (
        f"Variance of the frailty {fitted.theta:.2f} (profile limits {limits.low:.2f} to {limits.high:.2f}), "
        f"Kendall's tau {fitted.kendall_tau:.2f}, given gamma frailties and hazards proportional within "
        "families."
    )


def _method(entry: FrailtyAnalysis) -> str:
    strata = strata_phrase(entry.strata)
    return (
        f"Cox model of the arm, {strata}, {entry.ties.capitalize()} ties, with a gamma frailty shared within "
        "families; the ratio compares children of families equally frail. Wald interval and test with the "
        "estimation of the frailty's variance included."
    )

"""Made-up results about times, states and events: the vocabulary of the models, the numbers of no trial."""

import numpy as np

from analysis.results import Count, Curve, Estimate, Result
from tests.unit.present.fabricated_parts import ARMS, CONTRAST, DAYS, ROUTES, STATES, arms_in, result, spec

ANY_ROUTE = {"any": sum(share for route, share in ROUTES.items() if route != "died")}
COUNT_DAYS = (365, 730, 913)


def hazard(analysis: str) -> Result:
    counts = [
        Count(name, n, {"arm": arm})
        for arm, trio in zip(ARMS, ((212, 172, 139), (206, 170, 128)), strict=True)
        for name, n in zip(("children", "families", "events"), trio, strict=True)
    ]
    labels = {"contrast": CONTRAST}
    estimates = (
        Estimate("hazard_ratio", 1.1149, low=0.8851, high=1.405, level=0.95, p=0.0499, labels=labels),
        Estimate("log_hazard_ratio", 0.10876, se=0.118, labels=labels),
    )
    return result(analysis, "closed", counts=tuple(counts), estimates=estimates)


def frailty(analysis: str) -> Result:
    """A hazard ratio given the family, and the variance of its frailty."""
    plain = hazard(analysis)
    variance = Estimate("frailty_variance", 0.21, low=0.0, high=0.62, level=0.95, p=0.17)
    return result(analysis, "closed", counts=plain.counts, estimates=(*plain.estimates, variance))


def proportionality(analysis: str) -> Result:
    """Three periods, and the tests by three variances."""
    labels, cuts = {"contrast": CONTRAST}, ("0", *map(str, spec().analyses[analysis].cuts), "inf")
    periods = [
        Estimate(
            *("hazard_ratio", 1.7 - 0.3 * at),
            **{"low": 1.1 - 0.3 * at, "high": 2.6 - 0.3 * at, "level": 0.95, "p": 0.02},
            labels={**labels, "from": first, "to": last},
        )
        for at, (first, last) in enumerate(zip(cuts, cuts[1:], strict=False))
    ]
    tests = [
        Estimate(
            *("proportionality_test", 5.1),
            **{"statistic": 5.1, "df": df, "p": 0.024},
            labels={**labels, "variance": variance},
        )
        for variance, df in (("independent children", 1), ("family-robust", 1), ("family bootstrap", None))
    ]
    equality = Estimate("equality_test", 6.2, statistic=6.2, df=2, p=0.045, labels=labels)
    return result(analysis, "closed", counts=hazard(analysis).counts, estimates=(*periods, equality, *tests))


def routes(analysis: str) -> Result:
    """Two ratios and Gray's test of each route."""
    counts = [each for each in hazard(analysis).counts if each.name != "events"]
    estimates = []
    for at, cause in enumerate(spec().analyses[analysis].reported):
        labels = {"contrast": CONTRAST, "cause": cause}
        counts += [Count("events", 40 - at, {"arm": arm, "cause": cause}) for arm in ARMS]
        estimates += [
            Estimate(name, 1.2, low=0.8, high=1.8, level=0.95, p=0.37, labels=labels)
            for name in ("hazard_ratio", "subdistribution_hazard_ratio")
        ]
        estimates += [
            Estimate("gray_test", 1.1, statistic=1.1, df=1, p=0.29, labels={**labels, "variance": variance})
            for variance in ("family-robust", "independent children")
        ]
    return result(analysis, "closed", counts=tuple(counts), estimates=tuple(estimates))


def recurrence(analysis: str, view: str) -> Result:
    """Mean numbers that rise, and a ratio of rates where arms are compared."""
    counts, estimates, curves = [], [], []
    time, event = np.arange(0.0, 914.0, 11.0), {"event": spec().analyses[analysis].parameter}
    for at, arm in enumerate(arms_in(view)):
        sizes = {"families": 172, "children": 212, "units": 212, "events": 70, "units_with_event": 51}
        counts += [Count(name, n - at, {"arm": arm}) for name, n in sizes.items()]
        counts += [
            Count("at_risk", n, {"arm": arm, "day": str(day)})
            for day, n in zip((0, *COUNT_DAYS), (212, 190, 150, 130), strict=True)
        ]
        curves.append(_curve("mean_count", time, _grow(0.4, time, at), {"arm": arm, **event}))
        estimates += [
            Estimate("unit_years", 500.0, unit="years", labels={"arm": arm}),
            Estimate("crude_rate", (70 - at) / 5, labels={"arm": arm}),
        ]
        estimates += [
            _by_day("mean_count", _grow(0.4, day, at), {"arm": arm, **event, "day": str(day)})
            for day in COUNT_DAYS
        ]
    if view != "open":
        for day in COUNT_DAYS:
            where = {"contrast": CONTRAST, **event, "day": str(day)}
            estimates.append(
                Estimate("mean_count_difference", -0.05, low=-0.14, high=0.04, p=0.31, labels=where)
            )
        labels = {"contrast": CONTRAST}
        estimates.append(Estimate("rate_ratio", 0.87, low=0.61, high=1.24, p=0.43, labels=labels))
        estimates.append(Estimate("crude_rate_ratio", 1.01, low=0.72, high=1.43, labels=labels))
    return result(analysis, view, counts=tuple(counts), estimates=tuple(estimates), curves=tuple(curves))


def _grow(share: float, day, at: int):
    """A made-up curve that rises to about `share`."""
    return (
        share
        * (1 - 0.12 * at)
        * (1 - np.exp(-np.asarray(day, dtype=float) / 420.0))
        / (1 - np.exp(-913 / 420.0))
    )


def incidence(analysis: str, view: str) -> Result:
    entry = spec().analyses[analysis]
    causes = ANY_ROUTE if entry.combine else {each: ROUTES[each] for each in entry.event.causes}
    counts, estimates, curves = [], [], []
    time = np.arange(0.0, 914.0, 11.0)
    for at, arm in enumerate(arms_in(view)):
        counts += [Count("families", 172 - at, {"arm": arm}), Count("children", 212 - at, {"arm": arm})]
        counts += _at_risk(arm)
        for cause, share in causes.items():
            counts.append(Count("events", int(212 * share), {"arm": arm, "cause": cause}))
            curves.append(
                _curve("cumulative_incidence", time, _grow(share, time, at), {"arm": arm, "cause": cause})
            )
            estimates += [
                _by_day("probability", _grow(share, day, at), {"arm": arm, "cause": cause, "day": str(day)})
                for day in DAYS
            ]
        if "any" in causes:
            free = Estimate(
                "restricted_mean", 521.4 - at, low=488.2, high=555.5, unit="days", labels={"arm": arm}
            )
            estimates.append(free)
    if view != "open":
        for cause in causes:
            for day in DAYS:
                where = {"contrast": CONTRAST, "cause": cause, "day": str(day)}
                estimates.append(
                    Estimate("risk_difference", 0.0312, low=-0.0405, high=0.103, p=0.39, labels=where)
                )
        if "any" in causes:
            where = {"contrast": CONTRAST, "horizon": "913"}
            gap = Estimate(
                "restricted_mean_difference", -21.5, low=-66.3, high=23.3, unit="days", labels=where
            )
            estimates.append(gap)
    return result(analysis, view, counts=tuple(counts), estimates=tuple(estimates), curves=tuple(curves))


def _curve(name: str, time, value, labels: dict[str, str]) -> Curve:
    low, high = np.clip(value * 0.85, 0, 1), np.clip(value * 1.15 + 0.004, 0, 1)
    return Curve(name, *(tuple(each.tolist()) for each in (time, value, low, high)), labels=labels)


def _by_day(name: str, value: float, labels: dict[str, str]) -> Estimate:
    value = float(value)
    return Estimate(name, value, low=value * 0.85, high=min(value * 1.15, 1.0), level=0.95, labels=labels)


def _at_risk(arm: str) -> list[Count]:
    numbers = zip((0, *DAYS), (212, 171, 140, 118, 99, 81), strict=True)
    return [Count("at_risk", n, {"arm": arm, "day": str(day)}) for day, n in numbers]


def occupation(analysis: str, view: str) -> Result:
    counts, estimates, curves = [], [], []
    time = np.arange(0.0, 914.0, 11.0)
    for at, arm in enumerate(arms_in(view)):
        counts += [
            Count("families", 172 - at, {"arm": arm}),
            Count("children", 212 - at, {"arm": arm}),
            *_at_risk(arm),
        ]
        for state in STATES:
            labels = {"arm": arm, "state": state}
            curves.append(_curve("occupation", time, _share(state, time, at), labels))
            estimates += [
                _by_day("occupation", _share(state, day, at), {**labels, "day": str(day)}) for day in DAYS
            ]
        for state in (*STATES, "family_home"):
            labels = {"arm": arm, "state": state}
            estimates.append(
                Estimate("days_in_state", 303.4, low=275.5, high=331.2, unit="days", labels=labels)
            )
    estimates += _never_returned(analysis, view)
    if view != "open":
        curves += _home_difference(analysis, time)
        for state in STATES:
            labels = {"contrast": CONTRAST, "state": state}
            estimates += [
                Estimate(
                    "occupation_difference", 0.02, low=-0.05, high=0.09, labels={**labels, "day": str(day)}
                )
                for day in DAYS
            ]
        for state in (*STATES, "family_home"):
            labels = {"contrast": CONTRAST, "state": state}
            gap = Estimate(
                "days_difference", 18.49, low=-22.5, high=59.5, p=0.376, unit="days", labels=labels
            )
            estimates.append(gap)
    return result(analysis, view, counts=tuple(counts), estimates=tuple(estimates), curves=tuple(curves))


def _share(state: str, day, at: int):
    if state != "care":
        return _grow(ROUTES[state], day, at)
    return 1 - sum(_grow(share, day, at) for share in ROUTES.values())


def _never_returned(analysis: str, view: str) -> list[Estimate]:
    if not spec().analyses[analysis].never_returned:
        return []
    states, name = (*spec().states.family_home, "family_home"), "occupation_never_returned"
    found = [
        _by_day(name, _grow(0.1, day, at), {"arm": arm, "state": state, "day": str(day)})
        for at, arm in enumerate(arms_in(view))
        for state in states
        for day in DAYS
    ]
    if view == "open":
        return found
    return found + [
        Estimate(
            *(f"{name}_difference", 0.01),
            **{"low": -0.06, "high": 0.08},
            labels={"contrast": CONTRAST, "state": state, "day": str(day)},
        )
        for state in states
        for day in DAYS
    ]


def _home_difference(analysis: str, time: np.ndarray) -> list[Curve]:
    if not spec().analyses[analysis].band:
        return []
    value = 0.08 * np.sin(time / 300)
    return [
        Curve(
            "family_home_difference",
            *(tuple(each.tolist()) for each in (time, value, value - half, value + half)),
            labels={"contrast": CONTRAST, "limits": limits},
        )
        for limits, half in (("pointwise", 0.09), ("simultaneous", 0.13))
    ]

"""Results made up to test pages: the vocabulary of every model family, the numbers of no trial."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache

from analysis.models.registry import FAMILIES
from analysis.present.figures import draw
from analysis.results import Count, Estimate, Failure, Points, Result, ResultFile, Stamp
from analysis.spec.sap import REMOVED_BEFORE
from tests.unit.present import fabricated_conduct as conduct
from tests.unit.present import fabricated_events as events
from tests.unit.present import fabricated_monitoring as monitored
from tests.unit.present import fabricated_recruitment as recruitment
from tests.unit.present.fabricated_parts import ARMS, CONTRAST, STYLE, arms_in, result, spec


@cache
def results(view: str) -> dict[str, Result | Failure]:
    """One result per entry of the plan that the view may hold."""
    return {
        entry.id: MAKERS[entry.family](entry.id, view)
        for entry in spec().analyses.values()
        if view != "open" or not FAMILIES[entry.family].compares_arms
    }


@cache
def figure_files(view: str, output: str) -> dict[str, bytes]:
    """A figure's files, drawn once for all tests."""
    return draw(spec().outputs[output], results(view), spec(), view, style=STYLE)


def result_files(view: str) -> dict[str, ResultFile]:
    """The same by family, with stamps that agree."""
    families: dict[str, list] = {}
    for each in results(view).values():
        families.setdefault(each.family, []).append(each)
    return {name: ResultFile(stamp(view, name), tuple(each)) for name, each in families.items()}


def stamp(view: str, family: str, **other: str) -> Stamp:
    given = {
        "view": view,
        "cut": "2023-12-31",
        "sap_version": "1.0",
        "sap_digest": f"{family}0000000000000000"[:16],
        "code_digest": f"{family[::-1]}ffffffffffffffff"[:16],
        "inputs": {"subjects.csv": "0123456789abcdef", "outcomes.csv": "fedcba9876543210"},
        "packages": {"numpy": "2.0.0", "scipy": "1.14.0"},
    }
    return Stamp(**{**given, **other})


def failure(analysis: str, view: str, reason: str = "The model did not converge") -> Failure:
    made = result(analysis, view)
    return Failure(analysis, made.family, made.title, made.audience, reason)


FLOW = {
    "screening": {
        "randomised": [(382, 488)],
        "not_eligible": [(611, 802)],
        "declined": [(205, 263)],
        "not_approached": [(97, 131)],
    },
    "randomised": {"in": [(191, 246), (191, 242)]},
    "eligible": {"in": [(181, 222), (179, 217)], "removed": [(10, 24), (12, 25)]},
    "received": {
        "received": [(151, 187), (170, 206)],
        "not_received": [(29, 33), (9, 11)],
        "not_recorded": [(1, 2), (0, 0)],
    },
    "month_15": {"attended": [(160, 195), (150, 183)], "not_attended": [(21, 27), (29, 34)]},
    "followed_up": {
        "in": [(149, 192), (137, 175)],
        "joined": [(0, 8), (0, 6)],
        "withdrawn": [(9, 11), (11, 13)],
        "lost": [(23, 27), (31, 35)],
    },
    "analysed": {"in": [(147, 188), (135, 172)], "incomplete": [(2, 4), (2, 3)]},
}


def flow(view: str, *, counts: dict | None = None, arms: tuple[str, ...] = ARMS) -> Result:
    made = []
    for stage, boxes in (counts or FLOW).items():
        if view == "open" and stage == "received":
            continue
        for box, sizes in boxes.items():
            whole = tuple(sum(part) for part in zip(*sizes, strict=True))
            made += _flow_counts(stage, box, "All", whole)
            if view != "open" and len(sizes) > 1:
                for arm, size in zip(arms, sizes, strict=True):
                    made += _flow_counts(stage, box, arm, size)
    return result("N01", view, counts=tuple(made))


def _flow_counts(stage: str, box: str, arm: str, sizes: tuple[int, int]) -> Iterator[Count]:
    for name, n in zip(("families", "children"), sizes, strict=True):
        yield Count(name, n, {"stage": stage, "box": box, "arm": arm})


def baseline(view: str) -> Result:
    counts, estimates = [], []
    for at, arm in enumerate(arms_in(view)):
        counts += [
            Count("units", n, {"unit": unit, "arm": arm})
            for unit, n in (("family", 191), ("child", 244 - at))
        ]
        for unit, variable, levels in (
            ("family", "site", {"GLA": 96 + at, "LON": 95 - at}),
            ("family", "epoch", {"CBR": 90, "RCB": 50, "CRB": 51}),
            ("family", "n_siblings", {"1": 145, "2": 39, "3": 7}),
            ("child", "sex", {"F": 118, "M": 124 - at}),
        ):
            where = {"variable": variable, "arm": arm, "unit": unit}
            counts += [Count("n", n, {**where, "level": level}) for level, n in levels.items()]
        counts.append(
            Count("missing", 2, {"variable": "sex", "arm": arm, "unit": "child", "reason": "not given"})
        )
        for variable, mean, sd in (("age_months", 27.34 + at, 18.125), ("SDQ_TOTAL", 13.35, 6.95)):
            estimates += _pair(variable, arm, mean=mean, sd=sd)
        estimates += _pair("PEDSQL_TOTAL", arm, mean=78.25, sd=14.35)
        estimates += _pair("PIRGAS", arm, mean=float("nan"), sd=float("nan"))
        estimates += _pair("days_in_care", arm, median=61.0, q1=34.5, q3=88.0)
        known = {
            "age_months": 244 - at,
            "SDQ_TOTAL": 140,
            "PEDSQL_TOTAL": 231,
            "PIRGAS": 0,
            "days_in_care": 244 - at,
        }
        counts += [
            Count("n", n, {"variable": variable, "arm": arm, "unit": "child"})
            for variable, n in known.items()
        ]
        for reason, n in ((REMOVED_BEFORE, 3), ("not_attended", 38), ("not_due_age", 63 + at)):
            where = {"variable": "SDQ_TOTAL", "arm": arm, "unit": "child", "reason": reason}
            counts.append(Count("missing", n, where))
    return result("B01", view, counts=tuple(counts), estimates=tuple(estimates))


def _pair(variable: str, arm: str, **numbers: float) -> list[Estimate]:
    where = {"variable": variable, "arm": arm, "unit": "child"}
    return [Estimate(name, value, labels=where) for name, value in numbers.items()]


def mixed(analysis: str) -> Result:
    sizes = {"due": ((149, 192), (137, 175)), "analysed": ((147, 188), (135, 172))}
    counts = [
        Count(name, n, {"arm": arm, "set": chosen})
        for chosen, by_arm in sizes.items()
        for arm, pair in zip(ARMS, by_arm, strict=True)
        for name, n in zip(("families", "children"), pair, strict=True)
    ]
    means = ((11.5034, 7.5966), (11.0951, 7.2049))
    estimates = [
        Estimate(name, value, labels={"arm": arm})
        for arm, pair in zip(ARMS, means, strict=True)
        for name, value in zip(("mean", "sd"), pair, strict=True)
    ]
    estimates += [
        Estimate("adjusted_mean", 12.25 - at, se=0.75, low=10.78 - at, high=13.72 - at, labels={"arm": arm})
        for at, arm in enumerate(ARMS)
    ]
    estimates.append(
        Estimate(
            "difference",
            1.425,
            se=1.0555,
            low=-0.6349,
            high=3.5249,
            level=0.95,
            df=271.34,
            statistic=1.35,
            p=0.1749,
            labels={"contrast": CONTRAST},
        )
    )
    estimates += [
        Estimate("variance", value, labels={"component": name})
        for name, value in (("family", 15.44), ("residual", 37.51))
    ]
    estimates.append(Estimate("icc", 0.41285, low=0.2284, high=0.5967, level=0.95))
    said = {
        "notes": ("Something a reader must see",),
        "details": ("Sex: missing for 4 of 360, indicator added",),
    }
    counts += [Count("baseline_known", n, {"is": answer}) for answer, n in (("yes", 44), ("no", 316))]
    points = ()
    if analysis == "A01":
        estimates += [
            Estimate("diagnostic", value, labels={"of": of})
            for of, value in (("scaled residuals beyond 3", 2.0), ("skewness of scaled residuals", 0.4375))
        ]
        names = ("residual_quantiles", "residual_fitted", "family_influence")
        points = tuple(Points(name, (-1.5, 0.0, 1.5), (-1.75, 0.125, 3.25)) for name in names)
    parts = {"counts": tuple(counts), "estimates": tuple(estimates), "points": points, **said}
    return result(analysis, "closed", **parts)


def by_group(analysis: str, groups: tuple[str, ...]) -> Result:
    """The mixed result with variances of each group: 10 and 20 between families, 30 within."""
    whole = mixed(analysis)
    by = spec().analyses[analysis].by
    kept = tuple(each for each in whole.estimates if each.name not in ("variance", "icc"))
    own = []
    for at, group in enumerate(groups, start=1):
        labels = {"group": group, "by": by}
        own += [
            Estimate("variance", value, labels={"component": name, **labels})
            for name, value in (("family", 10.0 * at), ("residual", 30.0))
        ]
        own.append(Estimate("icc", 10.0 * at / (10.0 * at + 30.0), labels=labels))
    return replace(whole, estimates=(*kept, *own))


def averages(analysis: str) -> Result:
    """Differences of 2 over children and 1.5 over families."""
    whole = mixed(analysis)
    estimates = [
        replace(each, value=value, labels={**each.labels, "average": average})
        for average, value in (("child", 2.0), ("family", 1.5))
        for each in whole.estimates
        if each.name == "difference"
    ]
    means = [
        replace(each, labels={**each.labels, "average": average})
        for average in ("child", "family")
        for each in whole.estimates
        if each.name in ("mean", "sd")
    ]
    test = Estimate(
        *("informative_size", 0.5, 0.25, 0.0, 1.0, 0.95),
        df=96.25,
        p=0.051,
        labels={"contrast": CONTRAST},
    )
    return replace(whole, estimates=(*means, *estimates, test))


def binary(analysis: str) -> Result:
    counts = [
        *mixed(analysis).counts,
        *(Count("events", n, {"arm": arm}) for arm, n in zip(ARMS, (47, 43), strict=True)),
    ]
    estimates = [
        *(
            Estimate("risk", value, se=0.03, labels={"arm": arm})
            for arm, value in zip(ARMS, (0.2525, 0.2475), strict=True)
        ),
        Estimate(
            "risk_difference", 0.005, se=0.05, low=-0.093, high=0.103, p=0.92, labels={"contrast": CONTRAST}
        ),
        Estimate("risk_ratio", 1.0202, low=0.69, high=1.51, p=0.92, labels={"contrast": CONTRAST}),
    ]
    return result(analysis, "closed", counts=tuple(counts), estimates=tuple(estimates))


def subgroups(analysis: str) -> Result:
    """Two moderators of two groups; the difference in a group is its place in the list."""
    groups = {"Site": ("GLA", "LON"), "Age at randomisation": ("Under 24 months", "24 months and over")}
    counts = [
        Count(name, 90, {"arm": arm, "set": chosen})
        for chosen in ("due", "analysed")
        for arm in ARMS
        for name in ("families", "children")
    ]
    estimates = []
    for at, (moderator, levels) in enumerate(groups.items(), start=1):
        where = {"moderator": moderator}
        estimates.append(
            Estimate("interaction", 0.81, df=240.5, ndf=1, statistic=0.81, p=0.37 / at, labels=where)
        )
        for position, level in enumerate(levels, start=1):
            here = {**where, "level": level}
            estimates.append(
                Estimate(
                    "difference",
                    float(position),
                    se=1.0,
                    low=position - 2.0,
                    high=position + 2.0,
                    level=0.95,
                    df=240.5,
                    statistic=float(position),
                    p=0.3,
                    labels={"contrast": "NIM - SAU", **here},
                )
            )
            for arm in ARMS:
                counts += [
                    Count(name, 40 + position, {"arm": arm, **here}) for name in ("families", "children")
                ]
                estimates += [
                    Estimate(name, value, labels={"arm": arm, **here})
                    for name, value in (("mean", 11.25), ("sd", 7.5))
                ]
    return result(analysis, "closed", counts=tuple(counts), estimates=tuple(estimates))


def course(analysis: str) -> Result:
    """The difference at V4 is 1 and at V5 2."""
    counts = [
        Count(name, n, {"arm": arm, **where})
        for where, n in (
            ({"set": "due"}, 222),
            ({"set": "analysed"}, 210),
            ({"visit": "V4"}, 130),
            ({"visit": "V5"}, 175),
        )
        for arm in ARMS
        for name in ("families", "children")
    ]
    estimates = [
        Estimate(
            "interaction", 0.16, df=251.25, ndf=1, statistic=0.16, p=0.69, labels={"of": "arm and visit"}
        )
    ]
    for at, visit in enumerate(("V4", "V5"), start=1):
        where = {"visit": visit}
        labels = {"contrast": "NIM - SAU", **where}
        estimates.append(
            Estimate(
                "difference",
                float(at),
                se=1.0,
                low=at - 2.0,
                high=at + 2.0,
                level=0.95,
                df=260.25,
                statistic=float(at),
                p=0.3 / at,
                labels=labels,
            )
        )
        for arm in ARMS:
            for name, value in (("mean", 12.25 - at), ("sd", 7.5)):
                estimates.append(Estimate(name, value, labels={"arm": arm, **where}))
            estimates.append(
                Estimate(
                    "adjusted_mean", 12.0 - at, low=10.5 - at, high=13.5 - at, labels={"arm": arm, **where}
                )
            )
    return result(analysis, "closed", counts=tuple(counts), estimates=tuple(estimates))


def harms(view: str) -> Result:
    events = {"hospital": (9, 14), "injury": (3, 6), "maltreatment": (5, 7), "placement_breakdown": (2, 3)}
    events |= {"parent_death": (1, 0), "child_death": (0, 0), "other": (1, 1)}
    events = {"any": (21, 31), **events}
    counts, estimates = [], []
    for at, arm in enumerate(arms_in(view)):
        counts += [
            Count("at_risk_families", 180 - at, {"arm": arm}),
            Count("at_risk_children", 222 - at, {"arm": arm}),
        ]
        estimates.append(Estimate("child_years", 551.25, unit="years", labels={"arm": arm}))
        for category, pair in events.items():
            labels, n = {"arm": arm, "category": category}, pair[at]
            counts += [
                Count("events", n, labels),
                Count("children", n, labels),
                Count("families", n - n // 5, labels),
            ]
            estimates.append(Estimate("rate", n / 5.5125, unit="per 100 child-years", labels=labels))
    if view != "open":
        for category in events:
            where = {"contrast": CONTRAST, "category": category}
            gap = Estimate("risk_difference", -0.0445, low=-0.1, high=0.0149, level=0.95, labels=where)
            estimates.append(gap)
    return result("A50", view, counts=tuple(counts), estimates=tuple(estimates))


def _closed(make: Callable[[str], Result]) -> Callable[[str, str], Result]:
    """A maker of what only closed and dummy views have."""
    return lambda analysis, view: make(analysis)


def _mixed(analysis: str) -> Result:
    groups = {"arm": ARMS, "site": ("GLA", "LON")}
    by = spec().analyses[analysis].by
    return by_group(analysis, groups[by]) if by else mixed(analysis)


MAKERS: dict[str, Callable[[str, str], Result]] = {
    "flow": lambda analysis, view: flow(view),
    "accrual": recruitment.accrual,
    "balance": _closed(recruitment.balance),
    "retention": recruitment.retention,
    "baseline": lambda analysis, view: baseline(view),
    "delivery": _closed(conduct.delivery),
    "missing": conduct.missing,
    "deviations": conduct.deviations,
    "harms": lambda analysis, view: harms(view),
    "mixed": _closed(_mixed),
    "averages": _closed(averages),
    "binary": _closed(binary),
    "subgroups": _closed(subgroups),
    "course": _closed(course),
    "hazard": _closed(events.hazard),
    "frailty": _closed(events.frailty),
    "proportionality": _closed(events.proportionality),
    "routes": _closed(events.routes),
    "monitoring": _closed(monitored.monitoring),
    "nuisance": monitored.nuisance,
    "incidence": events.incidence,
    "occupation": events.occupation,
    "recurrence": events.recurrence,
}

"""Made-up results about how the trial was run: the vocabulary of the models, the numbers of no trial."""

from analysis.results import Count, Curve, Estimate, Result
from tests.unit.present.fabricated_parts import ARMS, CONTRAST, result, spec

UNITS = ("families", "children")
FIRST, CUT = "2011-12-01", "2019-06-30"
# Families and children randomised, in all and by site.
RANDOMISED = {"all": (256, 333), "GLA": (194, 254), "LON": (62, 79)}
SCREENED = {
    ("declined", "consent_refused"): (57, 76),
    ("not_eligible", "age"): (76, 100),
    ("open", ""): (1, 1),
}


def accrual(analysis: str, view: str, *, state: str = "open", cut: str = CUT) -> Result:
    """Recruitment still open, 134 families short of the target; London since day 2098."""
    counts = [Count("target", 390, {"state": state})]
    estimates = [Estimate("planned", 305.8, labels={"by": cut})]
    curves = [Curve("target", (0.0, 3530.0), (0.0, 390.0), labels={"from": FIRST})]
    for site, sizes in RANDOMISED.items():
        counts += _of_site(site, sizes)
        for period, rate in (("all", 2.8141), ("last", 5.1702)):
            estimates.append(Estimate("rate", rate, labels={"site": site, "period": period}))
        for unit, n in zip(UNITS, sizes, strict=True):
            before = 0.0 if site == "LON" else n / 2
            labels = {"site": site, "unit": unit, "from": FIRST}
            curves.append(
                Curve("randomised", (0.0, 30.0, 2098.0, 2768.0), (0.0, 0.0, before, n), labels=labels)
            )
    if state == "open":
        estimates += _projection()
    return result(analysis, view, counts=tuple(counts), estimates=tuple(estimates), curves=tuple(curves))


def _of_site(site: str, sizes: tuple[int, int]) -> list[Count]:
    counts = []
    for unit, n in zip(UNITS, sizes, strict=True):
        at, where = UNITS.index(unit), {"site": site}
        counts += [Count(f"referred_{unit}", 2 * n, where), Count(f"randomised_{unit}", n, where)]
        counts.append(Count(f"screened_{unit}", n, {**where, "outcome": "randomised"}))
        for (outcome, reason), lost in SCREENED.items():
            labels = {**where, "outcome": outcome}
            counts.append(Count(f"screened_{unit}", lost[at], labels))
            if reason:
                counts.append(Count(f"not_randomised_{unit}", lost[at], {**labels, "reason": reason}))
        for epoch, part in zip(("CBR", "RCB", "CRB"), (n // 2, 0, n - n // 2), strict=True):
            counts.append(Count(f"in_epoch_{unit}", part, {**where, "epoch": epoch}))
        counts += [Count(f"in_year_{unit}", n, {**where, "year": year}) for year in ("2018", "2019")]
    return counts


def _projection() -> list[Estimate]:
    by = {"by": "2021-07-31"}
    return [
        Estimate("finish", 778.5, low=579.6, high=1057.2, level=0.95, unit="days", labels={"from": CUT}),
        Estimate("randomised_by_end", 387.0, low=351.0, high=429.0, level=0.95, labels=by),
        Estimate("chance_of_target", 0.4441, labels=by),
    ]


def balance(analysis: str) -> Result:
    """Of 191 and 190 families, one more in Glasgow and none in the second epoch."""
    counts = [
        Count(unit, n - at, {"arm": arm})
        for unit, n in (("families", 191), ("children", 244))
        for at, arm in enumerate(ARMS)
    ]
    estimates = [Estimate("imbalance", 1.0, labels={"contrast": CONTRAST, "unit": unit}) for unit in UNITS]
    levels = {"site": ("GLA", "LON"), "epoch": ("CBR", "RCB", "CRB"), "site/epoch": ("GLA/CBR", "LON/CRB")}
    assert set(levels) == {"/".join(each) for each in spec().analyses[analysis].factors}
    for factor, named in levels.items():
        for level in named:
            where = {"factor": factor, "level": level}
            for unit in UNITS:
                counts += [
                    Count(f"stratum_{unit}", 0 if level == "RCB" else 70 - at, {"arm": arm, **where})
                    for at, arm in enumerate(ARMS)
                ]
                gap = 0.0 if level == "RCB" else 1.0
                labels = {"contrast": CONTRAST, "unit": unit, **where}
                estimates.append(Estimate("imbalance", gap, labels=labels))
    return result(analysis, "closed", counts=tuple(counts), estimates=tuple(estimates))


def retention(analysis: str, view: str) -> Result:
    """Of 300 children in all, 200 at a site and 150 in an arm, three in four came to each visit."""
    arms = [] if view == "open" else [({"arm": arm, "site": "all"}, 150 - at) for at, arm in enumerate(ARMS)]
    groups = [({"arm": "All", "site": "all"}, 300), ({"arm": "All", "site": "GLA"}, 200)]
    groups += [({"arm": "All", "site": "LON"}, 100), *arms]
    counts, estimates, curves = [], [], []
    for labels, n in groups:
        counts += [Count("group_children", n, labels), Count("group_families", n - 50, labels)]
        counts += _standings(labels, n)
        estimates += _days_of_visits(labels)
        counts += _withdrawals(labels, n)
        if labels["site"] == "all":
            share = 0.08 if labels["arm"] == "All" else 0.06 + 0.04 * ARMS.index(labels["arm"])
            for at, day in enumerate(spec().analyses[analysis].days):
                value = share * (at + 1) / 5
                where = {**labels, "day": str(day)}
                limits = {"low": value / 2, "high": 2 * value}
                estimates.append(Estimate("withdrawn", value, level=0.95, labels=where, **limits))
                counts.append(Count("at_risk", n - 50 - 10 * at, where))
            counts.append(Count("at_risk", n - 50, {**labels, "day": "0"}))
            steps = (0.0, share / 2, share, share)
            band = (tuple(each / 2 for each in steps), tuple(2 * each for each in steps))
            curves.append(Curve("withdrawn", (0.0, 300.0, 600.0, 1278.0), steps, *band, labels=labels))
    if arms:
        for visit in ("V3", "V4", "V5"):
            where = {"contrast": CONTRAST, "visit": visit}
            gap = {"low": -0.0044, "high": 0.1717, "level": 0.95}
            estimates.append(Estimate("risk_difference", 0.0833, labels=where, **gap))
    parts = {"counts": tuple(counts), "estimates": tuple(estimates), "curves": tuple(curves)}
    return result(analysis, view, **parts)


def _standings(labels: dict[str, str], n: int) -> list[Count]:
    counts = []
    for visit in ("V3", "V4", "V5"):
        where = {**labels, "visit": visit}
        for unit, total in (("children", n), ("families", n - 50)):
            came, late, lost = 3 * total // 4, 5, 7
            parts = dict.fromkeys(spec().codes["visit_standing"], 0)
            parts |= {"in_window": came, "late": late, "missed": lost, "withdrawn": 3}
            parts["not_due"] = total - sum(parts.values())
            counts += [
                Count(f"visit_{unit}", part, {**where, "standing": each}) for each, part in parts.items()
            ]
            counts += [Count(f"due_{unit}", came + 10, where), Count(f"due_attended_{unit}", came, where)]
        counts += [
            Count("siblings", part, {**where, "came": how})
            for how, part in (("all", 30), ("some", 4), ("none", 2))
        ]
    return counts


def _days_of_visits(labels: dict[str, str]) -> list[Estimate]:
    found = []
    for visit in ("V3", "V4", "V5"):
        for origin, quartiles in (("due", (-12.0, 1.5, 13.25)), ("window", (30.5, 40.0, 43.5))):
            where = {**labels, "visit": visit, "from": origin}
            found.append(Estimate("n", 11.0, labels=where))
            found += [
                Estimate(name, value, unit="days", labels=where)
                for name, value in zip(("q1", "median", "q3"), quartiles, strict=True)
            ]
    return found


def _withdrawals(labels: dict[str, str], n: int) -> list[Count]:
    counts = [Count("withdrawn", n // 10, labels)]
    for column, codes in (("withdrawal_level", "withdrawal_level"), ("reason", "withdrawal_reason")):
        for at, code in enumerate(spec().codes[codes]):
            counts.append(Count(f"withdrawn_{column}", n // 20 - at, {**labels, column: code}))
    return counts

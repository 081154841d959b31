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


def accrual(analysis: str, view: str, *, state: str = "open") -> Result:
    """Recruitment still open, 134 families short of the target; London since day 2098."""
    counts = [Count("target", 390, {"state": state})]
    estimates = [Estimate("planned", 305.8, labels={"by": CUT})]
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

"""Made-up results of monitoring: one look taken, one taken now, two to come."""

from analysis.results import Count, Estimate, Result
from tests.unit.present.fabricated_parts import ARMS, CONTRAST, result

# Number, data cut, state, information, z, critical value (none within reach: None), error spent.
LOOKS = (
    ("1", "2014-12-31", "taken", None, None, None, 0.0),
    ("2", "2017-06-30", "taken", 0.5, -1.25, 3.9125, 0.0000914),
    ("3", "2020-06-30", "now", 1.0, -2.125, 2.6875, 0.00721),
    ("4", "2023-12-31", "planned", 1.7, None, 1.9843, 0.05),
)
MAXIMA = {"model": 1.7, "children": 373.25, "families": 291.5}


def monitoring(analysis: str, looks: tuple = LOOKS, *, adjusted: bool = False) -> Result:
    """The difference at a look is z over the root of the information."""
    counts, estimates = [], [Estimate("maximum", each, labels={"of": of}) for of, each in MAXIMA.items()]
    for number, cut, state, information, z, critical, spent in looks:
        where = {"look": number, "cut": cut, "state": state}
        estimates += _of_look(where, information, z, critical, spent)
        if state != "planned":
            at = int(number)
            counts += [Count("families", 60 * at, where), Count("children", 80 * at, where)]
            counts += [Count("events", 30 * at + n, {"arm": arm, **where}) for n, arm in enumerate(ARMS)]
            estimates += _of_events(where)
    counts += [
        Count(name, n, {"arm": arm, "set": "analysed"})
        for name, n in (("families", 90), ("children", 120))
        for arm in ARMS
    ]
    if any(each[2] == "planned" for each in looks):
        estimates += _power()
    if adjusted:
        labels = {"contrast": CONTRAST, "of": "the look that stopped"}
        parts = {"low": -3.975, "high": -0.125, "level": 0.95, "p": 0.0375}
        estimates.append(Estimate("adjusted_difference", -2.0625, **parts, labels=labels))
    notes = ("Something the committee must see",)
    return result(analysis, "closed", counts=tuple(counts), estimates=tuple(estimates), notes=notes)


def _of_look(where: dict[str, str], information, z, critical, spent) -> list[Estimate]:
    shares = ("model",) if where["state"] == "planned" else ("model", "children", "families")
    found = [Estimate("information", information, labels=where)]
    for at, of in enumerate(shares):
        share = None if information is None else information / 1.7 - at / 16
        found.append(Estimate("fraction", share, labels={**where, "of": of}))
    if z is not None:
        se = information**-0.5
        limits = {"low": (z - 2) * se, "high": (z + 2) * se, "level": 0.95, "p": 0.0625, "df": 97.5}
        labels = {**where, "contrast": CONTRAST}
        found.append(Estimate("difference", z * se, se=se, **limits, labels=labels))
    if where["state"] != "planned":
        found.append(Estimate("z", z, labels=where))
    return [
        *found,
        Estimate("critical", critical, labels=where),
        Estimate("spent", spent, labels=where),
    ]


def _of_events(where: dict[str, str]) -> list[Estimate]:
    labels = {**where, "contrast": CONTRAST}
    return [
        Estimate("hazard_ratio", 0.8125, low=0.5575, high=1.1825, level=0.95, p=0.28, labels=labels),
        Estimate("event_z", -1.0815, labels=where),
        Estimate("event_critical", 3.2905, labels=where),
    ]


def _power() -> list[Estimate]:
    found = []
    for drift, effect, below in (("current trend", -2.125, 0.8), ("design", -2.5, 0.9), ("none", 0.0, 0.3)):
        found.append(Estimate("drift", effect, labels={"drift": drift}))
        found += _sides("conditional_power", below, {"drift": drift})
    return [*found, *_sides("predictive_power", 0.75, {})]


def _sides(name: str, below: float, labels: dict[str, str]) -> list[Estimate]:
    values = {"above": 0.0125, "below": below, "either": below + 0.0125}
    return [Estimate(name, value, labels={**labels, "side": side}) for side, value in values.items()]


def nuisance(analysis: str, view: str) -> Result:
    """400 families randomised, 380 kept, 300 due, 225 of them with the outcome, and 230 in the model."""
    counts = [
        Count("families", n, {"arm": "All", "set": which})
        for which, n in (("randomised", 400), ("kept", 380))
    ]
    counts += [
        Count(name, n, {"arm": "All", "set": which})
        for which, pair in (("due", (300, 384)), ("known", (225, 288)), ("analysed", (230, 295)))
        for name, n in zip(("families", "children"), pair, strict=True)
    ]
    estimates = [
        Estimate("maximum", 1.7),
        Estimate("sd", 7.0, labels={"set": "assumed", "of": "residual"}),
        Estimate("sd", 7.625, labels={"set": "observed", "of": "raw"}),
        Estimate("sd", 7.25, low=6.75, high=7.75, level=0.95, labels={"set": "observed", "of": "residual"}),
        Estimate("icc", 0.3, labels={"set": "assumed"}),
        Estimate("kept", 0.95, labels={"set": "observed"}),
        Estimate("icc", 0.4125, low=0.2285, high=0.5965, level=0.95, labels={"set": "observed"}),
    ]
    for at, which in enumerate(("assumed", "observed")):
        for name, value in (
            ("children_per_family", 1.28),
            ("retention", 0.75),
            ("families_at_end", 292.5),
            ("information_at_end", 1.7025),
            ("power", 0.9015),
            ("families_needed", 291.5),
            ("families_to_randomise", 388.675),
        ):
            estimates.append(Estimate(name, value * (1 - at / 20), labels={"set": which}))
    return result(analysis, view, counts=tuple(counts), estimates=tuple(estimates))

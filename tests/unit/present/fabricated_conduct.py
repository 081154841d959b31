"""Made-up results on how the trial was carried out."""

from analysis.results import Count, Estimate, Result
from tests.unit.present.fabricated_parts import ARMS, result, spec

UNITS = ("family", "child")
SERVED = {"NIM": (120, 148), "SAU": (130, 160)}
NOT_SERVED = {"waiting_list": (31, 40), "declined": (20, 24), "not_recorded": (8, 9)}


def delivery(analysis: str) -> Result:
    """180 families with 222 children in an arm, and 20 or 30 more in the other."""
    counts, estimates = [], []
    for arm in ARMS:
        for at, unit in enumerate(UNITS):
            labels, served = {"arm": arm, "unit": unit}, SERVED[arm][at]
            reasons = (*spec().codes["not_received_reason"], "not_recorded")
            refused = {each: NOT_SERVED.get(each, (0, 0))[at] for each in reasons}
            counts.append(
                Count(("families", "children")[at], served + sum(refused.values()) + 1, {"arm": arm})
            )
            counts += [Count("received", served, labels), Count("not_recorded", 1, labels)]
            counts += [Count("not_received", n, {**labels, "reason": each}) for each, n in refused.items()]
            counts.append(Count("other_service", 3 + at, labels))
            rules = ("adherent",) if arm == "SAU" else ("adherent", "completed")
            counts += [Count(rule, served - 10, labels) for rule in rules]
            counts += [Count(f"{rule}_not_known", 2, labels) for rule in rules]
            estimates += _waits(served, labels, counts)
    return result(analysis, "closed", counts=tuple(counts), estimates=tuple(estimates))


def _waits(served: int, labels: dict[str, str], counts: list[Count]) -> list[Estimate]:
    found = []
    for of, middle in (("wait_days", 64.5), ("n_sessions", 21.0), ("contact_days", 301.0)):
        where = {**labels, "of": of}
        counts.append(Count("known", served - 1, where))
        found += [
            Estimate(name, middle + add, labels=where)
            for name, add in (("median", 0.0), ("q1", -12.25), ("q3", 20.75))
        ]
    for day in spec().analyses["N02"].days:
        share = day / 250
        where = {**labels, "day": str(day)}
        found.append(Estimate("begun", share, 0.03, share - 0.06, share + 0.07, 0.95, labels=where))
    return [*found, Estimate("median_of_all", 98.5, unit="days", labels=labels)]

"""Made-up results on how the trial was carried out."""

from analysis.results import Count, Estimate, Result
from tests.unit.present.fabricated_parts import ARMS, CONTRAST, arms_in, result, spec

UNITS = ("family", "child")
SERVED = {"NIM": (120, 148), "SAU": (130, 160)}
NOT_SERVED = {"waiting_list": (31, 40), "declined": (20, 24), "not_recorded": (8, 9)}


COURSES = ("complete", "monotone", "intermittent", "never", "not_due")


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
    counts.append(Count("wait_known", served + 5, labels))
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


def missing(analysis: str, view: str) -> Result:
    """200 families with 250 children in an arm; of an outcome at a visit some are not due, some missing."""
    entry, arms = spec().analyses[analysis], arms_in(view)
    counts = [
        Count(name, n * len(arms) if arm == "All" else n, {"arm": arm})
        for arm in arms
        for name, n in (("families", 200), ("children", 250))
    ]
    for parameter in entry.parameters:
        for arm in dict.fromkeys((*arms, "All")):
            n = len(arms) if arm == "All" else 1
            for unit in UNITS:
                where = {"arm": arm, "unit": unit, "parameter": parameter}
                counts += _visits(n, where)
                counts += [
                    Count("course", n * (9 - at), {**where, "course": each})
                    for at, each in enumerate(COURSES)
                ]
                counts += [Count("pattern", n * 5, {**where, "pattern": each}) for each in ("OOM", "-MO")]
    gaps = [
        Estimate(
            *("missing_difference", 0.11),
            low=0.02 - 0.05 * at,
            high=0.2,
            labels={"contrast": CONTRAST, "parameter": parameter, "visit": visit.id},
        )
        for parameter in entry.parameters
        for at, visit in enumerate(spec().trial.visits)
    ]
    compared = tuple(gaps) if view != "open" else ()
    return result(analysis, view, counts=tuple(counts), estimates=compared)


def _visits(n: int, where: dict[str, str]) -> list[Count]:
    total = {"family": 200, "child": 250}[where["unit"]]
    parts = {
        "too_few_items": 4,
        "not_collected": 11,
        "not_attended": 30,
        "withdrawn": 14,
        "died": 0,
        "refused": 2,
    }
    found = []
    for at, visit in enumerate(each.id for each in spec().trial.visits):
        here, waived = {**where, "visit": visit}, 40 - 20 * at
        due = total - waived
        found += [Count("due", n * due, here), Count("observed", n * (due - sum(parts.values())), here)]
        found += [Count("missing", n * each, {**here, "reason": reason}) for reason, each in parts.items()]
        found.append(Count("not_due", n * waived, {**here, "reason": "not_due_age"}))
        for site, share in (("GLA", 100), ("LON", 50)) if where["unit"] == "child" else ():
            place = {**here, "site": site}
            found.append(Count("due_at_site", n * share, place))
            found.append(Count("observed_at_site", n * (share - 10 * (at + 1)), place))
    return found


def deviations(analysis: str, view: str) -> Result:
    """In each arm seven deviations in Glasgow and five in London, of every kind and weight."""
    arms, counts = arms_in(view), []
    for arm in arms:
        counts += [Count("families", 190, {"arm": arm}), Count("children", 240, {"arm": arm})]
        for site, n, share in (("any", 12, 3), ("GLA", 7, 2), ("LON", 5, 1)):
            labels = {"arm": arm, "site": site}
            counts += [Count("all_families", 60 * share, labels), Count("all_children", 80 * share, labels)]
            counts += _lines(n, labels)
    return result(analysis, view, counts=tuple(counts))


def _lines(n: int, labels: dict[str, str]) -> list[Count]:
    """One of every kind and the rest of the first; one major and the others minor."""
    kinds, found = list(spec().codes["deviation_category"]), []
    each = {"any": n, **dict.fromkeys(kinds, 1), kinds[0]: n - len(kinds) + 1}
    lines = [({"category": kind}, m) for kind, m in each.items()]
    lines += [({"level": "minor"}, n - 1), ({"level": "major"}, 1)]
    for of, m in lines:
        where = {**labels, **of}
        found += [Count("deviations", m, where), Count("affected_families", m, where)]
        found.append(Count("affected_children", m + 1, where))
    for kind in kinds:
        major = int(kind == kinds[0])
        for level, m in (("minor", each[kind] - major), ("major", major)):
            found.append(Count("deviations_at_level", m, {**labels, "category": kind, "level": level}))
    return found

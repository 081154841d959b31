"""Deviations a second time: told one by one."""

from collections import defaultdict

from analysis.qc.again import Again
from analysis.qc.tables import ARM, Tables, sizes
from analysis.results import Count
from analysis.spec.conduct_entries import DeviationsAnalysis

METHOD = "a tally deviation by deviation"
ANY = "any"


def again(entry: DeviationsAnalysis, tables: Tables) -> Again:
    """Deviations and whom they affect, in every line of the table."""
    people = tables.people(entry.population)
    members: dict[str, set[str]] = defaultdict(set)
    place = {}
    for child, family, arm, site in zip(
        people["child_id"], people["family_id"], people[ARM], people["site"], strict=True
    ):
        members[family].add(child)
        place[family] = arm, site
    codes = tables.spec.codes
    lines = [("category", ANY), *(("category", each) for each in codes["deviation_category"])]
    lines += [("level", each) for each in codes["deviation_level"]]
    rows = tables.frames["protocol_deviations"].to_dict("records")
    rows = [each for each in rows if each["family_id"] in place]
    counts = list(sizes(people, tables))
    for arm in tables.arms:
        for site in (ANY, *tables.spec.trial.sites):
            labels = {"arm": arm, "site": site}
            here = {family for family, (its, at) in place.items() if its == arm and site in (ANY, at)}
            counts.append(Count("all_families", len(here), labels))
            counts.append(Count("all_children", sum(len(members[each]) for each in here), labels))
            mine = [each for each in rows if each["family_id"] in here]
            for key, value in lines:
                chosen = [each for each in mine if value in (ANY, each[key])]
                counts += _line(chosen, members, {**labels, key: value})
            counts += _cross(mine, labels, codes)
    return Again(METHOD, counts=tuple(counts))


def _line(chosen: list[dict], members: dict[str, set[str]], labels: dict[str, str]) -> list[Count]:
    families = {each["family_id"] for each in chosen}
    return [
        Count("deviations", len(chosen), labels),
        Count("affected_families", len(families), labels),
        Count("affected_children", len(set().union(*(members[each] for each in families))), labels),
    ]


def _cross(mine: list[dict], labels: dict[str, str], codes) -> list[Count]:
    n: dict[tuple[str, str], int] = defaultdict(int)
    for each in mine:
        n[each["category"], each["level"]] += 1
    return [
        Count("deviations_at_level", n[category, level], {**labels, "category": category, "level": level})
        for category in codes["deviation_category"]
        for level in codes["deviation_level"]
    ]

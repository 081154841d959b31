"""Missing outcomes a second time: told child by child and family by family."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from analysis.qc.again import Again
from analysis.qc.risk_interval import score_limits
from analysis.qc.tables import ARM, Tables, sizes
from analysis.results import Count, Estimate
from analysis.spec.conduct_entries import MissingAnalysis
from analysis.spec.visit_outcomes import WAIVED

METHOD = (
    "a tally child by child, each family by the best of its children; score limits of each difference by "
    "Brent's search"
)
ALL = "All"
COURSES = ("complete", "monotone", "intermittent", "never", "not_due")
# Parameter and visit -> unit -> what became of it: "observed" or a reason.
Told = dict[tuple[str, str], dict[str, str]]


def again(entry: MissingAnalysis, tables: Tables) -> Again:
    """Numbers by visit, site and course, of all and of each arm."""
    people = tables.people(entry.population)
    about = people.set_index("child_id")[["family_id", "site", ARM]].to_dict("index")
    children = _children(entry, tables, about)
    arm_of = {child: each[ARM] for child, each in about.items()}
    arm_of |= {each["family_id"]: each[ARM] for each in about.values()}
    counts = list(sizes(people, tables))
    for unit, told in (("child", children), ("family", _families(children, about, entry, tables))):
        for arm in (ALL, *tables.arms):
            chosen = {name for name, its in arm_of.items() if arm in (ALL, its)}
            labels = {"arm": arm, "unit": unit}
            counts += _visits(told, chosen, labels, entry, tables)
            counts += _courses(told, chosen, labels, entry, tables)
    counts += _sites(children, about, entry, tables)
    return Again(METHOD, counts=tuple(counts), estimates=tuple(_gaps(told, arm_of, entry, tables)))


def _gaps(families: Told, arm_of: dict, entry: MissingAnalysis, tables: Tables) -> Iterable[Estimate]:
    """The share of families without the outcome, of those due, in one arm less that in the other."""
    for at in _scheduled(families, entry, tables):
        sizes_of = []
        for arm in tables.arms:
            due = [s for unit, s in families[at].items() if arm_of[unit] == arm and s not in WAIVED]
            sizes_of += [sum(state != "observed" for state in due), len(due)]
        x1, n1, x0, n0 = sizes_of
        value, (low, high) = None, (None, None)
        if n1 and n0:
            value, (low, high) = x1 / n1 - x0 / n0, score_limits(*sizes_of, tables.level)
        labels = {"contrast": tables.contrast, "parameter": at[0], "visit": at[1]}
        yield Estimate("missing_difference", value, low=low, high=high, level=tables.level, labels=labels)


def _children(entry: MissingAnalysis, tables: Tables, about: dict) -> Told:
    told: Told = defaultdict(dict)
    rows = tables.frames["observations"]
    columns = (rows[name] for name in ("child_id", "parameter", "visit", "is_observed", "reason"))
    for child, parameter, visit, observed, reason in zip(*columns, strict=True):
        if child in about and parameter in entry.parameters:
            told[parameter, visit][child] = "observed" if observed else reason
    return told


def _families(children: Told, about: dict, entry: MissingAnalysis, tables: Tables) -> Told:
    """The best state of a family's children: observed, other reasons, the groups, what was not due."""
    later = [reason for group in entry.groups for reason in group.reasons]
    codes = list(tables.spec.codes["missing_reason"])

    def place(state: str) -> tuple[int, int]:
        if state == "observed":
            return 0, 0
        if state in later:
            return 2, later.index(state)
        return (3 if state in WAIVED else 1), codes.index(state)

    told: Told = defaultdict(dict)
    for at, states in children.items():
        for child, state in states.items():
            family = about[child]["family_id"]
            told[at][family] = min(state, told[at].get(family, state), key=place)
    return told


def _scheduled(told: Told, entry: MissingAnalysis, tables: Tables) -> Iterable[tuple[str, str]]:
    visits = [visit.id for visit in tables.spec.trial.visits]
    return [(name, visit) for name in entry.parameters for visit in visits if (name, visit) in told]


def _visits(told: Told, chosen: set, labels: dict, entry: MissingAnalysis, tables: Tables) -> list[Count]:
    found = []
    for at in _scheduled(told, entry, tables):
        where = {**labels, "parameter": at[0], "visit": at[1]}
        mine = Counter(state for unit, state in told[at].items() if unit in chosen)
        due = sum(n for state, n in mine.items() if state not in WAIVED)
        found += [Count("due", due, where), Count("observed", mine["observed"], where)]
        for reason in sorted({*told[at].values()} - {"observed"}):
            name = "not_due" if reason in WAIVED else "missing"
            found.append(Count(name, mine[reason], {**where, "reason": reason}))
    return found


def _sites(told: Told, about: dict, entry: MissingAnalysis, tables: Tables) -> list[Count]:
    found = []
    for arm in (ALL, *tables.arms):
        for at in _scheduled(told, entry, tables):
            for site in tables.spec.trial.sites:
                where = {"arm": arm, "unit": "child", "parameter": at[0], "visit": at[1], "site": site}
                mine = [
                    state
                    for child, state in told[at].items()
                    if about[child]["site"] == site and arm in (ALL, about[child][ARM])
                ]
                due = [state for state in mine if state not in WAIVED]
                found.append(Count("due_at_site", len(due), where))
                found.append(Count("observed_at_site", due.count("observed"), where))
    return found


def _courses(told: Told, chosen: set, labels: dict, entry: MissingAnalysis, tables: Tables) -> list[Count]:
    found = []
    for parameter in entry.parameters:
        places = [at for at in _scheduled(told, entry, tables) if at[0] == parameter]
        units = {unit for at in places for unit in told[at]}
        pattern = {unit: "".join(_letter(told[at].get(unit)) for at in places) for unit in units}
        mine = [pattern[unit] for unit in units if unit in chosen]
        where = {**labels, "parameter": parameter}
        courses, patterns = Counter(_course(each) for each in mine), Counter(mine)
        found += [Count("course", courses[each], {**where, "course": each}) for each in COURSES]
        found += [
            Count("pattern", patterns[each], {**where, "pattern": each}) for each in {*pattern.values()}
        ]
    return found


def _letter(state: str | None) -> str:
    if state is None:
        return ""
    return "O" if state == "observed" else "-" if state in WAIVED else "M"


def _course(pattern: str) -> str:
    """By the last visit with the outcome and the first without."""
    due = [letter for letter in pattern if letter != "-"]
    seen = [at for at, letter in enumerate(due) if letter == "O"]
    gone = [at for at, letter in enumerate(due) if letter == "M"]
    if not due or not gone:
        return "complete" if due else "not_due"
    if not seen:
        return "never"
    return "monotone" if seen[-1] < gone[0] else "intermittent"

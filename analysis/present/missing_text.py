"""The map of missing outcomes in words."""

from collections.abc import Iterator

from analysis.present import format as fmt
from analysis.present.figure_text import HIDDEN_DETAILS
from analysis.present.reading import ALL, arm_name, arms_of, count, label
from analysis.present.table_missing import places, visit_name
from analysis.results import Result, select
from analysis.spec.declarations import Spec

COURSES = ("complete", "monotone", "intermittent", "never")


def missing_text(result: Result, spec: Spec) -> str:
    """Shares of the first outcome at its last visit in a sentence, then every cell, course and pattern."""
    found = places(result, spec)
    lines = [_sentence(result, found, spec)]
    for parameter in dict.fromkeys(parameter for parameter, _ in found):
        visits = [visit for name, visit in found if name == parameter]
        lines.append(label(spec, "parameter", parameter))
        for visit in visits:
            cells = "; ".join(_cells(result, parameter, visit, spec))
            lines.append(f"  {visit_name(visit, spec)}, observed of children due: {cells}")
        lines += _courses(result, parameter)
        lines += _patterns(result, parameter, [visit_name(visit, spec) for visit in visits])
    return "\n".join(lines) + "\n"


def _sentence(result: Result, found: list[tuple[str, str]], spec: Spec) -> str:
    start = "Map of the share of children with each outcome, of those it was due from, by visit and site"
    if not found:
        return f"{start}: nothing was due."
    first = found[0][0]
    visit = [visit for name, visit in found if name == first][-1]
    said = "; ".join(_cells(result, first, visit, spec))
    name = label(spec, "parameter", first)
    return f"{start}. {name} at {visit_name(visit, spec).lower()}: {said}. {HIDDEN_DETAILS}"


def _cells(result: Result, parameter: str, visit: str, spec: Spec) -> Iterator[str]:
    for site in spec.trial.sites:
        for arm in arms_of([result]):
            where = {"arm": arm, "unit": "child", "parameter": parameter, "visit": visit, "site": site}
            due, observed = (count(result, f"{name}_at_site", **where) for name in ("due", "observed"))
            who = label(spec, "site", site) + ("" if arm == ALL else f" {arm_name(arm)}")
            yield f"{who} {f'{fmt.part(observed, due)} of {fmt.whole(due)}' if due else 'none due'}"


def _courses(result: Result, parameter: str) -> Iterator[str]:
    for arm in arms_of([result]):
        for unit, units in (("child", "children"), ("family", "families")):
            where = {"arm": arm, "unit": unit, "parameter": parameter}
            parts = [f"{each} {fmt.whole(count(result, 'course', course=each, **where))}" for each in COURSES]
            yield f"  Courses, {units}, {arm_name(arm)}: {', '.join(parts)}"


def _patterns(result: Result, parameter: str, visits: list[str]) -> Iterator[str]:
    """How many children have each pattern over the visits."""
    order = ", ".join(visits)
    yield f"  Patterns ({order}; O observed, M missing, - not due), children"
    for arm in arms_of([result]):
        found = select(result.counts, name="pattern", arm=arm, unit="child", parameter=parameter)
        said = ", ".join(f"{each.labels['pattern']} {fmt.whole(each.value)}" for each in found)
        yield f"    {arm_name(arm)}: {said or 'none'}"

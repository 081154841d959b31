"""What a committee should not miss, in sentences: recruitment, attendance, missing outcomes and harms."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from analysis.present import format as fmt
from analysis.present.reading import ALL, Found, arms_of, contrast_name, count, label, one
from analysis.present.table_accrual import state_of
from analysis.results import ALL_SITES, Estimate, Result, View, select
from analysis.spec.declarations import Spec
from analysis.spec.outputs import outputs_of


@dataclass(frozen=True, slots=True)
class Gap:
    """A difference between the arms: the sentence of who has more, its name, and n of N families by arm."""

    told: str
    name: str
    gap: Estimate | None
    parts: Mapping[str, tuple[int | None, int | None]]


def flags(results: Mapping[str, Found], spec: Spec, view: View) -> list[str]:
    """What a committee should not miss, in sentences; an empty list when nothing stands out.

    What could not be looked at is told as well: no result is not a good result.
    """
    shown = (name for output in outputs_of(spec, view) for name in output.analyses)
    watched = [name for name in dict.fromkeys(shown) if spec.analyses[name].family in _FLAGS]
    found = []
    for name in watched:
        item = results.get(name)
        if isinstance(item, Result):
            found += _FLAGS[item.family](item, spec, view)
        else:
            found.append(_unknown(spec.analyses[name].title, item.reason if item else "there is no result"))
    return found


def _unknown(title: str, reason: str) -> str:
    return f"{title} could not be evaluated: {fmt.sentence(reason)}"


def _slow(item: Result, spec: Spec, view: View) -> list[str]:
    done, planned = count(item, "randomised_families", site=ALL_SITES), one(item.estimates, "planned")
    if state_of(item) != "open":
        return []
    if done is None or planned is None:
        return [_unknown(item.title, "families randomised or planned are not in the result")]
    if done >= planned.value:
        return []
    return [
        f"Recruitment is behind its target: {fmt.families(done)} randomised, "
        f"{fmt.number(planned.value, 0)} planned by {fmt.date_name(planned.labels['by'])}."
    ]


def _lost(item: Result, spec: Spec, view: View) -> list[str]:
    """Visits that nobody has been due at yet have nothing to be compared."""
    names = {each.id: fmt.lower(each.label) for each in spec.trial.visits}
    due = {name for name in names if count(item, "due_families", arm=ALL, site=ALL_SITES, visit=name) != 0}
    gaps = []
    for visit in (each for each in names if each in due):
        where = {"visit": visit, "site": ALL_SITES}
        for gap in select(item.estimates, name="risk_difference", visit=visit) or (None,):
            parts = _parts(item, "due_attended_families", "due_families", where)
            told = f"Families come more often in {{arm}} at {names[visit]}"
            gaps.append(Gap(told, f"attendance at {names[visit]}", gap, parts))
    return _apart(item, gaps, view)


def _unseen(item: Result, spec: Spec, view: View) -> list[str]:
    """Of the first outcome of the plan alone: of many intervals some leave out zero by chance."""
    parameter = spec.analyses[item.analysis].parameters[0]
    name, gaps = label(spec, "parameter", parameter), []
    for visit in spec.trial.visits:
        where = {"parameter": parameter, "visit": visit.id}
        for gap in select(item.estimates, name="missing_difference", **where):
            if gap.value is not None:
                at = fmt.lower(visit.label)
                parts = _parts(item, "observed", "due", {**where, "unit": "family"}, is_rest=True)
                told = f"{name} is more often missing in {{arm}} at {at}"
                gaps.append(Gap(told, f"outcomes missing at {at}", gap, parts))
    return _apart(item, gaps, view)


def _harmed(item: Result, spec: Spec, view: View) -> list[str]:
    gaps = []
    for gap in select(item.estimates, name="risk_difference") or (None,):
        category = gap.labels["category"] if gap else "any"
        kind = _kind(category, spec)
        at_risk = {arm: count(item, "at_risk_families", arm=arm) for arm in arms_of([item])}
        parts = {arm: (count(item, "families", arm=arm, category=category), n) for arm, n in at_risk.items()}
        told = f"Serious adverse events ({kind}) are in a larger share of families in {{arm}}"
        gaps.append(Gap(told, f"events {kind}", gap, parts))
    return _apart(item, gaps, view)


def _parts(
    item: Result, name: str, total: str, where: Mapping[str, str], *, is_rest: bool = False
) -> dict[str, tuple[int | None, int | None]]:
    """Families by arm, of how many; with `is_rest` those that are not in the count named."""
    found = {}
    for arm in arms_of([item]):
        n, of = (count(item, each, arm=arm, **where) for each in (name, total))
        found[arm] = (of - n if is_rest and None not in (n, of) else n, of)
    return found


def _apart(item: Result, gaps: Iterable[Gap], view: View) -> list[str]:
    """Differences whose interval leaves out zero and, in one sentence, those that have no interval."""
    if view == "open":
        return []
    gaps = list(gaps)
    found = [
        _told(each) for each in gaps if _has_limits(each.gap) and (each.gap.low > 0 or each.gap.high < 0)
    ]
    if without := [each.name for each in gaps if not _has_limits(each.gap)]:
        found.append(_unknown(item.title, f"no interval of the difference in {', '.join(without)}"))
    return found


def _share(n: int | None, total: int | None) -> str:
    return f"{fmt.part(n, total)} of {fmt.whole(total)}"


def _told(each: Gap) -> str:
    """Which arm has more, by how much, and of how many families."""
    first, second = each.parts
    gap, contrast = each.gap, contrast_name(each.gap.labels["contrast"])
    arms = "; ".join(f"{arm} {_share(*pair)}" for arm, pair in each.parts.items())
    return (
        f"{each.told.format(arm=first if gap.value > 0 else second)}: {contrast} "
        f"{fmt.points(gap.value, gap.low, gap.high)} percentage points; of the families, {arms}."
    )


def _has_limits(gap: Estimate | None) -> bool:
    return gap is not None and fmt.is_number(gap.low) and fmt.is_number(gap.high)


def _kind(category: str, spec: Spec) -> str:
    return "of any kind" if category == "any" else fmt.lower(label(spec, "event_category", category))


_FLAGS = {"accrual": _slow, "retention": _lost, "missing": _unseen, "harms": _harmed}

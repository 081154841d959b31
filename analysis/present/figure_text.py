"""Figures in words. The first line is the alternative text; the lines after it give every number drawn."""

from collections.abc import Iterator, Sequence

from analysis.present import format as fmt
from analysis.present.consort import Flow, flow_text, size_text
from analysis.present.forest import Row
from analysis.present.reading import (
    ALL,
    arm_name,
    arms_of,
    contrast_name,
    contrast_of,
    count,
    one,
    values_of,
)
from analysis.present.table_harms import kind_label
from analysis.present.table_times import FAMILY_HOME, cause_label, state_label
from analysis.results import Result, select
from analysis.spec.declarations import Spec

AT_RISK = "Children at risk"
# Of a reversible history nobody leaves the risk set by moving.
UNDER_OBSERVATION = "Children under observation"
UNITS_UNDER_OBSERVATION = {"child": UNDER_OBSERVATION, "family": "Families under observation"}
HIDDEN_DETAILS = "All numbers are given below the figure."


def consort_text(flow: Flow) -> str:
    """First and last boxes of the diagram in a sentence, then every box."""
    first, last = flow.shared[0].box, flow.shared[-1].box
    said = [f"{step.title.lower()} {size_text(step.sizes)}" for step in (first, last) if step.sizes]
    for arm, steps in flow.arms.items():
        ends = [step.box for step in steps if step.box.sizes]
        said.append(f"{arm} from {size_text(ends[0].sizes)} to {size_text(ends[-1].sizes)}")
    return f"Flow diagram of families and children: {'; '.join(said)}. {HIDDEN_DETAILS}\n{flow_text(flow)}"


def incidence_text(result: Result, spec: Spec) -> str:
    """Probabilities at the last day in a sentence, then by cause and day, then the numbers at risk."""
    days = values_of(select(result.estimates, name="probability"), "day")
    causes = values_of(select(result.estimates, name="probability"), "cause")
    arms = arms_of([result])
    lines = [
        _incidence_sentence(result, arms, causes, days[-1], spec) if days else f"{result.title}: no curve."
    ]
    for cause in causes:
        lines.append(cause_label(cause, spec))
        lines += [f"  {_at_day(result, arms, cause, day)}" for day in days]
    return "\n".join([*lines, *_risk_lines(result, arms, AT_RISK)]) + "\n"


def occupation_text(result: Result, spec: Spec) -> str:
    """Shares of the states at the last day in a sentence, then by day, then the numbers under observation."""
    days = values_of(select(result.estimates, name="occupation"), "day")
    arms = arms_of([result])
    lines = [_occupation_sentence(result, arms, days[-1], spec) if days else f"{result.title}: no curve."]
    for day in days:
        lines.append(fmt.day_name(float(day)))
        lines += [f"  {arm_name(arm)}: {_shares(result, arm, day, spec, full=True)}" for arm in arms]
    return "\n".join([*lines, *_risk_lines(result, arms, UNDER_OBSERVATION)]) + "\n"


def counts_text(items: Sequence[Result], spec: Spec) -> str:
    """Mean numbers of events at the last day in a sentence, then by analysis and day, then those followed."""
    said, lines = [], []
    for result in items:
        days = values_of(select(result.estimates, name="mean_count"), "day")
        lines.append(result.title)
        lines += [f"  {_count_at(result, day)}" for day in days]
        heading = UNITS_UNDER_OBSERVATION[spec.analyses[result.analysis].level]
        lines += [f"  {line}" for line in _risk_lines(result, arms_of([result]), heading)]
        last = _count_at(result, days[-1]) if days else "no curve"
        said.append(f"{result.title.lower()}, {last}")
    start = "Step curves of the mean number of events since randomisation. "
    return f"{start}{'; '.join(said)}. {HIDDEN_DETAILS}\n" + "\n".join(lines) + "\n"


def _count_at(result: Result, day: str) -> str:
    said = []
    for arm in arms_of([result]):
        found = one(result.estimates, "mean_count", arm=arm, day=day)
        text = fmt.estimate(found.value, found.low, found.high, 2) if found else fmt.NOT_ESTIMABLE
        said.append(f"{arm_name(arm)} {text}")
    return f"{fmt.day_name(float(day))}: {', '.join(said)}"


def failure_text(title: str, reason: str) -> str:
    """What a figure says when there is nothing to draw."""
    return f"{title}: no figure. {fmt.sentence(reason)}\n"


def _incidence_sentence(
    result: Result, arms: tuple[str, ...], causes: tuple[str, ...], day: str, spec: Spec
) -> str:
    said = "; ".join(
        f"{cause_label(cause, spec).lower()} {_compared(result, arms, cause, day)}" for cause in causes
    )
    return (
        f"Step curves of the probability of a permanent placement since randomisation. "
        f"At {fmt.day_name(float(day))}: {said}. {HIDDEN_DETAILS}"
    )


def _compared(result: Result, arms: tuple[str, ...], cause: str, day: str) -> str:
    found = [one(result.estimates, "probability", arm=arm, cause=cause, day=day) for arm in arms]
    return ", ".join(
        f"{'' if arm == ALL else f'{arm} '}{fmt.percentage(each.value if each else None)}"
        for arm, each in zip(arms, found, strict=True)
    )


def _at_day(result: Result, arms: tuple[str, ...], cause: str, day: str) -> str:
    said = []
    for arm in arms:
        found = one(result.estimates, "probability", arm=arm, cause=cause, day=day)
        text = fmt.percentage_estimate(found.value, found.low, found.high) if found else fmt.NOT_ESTIMABLE
        said.append(f"{arm_name(arm)} {text}")
    gap = one(result.estimates, "risk_difference", cause=cause, day=day)
    if gap:
        said.append(
            f"{contrast_name(contrast_of([result]))} {fmt.points(gap.value, gap.low, gap.high)} points"
        )
    return f"{fmt.day_name(float(day))}: {', '.join(said)}"


def _occupation_sentence(result: Result, arms: tuple[str, ...], day: str, spec: Spec) -> str:
    said = "; ".join(f"{arm_name(arm)}: {_shares(result, arm, day, spec, full=False)}" for arm in arms)
    days = [
        f"{arm_name(arm)} {fmt.number(found.value, fmt.DAYS)} days"
        for arm in arms
        if (found := one(result.estimates, "days_in_state", arm=arm, state=FAMILY_HOME))
    ]
    home = f" Mean time in a permanent family home: {', '.join(days)}." if days else ""
    return (
        f"Stacked areas of the share of children in each state since randomisation. "
        f"At {fmt.day_name(float(day))}: {said}.{home} {HIDDEN_DETAILS}"
    )


def _shares(result: Result, arm: str, day: str, spec: Spec, *, full: bool) -> str:
    said = []
    for state in values_of(select(result.estimates, name="occupation"), "state"):
        found = one(result.estimates, "occupation", arm=arm, state=state, day=day)
        value, low, high = (found.value, found.low, found.high) if found else (None, None, None)
        text = fmt.percentage_estimate(value, low, high) if full else fmt.percentage(value)
        said.append(f"{state_label(state, spec).lower()} {text}")
    return ", ".join(said)


def _risk_lines(result: Result, arms: tuple[str, ...], heading: str) -> Iterator[str]:
    yield heading
    for arm in arms:
        counts = select(result.counts, name="at_risk", arm=arm)
        by_day = ", ".join(
            f"{fmt.months(float(each.labels['day']))} months {fmt.whole(each.value)}" for each in counts
        )
        yield f"  {arm_name(arm)}: {by_day}"


def forest_text(
    rows: Sequence[Row],
    effect: str,
    level: str,
    axis: str,
    sizes: Sequence[str],
    sides: tuple[str, str],
) -> str:
    """The primary effect, or the first, in a sentence, then every row with its sizes."""
    effects = [row for row in rows if row.limits]
    lines = [_forest_line(row, sizes) for row in rows]
    if not effects:
        return "\n".join([f"{axis}: no estimate.", *lines]) + "\n"
    main = next((row for row in effects if row.is_main), effects[0])
    said = f" Left of no effect: {sides[0]}; right of it: {sides[1]}." if all(sides) else ""
    return (
        f"Forest plot of {len(effects)} effects, {effect} ({level}). {axis}. {main.label}: "
        f"{main.shown}.{said} {HIDDEN_DETAILS}\n" + "\n".join(lines) + "\n"
    )


def _forest_line(row: Row, sizes: Sequence[str]) -> str:
    counted = ", ".join(f"{fmt.whole(n)} {name}" for n, name in zip(row.sizes, sizes, strict=False))
    said = "; ".join(filter(None, (row.shown, counted)))
    return f"{'  ' * row.indent}{row.label}{': ' if said else ''}{said}"


def harms_text(result: Result, kinds: Sequence[str], spec: Spec) -> str:
    """All events in a sentence, then each kind by arm with the risk difference."""
    arms = arms_of([result])
    lines = [f"{arm_name(arm)}: {_harms_followed(result, arm)}" for arm in arms]
    for kind in kinds:
        said = [f"{arm_name(arm)} {_harms_counted(result, arm, kind)}" for arm in arms]
        found = one(result.estimates, "risk_difference", category=kind)
        gap = fmt.points(found.value, found.low, found.high) if found else fmt.NOT_ESTIMABLE
        lines.append(f"{kind_label(kind, spec)}: {'; '.join(said)}; {_harms_contrast(result)} {gap} points")
    if not any(each.name == "risk_difference" for each in result.estimates):
        return "\n".join([f"{result.title}: no estimate.", *lines]) + "\n"
    return (
        "Dots of the share of families with an event by arm, and of the risk difference in percentage points "
        f"with its limits, by kind of event. {lines[len(arms)]}. {HIDDEN_DETAILS}\n" + "\n".join(lines) + "\n"
    )


def _harms_contrast(result: Result) -> str:
    return contrast_name(contrast_of([result]))


def _harms_followed(result: Result, arm: str) -> str:
    years = one(result.estimates, "child_years", arm=arm)
    time = fmt.number(years.value if years else None, fmt.RATE)
    families, children = (count(result, f"at_risk_{each}", arm=arm) for each in ("families", "children"))
    return f"{fmt.families(families)}, {fmt.children(children)}, {time} child-years"


def _harms_counted(result: Result, arm: str, kind: str) -> str:
    families, children, events = (
        count(result, each, arm=arm, category=kind) for each in ("families", "children", "events")
    )
    share = fmt.part(families, count(result, "at_risk_families", arm=arm))
    return f"families {share}, children {fmt.whole(children)}, events {fmt.whole(events)}"

"""What stands below every table and figure: population, estimand, method, conventions, notes."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from analysis.present import format as fmt
from analysis.present.favours import directions
from analysis.present.lexicon import scales_text, schedule_text, short_forms
from analysis.present.reading import ALL, Found, arm_label, arms_of, count
from analysis.present.table_form import Footnote, Origin
from analysis.results import ALL_SITES, Failure, Result, View
from analysis.spec.declarations import Spec
from analysis.spec.monitoring_entries import NuisanceAnalysis
from analysis.spec.sap import Analysis, Estimand

TIMINGS = {"prespecified": "declared in the plan", "post_hoc": "post hoc"}
UNTOLD_TREATMENT = "Offer of the service under trial"
WHOLE_TRIAL = "Every family of the trial, as it stood at the data cut."
OWN_ROWS = "Told row by row"
UNCOUNTED = "None, for there is no result"
UNIT = {"families": "family", "children": "child"}
# What the families of analyses call those they are of, where that is not simply families and children.
_COUNTED = {
    "flow": ("{}", {"stage": "randomised", "box": "in"}),
    "accrual": ("randomised_{}", {"site": ALL_SITES}),
    "retention": ("group_{}", {"site": ALL_SITES}),
    "baseline": ("units", {"unit": "{}"}),
    "harms": ("at_risk_{}", {}),
}
NOT_COMPARED = "All together: the effect is not estimated here."


def footnotes(
    items: Sequence[Found],
    spec: Spec,
    view: View,
    *,
    conventions: Sequence[str] = (),
    texts: Sequence[str] = (),
) -> tuple[Footnote, ...]:
    """Lines below an output, in reading order; a line that several analyses share is printed once.

    Short forms are explained that stand in `texts`, the words of the output, or in the lines themselves.
    """
    before, after = (*_cut(items, spec), *_before(items, spec, view, conventions)), _after(items, spec)
    words = (*texts, *(line.text for line in (*before, *after)))
    return (*before, *_lines("Abbreviations", [abbreviations(items, spec, words)]), *after)


def _cut(items: Sequence[Found], spec: Spec) -> tuple[Footnote, ...]:
    """At an interim cut: the day it was, and of how many the numbers are."""
    if spec.interim_cut is None:
        return ()
    return (
        *cut_note(spec),
        *_by_analysis("Denominator", items, lambda item: [_denominator(item)]),
    )


def _denominator(item: Found) -> str:
    if isinstance(item, Failure):
        return UNCOUNTED
    return analysed(item) or OWN_ROWS


def cut_note(spec: Spec) -> tuple[Footnote, ...]:
    """The day of an interim cut; no line in the final edition."""
    return tuple(_lines("Data cut", [f"{fmt.date_name(spec.interim_cut)}."] if spec.interim_cut else []))


def _before(
    items: Sequence[Found], spec: Spec, view: View, conventions: Sequence[str]
) -> tuple[Footnote, ...]:
    entries = [spec.analyses[item.analysis] for item in items]
    fitted = [item for item in items if isinstance(item, Result)]
    whole = WHOLE_TRIAL if spec.interim_cut else ""
    return (
        *_by_analysis(
            "Population", items, lambda item: [_population(spec.analyses[item.analysis], spec) or whole]
        ),
        *_lines(
            "Estimand", [estimand_text(spec.estimands[each], spec, view) for each in _estimands(entries)]
        ),
        *_lines("Status", _statuses(entries)),
        *_by_analysis("Method", fitted, lambda item: [item.method]),
        *_lines("Conventions", [" ".join(fmt.sentence(each) for each in conventions)]),
        *_lines("Scales", [scales_text(entries, spec)]),
        *_lines("Schedule", [schedule_text(entries, spec)]),
        *_lines("Direction", [fmt.sentence(each) for item in fitted for each in directions(item, spec)]),
    )


def _after(items: Sequence[Found], spec: Spec) -> tuple[Footnote, ...]:
    fitted = [item for item in items if isinstance(item, Result)]
    return (
        *_lines("Baselines", [_baselines(fitted)]),
        *_by_analysis("Note", fitted, lambda item: (remark(item, spec), *item.notes)),
    )


def estimand_text(estimand: Estimand, spec: Spec, view: View) -> str:
    """An estimand with every attribute; on an open page what is measured, as nothing is compared there."""
    if view == "open":
        return f"{estimand.id}, {fmt.lower(estimand.title)}: {fmt.lower(estimand.variable)}. {NOT_COMPARED}"
    events = "; ".join(f"{each.event.lower()} ({each.strategy})" for each in estimand.intercurrent_events)
    return (
        f"{estimand.id}, {fmt.lower(estimand.title)}. {estimand.treatment}; in those of the population "
        f"{_who(estimand, spec)}; {fmt.lower(estimand.variable)}; "
        f"{fmt.lower(estimand.summary)}, {average_name(estimand)}. Intercurrent events: {events}."
    )


def _who(estimand: Estimand, spec: Spec) -> str:
    label = f"\u201c{fmt.lower(spec.populations[estimand.population].label)}\u201d"
    if not estimand.analysed_in:
        return label
    return f"{label}, analysed in \u201c{fmt.lower(spec.populations[estimand.analysed_in].label)}\u201d"


def average_name(estimand: Estimand) -> str:
    """Whose average is meant, and whether the effect is marginal."""
    return f"averaged over {'children' if estimand.average == 'child' else 'families'} ({estimand.effect})"


def population_text(entry: Analysis, spec: Spec) -> str:
    """The population of an analysis in words; empty when it has none."""
    if not entry.population:
        return ""
    population = spec.populations[entry.population]
    return f"{population.label}: {fmt.lower(fmt.sentence(population.text))}"


def _population(entry: Analysis, spec: Spec) -> str:
    """That of an analysis; of both where a fit has the population of the analysis it goes with."""
    text = population_text(entry, spec)
    if not isinstance(entry, NuisanceAnalysis):
        return text
    fitted = population_text(spec.analyses[spec.analyses[entry.monitors].watches], spec)
    parts = {"Retention and the share kept": text, "SD, ICC and children per family": fitted}
    return " ".join(f"{name}: {fmt.lower(each)}" for name, each in parts.items())


def status_name(entry: Analysis) -> str:
    """Role and timing of an analysis."""
    return f"{entry.role}, {TIMINGS[entry.timing]}"


def _statuses(entries: Iterable[Analysis]) -> list[str]:
    """Role and timing of analyses, with the assumption one stands on; those that share them together."""
    shared: dict[str, list[str]] = {}
    for entry in entries:
        reason = f"; assumed: {fmt.lower(entry.reason.rstrip('.'))}" if entry.assumed else ""
        shared.setdefault(f"{status_name(entry)}{reason}.", []).append(entry.id)
    return [f"{', '.join(names)} {text}" for text, names in shared.items()]


def remarks_note(items: Sequence[Found], spec: Spec) -> tuple[Footnote, ...]:
    """What the plan says beside the numbers of these analyses, as a note."""
    return tuple(_by_analysis("Note", items, lambda item: [remark(item, spec)]))


def remark(item: Found, spec: Spec) -> str:
    """What the plan says beside the numbers of an analysis; empty when it says nothing."""
    return spec.analyses[item.analysis].remark or ""


def abbreviations(items: Iterable[Found], spec: Spec, words: Iterable[str]) -> str:
    """Arms in full, none on pooled pages, then the declared short forms that stand in the words."""
    arms = [f"{arm}, {arm_label(arm, spec)}" for arm in arms_of(items) if arm != ALL]
    return fmt.sentence("; ".join([*arms, *short_forms(words, spec)]))


def origins(items: Sequence[Found], spec: Spec) -> dict[str, Origin]:
    """Where the numbers of each analysis come from."""
    return {item.analysis: _origin(item, spec.analyses[item.analysis], spec) for item in items}


def analysed(item: Found) -> str:
    """How many were analysed, all arms together; empty where an analysis does not count them."""
    if isinstance(item, Failure):
        return ""
    extra = {"set": "analysed"} if any(each.labels.get("set") for each in item.counts) else {}
    pair = [_total(item, name, extra) for name in ("families", "children")]
    if None in pair:
        return ""
    return f"{fmt.children(pair[1])} in {fmt.families(pair[0])}"


def _total(item: Result, name: str, extra: dict[str, str]) -> int | None:
    called, labels = _COUNTED.get(item.family, ("{}", {}))
    named = called.format(name)
    labels = {key: text.format(UNIT[name]) for key, text in labels.items()} | extra
    if item.family == "accrual":  # knows no arm, not even all of them together
        return count(item, named, **labels)
    found = [count(item, named, arm=arm, **labels) for arm in arms_of([item])]
    return None if not found or None in found else sum(found)


def _origin(item: Found, entry: Analysis, spec: Spec) -> Origin:
    estimand = spec.estimands[entry.estimand].title if entry.estimand else ""
    return Origin(
        analysis=item.analysis,
        title=item.title,
        status=status_name(entry),
        estimand=f"{entry.estimand}, {fmt.lower(estimand)}" if estimand else "",
        numbers=analysed(item),
        method=_method(item),
    )


def _method(item: Found) -> str:
    """The method with what a reader may look up, or why there is no result."""
    if isinstance(item, Failure):
        return f"No result: {item.reason}"
    return " ".join(fmt.sentence(each) for each in (item.method, *item.details))


def _baselines(items: Sequence[Result]) -> str:
    """For how many children a baseline exists; one sentence, naming the analyses where they differ."""
    shared: dict[str, list[str]] = {}
    for item in items:
        yes, no = (count(item, "baseline_known", **{"is": each}) for each in ("yes", "no"))
        if yes is not None and no is not None:
            shared.setdefault(f"{fmt.whole(yes)} of {fmt.whole(yes + no)}", []).append(item.analysis)
    if not shared:
        return ""
    parts = [share if len(shared) == 1 else f"{', '.join(names)} {share}" for share, names in shared.items()]
    return f"A baseline before randomisation exists for {'; '.join(parts)} children analysed."


def _lines(term: str, texts: Iterable[str]) -> list[Footnote]:
    joined = " ".join(dict.fromkeys(text for text in texts if text))
    return [Footnote(term, joined)] if joined else []


def _by_analysis(term: str, items: Sequence[Found], read: Callable[[Any], Iterable[str]]) -> list[Footnote]:
    """One line per distinct text, naming the analyses it holds for when not all share it."""
    shared: dict[str, list[str]] = {}
    for item in items:
        for text in read(item):
            shared.setdefault(fmt.sentence(text), []).append(item.analysis)
    parts = [
        text if len(names) == len(items) else f"{', '.join(names)}: {text}"
        for text, names in shared.items()
        if text
    ]
    return _lines(term, parts)


def _estimands(entries: Iterable[Analysis]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for entry in entries for name in entry.estimands))

"""What a page reads from results: whose they are, which arms they name, and one number by its labels."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from analysis.errors import BlindingError, ReportError
from analysis.present import format as fmt
from analysis.results import Failure, Result, View, as_mapping, select
from analysis.spec.declarations import Spec
from analysis.spec.event_entries import HazardAnalysis
from analysis.spec.outputs import report_of
from analysis.spec.sap import Output

ALL = "All"
Found = Result | Failure


def results_for(output: Output, results: Mapping[str, Found], view: View) -> tuple[Found, ...]:
    """What feeds an output, in the plan's order; a validation is of all results there are.

    Raises
    ------
    ReportError
        If a result is absent.
    BlindingError
        If the output is not for this view, or an open page is given something that knows the arms.
    """
    if report_of(view) not in output.reports:
        raise BlindingError(f"output {output.id} is not for the {report_of(view)} report.")
    if absent := [name for name in output.analyses if name not in results]:
        raise ReportError(f"output {output.id}: no result of {', '.join(absent)}; run its fit.")
    found = tuple(results[name] for name in output.analyses or results)
    for item in found:
        if view == "open":
            _check_pooled(item, output)
    return found


def arms_of(items: Iterable[Found]) -> tuple[str, ...]:
    """Arms named by results, in their order; ``All`` only when there is no other."""
    named = [label["arm"] for item in items for label in _labels(item) if "arm" in label]
    arms = tuple(dict.fromkeys(arm for arm in named if arm != ALL))
    return arms or (ALL,)


def contrast_of(items: Iterable[Found]) -> str | None:
    """Name of the contrast of results, `None` when arms are not compared."""
    named = [label["contrast"] for item in items for label in _labels(item) if "contrast" in label]
    return named[0] if named else None


def values_of(items: Iterable[Any], key: str) -> tuple[str, ...]:
    """Values of one label, in the order they appear."""
    return tuple(dict.fromkeys(item.labels[key] for item in items if key in item.labels))


def one(items: Iterable[Any], name: str, **labels: str) -> Any | None:
    """The only item of that name and labels, `None` when there is none.

    Raises
    ------
    ReportError
        If there are several.
    """
    found = select(items, name=name, **labels)
    if len(found) > 1:
        where = ", ".join(f"{key} {value}" for key, value in labels.items())
        raise ReportError(f"{len(found)} results are called {name} ({where}); a page needs one.")
    return found[0] if found else None


def count(result: Result, name: str, **labels: str) -> int | None:
    """One count of a result, `None` when it was not made."""
    found = one(result.counts, name, **labels)
    return None if found is None else found.value


def arm_name(arm: str) -> str:
    """Heading of an arm's column."""
    return "All" if arm == ALL else arm


def arm_label(arm: str, spec: Spec) -> str:
    """An arm's name in full."""
    return spec.codelists["arm"].get(arm, arm)


def label(spec: Spec, codelist: str, code: str) -> str:
    """Label of a code; a code outside the list as it is."""
    return spec.codelists[codelist].get(code, code)


def decimals_of(parameter: str, spec: Spec) -> int:
    """Decimals of a printed mean of this outcome; a difference of means has one more."""
    return spec.scores[parameter].decimals if parameter in spec.scores else fmt.MEAN


def horizon_name(result: Result, spec: Spec) -> str:
    """To which day events of a hazard count, in words."""
    last = one(result.estimates, "last_day")
    day = f"to day {fmt.whole(int(last.value))}" if last else ""
    entry = spec.analyses[result.analysis]
    if isinstance(entry, HazardAnalysis) and entry.until:
        return day
    return ", ".join(filter(None, ("in all follow-up", day)))


def contrast_name(contrast: str | None) -> str:
    """A contrast's name as it is printed."""
    return "" if contrast is None else fmt.with_minus(contrast)


def results_digest(items: Iterable[Found]) -> str:
    """SHA-256 of results at full precision; the first 16 hexadecimal digits."""
    text = json.dumps(tuple(items), default=as_mapping, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _labels(item: Found) -> Iterable[Mapping[str, str]]:
    if isinstance(item, Failure):
        return ()
    return (each.labels for each in (*item.counts, *item.estimates, *item.curves, *item.points))


def _check_pooled(item: Found, output: Output) -> None:
    named = {label.get("arm", ALL) for label in _labels(item)}
    compared = any("contrast" in label for label in _labels(item))
    if item.audience != "open" or named - {ALL} or compared:
        raise BlindingError(f"output {output.id}: the open report was given a result that knows the arms.")

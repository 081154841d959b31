"""Everything the declarations assume because it is not public, with where and why."""

import re
from collections.abc import Iterator, Mapping

from analysis.results import View
from analysis.spec.base import Assumable, Declaration
from analysis.spec.declarations import Spec

IDENTITY = ("label", "event", "id", "parameter", "field")
MARK = "assumed:"
_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")


def assumptions(spec: Spec, view: View, *, synthetic: bool) -> list[tuple[str, str]]:
    """Where and what: the trial's own list, then every entry marked as assumed, then the code lists.

    An open report has none for the closed audience, one of real data none of the synthetic trial.
    """
    found = [
        (each.item, each.text)
        for each in spec.trial.assumptions
        if (view != "open" or each.audience == "open") and (synthetic or each.only is None)
    ]
    parts = (spec.trial, spec.populations, spec.estimands, spec.analyses)
    found += [pair for part in parts for pair in _walk(part, ())]
    found += [pair for part in (spec.states, spec.instruments, spec.scores) for pair in _walk(part, ())]
    return [(where, " ".join(text.split())) for where, text in (*found, *_codelists(spec))]


def _walk(value: object, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        value = tuple(value.values())
    if isinstance(value, (tuple, list)):
        for each in value:
            yield from _walk(each, path)
    elif isinstance(value, Declaration):
        here = (*path, _name(value)) if type(value).__name__ != "Trial" else path
        if isinstance(value, Assumable) and value.assumed:
            yield ", ".join(here), value.reason
        for field in type(value).model_fields:
            yield from _walk(getattr(value, field), here)


def _name(value: Declaration) -> str:
    kind = _WORD.sub(" ", type(value).__name__).capitalize()
    own = next((text for each in IDENTITY if isinstance(text := getattr(value, each, None), str)), None)
    return f"{kind} {own}" if own else kind


def _codelists(spec: Spec) -> list[tuple[str, str]]:
    """Code lists with assumed codes, those with one reason together."""
    by_reason: dict[str, list[str]] = {}
    for name, codes in spec.codes.items():
        for reason in dict.fromkeys(code.source for code in codes.values() if code.source.startswith(MARK)):
            by_reason.setdefault(reason.removeprefix(MARK).strip(), []).append(name.replace("_", " "))
    return [(f"Codes of {', '.join(names)}", reason.capitalize()) for reason, names in by_reason.items()]

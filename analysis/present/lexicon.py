"""What a reader needs to read a table: its short forms in full, and the ranges of its scales."""

import re
from collections.abc import Iterable

from analysis.present import format as fmt
from analysis.present.reading import label
from analysis.spec.conduct_entries import MissingAnalysis
from analysis.spec.declarations import Spec, scale_of
from analysis.spec.instruments import Score
from analysis.spec.sap import Analysis, BaselineAnalysis, CourseAnalysis
from analysis.spec.visit_outcomes import OutcomeAnalysis


def short_forms(texts: Iterable[str], spec: Spec) -> list[str]:
    """The declared short forms that stand in the texts, each with what it stands for."""
    whole = "\n".join(texts)
    return [f"{each.id}, {each.text}" for each in spec.abbreviations.values() if _stands_in(each.id, whole)]


def scales_text(entries: Iterable[Analysis], spec: Spec) -> str:
    """Range and direction of every score the analyses are of."""
    named = dict.fromkeys(parameter for entry in entries for parameter in _parameters(entry))
    return fmt.sentence("; ".join(filter(None, (_scale(parameter, spec) for parameter in named))))


def schedule_text(entries: Iterable[Analysis], spec: Spec) -> str:
    """Which scores the analyses are of are collected once, and so not due at every visit that has them."""
    named = dict.fromkeys(parameter for entry in entries for parameter in _scheduled(entry))
    once = [spec.scores[parameter] for parameter in named if parameter in spec.scores]
    return " ".join(_once(score, spec) for score in once if score.once)


def _scheduled(entry: Analysis) -> Iterable[str]:
    return entry.parameters if isinstance(entry, MissingAnalysis) else _parameters(entry)


def _once(score: Score, spec: Spec) -> str:
    visits = [visit.label.lower() for visit in spec.trial.visits if visit.id in score.visits]
    age = f" and from {score.from_months} months of age" if score.from_months else ""
    return (
        f"{label(spec, 'parameter', score.parameter)} is collected once, at {' or '.join(visits)}{age}: "
        "it is not due, by schedule, where an earlier visit has it."
    )


def _stands_in(short: str, text: str) -> bool:
    """Whether it stands there as a word of its own, in the plural perhaps."""
    return re.search(rf"(?<![\w-]){re.escape(short)}s?(?![\w-])", text) is not None


def _parameters(entry: Analysis) -> list[str]:
    if isinstance(entry, OutcomeAnalysis):
        return [entry.outcome.parameter]
    if isinstance(entry, CourseAnalysis):
        return [entry.parameter]
    if isinstance(entry, BaselineAnalysis):
        return [each.parameter for each in entry.variables if each.parameter]
    return []


def _scale(parameter: str, spec: Spec) -> str:
    scale = scale_of(spec, parameter)
    if scale is None:
        return ""
    return f"{label(spec, 'parameter', parameter)} {scale.minimum:g} to {scale.maximum:g}, {scale.direction}"

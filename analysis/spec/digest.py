"""Digests of slices of the declarations: a step reruns when what it reads has changed, and only then."""

import hashlib
import json
from dataclasses import asdict
from typing import Any

from pydantic import BaseModel

from analysis.spec.declarations import Spec, scale_of
from analysis.spec.sap import Analysis
from analysis.spec.visit_outcomes import BinaryAnalysis

RAW_PARTS = ("package", "codes", "blinding", "states", "rules", "instruments", "scores", "trial")
ISSUE_PARTS = ("package", "codes", "rules", "rule_kinds", "findings", "trial")
DERIVED_PARTS = ("package", "states", "instruments", "scores", "populations", "trial")

REPORT_PARTS = (
    *("trial", "codes", "blinding", "populations", "estimands", "analyses", "outputs", "stages", "reported"),
    *("conduct", "checklist", "amendments", "findings"),
    "abbreviations",
)


def digest(value: Any) -> str:
    """SHA-256 of declarations as JSON; the first 16 hexadecimal digits.

    The order of entries counts: rules run, and outputs appear, in the order of their files.
    """
    text = json.dumps(_plain(value), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def clean_slice(spec: Spec) -> str:
    """What reading and cleaning depend on."""
    return digest([getattr(spec, part) for part in RAW_PARTS])


def issue_slice(spec: Spec) -> str:
    """What the issue report and the description of the data depend on."""
    return digest([getattr(spec, part) for part in ISSUE_PARTS])


def derive_slice(spec: Spec) -> str:
    """What derivation depends on: no analysis but those that define a stage of the flow."""
    defining = [spec.analyses[stage.outcome].outcome for stage in spec.stages.values() if stage.outcome]
    return digest([*(getattr(spec, part) for part in DERIVED_PARTS), spec.stages, defining])


def family_slice(spec: Spec, family: str) -> str:
    """What one model family depends on: its entries, those they watch, estimands, populations, the trial.

    Entries that name bands of a score depend on the bands too.
    """
    entries = _with_watched(spec, spec.family(family))
    estimands = [spec.estimands[name] for each in entries for name in each.estimands]
    populations = [spec.populations[each.population] for each in entries if each.population]
    banded = any(isinstance(each, BinaryAnalysis) and each.event.bands for each in entries)
    forms = [form for instrument in spec.instruments.values() if banded for form in instrument.forms]
    bands = [(form.id, form.bandings) for form in forms]
    return digest([entries, estimands, populations, spec.trial, spec.states, spec.codes, bands])


def _with_watched(spec: Spec, entries: tuple[Analysis, ...]) -> tuple[Analysis, ...]:
    """The entries, those they watch, and those that these watch."""
    watched = tuple(spec.analyses[name] for each in entries for name in each.watched)
    return (*entries, *_with_watched(spec, watched)) if watched else entries


def qc_slice(spec: Spec) -> str:
    """What the second programmer depends on: the entries of all families, and the tables he reads."""
    families = dict.fromkeys(each.family for each in spec.analyses.values())
    return digest([*(family_slice(spec, name) for name in families), spec.package, spec.stages])


def report_slice(spec: Spec) -> str:
    """What the pages depend on: all that a reader sees."""
    decimals = {name: score.decimals for name, score in spec.scores.items()}
    scales = {name: asdict(scale) for name in spec.codes["parameter"] if (scale := scale_of(spec, name))}
    return digest([*(getattr(spec, part) for part in REPORT_PARTS), decimals, scales])


def gate_slice(spec: Spec) -> str:
    """What the leakage gate depends on: what tells an arm, and which columns are of closed tables only."""
    return digest([spec.codes["arm"], spec.blinding, spec.package])


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return {"type": type(value).__name__, **_plain(value.model_dump(by_alias=True))}
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value

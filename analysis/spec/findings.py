"""Findings that no line of ``rules.yaml`` declares, and what the kinds of its rules look for."""

from typing import Annotated, Literal

from pydantic import Field

from analysis.spec.base import Declaration, Name
from analysis.spec.episode_rules import EpisodeKind
from analysis.spec.rules import Action, RuleKind, Severity

Place = Literal["exports", "cells", "keys", "corrections", "cut", "histories", "allocation"]


class Case(Declaration):
    """What becomes of a finding, and when."""

    when: Name
    severity: Severity
    action: Action | Literal["restored", "corrected", "repaired", "superseded", "set_back"]


class Finding(Declaration):
    """One id that reading, cleaning or deriving can print."""

    id: Annotated[str, Field(pattern=r"^[A-Z]{1,2}\d\d$")]
    found: Place
    text: Name
    cases: Annotated[tuple[Case, ...], Field(min_length=1)]


class KindText(Declaration):
    """What a kind of rule finds."""

    id: RuleKind | EpisodeKind
    text: Name

"""Errors shown to the user as one paragraph, without a traceback.

A message names the place (file, row or entry), the rule that was broken and what is allowed. It never
contains a participant's value.
"""

from pathlib import Path

PARTS = 3  # of a path: the clean and the ingested table have one name, as have results of two views


def place_of(path: Path) -> str:
    """As much of a path as tells which of several files of one name is meant."""
    return "/".join(part for part in path.parts[-PARTS:] if part != path.anchor)


class TrialError(Exception):
    """Base of every error that the command line prints as plain text and turns into an exit code."""

    exit_code = 2


class CommandError(TrialError):
    """The command line was not given what it needs."""


class SpecError(TrialError):
    """A declaration in ``data_spec/`` or the configuration is wrong."""


class SourceError(TrialError):
    """A raw export cannot be read, or is not the file its mapping declares."""


class DataError(TrialError):
    """A table breaks a rule whose severity is *stop*."""


class BlindingError(TrialError):
    """Something would let an arm reach a place that must not know it."""


class ModelError(TrialError):
    """An estimator was given data or options for which it is not defined."""


class AgreementError(TrialError):
    """A number of the results is not that of the second programmer."""


class ReportError(TrialError):
    """Results and the page that should show them do not belong together."""

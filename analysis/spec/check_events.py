"""Cross-references of the plan's entries on times, states and events that can happen again."""

from analysis.errors import SpecError
from analysis.spec.base import check_known
from analysis.spec.declarations import Spec
from analysis.spec.event_entries import (
    FrailtyAnalysis,
    HazardAnalysis,
    IncidenceAnalysis,
    OccupationAnalysis,
    ProportionalityAnalysis,
    RecurrenceAnalysis,
    RoutesAnalysis,
)
from analysis.spec.sap import Analysis

TimeToEvent = HazardAnalysis | FrailtyAnalysis | ProportionalityAnalysis | RoutesAnalysis | IncidenceAnalysis


def check_event_entry(spec: Spec, analysis: Analysis, *, where: str, subjects: set[str]) -> None:
    """Raise `SpecError` at the first reference to nothing; other kinds of entry pass."""
    if isinstance(analysis, TimeToEvent):
        _check_event(spec, analysis, where=where)
    if isinstance(analysis, OccupationAnalysis):
        check_known([analysis.basis], spec.states.placement, where=where, what="basis")
        moves = [name for name, each in spec.states.recurrent.items() if each.basis == analysis.basis]
        named = [analysis.never_returned] if analysis.never_returned else []
        check_known(named, moves, where=where, what="recurrent move by this basis")
    if isinstance(analysis, RecurrenceAnalysis):
        _check_recurrence(spec, analysis, where=where)
    if isinstance(analysis, (TimeToEvent, OccupationAnalysis, RecurrenceAnalysis)):
        check_known(analysis.strata, subjects, where=where, what="stratum")


def _check_event(spec: Spec, analysis: TimeToEvent, *, where: str) -> None:
    event = analysis.event
    check_known([event.parameter], spec.codes_of("time_parameter"), where=where, what="time parameter")
    check_known([event.basis], spec.states.bases, where=where, what="basis")
    check_known(event.causes, spec.states.states, where=where, what="state")
    if event.parameter in spec.states.after:
        _check_selected(analysis, where=where)
    elif analysis.role == "not randomised":
        raise SpecError(f"{where}: {event.parameter} is of everybody randomised.")
    elif not analysis.estimand:
        raise SpecError(f"{where}: a comparison of randomised groups needs its estimand.")


def _check_selected(analysis: TimeToEvent, *, where: str) -> None:
    """Children who reached a state after randomisation are no randomised groups: no effect is estimated."""
    parameter = analysis.event.parameter
    if analysis.role != "not randomised" or analysis.estimand:
        raise SpecError(
            f"{where}: {parameter} is of children selected after randomisation; its role is 'not randomised' "
            "and it has no estimand."
        )
    if getattr(analysis, "origin", None):
        raise SpecError(f"{where}: the clock of {parameter} begins with its own state; leave out the origin.")


def _check_recurrence(spec: Spec, analysis: RecurrenceAnalysis, *, where: str) -> None:
    check_known([analysis.parameter], spec.states.recurrent, where=where, what="recurrent event")
    if analysis.level == "family" and not spec.states.recurrent[analysis.parameter].category:
        raise SpecError(
            f"{where}: {analysis.parameter} is counted per child; only reported events are by family."
        )

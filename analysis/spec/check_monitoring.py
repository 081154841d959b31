"""Cross-references of the entries on monitoring."""

from analysis.errors import SpecError
from analysis.spec.base import check_known
from analysis.spec.conduct_entries import AccrualAnalysis
from analysis.spec.declarations import Spec
from analysis.spec.entry import Entry
from analysis.spec.event_entries import HazardAnalysis
from analysis.spec.monitoring_entries import MonitoringAnalysis, NuisanceAnalysis
from analysis.spec.visit_outcomes import MixedAnalysis


def check_monitoring_entry(spec: Spec, analysis: Entry, *, where: str) -> None:
    """Raise `SpecError` unless what is watched exists and is of the kind that can be."""
    check_known(analysis.watched, spec.analyses, where=where, what="analysis")
    if isinstance(analysis, MonitoringAnalysis):
        _check_monitoring(spec, analysis, where=where)
    if isinstance(analysis, NuisanceAnalysis):
        _check_nuisance(spec, analysis, where=where)
    _check_shown(spec, analysis, where=where)


def _check_nuisance(spec: Spec, analysis: NuisanceAnalysis, *, where: str) -> None:
    if not isinstance(spec.analyses[analysis.monitors], MonitoringAnalysis):
        raise SpecError(f"{where}: monitors names an entry of family monitoring.")
    if not isinstance(spec.analyses[analysis.recruitment], AccrualAnalysis):
        raise SpecError(f"{where}: recruitment names an entry of family accrual.")


def _check_shown(spec: Spec, analysis: Entry, *, where: str) -> None:
    """An edition that shows an entry shows what it watches, for nothing else of the plan is in it."""
    for name in ("reports", "interim"):
        shown = {
            each for output in spec.outputs.values() if getattr(output, name) for each in output.analyses
        }
        if analysis.id in shown and (absent := [each for each in analysis.watched if each not in shown]):
            raise SpecError(f"{where}: no output has {absent[0]}, which it watches, in its list {name}.")


def _check_monitoring(spec: Spec, analysis: MonitoringAnalysis, *, where: str) -> None:
    main, fixed = (spec.analyses[name] for name in analysis.watched)
    if not isinstance(main, MixedAnalysis):
        raise SpecError(f"{where}: what it watches must be of family mixed, whose information is known.")
    if not isinstance(fixed, HazardAnalysis):
        raise SpecError(f"{where}: fixed limits are of an analysis of family hazard.")
    if analysis.population != main.population:
        raise SpecError(f"{where}: its population must be that of {main.id}, {main.population}.")
    if analysis.looks[-1].cut != spec.trial.data_cut:
        raise SpecError(f"{where}: the last look must be at the trial's own last cut, {spec.trial.data_cut}.")

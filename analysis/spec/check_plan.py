"""Cross-references of the plan: trial, populations, estimands, analyses, outputs and stages of the flow."""

from collections.abc import Iterable, Mapping

from analysis.errors import SpecError
from analysis.spec.base import check_known
from analysis.spec.check_events import check_event_entry
from analysis.spec.check_monitoring import check_monitoring_entry
from analysis.spec.conduct_entries import MissingAnalysis
from analysis.spec.declarations import Spec, bandings
from analysis.spec.flow_stages import Stage
from analysis.spec.outputs import SECTIONS, WHOLE
from analysis.spec.sap import (
    DAYS_IN_CARE,
    Analysis,
    BalanceAnalysis,
    BaselineAnalysis,
    Condition,
    CourseAnalysis,
    Estimand,
    SubgroupAnalysis,
)
from analysis.spec.visit_outcomes import (
    BASELINE,
    BY_ARM,
    WAIVED,
    AveragesAnalysis,
    BinaryAnalysis,
    Covariate,
    MixedAnalysis,
    OutcomeAnalysis,
)


def check_plan(spec: Spec) -> None:
    """Raise `SpecError` at the first reference to nothing, or to something of the wrong kind."""
    _check_trial(spec)
    _check_populations(spec)
    for estimand in spec.estimands.values():
        _check_estimand(spec, estimand)
    for analysis in spec.analyses.values():
        _check_analysis(spec, analysis)
    _check_outputs(spec)
    for stage in spec.stages.values():
        _check_stage(spec, stage)


def _check_trial(spec: Spec) -> None:
    trial, where = spec.trial, "trial.yaml"
    check_known(trial.sites, spec.codes_of("site"), where=f"{where}, sites", what="site")
    check_known(
        [epoch.id for epoch in trial.epochs], spec.codes_of("epoch"), where=f"{where}, epochs", what="epoch"
    )
    check_known(
        [visit.id for visit in trial.visits], spec.codes_of("visit"), where=f"{where}, visits", what="visit"
    )
    check_known(
        [trial.arms.intervention, trial.arms.control],
        spec.codes_of("arm"),
        where=f"{where}, arms",
        what="arm",
    )
    if trial.arms.intervention == trial.arms.control:
        raise SpecError(f"{where}, arms: intervention and control are the same arm.")
    check_known(trial.strata, spec.table("families").columns, where=f"{where}, strata", what="field")
    opened, where = trial.recruitment.opened, f"{where}, recruitment, opened"
    check_known(opened, trial.sites, where=where, what="site of the trial")
    check_known(trial.sites, opened, where=where, what="day for a site")


def _check_populations(spec: Spec) -> None:
    flags = {f"is_{name}" for name in spec.populations}
    for population in spec.populations.values():
        where = f"populations.yaml, entry {population.id}"
        check_known(
            [f"is_{population.id}"], spec.table("subjects").columns, where=where, what="flag in subjects"
        )
        for condition in population.where:
            _check_condition(spec, condition, flags, where=where)


def _check_condition(spec: Spec, condition: Condition, flags: set[str], *, where: str) -> None:
    if condition.visit:
        check_known([condition.visit], spec.codes_of("visit"), where=where, what="visit")
        check_known([condition.is_], spec.codes_of("visit_status"), where=where, what="status of a visit")
    if condition.table:
        children = [
            name
            for name in spec.table_names(layer="raw", audience="open")
            if "child_id" in spec.table(name).columns
        ]
        check_known([condition.table], children, where=where, what="open table of children")
        check_known([condition.is_], ["present"], where=where, what="condition on a table")
    if condition.column:
        subjects = spec.table("subjects")
        # Flags are computed together, so one population cannot stand on another.
        check_known([condition.column], set(subjects.columns) - flags, where=where, what="field")
        field = subjects.field(condition.column)
        if field.type == "boolean":
            check_known([condition.is_], ["true", "false", "blank"], where=where, what="value")
        elif field.codelist:
            codes = [*spec.codes_of(field.codelist), "blank"]
            check_known([condition.is_], codes, where=where, what="code")


def _check_estimand(spec: Spec, estimand: Estimand) -> None:
    where = f"estimands.yaml, entry {estimand.id}"
    named = [estimand.population, estimand.analysis_set]
    check_known(named, spec.populations, where=where, what="population")
    check_known(estimand.analyses, spec.analyses, where=where, what="analysis")
    if strangers := [name for name in estimand.analyses if estimand.id not in spec.analyses[name].estimands]:
        raise SpecError(f"{where}: analysis {strangers[0]} is of another estimand, or of none.")
    for main in estimand.main:
        if spec.analyses[main].population != estimand.analysis_set:
            raise SpecError(f"{where}: its main analysis {main} is of another population.")


def _check_analysis(spec: Spec, analysis: Analysis) -> None:
    where = f"analyses.yaml, entry {analysis.id}"
    subjects = set(spec.table("subjects").columns)
    check_known(analysis.estimands, spec.estimands, where=where, what="estimand")
    if analysis.population:
        check_known([analysis.population], spec.populations, where=where, what="population")
    if isinstance(analysis, OutcomeAnalysis):
        _check_outcome(spec, analysis, where=where)
    if isinstance(analysis, CourseAnalysis):
        check_known([analysis.parameter], spec.codes_of("parameter"), where=where, what="parameter")
        check_known(analysis.visits, spec.codes_of("visit"), where=where, what="visit")
        _check_covariates(spec, analysis.covariates, where=where)
        covariates = [covariate.column for covariate in analysis.covariates]
        check_known(analysis.by_visit, covariates, where=where, what="covariate of this entry")
    if isinstance(analysis, SubgroupAnalysis):
        columns = [moderator.column for moderator in analysis.moderators]
        check_known(columns, subjects, where=where, what="moderator")
    check_event_entry(spec, analysis, where=where, subjects=subjects)
    check_monitoring_entry(spec, analysis, where=where)
    if isinstance(analysis, MissingAnalysis):
        _check_missing(spec, analysis, where=where)
    if isinstance(analysis, BaselineAnalysis):
        _check_variables(spec, analysis, where=where, subjects=subjects)
    if isinstance(analysis, BalanceAnalysis):
        columns = [column for factor in analysis.factors for column in factor]
        coded = [field.name for field in spec.table("recruitment").fields if field.codelist]
        check_known(columns, coded, where=where, what="column of recruitment with a code list")
    _check_listed(spec, analysis, where=where)


def _check_listed(spec: Spec, analysis: Analysis, *, where: str) -> None:
    """An analysis stands in a list of each estimand it names, and in the one its role says."""
    for name in analysis.estimands:
        estimand = spec.estimands[name]
        if analysis.id not in estimand.analyses:
            raise SpecError(
                f"{where}: estimand {name} lists it neither as main, sensitivity nor supplementary."
            )
        if analysis.is_beside_the_main and analysis.id not in getattr(estimand, analysis.role):
            raise SpecError(f"{where}: its role is {analysis.role}, but estimand {name} lists it elsewhere.")


def _check_missing(spec: Spec, analysis: MissingAnalysis, *, where: str) -> None:
    scheduled = [total.parameter for each in spec.instruments.values() for total in each.totals]
    check_known(analysis.parameters, [*scheduled, *spec.scores], where=where, what="scheduled parameter")
    reasons = [reason for group in analysis.groups for reason in group.reasons]
    known = set(spec.codes_of("missing_reason")) - set(WAIVED)
    check_known(reasons, known, where=where, what="reason of an outcome that was due")


def _check_outcome(spec: Spec, analysis: OutcomeAnalysis, *, where: str) -> None:
    check_known([analysis.outcome.parameter], spec.codes_of("parameter"), where=where, what="parameter")
    check_known([analysis.outcome.visit], spec.codes_of("visit"), where=where, what="visit")
    _check_covariates(spec, analysis.covariates, where=where)
    if analysis.within:
        codes = _codes_of_column(spec, "subjects", analysis.within.column, where=where)
        check_known([analysis.within.is_], codes, where=where, what="code")
    # Of families, so that all children of a family are of one group.
    if isinstance(analysis, MixedAnalysis) and analysis.by not in (None, BY_ARM):
        _codes_of_column(spec, "families", analysis.by, where=where)
    if isinstance(analysis, AveragesAnalysis):
        _check_averages(spec, analysis, where=where)
    if isinstance(analysis, BinaryAnalysis):
        _check_bands(spec, analysis, where=where)


def _check_covariates(spec: Spec, covariates: Iterable[Covariate], *, where: str) -> None:
    allowed = {*spec.table("subjects").columns, BASELINE}
    for covariate in covariates:
        check_known([covariate.column], allowed, where=where, what="covariate")
        check_known(
            covariate.reasons, spec.codes_of("missing_reason"), where=where, what="reason of a missing value"
        )


def _codes_of_column(spec: Spec, table: str, column: str, *, where: str) -> Mapping[str, object]:
    coded = [field.name for field in spec.table(table).fields if field.codelist]
    check_known([column], coded, where=where, what=f"coded field of {table}")
    return spec.codes_of(spec.table(table).field(column).codelist)


def _check_averages(spec: Spec, analysis: AveragesAnalysis, *, where: str) -> None:
    for name, average in ((analysis.child_estimand, "child"), (analysis.estimand, "family")):
        estimand = spec.estimands[name]
        if (estimand.average, estimand.analysis_set) != (average, analysis.population):
            raise SpecError(
                f"{where}: estimand {name} must be the average over one {average}, of this population."
            )


def _check_bands(spec: Spec, analysis: BinaryAnalysis, *, where: str) -> None:
    if not analysis.event.bands:
        return
    parameter, version = analysis.outcome.parameter, analysis.event.version
    known = bandings(spec, parameter)
    check_known([version], [name for name, _ in known], where=where, what=f"version of bands of {parameter}")
    for (name, _), banding in known.items():
        if name == version:
            ids = [band.id for band in banding.bands]
            check_known(analysis.event.bands, ids, where=where, what="band")


def _check_variables(spec: Spec, analysis: BaselineAnalysis, *, where: str, subjects: set[str]) -> None:
    for variable in analysis.variables:
        if variable.column:
            check_known([variable.column], subjects | {DAYS_IN_CARE}, where=where, what="variable")
        else:
            check_known([variable.parameter], spec.codes_of("parameter"), where=where, what="parameter")
            check_known([variable.visit], spec.codes_of("visit"), where=where, what="visit")


def _check_outputs(spec: Spec) -> None:
    shown: set[str] = set()
    for output in spec.outputs.values():
        where = f"outputs.yaml, entry {output.id}"
        check_known(output.analyses, spec.analyses, where=where, what="analysis")
        if (output.kind in WHOLE) != (not output.analyses):
            whole = " or ".join(sorted(WHOLE))
            raise SpecError(f"{where}: an output names its analyses; one of kind {whole} none.")
        roles = {spec.analyses[name].role == "not randomised" for name in output.analyses}
        if roles and roles != {output.kind == "selected_hazards"}:
            raise SpecError(
                f"{where}: what is not randomised stands in outputs of kind selected_hazards alone."
            )
        if output.kind != "reproduction":
            shown |= set(output.analyses)
    if hidden := sorted(set(spec.analyses) - shown):
        raise SpecError(
            f"outputs.yaml: no output shows {', '.join(hidden)}; every analysis of the plan is shown."
        )
    for item in spec.checklist:
        where = f"checklist.yaml, entry {item.list} {item.item}"
        check_known(item.at, {*spec.outputs, *SECTIONS}, where=where, what="output or section")
        if item.by == "report" and not set(item.at) & set(spec.outputs):
            raise SpecError(f"{where}: the report answers it, so it needs an output.")
    for reported in spec.reported.values():
        where = f"reported.yaml, entry {reported.id}"
        if reported.analysis:
            check_known([reported.analysis], spec.analyses, where=where, what="analysis")


def _check_stage(spec: Spec, stage: Stage) -> None:
    where = f"flow.yaml, entry {stage.id}"
    boxes = [box.id for box in stage.boxes]
    if len(set(boxes)) != len(boxes):
        raise SpecError(f"{where}: a box is given twice.")
    if stage.from_:
        check_known([stage.from_], spec.table_names(layer="raw"), where=where, what="table")
    if stage.visit:
        check_known([stage.visit], spec.codes_of("visit"), where=where, what="visit")
    if stage.outcome:
        check_known([stage.outcome], spec.analyses, where=where, what="analysis")
        if not isinstance(spec.analyses[stage.outcome], MixedAnalysis):
            raise SpecError(f"{where}: analysis {stage.outcome} has no outcome at a visit.")

"""Cross-references between declarations: what is named somewhere must be declared somewhere."""

from analysis.errors import SpecError
from analysis.spec.arm_words import is_arm_like
from analysis.spec.base import check_known
from analysis.spec.check_mapping import check_mapping
from analysis.spec.check_plan import check_plan
from analysis.spec.declarations import Spec
from analysis.spec.episode_rules import AGAINST, EPISODES, OF_CHILD, WITH_CODES
from analysis.spec.rules import ANY_CODE, Rule
from analysis.spec.tables import Table

__all__ = ["check", "check_mapping"]

ARM, ALLOCATION = "arm", "allocation"
# Tables that every other one can be joined to.
UNITS = ("families", "children")
DATE_KINDS = (
    *("date_order", "no_later_than", "not_after", "not_before", "no_overlap", "within_window"),
    *("wrong_side", "births_too_close", "same_day", "no_episode_overlap", "open_then_later", *AGAINST),
)
DATES_IN_OTHER = (
    *("date_order", "no_later_than", "no_overlap", "followed_by", "code_valid_on", "impossible_at_age"),
    *("age_differs", "in_other_unit", "swapped_ages", "repeated_answers", "same_day", "no_episode_overlap"),
)
# Kinds that look from a row to those of any table that point to it.
POINTED_TO = ("referenced_by", "count_equals")
# Kinds whose `other` names the scale of a score, and those whose `value` names an instrument.
OF_A_SCALE = ("score_range", "off_own_history", "against_direction")
OF_AN_INSTRUMENT = ("not_at_age", "items_of_form", "swapped_forms", "repeated_answers")
# Fields that a kind reads without naming them.
ALSO_READS = {
    "not_at_age": ("child_id", "completed_date"),
    "within_window": ("child_id", "visit"),
    "wrong_side": ("child_id", "visit"),
    "impossible_at_age": ("child_id",),
    "age_differs": ("child_id",),
    "in_other_unit": ("child_id",),
    "births_too_close": ("child_id", "birth_date_precision"),
    "swapped_forms": ("child_id", "visit", "completed_date"),
    "swapped_ages": ("child_id", "visit"),
    "repeated_answers": ("form",),
    "off_own_history": ("child_id",),
    "against_direction": ("child_id", "visit"),
}
# Why follow-up may end: the reasons that table `events` has a censor code for.
CENSORING = ("end_of_records", "transferred")


def check(spec: Spec) -> None:
    """Raise `SpecError` at the first reference to nothing."""
    for table in spec.package.resources:
        _check_table(spec, table)
    _check_instruments(spec)
    _check_states(spec)
    for rule in spec.rules.values():
        _check_rule(spec, rule)
    _check_findings(spec)
    check_plan(spec)


def _check_table(spec: Spec, table: Table) -> None:
    where = f"datapackage.yaml, table {table.name}"
    lists = [field.codelist for field in table.fields if field.codelist]
    check_known(lists, spec.codes, where=where, what="code list")
    for key in table.schema_.foreignKeys:
        check_known([key.reference.resource], spec.table_names(), where=where, what="table")
        parent = spec.table(key.reference.resource)
        check_known(key.reference.fields, parent.columns, where=where, what="field")
    if table.name == ALLOCATION:
        return
    if table.audience == "open" and (revealing := [name for name in table.columns if is_arm_like(name)]):
        raise SpecError(
            f"{where}: field {revealing[0]} looks like the arm; an open table may not declare one."
        )
    if ARM in table.columns or ARM in lists:
        raise SpecError(f"{where}: only the allocation may declare an arm.")


def _check_instruments(spec: Spec) -> None:
    parameters = spec.codes_of("parameter")
    for instrument in spec.instruments.values():
        where = f"instruments, entry {instrument.id}"
        table = spec.table(instrument.table)
        check_known(instrument.visits, spec.codes_of("visit"), where=where, what="visit")
        check_known(["form"], table.columns, where=f"{where}, table {table.name}", what="field")
        forms = [form.id for form in instrument.forms]
        check_known(forms, spec.codes_of(table.field("form").codelist or "form"), where=where, what="form")
        longest = max(form.n_items for form in instrument.forms)
        items = [f"{instrument.item_prefix}{item:02d}" for item in range(1, longest + 1)]
        check_known(items, table.columns, where=where, what="item")
        scales = [scale.parameter for form in instrument.forms for scale in form.scales]
        check_known(
            [*scales, *(total.parameter for total in instrument.totals)],
            parameters,
            where=where,
            what="parameter",
        )
    for score in spec.scores.values():
        where = f"scores.yaml, entry {score.parameter}"
        check_known([score.parameter], parameters, where=where, what="parameter")
        check_known([score.parameter], spec.codes_of("scale"), where=where, what="scale")
        check_known(score.visits, spec.codes_of("visit"), where=where, what="visit")
    check_known(spec.codes_of("scale"), spec.scores, where="codelists/scale.csv", what="entry of scores.yaml")


def _check_findings(spec: Spec) -> None:
    """An id means one thing, and every kind that is used says what it finds."""
    if twice := sorted(set(spec.findings) & set(spec.rules)):
        raise SpecError(f"findings.yaml: ids of rules.yaml: {', '.join(twice)}.")
    kinds = {rule.kind for rule in spec.rules.values()}
    check_known(kinds, spec.rule_kinds, where="rules.yaml", what="kind of rule_kinds.yaml")


def _check_recurrent(spec: Spec) -> None:
    states, where = spec.states, "states.yaml, recurrent"
    check_known(states.recurrent, spec.codes_of("recurrent_parameter"), where=where, what="recurrent event")
    check_known(spec.codes_of("recurrent_parameter"), states.recurrent, where=where, what="declared event")
    for name, each in states.recurrent.items():
        bases = [each.basis] if each.basis else []
        check_known(bases, states.placement, where=f"{where}, {name}", what="basis")
        check_known(each.reason_new, spec.codes_of("reason_new"), where=f"{where}, {name}", what="reason")
        check_known(each.category, spec.codes_of("event_category"), where=f"{where}, {name}", what="category")
    check_known(states.after, spec.codes_of("time_parameter"), where="states.yaml, after", what="parameter")
    orders = [order for each in states.decision.values() for order in each]
    where = "states.yaml, decision"
    check_known(orders, spec.codes_of("order_type"), where=where, what="final order")
    _refuse_twice(orders, where=where, what="final order")
    steps = [step for each in states.decision_steps.values() for step in each]
    where = "states.yaml, decision_steps"
    check_known(steps, spec.codes_of("adoption_step"), where=where, what="decision of the authority")
    _refuse_twice(steps, where=where, what="decision of the authority")


def _check_states(spec: Spec) -> None:
    states, where = spec.states, "states.yaml"
    check_known(states.states, spec.codes_of("state"), where=where, what="state")
    bases, places = spec.codes_of("date_basis"), spec.codes_of("placement_code")
    check_known(states.bases, bases, where=where, what="basis")
    check_known(bases, states.bases, where=where, what="mapped basis")
    for basis, codes in states.placement.items():
        _check_partition(codes.values(), places, where=f"{where}, placement {basis}", what="placement code")
    ended = [*states.exit.values(), *states.censoring.values(), states.continues]
    _check_partition(ended, spec.codes_of("reason_ended"), where=where, what="reason")
    check_known(states.censoring, CENSORING, where=f"{where}, censoring", what="reason for censoring")
    check_known(CENSORING, spec.codes_of("event_description"), where=where, what="event description")
    check_known(states.respite_legal_status, spec.codes_of("legal_status"), where=where, what="legal status")
    check_known(states.carried_forward, places, where=f"{where}, carried_forward", what="placement code")
    _check_recurrent(spec)


def _check_partition(groups, codes, *, where: str, what: str) -> None:
    """Every code of a list stands in exactly one group."""
    used = [code for group in groups for code in group]
    check_known(used, codes, where=where, what=what)
    if unplaced := sorted(set(codes) - set(used)):
        raise SpecError(f"{where}: nothing is said of {what} {', '.join(unplaced)}; every code needs one.")
    _refuse_twice(used, where=where, what=what)


def _refuse_twice(used: list[str], *, where: str, what: str) -> None:
    if twice := sorted({code for code in used if used.count(code) > 1}):
        raise SpecError(f"{where}: {what} given twice: {', '.join(twice)}.")


def _check_rule(spec: Spec, rule: Rule) -> None:
    where = f"rules.yaml, entry {rule.id}"
    table = spec.table(rule.table)
    if table.layer != "raw":
        raise SpecError(f"{where}: {table.name} is a derived table; rules clean raw ones.")
    check_known([rule.column, *ALSO_READS.get(rule.kind, ())], table.columns, where=where, what="field")
    column = table.field(rule.column)
    if rule.action == "set_missing" and column.required:
        raise SpecError(f"{where}: {rule.column} is required and cannot be set missing; set the row aside.")
    _need_date(rule.column, column.type, rule.kind in DATE_KINDS, where=where)
    if rule.other and rule.kind not in AGAINST:
        other = _other_field(spec, rule, table, where=where)
        _need_date(rule.other, other.type, rule.kind in DATES_IN_OTHER, where=where)
    coded = {"code_valid_on", "followed_by", "impossible_at_age", *WITH_CODES}
    if rule.kind in coded and not column.codelist:
        raise SpecError(f"{where}: {rule.column} has no code list.")
    _check_episode_rule(spec, rule, where=where)
    if rule.kind == "followed_by":
        check_known([rule.value], spec.codes_of(column.codelist), where=where, what="code")
    if rule.limits:
        codes = set(rule.limits) - {ANY_CODE}
        check_known(codes, spec.codes_of(column.codelist), where=f"{where}, limits", what="code")
    if rule.kind == "wrong_side":
        check_known([rule.value], spec.codes_of("visit"), where=where, what="visit")
    if rule.kind in OF_A_SCALE and rule.other and table.field(rule.other).codelist != "scale":
        raise SpecError(f"{where}: {rule.other} does not name a scale.")
    _check_instrument_of(spec, rule, where=where)


def _check_episode_rule(spec: Spec, rule: Rule, *, where: str) -> None:
    if rule.kind in OF_CHILD:
        check_known([rule.table], [EPISODES], where=where, what="table of episodes")
    if rule.kind in AGAINST:
        check_known([rule.table], ["adoption_decisions"], where=where, what="table of decisions")
        name, _, column = rule.other.partition(".")
        check_known([name], [EPISODES], where=where, what="table of episodes")
        check_known([column], spec.table(name).columns, where=where, what="field")
        check_known(
            rule.codes, spec.codes_of(spec.table(name).field(column).codelist), where=where, what="code"
        )
        check_known([rule.value], spec.codes_of("adoption_step"), where=where, what="step")
    elif rule.codes:
        codes = spec.codes_of(spec.table(rule.table).field(rule.column).codelist)
        check_known(rule.codes, codes, where=where, what="code")
    if rule.kind == "code_fits":
        other = spec.table(rule.table).field(rule.other)
        if not other.codelist:
            raise SpecError(f"{where}: {rule.other} has no code list.")
        check_known(rule.allowed or rule.refused, spec.codes_of(other.codelist), where=where, what="code")
    if rule.kind in ("lasts_longer", "days_within_year", "younger_than") and not rule.value.isdecimal():
        raise SpecError(f"{where}: value: give a whole number of days, or of years for an age.")


def _check_instrument_of(spec: Spec, rule: Rule, *, where: str) -> None:
    mine = {name: each for name, each in spec.instruments.items() if each.table == rule.table}
    scores = [parameter for each in mine.values() for parameter in sorted(each.parameters)]
    if rule.kind in OF_AN_INSTRUMENT:
        check_known([rule.value], mine, where=where, what="instrument of this table")
    if rule.kind == "sum_equals" or (rule.kind == "off_own_history" and rule.value):
        check_known([rule.value], scores, where=where, what="score of this table")
    if rule.kind == "against_direction":
        totals = [total.parameter for each in spec.instruments.values() for total in each.totals]
        check_known([rule.value], totals, where=where, what="total of a questionnaire")
    if rule.printed:
        columns = spec.table(rule.table).columns
        check_known([*rule.printed, rule.column], columns, where=f"{where}, printed", what="field")
        check_known([rule.column], rule.printed, where=f"{where}, printed", what="printed field")
        check_known(rule.printed.values(), scores, where=f"{where}, printed", what="score of this table")


def _other_field(spec: Spec, rule: Rule, table: Table, *, where: str):
    if rule.kind in POINTED_TO:
        name, _, column = rule.other.partition(".")
        readers = spec.table_names(layer="raw", audience=table.audience)
        check_known([name], readers, where=where, what="table of the same audience")
        counted = [rule.value] if rule.kind == "count_equals" else []
        check_known([column, *counted], spec.table(name).columns, where=where, what="field")
        check_known([column] if counted else [], table.columns, where=where, what="field")
        return spec.table(name).field(column)
    if "." not in rule.other:
        check_known([rule.other], table.columns, where=where, what="field")
        return table.field(rule.other)
    name, column = rule.other.split(".", 1)
    check_known([name], UNITS, where=where, what="table to judge against")
    parent = spec.table(name)
    check_known([column], parent.columns, where=where, what="field")
    check_known(parent.key, table.columns, where=f"{where}, key of {name}", what="field")
    return parent.field(column)


def _need_date(name: str, kind: str, needed: bool, *, where: str) -> None:
    if needed and kind != "date":
        raise SpecError(f"{where}: {name} is not a date.")

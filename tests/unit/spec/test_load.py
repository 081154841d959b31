"""One thing broken at a time: loading stops and names the file and the entry."""

import re

import pytest

from analysis.spec.load import load_mapping
from tests.unit.spec.conftest import DATA_SPEC, Declarations

ANALYSES, ESTIMANDS = "sap/analyses.yaml", "sap/estimands.yaml"
POPULATIONS, OUTPUTS = "sap/populations.yaml", "sap/outputs.yaml"
AMENDMENTS = "sap/AMENDMENTS.md"
FLOW, REPORTED, TRIAL = "sap/flow.yaml", "sap/reported.yaml", "sap/trial.yaml"
PACKAGE, STATES, RULES = "datapackage.yaml", "states.yaml", "rules.yaml"
SDQ, PEDSQL, SCORES = "instruments/sdq.yaml", "instruments/pedsql.yaml", "instruments/scores.yaml"

# What is broken: file, text, its replacement, and what the message must hold.
BROKEN = {
    "unknown key": (ANALYSES, "ties: efron", "tie: efron", ("analyses.yaml", "A30", "tie")),
    "misspelt choice": (ANALYSES, "df: kenward_roger", "df: kenward_rogers", ("analyses.yaml", "A01", "df")),
    "misspelt family": (ANALYSES, "family: mixed", "family: mixd", ("analyses.yaml", "A01", "mixed")),
    "wrong type": (TRIAL, "level: 0.95", "level: often", ("trial.yaml", "level")),
    "level out of range": (TRIAL, "level: 0.95", "level: 95", ("trial.yaml", "level")),
    "date in another format": (
        TRIAL,
        '"2023-12-31"',
        '"31/12/2023"',
        ("trial.yaml", "data_cut", "2021-07-31"),
    ),
    "window that closes first": (
        TRIAL,
        "from_days: 28",
        "from_days: 128",
        ("trial.yaml", "visits", "to_days"),
    ),
    "site without its first day": (TRIAL, ', LON: "2017-08-29"', "", ("trial.yaml", "opened", "LON")),
    "site that opens when recruitment is over": (
        TRIAL,
        'LON: "2017-08-29"',
        'LON: "2021-08-01"',
        ("trial.yaml", "recruitment", "LON", "last day"),
    ),
    "site that opens before recruitment": (
        TRIAL,
        'GLA: "2011-12-01"',
        'GLA: "2011-11-30"',
        ("trial.yaml", "recruitment", "GLA", "first"),
    ),
    "target that falls": (
        TRIAL,
        "    families: 390",
        '    milestones: [{date: "2017-01-01", families: 400}]\n    families: 390',
        ("trial.yaml", "recruitment", "rise"),
    ),
    "balance by a date": (
        ANALYSES,
        "[[site], [epoch]",
        "[[site], [referral_date]",
        ("analyses.yaml", "N12", "referral_date"),
    ),
    "epoch without a code": (TRIAL, "{id: CBR", "{id: CBX", ("trial.yaml", "epochs", "CBX")),
    "site without a code": (TRIAL, "sites: [GLA, LON]", "sites: [GLA, LDN]", ("trial.yaml", "sites", "LDN")),
    "visit without a code": (TRIAL, "{id: V3", "{id: V2", ("trial.yaml", "visits", "V2")),
    "arm without a code": (TRIAL, "control: SAU", "control: TAU", ("trial.yaml", "arms", "TAU")),
    "two arms that are one": (TRIAL, "control: SAU", "control: NIM", ("trial.yaml", "arms", "same arm")),
    "stratum that families lack": (TRIAL, "strata: [site]", "strata: [sit]", ("trial.yaml", "strata", "sit")),
    "population of an analysis": (ANALYSES, "population: randomised", "population: all", ("B01", "all")),
    "estimand of an analysis": (ANALYSES, "estimand: E2", "estimand: E9", ("E2", "another estimand")),
    "parameter of an analysis": (
        ANALYSES,
        "parameter: SDQ_TOTAL, visit: V5",
        "parameter: SDQ, visit: V5",
        ("A01", "no such parameter: SDQ;"),
    ),
    "visit of an analysis": (ANALYSES, "SDQ_TOTAL, visit: V5", "SDQ_TOTAL, visit: V6", ("A01", "V6")),
    "covariate of an analysis": (ANALYSES, "column: age_months, kind", "column: age, kind", ("A01", "age;")),
    "reasons without their method": (
        ANALYSES,
        "missing: by_reason, reasons: [not_due_age, after_randomisation]",
        "missing: by_reason",
        ("A01R", "needs reasons"),
    ),
    "reason of a missing baseline": (
        ANALYSES,
        "reasons: [not_due_age,",
        "reasons: [too_old,",
        ("A01R", "too_old"),
    ),
    "missing by reason where no reason is known": (
        ANALYSES,
        "{column: base, kind: linear, missing: by_reason",
        "{column: age_months, kind: linear, missing: by_reason",
        ("A01R", "only a linear baseline"),
    ),
    "variances of no groups": (ANALYSES, "  by: arm\n", "", ("A04H1", "needs by")),
    "variances of groups that split families": (ANALYSES, "by: site", "by: sex", ("A04H2", "sex")),
    "group of a restriction": (ANALYSES, "is: GLA}", "is: EDI}", ("A09B", "EDI")),
    "restriction on a number": (
        ANALYSES,
        "within: {column: site, is: GLA}",
        "within: {column: age_months, is: GLA}",
        ("A09B", "age_months"),
    ),
    "average of another kind": (
        ANALYSES,
        "estimand: E10\n  population: followed_up\n  outcome: {parameter: SDQ_TOTAL, visit: V5}\n"
        "  child_estimand: E1",
        "estimand: E1\n  population: followed_up\n  outcome: {parameter: SDQ_TOTAL, visit: V5}\n"
        "  child_estimand: E10",
        ("A03", "E10", "average over one child"),
    ),
    "estimand of an average": (
        ANALYSES,
        "child_estimand: E1",
        "child_estimand: E7",
        ("E1", "A03", "another estimand"),
    ),
    "version of bands": (
        ANALYSES,
        "{version: three_band, bands: [abnormal]}",
        "{version: five_band, bands: [abnormal]}",
        ("A22A", "five_band"),
    ),
    "band of a version": (ANALYSES, "bands: [abnormal]", "bands: [severe]", ("A22A", "severe")),
    "bands without their version": (
        ANALYSES,
        "{version: three_band, bands: [abnormal]}",
        "{bands: [abnormal]}",
        ("A22A", "version"),
    ),
    "two rules for an event": (
        ANALYSES,
        "event: {at_most: 40}",
        "event: {at_most: 40, at_least: 1}",
        ("A22C", "exactly one"),
    ),
    "cause of an event": (ANALYSES, "causes: [home, kin,", "causes: [house, kin,", ("A30", "house")),
    "basis of an event": (ANALYSES, "basis: legal, causes", "basis: actual, causes", ("A30", "actual")),
    "stratum of an analysis": (ANALYSES, "strata: [site]", "strata: [town]", ("A30", "town")),
    "estimand of a subset": (
        ANALYSES,
        "role: not randomised\n",
        "role: not randomised\n  estimand: E2\n",
        ("analyses.yaml", "A42", "selected after randomisation"),
    ),
    "subset taken for randomised groups": (
        ANALYSES,
        "role: not randomised",
        "role: secondary",
        ("analyses.yaml", "A42", "REENTRY_FROM_HOME", "selected after randomisation"),
    ),
    "clock of a subset": (
        ANALYSES,
        "basis: legal, causes: [care, foster]}\n",
        "basis: legal, causes: [care, foster]}\n  origin: care_entry_date\n",
        ("analyses.yaml", "A42", "origin"),
    ),
    "randomised groups taken for a subset": (
        ANALYSES,
        "id: A30P\n  title: Time to a permanent placement, any route, by the day of moving\n"
        "  family: hazard\n  role: supplementary",
        "id: A30P\n  title: Time to a permanent placement, any route, by the day of moving\n"
        "  family: hazard\n  role: not randomised",
        ("analyses.yaml", "A30P", "everybody randomised"),
    ),
    "randomised groups without an estimand": (
        ANALYSES,
        "role: not randomised\n  timing: prespecified\n  population: in_records\n"
        "  event: {parameter: REENTRY_FROM_HOME",
        "role: secondary\n  timing: prespecified\n  population: in_records\n  event: {parameter: PERMANENCE",
        ("analyses.yaml", "A42", "needs its estimand"),
    ),
    "clock of an analysis": (
        ANALYSES,
        "origin: care_entry_date",
        "origin: birth_date",
        ("analyses.yaml", "A30E", "origin"),
    ),
    "recurrent event of an analysis": (
        ANALYSES,
        "parameter: REENTRY\n",
        "parameter: RETURN\n",
        ("analyses.yaml", "A41A", "RETURN;"),
    ),
    "recurrent event that a family cannot have": (
        ANALYSES,
        "parameter: MOVE\n  level: child",
        "parameter: MOVE\n  level: family",
        ("analyses.yaml", "A41C", "MOVE is counted per child"),
    ),
    "return of another basis": (
        ANALYSES,
        "never_returned: REENTRY",
        "never_returned: REENTRY_PHYSICAL",
        ("analyses.yaml", "A40", "REENTRY_PHYSICAL"),
    ),
    "never returned from what is no return": (
        ANALYSES,
        "never_returned: REENTRY",
        "never_returned: MOVE",
        ("analyses.yaml", "A40", "MOVE"),
    ),
    "periods that do not follow": (
        ANALYSES,
        "cuts: [182, 365]",
        "cuts: [365, 182]",
        ("analyses.yaml", "A30T", "cuts"),
    ),
    "period without length": (ANALYSES, "cuts: [182,", "cuts: [182, 182,", ("analyses.yaml", "A30T", "cuts")),
    "period before randomisation": (ANALYSES, "cuts: [182,", "cuts: [0,", ("analyses.yaml", "A30T", "cuts")),
    "too few draws": (ANALYSES, "draws: 1999", "draws: 19", ("analyses.yaml", "A30T", "draws")),
    "route that does not compete": (
        ANALYSES,
        "reported: [home, kin, foster, adopted]",
        "reported: [home, kin, foster, care]",
        ("analyses.yaml", "A31H", "care is no cause"),
    ),
    "variable of the baseline table": (
        ANALYSES,
        "{column: sex, unit",
        "{column: gender, unit",
        ("B01", "gender"),
    ),
    "variable without an origin": (
        ANALYSES,
        "{column: sex, unit: child}",
        "{unit: child}",
        ("B01", "variables"),
    ),
    "assumption without a reason": (
        ANALYSES,
        "  reason: The trial's model and covariates are not public.\n",
        "",
        ("A01", "needs a reason"),
    ),
    "analysis shown by no output": (OUTPUTS, "analyses: [A31H]", "analyses: [A40]", ("outputs.yaml", "A31H")),
    "output of no analysis": (OUTPUTS, "analyses: [N01]", "analyses: [N99]", ("outputs.yaml", "F1", "N99")),
    "misspelt kind of output": (OUTPUTS, "kind: consort", "kind: konsort", ("outputs.yaml", "F1", "kind")),
    "subset beside randomised groups": (
        OUTPUTS,
        "analyses: [A42]",
        "analyses: [A42, A30]",
        ("outputs.yaml", "T24", "selected_hazards"),
    ),
    "subset in a table of effects": (
        OUTPUTS,
        "kind: selected_hazards",
        "kind: hazards",
        ("outputs.yaml", "T24", "selected_hazards"),
    ),
    "randomised groups in a table of subsets": (
        OUTPUTS,
        "kind: hazards",
        "kind: selected_hazards",
        ("outputs.yaml", "T17", "selected_hazards"),
    ),
    "estimand without a sensitivity analysis": (
        ESTIMANDS,
        "  no_sensitivity: The difference in means of E1 needs no cut point.\n",
        "",
        ("estimands.yaml", "E11", "no_sensitivity"),
    ),
    "analysis its estimand does not list": (
        ESTIMANDS,
        "supplementary: [A22B]",
        "supplementary: []",
        ("analyses.yaml", "A22B", "E11 lists it neither"),
    ),
    "role that its estimand does not give it": (
        ANALYSES,
        "role: supplementary",
        "role: sensitivity",
        ("A09A", "its role is sensitivity, but estimand E1 lists it elsewhere"),
    ),
    "main analysis of an estimand": (ESTIMANDS, "main: A01", "main: A99", ("estimands.yaml", "E1", "A99")),
    "main analysis of another estimand": (
        ESTIMANDS,
        "main: A01",
        "main: A30",
        ("E1", "A30", "another estimand"),
    ),
    "population of an estimand": (ESTIMANDS, "population: eligible", "population: seen", ("E1", "seen")),
    "analysis set of an estimand": (
        ESTIMANDS,
        "analysed_in: followed_up",
        "analysed_in: seen",
        ("E1", "seen"),
    ),
    "main analysis of another population": (
        ESTIMANDS,
        "analysed_in: followed_up",
        "analysed_in: randomised",
        ("E1", "A01", "another population"),
    ),
    "main analysis of an analysis set that is not named": (
        ESTIMANDS,
        "  analysed_in: followed_up\n",
        "",
        ("E1", "A01", "another population"),
    ),
    "strategy for an intercurrent event": (ESTIMANDS, "strategy: hypothetical", "strategy: ignore", ("E1",)),
    "column of a population": (
        POPULATIONS,
        "{column: removed_date",
        "{column: removed",
        ("eligible", "removed;"),
    ),
    "value of a flag": (
        POPULATIONS,
        '{column: is_late_joiner, is: "false"}',
        '{column: is_late_joiner, is: "no"}',
        ("randomised", "no;"),
    ),
    "population on a population": (
        POPULATIONS,
        "{column: removed_date, is: blank}, {visit",
        '{column: is_eligible, is: "true"}, {visit',
        ("followed_up", "is_eligible"),
    ),
    "visit of a population": (POPULATIONS, "{visit: V5", "{visit: V9", ("followed_up", "V9")),
    "status of a visit": (POPULATIONS, "is: attended", "is: atended", ("followed_up", "atended")),
    "table of a population": (
        POPULATIONS,
        "{table: placements",
        "{table: proceedings",
        ("in_records", "proceedings"),
    ),
    "two things in one condition": (
        POPULATIONS,
        "{visit: V5, is",
        "{visit: V5, column: site, is",
        ("followed_up",),
    ),
    "visit of a stage": (FLOW, "visit: V4", "visit: V44", ("flow.yaml", "month_15", "V44")),
    "outcome of a stage": (FLOW, "outcome: A01", "outcome: A30", ("flow.yaml", "analysed", "A30")),
    "box given twice": (FLOW, "{id: removed, label", "{id: in, label", ("flow.yaml", "eligible", "twice")),
    "analysis of a published figure": (
        REPORTED,
        "analysis: N01",
        "analysis: N1",
        ("reported.yaml", "R01", "N1"),
    ),
    "number where a text belongs": (
        REPORTED,
        'value: "382"',
        "value: 382",
        ("reported.yaml", "R01", "value"),
    ),
    "code list of a field": (
        PACKAGE,
        "codelist: site",
        "codelist: sites",
        ("datapackage.yaml", "screening", "sites"),
    ),
    "type of a field": (
        PACKAGE,
        "type: integer, title: Children in",
        "type: int, title: Children in",
        ("type",),
    ),
    "limits on a text": (
        PACKAGE,
        "title: Referral, constraints: {",
        "title: Referral, constraints: {maximum: 9, ",
        ("datapackage.yaml", "minimum and maximum"),
    ),
    "table that a key points to": (
        PACKAGE,
        "resource: families",
        "resource: family",
        ("screening", "family;"),
    ),
    "field that a key points to": (
        PACKAGE,
        "resource: families, fields: [family_id]",
        "resource: families, fields: [id]",
        ("screening", "id;"),
    ),
    "key on an undeclared field": (
        PACKAGE,
        "primaryKey: [screening_id]",
        "primaryKey: [referral_id]",
        ("datapackage.yaml", "referral_id"),
    ),
    "key on an optional field": (
        PACKAGE,
        "primaryKey: [screening_id]",
        "primaryKey: [reason]",
        ("datapackage.yaml", "required"),
    ),
    "table given twice": (
        PACKAGE,
        "- name: families",
        "- name: screening",
        ("datapackage.yaml", "screening"),
    ),
    "arm in an open table": (
        PACKAGE,
        "name: epoch, type: string",
        "name: arm, type: string",
        ("families", "arm"),
    ),
    "an arm by another name": (
        PACKAGE,
        "name: epoch, type: string",
        "name: trt01p, type: string",
        ("families", "trt01p", "looks like the arm"),
    ),
    "codes of the arm in an open table": (PACKAGE, "codelist: epoch", "codelist: arm", ("families", "arm")),
    "state without a code": (STATES, "permanent: [home,", "permanent: [house,", ("states.yaml", "house")),
    "placement code": (STATES, "kin: [U1]", "kin: [U1, U9]", ("states.yaml", "legal", "U9")),
    "placement code left out": (
        STATES,
        "kin: [U1]",
        "kin: []",
        ("states.yaml", "legal", "U1", "nothing is said"),
    ),
    "placement code in two states": (
        STATES,
        "kin: [U1]",
        "kin: [U1, U4]",
        ("states.yaml", "legal", "U4", "twice"),
    ),
    "reason in two groups": (
        STATES,
        "continues: [X1]",
        "continues: [X1, E8]",
        ("states.yaml", "E8", "twice"),
    ),
    "reason left out": (STATES, "E17, E99,", "E17,", ("states.yaml", "E99")),
    "reason for censoring": (
        STATES,
        "transferred: [E3",
        "moved_abroad: [E3",
        ("states.yaml", "moved_abroad"),
    ),
    "legal status of short breaks": (STATES, "[V3, V4]", "[V3, V5]", ("states.yaml", "V5")),
    "code of an absence": (STATES, "[T0, T1, T2, T3, T4]", "[T0, T9]", ("states.yaml", "T9")),
    "basis without placements": (STATES, "  legal:\n", "  lawful:\n", ("states.yaml", "lawful")),
    "recurrent event of two kinds": (
        STATES,
        "MOVE: {reason_new: [P, B]}",
        "MOVE: {reason_new: [P, B], category: [maltreatment]}",
        ("states.yaml", "MOVE", "give basis, from and to"),
    ),
    "recurrent event of no kind": (
        STATES,
        "MOVE: {reason_new: [P, B]}",
        "MOVE: {}",
        ("states.yaml", "MOVE", "give basis, from and to"),
    ),
    "recurrent move from nowhere": (
        STATES,
        "REENTRY: {basis: legal, from: [home, kin, adopted], to",
        "REENTRY: {basis: legal, to",
        ("states.yaml", "REENTRY", "give basis, from and to"),
    ),
    "state of a recurrent move": (
        STATES,
        "to: [care, foster]}",
        "to: [care, ward]}",
        ("states.yaml", "ward"),
    ),
    "basis of a recurrent move": (
        STATES,
        "REENTRY: {basis: legal",
        "REENTRY: {basis: lawful",
        ("states.yaml", "REENTRY", "lawful"),
    ),
    "recurrent event without a code": (STATES, "  MOVE: {", "  MOVES: {", ("states.yaml", "MOVES")),
    "reason of a recurrent placement": (
        STATES,
        "reason_new: [P, B]",
        "reason_new: [P, Q]",
        ("states.yaml", "MOVE", "Q"),
    ),
    "category of a recurrent report": (
        STATES,
        "category: [maltreatment]",
        "category: [neglect]",
        ("states.yaml", "MALTREATMENT", "neglect"),
    ),
    "wait until what is no return": (
        STATES,
        "until: REENTRY}",
        "until: MOVE}",
        ("states.yaml", "REENTRY_FROM_HOME", "recurrent moves"),
    ),
    "wait until nothing": (STATES, "until: REENTRY}", "until: RETURN}", ("states.yaml", "REENTRY_FROM_HOME")),
    "wait in an unknown state": (
        STATES,
        "{state: home, until",
        "{state: house, until",
        ("states.yaml", "house"),
    ),
    "wait without a code": (STATES, "REENTRY_FROM_HOME:", "REENTRY_LATER:", ("states.yaml", "REENTRY_LATER")),
    "order that decides": (STATES, "[no_order,", "[no_oder,", ("states.yaml", "decision", "no_oder")),
    "route that an order decides for": (
        STATES,
        "home: [no_order",
        "house: [no_order",
        ("states.yaml", "house"),
    ),
    "order that decides for two routes": (
        STATES,
        "home: [no_order,",
        "home: [no_order, placement_order,",
        ("states.yaml", "decision", "placement_order", "twice"),
    ),
    "field of a rule": (
        RULES,
        "column: removed_date, other",
        "column: removal_date, other",
        ("FA03", "removal_date"),
    ),
    "table of a rule": (RULES, "{id: SD03, table: sdq", "{id: SD03, table: sqd", ("sqd",)),
    "kind of a rule": (RULES, "kind: date_order", "kind: order", ("rules.yaml", "FA03", "kind")),
    "severity of a rule": (RULES, "severity: stop", "severity: halt", ("rules.yaml", "SR02", "severity")),
    "unknown name for a date": (RULES, '"@data_cut"', '"@cut"', ("rules.yaml", "CH03", "@data_cut")),
    "age limit of no code": (RULES, "limits: {K2: [24", "limits: {K9: [24", ("rules.yaml", "PL12", "K9")),
    "age limits that fall": (
        RULES,
        "K2: [24, 215]",
        "K2: [24, 12]",
        ("rules.yaml", "PL12", "below the least"),
    ),
    "printed score of no instrument": (
        RULES,
        "{printed_physical: PEDSQL_PHYSICAL,",
        "{printed_physical: SDQ_PEER,",
        ("rules.yaml", "PQ08", "SDQ_PEER"),
    ),
    "visit of no schedule": (RULES, "value: V3,", "value: V9,", ("rules.yaml", "AS06", "V9")),
    "unit of no months": (RULES, 'value: "12"', 'value: "a year"', ("rules.yaml", "AS08", "how many months")),
    "threshold that is none": (RULES, "threshold: 3", "threshold: 0", ("rules.yaml", "PQ12", "threshold")),
    "history of a scale and of a score": (
        RULES,
        "kind: off_own_history, column: score, other: scale",
        "kind: off_own_history, column: score, other: scale, value: SDQ_TOTAL",
        ("rules.yaml", "SC04", "not both"),
    ),
    "direction of no two": (
        "instruments/sdq.yaml",
        "direction: higher is worse",
        "direction: upwards",
        ("sdq.yaml", "direction"),
    ),
    "limit that is no date": (RULES, '"2021-07-31"', '"31 July 2021"', ("rules.yaml", "FA02", "value")),
    "rule without what it reads": (
        RULES,
        "column: removed_date, other: randomisation_date",
        "column: removed_date",
        ("rules.yaml", "FA03", "needs other"),
    ),
    "rule with what it does not read": (
        RULES,
        "column: visit_date, severity: note",
        "column: visit_date, value: V3, severity: note",
        ("rules.yaml", "AS04", "does not read value"),
    ),
    "rule on a field that is no date": (
        RULES,
        "column: removed_date, other: randomisation_date",
        "column: removed_reason, other: randomisation_date",
        ("FA03", "not a date"),
    ),
    "rule against an unjoined table": (
        RULES,
        "other: families.randomisation_date",
        "other: sdq.completed_date",
        ("SR06", "sdq"),
    ),
    "rule against a table without its key": (
        RULES,
        "other: children.birth_date",
        "other: families.randomisation_date",
        ("PL05", "family_id"),
    ),
    "required field set missing": (
        RULES,
        "column: start_date, other: children.birth_date, severity: query, action: keep",
        "column: start_date, other: children.birth_date, severity: query, action: set_missing",
        ("PL05", "required"),
    ),
    "stop that changes a value": (
        RULES,
        "severity: stop, action: keep",
        "severity: stop, action: set_aside",
        ("SR02",),
    ),
    "rule on rows that point from nowhere": (
        RULES,
        "other: screening.family_id",
        "other: screenings.family_id",
        ("FA07", "table", "screenings"),
    ),
    "rule on rows that point from a secret table": (
        RULES,
        "other: screening.family_id",
        "other: delivery.family_id",
        ("FA07", "delivery"),
    ),
    "rule that looks for pointers within its table": (
        RULES,
        "other: screening.family_id",
        "other: site",
        ("FA07", "table"),
    ),
    "count of rows by a field that is not there": (
        RULES,
        "value: joined_date",
        "value: joined",
        ("SR08", "joined"),
    ),
    "instrument of another table": (
        RULES,
        "kind: items_of_form, column: form, value: PEDSQL",
        "kind: items_of_form, column: form, value: SDQ",
        ("PQ04", "SDQ"),
    ),
    "code that is followed by a row": (RULES, "value: X1,", "value: X2,", ("PL07", "X2")),
    "score of a sum": (RULES, "value: SDQ_TOTAL", "value: PEDSQL_TOTAL", ("SD01", "PEDSQL_TOTAL")),
    "instrument of a form": (
        RULES,
        "column: form, value: SDQ,",
        "column: form, value: SDK,",
        ("SD02", "SDK"),
    ),
    "misspelt rounding": (SDQ, "rounding: half_up", "rounding: half-up", ("sdq.yaml", "rounding")),
    "misspelt scoring": (SDQ, "times five", "times 5", ("sdq.yaml", "scale_score")),
    "item that the form lacks": (
        SDQ,
        "items: [3, 8, 13, 16, 24]",
        "items: [3, 8, 13, 16, 26]",
        ("sdq.yaml", "26"),
    ),
    "more answers than items": (SDQ, "min_answered: 3", "min_answered: 6", ("sdq.yaml", "min_answered")),
    "scale of a total": (
        SDQ,
        "[SDQ_EMOTIONAL, SDQ_CONDUCT,",
        "[SDQ_EMOTION, SDQ_CONDUCT,",
        ("sdq.yaml", "SDQ_EMOTION"),
    ),
    "bands that overlap": (
        SDQ,
        "{id: borderline, minimum: 14",
        "{id: borderline, minimum: 13",
        ("sdq.yaml", "do not follow"),
    ),
    "bands of no score": (
        SDQ,
        "        parameter: SDQ_TOTAL",
        "        parameter: SDQ_SUM",
        ("sdq.yaml", "SDQ_SUM"),
    ),
    "parameter of a total": (SDQ, "parameter: SDQ_TOTAL", "parameter: SDQ_SUM", ("SDQ", "SDQ_SUM")),
    "table of an instrument": (SDQ, "table: sdq", "table: sdqs", ("sdqs",)),
    "form without a code": (SDQ, 'id: "4-17"', 'id: "4-16"', ("SDQ", "4-16")),
    "items that the table lacks": (PEDSQL, "item_prefix: p", "item_prefix: q", ("PEDSQL", "q01")),
    "score without a code": (SCORES, "parameter: PIRGAS", "parameter: PIRGASS", ("scores.yaml", "PIRGASS")),
    "version that no amendment made": (
        TRIAL,
        'sap_version: "1.0"',
        'sap_version: "1.1"',
        ("AMENDMENTS.md", "last version is 1.0", "sap_version 1.1"),
    ),
    "later analysis without an amendment": (
        ANALYSES,
        "family: harms\n  role: safety\n  timing: prespecified",
        "family: harms\n  role: safety\n  timing: post_hoc",
        ("AMENDMENTS.md", "no row names A50"),
    ),
    "amendment without a date": (AMENDMENTS, "2026-11-23", "", ("AMENDMENTS.md", "row 1", "date")),
    "amendment with a cell too few": (AMENDMENTS, "| all |", "|", ("AMENDMENTS.md", "row 1: 4 cells")),
    "amendments without their table": (AMENDMENTS, "| Version", "| Edition", ("AMENDMENTS.md", "table of")),
    "id given twice": (
        POPULATIONS,
        "- id: eligible",
        "- id: randomised",
        ("populations.yaml", "randomised", "twice"),
    ),
    "key given twice": (TRIAL, "level: 0.95", "level: 0.95\nlevel: 0.9", ("trial.yaml", "level", "twice")),
    "malformed YAML": (STATES, "initial: care", "initial: [care", ("states.yaml", "line")),
    "braces around a value": (STATES, "initial: care", "initial: {{care}}", ("states.yaml", "single value")),
    "empty list of entries": (OUTPUTS, "- {id: F1", "entries:\n- {id: F1", ("outputs.yaml",)),
}


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: case.replace(" ", "_"))
def test_one_broken_thing_is_named(declarations: Declarations, case: str) -> None:
    file, old, new, named = BROKEN[case]
    declarations.edit(file, old, new)
    message = declarations.refusal()
    for part in named:
        assert part in message, message


def test_a_later_analysis_with_its_amendment_is_read(declarations: Declarations) -> None:
    declarations.append(AMENDMENTS, "| 1.1 | 2027-01-10 | A49, A50 | Added. | Asked for. |\n")
    declarations.edit(TRIAL, 'sap_version: "1.0"', 'sap_version: "1.1"')
    declarations.edit(ANALYSES, "role: safety\n  timing: prespecified", "role: safety\n  timing: post_hoc")
    assert declarations.load().analyses["A50"].timing == "post_hoc"


CODELIST = "codelists/sex.csv"
BROKEN_LISTS = {
    "wrong header": ("code,label,valid_from", "code,name,valid_from", "columns must be code, label"),
    "code given twice": ("M,Male", "F,Male", "entry F: this code is given twice"),
    "a missing cell": ("M,Male,,,SSDA903 collection guide", "M,Male,,", "row 3: 4 cells, not 5"),
    "one cell too many": ("M,Male,,", "M,Male,,,", "row 3: 6 cells, not 5"),
    "a date in another format": ("M,Male,,", "M,Male,01/04/2018,", "entry M: valid_from"),
    "dates that never hold": ("M,Male,,", "M,Male,2018-04-01,2018-03-31", "valid_to is before valid_from"),
    "a code like a missing value": ("M,Male", ".M,Male", "entry .M: code"),
    "no label": ("M,Male", "M,", "entry M: label"),
    "a quotation mark": ("M,Male", 'M,"Ma"le', "not comma-separated"),
}


@pytest.mark.parametrize("case", BROKEN_LISTS, ids=lambda case: case.replace(" ", "_"))
def test_a_broken_code_list_is_named(declarations: Declarations, case: str) -> None:
    old, new, part = BROKEN_LISTS[case]
    declarations.edit(CODELIST, old, new)
    message = declarations.refusal()
    assert "sex.csv" in message
    assert part in message


def test_a_code_list_that_is_not_utf8_is_named(declarations: Declarations) -> None:
    path = declarations.folder / CODELIST
    path.write_bytes(path.read_bytes() + "X,Mäd,,,x\n".encode("latin-1"))
    assert "sex.csv: not comma-separated UTF-8 text" in declarations.refusal()


@pytest.mark.parametrize("name", ["state", "visit_status", "scale"])
def test_an_absent_code_list_is_named(declarations: Declarations, name: str) -> None:
    (declarations.folder / "codelists" / f"{name}.csv").unlink()
    assert name in declarations.refusal()


@pytest.mark.parametrize("file", [TRIAL, STATES, SCORES, RULES])
def test_an_absent_file_is_named(declarations: Declarations, file: str) -> None:
    (declarations.folder / file).unlink()
    message = declarations.refusal()
    assert file.rsplit("/", 1)[-1] in message
    assert "no such file" in message


@pytest.mark.parametrize("file", [ANALYSES, POPULATIONS, RULES])
@pytest.mark.parametrize("content", ["", "just a text\n", "- 5\n"])
def test_a_file_that_holds_something_else_is_named(
    declarations: Declarations, file: str, content: str
) -> None:
    (declarations.folder / file).write_text(content)
    assert file.rsplit("/", 1)[-1] in declarations.refusal()


def test_a_file_that_is_not_utf8_is_named(declarations: Declarations) -> None:
    (declarations.folder / STATES).write_bytes("states: [café]\n".encode("latin-1"))
    assert "states.yaml: not UTF-8" in declarations.refusal()


def test_a_second_instrument_of_one_name_is_refused(declarations: Declarations) -> None:
    text = (declarations.folder / SDQ).read_text()
    (declarations.folder / "instruments" / "sdq_teacher.yaml").write_text(text)
    assert "entry SDQ: this id is given twice" in declarations.refusal()


def test_what_a_merge_brings_in_may_be_overridden(declarations: Declarations) -> None:
    """`<<` is how YAML shares settings; only a key written twice in one mapping is an error."""
    declarations.edit(SDQ, '  - id: "4-17"', '  - &older\n    id: "4-17"')
    declarations.edit(
        SDQ,
        "    from_months: 48\n    to_months: 215",
        "    <<: {from_months: 40}\n    from_months: 48\n    to_months: 215",
    )
    assert declarations.load().instruments["SDQ"].forms[1].from_months == 48


def test_the_declarations_of_the_trial_load(declarations: Declarations) -> None:
    spec = declarations.load()
    assert load_mapping(declarations.folder, "synthetic").name == "synthetic"
    assert spec.codelists["arm"] == {
        "NIM": "New Orleans Intervention Model",
        "SAU": "Social work services as usual",
    }
    assert spec.table_names(layer="raw", audience="closed") == ("allocation", "delivery")
    assert [entry.id for entry in spec.family("mixed")][:4] == ["A01", "A01R", "A02", "A04"]


def test_an_undeclared_table_is_named_with_those_there_are(declarations: Declarations) -> None:
    spec = declarations.load()
    with pytest.raises(Exception, match="no table 'appointments'; declared: screening, families"):
        spec.table("appointments")
    with pytest.raises(KeyError):
        spec.table("sdq").field("q26")


def test_no_message_of_the_tests_holds_a_value_of_a_participant() -> None:
    """Declarations hold none: neither ids nor dates of birth stand in the folder."""
    for path in DATA_SPEC.rglob("*.*"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\b[CF]\d{4}\b", text), path.name

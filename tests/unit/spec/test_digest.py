"""An edit changes the digests of the steps that read it, and of no other."""

import pytest

from analysis.spec.declarations import Spec
from analysis.spec.digest import clean_slice, derive_slice, digest, family_slice, report_slice
from analysis.spec.load import load_spec
from tests.unit.spec.conftest import DATA_SPEC, Declarations

FAMILIES = ("flow", "baseline", "mixed", "averages", "binary", "hazard", "incidence", "occupation", "harms")


def slices(spec: Spec) -> dict[str, str]:
    return {
        "clean": clean_slice(spec),
        "derive": derive_slice(spec),
        "report": report_slice(spec),
        **{family: family_slice(spec, family) for family in FAMILIES},
    }


@pytest.fixture(scope="module")
def before() -> dict[str, str]:
    return slices(load_spec(DATA_SPEC))


MODELS = set(FAMILIES)
# What is edited: file, text, its replacement, and the slices that change.
EDITS = {
    "a hazard entry": ("sap/analyses.yaml", "ties: efron", "ties: breslow", {"hazard", "report"}),
    "a mixed entry that no stage asks about": (
        "sap/analyses.yaml",
        "covariates: [{column: site, kind: factor}]",
        "covariates: []",
        {"mixed", "report"},
    ),
    "the outcome that defines the last stage": (
        "sap/analyses.yaml",
        "visit: V5}\n  covariates: &",
        "visit: V4}\n  covariates: &",
        {"mixed", "derive", "report"},
    ),
    "the words of an estimand": (
        "sap/estimands.yaml",
        "variable: At least one serious",
        "variable: One or more serious",
        {"harms", "report"},
    ),
    "the words of a finding": (
        "findings.yaml",
        "a placeholder that the mapping declares",
        "a placeholder the mapping declares",
        {"report"},
    ),
    "a population": (
        "sap/populations.yaml",
        "text: All randomised less",
        "text: Randomised less",
        {"derive", "report", "mixed"},
    ),
    "a cut point of a score": (
        "instruments/sdq.yaml",
        "{id: normal, minimum: 0, maximum: 13}, {id: borderline, minimum: 14",
        "{id: normal, minimum: 0, maximum: 12}, {id: borderline, minimum: 13",
        {"clean", "derive", "binary"},
    ),
    "what a short form stands for": ("abbreviations.yaml", "confidence", "compatibility", {"report"}),
    "the title of an output": ("sap/outputs.yaml", "Flow of families", "The flow of families", {"report"}),
    "a published figure": ("sap/reported.yaml", 'value: "382"', 'value: "383"', {"report"}),
    "the message of a rule": ("rules.yaml", "Removed before randomisation", "Removed too early", {"clean"}),
    "a label": ("codelists/sex.csv", "F,Female", "F,Girl", {"clean", "report", *MODELS}),
    "the state graph": (
        "states.yaml",
        "gap_tolerance_days: 0",
        "gap_tolerance_days: 1",
        {"clean", "derive", *MODELS},
    ),
    "the scoring of an instrument": (
        "instruments/pedsql.yaml",
        "min_answered: 8}\n      - {parameter: PEDSQL_PSYCHOSOCIAL, items: [17,",
        "min_answered: 9}\n      - {parameter: PEDSQL_PSYCHOSOCIAL, items: [17,",
        {"clean", "derive"},
    ),
    "the range of a score": (
        "instruments/scores.yaml",
        "maximum: 100",
        "maximum: 90",
        {"clean", "derive", "report"},
    ),
    "the level": ("sap/trial.yaml", "level: 0.95", "level: 0.9", {"clean", "derive", "report", *MODELS}),
}


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.replace(" ", "_"))
def test_an_edit_changes_what_reads_it(declarations: Declarations, before: dict[str, str], edit: str) -> None:
    file, old, new, changed = EDITS[edit]
    declarations.edit(file, old, new)
    after = slices(declarations.load())
    assert {name for name in after if after[name] != before[name]} == changed


def test_a_comment_changes_nothing(declarations: Declarations, before: dict[str, str]) -> None:
    for file in ("sap/analyses.yaml", "rules.yaml", "states.yaml", "datapackage.yaml"):
        declarations.append(file, "# signed\n")
    assert slices(declarations.load()) == before


def test_the_order_of_rules_and_outputs_counts(declarations: Declarations, before: dict[str, str]) -> None:
    """Rules run, and outputs appear, in the order of their files."""
    for file in ("rules.yaml", "sap/outputs.yaml"):
        lines = (declarations.folder / file).read_text().splitlines(keepends=True)
        (declarations.folder / file).write_text("".join([*lines[:-2], lines[-1], lines[-2]]))
    after = slices(declarations.load())
    assert {name for name in after if after[name] != before[name]} == {"clean", "report"}


def test_a_digest_tells_types_and_nesting_apart() -> None:
    values = [1, "1", [1], ["1"], {"1": 1}, None, "", [], [[]]]
    assert len({digest(value) for value in values}) == len(values)
    assert digest(("a", "b")) == digest(["a", "b"])
    assert len(digest(1)) == 16

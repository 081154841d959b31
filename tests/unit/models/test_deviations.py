"""Deviations counted by hand in four families, and what the table of them refuses."""

from dataclasses import replace

import pandas as pd
import pytest

from analysis.data.deviations import derive_deviations
from analysis.errors import ReportError
from analysis.models import deviations
from analysis.models.registry import FAMILIES, fit_all
from analysis.present.tables import tabulate
from analysis.qc.compare import compare
from analysis.qc.deviations import again
from analysis.qc.tables import Tables
from analysis.results import Failure, select
from tests.unit.data.tables import shown, values
from tests.unit.models.small_trial import small_trial

# F1 has two children; nothing happened in F3; F9 is no family of the population.
CHILDREN = [
    ("C1", "F1", "NIM", "GLA"),
    ("C2", "F1", "NIM", "GLA"),
    ("C3", "F2", "NIM", "LON"),
    ("C4", "F3", "SAU", "GLA"),
    ("C5", "F4", "SAU", "LON"),
]
HAPPENED = [
    ("F1", "consent", "minor", 3),
    ("F1", "visit_window", "minor", 480),
    ("F1", "visit_window", "major", 900),
    ("F2", "unblinded", "major", -2),
    ("F4", "visit_window", "minor", 470),
    ("F9", "visit_window", "major", 470),
]


def small(spec, happened=HAPPENED):
    rows = pd.DataFrame(happened, columns=["family_id", "category", "level", "day"])
    return small_trial(spec, CHILDREN, protocol_deviations=rows)


def fit(spec, data):
    return deviations.fit(spec.analyses["N04"], data, spec)


def table(spec, result):
    output = next(each for each in spec.outputs.values() if each.kind == "deviations")
    return tabulate(output, {"N04": result}, spec, "closed")


def numbers(result, **labels: str) -> tuple[int, ...]:
    """Deviations, families and children of one line."""
    names = ("deviations", "affected_families", "affected_children")
    return tuple(each.value for name in names for each in select(result.counts, name=name, **labels))


def test_a_family_counts_once_however_many_it_has(spec) -> None:
    result = fit(spec, small(spec))
    assert numbers(result, arm="NIM", site="any", category="any") == (4, 2, 3)
    assert numbers(result, arm="NIM", site="GLA", category="visit_window") == (2, 1, 2)
    assert numbers(result, arm="NIM", site="any", level="major") == (2, 2, 3)
    assert numbers(result, arm="SAU", site="LON", category="any") == (1, 1, 1)
    assert numbers(result, arm="SAU", site="GLA", category="any") == (0, 0, 0)
    assert result.notes == ("Dated before randomisation: 1 deviation.",)


def test_lines_print_zeros_and_split_by_weight(spec) -> None:
    made = table(spec, fit(spec, small(spec)))
    at = next(at for at, row in enumerate(made.rows) if row.stub == "Glasgow")
    lines = {row.stub: [cell.text for cell in row.cells] for row in made.rows[at + 1 :][:7]}
    assert lines["Visit outside its window"] == [
        "1 (100%)",
        "2 (100%)",
        "2 (1 / 1)",
        "0 (0%)",
        "0 (0%)",
        "0 (0 / 0)",
    ]
    assert lines["Any major deviation"][:3] == ["1 (100%)", "2 (100%)", "1"]
    assert any("Changes of the plan" in note.text for note in made.footnotes)


@pytest.mark.parametrize("happened", [HAPPENED, HAPPENED[:1], HAPPENED[-1:]], ids=["some", "one", "none"])
@pytest.mark.parametrize("n", [5, 3, 1], ids=["two arms", "one arm", "one child"])
def test_thin_data_are_counted_alike_twice(spec, happened, n: int) -> None:
    data = small(spec, happened)
    frames = {**data.tables, "subjects": data.tables["subjects"].head(n)}
    result = fit(spec, type(data)(frames, "closed", data.arms, data._key))
    found = compare(result, again(spec.analyses["N04"], Tables(frames, spec)))
    assert len(found) > 100 and all(each.agrees for each in found)
    assert not any("None" in cell.text for row in table(spec, result).rows for cell in row.cells)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ({"category": "consent", "site": "any"}, "NIM, any: the kinds have 5 deviations together, all 4"),
        ({"level": "minor", "site": "GLA"}, "NIM, GLA: the weights have 4 deviations together, all 3"),
    ],
)
def test_lines_that_do_not_make_up_all_are_refused(spec, labels, words: str) -> None:
    result = fit(spec, small(spec))
    wrong = {"arm": "NIM", **labels}
    counts = tuple(
        replace(each, value=each.value + 1)
        if (each.name, dict(each.labels)) == ("deviations", wrong)
        else each
        for each in result.counts
    )
    with pytest.raises(ReportError, match=words):
        table(spec, replace(result, counts=counts))


def test_a_site_that_the_trial_does_not_name_is_not_lost(spec) -> None:
    """Sites make up all of an arm."""
    result = fit(spec, small(spec))
    kept = tuple(each for each in result.counts if each.labels.get("site") != "LON")
    with pytest.raises(ReportError, match="NIM: the sites have 3 deviations together, all 4"):
        table(spec, replace(result, counts=kept))


def test_nobody_is_a_reason(spec) -> None:
    data = small(spec)
    nobody = {**data.tables, "subjects": data.tables["subjects"][:0]}
    (found,) = fit_all(FAMILIES["deviations"], type(data)(nobody, "closed", data.arms, data._key), spec)
    assert isinstance(found, Failure) and "randomised" in found.reason


def test_days_count_from_randomisation(spec) -> None:
    families = values(spec, "families", "family_id | randomisation_date\nF0001 | 2015-01-01")
    text = """
    family_id | deviation_date | category  | level
    F0001     | 2015-01-31     | consent   | minor
    F0001     | 2014-12-31     | unblinded | major
    """
    made = derive_deviations(values(spec, "deviations", text), families)
    assert shown(made, "day", "category") == [(30, "consent"), (-1, "unblinded")]

"""Every table, from whole results and from results with nothing in them."""

import csv
import io
import itertools
import json
import re
from dataclasses import replace

import pytest

from analysis.errors import BlindingError, ReportError
from analysis.present.table_form import Cell, Row, Span, Table, to_csv, to_json, to_values_csv
from analysis.present.tables import TABULATE, tabulate, write_forms
from analysis.results import Count, Estimate, Result
from analysis.spec.outputs import FIGURES, outputs_of
from tests.unit.present import fabricated
from tests.unit.present.fabricated_agreements import agreements

VIEWS = ("open", "dummy", "closed")
TABLES = [
    (view, output.id)
    for view in VIEWS
    for output in outputs_of(fabricated.spec(), view)
    if output.kind in TABULATE
]
OF_RESULTS = [each for each in TABLES if fabricated.spec().outputs[each[1]].analyses]


def table(view: str, output: str, results=None) -> Table:
    spec, results = fabricated.spec(), results or fabricated.results(view)
    second = agreements(results) if spec.outputs[output].kind == "validation" else None
    return tabulate(spec.outputs[output], results, spec, view, second)


def texts(made: Table) -> list[str]:
    return [cell.text for row in made.rows for cell in row.cells]


def find(made: Table, stub: str) -> Row:
    return next(row for row in made.rows if row.stub.startswith(stub))


def test_every_kind_of_output_is_a_table_or_a_figure() -> None:
    assert set(TABULATE) == {output.kind for output in fabricated.spec().outputs.values()} - FIGURES


@pytest.mark.parametrize(("view", "output"), OF_RESULTS)
def test_every_table_renders_and_every_number_has_its_origin(view: str, output: str) -> None:
    made = table(view, output)
    assert made.rows and made.footnotes
    for row in made.rows:
        for cell in row.cells:
            assert bool(cell.text) == bool(cell.analysis)
            assert not cell.analysis or cell.analysis in made.origins
            assert "nan" not in cell.text.lower().split() and "None" not in cell.text


@pytest.mark.parametrize(("view", "output"), TABLES)
def test_the_csv_has_one_header_and_rows_of_one_width(view: str, output: str) -> None:
    made = table(view, output)
    rows = list(csv.reader(io.StringIO(to_csv(made))))
    assert {len(row) for row in rows} == {len(made.columns) + 1}
    assert len(rows) == 1 + sum(row.kind != "group" for row in made.rows)
    assert rows[0][0].startswith(made.mark)
    assert len({row[0] for row in rows}) == len(rows), "every line can be told from the others"


@pytest.mark.parametrize(("view", "output"), TABLES)
def test_the_json_holds_what_is_shown_and_the_full_numbers(view: str, output: str) -> None:
    made = table(view, output)
    body = json.loads(to_json(made))
    assert [cell["text"] for row in body["rows"] for cell in row["cells"]] == texts(made)
    assert write_forms(made) == write_forms(table(view, output)), "the same results give the same bytes"


@pytest.mark.parametrize(("view", "output"), TABLES)
def test_the_values_are_those_of_the_results_to_the_last_bit(view: str, output: str) -> None:
    made = table(view, output)
    lines = list(csv.DictReader(io.StringIO(to_values_csv(made))))
    read = [
        (line["displayed"], line["analysis"], line["name"], float(line["value"]))
        for line in lines
        if line["value"]
    ]
    kept = [
        (cell.text, cell.analysis, name, float(value))
        for row in made.rows
        for cell in row.cells
        for name, value in cell.values.items()
        if cell.text and value is not None
    ]
    assert read == kept
    absent = {line["row"] for line in lines if not line["column"]}
    assert {(line["row"], line["column"]) for line in lines if line["column"]} == {
        (row[0], column)
        for row in itertools.islice(csv.reader(io.StringIO(to_csv(made))), 1, None)
        for column, text in zip(columns_of(made), row[1:], strict=True)
        if text and row[0] not in absent
    }


def columns_of(made: Table) -> list[str]:
    return next(csv.reader(io.StringIO(to_csv(made))))[1:]


def test_values_say_where_there_are_none() -> None:
    failed = {"A50": fabricated.failure("A50", "closed")}
    (line,) = csv.DictReader(io.StringIO(to_values_csv(table("closed", "T25", failed))))
    assert "did not converge" in line["displayed"] and line["value"] == line["column"] == ""


def test_the_primary_table_shows_what_the_result_says() -> None:
    made = table("closed", "T8")
    assert made.columns[:2] == fabricated.ARMS
    row = find(made, "Mean (SD)")
    assert [cell.text for cell in row.cells][:3] == ["11.5 (7.6)", "11.1 (7.2)", ""]
    row = find(made, "Adjusted mean")
    assert [cell.text for cell in row.cells][:2] == ["12.3 (10.8 to 13.7)", "11.3 (9.8 to 12.7)"]
    estimate = next(each for each in fabricated.mixed("A01").estimates if each.name == "difference")
    shown = row.cells[2]
    assert shown.values == {
        "value": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
        "se": estimate.se,
    }
    assert shown.text == "1.43 (\u22120.63 to 3.52)"
    assert [cell.text for cell in row.cells[3:5]] == ["271.3", "0.17"]
    assert find(made, "Families").cells[0].text == "147 / 149"


def test_zero_events_are_printed_as_zero() -> None:
    made = table("closed", "T25")
    row = find(made, "Death of a child")
    assert [cell.text for cell in row.cells[:4]] == ["0 (0.0%)", "0 (0.0%)", "0", "0.0"]
    assert len(made.rows) == 1 + len(fabricated.spec().codelists["event_category"])


def test_sensitivity_analyses_show_the_last_day_only() -> None:
    rows = table("closed", "T19").rows
    first = next(at for at, row in enumerate(rows) if "not standardised" in row.stub)
    block = list(itertools.takewhile(lambda row: row.kind != "group", rows[first + 1 :]))
    assert block and all("day 913" in row.stub for row in block)


def test_missing_values_are_counted_by_reason_below_their_variable() -> None:
    made = table("closed", "T1")
    stubs = [row.stub for row in made.rows]
    at = stubs.index("SDQ total difficulties (baseline), mean (SD); n")
    reasons = ["Family removed before the visit", "Missing: visit not attended", "Not due at this age"]
    assert stubs[at + 1 : at + 4] == reasons
    assert [cell.text for cell in made.rows[at + 3].cells] == ["63", "64"]


def test_a_mean_and_a_median_say_how_many_values_they_summarise() -> None:
    made = table("closed", "T1")
    assert [cell.text for cell in find(made, "SDQ total difficulties").cells] == ["13.4 (7.0); 140"] * 2
    days = find(made, "Days in care before randomisation, median")
    assert [cell.text for cell in days.cells] == ["61.0 (34.5 to 88.0); 244", "61.0 (34.5 to 88.0); 243"]


def test_a_subgroup_has_its_difference_and_only_the_interaction_a_p_value() -> None:
    made = table("closed", "T13")
    assert [cell.text for cell in find(made, "Age at randomisation").cells] == ["", "", "", "", "", "0.19"]
    glasgow, london = find(made, "Glasgow"), find(made, "London")
    assert [cell.text for cell in glasgow.cells] == [
        "41",
        "11.3 (7.5)",
        "41",
        "11.3 (7.5)",
        "1.00 (\u22121.00 to 3.00)",
        "",
    ]
    assert london.cells[4].text == "2.00 (0.00 to 4.00)"


def test_a_course_has_a_line_per_visit_and_the_test_of_their_difference() -> None:
    made = table("closed", "T14")
    last = find(made, "2.5 years")
    assert [cell.text for cell in last.cells] == [
        *("175", "10.3 (7.5)") * 2,
        "2.00 (0.00 to 4.00)",
        "260.3",
        "0.15",
    ]
    adjusted = made.rows[made.rows.index(last) + 1]
    assert adjusted.stub == "Adjusted mean (95% CI)"
    assert [cell.text for cell in adjusted.cells][:4] == ["", "10.0 (8.5 to 11.5)"] * 2
    assert [cell.text for cell in find(made, "The same difference").cells][-2:] == ["1, 251.3", "0.69"]


def test_both_averages_stand_above_the_test_that_they_are_the_same() -> None:
    made = table("closed", "T12")
    assert [cell.text for cell in find(made, "Average over children").cells][2].startswith("2.00 (")
    assert [cell.text for cell in find(made, "Average over families").cells][2].startswith("1.50 (")
    last = made.rows[-1]
    assert [cell.text for cell in last.cells] == ["", "", "0.50 (0.00 to 1.00)", "96.3", "0.051"]
    estimands = next(note.text for note in made.footnotes if note.term == "Estimand")
    assert "averaged over children" in estimands and "averaged over families" in estimands


def test_variances_of_each_group_have_a_line_of_their_own() -> None:
    made = table("closed", "T10")
    assert [cell.text for cell in made.rows[0].cells] == ["15.4", "37.5", "0.413 (0.228 to 0.597)"]
    assert [cell.text for cell in find(made, "SAU").cells] == ["20.0", "30.0", "0.400 (no interval)"]
    assert [cell.text for cell in find(made, "Glasgow").cells][0] == "10.0"
    assert "one per group" in texts(table("closed", "T9"))


def test_a_binary_outcome_shows_its_events_and_the_standardised_risks() -> None:
    made = table("closed", "T16")
    assert [cell.text for cell in find(made, "Children with the event").cells][:2] == [
        "47 (25.0%)",
        "43 (25.0%)",
    ]
    assert [cell.text for cell in find(made, "Standardised risk").cells] == [
        *("25.3%", "24.8%"),
        "0.5 (\u22129.3 to 10.3)",
        "1.02 (0.69 to 1.51)",
        "0.92",
    ]


def test_what_was_never_measured_has_no_data() -> None:
    assert {cell.text for cell in find(table("open", "T1"), "PIR-GAS").cells} == {"no data"}


def test_open_tables_have_one_pooled_column_and_no_comparison() -> None:
    for view, output in OF_RESULTS:
        if view == "open":
            made = table(view, output)
            heads = [*made.columns, *(span.text for span in made.spans)]
            # Where reasons are the columns, arms are rows.
            of_reasons = fabricated.spec().outputs[output].kind == "missing"
            assert of_reasons or any(head.startswith("All") for head in heads)
            assert not any("ifference" in head for head in heads)
            explained = " ".join(note.text for note in made.footnotes if note.term == "Abbreviations")
            assert not any(arm in explained for arm in (*fabricated.ARMS, "New Orleans", "as usual"))


def test_a_closed_output_is_refused_in_the_open() -> None:
    with pytest.raises(BlindingError, match="not for the open report"):
        table("open", "T8", fabricated.results("closed"))


def test_a_result_that_knows_the_arms_is_refused_in_the_open() -> None:
    with pytest.raises(BlindingError, match="knows the arms"):
        table("open", "T25", fabricated.results("closed"))
    mislabelled = {"A50": replace(fabricated.harms("closed"), audience="open")}
    with pytest.raises(BlindingError, match="knows the arms"):
        table("open", "T25", mislabelled)


def test_an_open_note_that_names_an_arm_is_refused() -> None:
    telling = {"A50": replace(fabricated.harms("open"), notes=("21 of them in NIM",))}
    with pytest.raises(BlindingError, match="names an arm"):
        table("open", "T25", telling)


def test_an_absent_result_is_named() -> None:
    with pytest.raises(ReportError, match="T25: no result of A50"):
        table("closed", "T25", {"A01": fabricated.mixed("A01")})


def test_a_figure_is_no_table() -> None:
    with pytest.raises(ReportError, match="no table"):
        table("closed", "F1")


@pytest.mark.parametrize(("view", "output"), OF_RESULTS)
def test_a_failure_stands_where_its_result_would(view: str, output: str) -> None:
    results = {name: fabricated.failure(name, view) for name in fabricated.results(view)}
    made = table(view, output, results)
    rows = [row for row in made.rows if row.indent == 0 and not row.stub.startswith("Not estimable")]
    assert [row.kind for row in rows] == ["failure"] * len(rows)
    assert all("The model did not converge." in row.remark for row in rows)
    assert all(b"The model did not converge." in content for content in write_forms(made).values())


def hollow(result: Result, how: str) -> Result:
    """The result with zeros and nothing estimable, with only what was counted, or with nothing at all."""
    if how == "nothing":
        return replace(result, counts=(), estimates=(), curves=())
    if how == "counts":
        return replace(result, estimates=())
    empty = tuple(replace(each, value=0) for each in result.counts)
    unknown = {"value": None, "low": None, "high": None, "se": None, "p": None, "df": None}
    return replace(
        result, counts=empty, estimates=tuple(replace(each, **unknown) for each in result.estimates)
    )


@pytest.mark.parametrize("how", ["zeros", "counts", "nothing"])
@pytest.mark.parametrize(("view", "output"), TABLES)
def test_every_table_renders_when_there_is_nothing_to_show(view: str, output: str, how: str) -> None:
    results = {name: hollow(each, how) for name, each in fabricated.results(view).items()}
    made = table(view, output, results)
    shown = " ".join(texts(made))
    assert "nan" not in shown.lower().split() and "None" not in shown
    for content in write_forms(made).values():
        assert not re.search(rb"\b(nan|None|inf)\b", content.replace(b"Infant", b""))


@pytest.mark.parametrize(
    # Numbers of which the arms must make up all are emptied in the tests of their model.
    ("view", "output"),
    [each for each in TABLES if fabricated.spec().outputs[each[1]].kind != "missing"],
)
def test_every_table_renders_with_an_empty_arm(view: str, output: str) -> None:
    def emptied(each, arm: str):
        if each.labels.get("arm") != arm:
            return each
        return replace(each, value=0 if isinstance(each.value, int) else None)

    arm = fabricated.arms_in(view)[-1]
    results = {
        name: replace(
            each,
            counts=tuple(emptied(count, arm) for count in each.counts),
            estimates=tuple(emptied(estimate, arm) for estimate in each.estimates),
        )
        for name, each in fabricated.results(view).items()
    }
    made = table(view, output, results)
    assert "None" not in " ".join(texts(made))


def test_one_family_is_singular() -> None:
    counts = tuple(
        replace(each, value=1) if each.name == "at_risk_families" else each
        for each in fabricated.harms("closed").counts
    )
    made = table("closed", "T25", {"A50": replace(fabricated.harms("closed"), counts=counts)})
    assert made.spans[0].text.startswith("NIM\n1 family, 222 children")


def test_a_level_nobody_has_is_printed() -> None:
    baseline = fabricated.baseline("closed")
    counts = tuple(each for each in baseline.counts if each.labels.get("level") != "M")
    made = table("closed", "T1", {"B01": replace(baseline, counts=counts)})
    assert [cell.text for cell in find(made, "Male").cells] == ["0 (0.0%)", "0 (0.0%)"]


def test_two_results_of_one_name_are_refused() -> None:
    mixed = fabricated.mixed("A01")
    twice = {**fabricated.results("closed"), "A01": replace(mixed, estimates=mixed.estimates * 2)}
    with pytest.raises(ReportError, match="a page needs one"):
        table("closed", "T8", twice)


def test_a_table_checks_its_own_shape() -> None:
    with pytest.raises(ReportError, match="needs 2 cells"):
        Table("T", "t", "open", "", ("a", "b"), (Row("x", (Cell("1"),)),))
    with pytest.raises(ReportError, match="spans"):
        Table("T", "t", "open", "", ("a", "b"), (), spans=(Span("s", 3),))


def test_footnotes_tell_population_estimand_status_method_and_notes() -> None:
    notes = {note.term: note.text for note in table("closed", "T8").footnotes}
    assert list(notes) == [
        "Population",
        "Estimand",
        "Status",
        "Method",
        "Conventions",
        "Scales",
        "Direction",
        "Abbreviations",
        "Baselines",
        "Note",
    ]
    assert notes["Baselines"] == "A baseline before randomisation exists for 44 of 360 children analysed."
    assert "averaged over children (marginal)" in notes["Estimand"]
    assert "“randomised and eligible”, analysed in “followed up at 2.5 years”;" in notes["Estimand"]
    assert "A01 primary, declared in the plan; assumed" in notes["Status"]
    assert notes["Abbreviations"] == (
        "NIM, New Orleans Intervention Model; SAU, Social work services as usual; CI, confidence interval; "
        "df, degrees of freedom; ICC, intraclass correlation coefficient; SD, standard deviation; SDQ, "
        "Strengths and Difficulties Questionnaire."
    )
    assert notes["Scales"] == "SDQ total difficulties 0 to 40, higher is worse."


def test_scales_say_their_range_and_direction() -> None:
    notes = {note.term: note.text for note in table("closed", "T15").footnotes}
    for scale in ("PedsQL total 0 to 100, higher is better", "ITSEA externalising 0 to 2, higher is worse"):
        assert scale in notes["Scales"]
    assert "PIR-GAS, Parent-Infant Relationship Global Assessment Scale" in notes["Abbreviations"]
    assert "Scales" not in {note.term for note in table("closed", "T25").footnotes}


def test_details_of_covariates_stand_with_the_origin_only() -> None:
    made = table("closed", "T15")
    assert not any("Sex: missing" in note.text for note in made.footnotes)
    assert made.origins["A20A"].method.endswith("Sex: missing for 4 of 360, indicator added.")


def test_baselines_that_differ_are_named_with_their_analyses() -> None:
    results = dict(fabricated.results("closed"))
    counts = [Count("baseline_known", 1, {"is": "yes"}), Count("baseline_known", 9, {"is": "no"})]
    kept = [each for each in results["A02"].counts if each.name != "baseline_known"]
    results["A02"] = replace(results["A02"], counts=(*kept, *counts))
    notes = {note.term: note.text for note in table("closed", "T8", results).footnotes}
    assert "exists for A01, A04 44 of 360; A02 1 of 10 children" in notes["Baselines"]


def test_what_the_plan_remarks_stands_among_the_notes() -> None:
    notes = {note.term: note.text for note in table("closed", "T14").footnotes}
    assert "A11: Only children randomised are in it." in notes["Note"]


def test_a_post_hoc_analysis_says_so() -> None:
    spec = fabricated.spec()
    late = spec.analyses["A50"].model_copy(update={"timing": "post_hoc"})
    changed = replace(spec, analyses={**spec.analyses, "A50": late})
    made = tabulate(changed.outputs["T25"], fabricated.results("closed"), changed, "closed")
    assert "A50 safety, post hoc." in {note.text for note in made.footnotes}


def test_an_f_test_shows_both_its_degrees_of_freedom() -> None:
    row = find(table("closed", "T14"), "The same difference at every visit")
    assert [cell.text for cell in row.cells][-2:] == ["1, 251.3", "0.69"]
    assert row.cells[-2].values == {"ndf": 1, "df": 251.25}


def test_groups_of_a_code_stand_in_the_order_of_its_list() -> None:
    results = dict(fabricated.results("closed"))
    turned = tuple(reversed([each for each in results["A10"].estimates if "level" in each.labels]))
    others = tuple(each for each in results["A10"].estimates if "level" not in each.labels)
    results["A10"] = replace(results["A10"], estimates=(*others, *turned))
    stubs = [row.stub for row in table("closed", "T13", results).rows]
    assert stubs.index("Glasgow") < stubs.index("London")


def test_baseline_values_of_either_side_of_randomisation_have_a_row_each() -> None:
    results = dict(fabricated.results("closed"))
    where = {"variable": "SDQ_TOTAL", "unit": "child"}
    counts, estimates = [], []
    for dated, n, mean in (("before", 40, 12.0), ("after", 100, 14.0)):
        for arm in fabricated.ARMS:
            labels = {**where, "arm": arm, "dated": dated}
            counts.append(Count("n_dated", n, labels))
            estimates += [
                Estimate("mean_dated", mean, labels=labels),
                Estimate("sd_dated", 7.0, labels=labels),
            ]
    made = results["B01"]
    results["B01"] = replace(made, counts=(*made.counts, *counts), estimates=(*made.estimates, *estimates))
    rows = table("closed", "T1", results).rows
    at = next(at for at, row in enumerate(rows) if row.stub.startswith("SDQ total"))
    assert [row.stub.split(",")[0] for row in rows[at + 1 : at + 3]] == [
        "Dated on or before randomisation",
        "Dated after randomisation",
    ]
    assert [row.cells[0].text for row in rows[at + 1 : at + 3]] == ["12.0 (7.0); 40", "14.0 (7.0); 100"]


def test_events_are_shown_by_how_they_were_judged() -> None:
    results = dict(fabricated.results("closed"))
    counts = [
        Count(name, n, {"arm": arm, "relatedness": "possible"})
        for arm, n in zip(fabricated.ARMS, (0, 3), strict=True)
        for name in ("families", "children", "events")
    ]
    results["A50"] = replace(results["A50"], counts=(*results["A50"].counts, *counts))
    row = find(table("closed", "T25", results), "Possibly related")
    shown = [cell.text for cell in row.cells]
    assert shown[2:4] == ["0", ""] and shown[6:] == ["3", "", ""]
    assert shown[0].startswith("0 (0") and shown[4].startswith("3 (")


def test_analyses_of_one_status_share_a_sentence() -> None:
    notes = {note.term: note.text for note in table("closed", "T15").footnotes}
    assert notes["Status"].startswith("A20A, A20B, A20C") and notes["Status"].count("secondary") == 1

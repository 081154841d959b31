"""The boundary plot and the tables of monitoring, as the committee sees them."""

from dataclasses import replace

import pytest

from analysis.errors import BlindingError
from analysis.present.figures import draw
from analysis.present.standing import guideline
from analysis.present.table_form import Table
from analysis.present.tables import tabulate, write_forms
from analysis.results import Failure
from analysis.spec.edition import edition
from analysis.spec.palette import ARM_COLOURS
from tests.unit.present import fabricated
from tests.unit.present.fabricated_monitoring import LOOKS, monitoring
from tests.unit.present.test_figure_layout import drawn, places_of

PLAN = edition(fabricated.spec(), "2020-06-30")


def table(view: str, output: str, made=None) -> Table:
    results = {**fabricated.results(view), **({made.analysis: made} if made else {})}
    return tabulate(PLAN.outputs[output], results, PLAN, view)


def cells(made: Table) -> dict[str, list[str]]:
    return {row.stub: [cell.text for cell in row.cells] for row in made.rows}


@pytest.mark.parametrize(
    ("view", "output"), [("closed", "M2"), ("dummy", "M2"), ("closed", "M3"), ("open", "M3")]
)
def test_every_cell_has_its_origin_and_every_form_is_written(view: str, output: str) -> None:
    made = table(view, output)
    for row in made.rows:
        for cell in row.cells:
            assert bool(cell.text) == bool(cell.analysis)
            assert "nan" not in cell.text.lower().split() and "None" not in cell.text
    assert all(write_forms(made).values())


def test_looks_stand_side_by_side() -> None:
    made = table("closed", "M2")
    assert made.columns[0] == "Look 1\n31 December 2014\ntaken"
    assert [each.split("\n")[2] for each in made.columns] == ["taken", "taken", "this look", "planned"]
    found = cells(made)
    assert found["z"] == ["not estimable", "\u22121.250", "\u22122.125", ""]
    assert found["Boundary, on either side"] == ["not tested", "\u00b13.913", "\u00b12.688", "\u00b11.984"]
    assert found["Crossed"] == ["not tested", "no", "no", ""]
    assert found["Fraction of the information of the design, 1.700"][1:] == ["29.4%", "58.8%", "100.0%"]
    assert found["Children with the event, SAU"] == ["31", "61", "91", ""]
    assert found["Conditional power, difference of the design (\u22122.50)"][2] == "91.3% (90.0%; 1.3%)"


def test_a_boundary_out_of_reach_is_told_from_a_look_that_tested_nothing() -> None:
    early = ("1", "2014-12-31", "taken", 0.1, -0.5, None, 1e-18)
    stopped = ("3", "2020-06-30", "now", 1.0, -2.125, None, 0.0000914)
    found = cells(table("closed", "M2", monitoring("A70", (early, LOOKS[1], stopped))))
    assert found["Boundary, on either side"] == ["out of reach", "\u00b13.913", "not tested"]
    assert found["Crossed"] == ["no", "no", "not tested"]
    words = draw(
        PLAN.outputs["M1"],
        {"A70": monitoring("A70", (early, LOOKS[1], stopped))},
        PLAN,
        "closed",
        style=fabricated.STYLE,
    )
    text = words["txt"].decode()
    assert "boundary out of reach" in text and "z \u22122.125, not tested" in text
    now = ("1", "2014-12-31", "now", 0.1, -0.5, None, 1e-18)
    first, _ = guideline({"A70": monitoring("A70", (now, LOOKS[3]))}, PLAN)
    assert first.endswith("z \u22120.500, limit out of reach, not reached.")
    first, _ = guideline({"A70": monitoring("A70", (early, LOOKS[1], stopped))}, PLAN)
    assert first.endswith(": not tested at this look.")


def test_boundaries_have_the_colour_of_no_arm() -> None:
    svg = draw(PLAN.outputs["M1"], fabricated.results("closed"), PLAN, "closed", style=fabricated.STYLE)[
        "svg"
    ]
    assert not any(each.lower() in svg.decode().lower() for each in ARM_COLOURS)


def test_a_crossing_is_told_with_the_adjusted_difference() -> None:
    looks = (*LOOKS[:2], ("3", "2020-06-30", "now", 1.0, -2.75, 2.6875, 0.00721))
    found = cells(table("closed", "M2", monitoring("A70", looks, adjusted=True)))
    assert found["Crossed"][2] == "yes"
    assert found["Median-unbiased difference (95% CI), the look that stopped"][2].startswith("\u22122.06 (")
    assert not any(name.startswith("Conditional power") for name in found)


def test_a_failure_is_told_where_the_looks_would_stand() -> None:
    made = fabricated.results("closed")["A70"]
    failed = Failure("A70", "monitoring", made.title, "closed", "nobody had been referred")
    rows = table("closed", "M2", failed).rows
    assert [row.kind for row in rows] == ["failure"] and "nobody had been referred" in rows[0].remark


def test_the_open_report_has_the_nuisance_table_alone() -> None:
    found = cells(table("open", "M3"))
    assert found["SD after covariates (95% CI)"] == ["7.00", "7.25 (6.75 to 7.75)"]
    assert found["ICC within families (95% CI)"] == ["0.300", "0.413 (0.229 to 0.597)"]
    assert found["With the outcome / due"][1] == "families 225 / 300; children 288 / 384"
    assert found["Kept of those randomised"] == ["", "95.0%"]
    (denominator, population) = (
        next(note.text for note in table("open", "M3").footnotes if note.term == term)
        for term in ("Denominator", "Population")
    )
    assert denominator == "295 children in 230 families."
    assert "children per family: followed up at 2.5 years" in population
    for output in ("M1", "M2"):
        with pytest.raises(BlindingError):
            tabulate(
                PLAN.outputs[output], fabricated.results("closed"), PLAN, "open"
            ) if output == "M2" else draw(
                PLAN.outputs[output], fabricated.results("closed"), PLAN, "open", style=fabricated.STYLE
            )


FAR = ("3", "2020-06-30", "now", 1.0, 6.5, 2.6875, 0.00721)
EARLY = ("2", "2017-06-30", "taken", 0.1, -0.5, 7.25, 1e-9)
SITUATIONS = {
    "as planned": LOOKS,
    "nothing yet": (("1", "2014-12-31", "now", None, None, None, 0.0), *LOOKS[3:]),
    "far beyond": (*LOOKS[:2], FAR),
    "an early boundary": (LOOKS[0], EARLY, *LOOKS[2:]),
    "information that fell": (*LOOKS[:2], ("3", "2020-06-30", "now", 0.4, -1.0, None, 0.0000914), LOOKS[3]),
    "out of reach, then over": (
        ("1", "2014-12-31", "taken", 0.1, -0.5, None, 1e-18),
        LOOKS[1],
        ("3", "2020-06-30", "now", 1.0, -2.125, None, 0.0000914),
    ),
    "beyond the maximum": (*LOOKS[:2], ("3", "2020-06-30", "now", 4.5, 1.0, 1.9625, 0.05)),
}


@pytest.mark.parametrize("name", SITUATIONS)
def test_no_text_of_the_plot_is_cut_off_or_lies_on_another(name: str) -> None:
    figure = drawn("closed", "M1", lambda result: monitoring("A70", SITUATIONS[name]))
    width, height = (size * 72 for size in figure.get_size_inches())
    places = [(text, box) for text, box in places_of(figure) if text.strip()]
    for at, (text, box) in enumerate(places):
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height, text
        for other, theirs in places[at + 1 :]:
            assert not box.overlaps(theirs), (text, other)


def test_the_plot_labels_every_boundary_and_says_all_in_words() -> None:
    words = draw(PLAN.outputs["M1"], fabricated.results("closed"), PLAN, "closed", style=fabricated.STYLE)
    svg, text = words["svg"].decode(), words["txt"].decode()
    for label in ("3.91", "\u22123.91", "2.69", "1.98", "3: \u22122.13", "Not tested at 1."):
        assert label in svg
    assert text.startswith(
        "Plot of the test statistic z of the difference NIM \u2212 SAU against information"
    )
    assert "Look 3, 30 June 2020 (this look): information 1.000 (58.8% of the maximum), z \u22122.125" in text
    assert "Look 1, 31 December 2014 (taken): information not estimable" in text


def test_a_result_without_looks_to_come_is_drawn(monkeypatch) -> None:
    made = replace(monitoring("A70", LOOKS[:3]), title="Monitoring")
    assert draw(PLAN.outputs["M1"], {"A70": made}, PLAN, "closed", style=fabricated.STYLE)["png"]

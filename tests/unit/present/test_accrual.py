"""Recruitment on the page: where it stands in words, the projection, and the balance of the arms."""

import pytest

from analysis.present import format as fmt
from analysis.present.tables import tabulate
from tests.unit.present import fabricated
from tests.unit.present.fabricated_recruitment import accrual
from tests.unit.present.test_figures import drawn, words_of


def shown(output: str, view: str = "open", **results) -> dict[str, list[str]]:
    spec = fabricated.spec()
    table = tabulate(spec.outputs[output], {**fabricated.results(view), **results}, spec, view)
    return {row.stub: [cell.text for cell in row.cells] for row in table.rows}


def test_an_open_recruitment_is_projected() -> None:
    rows = shown("T2")
    assert "Recruitment is open, 256 of the 390 families planned" in rows
    assert rows["Projected day of the target (95% limits)"][0] == (
        "17 August 2021 (30 January 2021 to 23 May 2022)"
    )
    assert rows["Projected by 31 July 2021 (95% limits)"][0] == "387 (351 to 429)"
    assert rows["Chance of the target by 31 July 2021"][0] == "44.4%"
    assert rows["Randomised, of a target of 390"][0] == "256 (65.6%)"


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("ended", "Complete: recruitment ended on 31 July 2021, 256 of the 390 families planned"),
        ("met", "Complete: the target is met, 256 of the 390 families planned"),
    ],
)
def test_complete_is_said_plainly(state: str, said: str) -> None:
    rows = shown("T2", N11=accrual("N11", "open", state=state))
    assert said in rows and not any("rojected" in name for name in rows)
    words = drawn("open", "F2", {**fabricated.results("open"), "N11": accrual("N11", "open", state=state)})
    assert f"{said}. " in words["txt"].decode() and "data cut" not in words_of(words["svg"])


@pytest.mark.parametrize(
    ("state", "cut", "until"),
    [
        ("open", "2019-06-30", "before the data cut"),
        ("met", "2019-06-30", "before the data cut"),
        ("met", "2021-07-31", "of recruitment"),
        ("ended", "2023-12-31", "of recruitment"),
    ],
)
def test_the_days_of_the_recent_rates_end_with_the_cut_or_recruitment(state, cut, until) -> None:
    rows = shown("T2", N11=accrual("N11", "open", state=state, cut=cut))
    assert [name for name in rows if name.startswith("In the last")] == [f"In the last 365 days {until}"]


def test_reasons_stand_below_their_outcome_and_zeros_are_printed() -> None:
    rows = shown("T2")
    names = list(rows)
    assert names.index("Declined") + 1 == names.index("Consent refused")
    assert rows["Not decided at the data cut"][0] == "1 (0.2%); 1"
    assert rows["Randomisation then consent then baseline"][:2] == ["0 (0.0%); 0", "0 (0.0%); 0"]


def test_the_figure_names_its_lines_and_says_its_numbers() -> None:
    made = drawn("open", "F2")
    words = words_of(made["svg"])
    assert {"All 256", "Glasgow 194", "London 62", "Target 390", "All 333", "data cut"} <= set(words)
    text = made["txt"].decode()
    assert "projected to be met on 17 August 2021 (30 January 2021 to 23 May 2022)" in text
    assert "  30 June 2019: All 256 families, 333 children; Glasgow 194 families" in text


def test_balance_is_for_the_closed_report_with_the_difference() -> None:
    rows = shown("T3", "closed")
    assert rows["All"] == ["191", "244", "190", "243", "1", "1"]
    assert rows["Glasgow, Consent then baseline then randomisation"][:1] == ["70 (36.6%)"]
    assert rows["Randomisation then consent then baseline"][-2:] == ["0", "0"]
    assert fabricated.spec().outputs["T3"].reports == ("closed",)


def test_days_far_away_are_told_in_words() -> None:
    assert fmt.date_after("2019-06-30", 0.2) == "1 July 2019"
    assert fmt.date_after("2019-06-30", 1e6) == "more than 100 years later"
    assert fmt.date_after("2019-06-30", None) == fmt.NOT_ESTIMABLE

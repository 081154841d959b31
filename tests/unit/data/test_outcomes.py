"""Outcome values, the reasons for those that are not there, and what may count as a baseline."""

import pandas as pd
import pytest

from analysis.data.outcomes import derive_outcomes
from analysis.spec.declarations import Spec
from tests.unit.data.tables import cells, shown, values

ITEMS = {"sdq": [f"q{n:02d}" for n in range(1, 26)], "pedsql": [f"p{n:02d}" for n in range(1, 46)]}
# F0001 is randomised on 2015-01-01. C0001 is 48 months old on that day, C0002 15, C0003 23 until 2015-01-20.
PEOPLE = [("C0001", "2011-01-01"), ("C0002", "2013-10-01"), ("C0003", "2013-01-20")]
VISITS = """
child_id | visit | due_date   | visit_date | status
C0001    | V3    | 2014-12-01 | 2014-12-01 | attended
C0001    | V4    | 2015-12-01 | 2015-12-01 | attended
C0002    | V3    | 2014-12-01 | 2014-12-01 | attended
C0003    | V3    | 2015-01-19 | 2015-01-19 | attended
C0003    | V4    | 2015-12-01 |            | missed
C0003    | V5    | 2017-07-01 |            | not_due
"""


def forms(table: str, *rows: str) -> str:
    """Rows of child | visit | form | date | answer to every item."""
    header = " | ".join(["child_id", "visit", "form", "completed_date", *ITEMS[table]])
    lines = []
    for row in rows:
        *about, answer = (part.strip() for part in row.split("|"))
        lines.append(" | ".join([*about, *[answer] * len(ITEMS[table])]))
    return "\n".join([header, *lines])


@pytest.fixture
def outcomes(spec: Spec):
    def run(
        *, visits: str = VISITS, sdq: tuple[str, ...] = (), pedsql: tuple[str, ...] = (), scales: str = ""
    ) -> pd.DataFrame:
        text = cells(spec, "scales", "child_id | visit | scale | completed_date | score\n" + scales)
        tables = {
            "assessments": values(spec, "assessments", visits),
            "sdq": values(spec, "sdq", forms("sdq", *sdq)),
            "pedsql": values(spec, "pedsql", forms("pedsql", *pedsql)),
            "scales": values(spec, "scales", "child_id | visit | scale | completed_date | score\n" + scales),
        }
        subjects = pd.DataFrame(PEOPLE, columns=["child_id", "birth_date"]).assign(
            family_id="F0001",
            randomisation_date=pd.Timestamp("2015-01-01"),
            care_entry_date=pd.Timestamp("2014-10-01"),
        )
        subjects["birth_date"] = pd.to_datetime(subjects["birth_date"])
        return derive_outcomes(
            tables,
            subjects,
            spec,
            origin="randomisation_date",
            data_cut=pd.Timestamp("2023-12-31"),
            scales_text=text,
        )

    return run


def of(rows: pd.DataFrame, child: str, parameter: str, *columns: str) -> list[tuple]:
    mine = rows[(rows["child_id"] == child) & (rows["parameter"] == parameter)].sort_values("visit")
    return shown(mine, "visit", *columns)


def test_a_value_has_its_date_day_form_and_source(outcomes) -> None:
    """Every item 1: each scale 5, the total 20. 2015-12-01 is day 334."""
    rows = outcomes(sdq=("C0001 | V4 | 4-17 | 2015-12-01 | 1",))
    assert of(rows, "C0001", "SDQ_TOTAL", "value", "date", "day", "form", "n_items", "missing_reason")[1] == (
        "V4",
        20.0,
        "2015-12-01",
        334,
        "4-17",
        20,
        "",
    )
    assert of(rows, "C0001", "SDQ_TOTAL", "family_id", "source_file", "source_row")[1] == (
        "V4",
        "F0001",
        "export.csv",
        2,
    )
    assert of(rows, "C0001", "SDQ_PEER", "value") == [("V4", 5.0)]


def test_the_schedule_foresees_totals_and_scores_at_the_visits_they_are_due(outcomes) -> None:
    """Visits: three V3, two V4, one V5. Six measures are due at all, five at V3 and V4, one at V5."""
    rows = outcomes()
    always = ["DAI", "PEDSQL_TOTAL", "PIRGAS", "RPQ", "SDQ_TOTAL", "TIMB"]
    early = ["ITSEA_COM", "ITSEA_DYS", "ITSEA_EXT", "ITSEA_INT", "RAD"]
    assert sorted(rows["parameter"].unique()) == sorted([*always, *early, "COG"])
    assert len(rows) == 6 * 6 + 5 * 5 + 1
    assert rows["value"].isna().all()
    assert rows["missing_reason"].notna().all()


def test_why_a_value_is_not_there(outcomes) -> None:
    rows = outcomes(
        sdq=("C0001 | V4 | 4-17 | 2015-12-01 |",),
        scales="C0001 | V3 | PIRGAS | 2014-12-01 | .refused\nC0001 | V4 | PIRGAS | 2015-12-01 | .invalid",
    )
    # A form came back empty; no form at the first visit, though the child was there and 47 months old.
    assert of(rows, "C0001", "SDQ_TOTAL", "missing_reason") == [
        ("V3", "not_collected"),
        ("V4", "too_few_items"),
    ]
    # The source's own reasons, as they stand in the cell.
    assert of(rows, "C0001", "PIRGAS", "missing_reason") == [("V3", "refused"), ("V4", "invalid")]
    # The SDQ begins at 24 months: C0002 is 14 months old, C0003 is 23 on the day before its birthday.
    assert of(rows, "C0002", "SDQ_TOTAL", "missing_reason") == [("V3", "not_due_age")]
    assert of(rows, "C0003", "SDQ_TOTAL", "missing_reason") == [
        ("V3", "not_due_age"),
        ("V4", "not_attended"),
        ("V5", "not_due_yet"),
    ]
    # The PedsQL begins at one month.
    assert of(rows, "C0003", "PEDSQL_TOTAL", "missing_reason")[0] == ("V3", "not_collected")


def test_a_score_is_due_at_its_visits_and_ages_only(outcomes) -> None:
    """ITSEA is for 12 to 35 months: C0001 is 47, C0002 is 14. Cognition has no baseline at all."""
    rows = outcomes(scales="C0003 | V5 | COG | 2017-07-01 | 100")
    assert of(rows, "C0001", "ITSEA_EXT", "missing_reason")[0] == ("V3", "not_due_age")
    assert of(rows, "C0002", "ITSEA_EXT", "missing_reason") == [("V3", "not_collected")]
    assert of(rows, "C0003", "COG", "value", "base_missing_reason") == [("V5", 100.0, "not_scheduled")]


def test_a_form_on_the_second_birthday_is_due(outcomes) -> None:
    visits = VISITS.replace("2015-01-19", "2015-01-20")
    assert of(outcomes(visits=visits), "C0003", "SDQ_TOTAL", "missing_reason")[0] == ("V3", "not_collected")


def test_a_value_without_a_visit_is_kept(outcomes) -> None:
    """The form is there, the visit was never entered."""
    rows = outcomes(sdq=("C0002 | V5 | 2-4 | 2017-07-01 | 1",))
    assert of(rows, "C0002", "SDQ_TOTAL", "value", "missing_reason") == [
        ("V3", "", "not_due_age"),
        ("V5", 20.0, ""),
    ]


@pytest.mark.parametrize(
    ("completed", "base", "reason"),
    [
        ("2014-12-01", 20.0, ""),
        ("2015-01-01", 20.0, ""),  # on the day of randomisation
        ("2015-01-02", "", "after_randomisation"),  # the day after: never a covariate
    ],
)
def test_a_baseline_is_dated_on_or_before_randomisation(
    outcomes, completed: str, base: float | str, reason: str
) -> None:
    rows = outcomes(sdq=(f"C0001 | V3 | 4-17 | {completed} | 1", "C0001 | V4 | 4-17 | 2015-12-01 | 2"))
    base_date = completed if base else ""
    assert of(rows, "C0001", "SDQ_TOTAL", "base", "base_date", "base_missing_reason") == [
        ("V3", base, base_date, reason),
        ("V4", base, base_date, reason),
    ]
    # The values themselves stay: every item 2 gives 30.
    assert of(rows, "C0001", "SDQ_TOTAL", "value") == [("V3", 20.0), ("V4", 30.0)]


def test_no_baseline_says_why(outcomes) -> None:
    rows = outcomes(
        sdq=(
            "C0001 | V4 | 4-17 | 2015-12-01 | 1",
            "C0002 | V4 | 2-4 | 2015-12-01 | 1",
            "C0003 | V4 | 2-4 | 2015-12-01 | 1",
        )
    )
    assert of(rows, "C0001", "SDQ_TOTAL", "base", "base_missing_reason")[1] == ("V4", "", "not_collected")
    assert of(rows, "C0002", "SDQ_TOTAL", "base", "base_missing_reason")[1] == ("V4", "", "not_due_age")
    # Subscales have no row of their own at the baseline visit.
    assert of(rows, "C0002", "SDQ_PEER", "base", "base_missing_reason") == [("V4", "", "not_attended")]


def test_no_baseline_when_the_baseline_visit_is_not_there(outcomes) -> None:
    visits = "\n".join(line for line in VISITS.splitlines() if "C0001    | V3" not in line)
    rows = outcomes(visits=visits, sdq=("C0001 | V4 | 4-17 | 2015-12-01 | 1",))
    assert of(rows, "C0001", "SDQ_TOTAL", "base", "base_missing_reason") == [("V4", "", "not_attended")]


def test_a_baseline_of_one_parameter_is_none_of_another(outcomes) -> None:
    rows = outcomes(
        pedsql=("C0001 | V3 | 2-4 | 2014-12-01 | 0",), sdq=("C0001 | V4 | 4-17 | 2015-12-01 | 1",)
    )
    assert of(rows, "C0001", "PEDSQL_TOTAL", "base")[1] == ("V4", 100.0)
    assert of(rows, "C0001", "SDQ_TOTAL", "base")[1] == ("V4", "")


def test_scores_as_supplied(outcomes) -> None:
    rows = outcomes(scales="C0001 | V3 | PIRGAS | 2014-12-01 | 55\nC0001 | V3 | TIMB | 2014-12-01 | 3.5")
    assert of(rows, "C0001", "PIRGAS", "value", "missing_reason")[0] == ("V3", 55.0, "")
    assert of(rows, "C0001", "TIMB", "value", "base") == [("V3", 3.5, 3.5), ("V4", "", 3.5)]


def test_one_row_per_child_parameter_and_visit(outcomes, spec: Spec) -> None:
    rows = outcomes(
        sdq=("C0001 | V3 | 4-17 | 2014-12-01 | 1", "C0001 | V4 | 4-17 | 2015-12-01 | 1"),
        pedsql=("C0001 | V4 | 2-4 | 2015-12-01 | 0",),
        scales="C0001 | V3 | PIRGAS | 2014-12-01 | 55",
    )
    assert not rows.duplicated(list(spec.table("outcomes").key)).any()
    assert (rows["value"].isna() == rows["missing_reason"].notna()).all()
    assert (rows["base"].isna() == rows["base_missing_reason"].notna()).all()
    assert (rows["base"].isna() == rows["base_date"].isna()).all()


def test_no_visits_and_no_forms(outcomes) -> None:
    assert len(outcomes(visits=VISITS.splitlines()[1])) == 0

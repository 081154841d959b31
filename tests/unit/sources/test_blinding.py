"""The first wall: names that tell the arm, columns nobody declared, columns that are not there."""

import re

import pandas as pd
import pytest

from analysis.errors import BlindingError, SourceError
from analysis.sources.blinding import check_cells, check_columns, check_name, is_arm_like
from analysis.spec.arm_words import arms_of

ARMS = [
    *("arm", "Arm", "ARM", "arm1", "arm_code", "studyArm", "ARMCD", "ACTARM", "trial arm", "rand-arm"),
    *("treatment", "TRT01P", "trt01a", "TRTAN", "tx", "tx_group", "allocation", "allocated_service", "alloc"),
    *("group", "Group", "study_group", "RANDGRP_grp", "randomised_to", "RandomizedTo", "randomised to"),
    *("intervention", "nim", "NIM_referral", "NIMReferral", "sau", "gift", "LIFT_team", "facs"),
    *("redcap_arm", "assigned_to"),
]
HARMLESS = [
    *("harm", "harms", "alarm", "army", "pharmacy", "farm", "charm_score", "armed"),
    *(
        "redcap_event_name",
        "redcap_repeat_instrument",
        "redcap_data_access_group",
        "age_group",
        "ethnic_group",
    ),
    *(
        "groups_of_siblings",
        "dysregulation",
        "randomisation_date",
        "rand_dt",
        "form",
        "informant",
        "retreatment",
    ),
    *("shift", "uplift", "facsimile", "nimble", "saucer", "allocate", "extract", "context"),
]


@pytest.mark.parametrize("column", ARMS)
def test_a_name_that_tells_the_arm(column: str) -> None:
    assert is_arm_like(column)
    with pytest.raises(BlindingError, match="row 1: column '.*' looks like the arm"):
        check_columns(["id", column], ["id", column], file="a.csv", audience="open")


@pytest.mark.parametrize("column", HARMLESS)
def test_a_harmless_name(column: str) -> None:
    assert not is_arm_like(column)
    check_columns(["id", column], ["id", column], file="a.csv", audience="open")


def test_a_closed_file_may_tell_the_arm() -> None:
    check_columns(["family_id", "arm"], ["family_id", "arm"], file="a.csv", audience="closed")


@pytest.mark.parametrize("audience", ["open", "closed"])
def test_a_column_that_nobody_declared_is_refused(audience: str) -> None:
    with pytest.raises(SourceError, match="a.csv, row 1: column 'x1' is not in the mapping"):
        check_columns(["id", "x1"], ["id"], file="a.csv", audience=audience)


def test_an_undeclared_arm_is_a_matter_of_blinding() -> None:
    """The error says what is at stake, not that a line is missing from the mapping."""
    with pytest.raises(BlindingError):
        check_columns(["id", "arm"], ["id"], file="a.csv", audience="open")


def test_a_file_without_its_header_shows_none_of_its_first_row() -> None:
    """Where most declared columns are absent, the first row may be a child's."""
    with pytest.raises(
        SourceError, match="a.csv, row 1: not the header that the mapping declares"
    ) as stopped:
        check_columns(
            ["C0001", "F0001", "2012-03-10"], ["id", "family", "dob"], file="a.csv", audience="open"
        )
    assert "C0001" not in str(stopped.value)


def test_a_column_given_twice_is_named_once_the_row_is_known_for_a_header() -> None:
    with pytest.raises(SourceError, match="a.csv, row 1: column .id. is given twice"):
        check_columns(["id", "day", "id"], ["id", "day"], file="a.csv", audience="open")
    with pytest.raises(SourceError, match="not the header") as stopped:
        check_columns(["GLASGOW", "", "GLASGOW"], ["id", "day"], file="a.csv", audience="open")
    assert "GLASGOW" not in str(stopped.value)


ARM_NAMES = ["NIM", "Services (as usual)", "A", "1"]


def cells(*notes: str) -> pd.DataFrame:
    rows = [str(line) for line in range(2, 2 + len(notes))]
    return pd.DataFrame({"note": notes, "source_file": "NIM.csv", "source_row": rows}, dtype=object)


@pytest.mark.parametrize("cell", ["NIM", "nim", "seen by NIM_team", "Services (as usual) since May"])
def test_a_cell_that_names_an_arm(cell: str) -> None:
    with pytest.raises(BlindingError, match="a.csv, row 3: a cell of column 'note' names an arm") as stopped:
        check_cells(cells("", cell), ARM_NAMES, file="a.csv")
    assert cell not in str(stopped.value)


def test_words_that_only_contain_the_name_of_an_arm_are_harmless() -> None:
    """Nor are codes of one character looked for: they stand for many things."""
    check_cells(cells("nimble", "minimum", "Services", "A", "1", "arm"), ARM_NAMES, file="a.csv")


def test_a_column_that_is_not_there_is_named() -> None:
    with pytest.raises(SourceError, match="a.csv, row 1: no column 'day', which the mapping reads"):
        check_columns(["id"], ["id", "day"], file="a.csv", audience="open")


@pytest.mark.parametrize(
    "name", ["Zoe Quux", "F0012", "14/02/2016", "2016-02-14", "", "x" * 99, "=1+1", "+447700"]
)
def test_a_header_that_may_be_a_value_is_told_by_its_place(name: str) -> None:
    with pytest.raises(SourceError, match="a.csv, row 1: column 2 is not in the mapping"):
        check_columns(["id", name], ["id"], file="a.csv", audience="open")


@pytest.mark.parametrize("name", ["notes", "REC", "sdq_01", "Date of birth", "studentId"])
def test_a_header_that_is_a_name_is_told(name: str) -> None:
    with pytest.raises(SourceError, match=f"a.csv, row 1: column '{name}' is not in the mapping"):
        check_columns(["id", name], ["id"], file="a.csv", audience="open")


@pytest.mark.parametrize("name", ["baseline/nim.csv", "NIM x.csv", "a/sau_2018/b.csv"])
def test_a_file_named_after_an_arm(name: str) -> None:
    """Its name stands beside every row that came from it."""
    with pytest.raises(BlindingError, match="its name tells an arm") as stopped:
        check_name(name, [*ARM_NAMES, "SAU"])
    assert not re.search("nim|sau", str(stopped.value), re.IGNORECASE)


def test_other_files_may_be_called_as_they_like() -> None:
    check_name("nimble/minimum_2018.csv", ARM_NAMES)


def test_arms_are_told_by_names_and_by_labels_of_events() -> None:
    assert arms_of(["enrolment_arm_1", "Visit (Arm 2: Usual care)", "Visit"]) == {"1", "2"}

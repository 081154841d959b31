"""What each family received and how long it waited, family by family."""

import pandas as pd
import pytest

from analysis.data.delivery import derive_service
from analysis.spec.declarations import Spec
from tests.unit.data.tables import shown, values

# Randomised on 2015-01-01. Two children of F0001 are followed for 400 and 900 days, all others for 500.
SUBJECTS = pd.DataFrame(
    [("F0001", 400), ("F0001", 900), *((f"F000{n}", 500) for n in range(2, 9))],
    columns=["family_id", "safety_days"],
).assign(randomisation_date=pd.Timestamp("2015-01-01"))
DELIVERY = """
family_id | is_received | reason_not_received | service_start_date | service_end_date | n_sessions
F0001     | true        |                     | 2015-02-10         | 2015-12-07       | 30
F0002     | true        |                     | 2014-12-25         | 2015-01-25       | 4
F0003     | true        |                     |                    |                  | 7
F0004     | false       | declined            |                    |                  |
F0005     | false       |                     | 2015-03-01         | 2015-04-01       | 9
F0006     | true        | court               | 2016-05-16         |                  |
F0007     | true        |                     | 2016-05-15         | 2016-05-15       | 1
"""
COLUMNS = ("family_id", "is_received", "reason_not_received", "has_begun", "wait_days", "n_sessions")


@pytest.fixture
def service(spec: Spec) -> pd.DataFrame:
    return derive_service(values(spec, "delivery", DELIVERY), SUBJECTS)


def test_each_family_has_what_is_known_of_it(service) -> None:
    """Day 500 is 2016-05-15: F0007 begins on it and F0006 a day later; F0008 has no record."""
    assert shown(service, *COLUMNS) == [
        ("F0001", True, "", True, 40, 30),
        ("F0002", True, "", True, 0, 4),
        ("F0003", True, "", "", "", 7),
        ("F0004", False, "declined", False, 500, ""),
        ("F0005", False, "", False, 500, ""),
        ("F0006", True, "", False, 500, ""),
        ("F0007", True, "", True, 500, 1),
        ("F0008", "", "", "", "", ""),
    ]


def test_contact_lasts_from_the_first_to_the_last(service) -> None:
    assert shown(service, "contact_days") == [(300,), (31,), ("",), ("",), ("",), ("",), (0,), ("",)]
    assert service.loc[service["is_begun_before"], "family_id"].tolist() == ["F0002"]


def test_of_a_rehearsal_nothing_is_known(spec: Spec) -> None:
    service = derive_service(values(spec, "delivery", "family_id"), SUBJECTS)
    assert len(service) == 8
    assert service[["is_received", "has_begun", "wait_days", "n_sessions"]].isna().all(axis=None)
    assert not service["is_begun_before"].any()


def test_the_order_of_rows_does_not_matter(spec: Spec, service) -> None:
    turned = values(spec, "delivery", DELIVERY)[::-1].reset_index(drop=True)
    pd.testing.assert_frame_equal(derive_service(turned, SUBJECTS[::-1]), service, check_like=True)

"""Completed months, against a second way of counting them."""

from datetime import date, timedelta

import pandas as pd
import pytest

from analysis.data.ages import completed_months


@pytest.mark.parametrize(
    ("birth", "day", "months"),
    [
        ("2012-03-10", "2014-03-09", 23),
        ("2012-03-10", "2014-03-10", 24),
        ("2012-03-10", "2012-04-09", 0),
        ("2012-03-10", "2012-03-10", 0),
        ("2012-03-10", "2012-03-09", -1),
        # Born on the last of a month: a month is complete when its day is, or the month is over.
        ("2012-01-31", "2012-02-29", 0),
        ("2012-01-31", "2012-03-01", 1),
        ("2012-02-29", "2013-02-28", 11),
        ("2012-02-29", "2013-03-01", 12),
    ],
)
def test_birthdays(birth: str, day: str, months: int) -> None:
    assert completed_months(pd.Series([pd.Timestamp(birth)]), pd.Series([pd.Timestamp(day)])).tolist() == [
        months
    ]


def test_a_missing_date_has_no_age() -> None:
    dates = pd.to_datetime(pd.Series(["2012-03-10", None]))
    assert completed_months(dates, dates[::-1].reset_index(drop=True)).isna().tolist() == [True, True]


def test_every_day_of_four_years_against_counting_month_by_month() -> None:
    birth = date(2011, 8, 29)
    days = [birth + timedelta(n) for n in range(4 * 366)]
    counted, months = [], 0
    for day in days:
        # The next month is complete on the 29th, or on the first of March where February has none.
        if (
            day.day == 29
            and day != birth
            or (day.month, day.day) == (3, 1)
            and (day - timedelta(1)).day == 28
        ):
            months += 1
        counted.append(months)
    births = pd.Series([pd.Timestamp(birth)] * len(days))
    assert completed_months(births, pd.to_datetime(pd.Series(days))).tolist() == counted

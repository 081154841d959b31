"""Who had been referred and randomised on a day, from tables written by hand."""

import pandas as pd
import pytest

from analysis.data.recruitment import derive_recruitment
from analysis.data.table import write_table
from analysis.spec.declarations import Spec
from tests.unit.data.tables import shown, values

TEXTS = {
    # F0002 came without a referral. F0003 is randomised in 2018 and open before; S0005 was made in 2019.
    "screening": """
screening_id | site | local_authority | referral_date | n_children | screening_outcome | reason | family_id
S0001        | GLA  | GLASGOW         | 2014-09-01    | 2          | randomised | | F0001
S0002        | GLA  | GLASGOW         | 2015-06-01    | 3          | declined | consent_refused |
S0003        | LON  | CROYDON         | 2017-10-01    | 1          | randomised | | F0003
S0004        | LON  | CROYDON         | 2011-01-01    | 1          | not_eligible | age |
S0005        | LON  | CROYDON         | 2019-01-01    | 1          | not_eligible | age |
""",
    "families": """
family_id | site | local_authority | epoch | randomisation_date
F0001     | GLA  | GLASGOW         | CBR   | 2014-10-01
F0002     | GLA  | GLASGOW         | RCB   | 2016-01-01
F0003     | LON  | CROYDON         | CRB   | 2018-01-01
""",
    # C0003 joined F0002 later: it is not counted.
    "children": """
child_id | family_id | birth_date | birth_date_precision | sex | care_entry_date | joined_date
C0001    | F0001     | 2011-05-01 | day                  | F   | 2014-08-01      |
C0002    | F0002     | 2013-05-01 | day                  | M   | 2015-10-01      |
C0003    | F0002     | 2016-05-01 | day                  | M   | 2016-10-01      | 2016-10-01
C0004    | F0003     | 2015-05-01 | day                  | M   | 2017-10-01      |
""",
}
COLUMNS = ("referral_id", "family_id", "site", "epoch", "screening_outcome", "reason", "n_children")


def derived(spec: Spec, cut: str) -> pd.DataFrame:
    tables = {name: values(spec, name, text) for name, text in TEXTS.items()}
    return derive_recruitment(tables, spec.trial.epochs, data_cut=pd.Timestamp(cut))


def test_families_and_other_referrals_by_the_cut(spec: Spec) -> None:
    rows = derived(spec, "2018-12-31")
    assert shown(rows, *COLUMNS) == [
        ("F0002", "F0002", "GLA", "RCB", "randomised", "", 1),
        ("S0001", "F0001", "GLA", "CBR", "randomised", "", 1),
        ("S0002", "", "GLA", "RCB", "declined", "consent_refused", 3),
        ("S0003", "F0003", "LON", "CRB", "randomised", "", 1),
        ("S0004", "", "LON", "", "not_eligible", "age", 1),
    ]


@pytest.mark.parametrize("cut", ["2017-12-31", "2017-10-01"])
def test_a_family_randomised_after_the_cut_is_a_referral_still_open(spec: Spec, cut: str) -> None:
    rows = derived(spec, cut)
    (row,) = shown(rows[rows["referral_id"] == "S0003"], *COLUMNS)
    assert row == ("S0003", "", "LON", "CRB", "", "", 1)
    assert rows["randomisation_date"].notna().sum() == 2


def test_the_day_of_the_cut_belongs_to_it(spec: Spec) -> None:
    assert set(derived(spec, "2018-01-01")["family_id"].dropna()) == {"F0001", "F0002", "F0003"}
    assert "S0003" not in set(derived(spec, "2017-09-30")["referral_id"])


@pytest.mark.parametrize("cut", ["2018-12-31", "2017-12-31", "2014-09-15", "2010-12-31"])
def test_the_table_is_valid_at_any_cut(spec: Spec, cut: str, tmp_path) -> None:
    rows = derived(spec, cut)
    write_table(rows, tmp_path / "recruitment.csv", spec.table("recruitment"), spec)
    assert rows.empty == (cut == "2010-12-31")

"""The data on the day of a cut: a trial by hand, and one in which all that comes later is something else."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis.data.clean import Cleaned, clean_tables
from analysis.data.corrections import read_corrections
from analysis.data.cut import cut_tables
from analysis.data.cut_readout import ALL, NOTHING
from analysis.data.derive import derive
from analysis.data.table import read_text, table_csv, text_csv, typed
from analysis.errors import DataError
from analysis.spec.cuts import TableCut
from analysis.spec.declarations import Spec
from analysis.spec.tables import Field
from tests.conftest import Trial
from tests.unit.data.tables import cells, shown

CUT = "2016-01-01"
# F0001 and F0002 are in the trial. F0003 and C0003 are not yet, F0001 will be removed, C0002 has left.
TEXTS = {
    "screening": """
screening_id | site | local_authority | referral_date | n_children | screening_outcome | family_id
S0001        | GLA  | GLASGOW         | 2014-09-01    | 1          | randomised        | F0001
S0002        | GLA  | GLASGOW         | 2014-09-01    | 1          | randomised        | F0002
S0003        | GLA  | GLASGOW         | 2015-12-31    | 1          | randomised        | F0003
S0004        | GLA  | GLASGOW         | 2016-01-01    | 1          | declined          |
S0005        | GLA  | GLASGOW         | 2016-01-02    | 1          | declined          |
""",
    "families": """
family_id | site | local_authority | epoch | consent_date | randomisation_date | removed_date | removed_reason
F0001     | GLA  | GLASGOW         | CBR   | 2014-12-01   | 2015-01-01         | 2016-01-02   | age         
F0002     | GLA  | GLASGOW         | RCB   | 2016-01-05   | 2016-01-01         |              |
F0003     | GLA  | GLASGOW         | RCB   | 2016-01-05   | 2016-01-02         |              |
""",
    "children": """
child_id | family_id | birth_date | birth_date_precision | sex | care_entry_date | joined_date
C0001    | F0001     | 2011-05-01 | day                  | F   | 2014-06-01      |
C0002    | F0002     | 2013-05-01 | day                  | M   | 2014-06-01      |
C0003    | F0002     | 2012-05-01 | day                  | M   | 2014-06-01      | 2016-01-02
C0004    | F0003     | 2012-05-01 | day                  | M   | 2014-06-01      |
""",
    # C0001: V4's window closed on 2015-12-01, V5's is open. C0002 has left, C0003 and C0004 are not there.
    "assessments": """
child_id | visit | due_date   | visit_date | status    | age_months | informant
C0001    | V3    | 2014-08-01 | 2014-08-01 | attended  | 39         | foster_carer
C0001    | V4    | 2015-09-01 | 2016-01-02 | attended  | 56         | foster_carer
C0001    | V5    | 2017-07-01 | 2017-07-01 | attended  | 74         | foster_carer
C0002    | V3    | 2014-08-01 |            | missed    |            |
C0002    | V4    | 2015-09-01 | 2016-01-01 | attended  | 32         | foster_carer
C0002    | V5    | 2018-07-01 |            | withdrawn |            |
C0003    | V5    | 2018-07-01 | 2018-07-01 | attended  | 74         | foster_carer
C0004    | V5    | 2018-07-01 | 2018-07-01 | attended  | 74         | foster_carer
""",
    "sdq": """
child_id | visit | form | completed_date
C0001    | V4    | 4-17 | 2016-01-02
C0002    | V4    | 2-4  | 2016-01-01
""",
    "placements": """
child_id | start_date | end_date   | placement_code | reason_new | reason_ended | source_system
C0001    | 2014-06-01 | 2016-01-01 | U6             | S          | X1           | SSDA903
C0001    | 2016-01-01 | 2016-01-02 | U4             | P          | E4A          | SSDA903
C0002    | 2014-06-01 | 2016-01-02 | U6             | S          | X1           | SSDA903
C0002    | 2016-01-02 |            | U4             | P          |              | SSDA903
C0004    | 2014-06-01 |            | U6             | S          |              | SSDA903
""",
    "proceedings": """
family_id | application_date | final_order_date | order_type
F0001     | 2015-03-01       | 2016-01-01       | care_order
F0002     | 2015-03-01       | 2016-01-02       | care_order
""",
    "withdrawals": """
withdrawal_id | family_id | child_id | withdrawal_date | withdrawal_level
W0001         | F0002     | C0002    | 2016-01-01      | visits
W0002         | F0001     |          | 2016-01-02      | all
""",
}


@pytest.fixture
def by_hand(spec: Spec) -> Cleaned:
    raw = {name: cells(spec, name, text) for name, text in TEXTS.items()}
    return clean_tables(raw, spec, data_cut=CUT, corrections=read_corrections(None, spec))


def test_each_table_is_as_it_was_on_the_day(by_hand: Cleaned) -> None:
    """The day of the cut is in."""
    tables = by_hand.tables
    assert shown(tables["families"], "family_id", "consent_date", "removed_date", "removed_reason") == [
        ("F0001", "2014-12-01", "", ""),
        ("F0002", "", "", ""),
    ]
    assert shown(tables["screening"], "screening_id", "screening_outcome", "family_id") == [
        ("S0001", "randomised", "F0001"),
        ("S0002", "randomised", "F0002"),
        ("S0003", "", ""),
        ("S0004", "declined", ""),
    ]
    assert shown(tables["children"], "child_id") == [("C0001",), ("C0002",)]
    assert shown(tables["assessments"], "child_id", "visit", "visit_date", "status", "age_months") == [
        ("C0001", "V3", "2014-08-01", "attended", "39"),
        ("C0001", "V4", "", "missed", ""),
        ("C0001", "V5", "", "not_due", ""),
        ("C0002", "V3", "", "missed", ""),
        ("C0002", "V4", "2016-01-01", "attended", "32"),
        ("C0002", "V5", "", "withdrawn", ""),
    ]
    assert shown(tables["sdq"], "child_id", "visit") == [("C0002", "V4")]
    assert shown(tables["placements"], "child_id", "start_date", "end_date", "reason_ended") == [
        ("C0001", "2014-06-01", "2016-01-01", "X1"),
        ("C0001", "2016-01-01", "", ""),
        ("C0002", "2014-06-01", "", ""),
    ]
    assert shown(tables["proceedings"], "family_id", "final_order_date", "order_type") == [
        ("F0001", "2016-01-01", "care_order"),
        ("F0002", "", ""),
    ]
    assert shown(tables["withdrawals"], "withdrawal_id") == [("W0001",)]


def test_what_is_not_there_is_told(by_hand: Cleaned) -> None:
    """One finding per row and per cell, by keys only; and counts that add up."""
    found = [
        (each.rule, each.table, each.key, each.field, each.action)
        for each in by_hand.issues
        if each.rule.startswith("C0")
    ]
    assert [each for each in found if each[1] in ("screening", "families", "children", "sdq")] == [
        ("C01", "children", "C0003", "joined_date", "set_aside"),
        ("C02", "children", "C0004", "family_id", "set_aside"),
        ("C03", "families", "F0001", "removed_date", "set_back"),
        ("C03", "families", "F0001", "removed_reason", "set_back"),
        ("C03", "families", "F0002", "consent_date", "set_back"),
        ("C01", "families", "F0003", "randomisation_date", "set_aside"),
        ("C03", "screening", "S0003", "family_id", "set_back"),
        ("C03", "screening", "S0003", "screening_outcome", "set_back"),
        ("C01", "screening", "S0005", "referral_date", "set_aside"),
        ("C01", "sdq", "C0001/V4", "completed_date", "set_aside"),
    ]
    assert shown(by_hand.removed, "table", "key", "site", "rule") == [
        ("children", "C0003", "GLA", "C01"),
        ("children", "C0004", "GLA", "C02"),
        ("families", "F0003", "GLA", "C01"),
    ]
    counts = by_hand.readout[by_hand.readout["site"] == ALL].set_index("table")
    assert counts.loc["assessments"].tolist()[1:] == [8, 6, 0, 2, 6, 2, 0]
    assert counts.loc["children"].tolist()[1:] == [4, 2, 1, 1, 0, 0, 2]
    both = by_hand.readout
    assert (both["rows"] == both["kept"] + both["removed_by_date"] + both["removed_with_parent"]).all()
    by_site = both[both["site"] != ALL].drop(columns="site").groupby("table").sum()
    assert by_site.loc[counts.index].equals(counts.drop(columns="site"))


def test_a_date_after_the_last_cut_of_the_trial_is_asked_about(spec: Spec) -> None:
    texts = {name: TEXTS[name] for name in ("families", "children")}
    raw = {name: cells(spec, name, text.replace("2016-01-02", "2024-01-01")) for name, text in texts.items()}
    issues = clean_tables(raw, spec, data_cut=CUT, corrections=read_corrections(None, spec)).issues
    found = {(each.rule, each.key, each.severity) for each in issues if each.rule.startswith("C0")}
    assert {("C01", "F0003", "query"), ("C02", "C0004", "note"), ("C03", "F0001", "query")} <= found


def test_closed_rows_go_with_the_families_that_the_open_cut_took(spec: Spec, by_hand: Cleaned) -> None:
    raw = {
        "allocation": cells(
            spec,
            "allocation",
            "family_id | arm | sequence_number\nF0001 | NIM | 1\nF0002 | SAU | 2\nF0003 | NIM | 3",
        ),
        "delivery": cells(
            spec,
            "delivery",
            "family_id | is_received | service_start_date | service_end_date | n_sessions\n"
            "F0001 | true | 2015-02-01 | 2016-01-02 | 9\nF0002 | true | 2016-01-02 | | \nF0003 | false | | |",
        ),
    }
    parents = {name: by_hand.tables[name] for name in ("families", "children")}
    options = {"data_cut": CUT, "corrections": read_corrections(None, spec), "parents": parents}
    cut = clean_tables(raw, spec, **options, removed=by_hand.removed)
    assert cut.tables["allocation"]["family_id"].tolist() == ["F0001", "F0002"]
    columns = ("family_id", "service_start_date", "service_end_date", "n_sessions")
    assert shown(cut.tables["delivery"], *columns) == [("F0001", "2015-02-01", "", "")]
    assert cut.readout.set_index(["table", "site"]).loc[("allocation", "GLA"), "removed_with_parent"] == 1
    with pytest.raises(DataError, match="no such family_id in table families"):
        clean_tables(raw, spec, **options)


@pytest.mark.parametrize(
    ("precise", "rule", "kept"),
    [("day", "last_day", 1), ("month", "last_day", 0), ("month", "first_day", 1)],
)
def test_a_date_kept_by_month_is_the_day_that_is_declared(
    spec: Spec, precise: str, rule: str, kept: int
) -> None:
    """By the last day of the month the child may have joined after the cut."""
    child = (
        "child_id | family_id | birth_date | birth_date_precision\nC0001 | F0001 | 2015-12-01 | " + precise
    )
    by_birth = spec.table("children").model_copy(update={"cut": TableCut(date="birth_date")})
    rules = spec.package.cutRules.model_copy(update={"partial_dates": rule})
    resources = tuple(by_birth if each.name == "children" else each for each in spec.package.resources)
    package = spec.package.model_copy(update={"cutRules": rules, "resources": resources})
    raw = {"children": cells(spec, "children", child)}
    for cut, expected in (("2015-12-30", kept), ("2015-12-31", 1), ("2015-11-30", 0)):
        at = cut_tables(raw, replace(spec, package=package), data_cut=cut, parents={}, gone={})
        assert len(at.tables["children"]) == expected, cut


def test_a_child_not_yet_born_in_a_family_in_the_trial_stops_the_run(spec: Spec) -> None:
    texts = {name: TEXTS[name] for name in ("families", "children")}
    texts["children"] = texts["children"].replace("2011-05-01", "2016-01-02")
    raw = {name: cells(spec, name, text) for name, text in texts.items()}
    with pytest.raises(DataError, match=r"row 2, rule CH03 \(children.birth_date\): Born after the data cut"):
        clean_tables(raw, spec, data_cut=CUT, corrections=read_corrections(None, spec))


def test_every_date_of_a_raw_table_has_its_place(spec: Spec) -> None:
    table = spec.table("withdrawals")
    body = table.model_dump(by_alias=True)
    body["schema"]["fields"] = [*body["schema"]["fields"], Field(name="told_date", type="date", title="Told")]
    with pytest.raises(ValueError, match="say what a data cut makes of the date told_date"):
        type(table).model_validate(body)


# The trial as it comes, and in three versions in which only what lies after the cut is something else.
LATER = "2017-06-30"
OWN = {
    **{"families": "randomisation_date", "children": "joined_date", "placements": "start_date"},
    **{"sdq": "completed_date", "pedsql": "completed_date", "scales": "completed_date"},
    **{"adoption_decisions": "step_date", "proceedings": "application_date", "screening": "referral_date"},
    **{"reported_events": "event_date", "withdrawals": "withdrawal_date", "deviations": "deviation_date"},
}
THEN = {
    "families": {"consent_date": (), "removed_date": ("removed_reason",)},
    "assessments": {"visit_date": ("age_months", "informant")},
    "placements": {"end_date": ("reason_ended",)},
    "adoption_decisions": {"reversed_date": ("reversed_reason",)},
    "proceedings": {"final_order_date": ("order_type",)},
}
PLANNED = {("visits", "opens_date"), ("visits", "closes_date"), ("visits", "due_date")}
Tables = dict[str, pd.DataFrame]


@pytest.fixture(scope="module")
def exported(spec: Spec, trial: Trial) -> Tables:
    """A sixth of the families of the synthetic trial, with all their rows."""
    names = spec.table_names(layer="raw", audience="open")
    tables = {
        name: read_text(trial.folder / "data" / "ingest" / f"{name}.csv", spec.table(name)).astype(object)
        for name in names
    }
    tables |= {name: tables[name].drop_duplicates(list(spec.table(name).key)) for name in names}
    families = set(tables["families"]["family_id"].iloc[::6])
    children = set(tables["children"].loc[tables["children"]["family_id"].isin(families), "child_id"])
    for name, text in tables.items():
        held = text["family_id"].isin(families) if "family_id" in text else text["child_id"].isin(children)
        if name == "screening":
            held |= text["family_id"] == ""
        tables[name] = text[held].reset_index(drop=True)
    return tables


def run(spec: Spec, tables: Mapping[str, pd.DataFrame]) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Clean and derived tables at the cut, as they are written."""
    cleaned = clean_tables(
        dict(tables), spec, data_cut=LATER, corrections=read_corrections(None, spec), removed=NOTHING
    )
    values = {name: typed(text, spec.table(name)) for name, text in cleaned.tables.items()}
    made = derive(values, spec, data_cut=LATER, scales_text=cleaned.tables["scales"]).tables
    for name, frame in made.items():
        for field in spec.table(name).fields:
            if field.type == "date" and (name, field.name) not in PLANNED:
                assert not (frame[field.name] > pd.Timestamp(LATER)).any(), (name, field.name)
    return (
        {name: text_csv(text, spec.table(name), spec) for name, text in cleaned.tables.items()},
        {name: table_csv(frame, spec.table(name), spec) for name, frame in made.items()},
    )


def after(cells_: pd.Series) -> np.ndarray:
    return np.array([cell > LATER and not cell.startswith(".") for cell in cells_], dtype=bool)


def with_other_dates(tables: Tables) -> Tables:
    """Every later date is a thousand days later still."""
    out = {name: text.copy() for name, text in tables.items()}
    for name, text in out.items():
        for column in filter(None, [OWN.get(name), *THEN.get(name, {})]):
            rows = after(text[column])
            moved = pd.to_datetime(text.loc[rows, column]) + pd.Timedelta(1000, "D")
            text.loc[rows, column] = moved.dt.strftime("%Y-%m-%d")
    return out


def with_other_contents(tables: Tables) -> Tables:
    """Later rows, and cells that came later, have each other's contents."""
    generator = np.random.default_rng(5)
    out = {name: text.copy() for name, text in tables.items()}
    for name, text in out.items():
        fixed = {"child_id", "family_id", "visit", "scale", "step", "category", "source_file", "source_row"}
        if own := OWN.get(name):
            rows = np.flatnonzero(after(text[own]))
            ids = {own, f"{name[:-1]}_id", "event_id", "screening_id"} | fixed
            columns = [each for each in text if each not in ids]
            text.loc[rows, columns] = text.loc[generator.permutation(rows), columns].to_numpy()
        for date, beside in THEN.get(name, {}).items():
            rows = np.flatnonzero(after(text[date]))
            columns = [date, *beside]
            text.loc[rows, columns] = text.loc[generator.permutation(rows), columns].to_numpy()
    return out


def exported_on_the_day(tables: Tables) -> Tables:
    """The export that would have been made on the day: written a second time, row by row."""
    families = {row["family_id"]: row for row in tables["families"].to_dict("records")}
    children = {row["child_id"]: row for row in tables["children"].to_dict("records")}
    gone = {key for key, row in families.items() if row["randomisation_date"] > LATER}
    gone |= {key for key, row in children.items() if row["joined_date"] > LATER or row["family_id"] in gone}
    out = {}
    for name, text in tables.items():
        kept = []
        for row in text.to_dict("records"):
            if name == "screening" and row["family_id"] in gone:
                row |= {"family_id": "", "screening_outcome": ""}
            if row[OWN[name]] > LATER if name in OWN else False:
                continue
            if {row.get("family_id"), row.get("child_id")} & gone:
                continue
            if name == "assessments":
                row["status"] = _status_on_the_day(row, families, children, tables["withdrawals"])
            for date, beside in THEN.get(name, {}).items():
                if row[date] > LATER:
                    row |= dict.fromkeys((date, *beside), "")
            kept.append(row)
        out[name] = pd.DataFrame(kept, columns=text.columns, dtype=object)
    return out


def _status_on_the_day(row: dict, families: dict, children: dict, withdrawals: pd.DataFrame) -> str:
    child = children[row["child_id"]]
    family = families[child["family_id"]]
    days = {"V3": ("care_entry_date", 98), "V4": ("care_entry_date", 548), "V5": ("randomisation_date", 1278)}
    origin, last = days[row["visit"]]
    closes = pd.Timestamp({**family, **child}[origin]) + pd.Timedelta(last, "D")
    if row["status"] == "attended" and "" < row["visit_date"] <= LATER:
        return "attended"
    if row["status"] == "withdrawn":
        left = withdrawals[withdrawals["withdrawal_date"] <= LATER]
        whole = left.loc[left["child_id"] == "", "family_id"]
        if (
            "" < family["removed_date"] <= LATER
            or child["family_id"] in set(whole)
            or row["child_id"] in set(left["child_id"])
        ):
            return "withdrawn"
    if closes > pd.Timestamp(LATER):
        return "not_due"
    return "missed" if row["visit_date"] > LATER else row["status"]


@pytest.mark.parametrize("changed", [with_other_dates, with_other_contents, exported_on_the_day])
def test_nothing_of_the_cut_depends_on_what_came_later(spec: Spec, exported: Tables, changed) -> None:
    other = changed(exported)
    differing = {name for name, text in exported.items() if not text.equals(other[name])}
    assert {"families", "assessments", "placements", "sdq", "proceedings"} <= differing
    (clean, derived), (clean_too, derived_too) = run(spec, exported), run(spec, other)
    assert [name for name in clean if clean[name] != clean_too[name]] == []
    assert [name for name in derived if derived[name] != derived_too[name]] == []
    assert all(len(text.splitlines()) > 1 for text in derived.values())

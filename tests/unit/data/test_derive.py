"""All derived tables from a small trial written by hand, each valid by its schema; and its issues."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from analysis.data.derive import Derived, derive
from analysis.data.issues import as_frame, count_issues, stop_if_any
from analysis.data.table import read_table, write_table
from analysis.data.writing import write_whole
from analysis.errors import DataError
from analysis.spec.declarations import Spec
from analysis.spec.issue import Issue
from analysis.spec.trial import ClockOrigin
from tests.unit.data.tables import cells, shown, values

TEXTS = {
    "screening": """
screening_id | site | local_authority | referral_date | n_children | screening_outcome | family_id
S0001        | GLA  | GLASGOW         | 2014-09-01    | 2          | randomised        | F0001
S0002        | GLA  | GLASGOW         | 2014-09-01    | 1          | randomised        | F0002
S0003        | GLA  | GLASGOW         | 2014-09-01    | 1          | declined          |
""",
    "families": """
family_id | site | local_authority | epoch | randomisation_date
F0001     | GLA  | GLASGOW         | CBR   | 2015-01-01
F0002     | GLA  | GLASGOW         | CBR   | 2015-01-01
""",
    "children": """
child_id | family_id | birth_date | birth_date_precision | sex | care_entry_date | joined_date
C0001    | F0001     | 2011-05-01 | day                  | F   | 2014-10-01      |
C0002    | F0001     | 2013-05-01 | day                  | M   | 2014-10-01      |
C0003    | F0002     | 2012-05-01 | day                  | M   | 2014-10-01      |
""",
    "assessments": """
child_id | visit | due_date   | visit_date | status
C0001    | V3    | 2014-12-01 | 2014-12-01 | attended
C0001    | V5    | 2017-07-01 | 2017-07-01 | attended
C0002    | V5    | 2017-07-01 |            | missed
C0003    | V5    | 2017-07-01 | 2017-07-01 | attended
""",
    "sdq": "child_id | visit | form | completed_date\nC0001 | V5 | 4-17 | 2017-07-01",
    "pedsql": "child_id",
    "scales": "child_id | visit | scale | completed_date | score\n"
    "C0001 | V3 | PIRGAS | 2014-12-01 | .lost\n"
    "C0003 | V5 | PIRGAS | 2017-07-01 | 70",
    # C0001 goes home, then straight to long-term carers. C0002 is first seen 31 days after randomisation.
    # C0003 dies by report, and a placement begins after that.
    "placements": """
child_id | start_date | end_date   | placement_code | reason_new | reason_ended | source_system
C0001    | 2014-10-01 | 2015-04-11 | U6             | S          | E4A          | SSDA903
C0001    | 2015-07-20 |            | U4             | S          |              | SSDA903
C0002    | 2015-02-01 |            | U6             | S          |              | SSDA903
C0003    | 2014-10-01 | 2015-07-20 | U6             | S          | X1           | SSDA903
C0003    | 2015-07-20 |            | U6             | P          |              | SSDA903
""",
    "adoption_decisions": "child_id",
    "proceedings": "family_id",
    "reported_events": """
event_id | family_id | child_id | event_date | category    | is_serious | relatedness
E0001    | F0002     | C0003    | 2015-04-11 | child_death | true       | unrelated
""",
    "withdrawals": "withdrawal_id",
    "deviations": "family_id",
}


@pytest.fixture
def derived(spec: Spec) -> Derived:
    tables = {name: values(spec, name, text) for name, text in TEXTS.items()}
    return derive(tables, spec, data_cut="2016-01-01", scales_text=cells(spec, "scales", TEXTS["scales"]))


def test_every_derived_table_is_there_and_valid(spec: Spec, derived: Derived, tmp_path: Path) -> None:
    assert tuple(sorted(derived.tables)) == tuple(sorted(spec.table_names(layer="derived", audience="open")))
    for name, frame in derived.tables.items():
        write_table(frame, tmp_path / f"{name}.csv", spec.table(name), spec)
        assert len(read_table(tmp_path / f"{name}.csv", spec.table(name))) == len(frame)


def test_every_child_and_every_family_is_somewhere(derived: Derived) -> None:
    assert derived.tables["subjects"]["child_id"].tolist() == ["C0001", "C0002", "C0003"]
    boxes = derived.tables["flow"]
    assert shown(boxes[boxes["stage"] == "followed_up"], "unit_id", "box") == [
        ("C0001", "in"),
        ("C0002", "lost"),
        ("C0003", "in"),
        ("F0001", "in"),
        ("F0002", "in"),
    ]


def test_reasons_in_the_cells_reach_the_outcomes(derived: Derived) -> None:
    rows = derived.tables["outcomes"]
    pirgas = rows[rows["parameter"] == "PIRGAS"].sort_values(["child_id", "visit"])
    assert shown(pirgas, "child_id", "visit", "value", "missing_reason") == [
        ("C0001", "V3", "", "lost"),
        ("C0001", "V5", "", "not_due_yet"),  # its window is open on the day of the cut
        ("C0002", "V5", "", "not_attended"),
        ("C0003", "V5", 70.0, ""),
    ]


def test_what_the_histories_reveal(derived: Derived) -> None:
    """A move off the graph by both bases, a late entry, a placement and an event after death."""
    found = [
        (each.rule, each.severity, each.key, each.source_file, each.source_row) for each in derived.issues
    ]
    assert sorted(found) == [
        ("TR01", "query", "C0001/legal/100", "export.csv", 3),
        ("TR01", "query", "C0001/physical/100", "export.csv", 3),
        ("TR02", "note", "C0002/legal/31", "export.csv", 4),
        ("TR03", "query", "C0003/2015-07-20", "export.csv", 6),
        ("TR04", "query", "C0003/2017-07-01", "export.csv", 5),
    ]
    assert all(each.action == "keep" and each.table == "transitions" for each in derived.issues)


LEFT_OUT = """
child_id | start_date | end_date   | placement_code | legal_status | reason_new | reason_ended
C0001    | 2013-01-01 | 2013-03-01 | U6             | C1           | S          | E3
C0001    | 2014-10-01 | 2015-04-11 | U6             | C1           | S          | X1
C0001    | 2015-04-14 | 2015-06-11 | A6             | E1           | B          | E12
C0002    | 2014-10-01 | 2014-10-03 | U6             | V4           | S          | E4A
C0002    | 2014-11-01 |            | U6             | C1           | S          |
C0003    | 2014-10-01 | 2015-04-01 | U6             | C1           | S          | E2
"""


def test_what_is_left_out_or_cannot_be_seen_is_noted(spec: Spec) -> None:
    """A loss before the origin, a short break, a gap within the tolerance, two days of death, an adoption."""
    tables = {name: values(spec, name, text) for name, text in {**TEXTS, "placements": LEFT_OUT}.items()}
    states = spec.states.model_copy(update={"gap_tolerance_days": 3})
    found = derive(tables, replace(spec, states=states), data_cut="2016-01-01").issues
    noted = [(each.rule, each.severity, each.key, each.source_row) for each in found if each.rule > "TR05"]
    assert sorted(noted) == [
        ("TR06", "note", "C0002/2014-10-01", 5),
        ("TR07", "note", "C0001/2013-01-01", 2),
        ("TR08", "note", "C0001/2015-04-14", 4),
        ("TR09", "query", "C0003/2014-10-01", 7),
        ("TR10", "note", "C0001/2015-04-14", 4),
    ]


def test_a_history_without_findings(spec: Spec) -> None:
    texts = {
        **TEXTS,
        "placements": "\n".join(TEXTS["placements"].strip().splitlines()[:2]),
        "reported_events": "event_id",
    }
    out = derive(
        {name: values(spec, name, text) for name, text in texts.items()}, spec, data_cut="2016-01-01"
    )
    assert out.issues == ()


def test_the_tables_given_are_not_changed(spec: Spec) -> None:
    tables = {name: values(spec, name, text) for name, text in TEXTS.items()}
    before = {name: frame.copy() for name, frame in tables.items()}
    derive(tables, spec, data_cut="2016-01-01")
    for name, frame in tables.items():
        pd.testing.assert_frame_equal(frame, before[name])


def test_the_order_of_rows_does_not_matter(spec: Spec, derived: Derived, tmp_path: Path) -> None:
    """Written in the order of the key, the bytes are the same; but for the lines that rows came from."""
    tables = {name: values(spec, name, text) for name, text in TEXTS.items()}
    turned = {name: frame.iloc[::-1].reset_index(drop=True) for name, frame in tables.items()}
    text = cells(spec, "scales", TEXTS["scales"]).iloc[::-1].reset_index(drop=True)
    other = derive(turned, spec, data_cut="2016-01-01", scales_text=text)
    for name in derived.tables:
        for folder, tables_of in (("a", derived.tables), ("b", other.tables)):
            write_table(tables_of[name], tmp_path / folder / f"{name}.csv", spec.table(name), spec)
        assert (tmp_path / "a" / f"{name}.csv").read_bytes() == (
            tmp_path / "b" / f"{name}.csv"
        ).read_bytes(), name


def test_harms_count_from_randomisation_whatever_the_clock(spec: Spec) -> None:
    """With care entry as the clock's origin, the death on 2015-04-11 is still day 100 of the trial."""
    trial = spec.trial.model_copy(update={"clock_origin": ClockOrigin(field="care_entry_date")})
    tables = {name: values(spec, name, text) for name, text in TEXTS.items()}
    out = derive(tables, replace(spec, trial=trial), data_cut="2016-01-01")
    assert out.tables["harms"]["day"].tolist() == [100]
    # 2014-10-01 is 92 days before randomisation.
    legal = out.tables["transitions"].query("child_id == 'C0001' and basis == 'legal'")
    assert shown(legal, "start", "stop")[0] == (0, 192)


def issue(rule: str, severity: str = "query", row: int = 2) -> Issue:
    return Issue("sdq", "a.csv", row, "C0001/V3", "q01", rule, severity, "keep", "a message, with a comma")


def test_issues_are_counted_over_all_files(tmp_path: Path) -> None:
    """An empty table of issues is a file like any other."""
    for name, found in {
        "sdq": [issue("S06"), issue("S06", row=3), issue("S03", "note")],
        "pedsql": [issue("S06")],
        "scales": [],
    }.items():
        write_whole(tmp_path / f"{name}.csv", as_frame(found).to_csv(index=False).encode())
    assert count_issues([tmp_path]) == [
        ("S03", "note", "a message, with a comma", 1),
        ("S06", "query", "a message, with a comma", 3),
    ]


@pytest.mark.parametrize("names", [(), ("sdq",)])
def test_no_issues_at_all(tmp_path: Path, names: tuple[str, ...]) -> None:
    for name in names:
        write_whole(tmp_path / f"{name}.csv", as_frame([]).to_csv(index=False).encode())
    assert count_issues([tmp_path]) == []


def test_only_a_stop_stops() -> None:
    stop_if_any([issue("S06"), issue("S03", "note")])
    with pytest.raises(DataError, match=r"^a.csv, row 9, rule S07 \(sdq.q01\): a message, with a comma\.$"):
        stop_if_any([issue("S06"), issue("S07", "stop", 9)])

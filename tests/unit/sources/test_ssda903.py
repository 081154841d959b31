"""England's returns: whose they are, which year, which version of a row counts, and what cannot be open."""

import pytest

from analysis.errors import BlindingError, SourceError
from analysis.sources.ingest import Ingested
from tests.unit.sources.conftest import Exports

HEADER = "CHILD,DECOM,RNE,LS,CIN,PLACE,DEC,REC,URN\n"
SOURCE = {
    "table": "placements",
    "kind": "ssda903",
    "files": "*/episodes_*",
    "authority": {"pattern": "(?P<authority>[A-Z]+)/episodes_(?P<year>[0-9]{4})"},
    "columns": {
        "child_id": "CHILD",
        "start_date": "DECOM",
        "end_date": "DEC",
        "placement_code": "PLACE",
        "legal_status": "LS",
        "reason_new": "RNE",
        "reason_ended": "REC",
    },
    "constants": {"source_system": "SSDA903"},
    "latest_by": ["CHILD", "DECOM"],
    "category_of_need": "CIN",
    "carer": ["URN"],
    "repairs": ["3", "3A", "2", "1A", "1", "4", "5"],
}
CHILDREN = {
    "table": "children",
    "files": "children.csv",
    "columns": {
        "child_id": "id",
        "family_id": "family",
        "birth_date": "dob",
        "birth_date_precision": "precision",
        "sex": "sex",
        "care_entry_date": "entry",
        "joined_date": "joined",
    },
}


@pytest.fixture
def read(exports: Exports):
    def run(files: dict[str, str], **changed: object) -> Ingested:
        for name, rows in files.items():
            lines = [line.strip() for line in rows.strip().splitlines()]
            exports.write(name, HEADER + "".join(f"{line}\n" for line in lines))
        out = exports.read({**SOURCE, **changed}, tables=("placements",))
        check_rows_add_up(out)
        return out

    return run


def check_rows_add_up(out: Ingested) -> None:
    for each in out.counts:
        left = each.rows_elsewhere + each.rows_blank + each.rows_superseded + each.rows_set_aside
        assert each.rows_in == each.rows_kept + left, each
        aside = [
            issue for issue in out.issues if (issue.source_file, issue.action) == (each.file, "set_aside")
        ]
        assert len(aside) == each.rows_set_aside
    kept = sum(each.rows_kept for each in out.counts if each.table == "placements")
    assert kept == len(out.tables["placements"])


def rows(out: Ingested, *names: str) -> list[tuple[str, ...]]:
    return sorted(map(tuple, out.tables["placements"][list(names)].to_numpy().tolist()))


def found(out: Ingested) -> list[tuple[str, str, int]]:
    return [(each.rule, each.source_file, each.source_row) for each in out.issues]


ENDS = ("child_id", "start_date", "end_date", "reason_ended")
OPEN_2018 = "C0001,01/06/2017,S,C1,N1,U6,,,"


def test_the_latest_submission_wins_by_content_not_by_name(read) -> None:
    """Here names give the year a return began in, as some extracts do; a live row repeated says nothing."""
    out = read(
        {
            "A/episodes_2017.csv": f"{OPEN_2018}\nC0002,01/03/2018,S,C1,N1,U6,,,",
            "A/episodes_2018.csv": """C0001,01/06/2017,S,C1,N1,U6,05/03/2019,E4A,
                                      C0002,01/03/2018,S,C1,N1,U6,,,""",
        }
    )
    assert rows(out, *ENDS) == [
        ("C0001", "2017-06-01", "2019-03-05", "E4A"),
        ("C0002", "2018-03-01", "", ""),
    ]
    assert [(each.rows_in, each.rows_kept, each.rows_superseded) for each in out.counts] == [
        (2, 0, 2),
        (2, 2, 0),
    ]
    assert found(out) == [("R33", "A/episodes_2017.csv", 2), ("R33", "A/episodes_2018.csv", 2)]


def test_the_order_of_names_does_not_count_against_the_content(read) -> None:
    """Without a year in the names, a file that comes first by name may be the later return."""
    source = {"authority": {"pattern": "(?P<authority>[A-Z]+)/"}}
    out = read(
        {
            "A/episodes_a.csv": "C0001,01/06/2017,S,C1,N1,U6,05/03/2019,E4A,",
            "A/episodes_b.csv": OPEN_2018,
        },
        **source,
    )
    assert rows(out, *ENDS) == [("C0001", "2017-06-01", "2019-03-05", "E4A")]


def test_authorities_do_not_mix(read) -> None:
    """The same number and day in another authority is another episode, and its returns are another series."""
    out = read(
        {
            "A/episodes_2018.csv": "C0001,01/03/2018,S,C1,N1,U6,,,\nC0008,02/03/2018,S,C1,N1,U6,,,",
            "B/episodes_2018.csv": OPEN_2018.replace("01/06/2017", "01/03/2018"),
            "B/episodes_2019.csv": "C0009,01/03/2019,S,C1,N1,U6,,,\nC0001,01/03/2018,S,C1,N1,U6,,,",
        }
    )
    assert [(each.file, each.rows_superseded) for each in out.counts] == [
        ("A/episodes_2018.csv", 0),
        ("B/episodes_2018.csv", 1),
        ("B/episodes_2019.csv", 0),
    ]
    assert found(out) == []


@pytest.mark.parametrize(
    ("later", "rule", "fields"),
    [
        ("C0001,01/06/2017,S,C1,N1,U6,05/03/2019,E4A,", None, ()),
        ("c0001,2017-06-01,s,c1,n1,u6,05/03/2019,E4A,", None, ()),
        ("C0001,01/06/2017,S,C1,N1,U4,,,", "R32", ("placement_code", "503D")),
        ("C0001,01/06/2017,P,C2,N1,U6,,,", "R32", ("reason_new, legal_status", "503A, 503B")),
        ("C0001,01/06/2017,S,C1,N4,U6,,,", "R32", ("category_of_need", "503C")),
    ],
)
def test_what_a_restated_open_episode_may_change(read, later, rule, fields) -> None:
    out = read(
        {"A/episodes_2018.csv": f"{OPEN_2018}\nC0002,01/03/2018,S,C1,N1,U6,05/03/2018,E4A,",
         "A/episodes_2019.csv": f"{later}\nC0003,01/03/2019,S,C1,N1,U6,,,"}
    )  # fmt: skip
    # S10 counts forms of dates, and is not of this reader.
    issues = [each for each in out.issues if each.rule != "S10"]
    assert [each.rule for each in issues] == ([rule] if rule else [])
    for each in issues:
        assert all(part in each.message for part in fields)
        assert (each.severity, each.action, each.key) == ("query", "superseded", "C0001/2017-06-01")


def test_an_amended_closed_episode_is_noted_with_its_fields_and_no_value(read) -> None:
    out = read(
        {"A/episodes_2018.csv": "C0001,01/06/2017,S,C1,N1,U6,05/03/2018,E4A,",
         "A/episodes_2019.csv": "C0001,01/06/2017,S,C1,N1,U6,07/03/2018,E13,\nC0003,01/03/2019,S,C1,N1,U6,,,"}
    )  # fmt: skip
    (issue,) = out.issues
    assert (issue.rule, issue.severity) == ("R31", "note")
    assert issue.message == "superseded by a later return that changes end_date, reason_ended"


def test_an_episode_left_out_of_one_return_and_one_that_comes_too_late(read) -> None:
    out = read(
        {
            "A/episodes_2018.csv": "C0001,01/03/2018,S,C1,N1,U6,,,",
            "A/episodes_2019.csv": "C0002,01/03/2019,S,C1,N1,U6,,,\nC0003,01/02/2018,S,C1,N1,U6,,,",
            "A/episodes_2020.csv": """C0001,01/03/2018,S,C1,N1,U6,,,
                C0002,01/03/2019,S,C1,N1,U6,05/03/2020,E4A,
                C0003,01/02/2018,S,C1,N1,U6,,,""",
        }
    )
    assert found(out) == [("R35", "A/episodes_2018.csv", 2), ("R36", "A/episodes_2019.csv", 3)]


def test_a_year_without_a_return_and_a_second_one_of_a_year(read) -> None:
    out = read(
        {
            "A/episodes_2018.csv": "C0001,01/03/2018,S,C1,N1,U6,05/03/2018,E4A,",
            "A/episodes_2018_again.csv": "C0001,01/03/2018,S,C1,N1,U6,06/03/2018,E4A,",
            "A/episodes_2020.csv": "C0002,01/03/2020,S,C1,N1,U6,,,",
        }
    )
    assert [each.rule for each in out.issues] == ["R31", "R34", "R37"]
    assert ("C0001", "2018-03-01", "2018-03-06", "E4A") in rows(out, *ENDS)


LAST = "C0009,01/03/2019,S,C1,N1,U6,,,"
STALE = {
    "never followed": ("", ("2018-03-31", "E99"), "R42"),
    "a new start before the year's end": (
        "C0001,01/02/2018,S,C1,N1,U6,10/03/2018,E4A,",
        ("2018-01-31", "E99"),
        "R43",
    ),
    "a new start after it": ("C0001,01/02/2019,S,C1,N1,U6,,,", ("2018-03-31", "E99"), "R43"),
    "another placement": ("C0001,01/02/2019,P,C1,N1,U6,,,", ("2019-02-01", "X1"), "R44"),
}


@pytest.mark.parametrize("case", STALE)
def test_a_stale_open_episode_is_closed(read, case: str) -> None:
    later, end, rule = STALE[case]
    out = read({"A/episodes_2018.csv": OPEN_2018, "A/episodes_2019.csv": f"{LAST}\n{later}"})
    assert ("C0001", "2017-06-01", *end) in rows(out, *ENDS)
    assert (rule, "query", "repaired") in {(each.rule, each.severity, each.action) for each in out.issues}


def test_the_same_episode_from_another_day_is_one_where_the_carer_is_known(read) -> None:
    """RULE_3; with the carer's number blank the two could be different homes, and the first is closed."""
    moved = "C0001,03/06/2017,S,C1,N1,U6,,,{}"
    for urn, kept, rule in (("SC1", 2, "R40"), ("", 3, "R43")):
        out = read(
            {
                "A/episodes_2018.csv": f"C0001,01/06/2017,S,C1,N1,U6,,,{urn}",
                "A/episodes_2019.csv": f"{LAST}\n{moved.format(urn)}",
            }
        )
        assert len(out.tables["placements"]) == kept
        assert rule in {each.rule for each in out.issues}


def test_an_open_episode_within_one_of_a_later_return_leaves(read) -> None:
    """RULE_3A; one that only comes before it and has ended takes nothing away."""
    out = read(
        {"A/episodes_2018.csv": OPEN_2018,
         "A/episodes_2019.csv": f"{LAST}\nC0001,01/05/2017,S,C1,N1,U6,05/02/2019,E4A,"}
    )  # fmt: skip
    assert ("R41", "set_aside") in {(each.rule, each.action) for each in out.issues}
    assert rows(out, "start_date") == [("2017-05-01",), ("2019-03-01",)]


def test_an_overlap_and_a_gap_between_two_returns(read) -> None:
    out = read(
        {
            "A/episodes_2018.csv": """C0001,01/06/2017,S,C1,N1,U6,20/03/2018,X1,
                                      C0002,01/06/2017,S,C1,N1,U6,20/03/2018,X1,""",
            "A/episodes_2019.csv": f"""{LAST}
                C0001,15/03/2018,P,C1,N1,U4,,,
                C0002,25/03/2018,P,C1,N1,U4,,,""",
        }
    )
    assert ("C0001", "2017-06-01", "2018-03-15", "X1") in rows(out, *ENDS)
    assert ("C0002", "2017-06-01", "2018-03-25", "X1") in rows(out, *ENDS)
    assert {"R45", "R46"} <= {each.rule for each in out.issues}


def test_a_first_day_that_cannot_be_read_is_left_to_the_checks(read) -> None:
    """And an id in another alphabet is still the child's: its later row closes the stale one."""
    out = read(
        {
            "A/episodes_2018.csv": f"{OPEN_2018}\nC0002,31/02/2018,S,C1,N1,U6,,,",
            "A/episodes_2019.csv": f"{LAST}\n\u04210001,01/02/2019,P,C1,N1,U6,,,",
        }
    )
    assert ("C0002", "31/02/2018", "", "") in rows(out, *ENDS)
    assert ("C0001", "2017-06-01", "2019-02-01", "X1") in rows(out, *ENDS)


@pytest.mark.parametrize("later", ["", "C0001,01/06/2018,P,C2,N1,U1,,,7", "C0001,01/06/2018,S,C2,N1,U1,,,7"])
@pytest.mark.parametrize("end", [",", "01/09/2018,X1", "01/03/2018,X1"])
def test_an_episode_given_twice_is_repaired_as_once(read, later: str, end: str) -> None:
    """So that it is the same record twice for the checks of keys, and no contradiction."""
    first, another = f"C0001,01/01/2018,S,C2,N1,U1,{end},5", "C0002,01/05/2019,S,C2,N1,U1,,,5"
    last = f"{later}\n{another}"
    files = {"ANNET/episodes_2018": first, "ANNET/episodes_2019": last}
    once = rows(read(files), "child_id", "start_date", "end_date", "reason_ended")
    files = {"ANNET/episodes_2018": f"{first}\n{first}", "ANNET/episodes_2019": f"{last}\n{last}"}
    assert rows(read(files), "child_id", "start_date", "end_date", "reason_ended") == sorted(2 * once)


def test_short_breaks_are_no_neighbours(read) -> None:
    """A break within a stale episode neither closes it nor is cut by it."""
    out = read(
        {
            "A/episodes_2018.csv": f"{OPEN_2018}\nC0001,01/08/2017,S,V4,N1,U6,03/08/2017,E4A,",
            "A/episodes_2019.csv": LAST,
        }
    )
    assert ("C0001", "2017-06-01", "2018-03-31", "E99") in rows(out, *ENDS)
    assert ("C0001", "2017-08-01", "2017-08-03", "E4A") in rows(out, *ENDS)


def test_without_a_declared_repair_a_stale_episode_is_set_aside(read) -> None:
    out = read({"A/episodes_2018.csv": OPEN_2018, "A/episodes_2019.csv": LAST}, repairs=[])
    assert ("R47", "set_aside") in {(each.rule, each.action) for each in out.issues}
    assert rows(out, "child_id") == [("C0009",)]


def test_only_the_trials_children_are_kept_and_the_others_are_counted(exports: Exports) -> None:
    exports.write(
        "children.csv", "id,family,dob,precision,sex,entry,joined\nC0001,F0001,2016-01-01,day,F,2017-06-01,\n"
    )
    exports.write("A/episodes_2018.csv", f"{HEADER}{OPEN_2018}\nC0777,01/03/2018,S,C1,N1,U6,,,\n")
    source = {**SOURCE, "only_children_of": "children"}
    out = exports.read(source, CHILDREN, tables=("placements", "children"))
    check_rows_add_up(out)
    assert rows(out, "child_id") == [("C0001",)]
    (count,) = [each for each in out.counts if each.table == "placements"]
    assert (count.rows_in, count.rows_kept, count.rows_elsewhere) == (2, 1, 1)
    assert not any("C0777" in str(each) for each in out.issues)
    with pytest.raises(SourceError, match="table children is not read with it"):
        exports.read(source, tables=("placements",), ignore_files=("children.csv",))


LIST = {"linkage": {"file": "list.csv", "child": "number", "child_id": "trial", "authority": "la"}}


def test_a_list_of_numbers_leads_to_the_trials_children(exports: Exports) -> None:
    """A child adopted and back under another number is one child; the same number elsewhere is another's."""
    exports.write("list.csv", "la,number,trial\nA,77,C0001\nA,99.0,C0001\nB,77,C0002\n")
    episodes = "77.0,01/06/2017,S,C1,N1,U6,01/08/2017,E12,\n99,01/02/2018,S,C1,N1,U6,,,\n"
    exports.write("A/episodes_2018.csv", f"{HEADER}{episodes}55,01/03/2018,S,C1,N1,U6,,,\n")
    exports.write("B/episodes_2018.csv", f"{HEADER}77,01/06/2017,S,C1,N1,U6,,,\n")
    out = exports.read({**SOURCE, **LIST}, tables=("placements",))
    check_rows_add_up(out)
    assert rows(out, "child_id", "start_date") == [
        ("C0001", "2017-06-01"),
        ("C0001", "2018-02-01"),
        ("C0002", "2017-06-01"),
    ]
    assert {each.file: each.rows_elsewhere for each in out.counts} == {
        "A/episodes_2018.csv": 1,
        "B/episodes_2018.csv": 0,
        "list.csv": 0,
    }
    assert not [each for each in out.issues if each.rule == "R48"]


def test_an_authority_without_a_child_of_the_trial_is_asked_about(exports: Exports) -> None:
    """As when its numbers are written in another way than in the list: its rows would go unnoticed."""
    exports.write("list.csv", "la,number,trial\nA,77,C0001\nB,0099,C0002\n")
    exports.write("A/episodes_2018.csv", f"{HEADER}77,01/06/2017,S,C1,N1,U6,,,\n")
    exports.write("B/episodes_2018.csv", f"{HEADER}99,01/02/2018,S,C1,N1,U6,,,\n")
    out = exports.read({**SOURCE, **LIST}, tables=("placements",))
    check_rows_add_up(out)
    found = [(each.source_file, each.source_row, each.severity) for each in out.issues if each.rule == "R48"]
    assert found == [("B/episodes_2018.csv", 2, "query")]


def test_a_list_without_authorities_holds_for_all_of_them(exports: Exports) -> None:
    exports.write("list.csv", "number,trial\n77,C0001\n99,C0001\n")
    exports.write("A/episodes_2018.csv", f"{HEADER}77.0,01/06/2017,S,C1,N1,U6,01/08/2017,E12,\n")
    exports.write(
        "B/episodes_2018.csv", f"{HEADER}99,01/02/2018,S,C1,N1,U6,,,\n55,01/03/2018,S,C1,N1,U6,,,\n"
    )
    linkage = {name: value for name, value in LIST["linkage"].items() if name != "authority"}
    out = exports.read({**SOURCE, "linkage": linkage}, tables=("placements",))
    check_rows_add_up(out)
    assert rows(out, "child_id", "start_date") == [("C0001", "2017-06-01"), ("C0001", "2018-02-01")]


@pytest.mark.parametrize(
    ("listed", "error", "words"),
    [
        ("la,number,trial\nA,77,C0001\nA,77,C0002\n", SourceError, "list.csv, row 2: one number"),
        ("la,number\nA,77\n", SourceError, "list.csv, row 1: no column 'trial'"),
        ("la,number,trial,arm\nA,77,C0001,x\n", BlindingError, "list.csv, row 1: column 'arm'"),
        ("la,number,trial,name\nA,77,C0001,x\n", SourceError, "column 'name' is not in the mapping"),
        ("la,number,trial,Zoe Quux\nA,77,C0001,x\n", SourceError, "row 1: column 4 is not in the mapping"),
        (None, SourceError, "list.csv: no such file"),
    ],
)
def test_a_list_that_cannot_be_used(exports: Exports, listed, error, words) -> None:
    if listed is not None:
        exports.write("list.csv", listed)
    exports.write("A/episodes_2018.csv", f"{HEADER}77,01/06/2017,S,C1,N1,U6,,,\n")
    with pytest.raises(error, match=words):
        exports.read({**SOURCE, **LIST}, tables=("placements",))


DECISIONS = {
    "table": "adoption_decisions",
    "kind": "ssda903",
    "files": "*/placed_*",
    "authority": SOURCE["authority"] | {"pattern": "(?P<authority>[A-Z]+)/placed_(?P<year>[0-9]{4})"},
    "columns": {
        "child_id": "CHILD",
        "step_date": "DATE_PLACED",
        "reversed_date": "DATE_PLACED_CEASED",
        "reversed_reason": "REASON_PLACED_CEASED",
    },
    "constants": {"step": "decision"},
    "latest_by": ["CHILD", "DATE_PLACED"],
    "ignore": ["DOB"],
}


def test_decisions_on_adoption_of_several_years_and_their_later_reversal(exports: Exports) -> None:
    header = "CHILD,DOB,DATE_PLACED,DATE_PLACED_CEASED,REASON_PLACED_CEASED\n"
    exports.write("A/placed_2018.csv", f"{header}C0001,01/01/2016,01/02/2018,,\n")
    exports.write("A/placed_2019.csv", f"{header}C0001,01/01/2016,01/02/2018,03/03/2019,RD1\n")
    out = exports.read(DECISIONS, tables=("adoption_decisions",))
    names = ["child_id", "step", "step_date", "reversed_date", "reversed_reason"]
    assert out.tables["adoption_decisions"][names].to_numpy().tolist() == [
        ["C0001", "decision", "2018-02-01", "2019-03-03", "RD1"]
    ]
    assert [(each.rows_kept, each.rows_superseded) for each in out.counts] == [(0, 1), (1, 0)]


def test_an_authority_by_column_or_not_at_all(exports: Exports) -> None:
    exports.write("x/episodes_1.csv", f"LA,{HEADER}A,{OPEN_2018}\nB,{OPEN_2018}\n")
    out = exports.read({**SOURCE, "authority": {"column": "LA"}}, tables=("placements",))
    assert len(out.tables["placements"]) == 2
    with pytest.raises(SourceError, match="x/episodes_1.csv: its path"):
        exports.read({**SOURCE, "ignore": ["LA"]}, tables=("placements",))


def test_rows_in_another_order_give_the_same(exports: Exports) -> None:
    lines = [OPEN_2018, "C0002,01/06/2017,S,C1,N1,U6,20/03/2018,X1,", "C0001,01/08/2017,P,C1,N1,U4,,,"]
    made = []
    for order in (lines, lines[::-1]):
        exports.write("A/episodes_2018.csv", HEADER + "".join(f"{line}\n" for line in order))
        exports.write("A/episodes_2019.csv", f"{HEADER}{LAST}\nC0002,25/03/2018,P,C1,N1,U4,,,\n")
        out = exports.read(SOURCE, tables=("placements",))
        made.append((rows(out, *ENDS), sorted((each.rule, each.key) for each in out.issues)))
    assert made[0] == made[1]


def test_an_old_return_under_a_new_name_is_asked_about(read) -> None:
    """One row less than the return it repeats, so no copy: it opens again what has ended since."""
    row = "C0001,01/06/2017,S,C1,N1,U6,{},{},"
    out = read(
        {
            "A/episodes_2018.csv": f"{row.format('', '')}\nC0002,01/06/2017,S,C1,N1,U6,,,",
            "A/episodes_2019.csv": row.format("05/05/2018", "E4A"),
            "A/episodes_2023.csv": row.format("", ""),
        },
        repairs=[],
    )
    asked = {(each.rule, each.source_file) for each in out.issues if each.severity == "query"}
    assert {("R38", "A/episodes_2023.csv"), ("R39", "A/episodes_2019.csv")} <= asked


def test_a_key_that_may_be_a_name_is_hidden(read) -> None:
    """The first day is free text: the finding about its row shows the child's number alone."""
    told = "C0001,Zoe told us,S,C1,N1,{},,,"
    out = read({"A/episodes_2018.csv": told.format("U6"), "A/episodes_2019.csv": told.format("U4")})
    (key,) = {each.key for each in out.issues if each.rule == "R32"}
    assert key == "C0001/?"

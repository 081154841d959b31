"""From files to raw tables: every row is accounted for, and none is taken that nobody declared."""

import pytest

from analysis.errors import BlindingError, SourceError
from tests.unit.sources.conftest import Exports

WITHDRAWALS = {
    "table": "withdrawals",
    "files": "withdrawals.csv",
    "columns": {
        "withdrawal_id": "id",
        "family_id": "family",
        "child_id": "child",
        "withdrawal_date": "date",
        "withdrawal_level": "level",
        "reason": "reason",
    },
}
HEADER = "id,family,child,date,level,reason\n"

# Enrolment and visits in one flat file, as REDCap writes it.
FORMS = "id,event,family,dob,precision,sex,entry,joined,due,seen,status,who,pirgas\n"
CHILDREN = {
    "table": "children",
    "files": "forms.csv",
    "where": {"event": ["enrolment"]},
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
VISITS = {
    "table": "assessments",
    "files": "forms.csv",
    "where": {"event": ["V3", "V4"]},
    "constants": {"age_months": ""},
    "columns": {
        "child_id": "id",
        "visit": "event",
        "due_date": "due",
        "visit_date": "seen",
        "status": "status",
        "informant": "who",
    },
}
SCALES = {
    "table": "scales",
    "files": "forms.csv",
    "where": {"event": ["V3", "V4"]},
    "unless_blank": ["pirgas"],
    "constants": {"scale": "PIRGAS"},
    "columns": {"child_id": "id", "visit": "event", "completed_date": "seen", "score": "pirgas"},
}


def test_a_table_has_the_declared_columns_and_where_each_row_came_from(exports: Exports) -> None:
    exports.write(
        "withdrawals.csv", HEADER + " W0001 ,F0001,,2020-01-31,all,\nW0002,F0002,C0002,01/02/2020,all,moved\n"
    )
    read = exports.read(WITHDRAWALS, tables=("withdrawals",))
    tables, counts = read.tables, read.counts
    rows = tables["withdrawals"]
    assert tuple(rows.columns) == exports.spec.table("withdrawals").columns
    assert rows.to_numpy().tolist() == [
        ["W0001", "F0001", "", "2020-01-31", "all", "", "withdrawals.csv", "2"],
        ["W0002", "F0002", "C0002", "2020-02-01", "all", "moved", "withdrawals.csv", "3"],
    ]
    (count,) = counts
    assert (count.table, count.file, count.rows_in, count.rows_kept) == (
        "withdrawals",
        "withdrawals.csv",
        2,
        2,
    )
    assert count.cells_trimmed == 1  # the id with spaces around it


def closes(count) -> bool:
    left = count.rows_elsewhere + count.rows_blank + count.rows_superseded + count.rows_set_aside
    return count.rows_in == count.rows_kept + left


def test_the_rows_of_a_shared_file_are_accounted_for_by_table(exports: Exports) -> None:
    """Two children; one has a score at V3, one a blank at V4.

    children: 4 rows in = 2 kept + 2 visits. assessments: 2 kept + 2 enrolments. scales: 1 kept + 2 enrolments
    + 1 whose score was never filled in.
    """
    exports.write(
        "forms.csv",
        FORMS + "C0001,enrolment,F0001,2018-01-05,day,F,2019-01-05,,,,,,\n"
        "C0001,V3,,,,,,,2019-02-20,2019-02-21,attended,other,55\n"
        "C0002,enrolment,F0002,2018-01-05,day,M,2019-01-05,,,,,,\n"
        "C0002,V4,,,,,,,2020-04-20,2020-04-21,attended,other,\n",
    )
    read = exports.read(CHILDREN, VISITS, SCALES, tables=("children", "assessments", "scales"))
    tables, counts = read.tables, read.counts
    assert [len(tables[name]) for name in ("children", "assessments", "scales")] == [2, 2, 1]
    assert tables["scales"].loc[0, ["child_id", "scale", "score", "source_row"]].tolist() == [
        "C0001",
        "PIRGAS",
        "55",
        "3",
    ]
    assert [(each.rows_kept, each.rows_elsewhere, each.rows_blank) for each in counts] == [
        (2, 2, 0),
        (2, 2, 0),
        (1, 2, 1),
    ]
    assert all(closes(count) for count in counts)


def test_a_row_that_no_table_takes_is_refused(exports: Exports) -> None:
    exports.write(
        "forms.csv",
        FORMS + "C0001,enrolment,F0001,2018-01-05,day,F,2019-01-05,,,,,,\nC0001,V6" + "," * 11 + "\n",
    )
    with pytest.raises(
        SourceError, match=r"forms.csv, row 3: no table takes this row; its event is none .*\(such rows: 1\)"
    ):
        exports.read(CHILDREN, VISITS, SCALES, tables=("children", "assessments"))


def test_rows_of_a_table_not_asked_for_are_somebody_elses(exports: Exports) -> None:
    exports.write(
        "forms.csv",
        FORMS
        + "C0001,enrolment,F0001,2018-01-05,day,F,2019-01-05,,,,,,\nC0001,V3,,,,,,,2019-02-20,,missed,,\n",
    )
    read = exports.read(CHILDREN, VISITS, SCALES, tables=("children",))
    tables, (count,) = read.tables, read.counts
    assert list(tables) == ["children"]
    assert (count.rows_kept, count.rows_elsewhere) == (1, 1)


def test_columns_of_another_entry_of_the_file_are_declared(exports: Exports) -> None:
    exports.write("forms.csv", FORMS)
    exports.read(CHILDREN, VISITS, SCALES, tables=("children",))
    with pytest.raises(SourceError, match="column 'pirgas' is not in the mapping"):
        exports.read(CHILDREN, VISITS, tables=("children",))


def test_an_arm_in_an_open_file_stops_before_anything_is_read(exports: Exports) -> None:
    exports.write(
        "withdrawals.csv", HEADER.replace("reason", "reason,arm") + "W0001,F0001,,2020-01-31,all,,NIM\n"
    )
    with pytest.raises(BlindingError, match="withdrawals.csv, row 1: column 'arm'"):
        exports.read({**WITHDRAWALS, "ignore": ["arm"]}, tables=("withdrawals",))


def test_a_column_named_like_our_own_is_refused(exports: Exports) -> None:
    exports.write(
        "withdrawals.csv", HEADER.replace("reason", "reason,source_row") + "W0001,F0001,,2020-01-31,all,,1\n"
    )
    with pytest.raises(SourceError, match="row 1: column 'source_row' has a name kept for the workflow"):
        exports.read({**WITHDRAWALS, "ignore": ["source_row"]}, tables=("withdrawals",))


def test_a_file_that_is_not_there_is_named(exports: Exports) -> None:
    with pytest.raises(SourceError, match="the raw folder holds no file"):
        exports.read(WITHDRAWALS, tables=("withdrawals",))
    exports.write("notes.txt", "")
    with pytest.raises(
        SourceError, match="withdrawals.csv: no such file in the raw folder; table withdrawals"
    ):
        exports.read(WITHDRAWALS, tables=("withdrawals",), ignore_files=("notes.txt",))


def test_a_file_of_a_header_alone_is_an_empty_table(exports: Exports) -> None:
    exports.write("withdrawals.csv", HEADER)
    read = exports.read(WITHDRAWALS, tables=("withdrawals",))
    tables, (count,) = read.tables, read.counts
    assert tables["withdrawals"].shape == (0, len(exports.spec.table("withdrawals").columns))
    assert count.rows_in == 0


# Yearly returns: 2019 repeats one placement of 2018 and closes it.
RETURNS = {
    "table": "placements",
    "files": "returns_*.csv",
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
}
RETURN = "CHILD,DECOM,RNE,LS,PLACE,DEC,REC\n"
FIRST = RETURN + "C0001,01/02/2018,S,C1,U6,,\nC0002,03/02/2018,S,C1,U6,05/03/2018,E4A\n"


def test_the_latest_submission_of_a_row_wins(exports: Exports) -> None:
    exports.write("returns_2018.csv", FIRST)
    exports.write("returns_2019.csv", RETURN + "C0001,01/02/2018,S,C1,U6,07/08/2018,X1\n")
    read = exports.read(RETURNS, tables=("placements",))
    tables, counts = read.tables, read.counts
    rows = tables["placements"].set_index("child_id")
    assert rows.loc["C0001", ["end_date", "source_file", "source_row"]].tolist() == [
        "2018-08-07",
        "returns_2019.csv",
        "2",
    ]
    assert rows.loc["C0002", "source_file"] == "returns_2018.csv"
    assert [(each.rows_in, each.rows_kept, each.rows_superseded) for each in counts] == [(2, 1, 1), (1, 1, 0)]
    assert all(closes(count) for count in counts)


@pytest.mark.parametrize(
    "key", ["c0001,01/02/2018", "\u04210001,01/02/2018", "C0001,2018-02-01", "C0001,1/2/2018"]
)
def test_a_key_written_another_way_is_the_same_row(exports: Exports, key: str) -> None:
    """Small letters, a Cyrillic letter, another date format: the later return still replaces the row."""
    exports.write("returns_2018.csv", FIRST)
    exports.write("returns_2019.csv", RETURN + f"{key},S,C1,U6,07/08/2018,X1\n")
    read = exports.read(RETURNS, tables=("placements",))
    tables, counts = read.tables, read.counts
    assert len(tables["placements"]) == 2
    assert counts[0].rows_superseded == 1


def test_equal_rows_within_one_return_stay_for_the_data_manager(exports: Exports) -> None:
    exports.write("returns_2018.csv", FIRST + "C0002,03/02/2018,S,C1,U6,05/03/2018,E4B\n")
    exports.write("returns_2019.csv", RETURN)
    read = exports.read(RETURNS, tables=("placements",))
    tables, counts = read.tables, read.counts
    assert len(tables["placements"]) == 3
    assert [each.rows_superseded for each in counts] == [0, 0]


def test_a_row_superseded_twice_is_counted_twice(exports: Exports) -> None:
    for year in (2018, 2019, 2020):
        # Not the same file again, which would be a stale copy.
        exports.write(f"returns_{year}.csv", FIRST.replace("U6", {2018: "U6", 2019: "U4", 2020: "U1"}[year]))
    read = exports.read(RETURNS, tables=("placements",))
    tables, counts = read.tables, read.counts
    assert set(tables["placements"]["source_file"]) == {"returns_2020.csv"}
    assert [each.rows_superseded for each in counts] == [2, 2, 0]
    assert all(closes(count) for count in counts)


ALLOCATION = {
    "table": "allocation",
    "files": "allocation.csv",
    "columns": {"family_id": "family", "arm": "arm", "sequence_number": "n", "probability": "p"},
}


def test_the_allocation_is_read_from_where_it_is_kept_only(exports: Exports) -> None:
    """A file of that name among the exports is not it."""
    exports.write("allocation.csv", "family,arm,n,p\nF0009,SAU,1,0.5\n")
    secret = exports.write("secure/list.csv", "family,arm,n,p\nF0001,NIM,1,0.8\n")
    with pytest.raises(SourceError, match="no allocation file is given"):
        exports.read(ALLOCATION, tables=("allocation",))
    read = exports.read(ALLOCATION, tables=("allocation",), allocation=secret)
    tables, (count,) = read.tables, read.counts
    assert tables["allocation"]["family_id"].tolist() == ["F0001"]
    assert count.file == "list.csv"


DELIVERY = {
    "table": "delivery",
    "files": "service/*.csv",
    "columns": {
        "family_id": "family",
        "is_received": "received",
        "reason_not_received": "why",
        "service_start_date": "first",
        "service_end_date": "last",
        "n_sessions": "n",
        "is_other_received": "other",
    },
}


def test_what_else_reveals_the_arm_is_kept_with_the_allocation(exports: Exports) -> None:
    """Beside the restricted list, not among the open exports."""
    secret = exports.write("secure/list.csv", "family,arm,n,p\nF0001,NIM,1,0.8\n")
    served = "family,received,why,first,last,n,other\nF0001,1,,01/02/2020,01/03/2020,4,0\n"
    exports.write("secure/service/delivery.csv", served)
    read = exports.read(ALLOCATION, DELIVERY, tables=("allocation", "delivery"), allocation=secret)
    tables = read.tables
    assert tables["delivery"][["is_received", "n_sessions"]].to_numpy().tolist() == [["true", "4"]]


@pytest.mark.parametrize("name", ["allocation.csv", "service/delivery.csv"])
def test_a_file_that_reveals_the_arm_among_the_open_exports_is_refused(exports: Exports, name: str) -> None:
    exports.write("withdrawals.csv", HEADER)
    exports.write(name, "family\nF0001\n")
    with pytest.raises(BlindingError, match=f"{name}: this file reveals the arm"):
        exports.read(WITHDRAWALS, ALLOCATION, DELIVERY, tables=("withdrawals",))


def test_open_and_closed_tables_are_never_read_in_one_step(exports: Exports) -> None:
    with pytest.raises(BlindingError, match="open and closed tables are read and cleaned apart"):
        exports.read(WITHDRAWALS, ALLOCATION, tables=("withdrawals", "allocation"))


def test_a_file_that_no_entry_reads_is_refused(exports: Exports) -> None:
    """Unless it is listed, or hidden as operating systems hide theirs."""
    exports.write("withdrawals.csv", HEADER)
    exports.write(".DS_Store", b"x")
    exports.write("notes/read me.txt", "")
    with pytest.raises(SourceError, match="notes/read me.txt: no entry of the mapping reads this file"):
        exports.read(WITHDRAWALS, tables=("withdrawals",))
    exports.read(WITHDRAWALS, tables=("withdrawals",), ignore_files=("notes/*.txt",))


def test_a_tenth_return_follows_the_ninth(exports: Exports) -> None:
    """Which of two returns is the later one is a matter of numbers, not of letters."""
    exports.write("returns_10.csv", RETURN + "C0001,01/02/2018,S,C1,U6,07/08/2018,X1\n")
    exports.write("returns_9.csv", FIRST)
    read = exports.read(RETURNS, tables=("placements",))
    tables, counts = read.tables, read.counts
    assert [(each.file, each.rows_superseded) for each in counts] == [
        ("returns_9.csv", 1),
        ("returns_10.csv", 0),
    ]
    rows = tables["placements"].set_index("child_id")
    assert rows.loc["C0001", "source_file"] == "returns_10.csv"


def test_every_file_is_announced_before_it_is_read(exports: Exports) -> None:
    exports.write("withdrawals.csv", HEADER)
    said: list[str] = []
    exports.read(WITHDRAWALS, tables=("withdrawals",), say=said.append)
    assert said == ["ingest: reading withdrawals.csv"]


def test_a_caller_may_let_refused_files_pass(exports: Exports) -> None:
    """Each is told with the tables that lack it; the files that can be read are read."""
    exports.write("w1.csv", HEADER + "W0001,F0001,,01/02/2019,all,\n")
    exports.write("w2.csv", b"\xff\xfe")
    exports.write("w3.csv", HEADER + "W0003,F0003,,01/02/2019,all\n")
    exports.write("stray.csv", "x\n")
    refused = []
    source = {**WITHDRAWALS, "files": "w*.csv"}
    read = exports.read(source, CHILDREN, tables=("withdrawals", "children"), refuse=refused.append)
    assert [(each.file, each.tables) for each in refused] == [
        ("stray.csv", ()),
        ("forms.csv", ("children",)),
        ("w2.csv", ("withdrawals",)),
        ("w3.csv", ("withdrawals",)),
    ]
    assert all(isinstance(each.error, SourceError) for each in refused)
    assert read.tables["withdrawals"]["withdrawal_id"].tolist() == ["W0001"]
    assert read.tables["children"].empty
    assert [count.file for count in read.counts] == ["w1.csv"]


def test_a_refused_file_is_told_once_for_all_its_tables(exports: Exports) -> None:
    exports.write("forms.csv", FORMS.replace("id,", "id,arm,", 1))
    refused = []
    exports.read(CHILDREN, VISITS, tables=("children", "assessments"), refuse=refused.append)
    ((file, tables, error),) = [(each.file, each.tables, each.error) for each in refused]
    assert (file, tables) == ("forms.csv", ("children", "assessments"))
    assert isinstance(error, BlindingError)


def test_a_stale_copy_under_a_later_name_replaces_nothing(exports: Exports) -> None:
    """The first return comes again as the last; every row of it is counted, and none is read."""
    header, row = "CHILD,DECOM,DEC,LS,PLACE,REC,RNE\n", "C0001,01/04/2018,{},C2,U6,{},S\n"
    first, second = header + row.format("", ""), header + row.format("05/05/2019", "E4A")
    for name, content in (
        ("returns_2018.csv", first),
        ("returns_2019.csv", second),
        ("returns_2020.csv", first),
    ):
        exports.write(name, content)
    read = exports.read(RETURNS, tables=("placements",))
    assert read.tables["placements"]["end_date"].tolist() == ["2019-05-05"]
    counts = {each.file: (each.rows_in, each.rows_kept, each.rows_superseded) for each in read.counts}
    assert counts == {
        "returns_2018.csv": (1, 0, 1),
        "returns_2019.csv": (1, 1, 0),
        "returns_2020.csv": (1, 0, 1),
    }
    (issue,) = read.issues
    assert (issue.rule, issue.source_file, issue.severity) == ("S11", "returns_2020.csv", "query")
    assert issue.action == "superseded"  # as its rows are counted
    assert "returns_2018.csv" in issue.message


def test_dates_in_another_format_are_found_by_the_key_of_their_table(exports: Exports) -> None:
    """The visit of the second row belongs to two tables and is found in the first; a name is no key."""
    exports.write(
        "forms.csv",
        FORMS
        + "C0001,V3,,,,,,,01/05/2016,02/05/2016,attended,parent,50\n"
        + "C0001,V4,,,,,,,01/06/2017,2017-06-02,attended,parent,50\n"
        + "Ann Other,V4,,,,,,,2017-06-01,03/06/2017,attended,parent,\n",
    )
    read = exports.read(VISITS, SCALES, CHILDREN, tables=("assessments", "scales", "children"))
    found = [
        (each.table, each.source_row, each.key, each.field) for each in read.issues if each.rule == "S10"
    ]
    assert found == [
        ("assessments", 3, "C0001/V4", "visit_date"),
        ("assessments", 4, "?/V4", "due_date"),
    ]


def test_codes_in_another_spelling_than_the_mapping_declares_are_counted(exports: Exports) -> None:
    """As declared is no finding; other letters, decimals missing codes as decimals are one note a column."""
    exports.write(
        "withdrawals.csv",
        HEADER
        + "W0001,F0001,C0001,05/11/2019,1,moved\n"
        + "W0002,F0002,C0002,05/11/2019,1.0,moved\n"
        + "W0003,F0003,C0003,05/11/2019,KIND,-99.0\n"
        + "W0004,F0004,C0004,05/11/2019,kind,-99\n"
        + "W0005,F0005,C0005,05/11/2019,9.0,other\n"
        + "W0006,F0006,C0006,05/11/2019,,\n",
    )
    values = {"withdrawal_level": {"1": "family", "kind": "child"}}
    read = exports.read({**WITHDRAWALS, "values": values}, tables=("withdrawals",), missing={"-99": "blank"})
    table = read.tables["withdrawals"]
    assert table["withdrawal_level"].tolist() == ["family", "family", "child", "child", "9.0", ""]
    assert [(each.rule, each.severity, each.action) for each in read.issues] == [
        ("S03", "note", "restored")
    ] * 2
    told = [
        (each.source_row, each.key, each.field, each.message.partition(" cells")[0]) for each in read.issues
    ]
    assert told == [(3, "W0002", "withdrawal_level", "2 of 5"), (4, "W0003", "reason", "1 of 5")]


def test_a_file_of_several_tables_that_is_not_there_is_one_refusal(exports: Exports) -> None:
    exports.write("withdrawals.csv", HEADER)
    refused = []
    tables = ("assessments", "scales", "children", "withdrawals")
    exports.read(VISITS, SCALES, SCALES, CHILDREN, WITHDRAWALS, tables=tables, refuse=refused.append)
    (only,) = refused
    assert only.tables == ("assessments", "scales", "children")
    assert str(only.error).endswith("tables assessments, scales, children are read from it.")

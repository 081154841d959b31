"""Scotland's return says where an episode begins and ends; the reasons of a placement follow from it."""

import pytest

from analysis.errors import SourceError
from tests.unit.sources.conftest import Exports

HEADER = "child,place,from,to,episode_from,episode_to,destination,legal\n"
SOURCE = {
    "table": "placements",
    "kind": "clas",
    "files": "clas.csv",
    "columns": {
        "child_id": "child",
        "placement_code": "place",
        "start_date": "from",
        "end_date": "to",
        "episode_start_date": "episode_from",
        "episode_end_date": "episode_to",
        "reason_ended": "destination",
        "legal_status": "legal",
    },
    "constants": {"source_system": "CLAS"},
    "values": {
        "placement_code": {"Foster carers provided by LA": "S_FOSTER", "With friends/relatives": "S_KIN"},
        "reason_ended": {"Kinship care order": "D_KIN", "Home with parents": "D_HOME"},
    },
}


@pytest.fixture
def read(exports: Exports):
    def run(rows: str):
        exports.write("clas.csv", HEADER + rows)
        tables = exports.read(SOURCE, tables=("placements",), missing={"31/12/2999": "placeholder"}).tables
        return (
            tables["placements"][["start_date", "end_date", "placement_code", "reason_new", "reason_ended"]]
            .to_numpy()
            .tolist()
        )

    return run


def test_an_episode_of_two_placements(read) -> None:
    """The first begins the episode and is followed by another; the second ends it with the destination."""
    assert read(
        "C0001,Foster carers provided by LA,01/02/2015,01/05/2015,01/02/2015,03/09/2016,Kinship care order,\n"
        "C0001,With friends/relatives,01/05/2015,03/09/2016,01/02/2015,03/09/2016,Kinship care order,\n"
    ) == [
        ["2015-02-01", "2015-05-01", "S_FOSTER", "S", "X1"],
        ["2015-05-01", "2016-09-03", "S_KIN", "P", "D_KIN"],
    ]


def test_an_open_episode(read) -> None:
    """The placement that is still open has no reason; one that ended within an open episode was followed."""
    assert read(
        "C0001,Foster carers provided by LA,01/02/2015,01/05/2015,01/02/2015,,,\n"
        "C0001,With friends/relatives,01/05/2015,,01/02/2015,,,\n"
    ) == [["2015-02-01", "2015-05-01", "S_FOSTER", "S", "X1"], ["2015-05-01", "", "S_KIN", "P", ""]]


def test_a_placeholder_for_still_open_is_no_end(read) -> None:
    """31/12/2999 stands for an open end in some systems: neither X1 nor the destination may be made of it."""
    rows = read(
        "C0001,With friends/relatives,01/02/2015,31/12/2999,01/02/2015,31/12/2999,Kinship care order,\n"
    )
    assert rows == [["2015-02-01", ".placeholder", "S_KIN", "S", ""]]


def test_one_placement_that_is_the_whole_episode(read) -> None:
    rows = read(
        "C0001,With friends/relatives,01/02/2015,03/09/2016,2015-02-01,2016-09-03,Home with parents,\n"
    )
    assert rows == [["2015-02-01", "2016-09-03", "S_KIN", "S", "D_HOME"]]


def test_an_ended_episode_without_a_destination_has_no_reason(read) -> None:
    """Rule PL03 asks for it."""
    rows = read("C0001,With friends/relatives,01/02/2015,03/09/2016,01/02/2015,03/09/2016,,\n")
    assert rows == [["2015-02-01", "2016-09-03", "S_KIN", "S", ""]]


@pytest.mark.parametrize(
    ("cells", "field"),
    [
        ("17,01/02/2015,03/09/2016,01/02/2015,03/09/2016,Home with parents,", "placement_code"),
        ("With friends/relatives,01/02/2015,03/09/2016,01/02/2015,03/09/2016,Zoe,", "reason_ended"),
        ("With friends/relatives,01/02/2015,,01/02/2015,,,Zoe", "legal_status"),
    ],
)
def test_an_unmapped_label_or_code_stops_the_run(read, cells: str, field: str) -> None:
    """The codes are not public: none is guessed, and what was in the cell is not told."""
    good = "C0001,With friends/relatives,01/02/2014,01/03/2014,01/02/2014,01/03/2014,Home with parents,\n"
    with pytest.raises(SourceError, match=f"clas.csv, row 3: {field} has a label or code") as stopped:
        read(f"{good}C0001,{cells}\n")
    assert "Zoe" not in str(stopped.value)


def test_a_label_in_another_case_is_the_same(read) -> None:
    rows = read("C0001,with FRIENDS/relatives,01/02/2015,,01/02/2015,,,\n")
    assert rows == [["2015-02-01", "", "S_KIN", "S", ""]]


LEGAL = {
    "file": "legal.csv",
    "child": "id",
    "start": "from",
    "end": "to",
    "reason": "reason",
    "precedence": ["PO", "CSO", "S25"],
}
LEGAL_LABELS = {"Permanence order": "PO", "Compulsory supervision order": "CSO", "Section 25": "S25"}
PLACED = "".join(
    f"C0001,With friends/relatives,{start},{end},01/02/2015,01/02/2019,Home with parents,x\n"
    for start, end in (
        ("01/02/2015", "01/05/2015"),
        ("01/05/2015", "01/02/2017"),
        ("01/02/2017", "01/02/2019"),
    )
)


@pytest.fixture
def joined(exports: Exports):
    def run(legal: str, header: str = "id,from,to,reason\n"):
        exports.write("clas.csv", HEADER + PLACED)
        exports.write("legal.csv", header + legal)
        columns = {name: column for name, column in SOURCE["columns"].items() if name != "legal_status"}
        values = {**SOURCE["values"], "legal_status": LEGAL_LABELS}
        source = {**SOURCE, "columns": columns, "values": values, "legal_reasons": LEGAL, "ignore": ["legal"]}
        return exports.read(source, tables=("placements",))

    return run


def test_the_legal_status_is_the_reason_in_force_on_the_first_day(joined) -> None:
    """Half-open days: a reason that ends on the day is over, one that begins on it is in force."""
    out = joined(
        "c0001,01/02/2015,01/05/2015,Section 25\n"
        "C0001,2015-05-01,,Compulsory supervision order\n"
        "C0002,01/01/2015,,Permanence order\n"
    )
    assert out.tables["placements"]["legal_status"].tolist() == ["S25", "CSO", "CSO"]
    assert out.issues == ()
    assert [(each.file, each.rows_in, each.rows_kept) for each in out.counts] == [
        ("legal.csv", 3, 3),
        ("clas.csv", 3, 3),
    ]


@pytest.mark.parametrize("reverse", [False, True])
def test_of_several_in_force_the_declared_precedence_decides(joined, reverse: bool) -> None:
    """Whatever their order in the file or their dates; a change within a placement does not split it."""
    lines = [
        "C0001,01/01/2015,,Section 25\n",
        "C0001,01/03/2015,,compulsory supervision ORDER\n",
        "C0001,31/12/2016,01/01/2018,Permanence order\n",
    ]
    out = joined("".join(lines[::-1] if reverse else lines))
    assert out.tables["placements"]["legal_status"].tolist() == ["S25", "CSO", "PO"]


def test_a_placement_without_a_legal_reason_is_a_query(joined) -> None:
    out = joined("C0001,01/05/2015,01/05/2016,Section 25\n")
    assert out.tables["placements"]["legal_status"].tolist() == ["", "S25", ""]
    assert [(each.rule, each.severity, each.source_row) for each in out.issues] == [
        ("R50", "query", 2),
        ("R50", "query", 4),
    ]


@pytest.mark.parametrize(
    ("legal", "header", "words"),
    [
        ("C0001,01/05/2015,,Other\n", "id,from,to,reason\n", "legal.csv, row 2: legal_status has a label"),
        (
            "C0001,2015,,Section 25\n",
            "id,from,to,reason\n",
            "legal.csv, row 2: a legal reason without a date",
        ),
        (
            "C0001,01/05/2015,x,Section 25\n",
            "id,from,to,reason\n",
            "legal.csv, row 2: a legal reason without",
        ),
        ("C0001,01/05/2015,,\n", "id,from,until,reason\n", "legal.csv, row 1: column 'until'"),
        ("C0001,01/05/2015,\n", "id,from,reason\n", "legal.csv, row 1: no column 'to'"),
    ],
)
def test_a_table_of_legal_reasons_that_cannot_be_used(joined, legal: str, header: str, words: str) -> None:
    with pytest.raises(SourceError, match=words):
        joined(legal, header)

"""Scotland's return says where an episode begins and ends; the reasons of a placement follow from it."""

import pytest

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


def test_an_unmapped_label_stays_for_the_code_list_to_refuse(read) -> None:
    rows = read("C0001,Other community,01/02/2015,03/09/2016,01/02/2015,03/09/2016,Continuing care,\n")
    assert rows == [["2015-02-01", "2016-09-03", "Other community", "S", "Continuing care"]]

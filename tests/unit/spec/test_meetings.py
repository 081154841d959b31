"""Meetings of the data monitoring committee: what a file may say, and the examples of the synthetic trial."""

from pathlib import Path

import pytest

from analysis.errors import SpecError
from analysis.spec.meetings import read_meetings, since_last

FOLDER = Path(__file__).resolve().parents[3] / "data_spec" / "meetings"
MEETING = '- {id: First, cut: "2014-12-31", date: "2015-02-12"'


def read(folder: Path, text: str):
    (folder / "meetings.yaml").write_text(text)
    return read_meetings([folder / "meetings.yaml"])


def test_the_examples_are_of_the_three_cuts_in_open_and_in_closed_session() -> None:
    both = [read_meetings([FOLDER / name]) for name in ("open.yaml", "closed.yaml")]
    cuts = [[each.cut for each in meetings] for meetings in both]
    assert cuts == [["2014-12-31", "2017-06-30", "2020-06-30"]] * 2
    assert not any(each.unmasked for each in both[0])


def test_an_answer_given_after_the_cut_is_not_known_at_it() -> None:
    meetings = read_meetings([FOLDER / "open.yaml"])
    assert since_last(meetings, "2014-12-31") is None
    early, late = since_last(meetings, "2015-05-01"), since_last(meetings, "2017-06-30")
    assert [bool(answer) for _, answer in early.actions] == [True, False]
    assert [bool(answer) for _, answer in late.actions] == [True, True]
    assert (len(early.protocol_changes), len(late.protocol_changes)) == (0, 1)


def test_an_entry_that_says_too_little_or_too_much_is_refused(tmp_path: Path) -> None:
    assert read(tmp_path, MEETING + "}")[0].actions == ()
    wrong = {
        MEETING + ", actions: [{action: Ask, answer: Asked}]}": "has the day it was given",
        MEETING.replace("2015-02-12", "2014-02-12") + "}": "date is before cut",
        MEETING + ", minutes: none}": "meetings.yaml, entry number 1",
        "meetings: none": "expected a list",
        MEETING + ", session: closed}": "follows from the option",
    }
    for text, message in wrong.items():
        with pytest.raises(SpecError, match=message):
            read(tmp_path, text)
    with pytest.raises(SpecError, match="no such file"):
        read_meetings([tmp_path / "none.yaml"])

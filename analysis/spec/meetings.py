"""The meetings of the data monitoring committee: what they agreed, what came of it, and who was unmasked."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import model_validator

from analysis.errors import SpecError
from analysis.spec.base import Declaration, IsoDay, Name, name_of, parse, read_yaml


class Action(Declaration):
    """Something a meeting asked for, and the answer it was given."""

    action: Name
    answer: Name | None = None
    answered: IsoDay | None = None

    @model_validator(mode="after")
    def _is_answered_on_a_day(self) -> "Action":
        if (self.answer is None) != (self.answered is None):
            raise ValueError("an answer has the day it was given, and that day has an answer")
        return self


class ProtocolChange(Declaration):
    """A change of the protocol and the day it came into force."""

    date: IsoDay
    change: Name


class Unmasking(Declaration):
    """One time that somebody was told an arm."""

    date: IsoDay
    who: Name
    reason: Name


class Meeting(Declaration):
    """A meeting: the data cut of its pack, its day, what it agreed, and what happened until the next.

    Which `session` an entry is of follows from the file it is in.
    """

    id: Name
    cut: IsoDay
    date: IsoDay
    session: Literal["open", "closed"] = "open"
    actions: tuple[Action, ...] = ()
    protocol_changes: tuple[ProtocolChange, ...] = ()
    unmasked: tuple[Unmasking, ...] = ()

    @model_validator(mode="after")
    def _meets_after_its_cut(self) -> "Meeting":
        if self.date < self.cut:
            raise ValueError("date is before cut")
        return self


@dataclass(frozen=True, slots=True)
class SinceLast:
    """What a pack shows of the meetings before it, as it was known on the day of its cut.

    `actions` of the open session and `closed_actions` are pairs of action and answer, the answer empty while
    there is none; `waiting` are those of meetings before the last that have no answer yet, each with the name
    of its meeting.
    """

    id: str
    date: str
    actions: tuple[tuple[str, str], ...]
    closed_actions: tuple[tuple[str, str], ...]
    waiting: tuple[tuple[str, str], ...]
    protocol_changes: tuple[ProtocolChange, ...]
    unmasked: tuple[Unmasking, ...]


def read_meetings(
    paths: Iterable[Path], *, session: Literal["open", "closed"] = "open"
) -> tuple[Meeting, ...]:
    """The meetings of one or several files of a session, each in the order of its file.

    Raises
    ------
    SpecError
        On a file that is absent or no list, or an entry with an unknown key or a wrong value.
    """
    found: list[Meeting] = []
    for path in paths:
        entries = read_yaml(path)
        if not isinstance(entries, list):
            raise SpecError(f"{name_of(path)}: expected a list of meetings.")
        if any(isinstance(each, dict) and "session" in each for each in entries):
            raise SpecError(f"{name_of(path)}: the session follows from the option that names the file.")
        found += [
            parse(Meeting, each, file=name_of(path), entry=f"number {number}").model_copy(
                update={"session": session}
            )
            for number, each in enumerate(entries, start=1)
        ]
    return tuple(found)


def since_last(meetings: Iterable[Meeting], cut: str) -> SinceLast | None:
    """What came of the last meeting whose cut is before this one; `None` before the first meeting.

    Entries of the same cut, from an open and a closed file, are one meeting.
    """
    meetings = tuple(meetings)
    earlier = [each for each in meetings if each.cut < cut]
    if not earlier:
        return None
    last = max(each.cut for each in earlier)
    entries = [each for each in earlier if each.cut == last]
    older = sorted((each for each in earlier if each.cut < last), key=lambda each: each.cut)
    asked = ((each, action) for each in older for action in each.actions)
    waiting = ((action.action, _name(each)) for each, action in asked if not _told(action, cut)[1])
    changes = (each for entry in earlier for each in entry.protocol_changes)
    unmasked = (each for entry in earlier for each in entry.unmasked)
    return SinceLast(
        entries[0].id,
        entries[0].date,
        *(
            tuple(_told(each, cut) for entry in entries if entry.session == session for each in entry.actions)
            for session in ("open", "closed")
        ),
        tuple(waiting),
        tuple(sorted((each for each in changes if last < each.date <= cut), key=lambda each: each.date)),
        tuple(sorted((each for each in unmasked if each.date <= cut), key=lambda each: each.date)),
    )


def _name(meeting: Meeting) -> str:
    return meeting.id if meeting.session == "open" else f"{meeting.id}, closed session"


def _told(action: Action, cut: str) -> tuple[str, str]:
    is_known = action.answered is not None and action.answered <= cut
    return action.action, action.answer if is_known else ""

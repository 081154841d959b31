"""REDCap's project file (CDISC ODM with REDCap's additions): the missing-data codes of the project.

A project may be saved with its data, so that what is open may tell no arm there either.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

import pandas as pd

from analysis.errors import BlindingError
from analysis.sources.redcap_dictionary import parse_choices
from analysis.sources.xml_stream import XmlReader, read_xml
from analysis.spec.arm_words import arm_word, arms_of, is_arm_like

CODES, EVENT = "MissingDataCodes", "StudyEventData"
# ODM has one element for values of any type, and one for each type: ItemData, ItemDataString, ItemDataDate.
ITEM = re.compile(r"ItemData(?:[A-Z]\w*)?", re.ASCII)


def read_project(path: Path, *, file: str, arms: Iterable[str] | None = None) -> pd.DataFrame:
    """Code and label of each missing-data code.

    Parameters
    ----------
    arms : iterable of str, optional
        Names of arms, of which the data may not tell any where the project lies beside an open export.

    Raises
    ------
    SourceError
        If the file is no ODM file.
    BlindingError
        If its data tell an arm, naming the line.
    """
    reading = _Project(file) if arms is None else _OpenProject(file, arms)
    read_xml(path, reading)
    codes = pd.DataFrame(list(reading.codes.items()), columns=["code", "label"], dtype=object)
    return codes.assign(source_file=file, source_row="1")


class _Project(XmlReader):
    """The codes; labels and documents of a project may be long, and are passed over."""

    root, not_it = "ODM", "not a project file of REDCap"

    def __init__(self, file: str) -> None:
        super().__init__(file)
        self.codes: dict[str, str] = {}

    def keeps(self, name: str) -> bool:
        """The codes."""
        return name == CODES

    def ends(self, name: str, text: str) -> None:
        if name == CODES:
            self.codes |= parse_choices(text)


class _OpenProject(_Project):
    """The same, up to the first event, item or value that tells an arm."""

    def __init__(self, file: str, arms: Iterable[str]) -> None:
        super().__init__(file)
        self._word = arm_word(arms)
        self._events: set[str] = set()

    def keeps(self, name: str) -> bool:
        """Also values."""
        return super().keeps(name) or ITEM.fullmatch(name) is not None

    def begins(self, name: str, attributes: dict[str, str]) -> None:
        if name == EVENT:
            self._events |= arms_of([attributes.get("StudyEventOID", "")])
            if len(self._events) > 1:
                self._refuse("holds data of events of several arms beside an open export")
        elif ITEM.fullmatch(name):
            item = attributes.get("ItemOID", "")
            if is_arm_like(item):
                self._refuse(f"item '{item}' looks like the arm")
            self._look(attributes.get("Value", ""))

    def ends(self, name: str, text: str) -> None:
        super().ends(name, text)
        self._look(text)

    def _look(self, value: str) -> None:
        if self._word is not None and self._word.search(value):
            self._refuse("a value names an arm; an open file may not tell it")

    def _refuse(self, why: str) -> NoReturn:
        raise BlindingError(f"{self.place}: {why}; save the project without its data.")

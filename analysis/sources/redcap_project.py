"""REDCap's project file (CDISC ODM with REDCap's additions): the missing-data codes of the project.

A project may be saved with its data, so that what is open may tell no arm there either.
"""

from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

import pandas as pd
from defusedxml.ElementTree import parse

from analysis.errors import SourceError
from analysis.sources.redcap_dictionary import parse_choices

CODES, ITEM, EVENT = "MissingDataCodes", "ItemData", "StudyEventData"


@dataclass(frozen=True, slots=True)
class Project:
    """`codes`: code and label of each missing-data code. `items`, `events`: what the file holds of data."""

    codes: pd.DataFrame
    items: pd.DataFrame
    events: frozenset[str]


def read_project(path: Path, *, file: str) -> Project:
    """What a project file says of missing values, and the data it brings.

    Raises
    ------
    SourceError
        If the file is no ODM file.
    """
    elements = list(_root(path, file).iter())
    codes = [parse_choices(each.text or "") for each in elements if _tag(each) == CODES]
    items = [(each.get("ItemOID", ""), _value(each)) for each in elements if _tag(each) == ITEM]
    events = (each.get("StudyEventOID", "") for each in elements if _tag(each) == EVENT)
    return Project(
        _frame([pair for each in codes for pair in each.items()], ["code", "label"], file),
        _frame(items, ["field", "value"], file),
        frozenset(events),
    )


def _frame(rows: list[tuple[str, str]], columns: list[str], file: str) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=columns, dtype=object).assign(source_file=file, source_row="1")


def _value(item: Element) -> str:
    return (item.get("Value") or item.text or "").strip()


def _root(path: Path, file: str) -> Element:
    try:
        root = parse(path).getroot()
    except OSError as error:
        raise SourceError(f"{file}: cannot be read ({error.strerror}).") from error
    except ParseError as error:
        raise SourceError(f"{file}, row {error.position[0]}: not XML.") from error
    except (ValueError, LookupError) as error:
        raise SourceError(f"{file}: XML with entities or of an unknown encoding is not read.") from error
    if _tag(root) != "ODM":
        raise SourceError(f"{file}: not a project file of REDCap; its outermost element is not ODM.")
    return root


def _tag(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]

"""What a kind of export is asked for, and what it gives back."""

from collections.abc import Mapping as MappingType
from dataclasses import dataclass, field

import pandas as pd

from analysis.spec.declarations import Spec
from analysis.spec.issue import Issue
from analysis.spec.mapping import Mapping, Source
from analysis.spec.tables import Table


@dataclass(frozen=True, slots=True)
class Request:
    """One entry of a mapping and what it is read with.

    `companions` holds, by what each is for, the files that the entry names beside its own; `files` every row
    of each of its own files, also those of other entries; `tables` the raw tables that this one may be read
    against.
    """

    source: Source
    mapping: Mapping
    table: Table
    spec: Spec
    companions: MappingType[str, pd.DataFrame]
    files: MappingType[str, pd.DataFrame] = field(default_factory=dict)
    tables: MappingType[str, pd.DataFrame] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fields:
    """Rows of the table as text, and what was found on the way.

    A row of the file that is not among `rows` has an issue whose action is ``set_aside``, unless it is
    counted by file: `superseded` by a later version, or `elsewhere`, a row that is nothing of the trial's.
    """

    rows: pd.DataFrame
    issues: tuple[Issue, ...] = ()
    superseded: MappingType[str, int] = field(default_factory=dict)
    elsewhere: MappingType[str, int] = field(default_factory=dict)

"""Scotland's looked-after-children return: unlike England's, episode and destination on every placement row.

A placement begins a period of care when it starts on the episode's first day, and ends it, with the
destination as its reason, when it ends on the episode's last day; otherwise another placement follows.
"""

import math
import re

import pandas as pd

from analysis.errors import SourceError
from analysis.sources import tabular
from analysis.sources.distinct import each_distinct
from analysis.sources.request import Fields, Request
from analysis.spec.tables import MISSING_MARK, Field

_ISO = re.compile(r"\d{4}-\d\d-\d\d$")
EPISODE = (
    Field(name="episode_start_date", type="date", title="First day of the episode"),
    Field(name="episode_end_date", type="date", title="Last day of the episode"),
)


def read_fields(frame: pd.DataFrame, request: Request) -> Fields:
    """Rows of `placements` from rows of the return, reasons derived from the episode they lie in."""
    wide, source = request.table, request.source
    for field in EPISODE:
        wide = wide.with_field(field)
    filled = source.model_copy(update={"constants": {**source.constants, "reason_new": ""}})
    rows = tabular.to_fields(frame, filled, request.mapping, wide)
    _check_inside(rows)
    ended = each_distinct(rows["end_date"], _is_day).astype(bool)
    last = ended & (rows["end_date"] == rows["episode_end_date"])
    rows["reason_new"] = (rows["start_date"] == rows["episode_start_date"]).map({True: "S", False: "P"})
    rows["reason_ended"] = rows["reason_ended"].where(last, ended.map({True: "X1", False: ""}))
    return Fields(rows[list(request.table.columns)])


def _is_day(cell: str) -> bool:
    # A placeholder for "still open" is a missing date, not an end.
    return cell != "" and not cell.startswith(MISSING_MARK)


def _check_inside(rows: pd.DataFrame) -> None:
    """Raise `SourceError` where a placement is not within the episode whose destination it would get."""
    days = ("start_date", "end_date", "episode_start_date", "episode_end_date")
    # What is no date is found by the checks of cells; ISO dates stand in the order of their digits.
    start, end, first, last = (each_distinct(rows[name], _digits).astype(float) for name in days)
    outside = (start < first) | (end > last) | (start > last)
    if outside.any():
        file, row = rows.loc[outside, ["source_file", "source_row"]].iloc[0]
        raise SourceError(
            f"{file}, row {row}: the placement is not within its episode (such rows: {int(outside.sum())})."
        )


def _digits(day: str) -> float:
    return float(day.replace("-", "")) if _ISO.match(day) else math.nan

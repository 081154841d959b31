"""Scotland's looked-after-children return: placements with their episode, and legal reasons by date.

A placement begins a period of care when it starts on the episode's first day, and ends it, with the
destination as its reason, when it ends on the episode's last day; otherwise another placement follows. Legal
reasons overlap placements and each other: a placement has the one in force on its first day that comes first
in the declared precedence, and is not split where that changes.
"""

import math
import re

import numpy as np
import pandas as pd

from analysis.errors import SourceError
from analysis.factors import each_distinct, plain
from analysis.sources import tabular
from analysis.sources.findings import findings_at
from analysis.sources.request import Fields, Request
from analysis.sources.spellings import respelt
from analysis.sources.ssda903_years import days, folded, is_blank
from analysis.spec.care_returns import LegalReasons
from analysis.spec.issue import Issue
from analysis.spec.tables import MISSING_MARK, Field, Table

_ISO = re.compile(r"\d{4}-\d\d-\d\d$")
EPISODE = (
    Field(name="episode_start_date", type="date", title="First day of the episode"),
    Field(name="episode_end_date", type="date", title="Last day of the episode"),
)
# Of the fields that this return tells by labels or numeric codes.
LABELLED = ("placement_code", "legal_status", "reason_ended")


def read_fields(frame: pd.DataFrame, request: Request) -> Fields:
    """Rows of `placements` from rows of the return, reasons derived from the episode they lie in.

    Raises
    ------
    SourceError
        At a label or code that the mapping does not know, a placement outside its episode, or a legal reason
        without a readable date; the message names file and row.
    """
    wide, source = request.table, request.source
    for field in EPISODE:
        wide = wide.with_field(field)
    derived = {"reason_new": ""} | ({} if source.legal_reasons is None else {"legal_status": ""})
    filled = source.model_copy(update={"constants": {**source.constants, **derived}})
    rows = plain(tabular.to_fields(frame, filled, request.mapping, wide))
    for name in LABELLED:
        _check_mapped(rows, name, request)
    _check_inside(rows)
    ended = each_distinct(rows["end_date"], _is_day).astype(bool)
    last = ended & (rows["end_date"] == rows["episode_end_date"])
    rows["reason_new"] = (rows["start_date"] == rows["episode_start_date"]).map({True: "S", False: "P"})
    rows["reason_ended"] = rows["reason_ended"].where(last, ended.map({True: "X1", False: ""}))
    issues: list[Issue] = []
    if source.legal_reasons is not None:
        reasons, issues = _legal_reasons(request)
        rows["legal_status"] = _in_force(rows, reasons, source.legal_reasons.precedence)
        issues += findings_at(
            rows, request, rows["legal_status"] == "", field="legal_status", rule="R50",
            severity="query", action="keep", message="no legal reason is in force on the first day",
        )  # fmt: skip
    return Fields(rows[list(request.table.columns)], tuple(issues))


def _check_mapped(rows: pd.DataFrame, name: str, request: Request) -> None:
    """Raise `SourceError` at a label or number nobody has given a meaning: the codes are not public."""
    codes = {code.casefold() for code in request.spec.codes_of(request.table.field(name).codelist)}
    known = [cell for cell in rows[name].unique() if cell.casefold() in codes]
    unknown = ~rows[name].isin(known) & ~is_blank(rows[name])
    if unknown.any():
        file, row = rows.loc[unknown, ["source_file", "source_row"]].iloc[0]
        raise SourceError(
            f"{file}, row {row}: {name} has a label or code that `values` of the mapping does not know (such "
            f"rows: {int(unknown.sum())}); the codes of this return are not public, so none is guessed."
        )


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


def _legal_reasons(request: Request) -> tuple[pd.DataFrame, list[Issue]]:
    """Child, code, first day and last day (missing while in force) of every legal reason; what was found."""
    declared = request.source.legal_reasons
    listed = request.companions[LegalReasons.PURPOSE]
    date = {"type": "date", "title": "-"}
    fields = (Field(name="start_date", **date), Field(name="end_date", **date))
    fields += tuple(request.table.field(name) for name in ("child_id", "legal_status"))
    columns = dict(
        child_id=declared.child,
        legal_status=declared.reason,
        start_date=declared.start,
        end_date=declared.end,
    )
    source = request.source.model_copy(update={"columns": columns, "constants": {}})
    table = _with_fields(request.table, fields)
    rows = plain(tabular.to_fields(listed, source, request.mapping, table))
    _check_mapped(rows, "legal_status", request)
    rows = rows.assign(first=days(rows["start_date"]), last=days(rows["end_date"]))
    unreadable = rows["first"].isna() | (rows["last"].isna() & ~is_blank(rows["end_date"]))
    if unreadable.any():
        row = rows.loc[unreadable, "source_row"].iloc[0]
        raise SourceError(
            f"{declared.file}, row {row}: a legal reason without a date "
            f"that can be read (such rows: {int(unreadable.sum())})."
        )
    made = rows.assign(child=folded(rows["child_id"]), code=folded(rows["legal_status"]))
    return made, list(respelt(listed, source, request.mapping, table))


def _with_fields(table: Table, fields: tuple[Field, ...]) -> Table:
    return table.model_copy(update={"schema_": table.schema_.model_copy(update={"fields": fields})})


def _in_force(rows: pd.DataFrame, reasons: pd.DataFrame, precedence: tuple[str, ...]) -> pd.Series:
    """Code of the legal reason that counts on the first day of each placement, blank where there is none."""
    placed = pd.DataFrame(
        {"child": folded(rows["child_id"]), "day": days(rows["start_date"]), "at": np.arange(len(rows))}
    )
    pairs = placed.merge(reasons[["child", "code", "first", "last"]], on="child")
    pairs = pairs[(pairs["first"] <= pairs["day"]) & ~(pairs["last"] <= pairs["day"])]
    pairs["rank"] = pairs["code"].map({code: rank for rank, code in enumerate(precedence)})
    best = pairs.sort_values(["at", "rank"], kind="stable").drop_duplicates("at").set_index("at")["code"]
    return pd.Series(best.reindex(np.arange(len(rows))).fillna("").to_numpy(), index=rows.index, dtype=object)

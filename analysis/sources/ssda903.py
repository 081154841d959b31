"""England's looked-after-children return (SSDA903): yearly files of several authorities as one table.

The steps, in order: whose return each row is of and of which year; rows of children who are not in the
trial leave, counted; of rows with one key the latest submission stays; then, for episodes, the join of the
years and the repair of what cannot be open.
"""

import re
from collections.abc import Iterator
from collections.abc import Mapping as MappingType
from dataclasses import dataclass

import pandas as pd

from analysis.errors import SourceError
from analysis.factors import plain
from analysis.sources import tabular
from analysis.sources.request import Fields, Request
from analysis.sources.ssda903_repairs import repair
from analysis.sources.ssda903_years import (
    check_submissions,
    check_years,
    dated_columns,
    folded,
    submissions,
)
from analysis.spec.care_returns import Linkage
from analysis.spec.issue import HIDDEN, Issue
from analysis.spec.mapping import Ssda903Source
from analysis.spec.tables import Field

EPISODES = "placements"
NO_CHILD = "no row of the authority is of a child in the trial; are its numbers those of the list?"
CATEGORY = Field(name="category_of_need", type="string", title="Category of need")


@dataclass(frozen=True, slots=True)
class _Whose:
    """Rows of the trial's children with the trial's number of each, and the others by file."""

    rows: pd.DataFrame
    child_id: pd.Series | None
    elsewhere: MappingType[str, int]


def read_fields(frame: pd.DataFrame, request: Request) -> Fields:
    """Rows of the table from rows of the returns.

    Raises
    ------
    SourceError
        If the authority of a file cannot be told, or a list of numbers contradicts itself.
    """
    returned = frame.reset_index(drop=True).astype({"source_file": object})
    returned["_authority"] = _authority(returned, request.source)
    made = submissions(returned, request)
    returned = returned.merge(made, on=["_authority", "source_file"], how="left")
    whose = _whose(returned, request)
    versions = _fields(whose, request)
    versions["_key"] = _key(whose.rows, request)
    last = versions["_rank"].groupby(versions["_key"]).transform("max")
    rows = versions[versions["_rank"] == last]
    issues = [*check_submissions(returned, made, request), *_strangers(returned, whose.rows, request)]
    if request.table.name == EPISODES:
        issues += check_years(versions, made, request)
        rows, repaired = repair(rows, made, request, carers=plain(whose.rows[list(request.source.carer)]))
        issues += repaired
    superseded = versions.loc[versions["_rank"] < last, "source_file"].value_counts()
    rows = rows.sort_index(kind="stable").reset_index(drop=True)
    return Fields(rows[list(request.table.columns)], tuple(issues), superseded.to_dict(), whose.elsewhere)


def _strangers(returned: pd.DataFrame, kept: pd.DataFrame, request: Request) -> Iterator[Issue]:
    """R48, at its first row: an authority none of whose rows is of a child in the trial."""
    without = returned[~returned["_authority"].isin(kept["_authority"])].drop_duplicates("_authority")
    for file, row in without[["source_file", "source_row"]].itertuples(index=False):
        place = (request.table.name, file, int(row), HIDDEN, "child_id")
        yield Issue(*place, "R48", "query", "keep", NO_CHILD)


def _authority(rows: pd.DataFrame, source: Ssda903Source) -> pd.Series:
    if source.authority is None:
        return pd.Series("", index=rows.index, dtype=object)
    if source.authority.column is not None:
        return folded(rows[source.authority.column])
    found = {file: re.search(source.authority.pattern, file) for file in rows["source_file"].unique()}
    if unknown := [file for file, match in found.items() if match is None]:
        raise SourceError(f"{unknown[0]}: its path does not have the form that tells the authority.")
    return rows["source_file"].map({file: match["authority"].upper() for file, match in found.items()})


def _key(rows: pd.DataFrame, request: Request) -> pd.Series:
    """The number of the record that each row is a version of."""
    source, dates = request.source, request.mapping.dialects[request.source.dialect].dates
    dated = {name for name, _ in dated_columns(request)}
    columns = {name: folded(rows[name], dates if name in dated else ()) for name in source.latest_by}
    return (
        pd.DataFrame({"_authority": rows["_authority"], **columns})
        .groupby(["_authority", *source.latest_by], sort=False)
        .ngroup()
    )


def _fields(whose: _Whose, request: Request) -> pd.DataFrame:
    """The rows in our fields, and the columns by which versions of a row are compared."""
    source, table = request.source, request.table
    if source.category_of_need is not None:
        table = table.with_field(CATEGORY)
        columns = {**source.columns, CATEGORY.name: source.category_of_need}
        source = source.model_copy(update={"columns": columns})
    rows = plain(tabular.to_fields(whose.rows, source, request.mapping, table))
    if whose.child_id is not None:
        rows["child_id"] = whose.child_id
    return rows.join(whose.rows[["_authority", "_rank"]])


def _whose(rows: pd.DataFrame, request: Request) -> _Whose:
    source = request.source
    number = folded(rows[source.columns["child_id"]])
    child_id, here = None, pd.Series(True, index=rows.index)
    if source.linkage is not None:
        listed = _linked(request.companions[Linkage.PURPOSE], source.linkage)
        by = [rows["_authority"], number] if source.linkage.authority else [number]
        child_id = pd.Series(pd.MultiIndex.from_arrays(by).map(listed), index=rows.index, dtype=object)
        here = child_id.notna()
        number = folded(child_id.fillna(""))
    if source.only_children_of is not None:
        here &= number.isin(folded(_children(request)["child_id"]))
    elsewhere = rows.loc[~here, "source_file"].value_counts().to_dict()
    return _Whose(rows[here], None if child_id is None else child_id[here], elsewhere)


def _children(request: Request) -> pd.DataFrame:
    if request.source.only_children_of not in request.tables:
        raise SourceError(
            f"{request.source.files}: only rows of the trial's children are kept, and table "
            f"{request.source.only_children_of} is not read with it."
        )
    return request.tables[request.source.only_children_of]


def _linked(listed: pd.DataFrame, linkage: Linkage) -> dict[tuple[str, ...], str]:
    """Authority (where the list has it) and number -> the trial's number."""
    names = [name for name in (linkage.authority, linkage.child) if name is not None]
    keys = pd.DataFrame({name: folded(listed[name]) for name in names})
    own = folded(listed[linkage.child_id])
    kept = (keys != "").all(axis=1) & (own != "")
    meanings = own[kept].groupby([keys.loc[kept, name] for name in names]).transform("nunique")
    if (meanings > 1).any():
        line = listed.loc[meanings[meanings > 1].index[0], "source_row"]
        raise SourceError(f"{linkage.file}, row {line}: one number of an authority leads to two children.")
    keyed = zip(*(keys.loc[kept, name] for name in names), own[kept], strict=True)
    return {tuple(key): child for *key, child in keyed}

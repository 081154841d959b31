"""The yearly returns of each authority: which year a file is of, and how one return follows the other."""

import re
from collections.abc import Iterable, Iterator
from functools import partial

import numpy as np
import pandas as pd

from analysis.factors import each_distinct, parts
from analysis.sources.findings import findings_at
from analysis.sources.request import Request
from analysis.sources.tabular import iso_day
from analysis.spec.characters import fold_id, whole_number
from analysis.spec.issue import Issue
from analysis.spec.tables import MISSING_MARK

# How far the year in a name may be from that of the content: by a convention, not by a slip of the pen.
CONVENTION = 2
# Years without a day of any child that a small authority may have.
QUIET = 2
# Fields of an open episode that stand unchanged in the next return, with the return's own rule.
FIXED_WHILE_OPEN = {
    "reason_new": "503A",
    "legal_status": "503B",
    "category_of_need": "503C",
    "placement_code": "503D",
}
# What is blank while an episode runs: to fill it in is no amendment.
FILLED_LATER = ("end_date", "reason_ended")


def days(cells: pd.Series) -> pd.Series:
    """ISO days of a column as dates; anything else is no date."""
    codes, distinct = parts(cells)
    dated = pd.Series([*distinct, None], dtype=object)  # the last, at -1, for no cell
    read = pd.to_datetime(dated, format="%Y-%m-%d", errors="coerce")
    return pd.Series(read.to_numpy("datetime64[ns]")[codes], index=cells.index)


def folded(cells: pd.Series, dates: tuple[str, ...] = ()) -> pd.Series:
    """Cells as they are meant: capitals, Latin letters, whole numbers without decimals, ISO dates."""
    _, distinct = parts(cells)
    lines = "\n".join(distinct)
    # One look at all cells: most columns are as they are meant.
    if not dates and ".0" not in lines and fold_id(lines) == lines:
        return cells.astype(object)
    return each_distinct(cells, partial(_folded, dates=dates))


def _folded(cell: str, dates: tuple[str, ...]) -> str:
    return whole_number(fold_id(iso_day(cell, dates) if dates else cell))


def year_of(day: pd.Series) -> pd.Series:
    """The return year that a day lies in, named by the 31 March on which it ends."""
    return day.dt.year + (day.dt.month > 3).astype(int)


def submissions(rows: pd.DataFrame, request: Request) -> pd.DataFrame:
    """One row per authority and file: its year, and its rank among the authority's submissions.

    The last day in a return cannot lie after its year, so the content bounds the year from below; a small
    extract may have no day in it at all. Names that hold a year order the files, and how they count is taken
    from the content: the least difference that the content of any file allows.

    Returns
    -------
    DataFrame
        `_authority`, `source_file`, `_year`, `_content_year`, `_name_year` (missing where unknown), `_rank`
        (0, 1, ...), `_last_rank`.
    """
    latest = pd.concat(
        [
            days(each_distinct(rows[column], partial(iso_day, formats=dates)))
            for column, dates in dated_columns(request)
        ],
        axis=1,
    ).max(axis=1)
    content = year_of(latest).groupby([rows["_authority"], rows["source_file"]], sort=False).max()
    made = content.rename("_content_year").reset_index()
    made["_name_year"] = made["source_file"].map(_name_year(request, made["source_file"])).astype(float)
    ahead = (made["_name_year"] - made["_content_year"]).where(lambda gap: gap.abs() <= CONVENTION)
    convention = ahead.groupby(made["_authority"]).transform("min")
    # A return of which no day can be read has the year of its name, or none.
    years = (made["_name_year"] - convention).fillna(made["_content_year"])
    made["_year"] = years.fillna(made["_name_year"])
    made = made.assign(_order=np.arange(len(made))).sort_values(
        ["_authority", "_year", "_order"], kind="stable"
    )
    made["_rank"] = made.groupby("_authority", sort=False).cumcount()
    made["_last_rank"] = made.groupby("_authority", sort=False)["_rank"].transform("max")
    return made.drop(columns="_order").reset_index(drop=True)


def check_submissions(rows: pd.DataFrame, made: pd.DataFrame, request: Request) -> Iterator[Issue]:
    """R33 a name before the content, R34 two returns of a year, R37 a year without, R38 one out of time."""
    by = ["_authority"]
    before = made.groupby(by, sort=False)["_year"].shift()
    findings = {
        "R33": (
            made["_name_year"] < made["_content_year"],
            "note",
            "the year in the file's name is before that of the last day in it",
        ),
        "R34": (
            made["_year"] == before,
            "note",
            "a second return of one authority for one year; it supersedes the first",
        ),
        "R37": (
            made["_year"] > before + 1,
            "note",
            "no return of the authority for the year before this one",
        ),
        "R38": (
            made["_year"] - made["_content_year"] > QUIET,
            "query",
            "its last day is years before its name's; an old return under a new name would undo later ones",
        ),
    }
    first = rows.drop_duplicates(by + ["source_file"]).set_index(by + ["source_file"])["source_row"]
    for rule, (at, severity, message) in findings.items():
        for authority, file in made.loc[at, by + ["source_file"]].itertuples(index=False):
            row = int(first[(authority, file)])
            yield Issue(request.table.name, file, row, "?", "source_file", rule, severity, "keep", message)


def check_years(versions: pd.DataFrame, made: pd.DataFrame, request: Request) -> list[Issue]:
    """R31 and R32 restatements, R35 an open episode left out of a return, R36 one that comes too late."""
    once = versions.drop_duplicates(["_key", "_rank"]).sort_values(["_key", "_rank"], kind="stable")
    after = once.groupby("_key", sort=False).shift(-1)
    follows = after["_rank"].notna()
    is_open = is_blank(once["end_date"])
    found = list(_restated(once, after, follows, is_open, request))
    skipped = is_open & follows & (after["_rank"] > once["_rank"] + 1)
    found += findings_at(
        once, request, skipped, field="start_date", rule="R35", severity="query", action="superseded",
        message="open at the end of a return and absent from the next, but not from a later one (rule 502)",
    )  # fmt: skip
    reopened = follows & ~is_open & is_blank(after["end_date"].fillna(""))
    found += findings_at(
        once, request, reopened, field="end_date", rule="R39", severity="query", action="superseded",
        message="closed, and open again in a later return, which counts",
    )  # fmt: skip
    found += findings_at(
        once, request, _late(once, made),
        field="start_date", rule="R36", severity="query", action="keep",
        message="begun before the year of its return, and absent from the return before (rules 562, NoE)",
    )  # fmt: skip
    return found


def is_blank(cells: pd.Series) -> pd.Series:
    """Which cells hold no value, for whatever reason."""
    return each_distinct(cells, lambda cell: not cell or cell.startswith(MISSING_MARK)).astype(bool)


def _restated(
    once: pd.DataFrame, after: pd.DataFrame, follows: pd.Series, is_open: pd.Series, request: Request
) -> Iterable[Issue]:
    own = set(request.table.key) | {"source_file", "source_row"}
    compared = [name for name in once if not name.startswith("_") and name not in own]
    changed = pd.DataFrame(
        {
            name: follows
            & (folded(once[name]) != folded(after[name].fillna("")))
            & ~(is_blank(once[name]) if name in FILLED_LATER else False)
            for name in compared
        }
    )
    fixed = [name for name in FIXED_WHILE_OPEN if name in changed]
    broken = changed[fixed].any(axis=1) & is_open
    for names, at in _combinations(changed[~broken]):
        yield from findings_at(
            once, request, at.reindex(once.index, fill_value=False),
            field=names[0], rule="R31", severity="note", action="superseded",
            message=f"superseded by a later return that changes {', '.join(names)}",
        )  # fmt: skip
    for names, at in _combinations(changed.loc[broken, fixed]):
        rules = ", ".join(FIXED_WHILE_OPEN[name] for name in names)
        yield from findings_at(
            once, request, at.reindex(once.index, fill_value=False),
            field=names[0], rule="R32", severity="query", action="superseded",
            message=f"open at the end of a return; the next one changes {', '.join(names)} (rule {rules})",
        )  # fmt: skip


def _combinations(marks: pd.DataFrame) -> Iterator[tuple[list[str], pd.Series]]:
    """Each combination of marked columns with the rows that have it."""
    code = marks.to_numpy(dtype=np.int64) @ (1 << np.arange(marks.shape[1]))
    for each in np.unique(code[code > 0]):
        names = [name for at, name in enumerate(marks) if each >> at & 1]
        yield names, pd.Series(code == each, index=marks.index)


def _late(once: pd.DataFrame, made: pd.DataFrame) -> pd.Series:
    """First versions of episodes that should have stood in the return of the year before, which there is."""
    year = _lookup(once, made, "_year")
    before = made.groupby("_authority", sort=False)["_year"].shift()
    has_before = _lookup(once, made.assign(_has=(made["_year"] == before + 1)), "_has").astype(bool)
    is_first = ~once["_key"].duplicated()
    return is_first & has_before & (year_of(days(once["start_date"])) < year)


def _lookup(rows: pd.DataFrame, made: pd.DataFrame, column: str) -> pd.Series:
    values = made.set_index(["_authority", "_rank"])[column]
    at = pd.MultiIndex.from_frame(rows[["_authority", "_rank"]])
    return pd.Series(values.reindex(at).to_numpy(), index=rows.index)


def dated_columns(request: Request) -> list[tuple[str, tuple[str, ...]]]:
    """Columns of the file that hold dates, and the forms they have."""
    forms = request.mapping.dialects[request.source.dialect].dates
    named = [field.name for field in request.table.fields if field.type == "date"]
    return [(request.source.columns[name], forms) for name in named if name in request.source.columns]


def _name_year(request: Request, files: pd.Series) -> dict[str, float]:
    pattern = request.source.authority.pattern if request.source.authority else None
    if pattern is None or "year" not in re.compile(pattern).groupindex:
        return {}
    found = {file: re.search(pattern, file) for file in files}
    return {file: float(match["year"]) for file, match in found.items() if match["year"].isdecimal()}

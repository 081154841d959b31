"""What cleaning wrote, read back for the issue report: findings with their sites, and rows that add up."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd

from analysis.data.issue_sites import issue_sites
from analysis.data.table import read_text
from analysis.errors import DataError, place_of
from analysis.spec.declarations import Spec
from analysis.spec.issue import COLUMNS, Issue

NAMES = ("table", "file")


def read_issues(path: Path) -> list[Issue]:
    """The findings of one file.

    Raises
    ------
    DataError
        If it is not a file of findings.
    """
    frame = _read(path)
    if tuple(frame.columns) != COLUMNS:
        raise DataError(f"{place_of(path)}: its columns are not those of a file of findings.")
    frame["source_row"] = frame["source_row"].astype(int)
    return [Issue(*row) for row in frame.itertuples(index=False, name=None)]


def read_counts(path: Path) -> list[dict[str, str | int]]:
    """The lines of ``rows.csv``: what became of the rows of each file."""
    lines = _read(path).to_dict("records")
    return [{name: cell if name in NAMES else int(cell) for name, cell in line.items()} for line in lines]


def count_rows(path: Path) -> int:
    """Number of rows of a table, of which one column is read."""
    return len(pd.read_csv(path, usecols=[0], dtype=str, keep_default_na=False))


def sites_on_disk(
    issues: list[Issue], spec: Spec, *, parents: Path, clean: Path, ingested: Path
) -> tuple[str, ...]:
    """Site of each issue, by the tables below these folders."""

    def rows(name: str) -> Iterator[pd.DataFrame]:
        for folder in (clean, ingested):
            if (folder / f"{name}.csv").is_file():
                yield read_text(folder / f"{name}.csv", spec.table(name))

    families, children = (
        read_text(parents / f"{name}.csv", spec.table(name)) for name in ("families", "children")
    )
    return issue_sites(issues, spec, families=families, children=children, rows=rows)


def set_aside(issues: Iterable[Issue]) -> int:
    """Number of rows that a rule took out of the clean table."""
    return sum(issue.action == "set_aside" for issue in issues)


def _read(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False, na_filter=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise DataError(f"{place_of(path)}: not a file written by this workflow.") from error

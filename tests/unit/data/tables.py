"""Small tables written by hand, as they stand in the test.

A table is a text of cells between bars, its first line the fields. Fields that are not written are empty; the
file is `export.csv` and the lines count from 2, unless they are written.
"""

import pandas as pd

from analysis.data.table import typed
from analysis.spec.declarations import Spec


def cells(spec: Spec, name: str, text: str, **constants: str) -> pd.DataFrame:
    """Rows of a declared table as text."""
    table = spec.table(name)
    lines = [[cell.strip() for cell in line.split("|")] for line in text.splitlines() if line.strip()]
    header, rows = lines[0], lines[1:]
    assert set(header) | set(constants) <= set(table.columns), f"not fields of {name}"
    assert all(len(row) == len(header) for row in rows), "a row of another length"
    frame = pd.DataFrame("", index=range(len(rows)), columns=list(table.columns), dtype=object)
    if "source_file" in frame:
        frame["source_file"], frame["source_row"] = "export.csv", [str(at + 2) for at in range(len(rows))]
    for field, value in constants.items():
        frame[field] = value
    for at, field in enumerate(header):
        frame[field] = pd.Series([row[at] for row in rows], dtype=object)
    return frame


def values(spec: Spec, name: str, text: str, **constants: str) -> pd.DataFrame:
    """Rows of a declared table with typed columns."""
    return typed(cells(spec, name, text, **constants), spec.table(name))


def shown(frame: pd.DataFrame, *columns: str) -> list[tuple]:
    """Rows as tuples of text, empty where missing: what a test compares and a failure prints."""
    out = frame[list(columns)].astype(object)
    text = out.map(
        lambda cell: "" if pd.isna(cell) else f"{cell:%Y-%m-%d}" if hasattr(cell, "strftime") else cell
    )
    return [tuple(row) for row in text.itertuples(index=False)]

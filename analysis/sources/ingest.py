"""Raw exports of any supported kind -> raw tables as text, nothing dropped without a count."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.errors import BlindingError, SourceError
from analysis.factors import parts, stacked
from analysis.sources import clas, redcap, ssda903, tabular
from analysis.sources.blinding import check_events
from analysis.sources.claims import check_claimed
from analysis.sources.companions import count_companion
from analysis.sources.copies import copies, copy_issue
from analysis.sources.findings import with_keys
from analysis.sources.mixed_dates import mixed_dates
from analysis.sources.opening import read_companions, read_files
from analysis.sources.places import (
    ALLOCATION,
    Refuse,
    Refused,
    check_declared,
    check_present,
    files_of,
    stop_at,
)
from analysis.sources.request import Fields, Request
from analysis.sources.spellings import respelt
from analysis.sources.tabular import RowCount
from analysis.spec.declarations import Spec
from analysis.spec.issue import Issue
from analysis.spec.mapping import Mapping, Source

READERS = {
    "tabular": tabular.read_fields,
    "clas": clas.read_fields,
    "redcap": redcap.read_fields,
    "ssda903": ssda903.read_fields,
}


@dataclass(frozen=True, slots=True)
class Ingested:
    """Raw tables as text, what became of the rows of each file by table, and what was found on the way."""

    tables: dict[str, pd.DataFrame]
    counts: tuple[RowCount, ...]
    issues: tuple[Issue, ...]


def ingest(
    spec: Spec,
    mapping: Mapping,
    folder: Path,
    *,
    tables: Iterable[str],
    allocation: Path | None = None,
    say: Callable[[str], None] = lambda text: None,
    refuse: Refuse = stop_at,
) -> Ingested:
    """Raw tables as text from the exports below `folder`.

    Parameters
    ----------
    spec, mapping
        The declarations and the mapping of this kind of export.
    folder : Path
        The raw folder of open tables.
    tables : iterable of str
        Which tables to fill; all must have the same audience.
    allocation : Path, optional
        The restricted file. Closed tables are read from it and from the folder it is kept in.
    say : callable
        Told of every file before it is read.
    refuse : callable
        Told of every file that cannot be taken; by default it raises. The other files go on when it returns.

    Returns
    -------
    Ingested
        Its tables are frames of strings in the declared column order.

    Raises
    ------
    SourceError, BlindingError
        Naming the file and row.
    """
    wanted = tuple(tables)
    sources = mapping.of_tables(frozenset(wanted))
    if spec.audience(wanted) == "closed":
        folder = _restricted_folder(allocation)
    else:
        check_declared(spec, mapping, folder, refuse)
    check_present(sources, folder, refuse)
    found = [(source, files_of(source, mapping, folder, allocation, refuse)) for source in sources]
    beside = read_companions(spec, mapping, found, folder, say, refuse)
    files = read_files(spec, mapping, found, beside, say, refuse)
    files = check_claimed(files, found, mapping, refuse)
    found = [(source, {name: path for name, path in each.items() if name in files}) for source, each in found]
    tables_read: dict[str, list[pd.DataFrame]] = {name: [] for name in wanted}
    counts = [count_companion(purpose, frame, file=name) for (purpose, name), frame in beside.items()]
    issues: list[Issue] = []
    unkeyed: list[Issue] = []
    for file, frame in files.items():
        readers = [source for source, names in found if file in names]
        unkeyed += mixed_dates(frame, readers, mapping, spec, file=file)
    for source, names in sorted([each for each in found if each[1]], key=_reads_others):
        stale = copies(names, files)
        rows, counted = _read_source(source, names, files, mapping, stale)
        companions = {purpose: beside[purpose, name] for purpose, name in source.companions.items()}
        own = {name: files[name] for name in names}
        against = tables_read if _reads_others((source, names)) else {}
        done = {name: _stack(spec, name, frames) for name, frames in against.items() if frames}
        request = Request(source, mapping, spec.table(source.table), spec, companions, own, done)
        try:
            if request.table.audience == "open":
                check_events(own.values(), file=source.files)
            fields = READERS[source.kind](rows, request)
        except (SourceError, BlindingError) as error:
            refuse(Refused(source.files, (source.table,), error))
            continue
        tables_read[source.table].append(fields.rows)
        unkeyed += respelt(rows, source, mapping, request.table)
        counts += _account(counted, rows, fields)
        issues += fields.issues
        issues += [copy_issue(source.table, file, original) for file, original in stale.items()]
    whole = {name: _stack(spec, name, frames) for name, frames in tables_read.items()}
    issues += with_keys(unkeyed, whole, spec)
    return Ingested(whole, tuple(counts), tuple(sorted(issues)))


def _restricted_folder(allocation: Path | None) -> Path:
    if allocation is None:
        raise SourceError(f"table {ALLOCATION}: no allocation file is given.")
    return allocation.parent


def _reads_others(found: tuple[Source, object]) -> bool:
    """Entries that are read against another table come after all others."""
    return found[0].read_against is not None


def _read_source(
    source: Source,
    files: Iterable[str],
    frames: dict[str, pd.DataFrame],
    mapping: Mapping,
    stale: dict[str, str],
) -> tuple[pd.DataFrame, list[RowCount]]:
    selected = {file: tabular.select_rows(frames[file], source, file=file) for file in files}
    counts = [count for _, count in selected.values()]
    kept = [rows for file, (rows, _) in selected.items() if file not in stale]
    latest = source.model_copy(update={"latest_by": ()}) if source.is_joined_by_reader else source
    rows, superseded = tabular.keep_latest(kept, latest, mapping.dialects[source.dialect])
    superseded |= {file: len(selected[file][0]) for file in stale}
    return rows, [
        replace(
            count,
            rows_superseded=superseded.get(count.file, 0),
            rows_kept=count.rows_kept - superseded.get(count.file, 0),
            cells_trimmed=frames[count.file].attrs["cells_trimmed"],
        )
        for count in counts
    ]


def _account(counts: list[RowCount], before: pd.DataFrame, fields: Fields) -> list[RowCount]:
    """The counts with the rows that the kind of export took away, and why."""
    were, are = _by_file(before), _by_file(fields.rows)
    return [_less(each, were.get(each.file, 0) - are.get(each.file, 0), fields) for each in counts]


def _by_file(rows: pd.DataFrame) -> dict[str, int]:
    codes, files = parts(rows["source_file"])
    return dict(zip(files, np.bincount(codes, minlength=len(files)).tolist(), strict=True))


def _less(count: RowCount, gone: int, fields: Fields) -> RowCount:
    superseded, elsewhere = fields.superseded.get(count.file, 0), fields.elsewhere.get(count.file, 0)
    return replace(
        count,
        rows_kept=count.rows_kept - gone,
        rows_superseded=count.rows_superseded + superseded,
        rows_elsewhere=count.rows_elsewhere + elsewhere,
        rows_set_aside=gone - superseded - elsewhere,
    )


def _stack(spec: Spec, name: str, frames: list[pd.DataFrame]) -> pd.DataFrame:
    columns = list(spec.table(name).columns)
    return (
        stacked([each[columns] for each in frames]) if frames else pd.DataFrame(columns=columns, dtype=object)
    )

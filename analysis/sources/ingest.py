"""Raw exports of any supported kind -> raw tables as text, nothing dropped without a count."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from analysis.errors import BlindingError, SourceError
from analysis.sources import clas, tabular
from analysis.sources.blinding import check_cells, check_columns
from analysis.sources.copies import copies, copy_issue
from analysis.sources.date_formats import mixed_dates
from analysis.sources.formats import read_file
from analysis.sources.places import ALLOCATION, Refuse, Refused, check_declared, files_of, stop_at
from analysis.sources.request import Request
from analysis.sources.tabular import RowCount
from analysis.spec.declarations import Spec
from analysis.spec.issue import Issue
from analysis.spec.mapping import Mapping, Source

READERS = {"tabular": tabular.read_fields, "clas": clas.read_fields}
ARM = "arm"
# Each entry of the mapping with its files: name for messages -> path.
Found = list[tuple[Source, dict[str, Path]]]


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
    found = [(source, files_of(source, mapping, folder, allocation, refuse)) for source in sources]
    files = _read_files(spec, mapping, found, say, refuse)
    files = _check_claimed(files, found, mapping, refuse)
    found = [(source, {name: path for name, path in each.items() if name in files}) for source, each in found]
    tables_read: dict[str, list[pd.DataFrame]] = {name: [] for name in wanted}
    counts: list[RowCount] = []
    issues: list[Issue] = []
    for file, frame in files.items():
        readers = [source for source, names in found if file in names]
        issues += mixed_dates(frame, readers, mapping, spec, file=file)
    for source, names in [each for each in found if each[1]]:
        stale = copies(names, files)
        rows, counted = _read_source(source, names, files, mapping, stale)
        companions = {purpose: files[name] for purpose, name in source.companions.items()}
        request = Request(source, mapping, spec.table(source.table), spec, companions)
        try:
            fields = READERS[source.kind](rows, request)
        except SourceError as error:
            refuse(Refused(source.files, (source.table,), error))
            continue
        tables_read[source.table].append(fields.rows)
        counts += _set_aside(counted, rows, fields.rows)
        issues += fields.issues
        issues += [copy_issue(source.table, file, original) for file, original in stale.items()]
    stacked = {name: _stack(spec, name, parts) for name, parts in tables_read.items()}
    return Ingested(stacked, tuple(counts), tuple(sorted(issues)))


def _restricted_folder(allocation: Path | None) -> Path:
    if allocation is None:
        raise SourceError(f"table {ALLOCATION}: no allocation file is given.")
    return allocation.parent


def _read_files(
    spec: Spec, mapping: Mapping, found: Found, say: Callable[[str], None], refuse: Refuse
) -> dict[str, pd.DataFrame]:
    frames: dict[str, pd.DataFrame] = {}
    tried: set[str] = set()
    for source, files in found:
        for file in [each for each in files if each not in tried]:
            tried.add(file)
            say(f"ingest: reading {file}")
            try:
                frames[file] = _read_file(spec, mapping, source, files[file], file=file)
            except (SourceError, BlindingError) as error:
                refuse(Refused(file, _tables_of(file, found), error))
    return frames


def _tables_of(file: str, found: Found) -> tuple[str, ...]:
    return tuple(dict.fromkeys(source.table for source, files in found if file in files))


def _read_file(spec: Spec, mapping: Mapping, source: Source, path: Path, *, file: str) -> pd.DataFrame:
    declared = {name for other in mapping.read_with(source) for name in other.read_columns}
    audience = spec.table(source.table).audience
    text = read_file(path, mapping.dialects[source.dialect], file=file)
    check_columns(text.columns, declared, file=file, audience=audience)
    frame = tabular.as_frame(text)
    if audience == "open":
        check_cells(frame, _arm_names(spec), file=file)
    return frame


def _arm_names(spec: Spec) -> list[str]:
    return [name for code in spec.codes_of(ARM).values() for name in (code.code, code.label)]


def _check_claimed(
    frames: dict[str, pd.DataFrame], found: Found, mapping: Mapping, refuse: Refuse
) -> dict[str, pd.DataFrame]:
    """The files of which every row and cell is taken by an entry."""
    claimed = {}
    for file, frame in frames.items():
        here = [other for source, files in found if file in files for other in mapping.read_with(source)]
        try:
            _check_claims(frame, [each for each in mapping.sources if each in here], file=file)
        except SourceError as error:
            refuse(Refused(file, _tables_of(file, found), error))
        else:
            claimed[file] = frame
    return claimed


def _check_claims(frame: pd.DataFrame, sources: list[Source], *, file: str) -> None:
    """A row or cell that no entry takes would be lost without a word, whichever tables are asked for."""
    claimed = pd.concat([tabular.belongs(frame, source) for source in sources], axis=1).any(axis=1)
    if unclaimed := frame.loc[~claimed, "source_row"].tolist():
        columns = ", ".join(sorted({column for source in sources for column in source.where}))
        raise SourceError(
            f"{file}, row {unclaimed[0]}: no table takes this row; its {columns} is none of the values "
            f"in the mapping (such rows: {len(unclaimed)})."
        )
    _check_cells_claimed(frame, sources, file=file)


def _check_cells_claimed(frame: pd.DataFrame, sources: list[Source], *, file: str) -> None:
    taken = [(tabular.belongs(frame, each) & tabular.is_filled(frame, each), each) for each in sources]
    for column in frame.columns.drop(list(tabular.SOURCE_COLUMNS)):
        left = pd.Series(True, index=frame.index)
        for rows, source in taken:
            if column in source.read_columns:
                left &= ~rows
        # Most columns are taken from every row, and their cells need no look.
        lost = left.any() and frame.loc[left & (frame[column] != ""), "source_row"].tolist()
        if lost:
            raise SourceError(
                f"{file}, row {lost[0]}: column '{column}' is filled in, but by `where` or `unless_blank` no "
                f"entry of the mapping takes it from this row (such rows: {len(lost)})."
            )


def _read_source(
    source: Source,
    files: Iterable[str],
    frames: dict[str, pd.DataFrame],
    mapping: Mapping,
    stale: dict[str, str],
) -> tuple[pd.DataFrame, list[RowCount]]:
    selected = {file: tabular.select_rows(frames[file], source, file=file) for file in files}
    counts = [count for _, count in selected.values()]
    parts = [rows for file, (rows, _) in selected.items() if file not in stale]
    rows, superseded = tabular.keep_latest(parts, source, mapping.dialects[source.dialect])
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


def _set_aside(counts: list[RowCount], before: pd.DataFrame, after: pd.DataFrame) -> list[RowCount]:
    """The counts with the rows that the kind of export set aside."""
    lost = before["source_file"].value_counts().sub(after["source_file"].value_counts(), fill_value=0)
    gone = {file: int(n) for file, n in lost.items()}
    return [_less(each, gone.get(each.file, 0)) for each in counts]


def _less(count: RowCount, gone: int) -> RowCount:
    return replace(count, rows_kept=count.rows_kept - gone, rows_set_aside=gone)


def _stack(spec: Spec, name: str, parts: list[pd.DataFrame]) -> pd.DataFrame:
    columns = list(spec.table(name).columns)
    return (
        pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns, dtype=object)
    )

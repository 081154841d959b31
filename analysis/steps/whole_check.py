"""Everything that is wrong with a folder of exports: the path of the workflow, which here no stop ends."""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pandas as pd

from analysis.data.clean import Cleaned, clean_tables
from analysis.data.corrections import read_corrections
from analysis.data.derive import derive
from analysis.data.issue_log import set_aside
from analysis.data.issue_sites import issue_sites
from analysis.data.table import typed
from analysis.errors import BlindingError, DataError
from analysis.present.issue_page import FileRows, IssueLog, TableRows
from analysis.sources.ingest import Ingested, Refused, ingest
from analysis.sources.tabular import RowCount
from analysis.spec.arm_words import arm_word
from analysis.spec.declarations import Spec
from analysis.spec.issue import Issue
from analysis.spec.mapping import Mapping

# A message names the file itself: that of an entry may be a pattern, or the one beside it may be at fault.
PLACE = re.compile(
    r"(?P<file>[^:]+?)(?:, row (?P<row>\d+))?(?:, rule (?P<rule>[A-Z]+\d+))?(?:: |, )(?P<told>[^,:].*)",
    re.DOTALL,
)
HIDDEN = "?"
HISTORIES = "care histories (TR01 to TR05)"


def check_exports(
    spec: Spec,
    mapping: Mapping,
    folder: Path,
    *,
    cut: str,
    corrections: Path | None,
    say: Callable[[str], None],
) -> IssueLog:
    """Findings of every severity in the open tables, and the checks that a stop made meaningless."""
    refused: list[Refused] = []
    names = spec.table_names(layer="raw", audience="open")
    read = ingest(spec, mapping, folder, tables=names, say=say, refuse=refused.append)
    lines, unsigned = _read_corrections(corrections, spec)
    incomplete = frozenset(table for each in refused for table in each.tables)
    cleaned = clean_tables(
        read.tables,
        spec,
        data_cut=cut,
        corrections=lines,
        incomplete=incomplete,
        stop=lambda issues: None,
        say=say,
    )
    issues = [*(_refusal(each, spec) for each in refused), *unsigned, *read.issues, *cleaned.issues]
    unchecked = [
        *_without_parent(spec, incomplete),
        *((f"{each.rule} of {each.table}", _why(each.because, incomplete)) for each in cleaned.unchecked),
    ]
    if any(issue.severity == "stop" for issue in issues):
        unchecked.append((HISTORIES, "they are put together only from tables without a stop"))
    else:
        say("care histories")
        issues += _histories(cleaned, spec, cut)
    return _log(issues, unchecked, read, cleaned, spec)


def _read_corrections(path: Path | None, spec: Spec) -> tuple[pd.DataFrame, list[Issue]]:
    try:
        return read_corrections(path, spec), []
    except DataError as error:
        return read_corrections(None, spec), [_fault("", path.name, "K05", str(error))]


def _refusal(refused: Refused, spec: Spec) -> Issue:
    """A file or column may be named after an arm, and what is found is open: the name is hidden."""
    rule = "R61" if isinstance(refused.error, BlindingError) else "R60"
    fault = _fault(", ".join(refused.tables), refused.file, rule, str(refused.error))
    arm = arm_word(spec.arm_names)
    shown = {name: getattr(fault, name) for name in ("source_file", "message")}
    return replace(fault, **{name: arm.sub(HIDDEN, text) for name, text in shown.items()}) if arm else fault


def _fault(table: str, file: str, rule: str, message: str) -> Issue:
    """An error as a finding: what it says of file and row stands in columns of its own."""
    place = PLACE.fullmatch(message)
    if place is None:
        return Issue(table, file, 0, HIDDEN, "", rule, "stop", "keep", message.removesuffix("."))
    row, told = int(place["row"] or 0), place["told"].removesuffix(".")
    return Issue(table, place["file"], row, HIDDEN, "", place["rule"] or rule, "stop", "keep", told)


def _without_parent(spec: Spec, incomplete: Iterable[str]) -> list[tuple[str, str]]:
    parents = dict.fromkeys(
        key.reference.resource
        for table in spec.package.resources
        for key in table.schema_.foreignKeys
        if table.audience == "open" and key.reference.resource in incomplete
    )
    return [(f"S09 of the tables that point to {name}", _why(name, incomplete)) for name in parents]


def _why(table: str, incomplete: Iterable[str]) -> str:
    if table in incomplete:
        return f"a file of table {table} could not be read"
    return f"table {table} has rows whose key cannot be told"


def _histories(cleaned: Cleaned, spec: Spec, cut: str) -> list[Issue]:
    tables = {name: typed(text, spec.table(name)) for name, text in cleaned.tables.items()}
    try:
        return list(derive(tables, spec, data_cut=cut, scales_text=cleaned.tables["scales"]).issues)
    except DataError as error:
        return [_fault("flow", "", "TR05", str(error))]


def _log(
    issues: list[Issue],
    unchecked: list[tuple[str, str]],
    read: Ingested,
    cleaned: Cleaned,
    spec: Spec,
) -> IssueLog:
    tables = cleaned.tables
    sites = issue_sites(
        issues,
        spec,
        families=tables["families"],
        children=tables["children"],
        rows=lambda name: [each[name] for each in (tables, read.tables) if name in each],
    )
    sizes = [
        TableRows(
            name,
            len(read.tables[name]),
            len(text),
            set_aside(issue for issue in cleaned.issues if issue.table == name),
            cleaned.damaged.get(name, 0),
        )
        for name, text in tables.items()
    ]
    files = tuple(_file_rows(count) for count in read.counts)
    return IssueLog(tuple(issues), sites, files, tuple(sizes), tuple(unchecked))


def _file_rows(count: RowCount) -> FileRows:
    return FileRows(**{name: getattr(count, name) for name in FileRows.__dataclass_fields__})

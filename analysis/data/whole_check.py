"""Everything that is wrong with raw tables: the path of the workflow, which here no stop ends."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from analysis.data.clean import Cleaned, clean_tables
from analysis.data.corrections import read_corrections
from analysis.data.derive import derive
from analysis.data.issue_log import set_aside
from analysis.data.issue_sites import issue_sites
from analysis.data.table import typed
from analysis.errors import DataError
from analysis.spec.declarations import Spec
from analysis.spec.issue import Issue, fault

HISTORIES = "care histories (TR01 to TR05)"


@dataclass(frozen=True, slots=True)
class Checked:
    """Findings with the site of each, checks that were not made with their reasons, and sizes of tables.

    A size is the rows of a table as read and as clean, those set aside, and those without a usable key.
    """

    issues: tuple[Issue, ...]
    sites: tuple[str, ...]
    unchecked: tuple[tuple[str, str], ...]
    sizes: Mapping[str, tuple[int, int, int, int]]


def check_tables(
    raw: Mapping[str, pd.DataFrame],
    spec: Spec,
    *,
    data_cut: str,
    corrections: Path | None,
    found: Collection[Issue],
    incomplete: Collection[str],
    say: Callable[[str], None],
) -> Checked:
    """Findings of every severity in the open tables, and the checks that a stop made meaningless.

    Parameters
    ----------
    raw : mapping of str to DataFrame
        Tables as text.
    found : collection of Issue
        What was found when they were read.
    incomplete : collection of str
        Tables of which a file could not be read.
    """
    lines, unsigned = _signed(corrections, spec)
    cleaned = clean_tables(
        raw,
        spec,
        data_cut=data_cut,
        corrections=lines,
        incomplete=incomplete,
        stop=lambda issues: None,
        say=say,
    )
    issues = [*found, *unsigned, *cleaned.issues]
    unchecked = [
        *_without_parent(spec, incomplete),
        *((f"{each.rule} of {each.table}", _why(each.because, incomplete)) for each in cleaned.unchecked),
    ]
    if any(issue.severity == "stop" for issue in issues):
        unchecked.append((HISTORIES, "they are put together only from tables without a stop"))
    else:
        say("care histories")
        issues += _histories(cleaned, spec, data_cut)
    return Checked(tuple(issues), _sites(issues, raw, cleaned, spec), tuple(unchecked), _sizes(raw, cleaned))


def _signed(path: Path | None, spec: Spec) -> tuple[pd.DataFrame, list[Issue]]:
    try:
        return read_corrections(path, spec), []
    except DataError as error:
        return read_corrections(None, spec), [fault(str(error), table="", file=path.name, rule="K05")]


def _without_parent(spec: Spec, incomplete: Collection[str]) -> list[tuple[str, str]]:
    parents = dict.fromkeys(
        key.reference.resource
        for table in spec.package.resources
        for key in table.schema_.foreignKeys
        if table.audience == "open" and key.reference.resource in incomplete
    )
    return [(f"S09 of the tables that point to {name}", _why(name, incomplete)) for name in parents]


def _why(table: str, incomplete: Collection[str]) -> str:
    if table in incomplete:
        return f"a file of table {table} could not be read"
    return f"table {table} has rows whose key cannot be told"


def _histories(cleaned: Cleaned, spec: Spec, data_cut: str) -> list[Issue]:
    tables = {name: typed(text, spec.table(name)) for name, text in cleaned.tables.items()}
    try:
        made = derive(tables, spec, data_cut=data_cut, scales_text=cleaned.tables["scales"])
    except DataError as error:
        return [fault(str(error), table="flow", file="", rule="TR05")]
    return list(made.issues)


def _sites(
    issues: list[Issue], raw: Mapping[str, pd.DataFrame], cleaned: Cleaned, spec: Spec
) -> tuple[str, ...]:
    return issue_sites(
        issues,
        spec,
        families=cleaned.tables["families"],
        children=cleaned.tables["children"],
        rows=lambda name: [each[name] for each in (cleaned.tables, raw) if name in each],
    )


def _sizes(raw: Mapping[str, pd.DataFrame], cleaned: Cleaned) -> dict[str, tuple[int, int, int, int]]:
    aside = {
        name: set_aside(issue for issue in cleaned.issues if issue.table == name) for name in cleaned.tables
    }
    return {
        name: (
            len(raw[name]),
            len(text),
            aside[name],
            cleaned.damaged.get(name, 0),
        )
        for name, text in cleaned.tables.items()
    }

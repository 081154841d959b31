"""The description of the data: every table and variable with codes, limits, origin and rules."""

from collections.abc import Mapping as MappingType
from dataclasses import dataclass
from pathlib import Path

from analysis.present.blinding import check_open_text
from analysis.present.table_form import MARKS
from analysis.present.template import render
from analysis.results import View
from analysis.spec.declarations import Code, Spec
from analysis.spec.mapping import Mapping, Source
from analysis.spec.rules import Rule
from analysis.spec.tables import Constraints, Field, Table

# Where a key of a closed table leads: families and children are described on the open page.
OPEN_PAGE = "../open/define.html"
PROVENANCE = {"source_file": "name of the export", "source_row": "line of the export"}


@dataclass(frozen=True, slots=True)
class Variable:
    """One column as the page shows it; `points_to` is the field of another table that it is a key to."""

    name: str
    label: str
    type: str
    unit: str
    codelist: str
    limits: str
    origin: tuple[str, ...]
    points_to: str
    points_at: str
    is_key: bool
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Described:
    """One table as the page shows it."""

    table: Table
    key: str
    variables: tuple[Variable, ...]


def render_define(
    view: View, spec: Spec, mapping: Mapping, *, cut: str, templates: Path, synthetic: bool
) -> str:
    """The page of the open or the closed tables.

    Raises
    ------
    BlindingError
        If an open page would name an arm.
    """
    tables = [table for table in spec.package.resources if table.audience == view]
    used = dict.fromkeys(field.codelist for table in tables for field in table.fields if field.codelist)
    page = render(
        "define.html.j2",
        templates,
        view=view,
        mark=MARKS[view],
        synthetic=synthetic,
        trial=spec.trial,
        cut=cut,
        package=spec.package,
        mapping=mapping.name,
        tables=[_describe(table, spec, mapping) for table in tables],
        elsewhere=[table for table in spec.package.resources if table.audience != view],
        codelists={name: list(spec.codes_of(name).values()) for name in sorted(used)},
        dated=_dated(spec.codes),
        rules=[rule for rule in spec.rules.values() if spec.table(rule.table).audience in ("open", view)],
        rule_kinds=spec.rule_kinds,
        findings=list(spec.findings.values()),
    )
    if view == "open":
        check_open_text(page, spec)
    return page


def _describe(table: Table, spec: Spec, mapping: Mapping) -> Described:
    sources = mapping.of_tables(frozenset({table.name}))
    rules = _touching(table, spec)
    points = {
        key.fields[0]: f"{key.reference.resource}.{key.reference.fields[0]}"
        for key in table.schema_.foreignKeys
    }
    beside = {name: spec.table(to.split(".")[0]).audience == table.audience for name, to in points.items()}
    variables = tuple(
        Variable(
            name=field.name,
            label=field.title,
            type=field.type,
            unit=field.unit or "",
            codelist=field.codelist or "",
            limits=_limits(field.constraints),
            origin=_origin(field, sources),
            points_to=points.get(field.name, ""),
            points_at="#" if beside.get(field.name, True) else f"{OPEN_PAGE}#",
            is_key=field.name in table.key,
            rules=tuple(rules.get(field.name, ())),
        )
        for field in table.fields
    )
    return Described(table, ", ".join(table.key), variables)


def _limits(limits: Constraints) -> str:
    parts = ["required"] if limits.required else []
    if limits.minimum is not None and limits.maximum is not None:
        parts.append(f"{limits.minimum:g} to {limits.maximum:g}")
    elif limits.minimum is not None:
        parts.append(f"at least {limits.minimum:g}")
    elif limits.maximum is not None:
        parts.append(f"at most {limits.maximum:g}")
    if limits.pattern:
        parts.append(f"form {limits.pattern}")
    return ", ".join(parts)


def _origin(field: Field, sources: tuple[Source, ...]) -> tuple[str, ...]:
    """The columns of the exports that a raw field is mapped from, or how a derived one is made."""
    if field.origin:
        return (field.origin,)
    if field.name in PROVENANCE:
        return (PROVENANCE[field.name],)
    said = ((source.files, source.origin(field.name)) for source in sources)
    return tuple(dict.fromkeys(f"{files}: {origin}" for files, origin in said if origin))


def _touching(table: Table, spec: Spec) -> dict[str, list[str]]:
    """Rules by field, of every table whose rule judges the field or judges against it.

    What is asked of the tables that reveal the arm is told where they are.
    """
    found: dict[str, list[str]] = {}
    for rule in spec.rules.values():
        if spec.table(rule.table).audience in ("open", table.audience):
            for name in _read(rule, table):
                found.setdefault(name, []).append(rule.id)
    return found


def _read(rule: Rule, table: Table) -> set[str]:
    here = {rule.column} if rule.table == table.name else set()
    if rule.other:
        place, _, column = rule.other.rpartition(".")
        here |= {column} if (place or rule.table) == table.name else set()
    if rule.kind == "count_equals" and rule.other_table == table.name and rule.value:
        here.add(rule.value)
    return here & set(table.columns)


def _dated(codes: MappingType[str, MappingType[str, Code]]) -> frozenset[str]:
    """Lists of which a code carries the dates between which it may be used."""
    return frozenset(
        name
        for name, each in codes.items()
        if any(code.valid_from or code.valid_to for code in each.values())
    )

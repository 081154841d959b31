"""`data_spec/` as one frozen value, every cross-reference resolved, or an error that names file and entry."""

import csv
import io
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, get_args

from analysis.errors import SpecError
from analysis.spec import check_references
from analysis.spec.amendments import FILE as AMENDMENTS
from analysis.spec.amendments import check_amendments, read_amendments
from analysis.spec.arm_words import load_blinding
from analysis.spec.base import Model, name_of, parse, read_yaml
from analysis.spec.conduct import ChecklistItem, Statement
from analysis.spec.declarations import Abbreviation, Code, Spec
from analysis.spec.findings import Finding, KindText
from analysis.spec.flow_stages import Stage
from analysis.spec.instruments import Instrument, Score
from analysis.spec.mapping import Mapping as SourceMapping
from analysis.spec.reported import Reported
from analysis.spec.rules import Rule
from analysis.spec.sap import Analysis, Estimand, Output, Population
from analysis.spec.states import States
from analysis.spec.tables import Package
from analysis.spec.trial import Trial

SCORES = "scores.yaml"  # of the instruments that arrive as scores; each other one has a file of its own
CODELIST_COLUMNS = ["code", "label", "valid_from", "valid_to", "source"]


@cache
def load_spec(folder: Path) -> Spec:
    """Read and check every declaration below `folder`.

    Raises
    ------
    SpecError
        At the first file with an unknown key, a wrong value, an id given twice or a reference to nothing.
    """
    sap = folder / "sap"
    spec = Spec(
        trial=_one(sap / "trial.yaml", Trial),
        package=_one(folder / "datapackage.yaml", Package),
        codes=_codelists(folder / "codelists"),
        blinding=load_blinding(folder / "blinding.yaml"),
        states=_one(folder / "states.yaml", States),
        instruments=_instruments(folder / "instruments"),
        scores=_many(folder / "instruments" / SCORES, Score, key="parameter"),
        rules=_many(folder / "rules.yaml", Rule),
        rule_kinds=_many(folder / "rule_kinds.yaml", KindText),
        findings=_many(folder / "findings.yaml", Finding),
        populations=_many(sap / "populations.yaml", Population),
        estimands=_many(sap / "estimands.yaml", Estimand),
        analyses=_analyses(sap / "analyses.yaml"),
        outputs=_many(sap / "outputs.yaml", Output),
        stages=_many(sap / "flow.yaml", Stage),
        reported=_many(sap / "reported.yaml", Reported),
        conduct=_many(sap / "conduct.yaml", Statement),
        checklist=_checklist(folder / "checklist.yaml"),
        amendments=read_amendments(folder / AMENDMENTS),
        abbreviations=_many(folder / "abbreviations.yaml", Abbreviation),
    )
    check_references.check(spec)
    check_amendments(spec.amendments, spec.analyses, spec.trial.sap_version)
    return spec


@cache
def load_mapping(folder: Path, name: str) -> SourceMapping:
    """The mapping ``mappings/<name>.yaml``, its tables and fields checked against the package.

    Raises
    ------
    SpecError
        As `load_spec`; also for a table, field or dialect that is not declared, or a name that is not that
        of the file.
    """
    file = f"mappings/{name}.yaml"
    mapping = parse(SourceMapping, read_yaml(folder / "mappings" / f"{name}.yaml"), file=file)
    if mapping.name != name:
        raise SpecError(f"{file}: name: it says {mapping.name}; a mapping has the name of its file, {name}.")
    check_references.check_mapping(load_spec(folder), mapping, file=file)
    return mapping


def _one(path: Path, model: type[Model]) -> Model:
    return parse(model, read_yaml(path), file=name_of(path))


def _entries(path: Path) -> list[Any]:
    entries = read_yaml(path)
    if not isinstance(entries, list):
        raise SpecError(f"{name_of(path)}: expected a list of entries.")
    return entries


def _many(path: Path, model: type[Model], *, key: str = "id") -> dict[str, Model]:
    entries = _entries(path)
    return _indexed(
        path,
        ((parse(model, each, file=name_of(path), entry=_label(each, key)), each) for each in entries),
        key,
    )


def _analyses(path: Path) -> dict[str, Any]:
    families = {get_args(model.model_fields["family"].annotation)[0]: model for model in get_args(Analysis)}
    parsed = []
    for each in _entries(path):
        family = each.get("family") if isinstance(each, dict) else None
        if family not in families:
            allowed = ", ".join(families)
            raise SpecError(f"{name_of(path)}, entry {_label(each, 'id')}: family: not one of {allowed}.")
        parsed.append((parse(families[family], each, file=name_of(path), entry=_label(each, "id")), each))
    return _indexed(path, parsed, "id")


def _checklist(path: Path) -> tuple[ChecklistItem, ...]:
    found: dict[tuple[str, str], ChecklistItem] = {}
    for each in _entries(path):
        label = f"{_label(each, 'list')} {_label(each, 'item')}"
        item = parse(ChecklistItem, each, file=name_of(path), entry=label)
        if found.setdefault((item.list, item.item), item) is not item:
            raise SpecError(f"{name_of(path)}, entry {label}: this item is given twice.")
    return tuple(found.values())


def _indexed(path: Path, parsed: Iterable[tuple[Model, Any]], key: str) -> dict[str, Model]:
    found: dict[str, Model] = {}
    for model, body in parsed:
        if body[key] in found:
            raise SpecError(f"{name_of(path)}, entry {body[key]}: this {key} is given twice.")
        found[body[key]] = model
    return found


def _instruments(folder: Path) -> dict[str, Instrument]:
    found: dict[str, Instrument] = {}
    for path in sorted(folder.glob("*.yaml")):
        if path.name != SCORES:
            instrument = _one(path, Instrument)
            if instrument.id in found:
                raise SpecError(f"{name_of(path)}, entry {instrument.id}: this id is given twice.")
            found[instrument.id] = instrument
    return found


def _codelists(folder: Path) -> dict[str, dict[str, Code]]:
    return {path.stem: _codelist(path) for path in sorted(folder.glob("*.csv"))}


def _codelist(path: Path) -> dict[str, Code]:
    try:
        lines = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise SpecError(f"{name_of(path)}: not comma-separated UTF-8 text.") from error
    if not lines or lines[0] != CODELIST_COLUMNS:
        raise SpecError(f"{name_of(path)}: the columns must be {', '.join(CODELIST_COLUMNS)}.")
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        if len(line) != len(CODELIST_COLUMNS):
            raise SpecError(f"{name_of(path)}, row {number}: {len(line)} cells, not {len(CODELIST_COLUMNS)}.")
        row = dict(zip(CODELIST_COLUMNS, line, strict=True))
        rows.append((parse(Code, row, file=name_of(path), entry=row["code"]), row))
    return _indexed(path, rows, "code")


def _label(body: Any, key: str) -> str:
    return str(body.get(key, "(without id)")) if isinstance(body, dict) else "(not a mapping)"

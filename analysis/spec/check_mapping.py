"""Whether a mapping fits the package: every table, field, code and reason it names is declared."""

from analysis.errors import SpecError
from analysis.spec.arm_words import arms_of
from analysis.spec.base import check_known
from analysis.spec.declarations import Spec
from analysis.spec.mapping import Mapping, Source

SOURCE_COLUMNS = frozenset({"source_file", "source_row"})


def check_mapping(spec: Spec, mapping: Mapping, *, file: str) -> None:
    """Raise `SpecError` when a mapping names something undeclared, or leaves a field or table out."""
    for source in mapping.sources:
        _check_source(spec, mapping, source, where=f"{file}, source {source.table} from {source.files}")
    check_known(mapping.missing.values(), spec.package.reasons, where=f"{file}, missing", what="reason")
    raw = set(spec.table_names(layer="raw"))
    check_known(mapping.absent, raw, where=f"{file}, absent", what="raw table")
    filled = {source.table for source in mapping.sources}
    check_known(
        raw - set(mapping.absent), filled, where=file, what="table with a source; name under `absent`"
    )
    for files in {source.files for source in mapping.sources}:
        _check_file(spec, [each for each in mapping.sources if each.files == files], where=f"{file}, {files}")
    for source in mapping.sources:
        if len({mapping.dialects[other.dialect] for other in mapping.read_with(source)}) > 1:
            raise SpecError(
                f"{file}, {source.files}: read with two dialects; only the sheets of a workbook may."
            )


def _check_source(spec: Spec, mapping: Mapping, source: Source, *, where: str) -> None:
    table = spec.table(source.table)
    if table.layer != "raw":
        raise SpecError(f"{where}: {table.name} is a derived table; exports fill raw ones.")
    columns = set(table.columns) - SOURCE_COLUMNS
    asked, given = (columns - source.makes) | source.needs, set(source.given)
    check_known(given, asked, where=where, what="field")
    check_known(asked, given, where=where, what="mapped field")
    check_known([source.dialect], mapping.dialects, where=where, what="dialect")
    source.check(spec, where=where)
    # One block of values may serve several tables, so a key need not be a field of this one.
    known = {name for each in spec.package.resources for name in each.columns} | source.needs
    check_known(source.values, known, where=f"{where}, values", what="field of any table")
    check_known(source.missing, known, where=f"{where}, missing", what="field of any table")
    for name, codes in source.missing.items():
        check_known(codes.values(), spec.package.reasons, where=f"{where}, missing of {name}", what="reason")
    for name in columns & set(source.values):
        if codelist := table.field(name).codelist:
            codes = source.values[name].values()
            check_known(codes, spec.codes_of(codelist), where=f"{where}, values of {name}", what="code")


def _check_file(spec: Spec, sources: list[Source], *, where: str) -> None:
    audiences = {spec.table(source.table).audience for source in sources}
    if len(audiences) > 1:
        raise SpecError(
            f"{where}: fills open and closed tables; a file that reveals the arm holds nothing else."
        )
    # REDCap writes its arm into the names of events; more than one of them may be the arms of the trial.
    named = [values for source in sources for values in (*source.selection.values(), *source.leaves.values())]
    names = [value for values in named for value in values]
    if audiences == {"open"} and len(arms_of(names)) > 1:
        raise SpecError(f"{where}: events of several arms in an open file; their names tell the arm.")

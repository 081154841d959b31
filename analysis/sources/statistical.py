"""Files of Stata, SPSS and SAS: codes, their labels, and the reasons that missing values carry there."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from analysis.errors import SourceError
from analysis.sources import moments
from analysis.sources.moments import ToText
from analysis.sources.text import Text, check_size, from_columns
from analysis.spec.source_base import Dialect
from analysis.spec.tables import MISSING_MARK

_FUNCTIONS = {"stata": "read_dta", "spss": "read_sav", "sas7bdat": "read_sas7bdat"}
_MOMENTS = {"stata": moments.stata, "spss": moments.spss, "sas7bdat": moments.sas}


def read_statistical(path: Path, dialect: Dialect, *, file: str) -> Text:
    """Read a Stata (dta), SPSS (sav, zsav) or SAS (sas7bdat) file whole.

    A missing value of several kinds (``.a`` of Stata, ``.A`` and ``._`` of SAS) arrives as written there; a
    user-missing value of SPSS as its code, which `Text.missing` names.

    Raises
    ------
    SourceError
        If it declares an absurd size, names a column twice, or labels two codes alike where labels are
        asked for.
    """
    import pyreadstat

    read = getattr(pyreadstat, _FUNCTIONS[dialect.format])
    options = {"disable_datetime_conversion": True, "output_format": "dict", "user_missing": True}
    _, about = read(str(path), metadataonly=True, **options)
    check_size(about.number_rows or 0, about.number_columns or 0, file=file)
    data, about = read(str(path), **options)
    names = tuple(about.column_names)
    if not names:
        raise SourceError(f"{file}: has no columns.")
    if len(set(names)) < len(names):
        raise SourceError(f"{file}: a column is given twice.")
    columns = {name: _texts(name, data[name], about, dialect.format) for name in names}
    missing = {name: each for name in names if (each := _missing(name, data[name], about))}
    labels = {name: _labels(each) for name, each in about.variable_value_labels.items() if name in columns}
    if dialect.cells == "labels":
        for name, each in labels.items():
            columns[name] = _labelled(columns[name], each, missing.get(name, ()), name, file=file)
    return from_columns(file, columns, labels, missing)


def _texts(name: str, cells: Iterable[Any], about: Any, form: str) -> list[str]:
    cells = cells if isinstance(cells, list) else cells.tolist()
    if about.readstat_variable_types[name] == "string":
        return ["" if cell is None else cell for cell in cells]
    text = _MOMENTS[form](about.original_variable_types[name])
    if text is moments.number and about.readstat_variable_types[name] == "float":
        text = moments.single
    # Distinct values are few, so each is written once.
    known = {cell: _text(cell, text) for cell in set(cells)}
    return [known[cell] for cell in cells]


def _text(cell: float | str | None, text: ToText) -> str:
    if cell is None:
        return ""
    # Among numbers, a letter is a missing value of its own kind.
    return MISSING_MARK + cell if isinstance(cell, str) else text(cell)


def _missing(name: str, cells: Iterable[Any], about: Any) -> tuple[str, ...]:
    """Codes among the cells of a column that SPSS was told to take for missing."""
    ranges = about.missing_ranges.get(name, ())
    found = {cell for cell in cells if cell is not None and any(_within(cell, each) for each in ranges)}
    return tuple(sorted(cell if isinstance(cell, str) else moments.number(cell) for cell in found))


def _within(cell: float | str, limits: Mapping[str, Any]) -> bool:
    low, high = limits["lo"], limits["hi"]
    if isinstance(cell, str) != isinstance(low, str):
        return False
    return low <= cell <= high


def _labels(labels: Mapping[Any, str]) -> dict[str, str]:
    return {_text(code, moments.number): label for code, label in labels.items()}


def _labelled(
    cells: list[str], labels: Mapping[str, str], missing: Iterable[str], name: str, *, file: str
) -> list[str]:
    named = {
        code: label
        for code, label in labels.items()
        if code not in missing and not code.startswith(MISSING_MARK)
    }
    if len(set(named.values())) < len(named):
        raise SourceError(f"{file}: column '{name}' has one label for two codes; read it with cells: codes.")
    return [named.get(cell, cell) for cell in cells]

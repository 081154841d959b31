"""How a delimited text file seems to be written, by the evidence of all of its cells."""

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from analysis.errors import SourceError
from analysis.sources.delimited import LONGEST_CELL
from analysis.spec.source_base import Dialect

DELIMITERS = (",", ";", "\t", "|")
DATE_FORMS = (
    *("%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%d/%m/%y"),
    *("%d %b %Y", "%d-%b-%Y", "%d%b%Y", "%Y%m%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"),
)
DATE_LIKE = re.compile(r"\d{1,4}[-/. ]?(\d{1,2}|[A-Za-z]{3})[-/. ]?\d{2,4}( \d\d:\d\d(:\d\d)?)?$")
FIRST_YEAR, LAST_YEAR = 1901, 2099
COMMA_NUMBER, POINT_NUMBER = re.compile(r"-?\d+,\d+$"), re.compile(r"-?\d+\.\d+$")
MOST = 0.5  # of the filled cells of a column, for it to be one of dates, and of these for a form to be theirs
SIMPLEST = "%Y-%m-%d"


def guess_text(path: Path, *, file: str) -> tuple[str, str]:
    """Encoding and delimiter: those with which the file has most columns, every row as many.

    Raises
    ------
    SourceError
        If it cannot be read, or no delimiter gives rows of one width.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise SourceError(f"{file}: cannot be read ({error.strerror}).") from error
    encoding = _encoding(raw)
    text = raw.decode(encoding)
    widths = {delimiter: _width(text, delimiter) for delimiter in DELIMITERS}
    best = max(DELIMITERS, key=lambda delimiter: widths[delimiter])
    header = text.partition("\n")[0]
    if widths[best] < 1 or (widths[best] == 1 and any(mark in header for mark in DELIMITERS)):
        raise SourceError(
            f"{file}: not delimited text; no delimiter known here parts its rows into equal columns."
        )
    return encoding, best


def _encoding(raw: bytes) -> str:
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    return "latin-1"


def _width(text: str, delimiter: str) -> int:
    """Columns of a file, -1 where its rows differ."""
    csv.field_size_limit(LONGEST_CELL)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        widths = {len(row) for row in reader if row}
    except csv.Error:
        return -1
    return widths.pop() if len(widths) == 1 else -1


def guess_marks(columns: Iterable[Counter[str]]) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """Decimal mark, forms of dates, and doubts, from the cells of every column with their counts."""
    commas = points = 0
    decided: Counter[str] = Counter()
    unclear: list[list[str]] = []
    for cells in columns:
        commas += sum(n for cell, n in cells.items() if COMMA_NUMBER.match(cell))
        points += sum(n for cell, n in cells.items() if POINT_NUMBER.match(cell))
        found = date_forms(cells)
        for forms in (found, _minor_forms(cells, found)):
            if len(forms) == 1:
                decided.update(forms)
            elif forms:
                unclear.append(forms)
    # What one column leaves open, another may decide.
    doubtful = sorted({tuple(forms) for forms in unclear if not any(form in decided for form in forms)})
    decided.update(max(forms, key=lambda form: decided[form]) for forms in unclear)
    doubts = tuple(f"no day tells {' and '.join(forms)} apart; keep what is meant" for forms in doubtful)
    return "," if commas > points else ".", _one_reading(decided), doubts


def date_forms(cells: Counter[str]) -> list[str]:
    """The form that most dates of a column have; several where its days do not decide."""
    filled = {cell: n for cell, n in cells.items() if cell}
    total = sum(filled.values())
    dates = {cell: n for cell, n in filled.items() if DATE_LIKE.match(cell)}
    if not total or sum(dates.values()) < MOST * total:
        return []
    fits = {form: sum(n for cell, n in dates.items() if _is_date(cell, form)) for form in DATE_FORMS}
    best = max(fits.values())
    if best < MOST * sum(dates.values()):
        return []
    return [form for form in DATE_FORMS if fits[form] == best]


def _minor_forms(cells: Counter[str], usual: Sequence[str]) -> list[str]:
    """Forms of the dates that the usual form of their column does not fit."""
    rest = {
        cell: n
        for cell, n in cells.items()
        if usual and DATE_LIKE.match(cell) and not _is_date(cell, usual[0])
    }
    return date_forms(Counter(rest))


def _is_date(cell: str, form: str) -> bool:
    try:
        day = datetime.strptime(cell, form)
    except ValueError:
        return False
    return FIRST_YEAR <= day.year <= LAST_YEAR


def _one_reading(forms: Counter[str]) -> tuple[str, ...]:
    """The forms by use, without one that reads a text of a more usual one as another day."""
    kept: list[str] = []
    for form, _ in forms.most_common():
        try:
            Dialect(delimiter=",", encoding="utf-8", decimal=".", dates=(*kept, form))
        except ValueError:
            continue
        kept.append(form)
    return tuple(kept) or (SIMPLEST,)

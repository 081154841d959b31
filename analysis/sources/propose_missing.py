"""Codes for missing values that a project declares, or that its system is known to write."""

import re
from collections.abc import Iterable, Mapping

from analysis.sources.propose_columns import Column
from analysis.sources.propose_match import codes_for
from analysis.sources.tabular import USER_MISSING
from analysis.spec.declarations import Spec

# Castor's numbers and texts for a value that the user declared missing; REDCap's users often take the same.
CONVENTIONS = re.compile(r"-9[5-9]|##_USER_MISSING_9[5-9]##")
# Marks of their own that Stata and SAS have for missing values.
OWN_MARKS = re.compile(r"\.[A-Za-z_]")
# Its dates, and those that other systems fill in.
FAR_DATES = re.compile(
    r"31-12-29\d\d|29\d\d-12-31|(?:31/12|12/31)/2\d99|01[-/.]01[-/.]1900|1900-01-01|2999-12-31"
)
PLACEHOLDER, UNKNOWN = "placeholder", "not_known"
DECIDE = "decide: what the code means"


def draft_missing(
    declared: Mapping[str, str], columns: Iterable[Column], spec: Spec
) -> dict[str, tuple[str, str]]:
    """Code -> reason and a remark: those declared by the project, then those found in cells.

    `declared` are the project's codes with their labels.
    """
    reasons = {
        name: code for name, code in spec.codes_of("missing_reason").items() if name in spec.package.reasons
    }
    likely = codes_for(declared, reasons)
    found = {code: (likely.get(code, (UNKNOWN,))[0], "" if code in likely else DECIDE) for code in declared}
    cells = {cell for column in columns for cell in column.cells}
    for cell in sorted(cells - set(found)):
        if cell.startswith(USER_MISSING):
            found[cell.removeprefix(USER_MISSING)] = (UNKNOWN, DECIDE)
        elif CONVENTIONS.fullmatch(cell) or OWN_MARKS.fullmatch(cell):
            found[cell] = (UNKNOWN, DECIDE)
        elif FAR_DATES.fullmatch(cell):
            found[cell] = (PLACEHOLDER, "")
    return found

"""A table as LaTeX for a manuscript: booktabs, over several pages where it must, notes below."""

import textwrap
from collections.abc import Iterator

from analysis.present.table_form import Cell, Row, Table

PACKAGES = ("array", "booktabs", "longtable", "pdflscape")
# Characters across a page of LaTeX's article in footnote size, and how many the stub needs of them.
PORTRAIT, LANDSCAPE, STUB = 82, 136, 26
# Characters across a page turned on its side, by size of letters (small ones are wider for their height); the
# first size that holds a table is taken.
SIZES = {"footnotesize": LANDSCAPE, "scriptsize": 145, "tiny": 170}
GAP = 2
NARROWEST = 7
_ESCAPES = str.maketrans(
    {
        **{each: f"\\{each}" for each in "&%$#_{}"},
        **{"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"},
        **{"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': "''"},
        **{"\u2212": r"\ensuremath{-}", "\u00d7": r"\ensuremath{\times}"},
        **{"\u2264": r"\ensuremath{\leq}", "\u2265": r"\ensuremath{\geq}"},
        **{"\u2013": "--", "\u201c": "``", "\u201d": "''", "\u2018": "`", "\u2019": "'", "\u00a0": "~"},
        # At the start of a row LaTeX would read them as part of the end of the row before.
        **{"[": "{[}", "*": "{*}"},
    }
)


def to_latex(table: Table) -> str:
    """The table as a fragment to include; its first line names the packages that it needs."""
    widths = _widths(table)
    is_wide = PORTRAIT - sum(widths) < STUB
    size = next((name for name, across in SIZES.items() if across - sum(widths) >= STUB), "tiny")
    across = SIZES[size] if is_wide else PORTRAIT
    lines = [
        f"% Table {table.id}; needs \\usepackage{{{','.join(PACKAGES)}}}",
        rf"\begingroup\{size}\setlength{{\tabcolsep}}{{3pt}}",
        rf"\begin{{longtable}}{{{_columns(table, widths, across)}}}",
        *_heading(table, widths),
        *(line for at, row in enumerate(table.rows) for line in _row(table, row, is_first=not at)),
        r"\end{longtable}",
        *_notes(table),
        r"\endgroup",
    ]
    if is_wide:
        lines = [lines[0], r"\begin{landscape}", *lines[1:], r"\end{landscape}"]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Text as LaTeX prints it."""
    return text.translate(_ESCAPES)


def _widths(table: Table) -> list[int]:
    """Characters of each column but the stub: of its widest cell, or of a word of its heading."""
    return [GAP + max(map(len, _lines(table, at))) for at in range(len(table.columns))]


def _cells(table: Table, column: int) -> Iterator[Cell]:
    return (row.cells[column] for row in table.rows if row.kind == "data")


def _lines(table: Table, column: int) -> list[str]:
    """What stands in a column: its heading, broken to the width of its cells, and these."""
    cells = [cell.text for cell in _cells(table, column)]
    return [*_broken(table, column, max(map(len, cells), default=0)), *cells]


def _broken(table: Table, column: int, width: int) -> list[str]:
    return [
        line
        for part in table.columns[column].split("\n")
        for line in textwrap.wrap(part, max(width, NARROWEST), break_long_words=False, break_on_hyphens=False)
        or [""]
    ]


def _columns(table: Table, widths: list[int], page: int) -> str:
    if not table.origins:  # words, which may break
        part = rf">{{\raggedright\arraybackslash}}p{{{0.76 / len(table.columns):.2f}\linewidth}}"
        return rf"@{{}}p{{0.1\linewidth}}{part * len(table.columns)}@{{}}"
    share = max(page - sum(widths), STUB) / page - 0.02  # the space between columns
    stub = rf">{{\raggedright\arraybackslash\hangindent=2em}}p{{{share:.2f}\linewidth}}"
    return rf"@{{}}{stub}{'r' * len(table.columns)}@{{}}"


def _heading(table: Table, widths: list[int]) -> list[str]:
    across = len(table.columns) + 1
    mark = rf"\textbf{{{escaped(table.mark)}.}} " if table.mark else ""
    head = [r"\toprule", *_spans(table), _names(table, widths), r"\midrule"]
    return [
        rf"\caption{{{mark}{escaped(table.title)}}}\label{{tab:{table.id}}}\\",
        *head,
        r"\endfirsthead",
        rf"\multicolumn{{{across}}}{{@{{}}l}}{{{mark}\tablename~\thetable, continued}}\\",
        *head,
        r"\endhead",
        r"\midrule",
        r"\endfoot",
        r"\bottomrule",
        r"\endlastfoot",
    ]


def _spans(table: Table) -> list[str]:
    if not table.spans:
        return []
    cells, rules, first = [], [], 2
    for span in table.spans:
        cells.append(rf"\multicolumn{{{span.columns}}}{{c}}{{{_stack(span.text.split(chr(10)), 'c')}}}")
        if span.text:
            rules.append(rf"\cmidrule(lr){{{first}-{first + span.columns - 1}}}")
        first += span.columns
    return [f" & {' & '.join(cells)} \\\\", "".join(rules)]


def _names(table: Table, widths: list[int]) -> str:
    names = [_stack(_broken(table, at, width - GAP), "r") for at, width in enumerate(widths)]
    return f"{' & '.join([escaped(table.stub), *names])} \\\\"


def _stack(lines: list[str], side: str) -> str:
    """Lines above each other in one cell."""
    if len(lines) == 1:
        return escaped(lines[0])
    above = r"\\".join(map(escaped, lines))
    return rf"\shortstack[{side}]{{{above}}}"


def _row(table: Table, row: Row, *, is_first: bool) -> Iterator[str]:
    stub = r"\hspace*{1em}" * row.indent + escaped(row.stub)
    across = len(table.columns)
    if row.kind == "group":
        if row.indent == 0 and not is_first:
            yield r"\addlinespace"
        whole = r"@{}>{\raggedright\arraybackslash}p{\linewidth}@{}"
        yield rf"\multicolumn{{{across + 1}}}{{{whole}}}{{\textbf{{{stub}}}}}\\*"
    elif row.kind == "failure":
        rest = rf">{{\raggedright\arraybackslash}}p{{{1 - STUB / PORTRAIT:.2f}\linewidth}}@{{}}"
        yield rf"{stub} & \multicolumn{{{across}}}{{{rest}}}{{{escaped(row.remark)}}}\\"
    else:
        yield f"{' & '.join([stub, *(escaped(cell.text) for cell in row.cells)])}\\\\"


def _notes(table: Table) -> Iterator[str]:
    for note in table.footnotes:
        yield rf"\noindent\textit{{{escaped(note.term)}.}} {escaped(note.text)}\par"

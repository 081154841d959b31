"""Tables as LaTeX, read back by a parser of the little LaTeX that they use."""

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from analysis.present.table_form import Cell, Footnote, Row, Span, Table
from analysis.present.table_latex import PACKAGES, escaped, to_latex
from analysis.present.tables import TABULATE, tabulate
from analysis.spec.outputs import outputs_of
from tests.unit.present import fabricated, fabricated_report

TABLES = [
    (view, output.id)
    for view in ("open", "dummy", "closed")
    for output in outputs_of(fabricated.spec(), view)
    if output.kind in TABULATE
]
PLAIN = {
    **{r"\ensuremath{-}": "\u2212", r"\ensuremath{\times}": "\u00d7", r"\ensuremath{\leq}": "\u2264"},
    **{r"\ensuremath{\geq}": "\u2265", r"\textbackslash{}": "\\", r"\textasciitilde{}": "~"},
    **{r"\textasciicircum{}": "^", r"\textless{}": "<", r"\textgreater{}": ">", r"\textbar{}": "|"},
    **{"--": "\u2013", "``": "\u201c", "''": "\u201d", "{[}": "[", "{*}": "*"},
    **{f"\\{each}": each for each in "&%$#_{}"},
}
TOKEN = re.compile("|".join(map(re.escape, PLAIN)))


def table(view: str, output: str) -> Table:
    spec = fabricated.spec()
    return tabulate(
        spec.outputs[output], fabricated.results(view), spec, view, fabricated_report.second(view)
    )


def plain(latex: str) -> str:
    """What LaTeX would print."""
    return TOKEN.sub(lambda found: PLAIN[found[0]], latex)


def group(latex: str, at: int = 0) -> str:
    """What stands in the braces that open there."""
    depth = 0
    for end in range(at, len(latex)):
        if latex[end] in "{}" and latex[end - 1] != "\\":
            depth += 1 if latex[end] == "{" else -1
        if depth == 0:
            return latex[at + 1 : end]
    raise AssertionError("braces do not close")


def cells(line: str) -> list[str]:
    """Cells of a row in words, each as often as it has columns."""
    found = []
    for cell in re.split(r"(?<!\\)&", re.sub(r"\\\\\*?$", "", line)):
        text, columns = cell.strip(), 1
        if text.startswith(r"\multicolumn"):
            columns = int(group(text, len(r"\multicolumn")))
            second = text.index("{", text.index("}") + 1)
            third = second + len(group(text, second)) + 2
            text = group(text, third)
        text = text.replace(r"\hspace*{1em}", "")
        if text.startswith(r"\textbf"):
            text = group(text, len(r"\textbf"))
        if text.startswith(r"\shortstack"):
            text = group(text, text.index("{")).replace(r"\\", " ")
        found += [plain(text)] * columns
    return found


def body(latex: str) -> list[str]:
    inside = latex[latex.index(r"\endlastfoot") : latex.index(r"\end{longtable}")]
    return [line for line in inside.split("\n")[1:] if line and line != r"\addlinespace"]


@pytest.mark.parametrize(("view", "output"), TABLES)
def test_the_latex_says_what_the_table_says(view: str, output: str) -> None:
    made = table(view, output)
    latex = to_latex(made)
    width = len(made.columns) + 1
    for line, row in zip(body(latex), made.rows, strict=True):
        read = cells(line)
        assert len(read) == width
        assert read[0] == row.stub.strip()
        if row.kind == "data":
            assert read[1:] == [cell.text for cell in row.cells]
        assert line.endswith(r"\\*" if row.kind == "group" else r"\\")
    heads = [line for line in latex.split("\n") if line.startswith(escaped(made.stub) + " & ")]
    assert len(heads) == 2, "the heading is repeated on every page"
    assert cells(heads[0]) == [made.stub, *(" ".join(each.split()) for each in made.columns)]
    notes = re.findall(r"\\noindent\\textit\{(.*?)\.\} (.*)\\par", latex)
    assert [(plain(term), plain(text)) for term, text in notes] == [
        (note.term, note.text) for note in made.footnotes
    ]
    assert plain(escaped(made.title)) in plain(latex)
    assert not made.mark or latex.count(made.mark) == 2, "every page carries the mark"


@pytest.mark.parametrize(("view", "output"), TABLES)
def test_braces_and_environments_close(view: str, output: str) -> None:
    latex = to_latex(table(view, output))
    bare = re.sub(r"\\[{}]", "", latex)
    assert bare.count("{") == bare.count("}")
    opened = re.findall(r"\\begin\{(\w+)\}", latex)
    assert opened[::-1] == re.findall(r"\\end\{(\w+)\}", latex)
    assert latex.count(r"\begingroup") == latex.count(r"\endgroup") == 1
    assert all(ord(each) < 128 for each in latex), "needs no more than the oldest LaTeX"


NASTY = "a & b_c 5% $x$ #1 {y} \\z ~ ^ < > | [n] * \u2212 \u2013 \u201cq\u201d \u2264"


def nasty() -> Table:
    return Table(
        *("T0", NASTY, "closed", NASTY, (NASTY, "two\nlines")),
        (
            Row(NASTY, kind="group"),
            Row("[1]", (Cell(NASTY, {"value": 0.1}), Cell("2"))),
            Row("* star", kind="failure", remark=NASTY),
        ),
        spans=(Span("over\nboth", 2),),
        footnotes=(Footnote("Note", NASTY),),
    )


def test_characters_that_mean_something_to_latex_are_printed() -> None:
    assert plain(escaped(NASTY)) == NASTY
    rows = [cells(line) for line in body(to_latex(nasty()))]
    assert rows == [[NASTY] * 3, ["[1]", NASTY, "2"], ["* star", NASTY, NASTY]]


def test_a_table_with_many_columns_lies_across_the_page() -> None:
    narrow = replace(nasty(), columns=("a", "b"), rows=(Row("x", (Cell("1"), Cell("2"))),))
    assert r"\begin{landscape}" not in to_latex(narrow)
    wide = replace(
        narrow,
        columns=tuple("abcdefghi"),
        rows=(Row("x", (Cell("12.3 (45.6)"),) * 9),),
        spans=(Span("s", 9),),
    )
    assert r"\begin{landscape}" in to_latex(wide)
    assert r"\cmidrule(lr){2-10}" in to_latex(wide)


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex on this machine")
def test_latex_accepts_every_table(tmp_path: Path) -> None:
    compiled([nasty()], tmp_path)
    log = compiled([table("closed", output) for view, output in TABLES if view == "closed"], tmp_path)
    too_wide = [float(each) for each in re.findall(r"Overfull \\hbox \(([\d.]+)pt", log)]
    assert max(too_wide, default=0.0) < 3.0


def compiled(tables: list[Table], folder: Path) -> str:
    """What LaTeX says of a document of these tables."""
    inputs = "\n".join(f"{to_latex(each)}\\clearpage" for each in tables)
    (folder / "all.tex").write_text(
        rf"\documentclass{{article}}\usepackage{{{','.join(PACKAGES)}}}\begin{{document}}{inputs}\end{{document}}"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    for _ in range(3):  # a longtable settles its columns over several runs
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace")
        assert done.returncode == 0, done.stdout[-1500:]
    return done.stdout

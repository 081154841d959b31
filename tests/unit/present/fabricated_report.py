"""A whole report of made-up results, in every form."""

import io
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

from analysis.agreement import Agreements
from analysis.present.document import render_report
from analysis.present.figures import DRAW, draw
from analysis.present.manifest import Listed
from analysis.present.reading import results_digest, results_for
from analysis.present.tables import tabulate, write_forms
from analysis.present.word import render_word
from analysis.results import ResultFile
from analysis.spec.outputs import FIGURE_FORMATS, outputs_of
from tests.unit.present import fabricated
from tests.unit.present.fabricated_agreements import agreements
from tests.unit.present.fabricated_parts import STYLE, TEMPLATES, spec

ISSUES = (("S03", "note", "Outside its limits", 12), ("PL03", "query", "Ended without a reason", 1204))
MANIFEST = (
    Listed("open/results", "flow.json", "a" * 64, "result", ("N01",), ("data/derived/flow.csv",)),
    Listed("open/outputs", "T1.csv", "b" * 64, "table", ("B01",), ("open/results/baseline.json",)),
)
WORD = TEMPLATES / "word"
Found = fabricated.Result | fabricated.Failure


def files_of(view: str, results: Mapping[str, Found]) -> dict[str, ResultFile]:
    """Results by family, with stamps that agree."""
    families: dict[str, list] = {}
    for each in results.values():
        families.setdefault(each.family, []).append(each)
    return {name: ResultFile(fabricated.stamp(view, name), tuple(each)) for name, each in families.items()}


def write_outputs(
    folder: Path, view: str, results: Mapping[str, Found], *, figures: Callable[[str], dict[str, bytes]]
) -> None:
    """Tables and figures of a view; `figures` gives the files of an output that is drawn."""
    for output in outputs_of(spec(), view):
        if output.kind in DRAW:
            forms = figures(output.id)
        else:
            forms = write_forms(tabulate(output, results, spec(), view, second(view)))
        for form, content in forms.items():
            (folder / f"{output.id}.{form}").write_bytes(content)


def drawn(
    view: str, results: Mapping[str, Found], *, known: Mapping[str, Found], folder: Path
) -> Callable[[str], dict[str, bytes]]:
    """Figures drawn from these results; those of the known results are taken from their folder."""

    def figure(name: str) -> dict[str, bytes]:
        output = spec().outputs[name]
        if all(results[each] == known[each] for each in output.analyses):
            return {form: (folder / f"{name}.{form}").read_bytes() for form in FIGURE_FORMATS}
        return draw(output, results, spec(), view, style=STYLE)

    return figure


@cache
def second(view: str) -> Agreements | None:
    """What the second programmer found of the known results; nothing where arms are not known."""
    return None if view == "open" else agreements(fabricated.results(view))


def blank(view: str, results: Mapping[str, Found]) -> Callable[[str], dict[str, bytes]]:
    """Files that stand for figures: for tests that look at tables only."""
    png = fabricated.figure_files(view, "F1")["png"]

    def figure(name: str) -> dict[str, bytes]:
        digest = results_digest(results_for(spec().outputs[name], results, view))
        named = f"<metadata><dc:identifier>{digest}</dc:identifier></metadata>"
        svg = f'<svg viewBox="0 0 9 9" xmlns:dc="dc">{named}</svg>'
        return {"svg": svg.encode(), "txt": b"A figure of no numbers\nNothing\n", "png": png}

    return figure


def render(view: str, folder: Path, results: Mapping[str, Found]) -> str:
    """The page of a report."""
    files = files_of(view, results)
    return render_report(
        view,
        spec(),
        files=files,
        current={family: file.stamp for family, file in files.items()},
        outputs=folder,
        issues=ISSUES,
        templates=TEMPLATES,
        synthetic=True,
        manifest=MANIFEST,
        agreements=second(view),
    )


def word_of(page: str, folder: Path) -> bytes:
    """The same report as a Word document."""
    return render_word(page, {path.stem: path.read_bytes() for path in folder.glob("*.png")}, WORD)


def part_of(document: bytes, name: str = "word/document.xml") -> str:
    """One part of a Word document."""
    with zipfile.ZipFile(io.BytesIO(document)) as file:
        return file.read(name).decode()


def texts(folder: Path, page: str) -> dict[str, str]:
    """Everything that a reader of any form can read, by form; drawings as the words in them."""
    found = {
        path.name: path.read_text() for path in folder.iterdir() if path.suffix in (".csv", ".tex", ".json")
    }
    found |= {path.name: path.read_text() for path in folder.glob("*.txt")}
    found |= {path.name: "\n".join(words_in(path.read_text())) for path in folder.glob("*.svg")}
    drawings = [words for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL) for words in words_in(svg)]
    found["report.html"] = re.sub(r"<svg.*?</svg>", "", page, flags=re.DOTALL)
    found["drawings of report.html"] = "\n".join(drawings)
    # No width is read, and one may be the number that is looked for.
    found["report.docx"] = re.sub(r' w:w="\d+"', "", part_of(word_of(page, folder)))
    return found


def words_in(svg: str) -> list[str]:
    """Texts of a drawing, in an order that does not depend on where they stand."""
    inside = re.findall(r"<text[^>]*>(.*?)</text>", svg, re.DOTALL)
    return sorted(" ".join(re.sub(r"<[^>]*>", "", each).split()) for each in inside)


def changed(
    results: Mapping[str, Found], analysis: str, name: str, labels: Mapping[str, str], value: float
) -> dict[str, Found]:
    """The results with the value of one estimate or count replaced."""
    item = results[analysis]
    kinds = {
        kind: tuple(
            replace(each, value=value) if each.name == name and dict(each.labels) == labels else each
            for each in getattr(item, kind)
        )
        for kind in ("estimates", "counts")
    }
    made = replace(item, **kinds)
    assert made != item, f"{analysis} has no {name} of {labels}"
    return {**results, analysis: made}

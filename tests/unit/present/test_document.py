"""The report: complete, self-contained, accessible, and refused when its parts do not belong together."""

import html.parser
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from analysis.errors import BlindingError, ReportError
from analysis.present.assumptions import assumptions
from analysis.present.document import render_report
from analysis.present.figures import DRAW, draw
from analysis.present.inline_figure import identifier_of, inline_svg
from analysis.present.stamps import check_stamps
from analysis.present.tables import tabulate, write_forms
from analysis.spec.outputs import outputs_of
from analysis.spec.trial import Assumption
from tests.unit.present import fabricated, fabricated_parts
from tests.unit.present.fabricated_agreements import agreements
from tests.unit.present.fabricated_report import MANIFEST

ISSUES = (("S03", "note", "Outside its limits", 12), ("PL03", "query", "Ended without a reason", 1204))
VOID = {"meta", "br", "img", "path", "use", "col", "hr"}


@pytest.fixture(scope="session")
def outputs(tmp_path_factory) -> dict[str, Path]:
    """Tables and figures of every view, made once."""
    spec, made = fabricated.spec(), {}
    for view in ("open", "dummy", "closed"):
        made[view] = tmp_path_factory.mktemp(view)
        results = fabricated.results(view)
        for output in outputs_of(spec, view):
            if output.kind in DRAW:
                forms = fabricated.figure_files(view, output.id)
            else:
                forms = write_forms(tabulate(output, results, spec, view, agreements(results)))
            for form, content in forms.items():
                (made[view] / f"{output.id}.{form}").write_bytes(content)
    return made


def render(
    view: str, folder: Path, *, files=None, current=None, spec=None, templates=None, synthetic=True
) -> str:
    files = files or fabricated.result_files(view)
    return render_report(
        view,
        spec or fabricated.spec(),
        files=files,
        current=current or {family: file.stamp for family, file in files.items()},
        outputs=folder,
        issues=ISSUES,
        templates=templates or fabricated_parts.TEMPLATES,
        synthetic=synthetic,
        manifest=MANIFEST,
        agreements=None if view == "open" else agreements(fabricated.results(view)),
    )


class Reader(html.parser.HTMLParser):
    """Elements of a page in order, with their attributes; open elements are checked to close."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict]] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag, f"{tag} closes out of order"


@pytest.mark.parametrize("view", ["open", "dummy", "closed"])
def test_the_report_is_well_formed_and_the_same_twice(view: str, outputs) -> None:
    page = render(view, outputs[view])
    assert page == render(view, outputs[view])
    assert Reader(page).open == []


OPEN_PAGES = {"../open/issues.html", "../open/define.html"}
PAGES = {
    "open": {"issues.html", "define.html"},
    "dummy": OPEN_PAGES,
    "closed": {"issues.html", "define.html", *OPEN_PAGES},
}


@pytest.mark.parametrize("view", ["open", "dummy", "closed"])
def test_the_report_needs_nothing_but_itself(view: str, outputs) -> None:
    page = render(view, outputs[view])
    reader = Reader(page)
    assert not {"script", "link", "iframe", "object", "img"} & {tag for tag, _ in reader.elements}
    assert "http" not in page and "@import" not in page and "//" not in re.sub(r"/\*.*?\*/", "", page)
    for tag, attributes in reader.elements:
        assert not any(name.startswith("on") for name in attributes)
        assert (
            tag not in ("a", "use") or attributes["href"].startswith("#") or attributes["href"] in PAGES[view]
        )


@pytest.mark.parametrize("view", ["open", "dummy", "closed"])
def test_every_reference_has_its_one_target(view: str, outputs) -> None:
    page = render(view, outputs[view])
    elements = Reader(page).elements
    ids = [attributes["id"] for _, attributes in elements if "id" in attributes]
    assert len(set(ids)) == len(ids)
    links = {attributes["href"] for _, attributes in elements if "href" in attributes}
    assert links >= PAGES[view]
    wanted = {link.removeprefix("#") for link in links - PAGES[view]}
    wanted |= {attributes["aria-labelledby"] for _, attributes in elements if "aria-labelledby" in attributes}
    wanted |= set(re.findall(r"url\(#([^)]+)\)", page))
    assert wanted <= set(ids)


@pytest.mark.parametrize("view", ["open", "dummy", "closed"])
def test_the_report_can_be_read_without_seeing_it(view: str, outputs) -> None:
    page = render(view, outputs[view])
    elements = Reader(page).elements
    levels = [int(tag[1]) for tag, _ in elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in zip(levels, levels[1:], strict=False))
    assert dict(elements[0][1]) == {"lang": "en-GB"}
    first_link = next(attributes for tag, attributes in elements if tag == "a")
    assert first_link["href"] == "#content"
    drawings = [attributes for _, attributes in elements if attributes.get("role") == "img"]
    assert len(drawings) == sum(each.kind in DRAW for each in outputs_of(fabricated.spec(), view))
    assert all(len(each["aria-label"]) > 60 for each in drawings)
    assert all("scope" in attributes for tag, attributes in elements if tag == "th")
    assert {"main", "nav", "header", "footer", "caption", "figcaption"} <= {tag for tag, _ in elements}


@pytest.mark.parametrize("view", ["open", "dummy", "closed"])
def test_every_output_stands_in_the_report_with_its_numbers(view: str, outputs) -> None:
    page = render(view, outputs[view])
    for output in outputs_of(fabricated.spec(), view):
        assert f'id="{output.id}"' in page and f'href="#{output.id}"' in page
    assert "286" in page and "367" in page
    assert "1,204" in page and "Ended without a reason" in page
    assert "0123456789abcdef" in page and "31 December 2023" in page


def test_the_closed_report_begins_with_its_results(outputs) -> None:
    page = render("closed", outputs["closed"])
    summary = page[page.index('id="summary"') : page.index('id="contents"')]
    assert "1.43 (\u22120.63 to 3.52)" in summary and "0.17" in summary
    assert "CLOSED - CONFIDENTIAL" in page[: page.index("<h1>")]
    assert "watermark" not in re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)


def test_the_final_report_of_a_monitored_trial_has_its_chapter(outputs, tmp_path: Path) -> None:
    spec, results = fabricated.spec(), fabricated.results("closed")
    assert 'id="monitoring"' not in render("closed", outputs["closed"])
    shown = {
        name: spec.outputs[name].model_copy(update={"reports": ("closed",)}) for name in ("M1", "M2", "M3")
    }
    monitored = replace(spec, outputs={**spec.outputs, **shown})
    folder = shutil.copytree(outputs["closed"], tmp_path / "closed")
    made = {"M1": draw(shown["M1"], results, monitored, "closed", style=fabricated.STYLE)}
    made |= {name: write_forms(tabulate(shown[name], results, monitored, "closed")) for name in ("M2", "M3")}
    for name, forms in made.items():
        for form, content in forms.items():
            (folder / f"{name}.{form}").write_bytes(content)
    page = render("closed", folder, spec=monitored)
    chapter = page[page.index('id="monitoring"') :].partition("</section>")[0]
    assert re.findall(r'class="piece[^"]*" id="(\w+)"', chapter) == ["M1", "M2", "M3"]


def test_a_number_leads_to_its_origin(outputs) -> None:
    page = render("closed", outputs["closed"])
    cell = re.search(
        r'<a href="#([^"]+)" tabindex="-1" title="([^"]+)">1\.43 \(\u22120\.63 to 3\.52\)</a>',
        page[page.index('id="T8"') :],
    )
    assert cell.groups() == ("A01", "adjusted difference")
    origin = page[page.index('id="A01"') :]
    origin = origin[: origin.index("</div>\n</dl>")]
    stamp = fabricated.result_files("closed")["mixed"].stamp
    for each in ("E1, child mental health", "360 children in 282 families", "indicator added", "primary"):
        assert each in origin
    for each in ("results/mixed.json", stamp.sap_digest, stamp.code_digest[:16]):
        assert each in origin


@pytest.mark.parametrize("view", ["open", "dummy", "closed"])
def test_every_number_of_a_table_leads_to_an_origin(view: str, outputs) -> None:
    page = render(view, outputs[view])
    tables = re.findall(r'<div class="piece.*?<dl class="notes">', page, re.DOTALL)
    # The checklist holds places, no numbers.
    tables = [table for table in tables if 'id="C1"' not in table]
    cells = [cell for table in tables for cell in re.findall(r"<td>(.*?)</td>", table)]
    shown = [cell for cell in cells if re.search(r"\d", re.sub(r"<[^>]*>", "", cell))]
    assert len(shown) > 60
    assert all(cell.startswith('<a href="#') for cell in shown)


def test_one_digest_stands_for_all_inputs(outputs) -> None:
    files = fabricated.result_files("closed")
    first = origin_digest(render("closed", outputs["closed"]))
    inputs = {**next(iter(files.values())).stamp.inputs, "subjects.csv": "0000000000000000"}
    other = {name: replace(file, stamp=replace(file.stamp, inputs=inputs)) for name, file in files.items()}
    assert origin_digest(render("closed", outputs["closed"], files=other)) != first


def origin_digest(page: str) -> str:
    (found,) = set(re.findall(r'<a href="#inputs">input tables</a> <code>(\w{16})</code>', page))
    return found


def test_a_rehearsal_is_marked_on_every_page(outputs) -> None:
    page = render("dummy", outputs["dummy"])
    assert '<div class="watermark" aria-hidden="true">DUMMY ARMS</div>' in page
    assert "Rehearsal of the closed report" in page and "CLOSED - CONFIDENTIAL" not in page


def test_synthetic_data_are_announced_and_real_data_are_not(outputs) -> None:
    assert "SYNTHETIC DATA" in render("open", outputs["open"])
    assert "SYNTHETIC DATA" not in render("open", outputs["open"], synthetic=False)


def test_the_open_report_has_no_word_of_the_arms(outputs) -> None:
    page = render("open", outputs["open"])
    for word in ("NIM", "SAU", "New Orleans", "as usual", "intervention arm", "CLOSED"):
        assert word not in page
    assert "DUMMY" not in page and "Offer of the service under trial" in page


def test_a_template_that_names_an_arm_is_refused_in_the_open(outputs, tmp_path: Path) -> None:
    shutil.copytree(fabricated_parts.TEMPLATES, tmp_path / "reports")
    template = tmp_path / "reports" / "open.html.j2"
    template.write_text(
        template.read_text().replace("the service under trial", "the New Orleans Intervention Model")
    )
    with pytest.raises(BlindingError, match="names an arm"):
        render("open", outputs["open"], templates=tmp_path / "reports")


def test_a_template_that_leaves_an_output_out_is_refused(outputs, tmp_path: Path) -> None:
    shutil.copytree(fabricated_parts.TEMPLATES, tmp_path / "reports")
    template = tmp_path / "reports" / "_chapters.html.j2"
    template.write_text(template.read_text().replace('["harms", "harms_dots"]', '["harms_dots"]'))
    with pytest.raises(ReportError, match="leaves out T25"):
        render("open", outputs["open"], templates=tmp_path / "reports")


def test_a_template_with_an_unknown_name_is_refused(outputs, tmp_path: Path) -> None:
    shutil.copytree(fabricated_parts.TEMPLATES, tmp_path / "reports")
    template = tmp_path / "reports" / "open.html.j2"
    template.write_text(template.read_text().replace("horizon_months", "horizon_weeks"))
    with pytest.raises(ReportError, match="horizon_weeks"):
        render("open", outputs["open"], templates=tmp_path / "reports")


@pytest.mark.parametrize("output", ["T25", "F9"])
def test_a_piece_made_from_other_results_is_refused(output: str, outputs) -> None:
    files = fabricated.result_files("closed")
    changed = {}
    for family, file in files.items():
        results = tuple(replace(each, notes=("another run",)) for each in file.results)
        changed[family] = replace(file, results=results) if family in ("harms", "incidence") else file
    with pytest.raises(ReportError, match="was made from other results"):
        render("closed", outputs["closed"], files={**files, **{"harms": changed["harms"]}})
    with pytest.raises(ReportError, match=f"outputs/{'F9' if output == 'F9' else 'T25'} was made"):
        chosen = "incidence" if output == "F9" else "harms"
        render("closed", outputs["closed"], files={**files, chosen: changed[chosen]})


def test_an_absent_piece_is_named(outputs, tmp_path: Path) -> None:
    shutil.copytree(outputs["open"], tmp_path / "outputs")
    (tmp_path / "outputs" / "F1.svg").unlink()
    with pytest.raises(ReportError, match="outputs/F1.svg is absent"):
        render("open", tmp_path / "outputs")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("cut", "2024-06-30", "data cut"),
        ("sap_digest", "0", "plan"),
        ("code_digest", "0", "code"),
        ("view", "dummy", "view"),
        ("sap_version", "1.1", "version of the plan"),
        ("inputs", {"subjects.csv": "0"}, "input tables"),
        ("packages", {"numpy": "1.0"}, "package versions"),
    ],
)
def test_stamps_that_disagree_are_refused(name: str, value: object, words: str) -> None:
    files = fabricated.result_files("closed")
    current = {family: file.stamp for family, file in files.items()}
    check_stamps(files, current)
    other = {**current, "mixed": replace(current["mixed"], **{name: value})}
    with pytest.raises(ReportError, match=f"mixed.json was made with another {words} than the current"):
        check_stamps(files, other)
    if name not in ("sap_digest", "code_digest"):
        mixed = replace(files["mixed"], stamp=other["mixed"])
        with pytest.raises(ReportError, match=f"mixed.json differ in {words}|differ in {words}"):
            check_stamps({**files, "mixed": mixed}, other)


def test_a_report_checks_the_stamps(outputs) -> None:
    files = fabricated.result_files("open")
    stamps = {family: replace(file.stamp, cut="2024-06-30") for family, file in files.items()}
    with pytest.raises(ReportError, match="another data cut"):
        render("open", outputs["open"], files=files, current=stamps)


def test_families_that_are_absent_or_unknown_are_named() -> None:
    files = fabricated.result_files("closed")
    current = {family: file.stamp for family, file in files.items()}
    with pytest.raises(ReportError, match="no results of harms"):
        check_stamps({name: file for name, file in files.items() if name != "harms"}, current)
    with pytest.raises(ReportError, match="does not use the family harms"):
        check_stamps(files, {name: stamp for name, stamp in current.items() if name != "harms"})


def test_what_is_assumed_is_named_in_words() -> None:
    names = [where for where, _ in assumptions(fabricated.spec(), "open", synthetic=True)]
    assert "Binary analysis A22A" in names
    assert not any("=" in name or "None" in name for name in names)


def test_every_assumed_entry_is_listed() -> None:
    spec = fabricated.spec()
    listed = " ".join(text for _, text in assumptions(spec, "closed", synthetic=True))
    marked = [
        spec.trial.clock_origin,
        *spec.trial.visits,
        *spec.trial.epochs,
        *spec.analyses.values(),
        spec.states,
    ]
    marked += [event for estimand in spec.estimands.values() for event in estimand.intercurrent_events]
    reasons = [" ".join(each.reason.split()) for each in marked if each.assumed]
    assert len(reasons) > 4 and all(reason in listed for reason in reasons)
    assert all(each.text in listed for each in spec.trial.assumptions)


def test_an_assumption_is_told_to_its_audience_only() -> None:
    spec = fabricated.spec()
    told = Assumption(item="Losses", text="Told in closed rooms", audience="closed")
    trial = spec.trial.model_copy(update={"assumptions": (*spec.trial.assumptions, told)})
    pair = (told.item, told.text)
    for view, is_told in (("open", False), ("dummy", True), ("closed", True)):
        assert (pair in assumptions(replace(spec, trial=trial), view, synthetic=False)) is is_told


OF_THE_SYNTHETIC_TRIAL = re.compile(r"synthetic|as published|\b(382|488|439|360|367|286)\b|of one arm", re.I)


def test_a_report_of_real_data_has_no_word_of_the_synthetic_trial() -> None:
    spec = fabricated.spec()
    declared = [
        *(text for pair in assumptions(spec, "open", synthetic=False) for text in pair),
        *(text for each in spec.populations.values() for text in (each.label, each.text)),
        *(text for each in spec.analyses.values() for text in (each.title, each.remark or "")),
        *(text for each in spec.estimands.values() for text in (each.title, each.variable)),
        *(each.title for each in spec.outputs.values()),
    ]
    assert [text for text in declared if OF_THE_SYNTHETIC_TRIAL.search(text)] == []
    synthetic = " ".join(text for _, text in assumptions(spec, "open", synthetic=True))
    assert "cannot hold without siblings who joined later" in synthetic and "of one arm" not in synthetic


def test_two_figures_on_one_page_share_no_name() -> None:
    svg = (
        '<?xml version="1.0"?><svg viewBox="0 0 100 50" xmlns:xlink="xlink" xmlns:dc="dc">'
        "<metadata><dc:identifier>ab12</dc:identifier></metadata>"
        '<defs><style>*{stroke: red}</style><path id="m1" style="fill: none"/><clipPath id="p1"/></defs>'
        '<g id="axes_1"><use xlink:href="#m1" style="fill: none"/><g clip-path="url(#p1)">'
        "<text>5 &lt; 6</text></g></g></svg>"
    )
    assert identifier_of(svg) == "ab12"
    inlined = inline_svg(svg, prefix="F9")
    assert 'id="F9_0"' in inlined and 'href="#F9_0"' in inlined
    assert '<clipPath id="F9_1"/>' in inlined and "url(#F9_1)" in inlined
    assert "axes_1" not in inlined and "metadata" not in inlined and "red" not in inlined
    assert "<style>.F9-0{fill:none}</style>" in inlined and inlined.count('class="F9-0"') == 2
    assert "<text>5 &lt; 6</text>" in inlined
    for other in ("<svg></svg>", "<svg", '<svg viewBox="5"/>'):
        with pytest.raises(ReportError, match="not an SVG file"):
            inline_svg(other, prefix="F9")


@pytest.mark.parametrize("view", ["open", "closed"])
def test_what_a_figure_says_and_shows_is_whole_on_the_page(view: str) -> None:
    for output in outputs_of(fabricated.spec(), view):
        if output.kind in DRAW:
            svg = fabricated.figure_files(view, output.id)["svg"].decode()
            inlined = inline_svg(svg, prefix=output.id)
            read = [re.sub(r"<[^>]*>", "", each) for each in re.findall(r"<text.*?</text>", svg, re.DOTALL)]
            kept = [re.sub(r"<[^>]*>", "", each) for each in re.findall(r"<text.*?</text>", inlined)]
            assert [" ".join(each.split()) for each in read] == kept
            assert inlined.count("<use ") == svg.count("<use ")
            assert inlined.count("<path ") == svg.count("<path ")

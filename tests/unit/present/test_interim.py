"""The committee's pack: complete, dated, with denominators, silent about arms in the open."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from analysis.errors import BlindingError
from analysis.present.document import render_report
from analysis.present.figures import DRAW
from analysis.present.flags import flags
from analysis.present.interim import Pack, table_changes
from analysis.present.reading import results_digest, results_for
from analysis.present.standing import guideline, tabulate_standing
from analysis.present.tables import tabulate, write_forms
from analysis.present.word import render_word
from analysis.results import Failure, Result, ResultFile
from analysis.spec.edition import edition
from analysis.spec.meetings import Action, Meeting, ProtocolChange, Unmasking, since_last
from analysis.spec.outputs import outputs_of
from tests.unit.present import fabricated
from tests.unit.present.fabricated_agreements import agreements
from tests.unit.present.fabricated_parts import TEMPLATES
from tests.unit.present.fabricated_report import ISSUES, MANIFEST, WORD, part_of

CUT = "2014-12-31"
Found = Result | Failure

FIRST = Meeting(
    id="First meeting",
    cut="2013-06-30",
    date="2013-09-01",
    actions=(
        Action(action="Show late visits", answer="They are shown", answered="2014-01-31"),
        Action(action="Ask the sites", answer="They were asked", answered="2015-01-01"),
    ),
    protocol_changes=(
        ProtocolChange(date="2014-03-01", change="Consent comes first"),
        ProtocolChange(date="2015-03-01", change="A later change"),
    ),
)
CLOSED = Meeting(
    id="First meeting",
    session="closed",
    cut="2013-06-30",
    date="2013-09-01",
    actions=(Action(action="Look at loss by arm"),),
    unmasked=(Unmasking(date="2014-02-01", who="A physician", reason="An emergency"),),
)
SECOND = Meeting(id="Second meeting", cut=CUT, date="2015-02-01", actions=(Action(action="Not yet agreed"),))
GROWN = {"table": "families", "rows_before": 31, "rows_after": 93}
CHANGES = {
    "before": {"cut": "2013-06-30"},
    "after": {"cut": CUT},
    "changes": [
        {**GROWN, "field": "", "kind": "new", "n": 62},
        {**GROWN, "field": "site", "kind": "changed", "n": 3},
        {**GROWN, "field": "site", "kind": "filled", "n": 1},
        {"table": "children", "rows_before": 40, "rows_after": 40, "field": "", "kind": "none", "n": 0},
    ],
}
PACK = Pack(meetings=(FIRST, SECOND), changes=(CHANGES,))


def plan():
    return edition(fabricated.spec(), CUT)


def shown(view: str) -> dict[str, Found]:
    """Fabricated results of the analyses that the edition shows."""
    names = {name for output in outputs_of(plan(), view) for name in output.analyses}
    return {name: item for name, item in fabricated.results(view).items() if name in names}


def render(view: str, folder: Path, results: Mapping[str, Found], pack: Pack = PACK) -> str:
    """The page, with tables of these results and drawings that only stand for the real ones."""
    told = None if view == "open" else agreements(results)
    png = fabricated.figure_files("open", "F3")["png"]
    for output in outputs_of(plan(), view):
        if output.kind in DRAW:
            digest = results_digest(results_for(output, results, view))
            named = f"<metadata><dc:identifier>{digest}</dc:identifier></metadata>"
            svg = f'<svg viewBox="0 0 9 9" xmlns:dc="dc">{named}</svg>'
            forms = {"svg": svg.encode(), "txt": b"A figure of no numbers at all\nNothing\n", "png": png}
        else:
            forms = write_forms(tabulate(output, results, plan(), view, told))
        for form, content in forms.items():
            (folder / f"{output.id}.{form}").write_bytes(content)
    families: dict[str, list[Found]] = {}
    for each in results.values():
        families.setdefault(each.family, []).append(each)
    files = {
        name: ResultFile(fabricated.stamp(view, name, cut=CUT), tuple(each))
        for name, each in families.items()
    }
    return render_report(
        view,
        plan(),
        files=files,
        current={name: file.stamp for name, file in files.items()},
        outputs=folder,
        issues=ISSUES,
        templates=TEMPLATES,
        synthetic=True,
        manifest=MANIFEST,
        agreements=told,
        pack=pack,
    )


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> dict[str, tuple[Path, str]]:
    """Folder and page of each view, made once."""
    made = {}
    for view in ("open", "closed", "dummy"):
        folder = tmp_path_factory.mktemp(view)
        closed = replace(PACK, meetings=(FIRST, SECOND, CLOSED), recipient="A chair")
        pack = closed if view == "closed" else PACK
        made[view] = folder, render(view, folder, shown(view), pack)
    return made


def pieces_of(page: str) -> dict[str, str]:
    """Tables and figures of a page, each to the end of the lines below it."""
    starts = re.finditer(r'<(?:div|figure) class="piece[^"]*" id="(\w+)">', page)
    found = {each[1]: page[each.start() :] for each in starts}
    return {name: text[: text.index("</dl>")] for name, text in found.items()}


@pytest.mark.parametrize("view", ["open", "closed", "dummy"])
def test_every_output_of_the_edition_is_on_the_page_and_no_other(view: str, pages) -> None:
    wanted = {each.id for each in outputs_of(plan(), view)}
    assert set(pieces_of(pages[view][1])) == wanted | {"S1", "S2"}


@pytest.mark.parametrize("view", ["open", "closed"])
def test_every_table_and_figure_says_the_cut_the_population_and_of_how_many(view: str, pages) -> None:
    for name, piece in pieces_of(pages[view][1]).items():
        assert "<dt>Data cut</dt><dd>31 December 2014.</dd>" in piece, name
        if name == "V1":  # of the analyses, not of families
            continue
        denominator = re.search(r"<dt>Denominator</dt><dd>(.*?)</dd>", piece)[1]
        counted = re.search(r"\d+ child(ren)? in \d+ famil(y|ies)", denominator)
        assert counted or (denominator == "Told row by row." and name.startswith("M")), (name, denominator)
        assert name in ("S1", "S2") or "<dt>Population</dt>" in piece, name


def test_final_tables_have_no_line_of_an_interim_cut() -> None:
    output = fabricated.spec().outputs["T1"]
    final = edition(fabricated.spec(), fabricated.spec().trial.data_cut)
    notes = tabulate(output, fabricated.results("closed"), final, "closed").footnotes
    assert {"Data cut", "Denominator"}.isdisjoint(note.term for note in notes)


def test_the_open_page_has_no_arm_and_no_outcome(pages) -> None:
    page = pages["open"][1]
    for word in ("NIM", "SAU", "New Orleans", "as usual", "CLOSED", "loss by arm", "A physician"):
        assert word not in page
    assert not {"T5", "T8", "F9", "F11", "T3"} & set(pieces_of(page))


def test_an_open_meeting_that_names_an_arm_is_refused(tmp_path: Path) -> None:
    told = replace(PACK, meetings=(FIRST.model_copy(update={"actions": (Action(action="Compare NIM"),)}),))
    with pytest.raises(BlindingError, match="names an arm"):
        render("open", tmp_path, shown("open"), told)


def test_the_closed_page_says_for_whom_it_is_or_leaves_a_line(pages) -> None:
    front = pages["closed"][1].partition("<main")[0]
    assert "CLOSED - CONFIDENTIAL" in front and "<dt>Recipient</dt><dd>A chair</dd>" in front
    assert re.search(r"<dt>Copy</dt><dd>_+</dd>", front)
    assert "DUMMY ARMS" in pages["dummy"][1].partition("<main")[0]


def test_the_closed_page_says_that_arms_are_coded_where_they_are(pages, tmp_path: Path, monkeypatch) -> None:
    told = "The arms are coded: which of them was offered which service is not told"
    compared = "Differences are NIM less SAU, with 95% confidence intervals."
    assert compared in pages["closed"][1] and told not in pages["closed"][1]
    monkeypatch.setattr("analysis.present.document.is_coded", lambda spec: True)
    assert f"{compared} {told}" in render("closed", tmp_path, shown("closed"))


def test_the_page_is_the_word_document_too(pages) -> None:
    folder, page = pages["closed"]
    pictures = {path.stem: path.read_bytes() for path in folder.glob("*.png")}
    document = render_word(page, pictures, WORD)
    text = part_of(document)
    assert "Actions since the last meeting" in text and "Look at loss by arm" in text
    assert "CLOSED - CONFIDENTIAL" in part_of(document, "word/portrait.xml")


def test_actions_are_those_of_the_last_meeting_as_answered_by_the_cut(pages) -> None:
    told = since_last((FIRST, CLOSED, SECOND), CUT)
    assert told.actions == (
        ("Show late visits", "They are shown"),
        ("Ask the sites", ""),
    )
    assert told.closed_actions == (("Look at loss by arm", ""),)
    assert [each.change for each in told.protocol_changes] == ["Consent comes first"]
    assert [each.who for each in told.unmasked] == ["A physician"]
    assert since_last((FIRST, CLOSED, SECOND), "2013-06-30") is None
    page = pages["closed"][1]
    opened, closed = (page.index(f"<h3>{each} session</h3>") for each in ("Open", "Closed"))
    assert opened < page.index("Ask the sites") < closed < page.index("Look at loss by arm")
    assert "Open session" not in pages["open"][1]
    assert "Not answered yet" in page and "Not yet agreed" not in page and "A later change" not in page


def test_an_action_waits_until_it_is_answered(tmp_path: Path) -> None:
    before = Meeting(
        id="Meeting zero",
        cut="2012-12-31",
        date="2013-01-31",
        actions=(
            Action(action="Count the late forms"),
            Action(action="Answered since", answer="Done", answered="2014-12-31"),
            Action(action="Answered too late", answer="Done", answered="2015-01-01"),
        ),
    )
    meetings = (SECOND, FIRST, before)
    told = since_last(meetings, CUT)
    assert told.waiting == (("Count the late forms", "Meeting zero"), ("Answered too late", "Meeting zero"))
    assert since_last((before,), "2013-06-30").waiting == ()
    page = render("open", tmp_path, shown("open"), Pack(meetings=meetings))
    assert "<dt>Meeting zero</dt><dd>Count the late forms</dd>" in page and "Answered since" not in page


def test_changes_are_added_up_by_table(pages) -> None:
    families, children = table_changes(CHANGES["changes"], plan())
    assert (families.before, families.after) == (31, 93)
    told = [families.kinds[kind] for kind in ("new", "gone", "filled", "emptied", "changed")]
    assert told == [62, 0, 1, 0, 3]
    assert [each[1:] for each in families.fields] == [("changed", 3), ("filled", 1)]
    assert not children.fields and not any(children.kinds.values())
    assert "30 June 2013" in pages["open"][1]


def test_a_first_meeting_says_so(tmp_path: Path) -> None:
    page = render("open", tmp_path, shown("open"), Pack(meetings=(SECOND,)))
    assert "the pack of the first meeting" in page
    assert "nothing to compare" in page


def test_graphics_come_before_listings(pages) -> None:
    page = pages["closed"][1]
    assert page.index('id="F14"') < page.index('id="T25"')
    assert page.index('id="F3"') < page.index('id="T4"')


@pytest.mark.parametrize("view", ["open", "closed"])
def test_a_pack_without_any_result_says_why(view: str, tmp_path: Path) -> None:
    failed = {name: fabricated.failure(name, view, "No child was seen") for name in shown(view)}
    page = render(view, tmp_path, failed)
    assert page.count("No child was seen") > len(failed)
    assert "None, for there is no result" in page
    assert "Nothing stands out" not in page
    watched = [item.title for item in failed.values() if item.family in ("accrual", "retention", "harms")]
    assert len(watched) == 3
    for title in watched:
        assert f"<li>{title} could not be evaluated: No child was seen.</li>" in page


def test_what_could_not_be_looked_at_is_not_taken_for_good() -> None:
    results = shown("closed")
    told = flags({}, plan(), "closed")
    assert len(told) == 4 and all(each.endswith("evaluated: there is no result.") for each in told)
    for name in ("N13", "A50"):
        for values in ({"low": None, "high": None}, {"value": None, "low": None, "high": None}):
            made = tuple(
                replace(each, **values) if each.name == "risk_difference" else each
                for each in results[name].estimates
            )
            (told,) = _of(results, name, made)
            assert told.startswith(f"{results[name].title} could not be evaluated: no interval")
        pooled = tuple(each for each in results[name].estimates if each.name != "risk_difference")
        (told,) = _of(results, name, pooled)
        assert "no interval" in told


def _of(results: Mapping[str, Found], name: str, estimates: tuple) -> list[str]:
    """Flags of one analysis with other estimates, when nothing else stands out."""
    others = flags(results, plan(), "closed")
    made = {**results, name: replace(results[name], estimates=estimates)}
    return [each for each in flags(made, plan(), "closed") if each not in others]


def test_a_visit_that_nobody_is_due_at_is_not_one_that_could_not_be_compared() -> None:
    results = shown("closed")
    last = plan().trial.visits[-1].id

    def nobody(each):
        return replace(each, value=0) if each.labels.get("visit") == last else each

    bare = [
        replace(each, value=None, low=None, high=None)
        if each.name == "risk_difference" and each.labels["visit"] == last
        else each
        for each in results["N13"].estimates
    ]
    made = replace(results["N13"], counts=tuple(map(nobody, results["N13"].counts)), estimates=tuple(bare))
    assert not any("could not be" in each for each in flags({**results, "N13": made}, plan(), "closed"))


def test_the_summary_agrees_with_the_tables(pages) -> None:
    """Families randomised, the visits and the harms of the first page are those of their tables."""
    results = shown("closed")
    table = tabulate_standing(results, plan(), "closed")
    first = {row.stub: row.cells for row in table.rows if row.kind == "data"}
    randomised = next(cells for stub, cells in first.items() if stub.startswith("Families randomised"))
    assert [dict(cell.values).get("n") for cell in randomised[:3]] == [256, 191, 190]
    seen = next(cells for stub, cells in first.items() if stub.startswith("Families seen at baseline"))
    attendance = tabulate(plan().outputs["T4"], results, plan(), "closed", None)
    (row,) = [row for row in attendance.rows if row.stub == "Attended, of those due"][:1]
    assert seen[0].values["n"] == row.cells[0].values["families"]
    assert seen[0].values["total"] == row.cells[0].values["of_families"]


def test_what_stands_out_is_flagged_and_what_does_not_is_not() -> None:
    results = shown("closed")
    assert flags(results, plan(), "closed")[0] == (
        "Recruitment is behind its target: 256 families randomised, 306 planned by 30 June 2019."
    )
    harms = results["A50"]
    apart = {"value": 0.1, "low": 0.02, "high": 0.18}
    near = {"value": 0.1, "low": -0.02, "high": 0.18}
    for values, is_told in ((apart, True), (near, False)):
        made = tuple(
            replace(each, **values) if each.name == "risk_difference" else each for each in harms.estimates
        )
        told = flags({"A50": replace(harms, estimates=made)}, plan(), "closed")
        assert (
            any(
                "in a larger share of families in NIM: NIM \u2212 SAU 10.0 (2.0 to 18.0) percentage points"
                in each
                for each in told
            )
            == is_told
        )
    assert all("arms" not in each for each in flags(shown("open"), plan(), "open"))


def test_a_difference_in_missing_outcomes_says_in_which_arm_with_the_families_of_each() -> None:
    result = shown("closed")["N03"]
    parameter, visit = plan().analyses["N03"].parameters[0], plan().trial.visits[-1]
    where = {"parameter": parameter, "visit": visit.id, "unit": "family"}

    def counted(each):
        n = {"due": {"NIM": 80, "SAU": 100}, "observed": {"NIM": 76, "SAU": 70}}.get(each.name, {})
        here = each.labels.items() >= where.items() and each.labels.get("arm") in n
        return replace(each, value=n[each.labels["arm"]]) if here else each

    def apart(each):
        here = each.name == "missing_difference" and each.labels["parameter"] == parameter
        return (
            replace(each, value=-0.25, low=-0.35, high=-0.15)
            if here and each.labels["visit"] == visit.id
            else each
        )

    made = replace(
        result, counts=tuple(map(counted, result.counts)), estimates=tuple(map(apart, result.estimates))
    )
    found = flags({"N03": made}, plan(), "closed")
    (told,) = [each for each in found if f"is more often missing in SAU at {visit.label}: " in each]
    assert "NIM \u2212 SAU \u221225.0 (\u221235.0 to \u221215.0) percentage points" in told
    assert "of the families, NIM 4 (5%) of 80; SAU 30 (30.0%) of 100." in told


def test_the_first_page_has_statistic_and_limit_of_what_is_monitored(pages) -> None:
    results = shown("closed")
    monitored = results["A70"]
    told = guideline(results, plan())
    assert len(told) == 2 and all(each in pages["closed"][1] for each in told)
    assert all("limit" in each or "not tested" in each for each in told)
    beyond = tuple(
        replace(each, value=-9.0) if each.name == "z" and each.labels["state"] == "now" else each
        for each in monitored.estimates
    )
    first = guideline({"A70": replace(monitored, estimates=beyond)}, plan())[0]
    assert "z \u22129.000" in first and first.endswith(", reached.")
    failed = fabricated.failure("A70", "closed", "Too few families")
    assert guideline({"A70": failed}, plan()) == ["The guideline could not be evaluated: Too few families."]
    assert guideline(shown("open"), plan()) == []

"""The data monitoring committee's packs, from raw exports to pages, at a cut when few outcomes are there."""

import csv
import re
from pathlib import Path

from analysis.spec.edition import edition
from analysis.spec.load import load_spec
from analysis.spec.outputs import families_of, outputs_of
from tests.workflow.conftest import ROOT, Copy, Packs


def folders(packs: Packs) -> dict[str, Path]:
    return {
        "open": packs.unblinded / "open",
        "closed": packs.unblinded / "closed",
        "dummy": packs.blinded / "dummy",
    }


def test_each_view_has_a_page_and_a_document_of_the_edition(packs: Packs):
    plan = edition(load_spec(ROOT / "data_spec"), packs.cut)
    for view, folder in folders(packs).items():
        page = (folder / "report.html").read_text(encoding="utf-8")
        shown = set(re.findall(r'<(?:div|figure) class="piece[^"]*" id="(\w+)">', page))
        assert shown == {"S1", "S2", *(each.id for each in outputs_of(plan, view))}
        assert "data cut 31 December 2014" in page
        assert (folder / "report.docx").stat().st_size > 50_000
        assert ("The chair" in page) == (view == "closed")


def test_an_edition_fits_what_it_shows_and_its_manifest_lists_it(packs: Packs):
    plan = edition(load_spec(ROOT / "data_spec"), packs.cut)
    for view, folder in folders(packs).items():
        fitted = {path.stem for path in (folder / "results").glob("*.json")}
        assert fitted == set(families_of(plan, view))
        with (folder / "manifest.csv").open(encoding="utf-8", newline="") as handle:
            rows = list(csv.DictReader(handle))
        assert {row["data_cut"] for row in rows} == {packs.cut}
        listed = {Path(row["file"]).name for row in rows if row["kind"] in ("table", "figure")}
        assert listed == {path.name for path in (folder / "outputs").iterdir()}


def test_what_cannot_be_estimated_yet_is_told_and_stops_nothing(packs: Packs):
    page = (packs.unblinded / "closed/report.html").read_text(encoding="utf-8")
    told = page.partition("<b>Without a result:</b>")[2].partition("</p>")[0]
    assert "A01" in told and "(arm NIM has nobody to analyse)" in told
    assert "Recruitment is behind its target: 93 families randomised, 124 planned" in page


def test_there_is_no_interim_report_of_the_last_cut(finished: Copy):
    done = finished.snakemake("interim", "--dry-run", check=False)
    assert done.returncode != 0
    assert (
        "config.yaml, data_cut: none is given, so the cut is not before the trial's last data cut"
        in done.stdout
    )


def test_the_run_of_the_last_meeting_is_compared_with_this_one(finished: Copy, packs: Packs):
    given = ("data_cut=2017-06-30", "out=later", f"previous={packs.unblinded}")
    plan = finished.snakemake("interim", "--dry-run", "--cores", "1", "--config", *given).stdout
    assert {"delta_open", "delta_closed"} <= set(re.findall(r"^(?:local)?rule (\w+):", plan, re.MULTILINE))

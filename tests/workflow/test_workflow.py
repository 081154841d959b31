"""The workflow as a user runs it: what it builds, what it rebuilds, and whether it builds the same twice."""

import csv
import hashlib
import re

from tests.workflow.conftest import Copy, copy_repository


def test_reports_are_built_and_then_nothing_is_left_to_do(finished: Copy):
    assert (finished.folder / "out/open/report.html").stat().st_size > 50_000
    assert (finished.folder / "out/closed/report.html").stat().st_size > 50_000
    assert "Nothing to be done" in finished.snakemake("--dry-run", "--cores", "1").stdout


def test_the_manifest_lists_every_file_of_a_report_with_its_digest(finished: Copy):
    out = finished.folder / "out"
    for view in ("open", "closed"):
        with (out / view / "manifest.csv").open(encoding="utf-8", newline="") as handle:
            digests = {row["file"]: row["sha256"] for row in csv.DictReader(handle)}
        assert {name: hashlib.sha256((out / name).read_bytes()).hexdigest() for name in digests} == digests
        there = {f"{view}/report.html", f"{view}/report.docx"}
        there |= {
            path.relative_to(out).as_posix()
            for part in ("results", "outputs", "qc", "allocated")
            for path in (out / view / part).glob("*.*")
        }
        assert there <= set(digests)


def test_two_cores_and_job_after_job_give_the_same_bytes(finished: Copy, tmp_path):
    again = copy_repository(tmp_path / "trial")
    again.repeat_in_one_process(finished)
    first, second = finished.files(), again.files()
    assert len(first) > 60
    assert sorted(first) == sorted(second)
    assert [name for name in first if first[name] != second[name]] == []


def test_editing_a_survival_entry_reruns_no_mixed_model(finished: Copy):
    plan = finished.folder / "data_spec/sap/analyses.yaml"
    before = plan.read_text()
    try:
        plan.write_text(before.replace("ties: efron", "ties: breslow", 1))
        jobs = finished.planned()
    finally:
        plan.write_text(before)
    assert [job for job in jobs if job.startswith("fit")] == ["fit[closed,hazard]"]


def test_editing_a_module_reruns_what_imports_it_and_nothing_else(finished: Copy):
    fits = {
        "analysis/models/mixed.py": {"fit[closed,mixed]"},
        "analysis/stats/small_sample.py": {
            f"fit[closed,{family}]" for family in ("mixed", "averages", "binary", "subgroups", "course")
        },
        "analysis/models/hazard.py": {"fit[closed,hazard]"},
        "analysis/stats/proportions.py": {
            f"{rule}{family}]"
            for rule in ("fit[closed,", "fit_open[")
            for family in ("harms", "missing", "retention")
        },
    }
    assert rerun_by(finished, *fits) == fits
    reader, mapping = "analysis/sources/clas.py", "data_spec/mappings/synthetic.yaml"
    found = rerun_by(finished, reader, mapping)
    assert found[reader] == {"ingest", "ingest_closed"}
    assert found[mapping] >= {"ingest", "define_open"}
    style = "reports/report.css"
    pages = {f"{page}_{view}" for page in ("issues", "define") for view in ("open", "closed")}
    assert rerun_by(finished, style) == {style: {"report[closed]", "report_open", *pages}}


def rerun_by(copy: Copy, *files: str) -> dict[str, set[str]]:
    """Jobs planned because of the edit of each file, without those that only follow from them.

    Of a job that follows from another Snakemake tells nothing else, so files edited together are of one step.
    """
    before = {copy.folder / file: (copy.folder / file).read_text() for file in files}
    try:
        for path, text in before.items():
            path.write_text(text + ("\n/* edited */\n" if path.suffix == ".css" else "\n# edited\n"))
        plan = copy.snakemake("--dry-run", "--cores", "1").stdout
    finally:
        for path, text in before.items():
            path.write_text(text)
    return {file: set(_direct(plan, file)) for file in files}


def _direct(text: str, file: str) -> list[str]:
    jobs = []
    for block in re.split(r"\n(?=(?:local)?rule )", text):
        name = re.match(r"(?:local)?rule (\w+):", block)
        reason = re.search(r"reason: (.*)", block)
        if name and reason and file in reason.group(1):
            wildcards = re.search(r"wildcards: (.*)", block)
            values = (
                ",".join(pair.split("=")[1].strip() for pair in wildcards.group(1).split(","))
                if wildcards
                else ""
            )
            jobs.append(f"{name.group(1)}[{values}]" if values else name.group(1))
    return jobs


def test_every_link_between_pages_leads_to_a_file(finished: Copy):
    pages = sorted((finished.folder / "out").glob("*/*.html"))
    assert len(pages) == 6
    anchors = {page: set(re.findall(r' id="([^"]+)"', page.read_text())) for page in pages}
    for page in pages:
        links = set(re.findall(r'<a href="([^"]+)"', page.read_text()))
        assert links
        for file, _, anchor in (link.partition("#") for link in links if not link.startswith("http")):
            target = (page.parent / file).resolve() if file else page.resolve()
            assert target.is_file(), f"{page.name}: {file}"
            assert not anchor or anchor in anchors[target], f"{page.name}: {file}#{anchor}"


def test_progress_is_in_the_log_of_each_rule(finished: Copy):
    log = (finished.folder / "out/logs/clean.log").read_text()
    assert "placements.csv" in log
    assert "rows in" in log


def test_the_linter_has_one_advice_left(finished: Copy):
    """Decision 0009: one environment serves all rules, so none declares its own."""
    text = finished.snakemake("--lint", check=False).stdout
    advice = {line.strip() for line in text.splitlines() if line.strip().startswith("* ")}
    assert advice == {"* Specify a conda environment or container for each rule.:"}

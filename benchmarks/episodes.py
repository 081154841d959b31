"""Raw exports to care histories: seconds of each step and its peak memory, each in a process of its own."""

import csv
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from analysis.data import spells, subjects, transitions
from analysis.data.clean import clean_tables
from analysis.data.corrections import read_corrections
from analysis.data.derive import derive
from analysis.data.issues import as_frame
from analysis.data.table import read_coded, read_table, read_text, table_csv, text_csv, to_csv
from analysis.data.writing import write_all
from analysis.sources.ingest import ingest
from analysis.spec.declarations import Spec
from analysis.spec.load import load_mapping, load_spec
from analysis.spec.mapping import Source
from analysis.spec.synthetic import load_synthetic
from analysis.synth.trial import generate, write_trial

NAME = "episodes"
DATA_SPEC = Path(__file__).resolve().parents[1] / "data_spec"
MAPPING, REGISTER, SCREENING = "synthetic", "trial/redcap_children.csv", "trial/screening_log.csv"
# Placements, and what their checks and histories are made of.
TABLES = ("families", "children", "placements", "reported_events", "withdrawals")
# Times the published size, and whether every table is made or only those above.
DATA = {
    "the trial, all tables": (1.0, "all"),
    "the trial's placements": (1.0, "placements"),
    "1,000,000 placements": (506.0, "placements"),
}
HEAD = ("Data", "Imports", "Ingest", "Clean", "Derive", "All three", "Peak memory")


def lines() -> list[str]:
    """A Markdown table of all sizes."""
    rows = [HEAD, tuple("-" * 3 for _ in HEAD), *(row(name, *size) for name, size in DATA.items())]
    return ["| " + " | ".join(cells) + " |" for cells in rows]


def row(name: str, scale: float, what: str) -> tuple[str, ...]:
    """Processor seconds of the imports of one step, of each step without them and of all; peak memory."""
    with tempfile.TemporaryDirectory() as folder:
        # Apart as well: a process begins with the peak memory of the one that started it.
        in_own_process(folder, "write", str(scale), what)
        imports, seconds, mebibytes = zip(*(in_own_process(folder, step) for step in STEPS), strict=True)
    times = (max(imports), *seconds, sum(seconds))
    return name, *(f"{each:.2f} s" for each in times), f"{max(mebibytes) / 1024:.2f} GiB"


def in_own_process(*words: str) -> tuple[float, ...]:
    run = [sys.executable, "-m", "benchmarks.episodes", *words]
    return tuple(map(float, subprocess.run(run, check=True, capture_output=True, text=True).stdout.split()))


def write_exports(folder: Path, scale: float, what: str) -> None:
    """Raw exports of a trial `scale` times the published size: of all tables, or of `TABLES` alone."""
    parameters = load_synthetic(DATA_SPEC)
    trial = generate(parameters, seed=parameters.default_seed.value, scale=scale)
    raw = folder / "raw"
    write_trial(trial, raw, folder / "restricted")
    if what != "all":
        sources = [each for each in load_mapping(DATA_SPEC, MAPPING).sources if each.table in TABLES]
        read = {path for each in sources for path in raw.glob(each.files)}
        read |= {raw / beside for each in sources for beside in each.companions.values()}
        for path in set(raw.rglob("*.csv")) - read:
            path.unlink()
        keep_enrolment(raw / REGISTER, next(each for each in sources if each.table == "children"))


def keep_enrolment(path: Path, source: Source) -> None:
    """Leave of the children's forms the rows and columns of table `children`: visits are not placements."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    (event, kept), names = *source.where.items(), [name for name in rows[0] if name in source.read_columns]
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, names, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(row for row in rows if row[event] in kept)


def ingested(folder: Path, names: Iterable[str], spec: Spec) -> None:
    whole = load_mapping(DATA_SPEC, MAPPING)
    mapping = whole.model_copy(update={"sources": whole.of_tables(frozenset(names))})
    read = ingest(spec, mapping, folder / "raw", tables=names)
    files = {folder / f"ingest/{name}.csv": to_csv(frame) for name, frame in read.tables.items()}
    write_all({**files, folder / "issues/exports.csv": to_csv(as_frame(read.issues).astype(str))})


def cleaned(folder: Path, names: Iterable[str], spec: Spec) -> None:
    raw = {name: read_coded(folder / f"ingest/{name}.csv", spec.table(name)) for name in names}
    cut, corrections = load_synthetic(DATA_SPEC).data_cut.isoformat(), read_corrections(None, spec)
    found = clean_tables(raw, spec, data_cut=cut, corrections=corrections)
    files = {
        folder / f"clean/{name}.csv": text_csv(text, spec.table(name), spec)
        for name, text in found.tables.items()
    }
    for name in names:
        issues = as_frame(issue for issue in found.issues if issue.table == name)
        files[folder / f"issues/{name}.csv"] = to_csv(issues.astype(str))
    write_all(files)


def derived(folder: Path, names: Iterable[str], spec: Spec) -> None:
    tables = {name: read_table(folder / f"clean/{name}.csv", spec.table(name)) for name in names}
    cut = load_synthetic(DATA_SPEC).data_cut.isoformat()
    if "scales" in tables:
        scales = read_text(folder / "clean/scales.csv", spec.table("scales"))
        made = derive(tables, spec, data_cut=cut, scales_text=scales).tables
    else:
        made = histories(tables, spec, pd.Timestamp(cut))
    write_all(
        {
            folder / f"derived/{name}.csv": table_csv(frame, spec.table(name), spec)
            for name, frame in made.items()
        }
    )


def histories(tables: Mapping[str, pd.DataFrame], spec: Spec, cut: pd.Timestamp) -> dict[str, pd.DataFrame]:
    """The care histories alone, as `derive` makes them."""
    states, origin = spec.states, spec.trial.clock_origin.field
    people = subjects.derive_people(dict(tables))
    chained = spells.chain(tables["placements"], states)
    counted = spells.since_origin(chained, people.set_index("child_id")[origin], states)
    deaths = transitions.derive_deaths(chained, tables["reported_events"], states)
    followup = transitions.derive_followup(
        counted, people, tables["withdrawals"], deaths, states, data_cut=cut
    )
    families = people.set_index("child_id")["family_id"]
    history = transitions.derive_transitions(counted, people, followup, deaths, states, origin=origin)
    return {"spells": spells.derive_spells(chained, families, states), "transitions": history}


STEPS = {"ingest": ingested, "clean": cleaned, "derive": derived}


def tables_of(folder: Path, spec: Spec) -> tuple[str, ...]:
    has_all = (folder / "raw" / SCREENING).exists()
    return spec.table_names(layer="raw", audience="open") if has_all else TABLES


def main(folder: Path, step: str) -> None:
    """Print processor seconds of the imports and of the step, and the peak memory of this process in MiB."""
    spec = load_spec(DATA_SPEC)
    imports = time.process_time()
    STEPS[step](folder, tables_of(folder, spec), spec)
    print(imports, time.process_time() - imports, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    place, work, *size = sys.argv[1:]
    main(Path(place), work) if work in STEPS else write_exports(Path(place), float(size[0]), size[1])

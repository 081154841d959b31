"""All checks of a finished run: those that need no allocation, and those that do."""

from collections.abc import Iterator
from pathlib import Path

from analysis.errors import ReportError
from analysis.gate.counts import check_lines, check_results, check_table, read_table
from analysis.gate.finding import Finding
from analysis.gate.tree import check_links, check_records, open_files
from analysis.gate.words import check_file
from analysis.spec.blinding import telling
from analysis.spec.declarations import Spec

COUNTED = ("open/", "data/")
REPORT = "gate.csv"
BY_ITSELF = (
    *("name", "file name", "link", "metadata", "origin", "colour"),
    *("closed column", "label", "unreadable"),
)
BESIDE_CLOSED = ("sizes", "parts", "one arm", "order", "rows", "column")


def check_open(out: Path, spec: Spec, records: Path | None = None) -> tuple[dict[str, int], list[Finding]]:
    """What was looked for in how many files, and what was found, by what the open files are themselves.

    `records` is the folder in which Snakemake keeps how files were made. Logs and timings are looked at too;
    only files of `open/` and `data/` are counted, whose number is the same in every run of the same inputs.
    """
    looked, found = 0, [*check_links(out)]
    for path in open_files(out):
        file = path.relative_to(out).as_posix()
        looked += file.startswith(COUNTED) and path.name != REPORT
        found += check_file(file, path.read_bytes(), spec)
    if records is not None and records.is_dir():
        found += check_records(records, out, telling(spec.codelists["arm"], spec.blinding))
    return dict.fromkeys(BY_ITSELF, looked), sorted(set(found))


def check_beside_closed(out: Path, closed: Path, spec: Spec) -> tuple[dict[str, int], list[Finding]]:
    """The same by what the closed side of the run knows: the allocation, its results and tables.

    `closed` is the folder of the closed view.
    """
    arms = _arms(out, closed, spec)
    tables = [path for path in open_files(out) if path.suffix == ".csv"]
    looked = sum(
        path.relative_to(out).as_posix().startswith(COUNTED) for path in tables if path.name != REPORT
    )
    found = {*_counts(out, closed)}
    if arms.of_family:  # before the first family is randomised no row and no size tells an arm
        found |= {*_rows(out, tables, arms, spec), *_logs(out, arms)}
    return dict.fromkeys(BESIDE_CLOSED, looked), sorted(found)


def _arms(out: Path, closed: Path, spec: Spec):
    from analysis.gate.rows import Arms

    allocated = _columns(closed / "allocated" / "subjects.csv", "child_id", "family_id", "arm")
    families = _columns(closed / "clean" / "allocation.csv", "family_id", "arm")
    of_family = {family: arm == spec.trial.arms.intervention for family, arm in families}
    family_of = {child: family for child, family, _ in allocated if family in of_family}
    clean = _columns(out / "data" / "clean" / "children.csv", "child_id", "family_id")
    family_of |= {child: family for child, family in clean if family in of_family}
    return Arms(of_family, {**family_of, **{family: family for family in of_family}})


def _columns(path: Path, *names: str) -> list[tuple[str, ...]]:
    header, *rows = read_table(path)
    at = [header.index(name) for name in names]
    return [tuple(row[each] for each in at) for row in rows if row]


def _rows(out: Path, tables: list[Path], arms, spec: Spec) -> Iterator[Finding]:
    import pandas as pd

    from analysis.gate.rows import check_rows

    for path in tables:
        file = path.relative_to(out).as_posix()
        try:
            frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        except ValueError:  # empty, or no table
            yield Finding(file, "unreadable")
            continue
        accepted = frozenset(each.column for each in spec.blinding.accepted if each.file == file)
        yield from check_rows(file, frame, arms, accepted)


def _counts(out: Path, closed: Path) -> Iterator[Finding]:
    from analysis.results import read_results

    for path in sorted((out / "open" / "results").glob("*.json")):
        beside = closed / "results" / path.name
        if beside.is_file():
            file = path.relative_to(out).as_posix()
            try:
                opened = read_results(path)
            except ReportError:
                yield Finding(file, "unreadable")
                continue
            yield from check_results(file, opened, read_results(beside))
    for path in sorted((out / "open" / "outputs").glob("*.csv")):
        beside = closed / "outputs" / path.name
        if beside.is_file() and not path.name.endswith(".values.csv"):
            file = path.relative_to(out).as_posix()
            yield from check_table(file, read_table(path), read_table(beside), _names(closed))


def _names(closed: Path) -> set[str]:
    return {arm for _, arm in _columns(closed / "allocated" / "subjects.csv", "family_id", "arm")}


def _logs(out: Path, arms) -> Iterator[Finding]:
    families = list(arms.of_family.values())
    children = [arms.of_family[family] for unit, family in arms.family_of.items() if unit != family]
    sizes = [(sum(each), len(each) - sum(each)) for each in (families, children)]
    for path in open_files(out):
        if path.suffix == ".log":
            yield from check_lines(path.relative_to(out).as_posix(), path.read_text(errors="replace"), sizes)

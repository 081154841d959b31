"""The manifest of a report: every file it is made of, its digest and analyses, and what it was made from."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from analysis.errors import ReportError
from analysis.results import ResultFile, Stamp, View
from analysis.spec.coded_arms import is_coded
from analysis.spec.declarations import Spec
from analysis.spec.outputs import FIGURES, files_of, outputs_of, report_of

HEADER = (
    *("sha256", "file", "kind", "audience", "view", "data_cut", "sap_version"),
    *("analyses", "made_from", "plan", "code", "arms"),
)


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of a run: its place below the output folder, and its files with their SHA-256."""

    place: str
    files: Mapping[str, str]

    def digest(self, name: str) -> str:
        """Digest of a file.

        Raises
        ------
        ReportError
            If there is no such file.
        """
        if name not in self.files:
            raise ReportError(f"{self.place}/{name} is absent, so the manifest cannot list it.")
        return self.files[name]


@dataclass(frozen=True, slots=True)
class Folders:
    """What a report is made of; `second` is the second programmer's, where arms are known."""

    tables: Folder
    results: Folder
    outputs: Folder
    second: Folder | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """A file of the manifest; `plan` and `code` are the digests of what made a result."""

    folder: str
    name: str
    sha256: str
    kind: str
    analyses: tuple[str, ...] = ()
    made_from: tuple[str, ...] = ()
    plan: str = ""
    code: str = ""

    @property
    def file(self) -> str:
        """Its place below the output folder."""
        return f"{self.folder}/{self.name}" if self.folder else self.name


def list_files(
    view: View,
    spec: Spec,
    files: Mapping[str, ResultFile],
    folders: Folders,
    second: Stamp | None = None,
) -> tuple[Listed, ...]:
    """Tables, results, the second programmer's files, and tables and figures, in the order they are made.

    Raises
    ------
    ReportError
        If one of them is absent.
    """
    first = next(iter(files.values())).stamp
    results = tuple(_results(files, folders))
    checked = tuple(_second(folders, second, results)) if folders.second and second else ()
    return (
        *_tables(first, folders.tables),
        *results,
        *checked,
        *_outputs(view, spec, files, folders, checked),
    )


def to_csv(listed: Iterable[Listed], pages: Mapping[str, str], spec: Spec, view: View, cut: str) -> str:
    """The manifest as a file, the pages made of all other files last.

    Digests are SHA-256; paths start at the output folder. Of arms it says whether they are coded, never how.
    """
    listed = tuple(listed)
    used = tuple(
        each.file for each in listed if each.kind in ("result", "table", "figure", "second programmer")
    )
    pages_of = [Listed("", name, digest, "report", (), used) for name, digest in pages.items()]
    arms = "none" if view == "open" else "coded" if is_coded(spec) else "named"
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(HEADER)
    for each in (*listed, *pages_of):
        about = (report_of(view), view, cut, spec.trial.sap_version)
        lists = (" ".join(each.analyses), " ".join(each.made_from))
        writer.writerow((each.sha256, each.file, each.kind, *about, *lists, each.plan, each.code, arms))
    return buffer.getvalue()


def _tables(stamp: Stamp, folder: Folder) -> Iterator[Listed]:
    for name in stamp.inputs:
        yield Listed(folder.place, name, folder.digest(name), "input")


def _results(files: Mapping[str, ResultFile], folders: Folders) -> Iterator[Listed]:
    for family, file in files.items():
        name = f"{family}.json"
        yield Listed(
            *(folders.results.place, name, folders.results.digest(name), "result"),
            analyses=tuple(each.analysis for each in file.results),
            made_from=tuple(f"{folders.tables.place}/{table}" for table in file.stamp.inputs),
            plan=file.stamp.sap_digest,
            code=file.stamp.code_digest,
        )


def _second(folders: Folders, stamp: Stamp, results: Iterable[Listed]) -> Iterator[Listed]:
    tables = tuple(f"{folders.tables.place}/{table}" for table in stamp.inputs)
    made_from = (*tables, *(each.file for each in results))
    for name, digest in sorted(folders.second.files.items()):
        yield Listed(
            *(folders.second.place, name, digest, "second programmer"),
            made_from=made_from,
            plan=stamp.sap_digest,
            code=stamp.code_digest,
        )


def _outputs(
    view: View, spec: Spec, files: Mapping[str, ResultFile], folders: Folders, second: tuple[Listed, ...]
) -> Iterator[Listed]:
    for output in outputs_of(spec, view):
        families = [spec.analyses[name].family for name in output.analyses] or list(files)
        made_from = [f"{folders.results.place}/{family}.json" for family in dict.fromkeys(families)]
        if output.kind == "checklist":
            made_from = []
        if output.kind == "validation":
            made_from += [each.file for each in second]
        for name in files_of(output):
            yield Listed(
                *(folders.outputs.place, name, folders.outputs.digest(name)),
                kind="figure" if output.kind in FIGURES else "table",
                analyses=output.analyses,
                made_from=tuple(made_from),
            )

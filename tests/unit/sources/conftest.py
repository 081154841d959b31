"""A mapping of two tables and files written by hand."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from analysis.sources.ingest import Ingested, ingest
from analysis.spec.declarations import Spec
from analysis.spec.mapping import Mapping
from analysis.spec.source_base import Dialect

COMMA = Dialect(delimiter=",", encoding="utf-8-sig", decimal=".", dates=("%d/%m/%Y", "%Y-%m-%d"))
SPSS = Dialect(format="spss", cells="codes", dates=())
STATA = Dialect(format="stata", cells="codes", dates=())
SHEETS = {
    sheet: Dialect(format="excel", sheet=sheet, ignore_sheets=("Events", "Visits"), dates=("%d/%m/%Y",))
    for sheet in ("Events", "Visits")
}
SEMICOLON = Dialect(delimiter=";", encoding="cp1252", decimal=",", dates=("%d.%m.%Y",))


@dataclass(frozen=True)
class Exports:
    """A raw folder, and how it is read."""

    folder: Path
    spec: Spec

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def read(
        self,
        *sources: dict,
        tables: tuple[str, ...],
        missing: dict[str, str] | None = None,
        ignore_files: tuple[str, ...] = (),
        **more: object,
    ) -> Ingested:
        """Ingest with a mapping of these sources; kind and dialect are the usual ones unless given."""
        usual = {"kind": "tabular", "dialect": "comma"}
        mapping = Mapping(
            name="test",
            dialects={"comma": COMMA, "semicolon": SEMICOLON, "spss": SPSS, "stata": STATA, **SHEETS},
            missing=missing or {},
            ignore_files=ignore_files,
            sources=[{**usual, **source} for source in sources],
        )
        return ingest(self.spec, mapping, self.folder, tables=tables, **more)


@pytest.fixture
def exports(tmp_path: Path, spec: Spec) -> Exports:
    return Exports(tmp_path, spec)

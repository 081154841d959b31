"""A copy of the declarations in which one thing at a time is broken."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from analysis.errors import SpecError
from analysis.spec.declarations import Spec
from analysis.spec.load import load_mapping, load_spec

DATA_SPEC = Path(__file__).parents[3] / "data_spec"


@dataclass(frozen=True)
class Declarations:
    """A folder of declarations that a test may edit."""

    folder: Path

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace the first occurrence of a text, which must be there."""
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"the test looks for a text that {file} does not have"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    def append(self, file: str, text: str) -> None:
        path = self.folder / file
        path.write_text(path.read_text(encoding="utf-8").rstrip("\n") + "\n" + text, encoding="utf-8")

    def load(self) -> Spec:
        load_spec.cache_clear()
        load_mapping.cache_clear()
        return load_spec(self.folder)

    def refusal(self, *, mapping: str | None = None) -> str:
        """The message with which loading stops."""
        with pytest.raises(SpecError) as stopped:
            self.load()
            load_mapping(self.folder, mapping or "synthetic")
        return str(stopped.value)


@pytest.fixture
def declarations(tmp_path: Path) -> Declarations:
    shutil.copytree(DATA_SPEC, tmp_path / "data_spec")
    yield Declarations(tmp_path / "data_spec")
    load_spec.cache_clear()
    load_mapping.cache_clear()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a folder of exports beside it, and a restricted folder elsewhere."""
    (tmp_path / "repository").mkdir()
    (tmp_path / "exports" / "trial").mkdir(parents=True)
    (tmp_path / "exports" / "trial" / "families.csv").write_text("id\n")
    (tmp_path / "secure").mkdir()
    (tmp_path / "secure" / "allocation.csv").write_text("family_id,arm\n")
    return tmp_path / "repository"

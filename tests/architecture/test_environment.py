"""One list of versions: pyproject names the packages, requirements.txt pins them, everybody installs that."""

import os
import re
import sys
import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from analysis.spec.code import PACKAGE, project_modules, read_imports

ROOT = Path(__file__).parents[2]

DISTRIBUTION = {"fontTools": "fonttools", "yaml": "pyyaml", "PIL": "pillow"}
PIN = re.compile(
    r"^(?P<name>[a-z0-9][a-z0-9-]*)==[^\s;\\]+"  # one exact version
    r"(?: ; [^\\]+?)?"  # on some systems only
    r"(?: --hash=sha256:[0-9a-f]{64})+$"
)


@dataclass(frozen=True, slots=True)
class Project:
    runtime: frozenset[str]
    optional: dict[str, frozenset[str]]
    requires_python: str

    @property
    def direct(self) -> frozenset[str]:
        return self.runtime.union(*self.optional.values())


def read_project(root: Path) -> Project:
    table = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    optional = {name: frozenset(each) for name, each in table.get("optional-dependencies", {}).items()}
    return Project(frozenset(table["dependencies"]), optional, table["requires-python"])


def logical_lines(text: str) -> list[str]:
    """Lines of a requirements file as pip sees them: continued lines joined, comments dropped."""
    joined = re.sub(r"\s*\\\n\s*", " ", text)
    return [line for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def lock_faults(text: str, direct: frozenset[str]) -> list[str]:
    lines = logical_lines(text)
    pins = [match for line in lines if (match := PIN.match(line))]
    count = Counter(match["name"] for match in pins)
    return [
        *(f"not an exact pin with hashes: {line[:60]}" for line in lines if not PIN.match(line)),
        *(f"two versions of {name}" for name, times in count.items() if times > 1),
        *(f"{name} is not pinned" for name in sorted(direct - set(count))),
    ]


def supported_pythons(root: Path) -> list[str]:
    workflow = yaml.safe_load((root / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    (job,) = workflow["jobs"].values()
    return job["strategy"]["matrix"]["python"]


def environment_faults(text: str, project: Project) -> list[str]:
    """Conda would take the newest Python, for which some pins have no wheel yet: it gets an upper bound."""
    content = yaml.safe_load(text)
    newest = int(supported_pythons(ROOT)[-1].removeprefix("3."))
    python = f"python{project.requires_python},<3.{newest + 1}"
    expected = [python, "pip", {"pip": ["-r requirements.txt"]}]
    return [] if content["dependencies"] == expected else [f"{content['dependencies']} is not {expected}"]


def undeclared_imports(root: Path, project: Project) -> list[str]:
    """Imports of packages that pyproject does not list; the second programmer has a list of its own."""
    known = {*sys.stdlib_module_names, PACKAGE}
    found = []
    for module, path in project_modules(root).items():
        is_second = module.split(".")[1:2] == ["qc"]
        declared = project.runtime | project.optional["qc"] if is_second else project.runtime
        for each in read_imports(path, module):
            package = each.module.partition(".")[0]
            if package not in known and DISTRIBUTION.get(package, package) not in declared:
                found.append(f"{module}, line {each.line}: {package} is not a dependency")
    return found


@pytest.fixture(scope="module")
def project() -> Project:
    return read_project(ROOT)


def test_pyproject_names_no_version(project: Project) -> None:
    assert [name for name in project.direct if not re.fullmatch(r"[a-z0-9-]+", name)] == []


def test_every_dependency_is_pinned_once_with_hashes(project: Project) -> None:
    assert lock_faults((ROOT / "requirements.txt").read_text(encoding="utf-8"), project.direct) == []


def test_conda_installs_the_lock_and_nothing_else(project: Project) -> None:
    assert environment_faults((ROOT / "environment.yml").read_text(encoding="utf-8"), project) == []


def test_every_import_is_a_declared_dependency(project: Project) -> None:
    assert undeclared_imports(ROOT, project) == []


def test_the_house_runs_on_a_supported_python(project: Project) -> None:
    oldest = tuple(int(part) for part in project.requires_python.removeprefix(">=").split("."))
    assert sys.version_info >= oldest


def test_continuous_integration_runs_the_two_commands_from_the_oldest_python(project: Project) -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    (job,) = workflow["jobs"].values()
    commands = [step["run"] for step in job["steps"] if "run" in step]
    assert commands == ["make report PYTHON=python", "make test PYTHON=python"]
    assert f">={supported_pythons(ROOT)[0]}" == project.requires_python


def test_the_test_command_of_the_readme_is_what_ci_run_calls() -> None:
    script = ROOT / ".ci/run"
    assert script.read_text(encoding="utf-8").splitlines()[-1] == "make test"
    assert os.access(script, os.X_OK)


HASH = "--hash=sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (f"numpy==2.4 \\\n    {HASH} \\\n    {HASH}\n    # via scipy\n", None),
        (f"numpy==2.4 ; sys_platform == 'darwin' \\\n    {HASH}\n", None),
        (f"numpy==2.4 {HASH}\nscipy==1.17\n", "not an exact pin with hashes: scipy==1.17"),
        (f"numpy==2.4 {HASH}\nscipy>=1.17 {HASH}\n", "not an exact pin with hashes: scipy>=1.17"),
        (f"numpy==2.4 {HASH}\n./local.whl\n", "not an exact pin with hashes: ./local.whl"),
        (
            f"-i https://example.org\nnumpy==2.4 {HASH}\n",
            "not an exact pin with hashes: -i https://example.org",
        ),
        (f"numpy==2.4 {HASH}\nnumpy==2.5 ; python_version >= '3.12' {HASH}\n", "two versions of numpy"),
        (f"scipy==1.17 {HASH}\n", "numpy is not pinned"),
    ],
)
def test_a_fault_of_the_lock_is_caught(text: str, fault: str | None) -> None:
    found = lock_faults(text, frozenset({"numpy"}))
    assert len(found) == (fault is not None)
    assert all(each.startswith(fault) for each in found)


@pytest.mark.parametrize("extra", ["  - numpy=2.4\n", "      - numpy\n"])
def test_a_second_pin_in_the_conda_file_is_caught(project: Project, extra: str) -> None:
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    assert len(environment_faults(text + extra, project)) == 1


def test_an_undeclared_import_is_caught(tmp_path: Path, project: Project) -> None:
    for room in ("qc", "models"):
        folder = tmp_path / PACKAGE / room
        folder.mkdir(parents=True)
        (folder / "mixed.py").write_text("import yaml\nimport statsmodels.api as sm\n", encoding="utf-8")
    found = undeclared_imports(tmp_path, project)
    assert found == ["analysis.models.mixed, line 2: statsmodels is not a dependency"]

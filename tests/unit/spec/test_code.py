"""The import walker against a fabricated package, the running interpreter and a plain walk of the syntax."""

import ast
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import pytest

from analysis.errors import SpecError
from analysis.spec.code import Import, code_digest, module_closure, project_modules, read_imports

ROOT = Path(__file__).parents[3]

SOURCES = {
    "__init__": '"""The package."""\n',
    "errors": "class TrialError(Exception): ...\n",
    "spec/__init__": "from .load import load\n",
    "spec/load": "import json\nfrom ..errors import TrialError\n\n\ndef load(): ...\n",
    "stats/__init__": "",
    "stats/reml": "from analysis.errors import (\n    TrialError,\n)\n\n\ndef reml(): ...\n",
    "stats/cox": "",
    "models/__init__": "",
    "models/registry": 'from analysis import spec\n\nLAZY = {"mixed": "analysis.models.mixed:fit",'
    ' "survival": "analysis.models.survival:fit"}\nTEXT = "analysis.csv"\n',
    "models/mixed": "def fit():\n    from analysis.stats import reml\n    return reml\n",
    "models/survival": "import analysis.stats.cox\n\n\ndef fit(): ...\n",
    "steps/__init__": "",
    "steps/fit": "from analysis.models import registry\n",
}

STEP = {
    "analysis/__init__.py",
    "analysis/errors.py",
    "analysis/models/__init__.py",
    "analysis/models/registry.py",
    "analysis/spec/__init__.py",
    "analysis/spec/load.py",
    "analysis/steps/__init__.py",
    "analysis/steps/fit.py",
}
MIXED = {"analysis/models/mixed.py", "analysis/stats/__init__.py", "analysis/stats/reml.py"}
SURVIVAL = {"analysis/models/survival.py", "analysis/stats/__init__.py", "analysis/stats/cox.py"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in SOURCES.items():
        path = tmp_path / "analysis" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def test_a_closure_holds_packages_relative_and_multiline_imports(root: Path) -> None:
    assert set(module_closure("analysis.steps.fit", root)) == STEP
    assert set(module_closure("analysis.stats.reml", root)) == {
        *(
            "analysis/__init__.py",
            "analysis/errors.py",
            "analysis/stats/__init__.py",
            "analysis/stats/reml.py",
        )
    }


def test_a_closure_is_sorted(root: Path) -> None:
    files = module_closure("analysis.steps.fit", root)
    assert list(files) == sorted(files)


def test_one_family_does_not_depend_on_another(root: Path) -> None:
    files = set(module_closure("analysis.steps.fit", root, entry=("analysis.models.mixed",)))
    assert files == STEP | MIXED


def test_names_in_text_are_followed_on_request(root: Path) -> None:
    assert set(module_closure("analysis.steps.fit", root, follow_strings=True)) == STEP | MIXED | SURVIVAL


def test_a_closure_holds_everything_the_interpreter_loads(root: Path) -> None:
    program = (
        "import sys, analysis.steps.fit, analysis.models.mixed as m; m.fit(); "
        "print(*(v.__file__ for k, v in sys.modules.items() if k.split('.')[0] == 'analysis'), sep='\\n')"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    )
    loaded = {Path(line).resolve().relative_to(root.resolve()).as_posix() for line in run.stdout.splitlines()}
    assert loaded == set(module_closure("analysis.steps.fit", root, entry=("analysis.models.mixed",)))


def test_an_edited_file_is_read_again(root: Path) -> None:
    module_closure("analysis.stats.cox", root)
    (root / "analysis/stats/cox.py").write_text("from analysis.stats import reml\n", encoding="utf-8")
    assert "analysis/stats/reml.py" in module_closure("analysis.stats.cox", root)


@pytest.mark.parametrize("module", ["analysis.steps.missing", "json", "analysis.spec.load.load"])
def test_a_start_that_is_no_module_is_refused(root: Path, module: str) -> None:
    with pytest.raises(SpecError, match=module.replace(".", r"\.")):
        module_closure(module, root)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "import json\nfrom analysis.nowhere import x\n",
            "analysis.stats.cox, line 2: imports analysis.nowhere",
        ),
        ("def f():\n    pass\n\n\nimport json as\n", "analysis.stats.cox, line 5: not Python"),
    ],
)
def test_a_broken_import_names_its_place(root: Path, text: str, message: str) -> None:
    (root / "analysis/stats/cox.py").write_text(text, encoding="utf-8")
    with pytest.raises(SpecError, match=message):
        module_closure("analysis.stats.cox", root)


def test_a_name_in_text_must_exist(root: Path) -> None:
    (root / "analysis/models/registry.py").write_text('LAZY = "analysis.models.mixd:fit"\n', encoding="utf-8")
    with pytest.raises(SpecError, match=r"line 1: imports analysis\.models\.mixd"):
        module_closure("analysis.models.registry", root)


def test_what_runs_when_a_module_is_loaded_is_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "example.py"
    path.write_text(
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n"
        "    import pandas\n"
        "else:\n"
        "    import json\n"
        "try:\n"
        "    import scipy\n"
        "except ImportError:\n"
        "    import math\n"
        "class A:\n"
        "    import numpy\n"
        "    async def f(self):\n"
        "        with open('x'):\n"
        "            import csv\n",
        encoding="utf-8",
    )
    found = {each.module: each.at_load for each in read_imports(path, "example")}
    at_load = {"typing", "json", "scipy", "math", "numpy"}
    assert found == {**dict.fromkeys(at_load, True), "pandas": False, "csv": False}


@pytest.mark.parametrize(
    "text",
    [
        'A = """\nimport one\ndef f():\n    """\nimport two\nB = """\nclass C:\n    import three\n"""\n',
        'A = """\nx = 1\ndef f():\n    """\nimport two\nB = """\nclass C:\n    pass\n"""\n',
    ],
)
def test_code_in_a_string_hides_no_import_and_is_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "example.py"
    path.write_text(text, encoding="utf-8")
    assert read_imports(path, "example") == (Import("two", None, 5),)


def plain_reading(path: Path) -> list[tuple[str, str | None, int]]:
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(alias.name, None, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found += [(node.module, alias.name, node.lineno) for alias in node.names]
    return sorted(found, key=str)


def test_cutting_a_file_loses_no_import() -> None:
    """The standard library holds every odd shape; a plain walk of the whole tree is the second reading."""
    library = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))[:60]
    files = [*library, *project_modules(ROOT).values()]
    assert len(library) > 50
    for path in files:
        mine = [
            (each.module, each.name, each.line)
            for each in read_imports(path, "top.level")
            if not (each.is_string or each.module == "top" or each.module.startswith("top."))
        ]
        assert sorted(mine, key=str) == plain_reading(path), path.name


def test_the_whole_project_is_walked_quickly() -> None:
    """One closure takes about 2 ms; the bound leaves room for a machine under load."""
    start = time.perf_counter()
    for module in project_modules(ROOT):
        module_closure(module, ROOT, follow_strings=True)
    assert time.perf_counter() - start < 0.1 * len(project_modules(ROOT))


def test_a_digest_changes_with_content_name_and_set_but_not_order(root: Path) -> None:
    files = list(module_closure("analysis.steps.fit", root))
    before = code_digest(files, root)
    assert code_digest(reversed(files), root) == before
    assert code_digest(files[1:], root) != before
    path = root / files[-1]
    path.write_bytes(path.read_bytes() + b"#")
    after = code_digest(files, root)
    assert after != before
    path.rename(path.with_name("renamed.py"))
    assert code_digest([*files[:-1], "analysis/steps/renamed.py"], root) not in (before, after)


def test_a_digest_knows_where_a_file_ends(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("", encoding="utf-8")
    (tmp_path / "b").write_text("x", encoding="utf-8")
    two = code_digest(["a", "b"], tmp_path)
    (tmp_path / "a").write_text("b\0x", encoding="utf-8")
    assert code_digest(["a"], tmp_path) != two

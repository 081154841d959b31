"""Size, names and docstrings of `analysis/`, and what no text file of the repository may contain."""

import ast
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

from analysis.spec.code import PACKAGE, project_imports, project_modules

ROOT = Path(__file__).parents[2]

MODULE_LINES = 300
FUNCTION_MEDIAN, FUNCTION_USUAL, FUNCTION_LONGEST = 7, 30, 60
USUAL_SHARE = 0.9

DOCUMENTED_ROOMS = ("stats", "models")
VAGUE_NAMES = re.compile(r"(utils?|helpers?|managers?)$")

GENERATED = {"out", "node_modules", "__pycache__"}
HIDDEN_BUT_TRACKED = {".ci", ".github", ".gitignore", ".gitattributes"}
BINARY = {".png", ".pdf", ".docx", ".xlsx", ".sav", ".dta", ".rds", ".gz", ".zip"}

# Spelt so that this file does not match itself.
UNWANTED = {
    "a path of one machine": re.compile(
        r"(?<![\w.:/~*-])/(?:home|Users|root|tmp|work|opt|mnt|srv|private)/\w|\b[A-Z]:\\Users\b"
    ),
    "a local file address": re.compile(r"\bfile:/{2}"),
    "a package registry's address": re.compile(
        r"\bpypi\.(?:org|python)|\bpythonhosted\.|\banaconda\.(?:org|com)|\bcran\.(?:r-project|rstudio)"
        r"|--(?:extra-)?index-"
        r"url\b|--find-"
        r"links\b"
    ),
    "an unfinished piece": re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b"),
}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def length(function: Function) -> int:
    """Lines from ``def`` to the end, without the docstring."""
    lines = function.end_lineno - function.lineno + 1
    if ast.get_docstring(function) is None:
        return lines
    docstring = function.body[0]
    return lines - (docstring.end_lineno - docstring.lineno + 1)


def all_functions(root: Path) -> Iterator[tuple[str, Function]]:
    for module, path in project_modules(root).items():
        yield from ((module, function) for function in functions(ast.parse(path.read_text(encoding="utf-8"))))


def long_modules(root: Path) -> list[str]:
    sizes = {name: len(path.read_text().splitlines()) for name, path in project_modules(root).items()}
    return [f"{name}: {size} lines" for name, size in sizes.items() if size > MODULE_LINES]


def long_functions(root: Path) -> list[str]:
    return [
        f"{module}.{function.name}: {length(function)} lines"
        for module, function in all_functions(root)
        if length(function) > FUNCTION_LONGEST
    ]


def size_of_functions(root: Path) -> tuple[float, float]:
    """Median length, and the share of functions within the usual length; (0, 1) without functions."""
    lengths = [length(function) for _, function in all_functions(root)]
    if not lengths:
        return 0.0, 1.0
    return median(lengths), sum(each <= FUNCTION_USUAL for each in lengths) / len(lengths)


def vague_names(root: Path) -> list[str]:
    return [name for name in project_modules(root) if VAGUE_NAMES.search(name)]


def packages_without_init(root: Path) -> list[str]:
    folders = {path.parent for path in project_modules(root).values()}
    return sorted(folder.name for folder in folders if not (folder / "__init__.py").is_file())


def names_other_rooms_use(root: Path) -> set[str]:
    """Dotted names of what a module of another room imports, or a registry names in text."""
    modules = project_modules(root)
    return {
        f"{target}.{each.name}"
        for module in modules
        for target, each in project_imports(module, modules)
        if each.is_string or room_of(module) != room_of(target)
    }


def room_of(module: str) -> str:
    return f"{module}.".split(".")[1]


def docstring_faults(root: Path) -> list[str]:
    crossing = names_other_rooms_use(root)
    return [
        f"{module}.{function.name}: {fault}"
        for module, path in project_modules(root).items()
        if room_of(module) in DOCUMENTED_ROOMS
        for function in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(function, Function) and not function.name.startswith("_")
        for fault in faults(function, is_estimator=is_estimator(module, function, crossing))
    ]


def is_estimator(module: str, function: Function, crossing: set[str]) -> bool:
    """What another room takes from `stats`, and the fits of `models`."""
    crosses = f"{module}.{function.name}" in crossing
    return crosses and (room_of(module) == "stats" or function.name.startswith("fit"))


def faults(function: Function, *, is_estimator: bool) -> Iterator[str]:
    text = ast.get_docstring(function) or ""
    if not text:
        yield "no docstring"
    elif any(isinstance(node, ast.Raise) for node in ast.walk(function)) and not has_section(text, "Raises"):
        yield "raises, but has no section Raises"
    elif is_estimator and not (has_section(text, "Source") or has_section(text, "Raises")):
        yield "used by another room, but has neither a section Source nor Raises"


def has_section(docstring: str, name: str) -> bool:
    return re.search(rf"^{name}\n-{{{len(name)}}}$", docstring, re.MULTILINE) is not None


def stray_quotes(root: Path) -> list[str]:
    """Docstrings that were wrapped as if they were text in quotes."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return [
        f"{module}: {line.strip()}"
        for module, path in project_modules(root).items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, documented)
        for line in (ast.get_docstring(node) or "").splitlines()
        if line.count('"') % 2 and (line.strip().startswith('"') or line.strip().endswith('"'))
    ]


def tracked_texts(root: Path) -> Iterator[tuple[str, str]]:
    for name in tracked_by_git(root) or tracked_by_place(root):
        path = root / name
        if path.is_file() and path.suffix.lower() not in BINARY:
            yield name, path.read_text(encoding="utf-8", errors="replace")


def tracked_by_git(root: Path) -> list[str]:
    """Nothing outside a repository, before the first commit or without git."""
    if not (root / ".git").exists() or shutil.which("git") is None:
        return []
    run = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=False)
    return [name for name in run.stdout.split("\0") if name]


def tracked_by_place(root: Path) -> Iterator[str]:
    """Files that are not generated, hidden or part of an environment: what a downloaded copy is made of."""
    for folder, folders, files in os.walk(root):
        here = Path(folder)
        folders[:] = sorted(name for name in folders if is_tracked(name) and not is_environment(here / name))
        yield from ((here / name).relative_to(root).as_posix() for name in sorted(files) if is_tracked(name))


def is_tracked(name: str) -> bool:
    return name in HIDDEN_BUT_TRACKED or not (name.startswith(".") or name in GENERATED)


def is_environment(folder: Path) -> bool:
    return (folder / "pyvenv.cfg").is_file()


def unwanted_texts(root: Path) -> list[str]:
    return [
        f"{name}, line {number}: {what}"
        for name, text in tracked_texts(root)
        for what, pattern in UNWANTED.items()
        if pattern.search(text)
        for number, line in enumerate(text.splitlines(), start=1)
        if pattern.search(line)
    ]


def test_modules_are_short() -> None:
    assert long_modules(ROOT) == []


def test_functions_are_short() -> None:
    middle, usual = size_of_functions(ROOT)
    assert long_functions(ROOT) == []
    assert middle <= FUNCTION_MEDIAN
    assert usual >= USUAL_SHARE


def test_no_vague_names() -> None:
    assert vague_names(ROOT) == []


def test_every_folder_of_code_is_a_package() -> None:
    assert packages_without_init(ROOT) == []


def test_statistics_and_models_are_documented() -> None:
    assert docstring_faults(ROOT) == []


def test_no_docstring_has_stray_quotes() -> None:
    assert stray_quotes(ROOT) == []


def test_declarations_hold_no_python() -> None:
    assert sorted((ROOT / "data_spec").rglob("*.py")) == []


def test_no_unwanted_text() -> None:
    assert unwanted_texts(ROOT) == []


@pytest.fixture
def write(tmp_path: Path):
    def build(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return tmp_path

    return build


def function_of(lines: int, name: str = "f") -> str:
    return f'def {name}():\n    """One.\n\n    Two.\n    """\n' + "    pass\n" * (lines - 1) + "\n\n"


def test_the_docstring_does_not_count() -> None:
    (function,) = functions(ast.parse(function_of(9)))
    assert length(function) == 9


def test_a_long_module_is_caught(write) -> None:
    root = write("analysis/data/clean.py", "x = 1\n" * (MODULE_LINES + 1))
    assert long_modules(root) == ["analysis.data.clean: 301 lines"]
    assert long_modules(write("analysis/data/clean.py", "x = 1\n" * MODULE_LINES)) == []


def test_a_long_function_is_caught(write) -> None:
    assert long_functions(write("analysis/a.py", function_of(FUNCTION_LONGEST))) == []
    root = write(
        "analysis/a.py", "class A:\n    async " + function_of(FUNCTION_LONGEST + 1).replace("\n", "\n    ")
    )
    assert long_functions(root) == ["analysis.a.f: 61 lines"]


def test_long_functions_move_the_median_and_the_share(write) -> None:
    root = write("analysis/a.py", "".join(function_of(each, f"f{each}") for each in (2, 3, 40, 8)))
    assert size_of_functions(root) == (5.5, 0.75)


def test_an_empty_house_is_in_order(tmp_path: Path) -> None:
    (tmp_path / PACKAGE).mkdir()
    checks = (
        long_modules,
        long_functions,
        vague_names,
        packages_without_init,
        docstring_faults,
        stray_quotes,
        unwanted_texts,
    )
    assert [check(tmp_path) for check in checks] == [[]] * len(checks)
    assert size_of_functions(tmp_path) == (0.0, 1.0)


@pytest.mark.parametrize("name", ["utils", "helpers", "table_helper", "manager"])
def test_a_vague_name_is_caught(write, name: str) -> None:
    assert vague_names(write(f"analysis/data/{name}.py", "")) == [f"analysis.data.{name}"]


def test_a_folder_without_init_is_caught(write) -> None:
    assert packages_without_init(write("analysis/qc/mixed.py", "")) == ["qc"]


DOCUMENTED = '"""The variance.\n\n    {}\n    {}\n    A paper, equation 1.\n    """'


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("pass", "no docstring"),
        ('"""The variance."""', "used by another room, but has neither a section Source nor Raises"),
        ('"""The variance.\n\n    Source: a paper.\n    """', "used by another room, but has neither"),
        ('"""The variance."""\n    raise ValueError', "raises, but has no section Raises"),
        (
            DOCUMENTED.format("Source", "------") + "\n    raise ValueError",
            "raises, but has no section Raises",
        ),
        (DOCUMENTED.format("Source", "------"), None),
        (DOCUMENTED.format("Raises", "------") + "\n    raise ValueError", None),
    ],
)
def test_a_missing_section_is_caught(write, body: str, fault: str | None) -> None:
    write("analysis/models/mixed.py", "from analysis.stats.reml import reml\n")
    root = write(
        "analysis/stats/reml.py", f"def reml():\n    {body}\n\n\ndef _private():\n    raise KeyError\n"
    )
    found = docstring_faults(root)
    assert len(found) == (fault is not None)
    assert all(each.startswith(f"analysis.stats.reml.reml: {fault}") for each in found)


def test_a_stray_quote_is_caught(write) -> None:
    wrapped = 'def f():\n    """What is "\n    "left."""\n\n\ndef g():\n    """A "word"\n    more."""\n'
    root = write("analysis/a.py", wrapped)
    assert stray_quotes(root) == ['analysis.a: What is "', 'analysis.a: "left.']


def test_what_stays_in_its_room_needs_no_section(write) -> None:
    write("analysis/stats/cox.py", "from analysis.stats.risk import risk\n")
    assert docstring_faults(write("analysis/stats/risk.py", 'def risk():\n    """Number at risk."""\n')) == []


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("a path of one machine", "input: /{}/someone/data.csv".format("home")),
        ("a path of one machine", "cd '/{}/x'".format("tmp")),
        ("a path of one machine", "C:\\" + "Users\\someone"),
        ("a local file address", "see file:" + "//server/data"),
        ("a package registry's address", "https://pypi" + ".org/simple"),
        ("a package registry's address", "--extra" + "-index-url=x"),
        ("a package registry's address", "https://cran" + ".r-project.org"),
        ("an unfinished piece", "# TO" + "DO: later"),
    ],
)
def test_an_unwanted_text_is_caught(write, what: str, text: str) -> None:
    assert unwanted_texts(write("docs/page.md", f"fine\n{text}\n")) == [f"docs/page.md, line 2: {what}"]


@pytest.mark.parametrize(
    "text", ["https://example.org/home/page", "raw/tmp/x", "a / b", "conda-forge", "todos"]
)
def test_a_harmless_text_passes(write, text: str) -> None:
    assert unwanted_texts(write("docs/page.md", text)) == []


@pytest.mark.parametrize("name", ["out/report.html", ".venv/x.py", "env/lib/x.py", ".snakemake/log", "a.png"])
def test_generated_files_are_not_read(write, name: str) -> None:
    write("env/pyvenv.cfg", "")
    assert unwanted_texts(write(name, "TO" + "DO")) == []


def test_hidden_files_that_are_tracked_are_read(write) -> None:
    assert len(unwanted_texts(write(".github/workflows/ci.yml", "TO" + "DO"))) == 1

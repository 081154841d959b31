"""Which source files a module runs, found by reading imports without running them.

Snakemake does not follow imports. A rule declares the closure of its step as an input, so that editing an
estimator reruns the jobs that use it and no other. The architecture test walks the same imports.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from pathlib import Path

from analysis.errors import SpecError

PACKAGE = "analysis"

_NAME = rf"{PACKAGE}(?:\.[A-Za-z_]\w*)+(?::[A-Za-z_]\w*)?"
_NAME_IN_STRING = re.compile(rf"([\"']){_NAME}\1")
_WHOLE_NAME = re.compile(_NAME)
_BLOCK = re.compile(r"^(?=(?:@|def |class |async def ))", re.MULTILINE)
_IMPORT = re.compile(r"\bimport\b")


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module, or one name in it, with its line.

    `at_load` is false inside a function and under ``if TYPE_CHECKING``: nothing is imported when the module
    is loaded. `is_string` marks a lazy name in text, such as a registry's ``"analysis.models.mixed:fit"``.
    """

    module: str
    name: str | None
    line: int
    at_load: bool = True
    is_string: bool = False


def module_closure(
    module: str, root: Path, *, entry: tuple[str, ...] = (), follow_strings: bool = False
) -> tuple[str, ...]:
    """Source files, relative to `root` and sorted, of every project module that `module` reaches.

    Packages count with their ``__init__`` file. `entry` names further modules to start from: the rule of one
    family gives the step and that family's module. A step reaches its families through names in text; these
    are followed only if `follow_strings` is true, because the registry names every family.

    Raises
    ------
    SpecError
        If `module`, an entry or an imported project module has no source file, or one is not Python.
    """
    modules = project_modules(root)
    pending = [module, *entry]
    reached: set[str] = set()
    while pending:
        name = pending.pop()
        if name not in reached:
            reached.add(name)
            pending += _packages(name)
            found = project_imports(name, modules)
            pending += (target for target, each in found if follow_strings or not each.is_string)
    return tuple(sorted(modules[name].relative_to(root).as_posix() for name in reached))


def code_digest(files: Iterable[str], root: Path) -> str:
    """SHA-256 over the paths and contents of `files`, in the order of their paths."""
    digest = sha256()
    for name in sorted(files):
        content = (root / name).read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def project_modules(root: Path) -> dict[str, Path]:
    """Every module of the project with its source file."""
    return {_dotted(path.relative_to(root)): path for path in sorted((root / PACKAGE).rglob("*.py"))}


def project_imports(module: str, modules: Mapping[str, Path]) -> list[tuple[str, Import]]:
    """Every import in `module` that leads to a project module, with the name of that module before it.

    Names in text are included. Importing a module from its package leads to that module, not to the package.

    Raises
    ------
    SpecError
        If `module` or an imported project module is not in `modules`.
    """
    if module not in modules:
        raise SpecError(f"{module}: no such module; a module is named like {PACKAGE}.steps.fit.")
    found = [each for each in read_imports(modules[module], module) if _is_project(each.module)]
    return [(_target(each, module, modules), each) for each in found if _is_import(each, modules)]


def read_imports(path: Path, module: str) -> tuple[Import, ...]:
    """Every import in the source file `path` of `module`, relative ones resolved, in the order of lines.

    Raises
    ------
    SpecError
        If the file is not Python.
    """
    state = path.stat()
    return _read(path, module, state.st_mtime_ns, state.st_size)


def _dotted(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _packages(module: str) -> Iterator[str]:
    """Importing a module runs the packages around it first."""
    while "." in module:
        module = module.rpartition(".")[0]
        yield module


def _is_project(module: str) -> bool:
    return module == PACKAGE or module.startswith(f"{PACKAGE}.")


def _is_import(each: Import, modules: Mapping[str, Path]) -> bool:
    """Text without a colon may be something else that looks like a module."""
    return not each.is_string or each.name is not None or each.module in modules


def _target(each: Import, module: str, modules: Mapping[str, Path]) -> str:
    inner = f"{each.module}.{each.name}"
    if inner in modules:
        return inner
    if each.module not in modules:
        raise SpecError(f"{module}, line {each.line}: imports {each.module}, which does not exist.")
    return each.module


@cache
def _read(path: Path, module: str, mtime_ns: int, size: int) -> tuple[Import, ...]:
    """The time and size of the file are part of the key, so that an edited file is read again."""
    text = path.read_text(encoding="utf-8")
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    try:
        found = _parse(_blocks(text), package)
    except SyntaxError:
        found = _parse_whole(text, module, package)
    if _NAME_IN_STRING.search(text):
        found += _strings(ast.parse(text))
    return tuple(sorted(found, key=lambda each: each.line))


def _parse(blocks: Iterable[tuple[int, str]], package: str) -> list[Import]:
    return [
        replace(each, line=each.line + start)
        for start, block in blocks
        for each in _statements(ast.parse(block).body, package, at_load=True)
    ]


def _parse_whole(text: str, module: str, package: str) -> list[Import]:
    try:
        return _parse([(0, text)], package)
    except SyntaxError as error:
        raise SpecError(f"{module}, line {error.lineno}: not Python ({error.msg}).") from error


def _blocks(text: str) -> list[tuple[int, str]]:
    """The parts of a source file that may hold an import, each with the number of lines before it.

    Parsing whole files takes five times as long. A file is cut before its outermost functions and classes,
    unless a cut may fall inside a string.
    """
    blocks = _BLOCK.split(text)
    if any(block.count(quotes) % 2 for block in blocks for quotes in ('"""', "'''")):
        blocks = [text]
    starts = [0]
    for block in blocks:
        starts.append(starts[-1] + block.count("\n"))
    return [(start, block) for start, block in zip(starts, blocks, strict=False) if _IMPORT.search(block)]


def _statements(body: Iterable[ast.AST], package: str, at_load: bool) -> Iterator[Import]:
    """Imports are statements, so expressions are not visited."""
    for node in body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, None, node.lineno, at_load)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield Import(_absolute(node, package), alias.name, node.lineno, at_load)
        else:
            yield from _nested(node, package, at_load)


def _nested(node: ast.AST, package: str, at_load: bool) -> Iterator[Import]:
    deferred = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or _is_type_checking(node)
    for field in ("body", "handlers", "cases"):
        yield from _statements(getattr(node, field, ()), package, at_load and not deferred)
    for field in ("orelse", "finalbody"):
        yield from _statements(getattr(node, field, ()), package, at_load)


def _is_type_checking(node: ast.AST) -> bool:
    if not isinstance(node, ast.If):
        return False
    return "TYPE_CHECKING" in (getattr(node.test, "id", ""), getattr(node.test, "attr", ""))


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    return ".".join([*parts[: len(parts) - node.level + 1], *([node.module] if node.module else [])])


def _strings(tree: ast.AST) -> Iterator[Import]:
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and _WHOLE_NAME.fullmatch(text):
            module, _, name = text.partition(":")
            yield Import(module, name or None, node.lineno, at_load=False, is_string=True)

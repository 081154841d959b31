"""The rooms of `analysis/` and the arrows between them, walked in the imports of every module."""

import sys
from collections import deque
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from analysis.spec.code import PACKAGE, Import, project_imports, project_modules, read_imports

ROOT = Path(__file__).parents[2]

# A room may import from these rooms, and from itself. Nothing else.
MAY_IMPORT = {
    "errors": set(),
    "results": {"errors"},
    "agreement": {"errors", "results"},
    "factors": set(),
    "spec": {"errors"},
    "stats": {"errors"},
    "data": {"errors", "factors", "spec"},
    "sources": {"errors", "factors", "spec"},
    "synth": {"errors", "spec"},
    "present": {"agreement", "errors", "results", "spec"},
    "qc": {"agreement", "errors", "results", "spec"},
    "gate": {"errors", "results", "spec"},
    "models": {"errors", "results", "spec", "stats", "data"},
    "steps": {
        *("agreement", "errors", "results", "spec", "stats", "data", "sources", "synth"),
        *("present", "qc", "gate", "models"),
    },
    "__main__": {"errors", "spec", "steps"},
}

# Loaded by every command and by the Snakefile before any rule runs, so they must be quick to import.
LIGHT = ("__main__", "agreement", "errors", "results", "spec")
HEAVY = {"lifelines", "matplotlib", "pandas", "scipy", "snakemake", "statsmodels"}

PURE_MAY_IMPORT = {"numpy", "scipy", *sys.stdlib_module_names}


def room_of(module: str) -> str:
    """The room a module stands in; the package itself is the room of that name."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else PACKAGE


def forbidden_arrows(root: Path) -> list[str]:
    modules = project_modules(root)
    return [
        f"{module}, line {each.line}: {room_of(module)} may not import {target}"
        for module in modules
        for target, each in project_imports(module, modules)
        if not is_allowed(room_of(module), room_of(target))
    ]


def is_allowed(room: str, other: str) -> bool:
    if other == PACKAGE:
        return True
    return room == other or other in MAY_IMPORT.get(room, set())


def unknown_rooms(root: Path) -> list[str]:
    rooms = {room_of(module) for module in project_modules(root)}
    return sorted(rooms - set(MAY_IMPORT) - {PACKAGE})


def circles(root: Path) -> list[str]:
    """Names in text are left out: a registry names its members, and they may import it."""
    modules = project_modules(root)
    graph = {
        module: {to for to, each in project_imports(module, modules) if not each.is_string and to != module}
        for module in modules
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))
    return []


def heavy_loads(root: Path) -> list[str]:
    modules = project_modules(root)
    starts = [module for module in modules if room_of(module) in (*LIGHT, PACKAGE)]
    return [
        f"{module}, line {each.line}: loads {each.module}"
        for module in sorted(loaded_with(starts, modules))
        for each in read_imports(modules[module], module)
        if each.at_load and outside(each) in HEAVY
    ]


def loaded_with(starts: list[str], modules: dict[str, Path]) -> set[str]:
    pending, seen = deque(starts), set(starts)
    while pending:
        for target, each in project_imports(pending.popleft(), modules):
            if each.at_load and target not in seen:
                seen.add(target)
                pending.append(target)
    return seen


def impure_imports(root: Path) -> list[str]:
    return [
        f"{module}, line {each.line}: stats is numpy and scipy only, not {each.module}"
        for module, each in imports_of_room("stats", root)
        if outside(each) not in PURE_MAY_IMPORT | {PACKAGE}
    ]


def imports_of_room(room: str, root: Path) -> Iterator[tuple[str, Import]]:
    for module, path in project_modules(root).items():
        if room_of(module) == room:
            yield from ((module, each) for each in read_imports(path, module))


def outside(each: Import) -> str:
    return each.module.partition(".")[0]


def test_every_arrow_is_allowed() -> None:
    assert forbidden_arrows(ROOT) == []


def test_every_room_is_known() -> None:
    assert unknown_rooms(ROOT) == []


def test_no_circle_of_imports() -> None:
    assert circles(ROOT) == []


def test_command_line_and_spec_load_nothing_heavy() -> None:
    assert heavy_loads(ROOT) == []


def test_stats_is_pure() -> None:
    assert impure_imports(ROOT) == []


def test_the_table_has_no_circle_and_names_only_rooms() -> None:
    order = list(TopologicalSorter(MAY_IMPORT).static_order())
    assert set(order) == set(MAY_IMPORT)


def test_the_walls_stand_in_the_table() -> None:
    assert not MAY_IMPORT["qc"] & {"stats", "models"}, "the second programmer shares no code with the first"
    assert not MAY_IMPORT["present"] & {"data", "stats", "models"}, "a page shows results and computes none"
    assert MAY_IMPORT["stats"] == {"errors"}, "statistics know no frame, no path and no SAP"


@pytest.fixture
def house(tmp_path: Path):
    """Build a small house of the given modules; every package gets its ``__init__`` file."""

    def build(**sources: str) -> Path:
        for name, text in {"__init__": "", "errors": "", **sources}.items():
            path = tmp_path.joinpath(PACKAGE, *name.split(".")).with_suffix(".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            (path.parent / "__init__.py").touch()
            path.write_text(text, encoding="utf-8")
        return tmp_path

    return build


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("stats.reml", "from analysis.spec.load import load_spec"),
        ("present.tables", "import analysis.stats.reml"),
        ("qc.mixed", "from analysis import models"),
        ("errors", "from . import results"),
        ("spec.families", "def check():\n    from ..models import mixed\n"),
        ("data.frames", 'LAZY = "analysis.models.mixed:fit"'),
        ("sources.redcap", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import analysis.data\n"),
    ],
)
def test_a_forbidden_arrow_is_caught(house, module: str, text: str) -> None:
    others = {"spec.load": "", "stats.reml": "", "models.mixed": "", "results": "", "data.frames": ""}
    root = house(**{**others, module: text})
    (found,) = forbidden_arrows(root)
    assert found.startswith(f"analysis.{module}, line ")


def test_allowed_arrows_pass(house) -> None:
    root = house(
        **{
            "spec.load": "from analysis.errors import SpecError",
            "stats.reml": "import numpy\nfrom scipy import linalg\nfrom analysis.errors import ModelError",
            "models.mixed": "from analysis.stats.reml import reml\nfrom .registry import family",
            "models.registry": 'FAMILIES = {"mixed": "analysis.models.mixed:fit"}',
            "steps.fit": "import pandas\nfrom analysis.models import registry\nimport analysis.spec.load",
            "__main__": "def main():\n    from analysis.steps import fit\n",
        }
    )
    for check in (forbidden_arrows, unknown_rooms, circles, heavy_loads, impure_imports):
        assert check(root) == []


def test_an_unknown_room_is_caught(house) -> None:
    assert unknown_rooms(house(**{"plumbing.pipes": ""})) == ["plumbing"]


@pytest.mark.parametrize("second", ["from analysis.data.one import x", "def f():\n    from . import one\n"])
def test_a_circle_is_caught(house, second: str) -> None:
    root = house(**{"data.one": "import analysis.data.two", "data.two": second})
    assert set(circles(root)) == {"analysis.data.one", "analysis.data.two"}


def test_a_heavy_load_is_caught_through_another_module(house) -> None:
    root = house(
        **{
            "__main__": "from analysis.steps import fit",
            "steps.fit": "import pandas as pd",
            "steps.lazy": "def run():\n    import pandas\n",
            "spec.load": "import json\nfrom scipy.stats import norm\n",
        }
    )
    assert heavy_loads(root) == [
        "analysis.spec.load, line 2: loads scipy.stats",
        "analysis.steps.fit, line 1: loads pandas",
    ]


@pytest.mark.parametrize("text", ["import pandas", "def f():\n    import statsmodels.api\n"])
def test_an_impure_statistic_is_caught(house, text: str) -> None:
    (found,) = impure_imports(house(**{"stats.reml": text}))
    assert found.startswith("analysis.stats.reml, line ")

"""Stamps of results: made when a family is fitted, made again when its page is, and compared."""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path

from analysis.results import Stamp, View
from analysis.spec.code import code_digest, module_closure
from analysis.spec.declarations import Spec
from analysis.spec.digest import family_slice

PACKAGES = ("numpy", "scipy", "pandas")


def package_versions() -> dict[str, str]:
    """Versions of the packages that make numbers."""
    return {name: _version(name) for name in PACKAGES}


@cache
def _version(name: str) -> str:
    return version(name)


def stamp_of(
    spec: Spec, root: Path, *, family: str, view: View, cut: str, inputs: Mapping[str, str]
) -> Stamp:
    """Where results of a family come from: the plan's slice, the code and the tables they were made of."""
    code = code_digest(module_closure(f"analysis.models.{family}", root), root)
    return Stamp(
        view=view,
        cut=cut,
        sap_version=spec.trial.sap_version,
        sap_digest=family_slice(spec, family),
        code_digest=code,
        inputs=dict(inputs),
        seeds={} if view == "open" else _seeds(spec, family),
        packages=package_versions(),
    )


def _seeds(spec: Spec, family: str) -> dict[str, int]:
    """Seed of each entry that draws at random; in the open view nothing is drawn, because no arms compare."""
    return {each.id: each.random_seed for each in spec.family(family) if each.random_seed is not None}

"""Where a comparison comes from: the plan, the second programmer's code and packages, the tables."""

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from analysis.qc.families import FAMILIES, module_of
from analysis.results import Stamp, View
from analysis.spec.code import code_digest, module_closure
from analysis.spec.declarations import Spec
from analysis.spec.digest import qc_slice

PACKAGES = ("lifelines", "numpy", "pandas", "scipy", "statsmodels")


def qc_versions() -> dict[str, str]:
    """Versions of the packages that make the second programmer's numbers."""
    return {name: version(name) for name in PACKAGES}


def stamp_of_qc(spec: Spec, root: Path, *, view: View, cut: str, inputs: Mapping[str, str]) -> Stamp:
    """The stamp of a comparison of all families."""
    modules = module_closure("analysis.qc.agreement", root, entry=tuple(map(module_of, FAMILIES)))
    return Stamp(
        view=view,
        cut=cut,
        sap_version=spec.trial.sap_version,
        sap_digest=qc_slice(spec),
        code_digest=code_digest(modules, root),
        inputs=dict(inputs),
        packages=qc_versions(),
    )

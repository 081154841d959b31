"""Whether results belong together and to what is current; a page of mixed origins is refused."""

from collections.abc import Mapping
from dataclasses import fields

from analysis.errors import ReportError
from analysis.results import ResultFile, Stamp

# What one report must have in common, and what each family must share with the current plan, code and data.
SHARED = ("view", "cut", "sap_version", "inputs", "packages")
WORDS = {
    "view": "view",
    "cut": "data cut",
    "sap_version": "version of the plan",
    "sap_digest": "plan",
    "code_digest": "code",
    "inputs": "input tables",
    "packages": "package versions",
    "seeds": "seeds of random draws",
}


def check_stamps(files: Mapping[str, ResultFile], current: Mapping[str, Stamp]) -> None:
    """Refuse results made for another view, cut, plan, code, input or package than the current ones.

    Raises
    ------
    ReportError
        Naming the family and what differs.
    """
    if absent := sorted(set(current) - set(files)):
        raise ReportError(f"no results of {', '.join(absent)}; run their fit.")
    for family, file in files.items():
        if family not in current:
            raise ReportError(f"results/{family}.json: this report does not use the family {family}.")
        if differing := _differing(file.stamp, current[family], [each.name for each in fields(Stamp)]):
            raise ReportError(
                f"results/{family}.json was made with another {' and '.join(differing)} than the current; "
                "run its fit again."
            )
    first, *rest = files.items()
    for family, file in rest:
        if differing := _differing(file.stamp, first[1].stamp, SHARED):
            raise ReportError(
                f"results/{first[0]}.json and results/{family}.json differ in {' and '.join(differing)}; "
                "a report shows results of one origin."
            )


def _differing(one: Stamp, other: Stamp, names: list[str] | tuple[str, ...]) -> list[str]:
    return [WORDS[name] for name in names if getattr(one, name) != getattr(other, name)]

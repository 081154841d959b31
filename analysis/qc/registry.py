"""Second versions by model family. A family of the plan without one is named, never passed over."""

import importlib

from analysis.errors import AgreementError
from analysis.qc.again import Again
from analysis.qc.families import FAMILIES, module_of
from analysis.qc.tables import Tables
from analysis.spec.declarations import Spec
from analysis.spec.sap import Analysis


def without_second(spec: Spec) -> tuple[str, ...]:
    """Analyses of the plan that nobody estimates a second time."""
    return tuple(entry.id for entry in spec.analyses.values() if entry.family not in FAMILIES)


def estimate_again(entry: Analysis, tables: Tables) -> Again:
    """The numbers of an entry, a second time.

    Raises
    ------
    AgreementError
        If they cannot be estimated.
    """
    module = importlib.import_module(module_of(entry.family))
    try:
        return module.again(entry, tables)
    except (ArithmeticError, ValueError, IndexError, KeyError, AttributeError, TypeError) as error:
        # The message may quote data; the place of the error says enough.
        place = error.__traceback__
        while place.tb_next is not None and "qc" in place.tb_next.tb_frame.f_code.co_filename:
            place = place.tb_next
        raise AgreementError(
            f"{entry.id} ({entry.title}): the second programmer cannot estimate it "
            f"({type(error).__name__} in {module_of(entry.family)}, line {place.tb_lineno})."
        ) from error

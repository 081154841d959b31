"""All results beside the second programmer's, and the refusal of a number that is not his."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from analysis.agreement import Agreement
from analysis.errors import AgreementError
from analysis.qc.compare import compare
from analysis.qc.families import FAMILIES
from analysis.qc.kept import Kept
from analysis.qc.registry import estimate_again, without_second
from analysis.qc.tables import Tables
from analysis.results import Failure, Result

# Roles of which every analysis must have a second version.
MUST = ("primary", "secondary", "safety")
NO_SECOND = "nobody has estimated it a second time"
TOO_LITTLE = "the second programmer cannot estimate it from the data of this cut"


def agree(
    results: Mapping[str, Result | Failure], tables: Tables, kept: Kept, *, is_interim: bool = False
) -> tuple[Agreement, ...]:
    """What was compared of every analysis of the plan that has a result, in the plan's order.

    At an interim cut there may be too little data for the second programmer, which is then what is told.

    Raises
    ------
    AgreementError
        If an analysis that needs a second version has none, or it cannot be estimated at a cut that is no
        interim one.
    """
    for name in without_second(tables.spec):
        if tables.spec.analyses[name].role in MUST:
            raise AgreementError(f"{name} ({tables.spec.analyses[name].title}): {NO_SECOND}.")
    found = (results[name] for name in tables.spec.analyses if name in results)
    return tuple(_agreement(each, tables, kept, is_interim=is_interim) for each in found)


def _agreement(result: Result | Failure, tables: Tables, kept: Kept, *, is_interim: bool) -> Agreement:
    if isinstance(result, Failure):
        return Agreement(result.analysis, result.family, "", absent="it has no result")
    if result.family not in FAMILIES:
        return Agreement(result.analysis, result.family, "", absent=NO_SECOND)
    try:
        again = estimate_again(tables.spec.analyses[result.analysis], tables)
    except AgreementError:
        if not is_interim:
            raise
        return Agreement(result.analysis, result.family, "", absent=TOO_LITTLE)
    compared = tuple(
        replace(each, reference=kept.number(result.analysis, each.quantity, each.labels, each.part))
        for each in compare(result, again)
        # A look already taken is read from the last meeting's run by both and estimated by neither: it does
        # not count as estimated again, unless the two have not read the same.
        if each.labels.get("state") != "taken" or not each.agrees
    )
    return Agreement(result.analysis, result.family, again.method, compared)


def refuse_differing(agreements: Sequence[Agreement]) -> None:
    """Insist that every number is the second programmer's.

    Raises
    ------
    AgreementError
        Naming the first that is not, and how many there are.
    """
    found = [(agreement, each) for agreement in agreements for each in agreement.differing]
    if not found:
        return
    agreement, first = found[0]
    far = "which must be the same" if first.tolerance == "exact" else "where only one of both has one"
    if first.units is not None:
        far = f"{first.units:.3g} times as far away as class {first.tolerance} allows"
    others = f"; {len(found) - 1} further numbers differ" if len(found) > 1 else ""
    raise AgreementError(
        f"{agreement.analysis}, {first.name}: the second programmer has another number, {far}{others}. "
        "See qc/differing.csv."
    )

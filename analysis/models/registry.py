"""The model families: where each is, and whether it compares arms. A new family is one line here."""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.data.allocation import Allocated, Pooled
from analysis.errors import BlindingError, ModelError, SpecError
from analysis.models.answer import failure_of
from analysis.results import Failure, Result
from analysis.spec.declarations import Spec


@dataclass(frozen=True, slots=True)
class Family:
    """A model family. One that compares arms accepts `Allocated` data only, and its results are closed.

    One that `looks_back` is given its results of the run at the last meeting's cut.
    """

    name: str
    compares_arms: bool
    looks_back: bool = False

    @property
    def module(self) -> str:
        return f"analysis.models.{self.name}"


FAMILIES = {
    family.name: family
    for family in (
        Family("flow", compares_arms=False),
        Family("accrual", compares_arms=False),
        Family("balance", compares_arms=True),
        Family("retention", compares_arms=False),
        Family("baseline", compares_arms=False),
        Family("delivery", compares_arms=True),
        Family("missing", compares_arms=False),
        Family("deviations", compares_arms=False),
        Family("mixed", compares_arms=True),
        Family("averages", compares_arms=True),
        Family("binary", compares_arms=True),
        Family("subgroups", compares_arms=True),
        Family("course", compares_arms=True),
        Family("hazard", compares_arms=True),
        Family("frailty", compares_arms=True),
        Family("proportionality", compares_arms=True),
        Family("routes", compares_arms=True),
        Family("incidence", compares_arms=False),
        Family("occupation", compares_arms=False),
        Family("recurrence", compares_arms=False),
        Family("harms", compares_arms=False),
        Family("monitoring", compares_arms=True, looks_back=True),
        Family("nuisance", compares_arms=False),
    )
}


def family_named(name: str) -> Family:
    """The family of that name.

    Raises
    ------
    SpecError
        Naming the families there are.
    """
    if name not in FAMILIES:
        raise SpecError(f"no model family '{name}'; there are {', '.join(FAMILIES)}.")
    return FAMILIES[name]


def fit_all(
    family: Family,
    data: Pooled | Allocated,
    spec: Spec,
    *,
    is_interim: bool = False,
    earlier: Sequence[Result | Failure] = (),
) -> tuple[Result | Failure, ...]:
    """Results of every entry of the plan that belongs to the family, in the plan's order.

    At an interim cut there may be too little data for any of them, and a failure is an answer. `earlier` are
    the family's results of the run at the last meeting's cut, for a family that looks back.

    Raises
    ------
    BlindingError
        If the family compares arms and the data have none to compare, or are not of the guarded types.
    ModelError
        If a primary or safety entry fails, unless the cut is an interim one.
    """
    if not isinstance(data, (Pooled, Allocated)):
        raise BlindingError(f"family {family.name}: data must come from read_pooled() or allocate().")
    if family.compares_arms and not isinstance(data, Allocated):
        raise BlindingError(f"family {family.name} compares arms; the open view has none.")
    module = importlib.import_module(family.module)
    more = {"earlier": earlier} if family.looks_back else {}
    results = tuple(_fit(module, entry, data, spec, more) for entry in spec.family(family.name))
    for result in results:
        if isinstance(result, Failure) and result.essential and not is_interim:
            raise ModelError(f"{result.analysis} ({result.title}) could not be fitted: {result.reason}")
    return results


def _fit(module, entry, data: Pooled | Allocated, spec: Spec, more: Mapping) -> Result | Failure:
    try:
        return module.fit(entry, data, spec, **more)
    except ModelError as error:
        return failure_of(entry, data, str(error))

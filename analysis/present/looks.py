"""The looks of a monitored trial as a page shows them."""

from dataclasses import dataclass

from analysis.present import format as fmt
from analysis.present.reading import one
from analysis.results import Estimate, Result, select

STATES = {"taken": "taken", "now": "this look", "planned": "planned"}
INFORMATION, SCORE = 3, 3
OUT_OF_REACH, NOT_TESTED = "out of reach", "not tested"


@dataclass(frozen=True, slots=True)
class Shown:
    """A look by its number, data cut and state: taken before, now, or planned."""

    number: str
    cut: str
    state: str

    @property
    def name(self) -> str:
        return f"Look {self.number}, {fmt.date_name(self.cut)} ({STATES[self.state]})"

    def find(self, result: Result, name: str, **labels: str) -> Estimate | None:
        """One number of this look."""
        return one(result.estimates, name, look=self.number, state=self.state, **labels)

    def value(self, result: Result, name: str, **labels: str) -> float | None:
        """Its value, `None` when there is none."""
        found = self.find(result, name, **labels)
        return found.value if found else None


def looks_of(result: Result) -> list[Shown]:
    """The looks in their order."""
    return [
        Shown(each.labels["look"], each.labels["cut"], each.labels["state"])
        for each in select(result.estimates, name="spent")
    ]


def is_tested(result: Result, look: Shown) -> bool:
    """Whether z was held to a boundary at this look, be it one that no z can reach.

    Without a z nothing is, nor where later looks with one spend no more error than had been spent before.
    """
    if look.value(result, "z") is None:
        return False
    shown = looks_of(result)
    before = [each for each in shown[: shown.index(look)] if each.value(result, "z") is not None]
    return not before or look.value(result, "spent") > before[-1].value(result, "spent")


def is_crossed(result: Result, look: Shown, *, z: str = "z", bound: str = "critical") -> bool | None:
    """Whether z lies on or beyond the boundary; `None` where nothing was tested."""
    at, limit = look.value(result, z), look.value(result, bound)
    if at is None:
        return None
    if limit is None:
        return False if bound == "critical" and is_tested(result, look) else None
    return abs(at) >= limit


def bound_text(result: Result, look: Shown, bound: str = "critical") -> str:
    """A boundary on either side as printed, or why there is none; planned looks are to be tested."""
    limit = look.value(result, bound)
    if limit is not None:
        return f"\u00b1{fmt.number(limit, SCORE)}"
    return OUT_OF_REACH if look.state == "planned" or is_tested(result, look) else NOT_TESTED

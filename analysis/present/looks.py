"""The looks of a monitored trial as a page shows them."""

from dataclasses import dataclass

from analysis.present import format as fmt
from analysis.present.reading import one
from analysis.results import Estimate, Result, select

STATES = {"taken": "taken", "now": "this look", "planned": "planned"}
INFORMATION, SCORE = 3, 3


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


def is_crossed(result: Result, look: Shown, *, z: str = "z", bound: str = "critical") -> bool | None:
    """Whether z lies on or beyond the boundary; `None` where there is no z or no boundary."""
    at, limit = look.value(result, z), look.value(result, bound)
    return None if at is None or limit is None else abs(at) >= limit

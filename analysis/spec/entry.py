"""What every entry of the statistical analysis plan has."""

from typing import Literal

from analysis.spec.base import Assumable

Timing = Literal["prespecified", "post_hoc"]
# Of children whom something after randomisation selected, an analysis is `not randomised`.
Role = Literal["primary", "secondary", "sensitivity", "safety", "descriptive", "not randomised"]


class Entry(Assumable):
    """What every analysis of the plan has. `remark` is a sentence its reader needs beside the numbers."""

    id: str
    title: str
    role: Role
    timing: Timing
    estimand: str | None = None
    population: str | None = None
    remark: str | None = None

    @property
    def estimands(self) -> tuple[str, ...]:
        """The estimands it answers for."""
        return (self.estimand,) if self.estimand else ()

"""What every entry of the statistical analysis plan has."""

from typing import Literal

from analysis.spec.base import Assumable

Timing = Literal["prespecified", "post_hoc"]
# A sensitivity analysis answers the estimand's question under other assumptions, a supplementary one another
# question (ICH E9(R1)). Of children whom something after randomisation selected, one is `not randomised`.
Role = Literal[
    "primary", "secondary", "sensitivity", "supplementary", "safety", "descriptive", "not randomised"
]
BESIDE: tuple[Role, ...] = ("sensitivity", "supplementary")


class Entry(Assumable):
    """What every analysis of the plan has. `remark` is a sentence its reader needs beside the numbers.

    One that estimates something else than the others of its output says in `apart` what; a forest plot has it
    under that heading, below the line of the main effect.
    """

    id: str
    title: str
    role: Role
    timing: Timing
    estimand: str | None = None
    population: str | None = None
    remark: str | None = None
    apart: str | None = None

    @property
    def is_beside_the_main(self) -> bool:
        """Whether it stands beside the main analysis of an estimand."""
        return self.role in BESIDE

    @property
    def random_seed(self) -> int | None:
        """The seed of its random draws, for an analysis that draws any."""
        return None

    @property
    def watched(self) -> tuple[str, ...]:
        """The analyses it is about, whose models it fits."""
        return ()

    @property
    def estimands(self) -> tuple[str, ...]:
        """The estimands it answers for."""
        return (self.estimand,) if self.estimand else ()

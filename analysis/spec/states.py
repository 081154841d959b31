"""The state graph of care histories and the codes that mean each state."""

from typing import Annotated

from pydantic import Field, model_validator

from analysis.spec.base import Assumable

DIED = "died"


class States(Assumable):
    """States, edges and the placement and exit codes mapped onto them.

    A placement of a code in `carried_forward` is an absence: the state before it goes on.
    """

    states: tuple[str, ...]
    initial: str
    permanent: tuple[str, ...]
    family_home: tuple[str, ...]
    edges: dict[str, tuple[str, ...]]
    placement: dict[str, dict[str, tuple[str, ...]]]
    exit: dict[str, tuple[str, ...]]
    censoring: dict[str, tuple[str, ...]]
    continues: tuple[str, ...]
    respite_legal_status: tuple[str, ...]
    carried_forward: tuple[str, ...] = ()
    gap_tolerance_days: Annotated[int, Field(ge=0)]

    @model_validator(mode="after")
    def _names_are_states(self) -> "States":
        used = {self.initial, DIED, *self.permanent, *self.family_home, *self.edges, *self.exit}
        used |= {state for targets in self.edges.values() for state in targets}
        used |= {state for codes in self.placement.values() for state in codes}
        if unknown := sorted(used - set(self.states)):
            raise ValueError(f"not a declared state: {', '.join(unknown)}; allowed: {', '.join(self.states)}")
        return self

    def placement_state(self, basis: str) -> dict[str, str]:
        """Placement code -> state while looked after, for one basis."""
        return {code: state for state, codes in self.placement[basis].items() for code in codes}

    def exit_state(self) -> dict[str, str]:
        """Reason a spell ended -> state entered."""
        return {code: state for state, codes in self.exit.items() for code in codes}

    def censoring_reason(self) -> dict[str, str]:
        """Reason a spell ended -> reason follow-up ends there."""
        return {code: reason for reason, codes in self.censoring.items() for code in codes}

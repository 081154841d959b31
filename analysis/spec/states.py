"""The state graph of care histories, the codes that mean each state, and the events that can happen again."""

from typing import Annotated

from pydantic import Field, model_validator

from analysis.spec.base import Assumable, Declaration

DIED = "died"
# The basis on which the court's final order counts, where it comes before the legal date.
DECISION = "decision"


class Recurrent(Declaration):
    """Events that a child may have several times: exactly one of three kinds.

    Moves of the state graph by one basis (`from`, `to`), placements that began for one of the reasons in
    `reason_new`, or reported events of one of the categories in `category`.
    """

    basis: str | None = None
    from_: tuple[str, ...] = Field(default=(), alias="from")
    to: tuple[str, ...] = ()
    reason_new: tuple[str, ...] = ()
    category: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one_kind(self) -> "Recurrent":
        graph = (self.basis is not None, bool(self.from_), bool(self.to))
        if any(graph) != all(graph) or sum((all(graph), bool(self.reason_new), bool(self.category))) != 1:
            raise ValueError("give basis, from and to; or reason_new; or category")
        return self


class After(Declaration):
    """A wait that begins when a child first enters a state: only for children who got there."""

    state: str
    until: str


class States(Assumable):
    """States, edges and the placement and exit codes mapped onto them.

    A placement of a code in `carried_forward` is an absence: the state before it goes on. `decision` names
    the final orders of a court that decide for a route, `decision_steps` those of the authority that
    do. `recurrent` are the events counted per child; `after` are the waits of a subset that randomisation did
    not make. From a state in `new_number_after` a child may come back into care under a number nobody links.
    """

    states: tuple[str, ...]
    initial: str
    permanent: tuple[str, ...]
    family_home: tuple[str, ...]
    edges: dict[str, tuple[str, ...]]
    placement: dict[str, dict[str, tuple[str, ...]]]
    exit: dict[str, tuple[str, ...]]
    censoring: dict[str, tuple[str, ...]]
    decision: dict[str, tuple[str, ...]]
    decision_steps: dict[str, tuple[str, ...]] = {}
    recurrent: dict[str, Recurrent]
    after: dict[str, After]
    continues: tuple[str, ...]
    respite_legal_status: tuple[str, ...]
    carried_forward: tuple[str, ...] = ()
    new_number_after: tuple[str, ...] = ()
    gap_tolerance_days: Annotated[int, Field(ge=0)]

    @model_validator(mode="after")
    def _names_are_states(self) -> "States":
        used = {self.initial, DIED, *self.permanent, *self.family_home, *self.edges, *self.exit}
        used |= set(self.new_number_after)
        used |= {*self.decision, *self.decision_steps, *(each.state for each in self.after.values())}
        used |= {state for each in self.recurrent.values() for state in (*each.from_, *each.to)}
        used |= {state for targets in self.edges.values() for state in targets}
        used |= {state for codes in self.placement.values() for state in codes}
        if unknown := sorted(used - set(self.states)):
            raise ValueError(f"not a declared state: {', '.join(unknown)}; allowed: {', '.join(self.states)}")
        return self

    @model_validator(mode="after")
    def _waits_end_in_a_return(self) -> "States":
        for name, each in self.after.items():
            if each.until not in self.recurrent or not self.recurrent[each.until].to:
                raise ValueError(f"after, {name}: until must name recurrent moves of the graph")
        return self

    @property
    def bases(self) -> tuple[str, ...]:
        """Every basis on which a permanent placement is dated."""
        return (*self.placement, DECISION)

    def placement_state(self, basis: str) -> dict[str, str]:
        """Placement code -> state while looked after, for one basis."""
        return {code: state for state, codes in self.placement[basis].items() for code in codes}

    def exit_state(self) -> dict[str, str]:
        """Reason a spell ended -> state entered."""
        return {code: state for state, codes in self.exit.items() for code in codes}

    def censoring_reason(self) -> dict[str, str]:
        """Reason a spell ended -> reason follow-up ends there."""
        return {code: reason for reason, codes in self.censoring.items() for code in codes}

    def decided_state(self) -> dict[str, str]:
        """Final order -> route it decides for."""
        return {order: state for state, orders in self.decision.items() for order in orders}

    def step_state(self) -> dict[str, str]:
        """Decision of the authority -> route it decides for."""
        return {step: state for state, steps in self.decision_steps.items() for step in steps}

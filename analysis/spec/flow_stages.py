"""The stages of the flow diagram and the boxes a unit may stand in (``data_spec/sap/flow.yaml``)."""

from typing import Literal

from pydantic import Field

from analysis.spec.base import Declaration


class Box(Declaration):
    id: str
    label: str
    kind: Literal["main", "side", "joins", "note"]
    if_any: bool = False


class Stage(Declaration):
    """A stage of the flow diagram and the boxes a unit may stand in."""

    id: str
    label: str
    boxes: tuple[Box, ...]
    from_: str | None = Field(default=None, alias="from")
    visit: str | None = None
    outcome: str | None = None

"""What a report must say beside its numbers: how the trial was run, and what the checklists ask for."""

from typing import Literal

from pydantic import model_validator

from analysis.spec.base import Declaration, Name


class Statement(Declaration):
    """One thing about the trial's design or conduct, with where it is published."""

    id: Name
    item: Name
    text: Name
    source: Name
    audience: Literal["open", "closed"] = "open"


class ChecklistItem(Declaration):
    """An item of a reporting checklist: what it asks for, and who answers it where.

    `at` names outputs of the plan or sections of the page; what only the authors know has none.
    """

    list: Name
    item: Name
    asks: Name
    by: Literal["report", "plan", "author"]
    at: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _is_mapped(self) -> "ChecklistItem":
        if (self.by == "author") == bool(self.at):
            raise ValueError("what report or plan answers needs `at`, what the author answers has none")
        return self

"""Published figures, and where the results hold the number each is compared with."""

import re
from decimal import Decimal
from typing import Literal

from pydantic import model_validator

from analysis.spec.base import Declaration, Name

PRINTED = re.compile(r"-?\d{1,3}(?:,\d{3})*(?:\.\d+)?|-?\d+(?:\.\d+)?")


class Place(Declaration):
    """A number of an analysis: an estimate, of which `part` is meant, or a count, by name and labels.

    An estimate must be the only one that fits; counts that fit are added up.
    """

    estimate: Name | None = None
    count: Name | None = None
    part: Literal["value", "se", "low", "high", "p"] = "value"
    labels: dict[str, str] = {}

    @model_validator(mode="after")
    def _one_kind(self) -> "Place":
        if (self.estimate is None) == (self.count is None):
            raise ValueError("give an estimate or a count")
        if self.count and self.part != "value":
            raise ValueError("a count has no part")
        return self


class Reported(Declaration):
    """A published figure as printed.

    It is compared with the number at `find` in the results of `analysis`, as a percentage of the one at `per`
    where that is given; or `absent` says why no analysis of the plan estimates it. `caution` says what other
    printed figures it cannot follow from.
    """

    id: str
    quantity: Name
    value: Name
    source: Name
    analysis: str | None = None
    find: Place | None = None
    per: Place | None = None
    absent: Name | None = None
    caution: Name | None = None

    @property
    def number(self) -> Decimal:
        """The printed number."""
        return Decimal(self.value.replace(",", ""))

    @property
    def decimals(self) -> int:
        """Decimals it was printed with."""
        return len(self.value.partition(".")[2])

    @model_validator(mode="after")
    def _compared_or_absent(self) -> "Reported":
        compared = self.analysis is not None and self.find is not None
        if compared == (self.absent is not None) or (self.analysis is None) != (self.find is None):
            raise ValueError("give analysis and find, or say under absent why there is nothing to compare")
        if self.per and not self.find:
            raise ValueError("per needs a number to divide: give find")
        if self.find and not PRINTED.fullmatch(self.value):
            raise ValueError("value: not a number as a paper prints it; put it in quotes")
        return self

"""Scoring metadata of the questionnaires. Item wording is copyright and is not here."""

from itertools import pairwise
from typing import Literal

from pydantic import model_validator

from analysis.spec.base import Assumable, Declaration

FIVE_ITEMS = 5
Direction = Literal["higher is worse", "higher is better"]
ScaleScore = Literal["mean of the answered items times five", "mean of the answered items"]


class Scale(Declaration):
    """A score from items: with `min_answered` of them, the mean of those answered stands for the rest."""

    parameter: str
    items: tuple[int, ...]
    min_answered: int

    @model_validator(mode="after")
    def _can_be_answered(self) -> "Scale":
        if len(set(self.items)) != len(self.items):
            raise ValueError(f"{self.parameter}: an item is given twice")
        if not 1 <= self.min_answered <= len(self.items):
            raise ValueError(f"{self.parameter}: min_answered must lie between 1 and the number of items")
        return self


class Band(Declaration):
    """A named range of a score, both ends in it."""

    id: str
    minimum: float
    maximum: float


class Banding(Assumable):
    """A published division of a score into bands; other forms have theirs under the same `version`."""

    version: str
    parameter: str
    source: str
    bands: tuple[Band, ...]

    @model_validator(mode="after")
    def _rises(self) -> "Banding":
        ends = [end for band in self.bands for end in (band.minimum, band.maximum)]
        apart = all(low.maximum < high.minimum for low, high in pairwise(self.bands))
        if ends != sorted(ends) or not apart:
            raise ValueError(f"{self.parameter}, {self.version}: the bands do not follow one another")
        return self


class Form(Declaration):
    """A version of the questionnaire with the ages (months) it is for and the number of items it has."""

    id: str
    from_months: int
    to_months: int
    n_items: int
    scales: tuple[Scale, ...]
    bandings: tuple[Banding, ...] = ()

    @model_validator(mode="after")
    def _has_its_items(self) -> "Form":
        if self.to_months < self.from_months:
            raise ValueError("to_months is before from_months")
        if absent := {item for scale in self.scales for item in scale.items} - set(
            range(1, self.n_items + 1)
        ):
            raise ValueError(f"no such item: {', '.join(str(item) for item in sorted(absent))}")
        return self


class Total(Declaration):
    """A score made of several scales: their sum, or the mean of all their items."""

    parameter: str
    scales: tuple[str, ...]
    method: Literal["sum", "item_mean"]


class Instrument(Assumable):
    """How item answers become scores. `direction` is that of the totals."""

    id: str
    title: str
    table: str
    visits: tuple[str, ...]
    item_prefix: str
    direction: Direction
    item_scores: dict[int, float]
    reversed_items: tuple[int, ...] = ()
    scale_score: ScaleScore
    rounding: Literal["half_up", "none"]
    forms: tuple[Form, ...]
    totals: tuple[Total, ...]

    @model_validator(mode="after")
    def _refers_to_its_own(self) -> "Instrument":
        last = max(form.n_items for form in self.forms)
        if absent := sorted(set(self.reversed_items) - set(range(1, last + 1))):
            raise ValueError(f"reversed_items: no such item: {', '.join(str(item) for item in absent)}")
        for form in self.forms:
            scales = {scale.parameter for scale in form.scales}
            if absent := sorted({name for total in self.totals for name in total.scales} - scales):
                raise ValueError(f"form {form.id}: no such scale: {', '.join(absent)}")
            scores = scales | {total.parameter for total in self.totals}
            if absent := sorted({banding.parameter for banding in form.bandings} - scores):
                raise ValueError(f"form {form.id}: bands of no score of the form: {', '.join(absent)}")
        return self

    @property
    def parameters(self) -> frozenset[str]:
        """Its scores: the scales of its forms, and its totals."""
        scales = {scale.parameter for form in self.forms for scale in form.scales}
        return frozenset(scales | {total.parameter for total in self.totals})

    def range_of(self, total: Total) -> tuple[float, float]:
        """Smallest and largest value of a total."""
        times = FIVE_ITEMS if self.scale_score.endswith("times five") else 1
        parts = len(total.scales) if total.method == "sum" else 1
        low, high = min(self.item_scores.values()), max(self.item_scores.values())
        return low * times * parts, high * times * parts


class Score(Assumable):
    """An instrument that arrives as a score: when it is due, its range and its direction.

    `decimals` is that of a printed mean. One that is collected `once` is not due after a visit that had it.
    """

    parameter: str
    visits: tuple[str, ...]
    once: bool = False
    decimals: Literal[0, 1, 2] = 1
    minimum: float
    maximum: float
    direction: Direction
    from_months: int = 0
    to_months: int = 240

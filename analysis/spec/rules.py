"""Checks that go beyond one cell: a kind is implemented once in `analysis.data.checks`, a rule is a line."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from analysis.spec.base import Declaration, is_iso_day
from analysis.spec.episode_rules import EPISODE_READS, FROM_EPISODES_BESIDE, EpisodeKind

Severity = Literal["stop", "query", "note"]
Action = Literal["keep", "set_missing", "set_aside"]
RuleKind = Literal[
    "date_order",
    "not_after",
    "not_before",
    "required_if",
    "sum_equals",
    "no_overlap",
    "constant_within",
    "not_at_age",
    "within_window",
    "same_as",
    "followed_by",
    "code_valid_on",
    "score_range",
    "no_later_than",
    "empty_unless",
    "unique",
    "referenced_by",
    "count_equals",
    "items_of_form",
    "wrong_side",
    "unique_within",
    "exchanged",
    "impossible_at_age",
    "age_differs",
    "in_other_unit",
    "births_too_close",
    "swapped_forms",
    "swapped_ages",
    "repeated_content",
    "repeated_answers",
    "off_own_history",
    "against_direction",
]
DATA_CUT = "@data_cut"
ANY_CODE = "*"
# What a rule may be given beside `column`.
PARTS = ("other", "value", "limits", "between", "printed", "threshold", "at_least")
PARTS += ("codes", "allowed", "refused")
# What a kind reads of these, and what it reads if given.
READS: dict[str, frozenset[str]] = {
    "date_order": frozenset({"other"}),
    "not_after": frozenset({"value"}),
    "not_before": frozenset({"value"}),
    "required_if": frozenset({"other"}),
    "sum_equals": frozenset({"value"}),
    "no_overlap": frozenset({"other"}),
    "constant_within": frozenset({"other"}),
    "not_at_age": frozenset({"value"}),
    "within_window": frozenset(),
    "same_as": frozenset({"other"}),
    "followed_by": frozenset({"other", "value"}),
    "code_valid_on": frozenset({"other"}),
    "score_range": frozenset({"other"}),
    "no_later_than": frozenset({"other"}),
    "empty_unless": frozenset({"other", "value"}),
    "unique": frozenset(),
    "referenced_by": frozenset({"other"}),
    "count_equals": frozenset({"other", "value"}),
    "items_of_form": frozenset({"value"}),
    "wrong_side": frozenset({"value"}),
    "unique_within": frozenset({"other"}),
    "exchanged": frozenset({"printed"}),
    "impossible_at_age": frozenset({"other", "limits"}),
    "age_differs": frozenset({"other"}),
    "in_other_unit": frozenset({"other", "value"}),
    "births_too_close": frozenset({"other", "between"}),
    "swapped_forms": frozenset({"value"}),
    "swapped_ages": frozenset({"other"}),
    "repeated_content": frozenset(),
    "repeated_answers": frozenset({"other", "value"}),
    "off_own_history": frozenset({"threshold", "at_least"}),
    "against_direction": frozenset({"value", "threshold", "at_least"}),
    **EPISODE_READS,
}
OPTIONAL: dict[str, frozenset[str]] = {
    "required_if": frozenset({"value"}),
    "off_own_history": frozenset({"other", "value"}),
    "against_direction": frozenset({"other", "printed"}),
    "code_fits": frozenset({"allowed", "refused"}),
}
# Of these parts a kind needs one, and not both.
EITHER = {"off_own_history": ("other", "value"), "against_direction": ("other", "printed")}
EITHER |= {"code_fits": ("allowed", "refused")}
# Kinds that judge a row by the rows beside it, or by all: one that is absent may make a finding of another.
FROM_OTHER_ROWS: frozenset[str] = frozenset({"constant_within", "followed_by", "off_own_history"})
FROM_OTHER_ROWS |= {"against_direction", *FROM_EPISODES_BESIDE}

Codes = Annotated[tuple[str, ...], Field(min_length=1)]


class Rule(Declaration):
    """One check of one table.

    `column` is the field judged and acted on; `other` the field it is judged against, in the same table or,
    written ``table.field``, in `families` or `children`, joined by its key. `value` is a date or
    ``@data_cut`` for a limit, a code for `required_if`, `empty_unless` and `followed_by`, the baseline visit
    for `wrong_side`, an instrument or a score for the questionnaires. `referenced_by` and `count_equals` look
    from a row to the rows of any table that point to it; the latter counts those whose field `value` is
    empty. `limits` gives the least and the greatest age (completed months) of a code, ``*`` those of every
    other; `between` two numbers, ends included; `printed` the scores that fields hold as printed.
    `codes` are those of `column` that the rule is about, or that it asks for; `allowed` or `refused` those of
    `other`.
    """

    id: str
    table: str
    kind: RuleKind | EpisodeKind
    column: str
    other: str | None = None
    value: str | None = None
    limits: dict[str, tuple[int, int]] | None = None
    between: tuple[float, float] | None = None
    printed: dict[str, str] | None = None
    threshold: Annotated[float, Field(gt=0)] | None = None
    at_least: Annotated[int, Field(gt=1)] | None = None
    codes: Codes | None = None
    allowed: Codes | None = None
    refused: Codes | None = None
    severity: Severity
    action: Action
    message: str

    @property
    def other_table(self) -> str | None:
        """The table that `other` is a field of, when it is not the rule's own."""
        return self.other.split(".", 1)[0] if self.other and "." in self.other else None

    @property
    def needs_every_row(self) -> bool:
        """Whether it means nothing of a table that lacks rows."""
        return self.kind in FROM_OTHER_ROWS

    @model_validator(mode="after")
    def _has_what_its_kind_reads(self) -> "Rule":
        given = {name for name in PARTS if getattr(self, name) is not None}
        if absent := [name for name in PARTS if name in READS[self.kind] - given]:
            raise ValueError(f"a rule of kind {self.kind} needs {' and '.join(absent)}")
        allowed = READS[self.kind] | OPTIONAL.get(self.kind, frozenset())
        if unread := sorted(given - allowed):
            raise ValueError(f"a rule of kind {self.kind} does not read {' and '.join(unread)}")
        if self.kind in EITHER and len(given & set(EITHER[self.kind])) != 1:
            raise ValueError(f"a rule of kind {self.kind} needs {' or '.join(EITHER[self.kind])}, not both")
        return self

    @model_validator(mode="after")
    def _limit_is_a_day(self) -> "Rule":
        if self.kind in ("not_after", "not_before") and self.value != DATA_CUT and not is_iso_day(self.value):
            raise ValueError(f"value: give a date of the form 2021-07-31, or {DATA_CUT}")
        return self

    @model_validator(mode="after")
    def _ranges_rise(self) -> "Rule":
        ranges = [*(self.limits or {}).values(), *([self.between] if self.between else [])]
        if any(high < low for low, high in ranges):
            raise ValueError("limits, between: the greatest is below the least")
        if self.kind == "in_other_unit" and not (self.value.isdigit() and int(self.value) > 1):
            raise ValueError("value: give how many months make one of the other unit, such as 12")
        return self

    @model_validator(mode="after")
    def _stop_keeps(self) -> "Rule":
        if self.severity == "stop" and self.action != "keep":
            raise ValueError("a rule that stops the run changes nothing: its action is keep")
        return self

"""Checks that go beyond one cell: a kind is implemented once in `analysis.data.rules`, a rule is a line."""

from typing import Literal

from pydantic import model_validator

from analysis.spec.base import Declaration, is_iso_day

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
]
DATA_CUT = "@data_cut"
# What a kind reads beside `column`; `required_if` may also do without its value.
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
}


class Rule(Declaration):
    """One check of one table.

    `column` is the field judged and acted on; `other` the field it is judged against, in the same table or,
    written ``table.field``, in `families` or `children`, joined by its key. `value` is a date or
    ``@data_cut`` for a limit, a code for `required_if`, `empty_unless` and `followed_by`, an instrument or a
    score for the questionnaires. `referenced_by` and `count_equals` look from a row to the rows of any table
    that point to it; the latter counts those whose field `value` is empty.
    """

    id: str
    table: str
    kind: RuleKind
    column: str
    other: str | None = None
    value: str | None = None
    severity: Severity
    action: Action
    message: str

    @property
    def other_table(self) -> str | None:
        """The table that `other` is a field of, when it is not the rule's own."""
        return self.other.split(".", 1)[0] if self.other and "." in self.other else None

    @model_validator(mode="after")
    def _has_what_its_kind_reads(self) -> "Rule":
        given = {name for name in ("other", "value") if getattr(self, name) is not None}
        optional = {"value"} if self.kind == "required_if" else set()
        if absent := sorted(READS[self.kind] - given):
            raise ValueError(f"a rule of kind {self.kind} needs {' and '.join(absent)}")
        if unread := sorted(given - READS[self.kind] - optional):
            raise ValueError(f"a rule of kind {self.kind} does not read {' and '.join(unread)}")
        return self

    @model_validator(mode="after")
    def _limit_is_a_day(self) -> "Rule":
        if self.kind in ("not_after", "not_before") and self.value != DATA_CUT and not is_iso_day(self.value):
            raise ValueError(f"value: give a date of the form 2021-07-31, or {DATA_CUT}")
        return self

    @model_validator(mode="after")
    def _stop_keeps(self) -> "Rule":
        if self.severity == "stop" and self.action != "keep":
            raise ValueError("a rule that stops the run changes nothing: its action is keep")
        return self

"""What is declared of an export of REDCap."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from analysis.errors import SpecError
from analysis.spec.base import Declaration, Name, check_known
from analysis.spec.declarations import Spec
from analysis.spec.source_base import InsidePath, SourceBase

REPEAT_INSTRUMENT = "redcap_repeat_instrument"


class Checkboxes(Declaration):
    """A field made of a group of boxes: code of a box -> our code.

    `none` is the code where the group was asked and no box is ticked. Where several are ticked, `first` takes
    the first of `codes`, `joined` all of them with semicolons between, and `error` none, and asks.
    """

    group: Name
    codes: Annotated[dict[str, str], Field(min_length=1)]
    none: str = ""
    several: Literal["first", "error", "joined"] = "error"

    def column(self, code: str) -> str:
        """The column of one box in an export."""
        return checkbox_column(self.group, code)


def checkbox_column(group: str, code: str) -> str:
    """REDCap writes a code into a column's name in small letters, other characters as underscores."""
    return f"{group}___{re.sub(r'[^a-z0-9_]', '_', code.lower())}"


PLACEHOLDER = re.compile(r"\{(\w+)(?::0(\d))?\}")


def _has_placeholder(text: str) -> str:
    if not PLACEHOLDER.search(text) or set("{}") & set(PLACEHOLDER.sub("", text)):
        raise ValueError("name columns as {column}, or as {column:04} to fill a number up to four digits")
    return text


class RedcapSource(SourceBase):
    """A flat export of REDCap, read by its data dictionary.

    `dictionary`, `event_map` and `project` (the ODM file) are files below the raw folder. `instrument` says
    which repeating instrument the rows are of; blank is the base row. `labels`: the export holds the labels
    of choices instead of their codes. `templates` puts a field together of columns. Rows in which a column
    has one of the values that `leave` gives for it, of events or instruments no table needs, are left.
    """

    kind: Literal["redcap"]
    dictionary: InsidePath
    event_map: InsidePath | None = None
    project: InsidePath | None = None
    instrument: str = ""
    labels: bool = False
    checkboxes: dict[str, Checkboxes] = {}
    templates: dict[str, Annotated[str, AfterValidator(_has_placeholder)]] = {}
    leave: dict[str, tuple[str, ...]] = {}

    @property
    def read_columns(self) -> frozenset[str]:
        """Also the boxes, and the columns of templates."""
        boxes = [each.column(code) for each in self.checkboxes.values() for code in each.codes]
        parts = [name for text in self.templates.values() for name, _ in PLACEHOLDER.findall(text)]
        return SourceBase.read_columns.fget(self) | {*boxes, *parts, *self.leave}

    @property
    def given(self) -> tuple[str, ...]:
        """Also the fields made of boxes or by templates."""
        return (*self.columns, *self.constants, *self.checkboxes, *self.templates)

    @property
    def selection(self) -> dict[str, tuple[str, ...]]:
        """Also the instrument."""
        return {REPEAT_INSTRUMENT: (self.instrument,), **self.where}

    @property
    def has_codes(self) -> bool:
        """Not with `labels`."""
        return not self.labels

    @property
    def leaves(self) -> dict[str, tuple[str, ...]]:
        """What `leave` says."""
        return self.leave

    @property
    def companions(self) -> dict[str, str]:
        """The files that explain the export."""
        named = {"dictionary": self.dictionary, "event_map": self.event_map, "project": self.project}
        return {purpose: name for purpose, name in named.items() if name is not None}

    def origin(self, name: str) -> str:
        """Also boxes and templates."""
        if name in self.templates:
            return f"put together of columns: {self.templates[name]}"
        if name not in self.checkboxes:
            return super().origin(name)
        boxes = self.checkboxes[name]
        ticked = ", ".join(f"{ours} if {boxes.column(code)}" for code, ours in boxes.codes.items())
        none = f"; {boxes.none} if none is ticked" if boxes.none else ""
        several = {"first": "the first of them", "joined": "all of them", "error": "none, and asked about"}
        return f"boxes of {boxes.group}: {ticked}{none}; if several are, {several[boxes.several]}"

    def check(self, spec: Spec, *, where: str) -> None:
        """Codes of boxes are of the field's code list, which holds one of them."""
        for name, boxes in self.checkboxes.items():
            if codelist := spec.table(self.table).field(name).codelist:
                if boxes.several == "joined":
                    raise SpecError(
                        f"{where}: {name} holds one code of {codelist}; `several` cannot join them."
                    )
                codes = {*boxes.codes.values(), *filter(None, [boxes.none])}
                known = spec.codes_of(codelist)
                check_known(codes, known, where=f"{where}, checkboxes of {name}", what="code")

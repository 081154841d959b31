"""How an export becomes raw tables: a mapping is data, one file per kind of export."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from analysis.errors import SpecError
from analysis.spec.base import Declaration, check_known
from analysis.spec.care_returns import Authority, LegalReasons, Linkage, Repair
from analysis.spec.declarations import Spec
from analysis.spec.redcap_source import RedcapSource
from analysis.spec.source_base import Dialect, InsidePath, SourceBase

EPISODES = "placements"
EPISODE_DAYS = frozenset({"episode_start_date", "episode_end_date"})


class TabularSource(SourceBase):
    """A table as it is: one row of the file is one row of the table."""

    kind: Literal["tabular"]


class ClasSource(SourceBase):
    """Scotland's looked-after-children return: its table of placements, and with `legal_reasons` both."""

    kind: Literal["clas"]
    legal_reasons: LegalReasons | None = None

    @property
    def makes(self) -> frozenset[str]:
        """How a placement began, told from its episode; and the legal status where reasons are listed."""
        return frozenset({"reason_new"} if self.legal_reasons is None else {"reason_new", "legal_status"})

    @property
    def needs(self) -> frozenset[str]:
        """The days of the episode, from which the reasons for a placement's start and end are told."""
        return EPISODE_DAYS

    @property
    def companions(self) -> dict[str, str]:
        """The second table."""
        return {} if self.legal_reasons is None else {LegalReasons.PURPOSE: self.legal_reasons.file}

    @property
    def companion_columns(self) -> dict[str, frozenset[str]]:
        """Those of the second table."""
        return {} if self.legal_reasons is None else {LegalReasons.PURPOSE: self.legal_reasons.columns}

    def origin(self, name: str) -> str:
        """Also what is told by dates."""
        if name == "reason_new":
            return "told by the dates: S where the placement begins with its episode, else P"
        if name == "reason_ended":
            return f"{self.columns[name]} where the placement ends with its episode, else X1"
        if name == "legal_status" and self.legal_reasons is not None:
            listed = self.legal_reasons
            return (
                f"the first in precedence of those in force on the first day ({listed.file}: {listed.reason})"
            )
        return super().origin(name)

    def check(self, spec: Spec, *, where: str) -> None:
        """The order of legal reasons names each that may come."""
        if self.legal_reasons is None:
            return
        codes, order = spec.codes_of("legal_status"), self.legal_reasons.precedence
        check_known(order, codes, where=f"{where}, precedence", what="legal status")
        mapped = self.values["legal_status"].values() if "legal_status" in self.values else ()
        check_known(mapped, order, where=f"{where}, values of legal_status", what="reason in precedence")


class Ssda903Source(SourceBase):
    """One table of England's looked-after-children return, of several years and authorities, CSV or XML.

    `latest_by` is the key of a row within one authority; of rows with equal keys the latest submission wins.
    `category_of_need`, `carer` and `repairs` belong to episodes: the column of the category, the columns that
    tell one carer from another, and the repairs of episodes that cannot be open, in their order.
    """

    kind: Literal["ssda903"]
    latest_by: Annotated[tuple[str, ...], Field(min_length=1)]
    authority: Authority | None = None
    linkage: Linkage | None = None
    only_children_of: Literal["children"] | None = None
    category_of_need: str | None = None
    carer: tuple[str, ...] = ()
    repairs: tuple[Repair, ...] = ()

    @property
    def read_columns(self) -> frozenset[str]:
        """Also the columns that no field is made of."""
        extra = (self.category_of_need, self.authority and self.authority.column, *self.carer)
        return SourceBase.read_columns.fget(self) | {name for name in extra if name}

    @property
    def companions(self) -> dict[str, str]:
        """The list of numbers."""
        return {} if self.linkage is None else {Linkage.PURPOSE: self.linkage.file}

    @property
    def companion_columns(self) -> dict[str, frozenset[str]]:
        """Those of the list of numbers."""
        return {} if self.linkage is None else {Linkage.PURPOSE: self.linkage.columns}

    @property
    def is_joined_by_reader(self) -> bool:
        """Years are joined episode by episode."""
        return True

    @property
    def may_be_xml(self) -> bool:
        """An authority sends either."""
        return True

    @property
    def read_against(self) -> str | None:
        """The trial's children."""
        return self.only_children_of

    def origin(self, name: str) -> str:
        """Also the list of numbers."""
        if name != "child_id" or self.linkage is None:
            return super().origin(name)
        return f"{super().origin(name)}, by the list {self.linkage.file}: {self.linkage.child_id}"

    def check(self, spec: Spec, *, where: str) -> None:
        """What belongs to episodes is declared of them only."""
        given = {
            "category_of_need": self.category_of_need,
            "carer": self.carer,
            "repairs": self.repairs,
        }
        unread = [name for name, value in given.items() if value]
        if self.table != EPISODES and unread:
            raise SpecError(f"{where}: {unread[0]} is for episodes, and {self.table} has none.")

    @model_validator(mode="after")
    def _repairs_once(self) -> Self:
        if len(set(self.repairs)) < len(self.repairs):
            raise ValueError(f"{self.table}: a repair is given twice")
        return self


Source = Annotated[TabularSource | ClasSource | RedcapSource | Ssda903Source, Field(discriminator="kind")]


class Mapping(Declaration):
    """Entries of one kind of export; `absent` names the raw tables that it does not bring."""

    name: str
    dialects: dict[str, Dialect]
    missing: dict[str, str]
    sources: tuple[Source, ...]
    ignore_files: tuple[InsidePath, ...] = ()
    absent: tuple[str, ...] = ()

    def of_tables(self, tables: frozenset[str]) -> tuple[Source, ...]:
        """The entries that fill these tables, in file order."""
        return tuple(source for source in self.sources if source.table in tables)

    def read_with(self, source: SourceBase) -> tuple[Source, ...]:
        """The entries that read the same files, and in workbooks the same sheet."""
        sheet = self.dialects[source.dialect].sheet
        return tuple(
            other
            for other in self.sources
            if (other.files, self.dialects[other.dialect].sheet) == (source.files, sheet)
        )

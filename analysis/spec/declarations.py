"""Everything declared about the trial, as one frozen value."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, model_validator

from analysis.errors import BlindingError, SpecError
from analysis.spec.amendments import Amendment
from analysis.spec.base import Declaration, IsoDay, Name
from analysis.spec.blinding import Blinding
from analysis.spec.conduct import ChecklistItem, Statement
from analysis.spec.findings import Finding, KindText
from analysis.spec.flow_stages import Stage
from analysis.spec.instruments import Banding, Instrument, Score
from analysis.spec.reported import Reported
from analysis.spec.rules import Rule
from analysis.spec.sap import Analysis, Estimand, Output, Population
from analysis.spec.states import States
from analysis.spec.tables import Package, Table
from analysis.spec.trial import Trial


class Code(Declaration):
    """One code of a list and the dates between which it may be used."""

    code: Annotated[str, Field(pattern=r"^[^.\s]\S*$")]  # a leading dot marks a missing value
    label: Name
    valid_from: IsoDay | Literal[""] = ""
    valid_to: IsoDay | Literal[""] = ""
    source: Name

    @model_validator(mode="after")
    def _begins_before_it_ends(self) -> "Code":
        if self.valid_from and self.valid_to and self.valid_to < self.valid_from:
            raise ValueError("valid_to is before valid_from")
        return self


class Abbreviation(Declaration):
    """A short form and what it stands for."""

    id: str
    text: Name


@dataclass(frozen=True, slots=True)
class Scale:
    """The range of a score, both ends in it, and which end is better."""

    minimum: float
    maximum: float
    direction: str


@dataclass(frozen=True, slots=True)
class Spec:
    """Everything declared about the trial. Mappings keep the order of their files.

    `interim_cut` is the day of the interim data cut whose edition this is, see `analysis.spec.edition`.
    """

    trial: Trial
    package: Package
    codes: Mapping[str, Mapping[str, Code]]
    blinding: Blinding
    states: States
    instruments: Mapping[str, Instrument]
    scores: Mapping[str, Score]
    rules: Mapping[str, Rule]
    rule_kinds: Mapping[str, KindText]
    findings: Mapping[str, Finding]
    populations: Mapping[str, Population]
    estimands: Mapping[str, Estimand]
    analyses: Mapping[str, Analysis]
    outputs: Mapping[str, Output]
    stages: Mapping[str, Stage]
    reported: Mapping[str, Reported]
    conduct: Mapping[str, Statement]
    checklist: tuple[ChecklistItem, ...]
    amendments: tuple[Amendment, ...]
    abbreviations: Mapping[str, Abbreviation]
    interim_cut: IsoDay | None = None

    def table(self, name: str) -> Table:
        """A declared table; `SpecError` names the allowed ones."""
        for table in self.package.resources:
            if table.name == name:
                return table
        raise SpecError(f"datapackage.yaml: no table '{name}'; declared: {', '.join(self.table_names())}.")

    def codes_of(self, codelist: str) -> Mapping[str, Code]:
        """A code list by name; `SpecError` when there is no such file."""
        if codelist not in self.codes:
            raise SpecError(f"codelists/{codelist}.csv: no such file; declarations need this code list.")
        return self.codes[codelist]

    def table_names(self, *, layer: str | None = None, audience: str | None = None) -> tuple[str, ...]:
        """Names of the tables of one layer and audience, in file order."""
        return tuple(
            table.name
            for table in self.package.resources
            if layer in (None, table.layer) and audience in (None, table.audience)
        )

    def audience(self, names: Iterable[str]) -> str:
        """The one audience of several tables; `BlindingError` when they have two."""
        found = {self.table(name).audience for name in names}
        if len(found) != 1:
            raise BlindingError("open and closed tables are read and cleaned apart, never in one step.")
        return found.pop()

    def family(self, name: str) -> tuple[Analysis, ...]:
        """The entries of one model family, in file order."""
        return tuple(entry for entry in self.analyses.values() if entry.family == name)

    @property
    def codelists(self) -> dict[str, dict[str, str]]:
        """Code -> label, per list."""
        return {
            name: {code: entry.label for code, entry in codes.items()} for name, codes in self.codes.items()
        }

    @property
    def arm_names(self) -> tuple[str, ...]:
        """Codes and labels of the arms, which nothing open may hold."""
        return tuple(name for each in self.codes_of("arm").values() for name in (each.code, each.label))


def scale_of(spec: Spec, parameter: str) -> Scale | None:
    """Range and direction of a total or a supplied score; `None` for a scale within an instrument."""
    if parameter in spec.scores:
        score = spec.scores[parameter]
        return Scale(score.minimum, score.maximum, score.direction)
    for instrument in spec.instruments.values():
        for total in instrument.totals:
            if total.parameter == parameter:
                return Scale(*instrument.range_of(total), instrument.direction)
    return None


def bandings(spec: Spec, parameter: str) -> dict[tuple[str, str], Banding]:
    """Published bands of a score by version and form."""
    return {
        (banding.version, form.id): banding
        for instrument in spec.instruments.values()
        for form in instrument.forms
        for banding in form.bandings
        if banding.parameter == parameter
    }

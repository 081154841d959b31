"""The data package: every raw and derived table, its fields, keys and missing values."""

from typing import Annotated, Literal

from pydantic import Field as PydanticField
from pydantic import model_validator

from analysis.spec.base import Declaration
from analysis.spec.cuts import CutRules, TableCut, cut_problems

FieldType = Literal["string", "integer", "number", "date", "boolean"]
MISSING_MARK = "."
# Derived tables that models read and that therefore get an arm.
ALLOCATED_TABLES = (
    *("subjects", "outcomes", "events", "transitions", "recurrences", "harms"),
    *("flow", "observations", "recruitment", "visits", "retention", "protocol_deviations"),
)
# Derived tables that tell the arm themselves: made where arms are known, and read by no open step.
REVEALING_TABLES = ("service",)
TABLES_WITH_ARMS = (*ALLOCATED_TABLES, *REVEALING_TABLES)


class MissingValue(Declaration):
    value: str
    label: str


class Constraints(Declaration):
    required: bool = False
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None


class Field(Declaration):
    """One column: its type, unit, codes and limits."""

    name: Annotated[str, PydanticField(pattern=r"^[a-z][a-z0-9_]*$")]
    type: FieldType
    title: str
    unit: str | None = None
    codelist: str | None = None
    origin: str | None = None
    constraints: Constraints = Constraints()

    @property
    def required(self) -> bool:
        return self.constraints.required

    @model_validator(mode="after")
    def _limits_fit_the_type(self) -> "Field":
        limits = self.constraints
        if (limits.minimum is not None or limits.maximum is not None) and self.type not in (
            "integer",
            "number",
        ):
            raise ValueError("minimum and maximum are for integers and numbers")
        if (limits.pattern or self.codelist) and self.type != "string":
            raise ValueError("pattern and codelist are for strings")
        return self


# Keys to another table have one field in this trial: the family or the child.
OneField = Annotated[tuple[str, ...], PydanticField(min_length=1, max_length=1)]


class Target(Declaration):
    resource: str
    fields: OneField


class ForeignKey(Declaration):
    fields: OneField
    reference: Target


class Schema(Declaration):
    """Fields and keys of a table. ``fieldsMatch: equal``: the file has exactly these columns."""

    fieldsMatch: Literal["equal"]  # noqa: N815 - the standard's own key
    missingValues: tuple[MissingValue, ...]  # noqa: N815
    fields: tuple[Field, ...]
    primaryKey: tuple[str, ...]  # noqa: N815
    foreignKeys: tuple[ForeignKey, ...] = ()  # noqa: N815

    @model_validator(mode="after")
    def _keys_are_fields(self) -> "Schema":
        names = [field.name for field in self.fields]
        if len(set(names)) != len(names):
            raise ValueError("a field name is given twice")
        used = [*self.primaryKey, *(name for key in self.foreignKeys for name in key.fields)]
        if absent := sorted(set(used) - set(names)):
            raise ValueError(f"key on a field that is not declared: {', '.join(absent)}")
        optional = [
            field.name for field in self.fields if field.name in self.primaryKey and not field.required
        ]
        if optional or not self.primaryKey:
            raise ValueError(
                f"a key needs fields that are required: {', '.join(optional) or 'none is given'}"
            )
        return self


class Table(Declaration):
    """One table of the package (a Frictionless *resource*)."""

    name: str
    type: Literal["table"]
    path: str
    title: str
    grain: str
    layer: Literal["raw", "derived"]
    audience: Literal["open", "closed"]
    cut: TableCut | None = None
    schema_: Schema = PydanticField(alias="schema")

    @model_validator(mode="after")
    def _raw_tables_can_be_cut(self) -> "Table":
        if (self.cut is None) != (self.layer == "derived"):
            raise ValueError("cut: a raw table needs it, a derived one has none")
        dates = [field.name for field in self.fields if field.type == "date"]
        required = [field.name for field in self.fields if field.required]
        if self.cut and (problem := cut_problems(self.cut, dates, required, self.columns)):
            raise ValueError(f"cut: {problem}")
        return self

    @property
    def fields(self) -> tuple[Field, ...]:
        return self.schema_.fields

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields)

    @property
    def key(self) -> tuple[str, ...]:
        return self.schema_.primaryKey

    def field(self, name: str) -> Field:
        """The declared field of that name; `KeyError` if there is none."""
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(name)

    def with_field(self, field: Field) -> "Table":
        """The same table with one more column at the end."""
        schema = self.schema_.model_copy(update={"fields": (*self.fields, field)})
        return self.model_copy(update={"schema_": schema})


class Package(Declaration):
    """All tables, in file order."""

    profile: str = PydanticField(alias="$schema")
    name: str
    title: str
    version: str
    missingReasons: tuple[MissingValue, ...]  # noqa: N815 - named as the standard names its own
    cutRules: CutRules  # noqa: N815
    resources: tuple[Table, ...]

    @model_validator(mode="after")
    def _names_are_unique(self) -> "Package":
        names = [table.name for table in self.resources]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"table given twice: {', '.join(twice)}")
        return self

    @model_validator(mode="after")
    def _reasons_are_the_same_everywhere(self) -> "Package":
        other = [each.name for each in self.resources if each.schema_.missingValues != self.missingReasons]
        if other:
            raise ValueError(f"missingValues: not the package's own in table {', '.join(other)}")
        return self

    @property
    def reasons(self) -> frozenset[str]:
        """Reasons a cell may be missing for, without the mark."""
        return frozenset(each.value.removeprefix(MISSING_MARK) for each in self.missingReasons if each.value)

"""The strict base of every declaration: unknown keys, wrong types and misspelt choices stop at parse."""

from collections.abc import Hashable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from analysis.errors import SpecError, place_of
from analysis.spec.wording import problem


class Declaration(BaseModel):
    """A frozen declaration without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False, hide_input_in_errors=True)


class Assumable(Declaration):
    """A declaration that may stand on an assumption, which then needs its reason."""

    assumed: bool = False
    reason: str | None = None
    source: str | None = None

    @model_validator(mode="after")
    def _assumption_has_a_reason(self) -> "Assumable":
        if self.assumed and not self.reason:
            raise ValueError("an assumption (assumed: true) needs a reason")
        return self


Model = TypeVar("Model", bound=BaseModel)


def is_iso_day(text: str) -> bool:
    """Whether a text is a day of the calendar written as year-month-day."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _as_text(value: Any) -> Any:
    """Snakemake reads its configuration with a YAML that makes dates of dates."""
    return value.isoformat() if isinstance(value, date) else value


def _iso_day(text: str) -> str:
    if not is_iso_day(text):
        raise ValueError("not a date of the form 2021-07-31")
    return text


# Dates stay text in declarations: JSON, YAML and CSV then agree, and nobody guesses which part is the month.
IsoDay = Annotated[str, BeforeValidator(_as_text), AfterValidator(_iso_day)]
Name = Annotated[str, Field(min_length=1)]


# The compiled parser, where PyYAML has one, reads the declarations in a fifth of the time.
_Loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _UniqueKeyLoader(_Loader):
    """YAML in which a key given twice is an error instead of the last one winning."""


def _mapping(loader: _UniqueKeyLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    _check_keys(loader, node)
    # Only now: what `<<` brings in may be overridden by the mapping's own keys.
    loader.flatten_mapping(node)
    return {
        loader.construct_object(key, deep=True): loader.construct_object(value, deep=True)
        for key, value in node.value
    }


def _check_keys(loader: _UniqueKeyLoader, node: yaml.MappingNode) -> None:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        if key_node.tag == "tag:yaml.org,2002:merge":
            continue
        key = loader.construct_object(key_node, deep=True)
        problem = "a key must be a single value" if not isinstance(key, Hashable) else None
        if problem is None and key in seen:
            problem = f"key '{key}' is given twice"
        if problem:
            raise yaml.constructor.ConstructorError(None, None, problem, key_node.start_mark)
        seen.add(key)


_UniqueKeyLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
# A date is text here too, see IsoDay.
_UniqueKeyLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_yaml(path: Path) -> Any:
    """Content of a YAML file.

    Raises
    ------
    SpecError
        If the file is absent, not YAML, or gives a key twice; the message names file, line and problem.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_UniqueKeyLoader)
    except FileNotFoundError as error:
        raise SpecError(f"{path.name}: no such file in {path.parent.name}/.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "not UTF-8 text, or holds a character that YAML forbids"
        raise SpecError(f"{name_of(path)}{line}: {problem}.") from error


@contextmanager
def readable() -> Iterator[None]:
    """What is looked at while the workflow is parsed; around a block, or a function as its decorator.

    Raises
    ------
    SpecError
        Naming the file or folder that the system does not let this user read, and why.
    """
    try:
        yield
    except OSError as error:
        place = place_of(Path(error.filename)) if error.filename else "a file"
        raise SpecError(
            f"{place}: cannot be read by you ({error.strerror or type(error).__name__})."
        ) from error


def name_of(path: Path) -> str:
    """A declaration's file by its way from ``data_spec/``, any other by its name."""
    parts = path.parts
    return "/".join(parts[parts.index("data_spec") :]) if "data_spec" in parts else path.name


def parse(model: type[Model], body: Any, *, file: str, entry: str = "") -> Model:
    """Check one entry of a declaration file against its model.

    Raises
    ------
    SpecError
        One message that names the file, the entry and every key that is wrong.
    """
    try:
        return model.model_validate(body)
    except ValidationError as error:
        where = f"{file}, entry {entry}" if entry else file
        problems = "; ".join(problem(model, body, each) for each in error.errors())
        raise SpecError(f"{where}: {problems}.") from error


def check_known(names: Iterable[str], allowed: Iterable[str], *, where: str, what: str) -> None:
    """Raise `SpecError` when a name is not among those allowed; the message lists them."""
    if unknown := sorted(set(names) - set(allowed)):
        raise SpecError(
            f"{where}: no such {what}: {', '.join(unknown)}; allowed: {', '.join(sorted(allowed))}."
        )

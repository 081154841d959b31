"""What is wrong with a declaration, in words for whoever wrote it."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from inspect import isclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

NAMES = ("id", "name", "table")  # by which people know an entry of a list


def problem(model: type[BaseModel], body: Any, error: Mapping[str, Any]) -> str:
    """One error of the model as a sentence: the place in the declaration, and what would be right there."""
    *above, last = error["loc"] or ("",)
    if error["type"] == "extra_forbidden":
        return f"{_at(body, above)}no such key: {last}; {_instead(str(last), _keys(model, above))}"
    if error["type"] == "missing":
        return f"{_at(body, above)}the key {last} is missing"
    place = _at(body, error["loc"])
    if error["type"].startswith("union_tag"):
        name = error["ctx"]["discriminator"].strip("'")
        if error["type"] == "union_tag_not_found":
            return f"{place}the key {name} is missing"
        told, allowed = error["ctx"]["tag"], error["ctx"]["expected_tags"].replace("'", "").split(", ")
        return f"{place}no such {name}: {told}; {_instead(told, allowed)}"
    said = error["msg"].removeprefix("Value error, ").replace("Input should", "should")
    return f"{place or 'entry: '}{said}"


def _instead(name: str, allowed: Sequence[str]) -> str:
    near = get_close_matches(name, allowed, n=1, cutoff=0.7)
    return f"is {near[0]} meant?" if near else f"allowed: {', '.join(allowed)}"


def _at(body: Any, location: Sequence[str | int]) -> str:
    """The way to a place, entries of lists by number and name; a kind among others is no part of it."""
    parts = []
    for part in location:
        if isinstance(body, Mapping) and part in body:
            body = body[part]
            parts.append(str(part))
        elif isinstance(part, int) and isinstance(body, Sequence) and part < len(body):
            body = body[part]
            known = [body[name] for name in NAMES if isinstance(body, Mapping) and name in body]
            parts.append(f"entry {part + 1}{f' ({known[0]})' if known else ''}")
        elif body is None or not isinstance(body, Mapping):
            parts.append(str(part))
    return f"{', '.join(parts)}: " if parts else ""


def _keys(model: Any, location: Sequence[str | int]) -> list[str]:
    """The keys that a declaration may have at a place, as they are written."""
    for part in location:
        model = _inside(model, part)
    model = _alone(model)
    if not (isclass(model) and issubclass(model, BaseModel)):
        return []
    return [field.alias or name for name, field in model.model_fields.items()]


def _alone(kind: Any) -> Any:
    """A type without what is said of it, and without the choice of leaving it out."""
    while get_origin(kind) in (Annotated, Union, UnionType):
        members = [each for each in get_args(kind) if each is not NoneType]
        if get_origin(kind) is not Annotated and len(members) > 1:
            break
        kind = members[0]
    return kind


def _inside(kind: Any, part: str | int) -> Any:
    """The type of what stands below a key, at a number of a list, or that a kind chooses."""
    kind = _alone(kind)
    if get_origin(kind) in (Union, UnionType):
        return _chosen(get_args(kind), part)
    if isclass(kind) and issubclass(kind, BaseModel):
        fields = {field.alias or name: field.annotation for name, field in kind.model_fields.items()}
        return fields.get(part)
    arguments = get_args(kind)
    return arguments[-1 if isinstance(part, str) else 0] if arguments else None


def _chosen(members: Sequence[Any], part: str | int) -> Any:
    for each in members:
        kinds = [field.annotation for field in getattr(each, "model_fields", {}).values()]
        if any(get_origin(kind) is Literal and part in get_args(kind) for kind in kinds):
            return each
    return None

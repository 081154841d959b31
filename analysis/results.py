"""Results as data: what every model returns and every page reads.

A fit answers with a `Result` or, when it cannot be done, with a `Failure`; both are plain frozen values with
one JSON form, so a table, a figure, a check and a person read the same numbers at full precision.
"""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from analysis.errors import ReportError, place_of

Audience = Literal["open", "closed"]
View = Literal["open", "dummy", "closed"]
Labels = Mapping[str, str]
# Label `site` of a number that is of all sites together.
ALL_SITES = "all"


@dataclass(frozen=True, slots=True)
class Estimate:
    """One number with its uncertainty.

    `name` says what it is (``difference``, ``hazard_ratio``, ``mean``, ``probability`` ...) and `labels`
    where it stands (arm, site, state, cause, variable, level, day ...). `df` is the denominator degrees of
    freedom of a t or F reference, `None` for a normal one; `ndf` the numerator's of an F test. Limits that
    are equal come from data without variation: they are no interval and become `None`.
    """

    name: str
    value: float | None
    se: float | None = None
    low: float | None = None
    high: float | None = None
    level: float | None = None
    df: float | None = None
    ndf: int | None = None
    statistic: float | None = None
    p: float | None = None
    unit: str = ""
    labels: Labels = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.low is not None and self.low == self.high:
            for name in ("low", "high"):
                object.__setattr__(self, name, None)


@dataclass(frozen=True, slots=True)
class Count:
    """A number of families, children, events ...; `name` says of what."""

    name: str
    value: int
    labels: Labels = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Curve:
    """A right-continuous step function of time: `value[k]` holds from `time[k]` until `time[k + 1]`."""

    name: str
    time: tuple[float, ...]
    value: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    unit: str = "days"
    labels: Labels = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Points:
    """Points of a plot, one per child or family, sorted by value so that nothing says whose they are."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    labels: Labels = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Result:
    """Everything one SAP entry produced. `notes` a reader must see, `details` one may look up."""

    analysis: str
    family: str
    title: str
    audience: Audience
    estimand: str | None
    timing: str
    method: str
    counts: tuple[Count, ...] = ()
    estimates: tuple[Estimate, ...] = ()
    curves: tuple[Curve, ...] = ()
    points: tuple[Points, ...] = ()
    notes: tuple[str, ...] = ()
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """An SAP entry that could not be estimated, and why. It is printed where its result would stand."""

    analysis: str
    family: str
    title: str
    audience: Audience
    reason: str
    essential: bool = False


@dataclass(frozen=True, slots=True)
class Stamp:
    """Where a file of results comes from; a page refuses results whose stamps disagree."""

    view: View
    cut: str
    sap_version: str
    sap_digest: str
    code_digest: str
    inputs: Mapping[str, str]
    seeds: Mapping[str, int] = field(default_factory=dict)
    packages: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ResultFile:
    """The content of one ``results/<family>.json``."""

    stamp: Stamp
    results: tuple[Result | Failure, ...]


def to_json(content: ResultFile) -> str:
    """Deterministic JSON text: sorted keys, shortest exact floats, not-a-number as ``null``."""
    body = {"stamp": asdict(content.stamp), "results": [_entry(item) for item in content.results]}
    return json.dumps(_plain(body), indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n"


def read_results(path: Path) -> ResultFile:
    """Read a file written by `to_json`.

    Raises
    ------
    ReportError
        If the file is not a file of results.
    """
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        return ResultFile(Stamp(**body["stamp"]), tuple(_restore(item) for item in body["results"]))
    except (ValueError, KeyError, TypeError) as error:
        raise ReportError(
            f"{place_of(path)}: not a file of results ({type(error).__name__}); run its fit again."
        ) from error


def select(items: Iterable[Any], **labels: str) -> tuple[Any, ...]:
    """Items whose name (``name=``) and labels equal the given ones, in their order."""
    name = labels.pop("name", None)
    if name is not None:
        named = _by_name(_Same(items)) if isinstance(items, tuple) else _group(items)
        items = named.get(name, ())
    wanted = labels.items()
    return tuple(item for item in items if wanted <= item.labels.items())


class _Same:
    """A tuple that is equal to itself alone: to compare its items would take longer than to look for one."""

    def __init__(self, items: tuple[Any, ...]) -> None:
        self.items = items

    def __hash__(self) -> int:
        return id(self.items)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.items is other.items


@lru_cache(maxsize=64)
def _by_name(kept: _Same) -> dict[str, list[Any]]:
    """Pages ask for one number after the other, of thousands in a result."""
    return _group(kept.items)


def _group(items: Iterable[Any]) -> dict[str, list[Any]]:
    named: dict[str, list[Any]] = {}
    for item in items:
        named.setdefault(item.name, []).append(item)
    return named


def as_mapping(item: Any) -> dict[str, Any]:
    """A record or a mapping as a dictionary whose values are left as they are, for `json.dumps`."""
    if isinstance(item, Mapping):
        return dict(item)
    return {each.name: getattr(item, each.name) for each in fields(item)}


def _entry(item: Result | Failure) -> dict[str, Any]:
    return {"kind": type(item).__name__.lower(), **asdict(item)}


def _restore(item: dict[str, Any]) -> Result | Failure:
    parts = {key: value for key, value in item.items() if key != "kind"}
    if item["kind"] == "failure":
        return Failure(**parts)
    parts["counts"] = tuple(Count(**each) for each in item["counts"])
    parts["estimates"] = tuple(Estimate(**each) for each in item["estimates"])
    for name, made in (("curves", Curve), ("points", Points)):
        parts[name] = tuple(
            made(**{key: _frozen(value) for key, value in each.items()}) for each in item[name]
        )
    parts |= {name: tuple(item[name]) for name in ("notes", "details")}
    return Result(**parts)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int) or hasattr(value, "__index__"):
        return int(value)
    number = float(value)
    return number if math.isfinite(number) else None

"""Whether the second programmer found the same: what `qc` writes and what a page reads."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from analysis.errors import ReportError, place_of
from analysis.results import Labels, Stamp, as_mapping


@dataclass(frozen=True, slots=True)
class Compared:
    """A number of a result beside the second programmer's, and beside R's where one is kept.

    Of a curve or of points it is the place where both are farthest apart, and `n` how many were compared.
    `units` is the difference as a part of what is allowed, `None` where only one of them has a number.
    """

    quantity: str
    part: str
    labels: Labels
    ours: float | None
    theirs: float | None
    units: float | None
    tolerance: str
    n: int
    agrees: bool
    reference: float | None = None

    @property
    def name(self) -> str:
        """The quantity, where it stands, and which part of it."""
        where = ", ".join(f"{key} {value}" for key, value in self.labels.items())
        return " ".join(filter(None, (self.quantity.replace("_", " "), where and f"({where})", self.part)))


@dataclass(frozen=True, slots=True)
class Agreement:
    """All numbers of one analysis compared; `absent` says why there are none."""

    analysis: str
    family: str
    method: str
    compared: tuple[Compared, ...] = ()
    absent: str = ""

    @property
    def n(self) -> int:
        """Numbers compared."""
        return sum(each.n for each in self.compared)

    @property
    def differing(self) -> tuple[Compared, ...]:
        """Those that do not agree."""
        return tuple(each for each in self.compared if not each.agrees)

    @property
    def farthest(self) -> Compared | None:
        """The number with the largest difference as a part of what is allowed."""
        known = [each for each in self.compared if each.units is not None]
        return max(known, key=lambda each: each.units, default=None)


@dataclass(frozen=True, slots=True)
class Agreements:
    """The content of ``qc/agreement.json``. `has_reference` when R was given these very tables."""

    stamp: Stamp
    results: Mapping[str, str]
    has_reference: bool
    agreements: tuple[Agreement, ...]

    def of(self, analysis: str) -> Agreement | None:
        """What was compared of an analysis."""
        return next((each for each in self.agreements if each.analysis == analysis), None)


def agreements_json(content: Agreements) -> str:
    """Deterministic JSON text."""
    made = json.dumps(content, default=as_mapping, sort_keys=True, allow_nan=False, ensure_ascii=False)
    return made + "\n"


def read_agreements(path: Path) -> Agreements:
    """Read a file written by `agreements_json`.

    Raises
    ------
    ReportError
        If it is not such a file.
    """
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        made = tuple(
            Agreement(**{**each, "compared": tuple(Compared(**one) for one in each["compared"])})
            for each in body["agreements"]
        )
        return Agreements(Stamp(**body["stamp"]), body["results"], body["has_reference"], made)
    except (ValueError, KeyError, TypeError) as error:
        raise ReportError(
            f"{place_of(path)}: not a file of agreement ({type(error).__name__}); run qc again."
        ) from error


def numbers_rows(agreements: Iterable[Agreement]) -> list[dict[str, object]]:
    """Every number as a row of a table."""
    return [
        {
            "analysis": agreement.analysis,
            "quantity": each.quantity,
            "where": "; ".join(f"{key}={value}" for key, value in each.labels.items()),
            "part": each.part,
            "n": each.n,
            **{name: getattr(each, name) for name in ("ours", "theirs", "reference", "units", "tolerance")},
            "agrees": each.agrees,
        }
        for agreement in agreements
        for each in agreement.compared
    ]


def check_current(found: Agreements, current: Stamp, results: Mapping[str, str]) -> None:
    """Refuse a comparison of other results, or one made from another plan, code, data or package.

    Raises
    ------
    ReportError
        Naming what differs.
    """
    differing = [
        each.name for each in fields(Stamp) if getattr(found.stamp, each.name) != getattr(current, each.name)
    ]
    if dict(found.results) != dict(results):
        differing.append("results")
    if differing:
        raise ReportError(
            f"qc/agreement.json was made with another {' and '.join(differing)} than the current; "
            "run qc again."
        )

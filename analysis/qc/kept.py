"""Results that R gave for these very tables, where they are kept."""

import csv
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from analysis.spec.check_mapping import SOURCE_COLUMNS

RESULTS, TABLES = "expected.csv", "tables.csv"
# Labels that stand in columns of their own, or in none.
APART = ("arm", "day", "contrast", "by")
Key = tuple[str, str, str, str, str]


@dataclass(frozen=True, slots=True)
class Kept:
    """Numbers of R by analysis, quantity, arm, further label and day; none where other tables were given."""

    numbers: Mapping[tuple[Key, str], float] = field(default_factory=dict)

    def number(self, analysis: str, quantity: str, labels: Mapping[str, str], part: str) -> float | None:
        """R's number for a part of a quantity, if there is one."""
        joined = ": " if "moderator" in labels else " "
        label = joined.join(value for key, value in labels.items() if key not in APART)
        key = (analysis, quantity, labels.get("arm", ""), label, labels.get("day", ""))
        return self.numbers.get((key, part))


def contents(paths: Iterable[Path]) -> dict[str, str]:
    """File name -> digest of what a table says, whatever file and line each row was read from."""
    return {path.name: _digest(path) for path in sorted(paths)}


def _digest(path: Path) -> str:
    text = pd.read_csv(path, dtype=str, keep_default_na=False).drop(
        columns=[*SOURCE_COLUMNS], errors="ignore"
    )
    return hashlib.sha256(text.to_csv(index=False, lineterminator="\n").encode()).hexdigest()[:16]


def read_kept(folder: Path | None, digests: Mapping[str, str]) -> Kept:
    """What is kept in a folder, if the tables that R was given have these digests."""
    given = {} if folder is None else _rows_of(folder / TABLES, "digest")
    if not given or any(digests.get(name) != digest for name, digest in given.items()):
        return Kept()
    found = {}
    for row in _read(folder / RESULTS):
        name, _, part = row["name"].partition(".")
        key = (row["analysis"], name, row["arm"], row["label"], row["day"])
        for here, text in ((part or "value", row["value"]), ("se", row["se"]), ("df", row["df"])):
            if text.strip():
                found[key, here] = float(text)
    return Kept(found)


def _rows_of(path: Path, column: str) -> dict[str, str]:
    return {row["table"]: row[column] for row in _read(path)} if path.is_file() else {}


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))

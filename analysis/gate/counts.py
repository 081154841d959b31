"""Numbers of open results beside the closed ones: is one of a single arm, as it stands or by subtraction?

That open outputs do not change with the allocation is the proof; this is the alarm. A number alone proves
nothing, since many are equal by chance: what is looked for is a grouping whose parts are the arms' parts
again and again.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from analysis.gate.finding import Finding
from analysis.results import Failure, ResultFile

ALL = "All"
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
# Names of files do not count: families.csv.
_RANDOMISED = re.compile(
    r"\b(famil(y|ies)|child(ren)?|arms?|randomi\w+|allocat\w+)\b(?!\.csv)", re.IGNORECASE
)
# Different numbers that must agree before a grouping by a label of the closed results alarms anyone.
AGREEING = 3
# Smaller numbers are equal too easily.
SMALLEST = 5
# A count of so many, none of them of the other arm, comes by chance of a fair coin once in 30 million times.
ONE_SIDED = 25

Key = tuple[str, frozenset[tuple[str, str]]]  # name and labels, without the arm
Parts = Mapping[str, int]  # arm -> count


def check_results(file: str, opened: ResultFile, closed: ResultFile) -> Iterator[Finding]:
    """Findings of the open results of one family beside its closed ones."""
    parts = {each.analysis: _parts(each.counts) for each in closed.results if not isinstance(each, Failure)}
    pooled = {
        each.analysis: {_key(count.name, count.labels): count.value for count in each.counts}
        for each in opened.results
        if not isinstance(each, Failure)
    }
    for analysis, counts in pooled.items():
        arms = parts.get(analysis, {})
        if any(_is_of_one_arm(arms[key]) for key in counts if key in arms):
            yield Finding(file, "one arm", analysis)
        if _has_arm_parts(counts, arms):
            yield Finding(file, "parts", analysis)
    yield from (Finding(file, "parts", f"{a} less {b}") for a, b in _differences(pooled, parts))


def check_table(
    file: str, opened: list[list[str]], closed: list[list[str]], arms: Iterable[str]
) -> Iterator[Finding]:
    """Finding of an open table, as shown, that has the cells of one arm's column of the closed table."""
    shown = {row[0]: set(row[1:]) for row in opened[1:] if row}
    for arm in arms:
        columns = [at for at, name in enumerate(closed[0]) if at and arm in name.replace(",", " ").split()]
        whole = [at for at, name in enumerate(closed[0]) if at and name.startswith(ALL)]
        others = [at for at in range(1, len(closed[0])) if at not in (*columns, *whole)]
        for at in columns:
            rows = [row for row in closed[1:] if row[0] in shown and _says_something(row[at])]
            rows = [row for row in rows if row[at] not in {row[each] for each in whole}]
            # Where the other arm has nobody, the whole is the arm's by nature.
            rows = [row for row in rows if any(_first(row[each]) not in ("", "0") for each in others)]
            found = {row[at] for row in rows if row[at] in shown[row[0]] and len(row[at]) > 1}
            if len(found) >= AGREEING and 2 * len(found) >= len({row[at] for row in rows}):
                yield Finding(file, "parts")
                return


def _says_something(cell: str) -> bool:
    """Whether a cell has a number that is not equal too easily: a fraction, or no small count."""
    first = _first(cell)
    return bool(first) and ("." in first or int(first) >= SMALLEST)


def _first(cell: str) -> str:
    """The first number of a cell, as it stands there without its sign and thousands; blank without one."""
    found = _NUMBER.search(cell.replace(",", ""))
    return found.group() if found else ""


def check_lines(file: str, text: str, sizes: Iterable[tuple[int, int]]) -> Iterator[Finding]:
    """Finding of a log that gives both sizes of a pair of arms on one line that speaks of who was randomised.

    Rows of tables, dates and arms of fewer than `SMALLEST` are equal to something too easily.
    """
    pairs = [pair for pair in sizes if min(pair) >= SMALLEST]
    for line in filter(_RANDOMISED.search, text.splitlines()):
        numbers = re.findall(r"\d+", _DAY.sub(" ", line).replace(",", ""))
        for a, b in pairs:
            if numbers.count(str(a)) > (a == b) and str(b) in numbers:
                yield Finding(file, "sizes")
                return


def read_table(path: Path) -> list[list[str]]:
    """Rows of a table as shown, its header first."""
    import csv

    with path.open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.reader(handle))


def _key(name: str, labels: Mapping[str, str]) -> Key:
    return name, frozenset((key, value) for key, value in labels.items() if key != "arm")


def _parts(counts: Iterable) -> dict[Key, dict[str, int]]:
    found: dict[Key, dict[str, int]] = defaultdict(dict)
    for count in counts:
        if (arm := count.labels.get("arm", ALL)) != ALL:
            found[_key(count.name, count.labels)][arm] = count.value
    return {key: arms for key, arms in found.items() if len(arms) == 2}


def _is_of_one_arm(parts: Parts) -> bool:
    return min(parts.values()) == 0 and max(parts.values()) >= ONE_SIDED


def _has_arm_parts(counts: Mapping[Key, int], parts: Mapping[Key, Parts]) -> bool:
    """Whether the parts of a grouping are those of an arm; the rest, by subtraction, is the other arm's."""
    known = {label for _, labels in parts for label, _ in labels}
    seen: dict[tuple[str, str], list[tuple[int, Parts]]] = defaultdict(list)
    for (name, labels), value in counts.items():
        for label in labels:
            if (whole := parts.get((name, labels - {label}))) is not None:
                seen[label].append((value, whole))
    return any(_agree(pairs, enough=AGREEING if label in known else 1) for (label, _), pairs in seen.items())


def _differences(
    pooled: Mapping[str, Mapping[Key, int]], parts: Mapping[str, Mapping[Key, Parts]]
) -> Iterator[tuple[str, str]]:
    """Pairs of analyses whose numbers differ by those of one arm."""
    for first, counts in pooled.items():
        arms = parts.get(first, {})
        for second, others in pooled.items():
            shared = [key for key in counts if key in others and key in arms and counts[key] > others[key]]
            pairs = [(counts[key] - others[key], arms[key]) for key in shared]
            if first != second and _agree(pairs, enough=AGREEING):
                yield first, second


def _agree(pairs: list[tuple[int, Parts]], *, enough: int) -> bool:
    """Whether the numbers are those of one arm, the same for all, in so many different numbers."""
    large = [(value, parts) for value, parts in pairs if value >= SMALLEST and min(parts.values()) > 0]
    arms = set().union(*(parts for _, parts in large))
    return len({value for value, _ in large}) >= enough and any(
        all(parts.get(arm) == value for value, parts in large) for arm in arms
    )

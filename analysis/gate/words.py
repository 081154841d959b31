"""What is seen of an open file without knowing the allocation: words, names, metadata, colours, labels."""

import json
from collections.abc import Iterator
from pathlib import Path

from analysis.errors import ReportError
from analysis.gate.finding import Finding
from analysis.gate.reading import read_content
from analysis.spec.arm_words import arm_word, is_arm_like
from analysis.spec.blinding import named_in, telling
from analysis.spec.declarations import Spec
from analysis.spec.palette import ARM_COLOURS

ALL = "All"
RESULTS = "results"
# Where tables of participants lie, whose columns are the declared ones.
TABLES = ("data/", "open/issues/")


def check_file(file: str, data: bytes, spec: Spec) -> Iterator[Finding]:
    """Findings of one open file, whose place below the output folder is `file`."""
    word = arm_word([*spec.arm_names, *spec.blinding.services, *spec.blinding.phrases])
    if word is not None and word.search(file.replace("_", " ")):
        # Such a name is not repeated: the folder and the ending must do.
        yield Finding(_told_without(file), "file name")
        return
    try:
        content = read_content(file, data)
    except ReportError:
        yield Finding(file, "unreadable")
        return
    names = telling(spec.codelists["arm"], spec.blinding)
    for part, kind in (("text", "name"), ("metadata", "metadata")):
        if any(found == part and named_in(text, names) for found, text in content.texts):
            yield Finding(file, kind)
    if content.colours & arm_colours():
        yield Finding(file, "colour")
    if file.startswith(TABLES) and file.endswith(".csv") and _has_closed_column(data, spec):
        yield Finding(file, "closed column")
    if Path(file).parent.name == RESULTS and file.endswith(".json"):
        yield from _check_labels(file, data)


def arm_colours() -> frozenset[tuple[int, int, int]]:
    """Colours of the two arms as red, green and blue of 255."""
    red, green, blue = (slice(1, 3), slice(3, 5), slice(5, 7))
    return frozenset(
        (int(each[red], 16), int(each[green], 16), int(each[blue], 16)) for each in ARM_COLOURS[:2]
    )


def _told_without(file: str) -> str:
    path = Path(file)
    return f"a file of {path.parts[0]}/ that ends in '{path.suffix}'" if len(path.parts) > 1 else "a file"


def _has_closed_column(data: bytes, spec: Spec) -> bool:
    """Whether the header tells of an arm, or has a column of the closed tables that no open one has."""
    header = data.split(b"\n", 1)[0].decode("utf-8-sig", errors="replace").replace('"', "").strip().split(",")
    columns = {
        audience: {
            column for name in spec.table_names(audience=audience) for column in spec.table(name).columns
        }
        for audience in ("open", "closed")
    }
    return any(each in columns["closed"] - columns["open"] or is_arm_like(each) for each in header)


def _check_labels(file: str, data: bytes) -> Iterator[Finding]:
    try:
        if _has_arm_label(data):
            yield Finding(file, "label")
    except (ValueError, KeyError, TypeError, AttributeError):  # no JSON, or not that of results
        yield Finding(file, "unreadable")


def _has_arm_label(data: bytes) -> bool:
    """Whether a number of these results is of one arm, or of the difference between them."""
    results = json.loads(data)["results"]
    items = [
        item
        for each in results
        for part in ("counts", "estimates", "curves", "points")
        for item in each.get(part, ())
    ]
    return any(item["labels"].get("arm", ALL) != ALL or "contrast" in item["labels"] for item in items)

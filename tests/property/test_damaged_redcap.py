"""Damage to an export of REDCap, or to its dictionary, ends in findings or in one sentence."""

import csv
import io
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.errors import TrialError
from analysis.spec.declarations import Spec
from tests.unit.sources.conftest import Exports
from tests.unit.sources.test_redcap import EVENT_HEADER as HEADER
from tests.unit.sources.test_redcap import EVENT_MAP, EVENT_ROWS, EVENT_SOURCE, VISITS, dictionary

ODD = [
    "",
    "0",
    "2",
    "-99",
    "[a] = (",
    "[had] = '1'",
    "1, a | 1, b",
    "\u0421",
    "x" * 200_000,
    "NIM",
    ".a",
    "=1+1",
    '"',
]
Cells = list[list[str]]


def drop_row(cells: Cells, draw: random.Random) -> None:
    del cells[draw.randrange(len(cells))]


def repeat_row(cells: Cells, draw: random.Random) -> None:
    cells.append(list(draw.choice(cells)))


def drop_column(cells: Cells, draw: random.Random) -> None:
    at = draw.randrange(len(cells[0]))
    for row in cells:
        del row[at]


def repeat_column(cells: Cells, draw: random.Random) -> None:
    at = draw.randrange(len(cells[0]))
    for row in cells:
        row.append(row[at])


def change_cell(cells: Cells, draw: random.Random) -> None:
    row = draw.choice(cells)
    row[draw.randrange(len(row))] = draw.choice(ODD)


def swap_cells(cells: Cells, draw: random.Random) -> None:
    row = draw.choice(cells)
    left, right = draw.randrange(len(row)), draw.randrange(len(row))
    row[left], row[right] = row[right], row[left]


def cut_row(cells: Cells, draw: random.Random) -> None:
    draw.choice(cells).pop()


DAMAGES = (drop_row, repeat_row, drop_column, repeat_column, change_cell, swap_cells, cut_row)


def damaged(text: str, damage: Callable[[Cells, random.Random], None], draw: random.Random) -> str:
    cells = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    damage(cells, draw)
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows(cells)
    return buffer.getvalue()


@pytest.mark.parametrize("name", ["visits.csv", "visits_dictionary.csv", "events.csv"])
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("seed", range(8))
def test_every_row_is_accounted_for_or_one_sentence_says_why_not(
    tmp_path: Path, spec: Spec, name: str, damage: Callable, seed: int
) -> None:
    files = {
        "visits.csv": HEADER + EVENT_ROWS,
        "visits_dictionary.csv": dictionary(VISITS),
        "events.csv": EVENT_MAP,
    }
    files[name] = damaged(files[name], damage, random.Random(f"{name} {seed}"))
    exports = Exports(tmp_path, spec)
    for each, content in files.items():
        exports.write(each, content)
    source = {**EVENT_SOURCE, "event_map": "events.csv"}
    try:
        found = exports.read(source, tables=("reported_events",))
    except TrialError as error:
        assert "C0001" not in str(error)
        assert "\n" not in str(error)
        return
    for each in found.counts:
        rest = each.rows_elsewhere + each.rows_blank + each.rows_superseded + each.rows_set_aside
        assert each.rows_in == each.rows_kept + rest
    assert len(found.tables["reported_events"]) == sum(
        each.rows_kept for each in found.counts if each.table == "reported_events"
    )

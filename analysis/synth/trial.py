"""The synthetic trial as it would arrive: raw exports with dirt, the restricted list, and the truth."""

import csv
import io
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from analysis.spec.synthetic import SyntheticParameters
from analysis.synth import england, files, registers, scotland
from analysis.synth.chain import HOME
from analysis.synth.dictionary import dictionaries
from analysis.synth.dirt import add_dirt
from analysis.synth.draw import Draw, draw_trial
from analysis.synth.england_files import FOLDER, send
from analysis.synth.episodes import draw_placements, stays
from analysis.synth.events import event_forms
from analysis.synth.families import authorities
from analysis.synth.forms import ROWS_PER_CHILD, child_forms
from analysis.synth.hand import Spot
from analysis.synth.sheets import Sheet, encode, identifiers
from analysis.synth.truth import truth_of

CHILDREN_PER_PART = 20_000
ENGLAND = "LON"


@dataclass(frozen=True, slots=True)
class SyntheticTrial:
    """`raw`: bytes by path below the raw folder; `allocation`: the restricted list; `dirt`: every spot."""

    raw: dict[str, bytes]
    allocation: bytes
    truth: dict[str, Any]
    dirt: tuple[Spot, ...]


def generate(
    parameters: SyntheticParameters,
    *,
    seed: int,
    scale: float = 1.0,
    dirt: bool = True,
    disturbing: bool = False,
) -> SyntheticTrial:
    """A synthetic trial of `scale` times the published size; equal arguments give equal bytes.

    Without `dirt` the same trial comes clean; with `disturbing` it has dirt too that moves a result.

    Raises
    ------
    SpecError
        If `scale` is not positive, or a mean total would lie outside 0 to 40.
    """
    return export(draw_trial(parameters, seed=seed, scale=scale), dirt=dirt, disturbing=disturbing)


def export(draw: Draw, *, dirt: bool = True, disturbing: bool = False) -> SyntheticTrial:
    """The files of a drawn trial."""
    family_id, child_id = identifiers("F", draw.families.n), identifiers("C", draw.children.n)
    sheets = _sheets(draw, family_id, child_id)
    spots = []
    if dirt:
        cut = draw.parameters.data_cut
        spots = add_dirt(sheets, data_cut=cut, seed=draw.seed, disturbing=disturbing)
    allocation = sheets.pop(files.ALLOCATION)
    london, spots = send(sheets, spots)
    apart = {path for path in sheets if path.startswith(FOLDER)} | {files.CHILDREN}
    raw = {path: encode(sheet) for path, sheet in sheets.items() if path not in apart} | london
    later = (
        child_forms(draw, rows, family_id=family_id, child_id=child_id)
        for rows in _parts(draw.children.n)[1:]
    )
    raw[files.CHILDREN] = encode(sheets[files.CHILDREN], later)
    return SyntheticTrial(
        raw=dict(sorted(raw.items())),
        allocation=encode(allocation),
        truth=truth_of(draw),
        dirt=tuple(spots),
    )


def write_trial(trial: SyntheticTrial, raw_folder: Path, restricted_folder: Path) -> None:
    """Write the open exports; and apart from them what reveals the arm, the truth and the dirt.

    No file is written in part.
    """
    for path, content in trial.raw.items():
        _write_whole((restricted_folder if path == files.DELIVERY else raw_folder) / path, content)
    _write_whole(restricted_folder / "allocation.csv", trial.allocation)
    _write_whole(restricted_folder / "truth.json", (json.dumps(trial.truth, indent=1) + "\n").encode())
    _write_whole(restricted_folder / "dirt.csv", _dirt_list(trial.dirt))


def _sheets(draw: Draw, family_id: np.ndarray, child_id: np.ndarray) -> dict[str, Sheet]:
    parts = _parts(draw.children.n)
    children = child_forms(draw, parts[0], family_id=family_id, child_id=child_id)
    children.n_later = (draw.children.n - parts[0].stop) * ROWS_PER_CHILD
    return {
        files.CHILDREN: children,
        files.FAMILIES: registers.family_forms(draw, family_id),
        files.EVENTS: event_forms(draw, family_id, child_id),
        files.SCREENING: registers.screening(draw, family_id),
        files.WITHDRAWALS: registers.withdrawals(draw, family_id, child_id),
        files.DEVIATIONS: registers.deviations(draw, family_id),
        files.DELIVERY: registers.delivery(draw, family_id),
        files.ALLOCATION: registers.allocation(draw, family_id),
        files.COURT: registers.proceedings(draw, family_id),
        **_returns(draw, child_id),
        **dictionaries(draw.parameters),
    }


def _returns(draw: Draw, child_id: np.ndarray) -> dict[str, Sheet]:
    parameters, children = draw.parameters, draw.children
    placements = draw_placements(parameters, children, draw.histories, seed=draw.seed)
    in_england = (draw.families.site == parameters.trial.sites.index(ENGLAND))[children.family]
    everywhere = stays(children, draw.histories)
    at_home = everywhere.take((everywhere.state == HOME) & in_england[everywhere.child])
    here = in_england[placements.child]
    ids = {"child_id": child_id, "seed": draw.seed}
    names = np.array(authorities(parameters), dtype=object)
    of_child = names[draw.families.authority[children.family]]
    return {
        **england.returns(parameters, children, placements.take(here), at_home, authority=of_child, **ids),
        **scotland.returns(parameters, children, placements.take(~here), **ids),
    }


def _parts(n: int) -> list[slice]:
    return [slice(at, min(at + CHILDREN_PER_PART, n)) for at in range(0, n, CHILDREN_PER_PART)]


def _dirt_list(spots: tuple[Spot, ...]) -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([*Spot._fields, "is_restorable"])
    writer.writerows([*spot[:4], spot.correct or "", int(spot.correct is not None)] for spot in spots)
    return buffer.getvalue().encode()


def _write_whole(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(content)
    os.replace(partial, path)

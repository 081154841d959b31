"""Glasgow's records: one CLAS-shaped table with labels, episode dates and destination on discharge."""

import numpy as np

from analysis.spec.synthetic import SyntheticParameters
from analysis.synth.chain import ADOPTED, DIED, HOME, KIN, TRANSFERRED
from analysis.synth.children import Children
from analysis.synth.episodes import (
    ADOPTERS,
    BOUGHT_CARERS,
    CENTRE,
    FOSTER_CARERS,
    KIN_CARERS,
    LASTING,
    PARENTS,
    Placements,
)
from analysis.synth.sheets import SLASHES, Sheet, coded, dated
from analysis.synth.streams import stream

FILE = "glasgow/clas_placements.csv"
TYPES = {
    FOSTER_CARERS: "Foster carers provided by LA",
    BOUGHT_CARERS: "Foster carers purchased by LA",
    CENTRE: "Residential setting",
    LASTING: "Foster carers (permanent)",
    ADOPTERS: "Prospective adopters",
    PARENTS: "At home with parents",
    KIN_CARERS: "With friends/relatives",
}
DESTINATIONS = {
    HOME: "Home with parents",
    KIN: "Kinship care order",
    ADOPTED: "Adopted",
    TRANSFERRED: "Transferred to another authority",
    DIED: "Died",
}
LEGAL = ("Child protection order", "Section 25", "Compulsory supervision order", "Permanence order")


def returns(
    parameters: SyntheticParameters,
    children: Children,
    placements: Placements,
    *,
    child_id: np.ndarray,
    seed: int,
) -> dict[str, Sheet]:
    """The table, by its name below the raw folder."""
    is_voluntary = stream(seed, "voluntary").random(children.n) < parameters.records.voluntary.value
    columns = {
        "child_ref": child_id[placements.child],
        "local_authority": coded(("Glasgow",), np.zeros(placements.child.size, dtype=np.int64)),
        "episode_start_date": dated(placements.care_start, SLASHES),
        "episode_end_date": dated(placements.care_stop, SLASHES),
        "placement_start_date": dated(placements.start, SLASHES),
        "placement_end_date": dated(placements.stop, SLASHES),
        "placement_type": _labelled(TYPES, placements.kind),
        "legal_reason": coded(LEGAL, _legal(placements, is_voluntary[placements.child])),
        "destination_on_discharge": _labelled(DESTINATIONS, placements.ends),
    }
    return {FILE: Sheet({name: cells.tolist() for name, cells in columns.items()})}


def _labelled(labels: dict[int, str], value: np.ndarray) -> np.ndarray:
    cells = np.full(value.size, "", dtype=object)
    for code, label in labels.items():
        cells[value == code] = label
    return cells


def _legal(placements: Placements, is_voluntary: np.ndarray) -> np.ndarray:
    early = np.where(placements.is_first, LEGAL.index("Child protection order"), LEGAL.index(LEGAL[2]))
    early = np.where(is_voluntary, LEGAL.index("Section 25"), early)
    legal = np.where(placements.start >= placements.ordered, LEGAL.index(LEGAL[2]), early)
    legal[placements.kind == PARENTS] = LEGAL.index(LEGAL[2])
    return np.where(np.isin(placements.kind, (LASTING, ADOPTERS)), LEGAL.index("Permanence order"), legal)

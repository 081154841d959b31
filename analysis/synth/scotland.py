"""Glasgow's records in two CLAS-shaped tables: placements with their episode, and legal reasons by date."""

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
from analysis.synth.families import NO_DATE
from analysis.synth.sheets import SLASHES, Sheet, coded, dated
from analysis.synth.streams import stream

FILE, LEGAL_FILE = "glasgow/clas_placements.csv", "glasgow/clas_legal_reasons.csv"
# A reason may run on for a while beside a stronger one.
OVERLAP_DAYS = 14
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
# The weakest first: where two are in force, the later one of this list counts.
LEGAL = ("Child protection order", "Section 25", "Compulsory supervision order", "Permanence order")


def returns(
    parameters: SyntheticParameters,
    children: Children,
    placements: Placements,
    *,
    child_id: np.ndarray,
    seed: int,
) -> dict[str, Sheet]:
    """Both tables, by name below the raw folder."""
    is_voluntary = stream(seed, "voluntary").random(children.n) < parameters.records.voluntary.value
    legal = _legal(placements, is_voluntary[placements.child])
    columns = {
        "child_ref": child_id[placements.child],
        "local_authority": coded(("Glasgow",), np.zeros(placements.child.size, dtype=np.int64)),
        "episode_start_date": dated(placements.care_start, SLASHES),
        "episode_end_date": dated(placements.care_stop, SLASHES),
        "placement_start_date": dated(placements.start, SLASHES),
        "placement_end_date": dated(placements.stop, SLASHES),
        "placement_type": _labelled(TYPES, placements.kind),
        "destination_on_discharge": _labelled(DESTINATIONS, placements.ends),
    }
    return {FILE: _sheet(columns), LEGAL_FILE: _sheet(_legal_reasons(placements, legal, child_id))}


def _sheet(columns: dict[str, np.ndarray]) -> Sheet:
    return Sheet({name: cells.tolist() for name, cells in columns.items()})


def _legal_reasons(placements: Placements, legal: np.ndarray, child_id: np.ndarray) -> dict[str, np.ndarray]:
    """One row per legal reason: placements of one reason that follow each other without a day between."""
    child, start, stop = placements.child, placements.start, placements.stop
    goes_on = (child[1:] == child[:-1]) & (start[1:] == stop[:-1])
    begins = np.append(True, ~(goes_on & (legal[1:] == legal[:-1])))
    ends = np.append(begins[1:], True)
    child, reason, first, last = child[begins], legal[begins], start[begins], stop[ends].copy()
    replaced = np.append(goes_on[ends[:-1]], False) & np.append(reason[1:] > reason[:-1], False)
    latest = np.append(last[1:], NO_DATE)
    longer = np.where(latest == NO_DATE, last + OVERLAP_DAYS, np.minimum(last + OVERLAP_DAYS, latest))
    return {
        "child_ref": child_id[child],
        "legal_reason": coded(LEGAL, reason),
        "legal_reason_start_date": dated(first, SLASHES),
        "legal_reason_end_date": dated(np.where(replaced, longer, last), SLASHES),
    }


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

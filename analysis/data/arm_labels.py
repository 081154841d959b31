"""Which arm is called A: drawn once, kept beside the allocation, the same at every later cut."""

import csv
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from analysis.errors import BlindingError, DataError
from analysis.spec.coded_arms import LABELS
from analysis.spec.declarations import Spec

HEADER = ["arm", "label"]


def arm_labels(key: Path, spec: Spec, *, seed: int | None = None) -> Mapping[str, str]:
    """Arm -> A or B, as the file says; without one they are drawn, and it is written for its owner alone.

    The draw is the operating system's, so that nobody can make it again; `seed` is for the synthetic trial,
    in which nothing is secret and every run gives the same bytes.

    Raises
    ------
    BlindingError
        If others than its owner may read the file.
    DataError
        If it does not give each arm a label of its own.
    """
    names = (spec.trial.arms.intervention, spec.trial.arms.control)
    if not key.is_file():
        _write(key, dict(zip(names, _drawn(seed), strict=True)))
    if key.stat().st_mode & 0o077:
        raise BlindingError(
            f"{key.name}: others may read which arm is which; chmod go= takes that from them."
        )
    with key.open(encoding="utf-8", newline="") as handle:
        header, *rows = list(csv.reader(handle)) or [[]]
    if header != HEADER or any(len(row) != len(HEADER) for row in rows):
        raise DataError(f"{key.name}: it must have columns arm and label, and one row for each arm.")
    if sorted(arm for arm, _ in rows) != sorted(names):
        raise DataError(f"{key.name}: it must have one row for each arm of the trial.")
    found = dict(rows)
    if sorted(found.values()) != sorted(LABELS):
        raise DataError(f"{key.name}: labels are {' and '.join(LABELS)}, each of one arm.")
    return found


def _drawn(seed: int | None) -> tuple[str, str]:
    first, second = LABELS
    swapped = (
        secrets.randbelow(2)
        if seed is None
        else int(np.random.Generator(np.random.Philox(key=[seed, 2])).integers(2))
    )
    return (second, first) if swapped else (first, second)


def _write(key: Path, labels: Mapping[str, str]) -> None:
    """Never over an earlier file: labels once shown to a committee stay."""
    handle = os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerows([HEADER, *labels.items()])

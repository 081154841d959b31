"""Labels of coded arms: drawn once, for their owner alone, and the same ever after."""

import os
from collections import Counter
from pathlib import Path

import pytest

from analysis.data.arm_labels import arm_labels
from analysis.errors import BlindingError, DataError
from analysis.spec.declarations import Spec


def test_labels_are_drawn_once_and_kept(spec: Spec, tmp_path: Path) -> None:
    key = tmp_path / "arm_labels.csv"
    first = arm_labels(key, spec)
    content = key.read_bytes()
    assert sorted(first) == sorted(spec.codes["arm"])
    assert sorted(first.values()) == ["A", "B"]
    assert key.stat().st_mode & 0o777 == 0o600
    # Neither a second cut nor a seed moves them.
    assert all(arm_labels(key, spec, seed=seed) == first for seed in (None, *range(8)))
    assert key.read_bytes() == content


def test_both_ways_are_drawn(spec: Spec, tmp_path: Path) -> None:
    drawn = Counter(arm_labels(tmp_path / f"{n}.csv", spec)["NIM"] for n in range(64))
    assert drawn.keys() == {"A", "B"}  # one of them alone comes once in 2 ** 63 times
    seeded = Counter(arm_labels(tmp_path / f"seed-{n}.csv", spec, seed=n)["NIM"] for n in range(64))
    assert seeded.keys() == {"A", "B"}


def test_a_seed_gives_the_same_labels(spec: Spec, tmp_path: Path) -> None:
    for seed in range(5):
        a, b = (arm_labels(tmp_path / f"{seed}-{name}.csv", spec, seed=seed) for name in "ab")
        assert a == b


def test_a_key_that_others_may_read_is_refused(spec: Spec, tmp_path: Path) -> None:
    key = tmp_path / "arm_labels.csv"
    arm_labels(key, spec)
    for mode in (0o640, 0o604):
        key.chmod(mode)
        with pytest.raises(BlindingError, match="others may read which arm is which"):
            arm_labels(key, spec)


@pytest.mark.parametrize(
    "text",
    [
        "arm,label\nNIM,A\n",
        "arm,label\nNIM,A\nSAU,A\n",
        "arm,label\nNIM,A\nSAU,C\n",
        "arm,label\nNIM,A\nNIM,B\n",
        "label,arm\nA,NIM\nB,SAU\n",
        "",
        "arm,label\nNIM\nSAU,B\n",
    ],
)
def test_a_key_that_is_none_is_refused_without_its_content(spec: Spec, tmp_path: Path, text: str) -> None:
    key = tmp_path / "arm_labels.csv"
    with os.fdopen(os.open(key, os.O_WRONLY | os.O_CREAT, 0o600), "w") as handle:
        handle.write(text)
    with pytest.raises(DataError, match="arm_labels.csv") as told:
        arm_labels(key, spec)
    assert "NIM" not in str(told.value)

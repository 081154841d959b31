"""Published results of R ``survival``, and how closely ours must agree with them (tolerance class t1)."""

import csv
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

REFERENCE = Path(__file__).parents[2] / "reference"
ESTIMATE, STANDARD_ERROR = 1e-6, 1e-5
SPREAD = ("se", "vcov", "dfbeta", "low", "high", "limits", "quantile", "median", "robust")

Columns = dict[str, np.ndarray]


@pytest.fixture
def survival_reference() -> Callable[[str], tuple[Columns, Columns]]:
    """Input columns and expected quantities of one folder ``surv_<name>``."""
    return lambda name: _read(REFERENCE / f"surv_{name}")


@pytest.fixture
def competing_reference() -> Callable[[str], tuple[Columns, Columns]]:
    """The same of one folder ``cr_<name>``."""
    return lambda name: _read(REFERENCE / f"cr_{name}")


def _read(folder: Path) -> tuple[Columns, Columns]:
    with (folder / "input.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    data = {key: np.array([float(row[key]) for row in rows]) for key in rows[0]}
    expected = defaultdict(list)
    with (folder / "expected.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            expected[row["quantity"]].append(float("nan" if row["value"] == "NA" else row["value"]))
    return data, {key: np.array(value) for key, value in expected.items()}


@pytest.fixture
def assert_agrees() -> Callable[[Columns, Columns], None]:
    """Every expected quantity is computed, nothing else is, and each lies within class t1.

    The worst relative differences are printed; ``pytest -rP`` shows them, and the method pages quote them.
    """

    def check(ours: Columns, expected: Columns) -> None:
        assert set(ours) == set(expected)
        for name, want in expected.items():
            got = np.asarray(ours[name], dtype=float).reshape(-1)
            assert got.shape == want.shape, name
            assert (np.isnan(got) == np.isnan(want)).all(), name
            known = ~np.isnan(want)
            if not known.any():
                continue
            # A covariance or a residual near 0 is judged beside the others of its array.
            scale = np.maximum(np.abs(want[known]), _size(name, want[known]))
            worst = float((np.abs(got[known] - want[known]) / scale).max())
            print(f"{name}: {worst:.1e}")
            tolerance = STANDARD_ERROR if any(part in name for part in SPREAD) else ESTIMATE
            assert worst <= tolerance, f"{name}: relative difference {worst:.1e}"

    return check


def _size(name: str, want: np.ndarray) -> float:
    shared = "vcov" in name or "dfbeta" in name
    return float(np.abs(want).max()) * (1e-3 if shared else 1e-12) + 1e-12

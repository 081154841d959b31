"""Random numbers: one counter-based stream for every purpose, so that no part disturbs another."""

from hashlib import sha256

import numpy as np


def stream(seed: int, purpose: str) -> np.random.Generator:
    """The generator of one purpose; equal (seed, purpose) give equal numbers, whatever else was drawn."""
    key = int.from_bytes(sha256(f"{seed}/{purpose}".encode()).digest()[:16], "little")
    return np.random.Generator(np.random.Philox(key=key))


def family_normal(
    seed: int, purpose: str, *, family: np.ndarray, n_families: int, correlation: float
) -> np.ndarray:
    """Standard normal numbers, one per child, correlated within family and independent between families."""
    shared = stream(seed, f"{purpose}, family").standard_normal(n_families)
    own = stream(seed, f"{purpose}, child").standard_normal(family.size)
    return np.sqrt(correlation) * shared[family] + np.sqrt(1 - correlation) * own


def whole_days(generator: np.random.Generator, low: int, high: int, size: int) -> np.ndarray:
    """Whole numbers from `low` to `high`, both included, equally likely."""
    return generator.integers(low, high, size, endpoint=True)


def pick(generator: np.random.Generator, candidates: np.ndarray, n: int) -> np.ndarray:
    """A mask of `n` of the candidates (a mask) chosen at random; all of them if there are fewer."""
    keys = np.where(candidates, generator.random(candidates.size), np.inf)
    chosen = np.zeros(candidates.size, dtype=bool)
    chosen[np.argsort(keys, kind="stable")[: min(n, int(candidates.sum()))]] = True
    return chosen

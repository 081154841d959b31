"""The random list: within a site the arm behind is likelier to come next, and every block ends balanced."""

import numpy as np

CONTROL, INTERVENTION = 0, 1


def allocate(
    n: int, *, coin: float, block: int, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Arms of `n` families in the order of randomisation, and the probability with which each was given.

    Parameters
    ----------
    n : int
        Families of the site; even.
    coin : float
        Probability of the arm that is behind; 1/2 when the arms are level.
    block : int
        Families after which the arms are level again; even. The last block may be shorter.
    generator : numpy.random.Generator
        Source of the tosses. A block that does not end level is tossed again as a whole.

    Returns
    -------
    tuple of numpy.ndarray
        Arm (1 intervention, 0 control) and probability, each of shape (n,).
    """
    length = np.diff(np.append(np.arange(0, n, block), n))
    arm = np.zeros((length.size, block), dtype=np.int8)
    probability = np.zeros((length.size, block))
    pending = np.arange(length.size)
    while pending.size:
        uniform = generator.random((block, pending.size))
        given, chance, level = _toss(uniform, length[pending], coin)
        arm[pending[level]], probability[pending[level]] = given.T[level], chance.T[level]
        pending = pending[~level]
    inside = np.arange(block) < length[:, None]
    return arm[inside], probability[inside]


def _toss(uniform: np.ndarray, length: np.ndarray, coin: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All blocks side by side: arms and probabilities as (position, block), and which blocks end level."""
    given = np.zeros(uniform.shape, dtype=bool)
    chance = np.empty(uniform.shape)
    lead = np.zeros(length.size, dtype=np.int64)
    for position in range(len(uniform)):
        chance[position] = 0.5 - (coin - 0.5) * np.sign(lead)
        given[position] = uniform[position] < chance[position]
        lead += np.where(position < length, 2 * given[position] - 1, 0)
    return given.astype(np.int8), np.where(given, chance, 1 - chance), lead == 0

"""Weights of a family bootstrap: clusters are drawn whole, so that their children stay together."""

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from analysis.errors import ModelError
from analysis.stats.at_risk import FloatArray
from analysis.stats.labels import Labels, as_labels, encode


def family_weights(
    cluster: ArrayLike | Sequence[Hashable], draws: int, rng: np.random.Generator
) -> tuple[Labels, FloatArray]:
    """How often each cluster is in each bootstrap sample of as many clusters as there are.

    Parameters
    ----------
    cluster : (n,)
        Label of each row's cluster; repeats and order do not matter.
    draws : int
        Number of samples B.
    rng : numpy Generator
        The source of randomness, used for nothing else here.

    Returns
    -------
    labels : (m,)
        The distinct labels, sorted.
    weights : (B, m)
        Whole numbers as floats; each row sums to m, and a cluster that was not drawn has 0.

    Raises
    ------
    ModelError
        If a label is missing, there is no row, or no draw is asked for.

    Source
    ------
    Davison & Hinkley (1997), Bootstrap Methods and their Application, section 3.8, strategy 1.
    """
    labels = encode(as_labels(cluster, n=len(cluster), name="cluster"))[1]
    m = len(labels)
    if not m or draws < 1:
        raise ModelError("a bootstrap needs at least one cluster and one draw.")
    weights = np.empty((draws, m))
    for row in weights:
        row[:] = np.bincount(rng.integers(m, size=m), minlength=m)
    return labels, weights

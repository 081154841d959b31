"""Weights of a family bootstrap: clusters are drawn whole, so that their children stay together."""

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from analysis.errors import ModelError
from analysis.stats.at_risk import FloatArray, refuse_rows
from analysis.stats.labels import Labels, as_labels, codes, encode


def family_weights(
    cluster: ArrayLike | Sequence[Hashable],
    draws: int,
    rng: np.random.Generator,
    *,
    strata: ArrayLike | Sequence[Hashable] | None = None,
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
    strata : (n,), optional
        Groups of whole clusters (arm, site) that every sample draws as many clusters from as they have.

    Returns
    -------
    labels : (m,)
        The distinct labels, sorted.
    weights : (B, m)
        Whole numbers as floats; each row sums to m, and a cluster that was not drawn has 0.

    Raises
    ------
    ModelError
        If a label is missing, there is no row, no draw is asked for, or a cluster lies in several strata.

    Source
    ------
    Davison & Hinkley (1997), Bootstrap Methods and their Application, section 3.8, strategy 1.
    """
    n = len(cluster)
    code, labels = encode(as_labels(cluster, n=n, name="cluster"))
    if not len(labels) or draws < 1:
        raise ModelError("a bootstrap needs at least one cluster and one draw.")
    stratum = codes(strata, "strata", n)
    own = np.zeros(len(labels), dtype=np.int64)
    own[code] = stratum
    refuse_rows(own[code] != stratum, "its cluster lies in another stratum too.")
    groups = [np.flatnonzero(own == each) for each in range(own.max() + 1)]
    weights = np.empty((draws, len(labels)))
    for row in weights:
        for group in groups:
            row[group] = np.bincount(rng.integers(len(group), size=len(group)), minlength=len(group))
    return labels, weights

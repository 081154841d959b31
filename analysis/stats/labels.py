"""Names of subjects, clusters and strata: any hashable label, as codes that do not depend on row order."""

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.errors import ModelError
from analysis.stats.at_risk import IntArray, refuse_rows

Labels = NDArray[Any]


def as_labels(labels: ArrayLike | Sequence[Hashable], *, n: int, name: str) -> Labels:
    """One hashable label per row, shape (n,), none missing.

    Raises
    ------
    ModelError
        If there is not one label per row, or a label is missing.
    """
    array = labels if isinstance(labels, np.ndarray) or hasattr(labels, "__array__") else _objects(labels)
    array = np.asarray(array)
    if array.shape != (n,):
        raise ModelError(f"{name} must be one column with one label per row.")
    if array.dtype.kind == "f":
        refuse_rows(np.isnan(array), f"the {name} label is missing.")
    elif array.dtype.kind == "O":
        refuse_rows(
            np.fromiter(map(_is_missing, array), dtype=bool, count=n), f"the {name} label is missing."
        )
    return array


def encode(labels: Labels) -> tuple[IntArray, Labels]:
    """Codes 0 ... G - 1 of labels, shape (n,), and the G distinct labels in sorted order."""
    if _are_close_integers(labels):
        return _encode_integers(labels)
    if labels.dtype.kind != "O":
        levels, code = np.unique(labels, return_inverse=True)
        return code.reshape(-1), levels
    distinct = list(dict.fromkeys(labels))
    try:
        distinct.sort()
    except TypeError:  # labels of several types have no order of their own
        distinct.sort(key=lambda label: (type(label).__name__, repr(label)))
    position = {label: place for place, label in enumerate(distinct)}
    code = np.fromiter((position[label] for label in labels), dtype=np.int64, count=len(labels))
    return code, _objects(distinct)


def codes(labels: ArrayLike | Sequence[Hashable] | None, name: str, n: int) -> IntArray:
    """Codes of optional labels, (n,); without labels everybody is in one group."""
    return np.zeros(n, dtype=np.int64) if labels is None else encode(as_labels(labels, n=n, name=name))[0]


def _are_close_integers(labels: Labels) -> bool:
    """Whether labels are whole numbers that span a range not much longer than the column."""
    if labels.dtype.kind not in "iu" or not len(labels):
        return False
    low, high = int(labels.min()), int(labels.max())
    return high - low < 4 * len(labels) and high <= np.iinfo(np.int64).max


def _encode_integers(labels: Labels) -> tuple[IntArray, Labels]:
    """As `encode`, in time linear in the number of labels."""
    whole = labels.astype(np.int64)
    first = whole.min()
    present = np.bincount(whole - first) > 0
    code = np.cumsum(present) - 1
    return code[whole - first], (np.flatnonzero(present) + first).astype(labels.dtype)


def _objects(labels: Any) -> Labels:
    # Not np.asarray: it would turn tuples into a second axis and mixed types into text.
    return np.fromiter(labels, dtype=object, count=len(labels))


def _is_missing(label: Hashable) -> bool:
    try:
        return label is None or bool(label != label)
    except TypeError:  # pandas.NA refuses to be true or false
        return True

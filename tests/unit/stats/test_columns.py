"""Columns and labels before any model: order by content, orthonormal columns, codes of labels."""

import numpy as np
import pytest

from analysis.stats import columns
from analysis.stats.columns import content_rank, orthonormal
from analysis.stats.labels import encode


def table_with_ties(rng):
    table = rng.integers(0, 3, (60, 3)) / 7.0
    table[::5, 1] = -0.0
    return table


@pytest.mark.parametrize("mix", [None, 0], ids=["mixed keys", "keys that collide"])
def test_the_rank_of_a_row_is_that_of_its_content(monkeypatch, mix):
    if mix is not None:
        monkeypatch.setattr(columns, "MIX", np.uint64(mix))
    rng = np.random.default_rng(1)
    table = table_with_ties(rng)
    rank = content_rank(table)
    assert sorted(set(rank)) == list(range(len(np.unique(table, axis=0))))
    for row, place in zip(table, rank, strict=True):
        assert np.array_equal(rank == place, (table == row).all(axis=1))
    rows = rng.permutation(len(table))
    assert np.array_equal(content_rank(table[rows]), rank[rows])


@pytest.mark.parametrize("n", [30, 3 * columns.BLOCK + 7])
@pytest.mark.parametrize("gap", [1.0, 1e-8])
def test_orthonormal_columns_span_the_columns(n, gap):
    rng = np.random.default_rng(n)
    X = np.column_stack([np.ones(n), 1e6 * rng.normal(size=n), rng.normal(size=n)])
    X[:, 2] = 1e-6 * X[:, 1] + gap * X[:, 2]
    Q, T = orthonormal(X, ("a", "b", "c"))
    np.testing.assert_allclose(Q.T @ Q, np.eye(3), atol=1e-13)
    np.testing.assert_allclose(X @ T, Q, atol=1e-15 / gap**1.05)
    assert np.array_equal(np.tril(T, -1), np.zeros((3, 3)))


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int64, np.uint8, np.uint64])
def test_whole_numbers_are_coded_as_any_label(dtype):
    labels = np.array([7, 3, 100, 3, 120, 7], dtype=dtype)
    for each in (labels, np.resize(labels, 60), labels - dtype(3)):
        code, levels = encode(each)
        assert np.array_equal(levels[code], each) and levels.dtype == dtype
        assert np.array_equal(levels, np.unique(each))


def test_whole_numbers_of_any_size_are_coded():
    for ends in ([-128, 127], [0, 255], [-(2**62), 2**62], [0, 2**64 - 1], [2**64 - 3, 2**64 - 1]):
        labels = np.array(ends * 40, dtype=np.result_type(*(np.min_scalar_type(end) for end in ends)))
        code, levels = encode(labels)
        assert levels.tolist() == ends and np.array_equal(levels[code], labels)

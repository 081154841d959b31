"""Canonical order of rows: clusters whole, patterns together, and no trace of the order given."""

import numpy as np
import pytest

from analysis.stats.arrangement import arrange, pattern_rows
from analysis.stats.columns import content_rank
from analysis.stats.covariance import nested, random_intercept


def rows_with_ties(seed, clusters=40):
    """Family and child-group labels and a table in which many rows and families are equal."""
    rng = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(clusters), rng.choice([1, 2, 3], clusters, p=[0.7, 0.2, 0.1]))
    return cluster, rng.integers(0, 2, len(cluster)), rng.integers(0, 3, (len(cluster), 2)) / 3.0, rng


BUILDERS = {"random_intercept": lambda cluster, group: random_intercept(cluster), "nested": nested}


@pytest.mark.parametrize("name", BUILDERS)
@pytest.mark.parametrize("seed", range(5))
def test_the_order_given_leaves_no_trace(name, seed):
    cluster, group, table, rng = rows_with_ties(seed)
    rows, names = rng.permutation(len(cluster)), rng.permutation(cluster.max() + 1)
    first = arrange(BUILDERS[name](cluster, group), content_rank(table))
    second = arrange(BUILDERS[name](names[cluster][rows], group[rows]), content_rank(table[rows]))
    assert np.array_equal(table[first.order], table[rows][second.order])
    for one, other in zip(first.patterns, second.patterns, strict=True):
        assert one.count == other.count
        assert np.array_equal(one.subject, other.subject) and np.array_equal(one.level, other.level)


@pytest.mark.parametrize("name", BUILDERS)
def test_clusters_stay_whole(name):
    cluster, group, table, _ = rows_with_ties(1)
    arrangement = arrange(BUILDERS[name](cluster, group), content_rank(table))
    assert np.array_equal(np.sort(arrangement.order), np.arange(len(cluster)))
    labels = np.column_stack([cluster, group])[arrangement.order]
    seen = []
    for pattern, rows in zip(arrangement.patterns, pattern_rows(arrangement.patterns, labels), strict=True):
        assert (rows[:, :, 0] == rows[:, :1, 0]).all()
        seen.extend(rows[:, 0, 0])
        if name == "nested":
            same = pattern.subject[:, None] == pattern.subject
            assert ((rows[:, :, None, 1] == rows[:, None, :, 1]) == same).all()
    assert sorted(seen) == list(range(cluster.max() + 1))


def test_a_random_intercept_has_one_pattern_per_size():
    cluster, _, table, _ = rows_with_ties(2)
    arrangement = arrange(random_intercept(cluster), content_rank(table))
    sizes = np.bincount(np.bincount(cluster))
    assert [(len(p.level), p.count) for p in arrangement.patterns] == list(enumerate(sizes))[1:]

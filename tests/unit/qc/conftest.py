"""Results and tables of the synthetic trial, which both programmers have."""

import pytest

from analysis.data.allocation import read_allocated
from analysis.models.registry import FAMILIES, fit_all
from analysis.qc.tables import Tables, read_tables


@pytest.fixture(scope="session")
def tables(trial, spec) -> Tables:
    return read_tables(trial.allocated, spec)


@pytest.fixture(scope="session")
def first(trial, spec):
    """The first programmer's results of a family by analysis, fitted once."""
    data, made = read_allocated(trial.allocated, spec, view="closed"), {}

    def results(family: str):
        if family not in made:
            made[family] = {each.analysis: each for each in fit_all(FAMILIES[family], data, spec)}
        return made[family]

    return results

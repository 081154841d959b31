"""Rows of death in the tables over time: there when somebody died, one sentence when nobody did."""

from dataclasses import replace

import pytest

from analysis.present.request import Request
from analysis.present.table_times import NOBODY_DIED, tabulate_days, tabulate_probabilities
from analysis.results import Estimate
from tests.unit.present import fabricated


def request(kind: str, analysis: str, *, deaths: float) -> Request:
    spec, item = fabricated.spec(), fabricated.results("closed")[analysis]
    estimates = tuple(
        replace(each, value=deaths) if "died" in each.labels.values() else each for each in item.estimates
    )
    output = next(each for each in spec.outputs.values() if each.kind == kind)
    return Request(output, (replace(item, estimates=estimates),), spec, "closed")


@pytest.mark.parametrize(
    ("tabulate", "kind", "analysis"),
    [(tabulate_probabilities, "probabilities", "A31"), (tabulate_days, "days", "A40")],
)
def test_death_has_rows_only_when_somebody_died(tabulate, kind, analysis) -> None:
    with_rows = tabulate(request(kind, analysis, deaths=0.25))
    without = tabulate(request(kind, analysis, deaths=0.0))
    assert any("Died" in row.stub for row in with_rows.rows)
    assert not any("Died" in row.stub for row in without.rows)
    said = [NOBODY_DIED in note.text for note in without.footnotes]
    assert any(said) and not any(NOBODY_DIED in note.text for note in with_rows.footnotes)


def test_limits_without_width_are_no_interval() -> None:
    none = Estimate("p", 0.0, se=0.0, low=0.0, high=0.0)
    assert (none.value, none.se, none.low, none.high) == (0.0, 0.0, None, None)
    kept = Estimate("p", 0.5, se=0.1, low=0.3, high=0.7)
    assert (kept.se, kept.low, kept.high) == (0.1, 0.3, 0.7)

"""Standardised risks against R's glm with plain matrix algebra, on two public clustered data sets."""

import pytest

from tests.reference.agreement_averages import risks, risks_by_r


@pytest.mark.parametrize("folder", ["std_respiratory", "std_ohio"])
def test_agrees_with_r(folder):
    ours, want = risks(folder), risks_by_r(folder)
    assert set(ours.index) == set(want.index)
    for name in ours.index:
        assert ours.loc[name, "value"] == pytest.approx(want.loc[name, "value"], rel=1e-6)
        assert ours.loc[name, "se"] == pytest.approx(want.loc[name, "se"], rel=1e-5)
        assert ours.loc[name, "df"] == want.loc[name, "df"]

"""Layouts of returns name tables, fields and other layouts that there are."""

import pytest

from analysis.spec.declarations import Spec
from analysis.spec.layouts import layout_of, load_layouts
from analysis.spec.mapping import EPISODE_DAYS
from tests.conftest import ROOT

LAYOUTS = load_layouts(ROOT / "data_spec")


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.id)
def test_a_layout_names_what_there_is(spec: Spec, layout) -> None:
    for entry in layout.entries:
        fields = set(spec.table(entry.table).columns) | EPISODE_DAYS
        given = [*entry.columns, *entry.constants, *entry.made]
        assert set(given) <= fields and len(set(given)) == len(given)
        assert spec.table(entry.table).audience == "open"
    if layout.beside:
        partner = next(each for each in LAYOUTS if each.id == layout.beside.layout)
        assert layout.beside.makes in spec.table(partner.entries[0].table).columns


def test_a_header_is_known_by_all_of_its_columns_however_they_are_spelt() -> None:
    for layout in LAYOUTS:
        spelt = [name.replace("_", " ").title() for name in layout.known_by]
        assert layout_of([*spelt, "more"], LAYOUTS).id == layout.id
        assert layout_of(spelt[:-1], [layout]) is None

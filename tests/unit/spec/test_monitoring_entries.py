"""What the plan may say of monitoring."""

import pytest

from analysis.errors import SpecError
from analysis.spec.digest import family_slice
from tests.unit.spec.conftest import Declarations

PLAN = "sap/analyses.yaml"
EDITS = {
    "a look out of order": (
        '{cut: "2017-06-30", fraction: 0.31}',
        '{cut: "2014-06-30", fraction: 0.31}',
        "must rise",
    ),
    "fractions that fall": ('"2017-06-30", fraction: 0.31', '"2017-06-30", fraction: 0.05', "must rise"),
    "no whole information": ('"2023-12-31", fraction: 1.0', '"2023-12-31", fraction: 0.9', "fraction 1"),
    "another last look": (
        '{cut: "2023-12-31", fraction',
        '{cut: "2023-06-30", fraction',
        "the trial's own last cut",
    ),
    "shares that do not add": ("[0.77, 0.18, 0.05]", "[0.77, 0.18, 0.06]", "add to 1"),
    "no effect": ("effect: -2.5", "effect: 0", "not 0"),
    "a watched hazard": ("watches: A01", "watches: A30", "family mixed"),
    "a fixed mean": ("{analysis: A30, interim_alpha", "{analysis: A02, interim_alpha", "family hazard"),
    "nothing watched": ("watches: A01", "watches: A99", "A99"),
    "another entry monitored": ("monitors: A70", "monitors: A01", "family monitoring"),
    "an unknown spending": ("kind: obrien_fleming, alpha", "kind: fleming, alpha", "obrien_fleming"),
}


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.replace(" ", "_"))
def test_a_wrong_entry_is_refused(declarations: Declarations, edit: str) -> None:
    old, new, said = EDITS[edit]
    declarations.edit(PLAN, old, new)
    with pytest.raises(SpecError, match=said):
        declarations.load()


def test_what_is_watched_is_shown_by_the_edition_that_watches(declarations: Declarations) -> None:
    declarations.edit("sap/outputs.yaml", "analyses: [A70, A01, A30]", "analyses: [A70, A01]")
    with pytest.raises(SpecError, match="no output has A30, which it watches, in its list interim"):
        declarations.load()


def test_families_that_watch_change_with_what_they_watch(declarations: Declarations) -> None:
    before = declarations.load()
    declarations.edit(PLAN, "reason: The trial's model and covariates are not public.", "reason: Not public.")
    after = declarations.load()
    changed = {
        name: family_slice(before, name) != family_slice(after, name) for name in ("monitoring", "nuisance")
    }
    assert changed == {"monitoring": True, "nuisance": True}
    assert family_slice(before, "harms") == family_slice(after, "harms")

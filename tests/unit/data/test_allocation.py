"""Walls one to three: who may declare an arm, who may hold one, and where it joins the data."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from analysis.data.allocation import (
    Allocated,
    Pooled,
    allocate,
    allocated_table,
    draw_dummy,
    read_allocated,
    read_pooled,
)
from analysis.data.table import write_table
from analysis.errors import BlindingError, DataError
from analysis.spec.declarations import Spec
from analysis.spec.tables import TABLES_WITH_ARMS, Field
from tests.unit.data.tables import values

FAMILIES = ["F0001", "F0002", "F0003"]
ALLOCATION = pd.DataFrame({"family_id": FAMILIES, "arm": ["NIM", "SAU", "NIM"]})


def filled(spec: Spec, field: Field) -> str:
    """A cell that the schema accepts."""
    if field.codelist:
        return next(iter(spec.codes[field.codelist]))
    return {"date": "2015-01-01", "boolean": "true"}.get(field.type, "1")


def derived(spec: Spec) -> dict[str, pd.DataFrame]:
    """Derived tables of three families with one child each; all but `subjects` and `flow` empty."""
    text = {name: "family_id" for name in TABLES_WITH_ARMS if name != "flow"}
    tables = {name: values(spec, name, header) for name, header in text.items()}
    fields = [field for field in spec.table("subjects").fields if field.required]
    rows = [
        " | ".join(
            {"child_id": f"C000{n}", "family_id": family}.get(each.name, filled(spec, each))
            for each in fields
        )
        for n, family in enumerate(FAMILIES, 1)
    ]
    header = " | ".join(field.name for field in fields)
    tables["subjects"] = values(spec, "subjects", "\n".join([header, *rows]))
    tables["flow"] = values(
        spec,
        "flow",
        "level | unit_id | family_id | site | stage | box\n"
        "family | F0001 | F0001 | GLA | eligible | in\n"
        "family | S0009 | | GLA | screening | declined",
    )
    return tables


def test_pooled_and_allocated_data_cannot_be_built_by_hand() -> None:
    with pytest.raises(BlindingError, match="pooled data are read from open tables only"):
        Pooled({}, object())
    with pytest.raises(BlindingError, match="made by allocate"):
        Allocated({}, "closed", ("SAU", "NIM"), object())
    with pytest.raises(BlindingError):
        Allocated({"subjects": pd.DataFrame({"arm": ["NIM"]})}, "dummy", ("SAU", "NIM"), None)


def test_pooled_data_hold_no_arm(spec: Spec, tmp_path: Path) -> None:
    """Not even when a copy is made of real ones."""
    for name, frame in derived(spec).items():
        write_table(frame, tmp_path / f"{name}.csv", spec.table(name), spec)
    pooled = read_pooled(tmp_path, spec)
    assert (pooled.view, pooled.audience, pooled.arms) == ("open", "open", ())
    assert not any("arm" in frame for frame in pooled.tables.values())
    with pytest.raises(BlindingError):
        replace(pooled, tables={"subjects": pooled.tables["subjects"].assign(arm="NIM")})


def test_a_table_with_arms_is_no_open_table(spec: Spec, tmp_path: Path) -> None:
    """Read as pooled, its columns are not those declared."""
    made = allocate(derived(spec), ALLOCATION, spec, view="closed")
    for name, frame in made.tables.items():
        write_table(frame, tmp_path / f"{name}.csv", allocated_table(name, spec), spec)
    with pytest.raises(DataError, match="subjects.csv: its columns are not those declared"):
        read_pooled(tmp_path, spec)


def test_every_row_of_a_family_gets_its_arm(spec: Spec) -> None:
    made = allocate(derived(spec), ALLOCATION, spec, view="closed")
    assert made.tables["subjects"]["arm"].tolist() == ["NIM", "SAU", "NIM"]
    assert (made.view, made.audience, made.arms) == ("closed", "closed", ("SAU", "NIM"))
    # A referral that was never randomised has none.
    assert made.tables["flow"]["arm"].tolist()[0] == "NIM"
    assert made.tables["flow"]["arm"].isna().tolist() == [False, True]
    assert all("arm" in frame for frame in made.tables.values())


def test_the_tables_given_stay_without_arms(spec: Spec) -> None:
    tables = derived(spec)
    allocate(tables, ALLOCATION, spec, view="dummy")
    assert not any("arm" in frame for frame in tables.values())


@pytest.mark.parametrize("view", ["open", "Open", "", "pooled"])
def test_no_other_view_has_arms(spec: Spec, view: str) -> None:
    with pytest.raises(BlindingError, match="the open view has no arms"):
        allocate(derived(spec), ALLOCATION, spec, view=view)


def test_a_table_that_already_holds_an_arm_is_refused(spec: Spec) -> None:
    tables = derived(spec)
    tables["events"] = tables["events"].assign(arm="NIM")
    with pytest.raises(BlindingError, match="already holds an arm"):
        allocate(tables, ALLOCATION, spec, view="closed")


def test_a_randomised_family_without_an_arm_stops(spec: Spec) -> None:
    with pytest.raises(DataError, match="rule W01: 1 randomised families have no arm"):
        allocate(derived(spec), ALLOCATION.iloc[:2], spec, view="closed")
    with pytest.raises(DataError, match="rule W01: 2 randomised families"):
        allocate(derived(spec), ALLOCATION.assign(arm=["NIM", None, None]), spec, view="closed")


def test_a_family_with_two_arms_stops(spec: Spec) -> None:
    twice = pd.concat([ALLOCATION, pd.DataFrame({"family_id": ["F0001"], "arm": ["SAU"]})])
    with pytest.raises(DataError, match="rule W02: a family has two arms"):
        allocate(derived(spec), twice, spec, view="closed")


def test_tables_with_arms_are_read_from_their_own_view_only(spec: Spec, tmp_path: Path) -> None:
    made = allocate(derived(spec), ALLOCATION, spec, view="dummy")
    for folder in ("dummy", "open"):
        for name, frame in made.tables.items():
            write_table(frame, tmp_path / folder / f"{name}.csv", allocated_table(name, spec), spec)
    back = read_allocated(tmp_path / "dummy", spec, view="dummy")
    assert back.view == "dummy"
    assert back.tables["subjects"]["arm"].tolist() == ["NIM", "SAU", "NIM"]
    for folder, view in (("dummy", "closed"), ("open", "open"), ("open", "dummy")):
        with pytest.raises(BlindingError, match="are not read from"):
            read_allocated(tmp_path / folder, spec, view=view)


def test_only_the_allocation_declares_an_arm(spec: Spec) -> None:
    assert [name for name in spec.table_names() if "arm" in spec.table(name).columns] == ["allocation"]
    assert allocated_table("subjects", spec).field("arm").required
    assert not allocated_table("flow", spec).field("arm").required


def families(sizes: dict[str, int]) -> pd.DataFrame:
    sites = [site for site, size in sizes.items() for _ in range(size)]
    return pd.DataFrame({"family_id": [f"F{n:04d}" for n in range(1, len(sites) + 1)], "site": sites})


def test_a_rehearsal_is_balanced_within_sites(spec: Spec) -> None:
    """14 and 6 families: halves. Of 5 families one arm has a family more."""
    for seed in range(20):
        drawn = draw_dummy(families({"GLA": 14, "LON": 6}), spec, seed=seed)
        sites = drawn["family_id"].map(families({"GLA": 14, "LON": 6}).set_index("family_id")["site"])
        assert Counter(zip(sites, drawn["arm"], strict=True)) == {
            ("GLA", "NIM"): 7,
            ("GLA", "SAU"): 7,
            ("LON", "NIM"): 3,
            ("LON", "SAU"): 3,
        }
        odd = Counter(draw_dummy(families({"GLA": 5}), spec, seed=seed)["arm"])
        assert sorted(odd.values()) == [2, 3]


def test_a_rehearsal_depends_on_the_seed_and_on_nothing_else(spec: Spec) -> None:
    frame = families({"GLA": 14, "LON": 6})
    first = draw_dummy(frame, spec, seed=3)
    assert first.equals(draw_dummy(frame, spec, seed=3))
    assert first.equals(draw_dummy(frame.sample(frac=1, random_state=1), spec, seed=3))
    assert first["arm"].tolist() != draw_dummy(frame, spec, seed=4)["arm"].tolist()


def test_a_rehearsal_uses_every_way_of_halving_a_site(spec: Spec) -> None:
    """Four families, two in each arm: six ways, each near a sixth of 600 draws (5 s.d. = 46)."""
    frame = families({"GLA": 4})
    ways = Counter(tuple(draw_dummy(frame, spec, seed=seed)["arm"]) for seed in range(600))
    assert len(ways) == 6
    assert all(abs(count - 100) < 46 for count in ways.values())


def test_a_rehearsal_is_a_valid_allocation(spec: Spec, tmp_path: Path) -> None:
    drawn = draw_dummy(families({"GLA": 3, "LON": 2}), spec, seed=1)
    write_table(drawn, tmp_path / "allocation.csv", spec.table("allocation"), spec)
    assert drawn.groupby(["family_id"]).size().eq(1).all()
    assert drawn["sequence_number"].tolist() == [1, 2, 3, 1, 2]


def test_families_have_one_arm_each(spec: Spec) -> None:
    """Randomised whole: siblings are never parted."""
    tables = derived(spec)
    tables["subjects"] = pd.concat(
        [tables["subjects"], tables["subjects"].assign(child_id=["C0011", "C0012", "C0013"])]
    )
    made = allocate(tables, ALLOCATION, spec, view="dummy").tables["subjects"]
    assert made.groupby("family_id")["arm"].nunique().eq(1).all()

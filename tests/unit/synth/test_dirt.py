"""The list of dirt names every difference between the dirty and the clean files, and no other."""

import codecs
from collections import Counter

import pytest

from analysis.synth.trial import export, generate

KINDS = {
    "age_in_years",
    "authority_of_other_site",
    "birth_after_entry",
    "byte_order_mark",
    "code_before_validity",
    "copied_form",
    "date_format",
    "decimal_comma",
    "deviation_before_randomisation",
    "double_event",
    "duplicate",
    "event_after_cut",
    "float_code",
    "impossible_placement",
    "item_of_other_form",
    "left_blank",
    "look_alike",
    "lower_case",
    "missing_code",
    "month_first",
    "off_history",
    "out_of_range",
    "placeholder_date",
    "same_place",
    "spaces",
    "stale_return",
    "swapped_columns",
    "swapped_siblings",
    "trailing_space",
    "undeclared_code",
    "unknown_code",
    "visit_before_randomisation",
    "wrong_side",
    "wrong_total",
}
# Kinds that spoil several cells of one row, and those that add a row to the end of a file.
WHOLE_ROWS = {"copied_form", "swapped_columns"}
ADDED_ROWS = {"duplicate", "double_event", "event_after_death"}
UNRESTORABLE_ONLY_IN = {
    "allocation.csv",
    "trial/deviations.csv",
    "trial/screening_log.csv",
    "trial/redcap_children.csv",
    "trial/redcap_events.csv",
    "trial/redcap_families.csv",
    "service/delivery.csv",
}


@pytest.fixture(scope="module")
def pair(clean, dirty, tables):
    return tables(clean), tables(dirty)


def cells(spots):
    return {(spot.file, spot.line, spot.column): spot for spot in spots if spot.column}


def test_every_kind_is_there(dirty):
    assert {spot.kind for spot in dirty.dirt} == KINDS


def test_the_listed_cells_are_exactly_those_that_differ(pair, dirty):
    clean, spoiled = pair
    found = {
        (path, line, column)
        for path, rows in clean.items()
        for line, (before, after) in enumerate(zip(rows, spoiled[path], strict=False), start=2)
        for column in before
        if before[column] != after[column]
    }
    assert found == set(cells(dirty.dirt))


def test_restorable_cells_carry_the_clean_value(pair, dirty):
    clean, _ = pair
    for (path, line, column), spot in cells(dirty.dirt).items():
        if spot.correct is not None:
            assert clean[path][line - 2][column] == spot.correct


def test_extra_rows_are_the_listed_ones(pair, dirty):
    clean, spoiled = pair
    extra = {
        (path, line) for path, rows in clean.items() for line in range(len(rows) + 2, len(spoiled[path]) + 2)
    }
    assert extra == {(spot.file, spot.line) for spot in dirty.dirt if spot.kind in ADDED_ROWS}
    for spot in dirty.dirt:
        if spot.kind == "duplicate":
            assert spoiled[spot.file][spot.line - 2] in clean[spot.file]


def test_a_double_event_differs_from_another_in_its_number_only(pair, dirty):
    _, spoiled = pair
    (spot,) = [spot for spot in dirty.dirt if spot.kind == "double_event"]
    rows = [{**row, "event_id": ""} for row in spoiled[spot.file]]
    assert rows.index(rows[spot.line - 2]) < spot.line - 2
    assert len({row["event_id"] for row in spoiled[spot.file]}) == len(rows) - 1  # but the duplicate's


def test_a_report_after_a_death_names_the_child_that_died(parameters, tables):
    """Seed 9 at half size has a death that the reports know of; the default trial has none."""
    trial = generate(parameters, seed=9, scale=0.5)
    rows = tables(trial)["trial/redcap_events.csv"]
    (spot,) = [spot for spot in trial.dirt if spot.kind == "event_after_death"]
    died = [row for row in rows if row["category"] == "child_death"]
    added = rows[spot.line - 2]
    assert any(added["record_id"] == row["record_id"] and added["event_dt"] > row["event_dt"] for row in died)
    assert added["serious"] == "0"


def test_the_stale_return_is_the_first_under_a_later_name(pair, clean, dirty):
    """Of every authority that sent the first."""
    spots = [spot for spot in dirty.dirt if spot.kind == "stale_return"]
    assert set(dirty.raw) - set(clean.raw) == {spot.file for spot in spots}
    first = min(path.split("_")[-1] for path in clean.raw if path.startswith("london/"))[:4]
    assert len(spots) == sum(f"episodes_{first}." in path for path in clean.raw) > 2
    for spot in spots:
        folder, _, file = spot.file.rpartition("/")
        returns = sorted(path for path in clean.raw if path.startswith(f"{folder}/"))
        suffix = file.rpartition(".")[2]
        again = f"{folder}/ssda903_episodes_{first}.{suffix}"
        assert dirty.raw[spot.file] == dirty.raw[again].removeprefix(codecs.BOM_UTF8)
        assert spot.file > returns[-1].rpartition(".")[0]


def test_disturbing_dirt_is_more_of_the_same(draw):
    """Its own random numbers: what is there without it stays where it is."""
    some, more = export(draw).dirt, export(draw, disturbing=True).dirt
    assert {spot.kind for spot in more} - {spot.kind for spot in some} == {"close_births"}
    assert set(some) < set(more)


def test_marks_are_the_listed_files(clean, dirty):
    marked = {path for path, content in dirty.raw.items() if content.startswith(codecs.BOM_UTF8)}
    assert marked == {spot.file for spot in dirty.dirt if spot.kind == "byte_order_mark"}
    assert not any(content.startswith(codecs.BOM_UTF8) for content in clean.raw.values())


def test_dirt_is_small_and_spares_the_flow(dirty):
    places = {(spot.file, spot.line) for spot in dirty.dirt}
    assert len(places) < 100
    lost = [spot for spot in dirty.dirt if spot.correct is None and spot.column]
    assert {spot.file for spot in lost if spot.kind != "impossible_placement"} <= UNRESTORABLE_ONLY_IN
    deciding = {"family", "removed_dt", "visit_status", "rand_dt", "serious", "joined_dt", "care_entry_dt"}
    assert not {spot.column for spot in lost} & deciding


def test_no_two_spots_share_a_row(dirty):
    rows = Counter((spot.file, spot.line) for spot in dirty.dirt if spot.kind not in WHOLE_ROWS)
    assert max(rows.values()) == 1
    whole = {(spot.file, spot.line) for spot in dirty.dirt if spot.kind in WHOLE_ROWS}
    assert not whole & set(rows)


def test_swapped_siblings_are_seen_by_their_forms(pair, dirty):
    _, spoiled = pair
    swapped = [spot for spot in dirty.dirt if spot.kind == "swapped_siblings"]
    rows = [spoiled[spot.file][spot.line - 2] for spot in swapped]
    family = {row["record_id"]: row["family"] for row in spoiled[swapped[0].file] if row["family"]}
    assert len({row["pedsql_form"] for row in rows}) == 2
    assert len({family[row["record_id"]].strip() for row in rows}) == 1


def test_a_child_born_after_entry_is_in_a_removed_family(pair, dirty):
    _, spoiled = pair
    removed = {row["record_id"] for row in spoiled["trial/redcap_families.csv"] if row["removed_dt"]}
    (spot,) = [spot for spot in dirty.dirt if spot.kind == "birth_after_entry"]
    row = spoiled[spot.file][spot.line - 2]
    assert row["family"] in removed
    assert row["dob"] > row["care_entry_dt"]


def test_the_restricted_list_keeps_families_and_arms(pair, dirty):
    clean, spoiled = pair
    (spot,) = [spot for spot in dirty.dirt if spot.file == "allocation.csv"]
    for line, (before, after) in enumerate(zip(clean[spot.file], spoiled[spot.file], strict=True), start=2):
        changed = {name for name in before if before[name] != after[name]}
        assert changed == ({"sequence_number"} if line == spot.line else set())

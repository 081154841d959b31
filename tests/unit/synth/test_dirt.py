"""The list of dirt names every difference between the dirty and the clean files, and no other."""

import codecs
from collections import Counter

import pytest

KINDS = {
    "birth_after_entry",
    "byte_order_mark",
    "date_format",
    "decimal_comma",
    "duplicate",
    "event_after_cut",
    "float_code",
    "look_alike",
    "lower_case",
    "missing_code",
    "out_of_range",
    "placeholder_date",
    "spaces",
    "swapped_siblings",
    "trailing_space",
    "undeclared_code",
    "visit_before_randomisation",
    "wrong_total",
}
UNRESTORABLE_ONLY_IN = {
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


def test_extra_rows_are_the_listed_duplicates(pair, dirty):
    clean, spoiled = pair
    extra = {
        (path, line) for path, rows in spoiled.items() for line in range(len(clean[path]) + 2, len(rows) + 2)
    }
    assert extra == {(spot.file, spot.line) for spot in dirty.dirt if spot.kind == "duplicate"}
    for path, line in extra:
        assert spoiled[path][line - 2] in clean[path]


def test_marks_are_the_listed_files(clean, dirty):
    marked = {path for path, content in dirty.raw.items() if content.startswith(codecs.BOM_UTF8)}
    assert marked == {spot.file for spot in dirty.dirt if spot.kind == "byte_order_mark"}
    assert not any(content.startswith(codecs.BOM_UTF8) for content in clean.raw.values())


def test_dirt_is_small_and_spares_the_flow(dirty):
    assert len(dirty.dirt) < 100
    lost = [spot for spot in dirty.dirt if spot.correct is None and spot.column]
    assert {spot.file for spot in lost} <= UNRESTORABLE_ONLY_IN
    deciding = {"family", "removed_dt", "visit_status", "rand_dt", "serious", "joined_dt", "care_entry_dt"}
    assert not {spot.column for spot in lost} & deciding


def test_no_two_spots_share_a_row(dirty):
    rows = Counter((spot.file, spot.line) for spot in dirty.dirt if spot.column)
    assert max(rows.values()) == 1


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


def test_the_restricted_list_stays_clean(clean, dirty):
    assert clean.allocation == dirty.allocation

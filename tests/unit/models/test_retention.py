"""Visits and withdrawal: the synthetic trial by both programmers, published totals, and thin data."""

import numpy as np
import pytest

from analysis.data.allocation import Allocated, read_allocated, read_pooled
from analysis.models.registry import FAMILIES, fit_all
from analysis.models.retention import CAME, ORDER
from analysis.qc.agreement import agree
from analysis.qc.kept import Kept
from analysis.qc.tables import Tables, read_tables
from analysis.results import Failure, ResultFile, Stamp, select, to_json
from tests.unit.models.small_trial import altered

ALL = {"arm": "All", "site": "all"}


@pytest.fixture(scope="module")
def closed(trial, spec) -> Allocated:
    return read_allocated(trial.allocated, spec, view="closed")


def test_every_standing_of_the_code_list_has_its_place(spec) -> None:
    assert sorted(ORDER) == sorted(spec.codes["visit_standing"]) and set(CAME) < set(ORDER)


def fitted(data, spec):
    (result,) = fit_all(FAMILIES["retention"], data, spec)
    return result


@pytest.fixture(scope="module")
def result(closed, spec):
    return fitted(closed, spec)


def count(result, name: str, **labels: str) -> int:
    (found,) = select(result.counts, name=name, **labels)
    return found.value


def came(result, unit: str, visit: str, **labels: str) -> int:
    parts = ("in_window", "early", "late", "undated")
    return sum(count(result, f"visit_{unit}", visit=visit, standing=each, **labels) for each in parts)


def test_families_followed_up_are_the_published_ones_and_those_of_the_flow(result, closed, spec) -> None:
    assert came(result, "families", "V5", **ALL) == 286
    assert [came(result, "families", "V5", arm=arm, site="all") for arm in ("NIM", "SAU")] == [149, 137]
    (flow,) = fit_all(FAMILIES["flow"], closed, spec)
    for arm in ("All", "NIM", "SAU"):
        found = count(flow, "families", stage="month_15", box="attended", arm=arm)
        assert came(result, "families", "V4", arm=arm, site="all") == found


def test_every_child_and_family_stands_once_at_every_visit(result, spec) -> None:
    for group in [ALL] + [{"arm": arm, "site": "all"} for arm in ("NIM", "SAU")]:
        for unit in ("children", "families"):
            for visit in ("V3", "V4", "V5"):
                parts = select(result.counts, name=f"visit_{unit}", visit=visit, **group)
                assert sum(each.value for each in parts) == count(result, f"group_{unit}", **group)
    for name in {each.name for each in result.counts}:
        for each in select(result.counts, name=name, **ALL):
            others = {key: value for key, value in each.labels.items() if key not in ("arm", "site")}
            for groups in (
                [{"arm": "All", "site": site} for site in spec.trial.sites],
                [{"arm": arm, "site": "all"} for arm in ("NIM", "SAU")],
            ):
                assert sum(count(result, name, **others, **group) for group in groups) == each.value


def test_the_open_result_is_the_closed_one_without_arms(result, trial, spec) -> None:
    pooled = fitted(read_pooled(trial.derived, spec), spec)
    kept = tuple(each for each in result.counts if each.labels["arm"] == "All")
    assert pooled.counts == kept
    assert {each.labels["arm"] for each in pooled.curves} == {"All"}


def nobody_withdraws(rows):
    return rows.assign(is_withdrawn=False, withdrawal_level=None, reason=None)


def everybody_withdraws(rows):
    return rows.assign(is_withdrawn=True)


def all_missing_at_a_visit(rows):
    here = rows["visit"] == "V4"
    return rows.assign(
        standing=rows["standing"].mask(here, "missed"), visit_date=rows["visit_date"].mask(here)
    )


def nothing_is_due(rows):
    return rows.assign(standing="not_due", visit_date=np.datetime64("NaT", "ns"), is_due=False)


def of_singletons(rows):
    return rows[rows["n_siblings"] == 1]


def of_one_family(rows):
    return rows[rows["family_id"] == rows.loc[rows["is_eligible"], "family_id"].iloc[0]]


def of_one_arm(rows):
    return rows[rows["arm"] == "NIM"]


def of_one_site(rows):
    return rows[rows["site"] == "GLA"]


CASES = {
    "nobody withdraws": {"retention": nobody_withdraws},
    "everybody withdraws": {"retention": everybody_withdraws},
    "all missing at a visit": {"visits": all_missing_at_a_visit},
    "nothing is due": {"visits": nothing_is_due},
    "all singletons": {"subjects": of_singletons},
    "one family": {"subjects": of_one_family},
    "one arm": {"subjects": of_one_arm},
    "one site": {"subjects": of_one_site},
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.replace(" ", "_"))
def test_both_programmers_agree_on_thin_data(closed, trial, spec, case: str) -> None:
    data = altered(closed, **CASES[case])
    found = fitted(data, spec)
    # As the second programmer reads it: days as days, what is not known as not a number.
    read = read_tables(trial.allocated, spec)
    tables = Tables(
        {**read.frames, **{name: edit(read.frames[name]) for name, edit in CASES[case].items()}}, spec
    )
    (agreement,) = agree({"N13": found}, tables, Kept())
    assert [each.name for each in agreement.differing] == []
    text = to_json(ResultFile(Stamp("closed", "2023-12-31", "1.0", "a", "b", {}), (found,)))
    assert "NaN" not in text and "Infinity" not in text


def test_what_thin_data_cannot_tell_has_no_number(closed, spec) -> None:
    due = fitted(altered(closed, visits=nothing_is_due), spec)
    assert all(each.value is None for each in select(due.estimates, name="risk_difference"))
    assert count(due, "due_children", visit="V3", **ALL) == 0
    missing = fitted(altered(closed, visits=all_missing_at_a_visit), spec)
    assert select(missing.estimates, name="median", visit="V4", **{"from": "due"}, **ALL)[0].value is None
    flat = fitted(altered(closed, retention=nobody_withdraws), spec)
    for each in select(flat.estimates, name="withdrawn", **ALL):
        assert (each.value, each.low, each.high) == (0.0, None, None)
    alone = fitted(altered(closed, subjects=of_singletons), spec)
    assert all(each.value == 0 for each in select(alone.counts, name="siblings"))


def test_nobody_of_the_population_is_a_reason(closed, spec) -> None:
    found = fitted(altered(closed, visits=lambda rows: rows[:0]), spec)
    assert isinstance(found, Failure) and "belongs to the population" in found.reason


def test_swapping_the_arms_turns_the_difference(closed, spec, result) -> None:
    def swapped(rows):
        return rows.assign(arm=rows["arm"].map({"NIM": "SAU", "SAU": "NIM"}))

    other = fitted(altered(closed, visits=swapped, retention=swapped, subjects=swapped), spec)
    for one, two in zip(
        select(result.estimates, name="risk_difference"),
        select(other.estimates, name="risk_difference"),
        strict=True,
    ):
        assert (two.value, two.low, two.high) == pytest.approx((-one.value, -one.high, -one.low))


def test_the_order_of_rows_does_not_matter(closed, spec, result) -> None:
    def shuffled(rows):
        return rows.sample(frac=1, random_state=5)

    other = fitted(altered(closed, visits=shuffled, retention=shuffled, subjects=shuffled), spec)
    assert other == result


def test_shares_withdrawn_rise_and_end_where_the_last_family_does(result, closed) -> None:
    families = closed.tables["retention"]
    for curve in result.curves:
        assert list(curve.value) == sorted(curve.value) and np.all(np.diff(curve.time) > 0)
        assert all(a <= b <= c for a, b, c in zip(curve.low, curve.value, curve.high, strict=True))
    assert max(curve.time[-1] for curve in result.curves) <= families["time_days"].max()

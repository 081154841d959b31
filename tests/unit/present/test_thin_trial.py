"""The tables of who was there and what was done, of trials in which next to nobody was there.

Rows are taken out of the synthetic trial's tables, so that the numbers still add up, and analysed anew.
"""

from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest

from analysis.data.allocation import Allocated, read_allocated
from analysis.models.registry import FAMILIES, fit_all
from analysis.present.consort import boxes_of
from analysis.present.tables import TABULATE, tabulate
from analysis.results import Failure, select
from analysis.spec.outputs import outputs_of
from tests.unit.models.small_trial import altered

CONDUCT = (
    "flow",
    "accrual",
    "balance",
    "retention",
    "baseline",
    "delivery",
    "missing",
    "deviations",
    "harms",
)


@pytest.fixture(scope="module")
def closed(trial, spec):
    return read_allocated(trial.allocated, spec, view="closed")


def of_families(data: Allocated, chosen: Callable[[pd.DataFrame], pd.Series]) -> Allocated:
    """The trial of some families only; referrals that were never randomised stay."""
    subjects = data.tables["subjects"]
    kept = set(subjects.loc[chosen(subjects), "family_id"])
    tables = {
        name: rows[rows["family_id"].isin(kept) | rows["family_id"].isna()]
        for name, rows in data.tables.items()
    }
    return replace(data, tables=tables)


def empty_arm(data: Allocated) -> Allocated:
    return of_families(data, lambda rows: rows["arm"] == "NIM")


def one_family(data: Allocated) -> Allocated:
    return of_families(data, lambda rows: rows["family_id"] == rows["family_id"].iloc[0])


def one_family_per_arm(data: Allocated) -> Allocated:
    return of_families(
        data,
        lambda rows: rows["family_id"].isin(rows[rows["is_eligible"]].drop_duplicates("arm")["family_id"]),
    )


def all_singletons(data: Allocated) -> Allocated:
    return of_families(data, lambda rows: ~rows["family_id"].duplicated(keep=False))


def absent_level(data: Allocated) -> Allocated:
    """Nobody in London."""
    return of_families(data, lambda rows: rows["site"] == "GLA")


def nothing_happened(data: Allocated) -> Allocated:
    """No event, no deviation, nobody withdrew, and no service was received."""
    return altered(
        data,
        harms=lambda rows: rows[:0],
        protocol_deviations=lambda rows: rows[:0],
        retention=lambda rows: rows.assign(
            is_withdrawn=False, ended_by="data_cut", withdrawal_level=None, reason=None
        ),
        service=lambda rows: rows.assign(
            is_received=False, reason_not_received="declined", is_other_received=False, has_begun=False
        ).assign(is_begun_before=False, n_sessions=float("nan"), contact_days=float("nan")),
    )


def missing_visit(data: Allocated) -> Allocated:
    """Nobody came at 15 months."""
    return altered(
        data,
        visits=lambda rows: rows.assign(
            standing=rows["standing"].mask(rows["visit"] == "V4", "missed"),
            visit_date=rows["visit_date"].mask(rows["visit"] == "V4"),
        ),
        observations=lambda rows: rows.assign(
            is_observed=rows["is_observed"] & (rows["visit"] != "V4"),
            reason=rows["reason"].mask((rows["visit"] == "V4") & rows["is_due"], "not_attended"),
        ),
    )


CASES = (
    *(empty_arm, one_family, one_family_per_arm, all_singletons, absent_level),
    *(nothing_happened, missing_visit),
)


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case.__name__)
def thin(request, closed, spec):
    data = request.param(closed)
    found = [result for name in CONDUCT for result in fit_all(FAMILIES[name], data, spec, is_interim=True)]
    return request.param, data, {result.analysis: result for result in found}


def shown(spec, results):
    """The outputs made of these analyses alone."""
    return [
        each for each in outputs_of(spec, "closed") if each.analyses and set(each.analyses) <= set(results)
    ]


def test_every_table_is_there_and_says_what_it_does_not_have(thin, spec):
    _, _, results = thin
    tables = [each for each in shown(spec, results) if each.kind in TABULATE]
    assert {each.id for each in tables} >= {"T1", "T2", "T3", "T4", "T5", "T6", "T7", "T25"}
    for output in tables:
        # Tabulating also insists that the parts add up.
        table = tabulate(output, results, spec, "closed")
        words = " ".join(cell.text for row in table.rows for cell in row.cells)
        assert table.rows
        assert not {"nan", "NaN", "None", "inf", "NaT"} & set(
            words.replace("(", " ").replace(")", " ").split()
        )


def test_an_analysis_without_a_result_says_why(thin):
    case, data, results = thin
    people = data.tables["subjects"]
    for result in results.values():
        if isinstance(result, Failure):
            assert case in (empty_arm, one_family, one_family_per_arm), (result.analysis, result.reason)
            assert result.reason and not any(child in result.reason for child in people["child_id"])


def test_the_flow_has_the_families_there_are(thin, spec):
    _, data, results = thin
    flow = results["N01"]
    assert not isinstance(flow, Failure)
    assert all(boxes_of(flow, stage) for stage in spec.stages.values())
    people = data.tables["subjects"]
    randomised = people[people["is_randomised"]]
    (found,) = select(flow.counts, name="families", stage="randomised", box="in", arm="All")
    assert found.value == randomised["family_id"].nunique()


def test_zero_is_printed_where_nothing_happened(closed, spec):
    data = nothing_happened(closed)
    results = {
        each.analysis: each
        for name in ("deviations", "harms")
        for each in fit_all(FAMILIES[name], data, spec)
    }
    for name in ("T7", "T25"):
        table = tabulate(spec.outputs[name], results, spec, "closed")
        assert any(cell.text.startswith("0 (0") for row in table.rows for cell in row.cells)

"""Clean tables -> derived tables: the order in which they are built, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from analysis.data import (
    deviations,
    flow,
    harms,
    observations,
    outcomes,
    recruitment,
    recurrences,
    retention,
    spells,
    subjects,
    transitions,
    waits,
)
from analysis.data.history_issues import check_histories
from analysis.errors import DataError
from analysis.spec.declarations import Spec
from analysis.spec.issue import Issue


@dataclass(frozen=True, slots=True)
class Derived:
    """Derived tables by name, and what was found in the care histories."""

    tables: dict[str, pd.DataFrame]
    issues: tuple[Issue, ...]


def derive(
    tables: Mapping[str, pd.DataFrame],
    spec: Spec,
    *,
    data_cut: str,
    scales_text: pd.DataFrame | None = None,
) -> Derived:
    """All derived tables.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Clean typed open tables.
    spec : Spec
        States, instruments, visits and populations.
    data_cut : str
        ISO date on which follow-up of the records ends.
    scales_text : DataFrame, optional
        Table `scales` as text, whose empty scores keep their reason.

    Raises
    ------
    DataError
        If there is no family or child, or the flow does not close.
    """
    if empty := [name for name in ("families", "children") if tables[name].empty]:
        raise DataError(f"table {empty[0]} has no row; there is no trial without families and children.")
    tables, origin, cut = dict(tables), spec.trial.clock_origin.field, pd.Timestamp(data_cut)
    people = subjects.derive_people(tables)
    chained = spells.chain(tables["placements"], spec.states)
    counted = spells.since_origin(chained, people.set_index("child_id")[origin], spec.states)
    deaths = transitions.derive_deaths(chained, tables["reported_events"], spec.states)
    followup = transitions.derive_followup(
        counted, people, tables["withdrawals"], deaths, spec.states, data_cut=cut
    )
    safety = subjects.derive_safety_days(
        people, tables["withdrawals"], deaths, data_cut=cut, horizon=spec.trial.horizon_days
    )
    everyone = subjects.derive_subjects(people, followup, tables, spec, origin=origin)
    everyone = everyone.assign(safety_days=safety)
    history = transitions.derive_transitions(counted, everyone, followup, deaths, spec.states, origin=origin)
    values = outcomes.derive_outcomes(
        tables, everyone, spec, origin=origin, data_cut=cut, scales_text=scales_text
    )
    boxes = flow.derive_flow(tables, everyone, values, spec, data_cut=cut)
    flow.check_conservation(flow.flow_counts(boxes, spec), spec)
    families = people.set_index("child_id")["family_id"]
    permanence = transitions.derive_events(history, everyone, followup, spec.states, origin=origin)
    times = [
        permanence,
        waits.derive_decisions(permanence, tables["proceedings"], tables["adoption_decisions"], spec.states),
        waits.derive_waits(history, everyone, followup, spec.states, origin=origin),
    ]
    return Derived(
        {
            "subjects": everyone,
            "outcomes": values,
            "events": pd.concat(times, ignore_index=True),
            "spells": spells.derive_spells(chained, families, spec.states),
            "transitions": history,
            "recurrences": recurrences.derive_recurrences(
                history,
                counted,
                tables["reported_events"],
                everyone,
                followup,
                deaths,
                spec.states,
                origin=origin,
            ),
            # Harms are those of the trial, whatever the clock of the care histories.
            "harms": harms.derive_harms(tables["reported_events"], people, origin="randomisation_date"),
            "flow": boxes,
            **_conduct(tables, people, everyone, values, deaths, spec, cut),
        },
        check_histories(history, counted, deaths, spec.states, tables),
    )


def _conduct(
    tables: Mapping[str, pd.DataFrame],
    people: pd.DataFrame,
    everyone: pd.DataFrame,
    values: pd.DataFrame,
    deaths: pd.Series,
    spec: Spec,
    cut: pd.Timestamp,
) -> dict[str, pd.DataFrame]:
    """How the trial was carried out by the data cut."""
    schedule, leavers = spec.trial.visits, tables["withdrawals"]
    visits = retention.derive_visits(people, tables, deaths, spec.trial, data_cut=cut)
    return {
        "recruitment": recruitment.derive_recruitment(tables, spec.trial.epochs, data_cut=cut),
        "visits": visits,
        "retention": retention.derive_retention(people, visits, leavers, deaths, schedule, data_cut=cut),
        "observations": observations.derive_observations(
            values, everyone, visits, tables["assessments"], spec
        ),
        "protocol_deviations": deviations.derive_deviations(tables["deviations"], tables["families"]),
    }

"""Reported events: serious ones in the published numbers by arm, deaths among them, and others."""

from dataclasses import dataclass

import numpy as np

from analysis.synth.draw import Draw
from analysis.synth.families import NO_DATE, arm_codes, days, scaled
from analysis.synth.sheets import ISO, Sheet, coded, dated, flagged, identifiers
from analysis.synth.streams import stream

CATEGORIES = (
    "hospital",
    "injury",
    "maltreatment",
    "placement_breakdown",
    "parent_death",
    "other",
    "child_death",
)
SERIOUS_WEIGHTS = (0.38, 0.16, 0.18, 0.14, 0.06, 0.08, 0.0)
OTHER_WEIGHTS = (0.0, 0.1, 0.5, 0.3, 0.0, 0.1, 0.0)
PARENT_DEATH, DEATH = CATEGORIES.index("parent_death"), CATEGORIES.index("child_death")
RELATED, OUTCOMES = ("unrelated", "unlikely"), ("resolved", "ongoing", "fatal")
LAST_REPORTED_DAY = 900
NO_CHILD = -1


@dataclass(frozen=True, slots=True)
class Events:
    """One row per event, unsorted; `child` is `NO_CHILD` for an event of the family."""

    family: np.ndarray
    child: np.ndarray
    date: np.ndarray
    category: np.ndarray
    is_serious: np.ndarray


def event_forms(draw: Draw, family_id: np.ndarray, child_id: np.ndarray) -> Sheet:
    """The events' case report form, in the order of date."""
    events = draw_events(draw)
    generator, n = stream(draw.seed, "event details"), events.family.size
    related = (generator.random(n) < 0.2).astype(np.int64)
    fatal = np.isin(events.category, (DEATH, PARENT_DEATH))
    outcome = np.where(fatal, OUTCOMES.index("fatal"), (generator.random(n) < 0.15).astype(np.int64))
    order = np.lexsort((events.family, events.date))
    columns = {
        "record_id": np.append(child_id, "")[events.child],
        "redcap_repeat_instrument": np.full(n, "", dtype=object),
        "redcap_repeat_instance": np.full(n, "", dtype=object),
        "family": family_id[events.family],
        "event_dt": dated(events.date, ISO),
        "category": coded(CATEGORIES, events.category),
        "serious": flagged(events.is_serious),
        "related": coded(RELATED, np.where(fatal, 0, related)),
        "outcome": coded(OUTCOMES, outcome),
        "event_complete": np.full(n, "2", dtype=object),
    }
    ordered = {name: cells[order].tolist() for name, cells in columns.items()}
    first = {"record_id": ordered.pop("record_id"), "event_id": identifiers("E", n).tolist()}
    return Sheet({**first, **ordered})


def draw_events(draw: Draw) -> Events:
    """Deaths, other serious events to the declared number per arm, and other events."""
    flow, parts = draw.parameters.flow, [_deaths(draw)]
    died_arm = draw.families.arm[parts[0].family]
    for arm, code in enumerate(arm_codes(draw.parameters)):
        n = max(scaled(flow.serious_events.value[code], draw.scale) - int((died_arm == arm).sum()), 0)
        here = draw.families.arm == arm
        parts.append(
            _events(draw, here, n, SERIOUS_WEIGHTS, is_serious=True, purpose=f"serious events {code}")
        )
    n = scaled(flow.other_events.value, draw.scale)
    everywhere = np.ones(draw.families.n, dtype=bool)
    parts.append(_events(draw, everywhere, n, OTHER_WEIGHTS, is_serious=False, purpose="other events"))
    return Events(*(np.concatenate([getattr(part, name) for part in parts]) for name in Events.__slots__))


def _deaths(draw: Draw) -> Events:
    child = np.flatnonzero(draw.followup.died <= days(draw.parameters.data_cut))
    return Events(
        family=draw.children.family[child],
        child=child,
        date=draw.followup.died[child],
        category=np.full(child.size, DEATH),
        is_serious=np.ones(child.size, dtype=bool),
    )


def _events(
    draw: Draw, here: np.ndarray, n: int, weights: tuple[float, ...], *, is_serious: bool, purpose: str
) -> Events:
    families, generator = draw.families, stream(draw.seed, purpose)
    reports = np.flatnonzero(here & ~families.is_removed & (draw.followup.family_withdrawn == NO_DATE))
    family = generator.choice(reports, n)
    category = generator.choice(len(CATEGORIES), n, p=weights)
    # Randomised children come first, family by family, so a family's children are consecutive.
    first = np.cumsum(families.size) - families.size
    child = first[family] + np.floor(generator.random(n) * families.size[family]).astype(np.int64)
    last = np.minimum(LAST_REPORTED_DAY, days(draw.parameters.data_cut) - families.randomised[family])
    last = np.minimum(last, np.maximum(draw.followup.died[child] - families.randomised[family], 1))
    day = 1 + np.floor(generator.random(n) * last).astype(np.int64)
    return Events(
        family=family,
        child=np.where(category == PARENT_DEATH, NO_CHILD, child),
        date=families.randomised[family] + np.minimum(day, last),
        category=category,
        is_serious=np.full(n, is_serious),
    )

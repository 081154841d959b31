"""Files kept beside the visits: families, screening, withdrawals, deviations, service, court, allocation."""

import numpy as np

from analysis.spec.synthetic import SyntheticParameters
from analysis.synth.chain import ADOPTED, CARE, FOSTER, HOME, KIN, NEVER, Histories
from analysis.synth.children import Children
from analysis.synth.draw import Draw
from analysis.synth.families import (
    NO_DATE,
    REMOVED_REASONS,
    arm_codes,
    authorities,
    days,
    draw_authorities,
    recruitment_window,
    scaled,
)
from analysis.synth.sheets import DOTS, ISO, SLASHES, Sheet, coded, dated, flagged, identifiers, numbered
from analysis.synth.streams import stream, whole_days

SITE_LABELS = {"GLA": "Glasgow", "LON": "London"}
NOT_RANDOMISED = {
    "not_eligible": ("age", "not_maltreatment", "parent_unavailable", "returned_home"),
    "declined": ("consent_refused",),
    "not_approached": ("no_contact", "no_capacity", "court"),
}
WITHDRAWAL_REASONS = ("parent_request", "carer_request", "moved", "not_given")
OTHER_DEVIATIONS = ("consent", "unblinded", "instrument")
SHARE_WITH_DEVIATION = 0.05
# Families of which the other arm's service saw something, by whether they received their own.
SHARE_OF_OTHER_SERVICE = {True: 0.01, False: 0.06}
NOT_SERVED_REASONS = ("waiting_list", "declined", "court", "returned_home", "moved")
# Service by arm (control, intervention): sessions and days from first to last contact.
SESSIONS, CONTACT_DAYS = ((4, 20), (20, 60)), ((60, 300), (270, 450))
ORDERS = (
    "care_order",
    "placement_order",
    "special_guardianship",
    "child_arrangements",
    "supervision",
    "no_order",
    "permanence_order",
    "cso",
)
ORDER_BY_ROUTE = {
    "GLA": {
        CARE: "cso",
        HOME: "no_order",
        KIN: "child_arrangements",
        FOSTER: "permanence_order",
        ADOPTED: "permanence_order",
    },
    "LON": {
        CARE: "care_order",
        HOME: "supervision",
        KIN: "special_guardianship",
        FOSTER: "care_order",
        ADOPTED: "placement_order",
    },
}


def screening(draw: Draw, family_id: np.ndarray) -> Sheet:
    """The screening log, in the order of referral."""
    parameters, families = draw.parameters, draw.families
    n_other = max(scaled(parameters.flow.referrals.value, draw.scale) - families.n, 0)
    generator = stream(draw.seed, "screening")
    site, referred = _referrals(parameters, n_other, generator)
    authority = draw_authorities(parameters, site, referred, generator=generator)
    outcome, reason = _outcomes(parameters, n_other, generator)
    mine = families.entry + whole_days(generator, 1, 4, families.n)
    order = np.argsort(np.append(mine, referred), kind="stable")
    blank = np.full(n_other, "", dtype=object)
    sizes = generator.choice((1, 2, 3, 4), n_other, p=(0.75, 0.17, 0.06, 0.02))
    labels = [SITE_LABELS[site] for site in parameters.trial.sites]
    columns = {
        "site": coded(labels, np.append(families.site, site)),
        "authority": coded(authorities(parameters), np.append(families.authority, authority)),
        "date_referred": dated(np.append(mine, referred), SLASHES),
        "children": numbered(np.append(families.size, sizes)),
        "outcome": np.append(np.full(families.n, "randomised", dtype=object), outcome),
        "reason": np.append(np.full(families.n, "", dtype=object), reason),
        "family": np.append(family_id, blank),
    }
    ordered = {name: cells[order].tolist() for name, cells in columns.items()}
    return Sheet({"ref_no": identifiers("S", order.size).tolist(), **ordered})


def _referrals(
    parameters: SyntheticParameters, n: int, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Site and date of referrals that were not randomised."""
    weights = np.array([parameters.design.sites.value[site] for site in parameters.trial.sites], dtype=float)
    site = generator.choice(len(weights), n, p=weights / weights.sum())
    epochs = [epoch.id for epoch in parameters.trial.epochs]
    windows = []
    for name in parameters.trial.sites:
        own = [
            recruitment_window(parameters, epochs.index(key)) for key in parameters.design.epochs.value[name]
        ]
        windows.append((own[0][0], own[-1][1]))
    first, last = np.array(windows)[site].T
    return site, first + np.floor(generator.random(n) * (last - first)).astype(np.int64)


def _outcomes(
    parameters: SyntheticParameters, n: int, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    shares = parameters.flow.referral_outcomes.value
    weights = np.array(list(shares.values()))
    which = generator.choice(len(shares), n, p=weights / weights.sum())
    share = generator.random(n)
    reason = np.full(n, "", dtype=object)
    for row, name in enumerate(shares):
        reasons = NOT_RANDOMISED[name]
        here = which == row
        reason[here] = np.array(reasons, dtype=object)[np.floor(share[here] * len(reasons)).astype(int)]
    return coded(list(shares), which), reason


def withdrawals(draw: Draw, family_id: np.ndarray, child_id: np.ndarray) -> Sheet:
    """Families and single siblings who withdrew, in the order of date."""
    follow, families = draw.followup, np.flatnonzero(draw.followup.family_withdrawn != NO_DATE)
    siblings = np.flatnonzero(follow.sibling_withdrawn != NO_DATE)
    date = np.append(follow.family_withdrawn[families], follow.sibling_withdrawn[siblings])
    order = np.argsort(date, kind="stable")
    family = np.append(families, draw.children.family[siblings])
    records = np.append(follow.is_records_withdrawn[families], np.zeros(siblings.size, dtype=bool))
    reason = whole_days(stream(draw.seed, "withdrawal reasons"), 0, len(WITHDRAWAL_REASONS) - 1, date.size)
    columns = {
        "family": family_id[family],
        "child": np.append(np.full(families.size, "", dtype=object), child_id[siblings]),
        "date": dated(date, SLASHES),
        "level": coded(("visits", "all"), records.astype(np.int64)),
        "reason": coded(WITHDRAWAL_REASONS, reason),
    }
    ordered = {name: cells[order].tolist() for name, cells in columns.items()}
    return Sheet({"id": identifiers("W", order.size).tolist(), **ordered})


def deviations(draw: Draw, family_id: np.ndarray) -> Sheet:
    """Visits after their window, and a few other deviations; one row per family, date and kind."""
    families, visit, generator = draw.families, draw.visits["V4"], stream(draw.seed, "deviations")
    window = next(each for each in draw.parameters.trial.visits if each.id == "V4")
    late = visit.is_attended & (visit.date - draw.children.entry > window.to_days)
    kinds = ("visit_window", *OTHER_DEVIATIONS)
    rows = {
        (int(family), int(day), 0)
        for family, day in zip(draw.children.family[late], visit.date[late], strict=True)
    }
    some = np.flatnonzero(generator.random(families.n) < SHARE_WITH_DEVIATION)
    day = families.randomised[some] + whole_days(generator, 5, 800, some.size)
    kind = whole_days(generator, 1, len(OTHER_DEVIATIONS), some.size)
    rows |= set(zip(some.tolist(), day.tolist(), kind.tolist(), strict=True))
    # Typed, since a small trial may have none.
    ordered = np.array(sorted(rows, key=lambda row: (row[1], row[0], row[2])), dtype=np.int64)
    family, date, which = ordered.reshape(-1, 3).T
    columns = {
        "family": family_id[family],
        "date": dated(date, SLASHES),
        "category": coded(kinds, which),
        "level": coded(("minor", "major"), (generator.random(date.size) < 0.2).astype(np.int64)),
    }
    return Sheet({name: cells.tolist() for name, cells in columns.items()})


def delivery(draw: Draw, family_id: np.ndarray) -> Sheet:
    """What the services delivered to every randomised family; this file tells the arm."""
    families, generator = draw.families, stream(draw.seed, "delivery")
    n, cut = families.n, days(draw.parameters.data_cut)
    low, high = np.array(SESSIONS)[families.arm].T
    sessions = low + np.floor(generator.random(n) * (high - low + 1)).astype(np.int64)
    low, high = np.array(CONTACT_DAYS)[families.arm].T
    first = families.randomised + whole_days(generator, 10, 120, n)
    last = np.minimum(first + low + np.floor(generator.random(n) * (high - low)).astype(np.int64), cut)
    served = families.is_served
    reason = whole_days(generator, 0, len(NOT_SERVED_REASONS) - 1, n)
    columns = {
        "family": family_id,
        "received": flagged(served),
        "why_not": coded(NOT_SERVED_REASONS, np.where(served, -1, reason)),
        "first_contact": dated(np.where(served, first, NO_DATE), SLASHES),
        "last_contact": dated(np.where(served, last, NO_DATE), SLASHES),
        "sessions": numbered(sessions, missing=~served),
        "other_service": flagged(_seen_by_the_other(draw)),
    }
    return Sheet({name: cells.tolist() for name, cells in columns.items()})


def _seen_by_the_other(draw: Draw) -> np.ndarray:
    chance = stream(draw.seed, "other service").random(draw.families.n)
    share = [SHARE_OF_OTHER_SERVICE[served] for served in draw.families.is_served.tolist()]
    return chance < np.array(share)


def proceedings(draw: Draw, family_id: np.ndarray) -> Sheet:
    """Court cases; the final order comes with the oldest child's way out of care, if that came first."""
    parameters, families = draw.parameters, draw.families
    generator, n = stream(draw.seed, "court"), families.n
    applied = families.entry + whole_days(generator, -14, 21, n)
    weeks = np.array([parameters.records.court_weeks.value[site] for site in parameters.trial.sites])[
        families.site
    ]
    final = applied + np.maximum(np.rint(7 * generator.gamma(6, weeks / 6)), 14).astype(np.int64)
    when, route = _first_exit(draw.children, draw.histories, n)
    is_permanent = np.isin(route, (HOME, KIN, FOSTER, ADOPTED))
    final = np.where(is_permanent & (when < final) & (when > applied), when, final)
    made = final <= days(parameters.data_cut)
    table = np.full((len(parameters.trial.sites), FOSTER + 2), ORDERS.index("care_order"))
    for row, site in enumerate(parameters.trial.sites):
        for state, order in ORDER_BY_ROUTE[site].items():
            table[row, state] = ORDERS.index(order)
    order = table[families.site, np.where(is_permanent, route, CARE)]
    columns = {
        "family": family_id,
        "applied": dated(applied, DOTS),
        "final_order": dated(np.where(made, final, NO_DATE), DOTS),
        "order": coded(ORDERS, np.where(made, order, -1)),
    }
    sheet = {name: cells.tolist() for name, cells in columns.items()}
    return Sheet(sheet, delimiter=";", encoding="cp1252")


def _first_exit(children: Children, histories: Histories, n_families: int) -> tuple[np.ndarray, np.ndarray]:
    """Date and route of the first transition of each family's oldest child."""
    oldest = np.unique(children.family, return_index=True)[1]
    happened = histories.day[oldest, 0] != NEVER
    when = children.start[oldest] + np.where(happened, histories.day[oldest, 0], 0)
    return when, np.where(happened, histories.state[oldest, 1], CARE).astype(np.int64)


def allocation(draw: Draw, family_id: np.ndarray) -> Sheet:
    """The random list: restricted."""
    families = draw.families
    columns = {
        "family_id": family_id,
        "arm": coded(arm_codes(draw.parameters), families.arm.astype(np.int64)),
        "sequence_number": numbered(families.sequence),
        "probability": numbered(families.probability, 3),
    }
    return Sheet({name: cells.tolist() for name, cells in columns.items()})


def family_forms(draw: Draw, family_id: np.ndarray) -> Sheet:
    """The families' case report form."""
    families, parameters = draw.families, draw.parameters
    site = [SITE_LABELS[site].lower() for site in parameters.trial.sites]
    columns = {
        "record_id": family_id,
        "redcap_data_access_group": coded(site, families.site),
        "authority": coded(authorities(parameters), families.authority),
        "epoch": coded(("1", "2", "3"), families.epoch),
        "consent_dt": dated(families.consent, ISO),
        "rand_dt": dated(families.randomised, ISO),
        "removed_dt": dated(families.removed, ISO),
        "removed_reason": coded(REMOVED_REASONS, families.removed_reason),
        "family_complete": np.full(families.n, "2", dtype=object),
    }
    return Sheet({name: cells.tolist() for name, cells in columns.items()})

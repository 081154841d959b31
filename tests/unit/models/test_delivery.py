"""The service received, worked out by hand in six families."""

import pandas as pd
import pytest

from analysis.models import delivery
from analysis.models.registry import FAMILIES, fit_all
from analysis.present.tables import tabulate
from analysis.qc.compare import compare
from analysis.qc.delivery import again
from analysis.qc.tables import Tables
from analysis.results import Failure, select
from analysis.spec.conduct_entries import Dose, Fulfilment
from tests.unit.models.small_trial import small_trial

# Child, family, arm, site. F1 has three children.
CHILDREN = [
    *((f"C{n}", "F1", "NIM", "GLA") for n in (1, 2, 3)),
    *((f"C{n}", f"F{n - 2}", "NIM", "GLA") for n in (4, 5, 6, 7)),
    ("C8", "F6", "SAU", "GLA"),
]
COLUMNS = ["family_id", "is_received", "reason_not_received", "has_begun", "wait_days", "n_sessions"]
SERVICE = [
    ("F1", True, None, True, 10, 8),
    ("F2", True, None, True, 60, 1),
    ("F3", False, "declined", False, 913, None),
    ("F4", True, None, None, None, None),
    ("F5", None, None, None, None, None),
    ("F6", True, None, True, 30, 5),
]
BOOLEANS = ("is_received", "has_begun", "is_other_received")
NUMBERS = ("wait_days", "n_sessions", "contact_days")


def trial(spec, rows=SERVICE, children=CHILDREN):
    frame = pd.DataFrame(rows, columns=COLUMNS).assign(
        is_other_received=[each[0] == "F3" for each in rows], is_begun_before=False, contact_days=None
    )
    types = dict.fromkeys(BOOLEANS, "boolean") | dict.fromkeys(NUMBERS, "Int64")
    return small_trial(spec, children, service=frame.astype(types))


def as_tables(frames, spec) -> Tables:
    """The same as the second programmer reads it."""
    return Tables(
        {name: frame.astype(object).where(frame.notna(), None) for name, frame in frames.items()}, spec
    )


@pytest.fixture
def entry(spec):
    once, twice = Fulfilment(intervention=Dose(sessions=2), control=Dose(sessions=2)), Fulfilment()
    changed = {"adherent": once, "completed": twice, "days": (30, 91)}
    return spec.analyses["N02"].model_copy(update=changed)


def counted(result, name: str, **labels: str) -> tuple[int, ...]:
    """Families and children of the intervention arm."""
    where = {"name": name, "arm": "NIM", **labels}
    return tuple(
        each.value for unit in ("family", "child") for each in select(result.counts, unit=unit, **where)
    )


def test_families_and_children_are_counted_apart(spec, entry) -> None:
    result = delivery.fit(entry, trial(spec), spec)
    assert counted(result, "received") == (3, 5)
    assert counted(result, "not_received", reason="declined") == (1, 1)
    assert counted(result, "not_received", reason="court") == (0, 0)
    assert counted(result, "not_recorded") == (1, 1)
    assert counted(result, "other_service") == (1, 1)


def test_a_dose_is_reached_or_not_or_cannot_be_told(spec, entry) -> None:
    """Two sessions: F1 had eight, F2 one, F3 none; of F4's number and of F5 nothing is known."""
    result = delivery.fit(entry, trial(spec), spec)
    assert counted(result, "adherent") == (1, 3)
    assert counted(result, "adherent_not_known") == (2, 2)
    assert counted(result, "completed") == (), "no arm has such a dose"


def test_a_first_contact_is_the_one_that_a_dose_of_one_asks_for(spec, entry) -> None:
    """F4's service runs, its sessions are not counted yet: of two nothing is known, one it had."""
    rows = [("F4", True, None, True, 20, None) if each[0] == "F4" else each for each in SERVICE]
    single = Fulfilment(intervention=Dose(sessions=1), control=Dose(sessions=1))
    for dose, expected in ((entry.adherent, ((1, 3), (2, 2))), (single, ((3, 5), (1, 1)))):
        asked, data = entry.model_copy(update={"adherent": dose}), trial(spec, rows)
        result = delivery.fit(asked, data, spec)
        assert (counted(result, "adherent"), counted(result, "adherent_not_known")) == expected
        assert all(each.agrees for each in compare(result, again(asked, as_tables(data.tables, spec))))


def test_waits_of_those_served_and_of_all(spec, entry) -> None:
    """Of three families one had begun by day 30 and two by day 91; of their five children three and four."""
    result = delivery.fit(entry, trial(spec), spec)
    shares = {
        (each.labels["unit"], each.labels["day"]): each.value
        for each in select(result.estimates, name="begun", arm="NIM")
    }
    expected = {("family", "30"): 1 / 3, ("family", "91"): 2 / 3, ("child", "30"): 0.6, ("child", "91"): 0.8}
    assert shares == pytest.approx(expected)
    medians = [each.value for each in select(result.estimates, name="median", arm="NIM", of="wait_days")]
    assert medians == [35.0, 10.0]
    (of_all,) = select(result.estimates, name="median_of_all", arm="NIM", unit="family")
    assert of_all.value == 60


def test_waits_that_are_not_known_are_counted(spec, entry) -> None:
    """F4 received it on a day nobody wrote down, of F5 there is no record: three families have a wait."""
    result = delivery.fit(entry, trial(spec), spec)
    assert counted(result, "wait_known") == (3, 5)
    assert "Received without the day of a first contact, in no wait: 1 family." in result.notes
    assert "Without a record of the service, in no wait: 1 family." in result.notes


def test_greenwood_and_the_family_in_the_standard_error(spec, entry) -> None:
    """Of three families a share of one third has the standard error of a proportion; three children of one
    family tell no more than one."""
    result = delivery.fit(entry, trial(spec), spec)
    family, child = select(result.estimates, name="begun", arm="NIM", day="30")
    assert family.se == pytest.approx((1 / 3 * 2 / 3 / 3) ** 0.5)
    # Influences of the children on 3 / 5: 0.4 / 5 each of F1's three, -0.6 / 5 each of the two others.
    assert child.se == pytest.approx(((3 * 0.4 / 5) ** 2 + 2 * (0.6 / 5) ** 2) ** 0.5)


THIN = {
    "nobody received it": [(each[0], False, None, False, 913, None) for each in SERVICE],
    "no record": [(each[0], *(None,) * 5) for each in SERVICE],
    "all on the first day": [(each[0], True, None, True, 0, 3) for each in SERVICE],
    "half": [
        (each[0], n % 2 == 0, None, n % 2 == 0, 20 if n % 2 == 0 else 90, 3) for n, each in enumerate(SERVICE)
    ],
}


@pytest.mark.parametrize("rows", THIN.values(), ids=THIN)
@pytest.mark.parametrize("n", [len(CHILDREN), 7, 1], ids=["two arms", "one arm", "one family"])
def test_thin_data_give_the_same_numbers_twice(spec, entry, rows, n) -> None:
    data = trial(spec, rows)
    kept = data.tables["subjects"].head(n) if n > 1 else data.tables["subjects"].tail(1)
    frames = {**data.tables, "subjects": kept}
    result = delivery.fit(entry, type(data)(frames, "closed", data.arms, data._key), spec)
    differing = [
        each.name for each in compare(result, again(entry, as_tables(frames, spec))) if not each.agrees
    ]
    assert differing == []
    output = next(each for each in spec.outputs.values() if each.kind == "delivery")
    shown = tabulate(output, {"N02": result}, spec, "closed")
    words = {word for row in shown.rows for cell in row.cells for word in cell.text.split()}
    assert not {"nan", "None"} & words


def test_nobody_allocated_is_a_reason(spec) -> None:
    data = trial(spec)
    nobody = {**data.tables, "subjects": data.tables["subjects"][:0]}
    (found,) = fit_all(FAMILIES["delivery"], type(data)(nobody, "closed", data.arms, data._key), spec)
    assert isinstance(found, Failure) and "eligible" in found.reason

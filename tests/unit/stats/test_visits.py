"""States split by visits: by hand, against R, without censoring against counting, bad input."""

import numpy as np
import pytest

from analysis.errors import ModelError
from analysis.stats.multistate import aalen_johansen, occupation_at, time_in_state
from analysis.stats.visits import split_by_visits

BILIRUBIN = ("id", "start", "stop", "source", "target")
CARE, HOME, ADOPTED = range(3)


def test_home_before_and_after_re_entry():
    """In care, home, back in care, home, adopted; and a child who stays."""
    source = [HOME, CARE, CARE, HOME, CARE]
    target = [CARE, HOME, HOME, ADOPTED, -1]
    before, after, size = split_by_visits("aaaab", [2, 0, 5, 7, 0], source, target, 3, of=CARE)
    assert size == 9
    assert before.tolist() == [HOME + 3, CARE + 3, CARE + 6, HOME + 6, CARE + 3]
    assert after.tolist() == [CARE + 6, HOME + 3, HOME + 6, ADOPTED + 6, -1]


def test_before_the_first_visit_and_beyond_the_last():
    before, after, _ = split_by_visits(
        "a" * 5, range(5), [CARE, HOME, CARE, HOME, CARE], [HOME, CARE, HOME, CARE, HOME], 3, of=HOME, most=2
    )
    assert before.tolist() == [CARE, HOME + 3, CARE + 3, HOME + 6, CARE + 6]
    assert after.tolist() == [HOME + 3, CARE + 3, HOME + 6, CARE + 6, HOME + 6]


def test_a_row_that_goes_on_is_the_same_visit_and_a_gap_in_another_state_is_not():
    before, after, _ = split_by_visits(
        "aaa", [0, 1, 9], [HOME, HOME, CARE], [-1, CARE, -1], 3, of=CARE, most=3
    )
    assert before.tolist() == [HOME, HOME, CARE + 3] and after.tolist() == [-1, CARE + 3, -1]
    before, _, _ = split_by_visits("aa", [0, 9], [HOME, CARE], [-1, -1], 3, of=CARE)
    assert before.tolist() == [HOME, CARE + 3]
    before, _, _ = split_by_visits("aa", [0, 9], [CARE, CARE], [-1, -1], 3, of=CARE)
    assert before.tolist() == [CARE + 3, CARE + 3]


def test_occupation_of_split_states_against_r(survival_reference, assert_agrees):
    data, expected = survival_reference("pbcseq")
    order = np.random.default_rng(0).permutation(len(data["id"]))
    subject, start, stop, source, target = (data[name][order] for name in BILIRUBIN)
    *split, size = split_by_visits(subject, start, source, target, 6, of=0)
    occupation = aalen_johansen(subject, start, stop, *split, size, cluster=subject % 40)
    times = [200, 1000, 2000, 4000]
    states = expected["visits.states"].astype(int)
    columns = (np.arange(4)[:, None] * size + states).reshape(-1)
    probability, sojourn = occupation_at(occupation, times), time_in_state(occupation, times)
    ours = {
        "visits.states": np.union1d(split[0], split[1][split[1] >= 0]),
        "visits.initial": occupation.prob[0][states],
        "visits.pstate": probability.estimate[columns],
        "visits.sojourn": sojourn.estimate[columns],
        "visits.se_subject": np.sqrt((probability.influence**2).sum(axis=0))[columns],
        "visits.se_site": probability.se[columns],
        "visits.sojourn_se_site": sojourn.se[columns],
    }
    assert_agrees(ours, {key: expected[key] for key in expected if key.startswith("visits")})


def test_without_censoring_it_is_the_share_never_re_entered():
    generator = np.random.default_rng(2)
    state, rows = np.zeros(60, dtype=int), []
    has_re_entered = np.zeros(60, dtype=bool)
    for day in range(8):
        onward = np.where(generator.random(60) < 0.4, generator.integers(0, 3, 60), state)
        rows += [(i, day, day + 1, state[i], onward[i]) for i in range(60)]
        has_re_entered |= (onward == CARE) & (state != CARE)
        state = onward
    subject, start, stop, source, target = np.array(rows).T
    *split, size = split_by_visits(subject, start, source, target, 3, of=CARE)
    probability = aalen_johansen(subject, start, stop, *split, size).at([8])[0]
    for place in (HOME, ADOPTED):
        np.testing.assert_allclose(probability[place + 3], np.mean((state == place) & ~has_re_entered))
        np.testing.assert_allclose(probability[place + 6], np.mean((state == place) & has_re_entered))


@pytest.mark.parametrize("options", [{"of": 3}, {"of": -1}, {"of": 0, "most": 0}])
def test_options_are_refused(options):
    with pytest.raises(ModelError, match="visits need"):
        split_by_visits("a", [0], [0], [1], 3, **options)


def test_a_bad_row_is_named():
    with pytest.raises(ModelError, match="row 1 .*target must be"):
        split_by_visits("ab", [0, 0], [0, 0], [1, 3], 3, of=0)

"""What must hold for every set of histories: intervals tile follow-up, and complete data are counted."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.data.recurrences import counting_process
from analysis.models import occupation, recurrence
from analysis.results import select
from tests.unit.models.small_trial import recurrences, small_trial, transitions

COMMON = settings(max_examples=20, deadline=None, derandomize=True)
seeds = st.integers(0, 2**32 - 1)
days = st.lists(st.integers(-5, 60), max_size=8)
HORIZON, LAST = 913, 1000


@COMMON
@given(days, st.integers(0, 20), st.integers(0, 40), st.booleans())
def test_intervals_tile_the_follow_up_and_end_at_its_events(happened, entry, length, died):
    end = entry + length
    followed = pd.DataFrame(
        [("child", "C", "F", entry, end, died)],
        columns=["level", "unit_id", "family_id", "entry", "end", "is_death"],
    )
    occurred = pd.DataFrame({"level": "child", "unit_id": "C", "day": pd.Series(happened, dtype="int64")})
    occurred = occurred.assign(source_file="f.csv", source_row=range(2, 2 + len(happened)))
    rows = counting_process(followed, occurred)
    inside = sorted({day for day in happened if entry < day <= end})
    assert rows.loc[rows["is_event"], "stop"].tolist() == inside
    assert (rows["stop"] - rows["start"]).sum() == length
    assert (rows["stop"] > rows["start"]).all()
    assert (rows["start"].iloc[1:].to_numpy() == rows["stop"].iloc[:-1].to_numpy()).all()
    assert rows["is_death"].sum() == (died and length > 0)


def sample(seed: int, spec) -> tuple[list[tuple], dict[str, list]]:
    """Children in families with paths along the graph, all followed to the last day."""
    generator, children, paths = np.random.default_rng(seed), [], {}
    edges = {state: [to for to in targets if to != "died"] for state, targets in spec.states.edges.items()}
    for at in range(12):
        children.append((f"C{at:02}", f"F{at // 2}", ("NIM", "SAU")[at // 2 % 2], "GLA"))
        path, now = ["care"], 0
        for stop in np.sort(generator.choice(np.arange(1, LAST), generator.integers(0, 6), replace=False)):
            path += [int(stop), str(generator.choice(edges[path[-1]]))]
            now = stop
        assert now < LAST
        paths[f"C{at:02}"] = [*path, LAST]
    return children, paths


def state_at(path: list, day: int) -> tuple[str, bool]:
    """State on a day, and whether the child has come back into care from a family home by then."""
    state, returned = path[0], False
    for stop, target in zip(path[1::2], path[2::2], strict=False):
        if stop <= day:
            returned |= state in ("home", "kin", "adopted") and target in ("care", "foster")
            state = target
    return state, returned


@COMMON
@given(seeds)
def test_complete_histories_are_counted(spec, seed):
    """With nobody lost each probability is a share of the children, with and without a return."""
    children, paths = sample(seed, spec)
    data = small_trial(spec, children, transitions=transitions(children, paths))
    result = occupation.fit(spec.analyses["A40"], data, spec)
    for name, first_time in (("occupation", False), ("occupation_never_returned", True)):
        for each in select(result.estimates, name=name):
            mine = [child for child, _, arm, _ in children if arm == each.labels["arm"]]
            seen = [state_at(paths[child], int(each.labels["day"])) for child in mine]
            wanted = (
                spec.states.family_home if each.labels["state"] == "family_home" else (each.labels["state"],)
            )
            share = np.mean([state in wanted and not (first_time and back) for state, back in seen])
            assert each.value == pytest.approx(share, abs=1e-12)


@COMMON
@given(seeds)
def test_returns_are_counted_alike_from_histories_and_as_recurrent_events(spec, seed):
    """Who has come back by a day has had an event by then; the mean number is the number of events."""
    children, paths = sample(seed, spec)
    back = {
        child: tuple(
            stop
            for source, stop, target in zip(path[::2], path[1::2], path[2::2], strict=False)
            if source in ("home", "kin", "adopted") and target in ("care", "foster")
        )
        for child, path in paths.items()
    }
    family = {child: of for child, of, *_ in children}
    data = small_trial(spec, children, recurrences=recurrences(family, back, end=LAST))
    result = recurrence.fit(spec.analyses["A41A"], data, spec)
    for each in select(result.estimates, name="mean_count"):
        day = int(each.labels["day"])
        mine = [child for child, _, arm, _ in children if arm == each.labels["arm"]]
        number = [sum(stop <= day for stop in back[child]) for child in mine]
        assert each.value == pytest.approx(np.mean(number), abs=1e-12)
        families = (
            pd.Series(np.array(number) - np.mean(number)).groupby([family[child] for child in mine]).sum()
        )
        assert each.se == pytest.approx(np.sqrt((families**2).sum()) / len(mine), abs=1e-12)
        assert [state_at(paths[child], day)[1] for child in mine] == [each > 0 for each in number]

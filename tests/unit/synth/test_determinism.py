"""Equal arguments give equal bytes, and one part's random numbers do not depend on another part's."""

from dataclasses import replace

import numpy as np
import pytest

from analysis.errors import SpecError
from analysis.spec.synthetic import with_values
from analysis.synth.draw import draw_trial
from analysis.synth.streams import stream
from analysis.synth.trial import generate, write_trial


def test_equal_arguments_give_equal_bytes(parameters):
    first, second = (generate(parameters, seed=11) for _ in range(2))
    assert first.raw == second.raw
    assert first.allocation == second.allocation
    assert (first.truth, first.dirt) == (second.truth, second.dirt)


def test_seeds_give_different_trials(parameters):
    first, second = (generate(parameters, seed=seed) for seed in (11, 12))
    # An authority with no child of the trial in its care in a year sends nothing for it.
    both = first.raw.keys() & second.raw.keys()
    assert len(both) > 0.9 * len(first.raw)
    # What describes a project is the same in every trial.
    data = [path for path in both if not path.endswith("_dictionary.csv")]
    assert all(first.raw[path] != second.raw[path] for path in data)
    assert first.allocation != second.allocation


def test_streams_of_two_purposes_are_unrelated():
    first, second = stream(5, "ages").standard_normal(20_000), stream(5, "sex").standard_normal(20_000)
    assert abs(np.corrcoef(first, second)[0, 1]) < 4 / np.sqrt(20_000)
    np.testing.assert_array_equal(first, stream(5, "ages").standard_normal(20_000))


@pytest.mark.parametrize(
    ("change", "touched"),
    [
        ({"sdq.difference": 3.0}, {"trial/redcap_children.csv"}),
        ({"flow.other_events": 60}, {"trial/redcap_events.csv"}),
        ({"records.court_weeks": {"GLA": 50, "LON": 50}}, {"court/proceedings.csv"}),
        ({"records.respite": 0.9}, "london/"),
        ({"flow.referrals": 700}, {"trial/screening_log.csv"}),
    ],
)
def test_a_changed_part_leaves_the_others_alone(parameters, change, touched):
    before = generate(parameters, seed=4, dirt=False)
    after = generate(with_values(parameters, change), seed=4, dirt=False)
    changed = {path for path in before.raw if before.raw[path] != after.raw[path]}
    if isinstance(touched, str):
        assert changed
        assert all(path.startswith(touched) for path in changed)
    else:
        assert changed == touched
    assert before.allocation == after.allocation


def test_leaving_out_the_other_instruments_changes_nothing_else(parameters, draw):
    short = draw_trial(parameters, seed=draw.seed, sdq_only=True)
    np.testing.assert_array_equal(short.sdq["V5"].items, draw.sdq["V5"].items)
    np.testing.assert_array_equal(short.histories.day, draw.histories.day)


def test_without_dirt_no_spot_is_listed(clean):
    assert clean.dirt == ()


def test_the_files_are_written_where_they_belong(tmp_path, dirty):
    write_trial(dirty, tmp_path / "raw", tmp_path / "restricted")
    raw = {path.relative_to(tmp_path / "raw").as_posix() for path in (tmp_path / "raw").rglob("*.*")}
    assert raw == set(dirty.raw) - {"service/delivery.csv"}
    assert {path.name for path in (tmp_path / "restricted").rglob("*.*")} == {
        "delivery.csv",
        "allocation.csv",
        "truth.json",
        "dirt.csv",
    }
    assert (tmp_path / "restricted" / "allocation.csv").read_bytes() == dirty.allocation
    write_trial(replace(dirty, dirt=()), tmp_path / "raw", tmp_path / "restricted")
    assert (tmp_path / "restricted" / "dirt.csv").read_text().count("\n") == 1


@pytest.mark.parametrize("scale", [0, -1])
def test_a_size_without_children_is_refused(parameters, scale):
    with pytest.raises(SpecError, match="scale"):
        draw_trial(parameters, seed=1, scale=scale)


@pytest.mark.parametrize("scale", [0.05, 0.3, 2.5])
def test_other_sizes(parameters, scale):
    drawn = draw_trial(parameters, seed=1, scale=scale)
    assert drawn.families.n == pytest.approx(382 * scale, abs=4)
    assert abs(2 * int(drawn.families.arm.sum()) - drawn.families.n) == 0
    assert int(drawn.followup.is_seen.sum()) == pytest.approx(367 * scale, abs=8)


@pytest.mark.parametrize(("seed", "scale"), [(3, 0.05), (4, 0.03), (6, 0.02), (3, 0.005)])
def test_a_part_of_the_trial_is_one_however_small(parameters, seed, scale):
    """One without a single deviation is a register with a header."""
    trial = generate(parameters, seed=seed, scale=scale)
    assert all(content for content in trial.raw.values())
    assert {each.kind for each in trial.dirt}


def test_a_part_without_a_family_of_each_site_is_refused(parameters):
    with pytest.raises(SpecError, match="no family of site GLA"):
        generate(parameters, seed=1, scale=0.003)

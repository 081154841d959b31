"""The declaration: each number public or assumed, the sums kept, a misspelt key refused."""

import shutil

import pytest
import yaml

from analysis.errors import SpecError
from analysis.spec.base import read_yaml
from analysis.spec.synthetic import load_synthetic, with_values


def entries(body, path=()):
    if isinstance(body, dict) and "value" in body:
        yield path, body
    elif isinstance(body, dict):
        for key, each in body.items():
            yield from entries(each, (*path, key))


def _uneven(design):
    design["sites"]["value"] = {"GLA": 251, "LON": 131}
    design["epochs"]["value"] = {"GLA": {"CBR": 106, "RCB": 45, "CRB": 100}, "LON": {"CRB": 131}}


@pytest.fixture
def copy(tmp_path, data_spec):
    """A copy of the declarations whose synthetic part a test may spoil."""

    def spoiled(change):
        folder = tmp_path / "data_spec"
        shutil.copytree(data_spec, folder, dirs_exist_ok=True)
        body = read_yaml(folder / "synthetic.yaml")
        change(body)
        (folder / "synthetic.yaml").write_text(yaml.safe_dump(body), encoding="utf-8")
        return folder

    return spoiled


def test_every_number_names_its_source_or_reason(data_spec):
    found = list(entries(read_yaml(data_spec / "synthetic.yaml")))
    assert len(found) > 70
    for path, entry in found:
        assert set(entry) in ({"value", "public"}, {"value", "assumed"}), path
        assert len(entry.get("public") or entry.get("assumed")) >= 10, path


def test_the_flow_adds_up(parameters):
    flow = parameters.flow
    assert flow.lost_families == 74
    assert sum(flow.served_families.value.values()) / flow.eligible_families.value == pytest.approx(
        0.664, abs=5e-4
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda body: body["flow"]["late_joiners"].update(value=2), "followed_up_children"),
        (lambda body: body["flow"]["girls"].pop("public"), "public"),
        (lambda body: body["flow"]["girls"].update(assumed="no"), "public"),
        (
            lambda body: body["care"].update(deth_rate={"value": 0.1, "assumed": "no such parameter"}),
            "deth_rate",
        ),
        (lambda body: body["care"]["routes"]["value"]["LON"].update(home=0.9), "add up to 1"),
        (lambda body: body["design"]["sites"].update(value={"GLA": 252, "LON": 130}), "epochs"),
        (lambda body: _uneven(body["design"]), "even number"),
        (
            lambda body: body["design"]["last_randomisation"].update(value="2021-07-31"),
            "due after the data cut",
        ),
    ],
)
def test_a_wrong_declaration_is_refused(copy, change, message):
    with pytest.raises(SpecError, match=message):
        load_synthetic(copy(change))


def test_scenarios_change_one_value(parameters):
    changed = with_values(parameters, {"sdq.difference": 0.0, "care.transfer_rate": 0.0})
    assert (changed.sdq.difference.value, changed.care.transfer_rate.value) == (0.0, 0.0)
    assert changed.flow == parameters.flow
    assert parameters.sdq.difference.value == 0.4


@pytest.mark.parametrize("values", [{"sdq.diference": 0}, {"difference": 0}, {"sdq.difference": "large"}])
def test_a_scenario_of_nothing_is_refused(parameters, values):
    with pytest.raises(SpecError):
        with_values(parameters, values)

"""The description of the data: every variable with its anchor, codes, limits, origin and rules."""

import html
import re
from pathlib import Path

import pytest

from analysis.present.define_page import render_define
from analysis.spec.declarations import Spec
from analysis.spec.load import load_mapping
from analysis.spec.redcap_source import RedcapSource

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def pages(spec: Spec) -> dict[str, str]:
    mapping = load_mapping(ROOT / "data_spec", "synthetic")
    about = {"cut": "2023-12-31", "templates": ROOT / "reports", "synthetic": False}
    return {view: render_define(view, spec, mapping, **about) for view in ("open", "closed")}


def line(page: str, anchor: str) -> list[str]:
    """The cells of one variable."""
    (row,) = re.findall(rf'<tr id="{re.escape(anchor)}">(.*?)</tr>', page)
    cells = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)
    return [html.unescape(re.sub(r"<[^>]*>", " ", cell)).strip() for cell in cells]


@pytest.mark.parametrize("view", ["open", "closed"])
def test_every_table_and_variable_of_the_view_has_an_anchor(pages, spec: Spec, view: str) -> None:
    anchors = set(re.findall(r'id="([^"]+)"', pages[view]))
    for table in spec.package.resources:
        wanted = {table.name, *(f"{table.name}.{name}" for name in table.columns)}
        assert wanted <= anchors if table.audience == view else not wanted & anchors


@pytest.mark.parametrize("view", ["open", "closed"])
def test_every_link_leads_somewhere_and_no_anchor_stands_twice(pages, view: str) -> None:
    anchors = re.findall(r' id="([^"]+)"', pages[view])
    assert len(anchors) == len(set(anchors))
    links = set(re.findall(r'href="#([^"]+)"', pages[view]))
    assert links <= set(anchors)
    elsewhere = set(re.findall(r'href="([^"#]+)', pages[view]))
    assert elsewhere == (set() if view == "open" else {"../open/define.html"})


def test_a_raw_variable_is_told_with_its_columns(pages) -> None:
    name, label, kind, limits, origin, rules = line(pages["open"], "placements.start_date")
    assert (name, label, kind, limits) == ("start_date*", "First day", "date", "required")
    assert "london/*/ssda903_episodes_*: DECOM" in origin
    assert "glasgow/clas_placements.csv: placement_start_date" in origin
    assert {"PL01", "PL02", "PL05", "PL09"} <= set(rules.split())
    assert "always CLAS" in line(pages["open"], "placements.source_system")[4]
    assert "S where the placement begins with its episode" in line(pages["open"], "placements.reason_new")[4]
    assert "clas_legal_reasons.csv: legal_reason" in line(pages["open"], "placements.legal_status")[4]


def test_what_a_project_of_redcap_does_not_hold_in_one_column_is_told_by_its_columns() -> None:
    boxes = {"group": "why", "codes": {"1": "age", "-88": "court"}, "none": "other", "several": "first"}
    source = RedcapSource(
        kind="redcap",
        table="screening",
        files="a.csv",
        dialect="d",
        dictionary="b.csv",
        columns={"site": "dag"},
        checkboxes={"reason": boxes},
        templates={"family_id": "F{family:04}"},
    )
    told = (
        "boxes of why: age if why___1, court if why____88; other if none is ticked; if several are, the first"
    )
    assert source.origin("reason").startswith(told)
    assert source.origin("family_id") == "put together of columns: F{family:04}"
    assert (source.origin("site"), source.origin("referral_date")) == ("dag", "")


def test_a_derived_variable_is_told_with_its_making(pages, spec: Spec) -> None:
    assert line(pages["open"], "subjects.age_months")[2:5] == [
        "number, months",
        "required",
        "(randomisation_date - birth_date) / 30.4375",
    ]
    for name in spec.table_names(layer="derived", audience="open"):
        for field in spec.table(name).columns:
            assert line(pages["open"], f"{name}.{field}")[4]


def test_keys_and_limits(pages) -> None:
    assert (
        line(pages["open"], "children.family_id")[3]
        == "required, form F[0-9]{4,7}; key to  families.family_id"
    )
    assert line(pages["open"], "sdq.q01")[3] == "0 to 2"
    assert line(pages["open"], "outcomes.n_items")[3] == "at least 0"


def test_codes_have_labels_and_the_dates_between_which_they_hold(pages, spec: Spec) -> None:
    for name, codes in spec.codes.items():
        if f'id="codes-{name}"' in pages["open"]:
            for code in codes.values():
                assert html.escape(code.label, quote=False).replace("'", "&#39;") in pages["open"]
    table = pages["open"][pages["open"].index('id="codes-local_authority"') :]
    assert re.search(r"BROMLEY</th><td>Bromley</td><td>\d{4}-\d\d-\d\d</td>", table)


def test_missing_values_and_rules_are_told_in_full(pages, spec: Spec) -> None:
    for reason in spec.package.missingReasons:
        assert f"<td>{reason.label}</td>" in html.unescape(pages["open"])
    for rule in spec.rules.values():
        told = rule.table not in spec.table_names(audience="closed")
        assert (f'id="rule-{rule.id}"' in pages["open"]) == told
        assert f'id="rule-{rule.id}"' in pages["closed"]


def test_the_open_page_knows_no_arm(pages, spec: Spec) -> None:
    for code, label in spec.codelists["arm"].items():
        assert not re.search(rf"\b{code}\b", pages["open"])
        assert label not in pages["open"]
        assert label in pages["closed"]

"""What became known between two cuts, counted by hand."""

import json
from pathlib import Path

import pytest

from analysis.__main__ import main
from analysis.data.delta import changes, count_changes
from analysis.data.table import text_csv
from analysis.sources.snapshot import digest_of_all
from analysis.spec.declarations import Spec
from tests.unit.data.tables import cells, shown

BEFORE = """
family_id | application_date | final_order_date | order_type
F0001     | 2014-01-01       |                  |
F0002     | 2014-01-01       | 2014-06-01       | care_order
F0003     | 2014-01-01       | .blank           |
F0004     | 2014-01-01       |                  |
"""
AFTER = """
family_id | application_date | final_order_date | order_type
F0001     | 2014-01-01       | 2015-01-01       | care_order
F0002     | 2014-01-01       | 2014-06-02       |
F0003     | 2014-01-01       | .invalid         |
F0005     | 2015-01-01       |                  |
"""


def test_each_row_and_cell_is_told_once(spec: Spec) -> None:
    table = spec.table("proceedings")
    before, after = cells(spec, "proceedings", BEFORE), cells(spec, "proceedings", AFTER)
    found = changes(before, after.iloc[::-1].assign(source_row="99"), table)
    assert shown(found, "table", "key", "field", "kind") == [
        ("proceedings", "F0001/2014-01-01", "final_order_date", "filled"),
        ("proceedings", "F0001/2014-01-01", "order_type", "filled"),
        ("proceedings", "F0002/2014-01-01", "final_order_date", "changed"),
        ("proceedings", "F0002/2014-01-01", "order_type", "emptied"),
        ("proceedings", "F0003/2014-01-01", "final_order_date", "reason"),
        ("proceedings", "F0004/2014-01-01", "", "gone"),
        ("proceedings", "F0005/2015-01-01", "", "new"),
    ]
    counts = count_changes(found, {"proceedings": (4, 4), "sdq": (0, 0)})
    assert shown(counts, "table", "rows_before", "field", "kind", "n")[:2] == [
        ("proceedings", 4, "", "gone", 1),
        ("proceedings", 4, "", "new", 1),
    ]
    assert shown(counts, "table", "field", "kind", "n")[-1] == ("sdq", "", "none", 0)
    assert counts["n"].sum() == len(found)
    assert changes(before, before, table).empty


@pytest.fixture
def runs(spec: Spec, tmp_path: Path) -> list[Path]:
    """Output folders of two runs, with their records and one table that is not empty."""
    folders = [tmp_path / name for name in ("first", "second")]
    names = (*spec.table_names(layer="raw", audience="open"), *spec.table_names(layer="derived"))
    for folder, day, text in zip(folders, ("2014-12-31", "2015-12-31"), (BEFORE, AFTER), strict=True):
        for table in map(spec.table, names):
            rows = text if table.name == "proceedings" else table.columns[0]
            path = folder / table.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text_csv(cells(spec, table.name, rows), table, spec))
        record = {"cut": day, "digest": digest_of_all({}), "files": {}}
        (folder / "data" / "cut.json").write_text(json.dumps(record))
    return folders


def test_numbers_are_for_everybody_and_keys_for_the_data_managers(runs: list[Path], capsys) -> None:
    first, second = runs
    about = ["delta", "--view", "open", "--before", first, "--after", second]
    about += ["--out", second / "open" / "delta"]
    assert main([str(each) for each in [*about, "--keys", second / "data" / "delta.csv"]]) == 0
    body = json.loads((second / "open" / "delta" / "delta.json").read_text())
    assert (body["before"]["cut"], body["after"]["cut"]) == ("2014-12-31", "2015-12-31")
    assert {
        "table": "proceedings",
        "rows_before": 4,
        "rows_after": 4,
        "field": "",
        "kind": "new",
        "n": 1,
    } in body["changes"]
    shown_to_all = "".join(path.read_text() for path in (second / "open" / "delta").iterdir())
    assert "F0005" not in shown_to_all
    assert "F0005" in (second / "data" / "delta.csv").read_text()
    (second.parent / "third" / "data").mkdir(parents=True)
    for folder in (second, second.parent / "third"):
        assert main([str(each) for each in [*about, "--keys", folder / "open" / "keys.csv"]]) == 2
        assert "it may not lie in open/" in capsys.readouterr().err
    elsewhere = second.parent / "open" / "keys.csv"
    assert main([str(each) for each in [*about, "--keys", elsewhere]]) == 0, "no run has its data beside it"

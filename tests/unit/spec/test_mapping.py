"""A mapping that names something undeclared, or leaves something out, stops when it is loaded."""

import pytest
from pydantic import ValidationError

from analysis.spec.load import load_mapping
from analysis.spec.source_base import Dialect
from tests.unit.spec.conftest import Declarations

FILE = "mappings/synthetic.yaml"
WITHDRAWALS = "withdrawal_level: level, reason: reason}"

# What is broken: text, its replacement, and what the message must hold.
BROKEN = {
    "undeclared table": ("- table: deviations", "- table: deviation", ("no table 'deviation'",)),
    "derived table": ("- table: deviations", "- table: subjects", ("subjects", "derived table")),
    "undeclared field": (
        WITHDRAWALS,
        "withdrawal_level: level, reason: reason, note: note}",
        ("withdrawals", "note"),
    ),
    "field without origin": (
        WITHDRAWALS,
        "withdrawal_level: level}",
        ("withdrawals", "mapped field: reason"),
    ),
    "field with two origins": (
        "source_system: SSDA903}",
        "source_system: SSDA903, start_date: ''}",
        ("placements", "start_date"),
    ),
    "undeclared dialect": ("dialect: semicolon", "dialect: colon", ("proceedings", "colon", "semicolon")),
    "undeclared reason": ('"-95": refused', '"-95": declined', ("missing", "declined")),
    "kind of export": ("kind: clas", "kind: klas", ("synthetic.yaml", "kind")),
    "two delimiters": ('delimiter: ";"', 'delimiter: ";;"', ("semicolon, delimiter",)),
    "undeclared encoding": ("encoding: cp1252", "encoding: cp12520", ("semicolon, encoding", "Python")),
    "field of values": (
        "values: &child_values\n      sex:",
        "values: &child_values\n      sexx:",
        ("values", "sexx"),
    ),
    "code of values": (
        'sex: {"1": M, "2": F}',
        'sex: {"1": male, "2": F}',
        ("values of sex", "male", "F, M"),
    ),
    "episode of a CLAS row": (
        ", episode_start_date: episode_start_date",
        "",
        ("placements", "mapped field: episode_start_date"),
    ),
    "reason that the CLAS reader gives": (
        "constants: {source_system: CLAS}",
        "constants: {source_system: CLAS, reason_new: S}",
        ("reason_new",),
    ),
    "table without a source": (
        "  - table: deviations\n"
        "    kind: tabular\n"
        "    files: trial/deviations.csv\n"
        "    dialect: spreadsheet\n"
        "    columns: {family_id: family, deviation_date: date, category: category, level: level}\n",
        "",
        ("deviations", "absent"),
    ),
    "undeclared absent table": ("absent: [adoption_decisions]", "absent: [visits]", ("absent", "visits")),
    "open and closed table from one file": (
        "files: service/delivery.csv",
        "files: trial/deviations.csv",
        ("trial/deviations.csv", "open and closed"),
    ),
    "events of two arms in an open file": (
        "[baseline, month_15, year_2_5]",
        "[baseline_arm_1, baseline_arm_2]",
        ("trial/redcap_children.csv", "arms"),
    ),
    "key given twice": ('"-95": refused', '"-95": refused\n  "-95": lost', ("-95", "twice")),
}


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: case.replace(" ", "_"))
def test_one_broken_thing_is_named(declarations: Declarations, case: str) -> None:
    old, new, named = BROKEN[case]
    declarations.edit(FILE, old, new)
    message = declarations.refusal()
    assert "synthetic.yaml" in message or "no table" in message
    for part in named:
        assert part in message, message


def test_an_absent_mapping_is_named(declarations: Declarations) -> None:
    message = declarations.refusal(mapping="castor")
    assert "castor.yaml: no such file in mappings/" in message


def test_a_table_an_export_does_not_bring_is_said_to_be_absent(declarations: Declarations) -> None:
    old, new, _ = BROKEN["table without a source"]
    declarations.edit(FILE, old, new)
    declarations.edit(FILE, "absent: [adoption_decisions]", "absent: [adoption_decisions, deviations]")
    assert load_mapping(declarations.folder, "synthetic").absent == ("adoption_decisions", "deviations")


def test_one_redcap_arm_is_not_the_arm_of_the_trial(declarations: Declarations) -> None:
    """A longitudinal project of one arm ends every event in ``_arm_1``."""
    text = (declarations.folder / FILE).read_text()
    (declarations.folder / FILE).write_text(
        text.replace("[baseline, month_15, year_2_5]", "[baseline_arm_1, month_15_arm_1, year_2_5_arm_1]")
    )
    load_mapping(declarations.folder, "synthetic")


def test_a_date_that_two_forms_read_as_two_days_is_refused() -> None:
    """The fifth of April here is the fourth of May there; day and year of four digits cannot be mistaken."""
    how = {"delimiter": ",", "encoding": "utf-8", "decimal": "."}
    assert len(Dialect(**how, dates=("%d/%m/%Y", "%Y-%m-%d", "%d.%m.%Y")).dates) == 3
    for pair in (("%d/%m/%Y", "%m/%d/%Y"), ("%Y-%m-%d", "%Y-%d-%m"), ("%d/%m/%y", "%y/%m/%d")):
        with pytest.raises(ValidationError, match="read one text as two days"):
            Dialect(**how, dates=pair)


@pytest.mark.parametrize(
    ("how", "word"),
    [
        ({"delimiter": ",", "encoding": "utf-8"}, "needs decimal"),
        ({"delimiter": ",", "encoding": "utf-8", "decimal": ".", "sheet": "a"}, "does not read sheet"),
        ({"delimiter": "\n", "encoding": "utf-8", "decimal": "."}, "separate cells"),
        ({"delimiter": '"', "encoding": "utf-8", "decimal": "."}, "separate cells"),
        ({"delimiter": ",", "encoding": "base64", "decimal": "."}, "encoding of text"),
        ({"delimiter": ",", "encoding": "zip", "decimal": "."}, "encoding of text"),
        ({"format": "excel"}, "needs sheet"),
        ({"format": "excel", "sheet": "a", "delimiter": ","}, "does not read delimiter"),
        ({"format": "stata"}, "needs cells"),
        ({"format": "spss", "cells": "names"}, "cells"),
        ({"format": "sas7bdat", "cells": "codes"}, "does not read cells"),
        ({"format": "xport"}, "needs encoding"),
        ({"format": "parquet", "encoding": "utf-8"}, "does not read encoding"),
        ({"format": "excel", "sheet": "a", "dates": ["%Y-%d-%m"]}, "read one text as two days"),
        ({"format": "access"}, "format"),
    ],
)
def test_a_dialect_has_the_keys_that_its_format_reads(how: dict, word: str) -> None:
    with pytest.raises(ValidationError, match=word):
        Dialect(**{"dates": (), **how})


def test_a_file_is_read_with_one_dialect_but_for_sheets(declarations: Declarations) -> None:
    """The second of two dialects would be passed over without a word."""
    old = "dialect: redcap\n    where: {redcap_event_name: [enrolment]}"
    declarations.edit(FILE, old, old.replace("dialect: redcap", "dialect: spreadsheet"))
    assert "trial/redcap_children.csv: read with two dialects" in declarations.refusal(mapping="synthetic")


def test_missing_codes_of_a_field_are_declared(declarations: Declarations) -> None:
    old = "    files: trial/deviations.csv\n"
    declarations.edit(FILE, old, old + '    missing: {category: {"9": declined}}\n')
    message = declarations.refusal(mapping="synthetic")
    assert "missing of category" in message
    assert "declined" in message
    declarations.edit(FILE, "missing: {category: {", "missing: {categories: {")
    assert "no such field of any table: categories" in declarations.refusal(mapping="synthetic")


def test_a_copied_mapping_has_the_name_of_its_file(declarations: Declarations) -> None:
    folder = declarations.folder / "mappings"
    (folder / "mine.yaml").write_text((folder / "synthetic.yaml").read_text())
    assert "mine.yaml: name: it says synthetic" in declarations.refusal(mapping="mine")
    declarations.edit("mappings/mine.yaml", "name: synthetic", "name: mine")
    declarations.load()
    assert load_mapping(declarations.folder, "mine").name == "mine"

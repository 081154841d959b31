"""An export of REDCap in its usual shapes: events, repeats, boxes, branching, labels, missing-data codes."""

import csv
import io
from typing import Any

import pytest

from analysis.errors import BlindingError, SourceError, SpecError
from analysis.sources.ingest import Ingested
from analysis.spec.check_mapping import check_mapping
from analysis.spec.mapping import Mapping
from analysis.spec.redcap_source import RedcapSource
from analysis.synth.dictionary import HEADINGS
from tests.unit.sources.conftest import COMMA, Exports

INTERFACE_NAMES = (
    *("field_name", "form_name", "section_header", "field_type", "field_label"),
    *("select_choices_or_calculations", "field_note", "text_validation_type_or_show_slider_number"),
    *("text_validation_min", "text_validation_max", "identifier", "branching_logic", "required_field"),
    *("custom_alignment", "question_number", "matrix_group_name", "matrix_ranking", "field_annotation"),
)
# name, form, type, choices, validation, branching logic
REFERRAL = [
    ("ref", "referral", "text", "", "", ""),
    ("site", "referral", "dropdown", "1, Glasgow | 2, London", "", ""),
    ("authority", "referral", "text", "", "", ""),
    ("referred", "referral", "text", "", "date_dmy", ""),
    ("n_children", "referral", "text", "", "integer", ""),
    ("result", "outcome", "radio", "1, Randomised | 2, Not eligible | 3, Declined", "", ""),
    ("why", "outcome", "checkbox", "1, Age | 2, Returned home | -88, Court", "", "[result] <> '1'"),
    ("family", "outcome", "text", "", "", "[result] = '1'"),
]
SOURCE: dict[str, Any] = {
    "table": "screening",
    "kind": "redcap",
    "files": "referrals.csv",
    "dictionary": "dictionary.csv",
    "columns": {
        "screening_id": "ref",
        "site": "site",
        "local_authority": "authority",
        "referral_date": "referred",
        "n_children": "n_children",
        "screening_outcome": "result",
        "family_id": "family",
    },
    "values": {
        "site": {"1": "GLA", "2": "LON"},
        "screening_outcome": {"1": "randomised", "2": "not_eligible", "3": "declined"},
    },
    "checkboxes": {
        "reason": {"group": "why", "codes": {"1": "age", "2": "returned_home", "-88": "court"}},
    },
}
HEADER = (
    "ref,site,authority,referred,n_children,referral_complete,result,why___1,why___2,why____88,family,"
    "outcome_complete\n"
)
FULL = HEADER + (
    "S0001,1,GLASGOW,2020-01-31,1,2,1,0,0,0,F0001,2\n"
    "S0002,2,BEXLEY,2020-01-31,2,2,2,1,0,0,,2\n"
    "S0003,2,BEXLEY,2020-02-01,1,2,3,0,0,0,,2\n"
    "S0004,2,BEXLEY,2020-02-02,1,0,,0,0,0,,\n"
)


def dictionary(rows: list[tuple[str, ...]], headings: tuple[str, ...] = HEADINGS) -> str:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(headings)
    for name, form, kind, choices, validation, logic in rows:
        cells = {0: name, 1: form, 3: kind, 4: f"<b>{name}</b>", 5: choices, 7: validation, 11: logic}
        writer.writerow([cells.get(at, "") for at in range(len(headings))])
    return "\ufeff" + buffer.getvalue()


def changed(**keys: Any) -> dict[str, Any]:
    return {**SOURCE, **keys}


def read(exports: Exports, export: str = FULL, source: dict | None = None, **more: Any) -> Ingested:
    exports.write("referrals.csv", export)
    if not (exports.folder / "dictionary.csv").exists():
        exports.write("dictionary.csv", dictionary(REFERRAL))
    return exports.read(source or SOURCE, tables=("screening",), **more)


def column(found: Ingested, name: str, table: str = "screening") -> list[str]:
    return found.tables[table][name].tolist()


def findings(found: Ingested) -> list[tuple[int, str, str, str]]:
    return [(each.source_row, each.field, each.rule, each.action) for each in found.issues]


def test_what_was_not_asked_is_told_from_what_was_left_blank(exports: Exports) -> None:
    found = read(exports)
    # S0003 was asked and ticked nothing; the form of S0004 was never opened, so its zeros are no answer.
    assert column(found, "reason") == [".not_asked", "age", "", ".not_asked"]
    assert column(found, "family_id") == ["F0001", ".not_asked", ".not_asked", ".not_asked"]
    assert column(found, "screening_outcome") == ["randomised", "not_eligible", "declined", ""]
    assert found.issues == ()


def test_files_of_one_project_need_not_have_the_same_added_columns(exports: Exports) -> None:
    """One was exported without the state of a form and in another order, one with a column of its own."""
    whole = read(exports).tables["screening"].drop(columns=["source_file", "source_row"])
    (exports.folder / "referrals.csv").unlink()
    header, *rows = [line.split(",") for line in FULL.splitlines()]
    exports.write("referrals_1.csv", "\n".join(map(",".join, [header, *rows[:2]])))
    turned = [line[-2::-1] for line in [header, *rows[2:]]]
    exports.write("referrals_2.csv", "\n".join(map(",".join, turned)))
    exports.write("referrals_3.csv", HEADER.replace("ref,", "redcap_survey_identifier,ref,"))
    found = exports.read(changed(files="referrals_*.csv"), tables=("screening",)).tables["screening"]
    assert found[list(whole)].astype(object).equals(whole.astype(object))
    assert found["source_row"].tolist() == ["2", "3", "2", "3"]


@pytest.mark.parametrize("labels", [False, True])
def test_a_file_of_a_header_alone_is_an_empty_table(exports: Exports, labels: bool) -> None:
    found = read(exports, HEADER, changed(labels=labels))
    assert tuple(found.tables["screening"].columns) == exports.spec.table("screening").columns
    assert (len(found.tables["screening"]), found.issues) == (0, ())


def test_the_dictionary_is_counted_like_any_file(exports: Exports) -> None:
    counts = {(each.table, each.file): each for each in read(exports).counts}
    beside = counts["dictionary", "dictionary.csv"]
    assert (beside.rows_in, beside.rows_kept) == (len(REFERRAL), len(REFERRAL))
    rows = counts["screening", "referrals.csv"]
    assert (rows.rows_in, rows.rows_kept, rows.rows_set_aside) == (4, 4, 0)


def test_a_dictionary_from_the_programming_interface_says_the_same(exports: Exports) -> None:
    first = read(exports)
    exports.write("dictionary.csv", dictionary(REFERRAL, INTERFACE_NAMES))
    assert read(exports).tables["screening"].equals(first.tables["screening"])


def test_a_field_of_the_dictionary_may_be_longer_than_any_other_program_reads(exports: Exports) -> None:
    long = [("note", "referral", "descriptive", "x" * 181_280, "", "")]
    exports.write("dictionary.csv", dictionary([*REFERRAL, *long]))
    assert len(read(exports).tables["screening"]) == 4


def test_a_cell_filled_in_that_was_not_asked_is_a_query(exports: Exports) -> None:
    found = read(exports, HEADER + "S0001,1,GLASGOW,2020-01-31,1,2,2,1,0,0,F0001,2\n")
    assert column(found, "family_id") == ["F0001"]
    assert findings(found) == [(2, "family_id", "R10", "keep")]
    assert found.issues[0].key == "S0001"


def test_boxes_ticked_that_were_not_asked_are_a_query(exports: Exports) -> None:
    found = read(exports, HEADER + "S0001,1,GLASGOW,2020-01-31,1,2,1,1,0,0,F0001,2\n")
    assert column(found, "reason") == ["age"]
    assert findings(found) == [(2, "reason", "R10", "keep")]


def test_one_finding_for_a_row_however_many_fields_of_one_logic_it_fills(exports: Exports) -> None:
    hidden = [
        (*row[:5], "[result] = '9'") if row[0] in ("authority", "n_children") else row for row in REFERRAL
    ]
    exports.write("dictionary.csv", dictionary(hidden))
    found = read(exports, HEADER + "S0001,1,GLASGOW,2020-01-31,1,2,1,0,0,0,F0001,2\n")
    assert findings(found) == [(2, "local_authority", "R10", "keep")]


def test_a_declared_missing_code_is_no_answer_to_what_was_not_asked(exports: Exports) -> None:
    found = read(
        exports, HEADER + "S0001,1,GLASGOW,2020-01-31,1,2,2,1,0,0,-99,2\n", missing={"-99": "not_known"}
    )
    assert column(found, "family_id") == [".not_known"]
    assert found.issues == ()


@pytest.mark.parametrize("logic", ["[result] = today", "[elsewhere] = '1'", "[why] = '1'", "[why(7)] = '1'"])
def test_logic_that_is_not_evaluated_leaves_blanks_blank_and_is_noted_once(
    exports: Exports, logic: str
) -> None:
    other = [(*row[:5], logic) if row[0] == "family" else row for row in REFERRAL]
    exports.write("dictionary.csv", dictionary(other))
    found = read(exports)
    assert column(found, "family_id") == ["F0001", "", "", ""]
    (note,) = found.issues
    assert (note.rule, note.severity, note.field) == ("R11", "note", "family_id")
    assert (note.source_file, note.source_row) == ("dictionary.csv", 9)


BOXES = "S0001,1,GLASGOW,2020-01-31,1,2,2,{},2\n"


@pytest.mark.parametrize(
    ("several", "cells", "reason", "rule"),
    [
        ("error", "1,1,0,", ".invalid", "R13"),
        ("first", "1,1,0,", "age", None),
        ("first", "0,1,1,", "returned_home", None),
        ("error", "0,0,1,", "court", None),
        ("error", "0,2,1,", ".invalid", "R16"),
        ("error", "0,,,", "", None),
    ],
)
def test_several_boxes(exports: Exports, several: str, cells: str, reason: str, rule: str | None) -> None:
    boxes = {"reason": {**SOURCE["checkboxes"]["reason"], "several": several}}
    found = read(exports, HEADER + BOXES.format(cells), changed(checkboxes=boxes))
    assert column(found, "reason") == [reason]
    assert [each.rule for each in found.issues] == ([rule] if rule else [])


def test_two_boxes_of_one_code_are_one_answer(exports: Exports) -> None:
    boxes = {"reason": {"group": "why", "codes": {"1": "age", "2": "age", "-88": "court"}}}
    found = read(exports, HEADER + BOXES.format("1,1,0,"), changed(checkboxes=boxes))
    assert (column(found, "reason"), found.issues) == (["age"], ())


def test_joined_boxes_keep_every_answer(exports: Exports) -> None:
    columns = {name: each for name, each in SOURCE["columns"].items() if name != "local_authority"}
    boxes = {
        "reason": SOURCE["checkboxes"]["reason"],
        "local_authority": {"group": "why", "codes": {"1": "A", "2": "B", "-88": "C"}, "several": "joined"},
    }
    boxes["reason"] = {**boxes["reason"], "several": "first"}
    source = changed(columns=columns, checkboxes=boxes, ignore=["authority"])
    assert column(read(exports, HEADER + BOXES.format("1,0,1,"), source), "local_authority") == ["A;C"]


def test_nothing_ticked_where_it_was_asked_may_be_a_code_of_its_own(exports: Exports) -> None:
    boxes = {"reason": {**SOURCE["checkboxes"]["reason"], "none": "no_contact"}}
    found = read(exports, source=changed(checkboxes=boxes))
    assert column(found, "reason") == [".not_asked", "age", "no_contact", ".not_asked"]


def test_a_ticked_box_may_say_that_the_answer_is_missing(exports: Exports) -> None:
    header = HEADER.replace("why____88,", "why____88,why____99,")
    rows = "S0001,1,GLASGOW,2020-01-31,1,2,2,0,0,0,1,,2\nS0002,1,GLASGOW,2020-01-31,1,2,2,1,0,0,1,,2\n"
    found = read(exports, header + rows, missing={"-99": "refused"})
    assert column(found, "reason") == [".refused", ".invalid"]
    assert findings(found) == [(3, "reason", "R14", "set_missing")]


def test_a_form_that_was_opened_is_known_by_its_state_or_by_any_cell(exports: Exports) -> None:
    rows = [
        "S0001,1,GLASGOW,2020-01-31,1,2,,0,0,0,,0\n",
        "S0002,1,GLASGOW,2020-01-31,1,2,,0,0,0,,1\n",
        "S0003,1,GLASGOW,2020-01-31,1,2,3,0,0,0,,0\n",
    ]
    assert column(read(exports, HEADER + "".join(rows)), "reason") == [".not_asked", "", ""]


def test_dates_entered_before_they_were_validated_stay_as_text_for_the_checks_of_cells(
    exports: Exports,
) -> None:
    found = read(exports, HEADER + "S0001,1,GLASGOW,spring,1,2,1,0,0,0,F0001,2\n")
    assert column(found, "referral_date") == ["spring"]
    assert found.issues == ()


def test_what_redcap_adds_to_an_export_needs_no_mention(exports: Exports) -> None:
    header = HEADER.replace(
        "ref,", "ref,redcap_data_access_group,redcap_survey_identifier,referral_timestamp,"
    )
    row = "331-S0001,north,someone,[not completed],1,GLASGOW,2020-01-31,1,2,1,0,0,0,F0001,2\n"
    found = read(exports, header + row)
    # The prefix of the access group is part of the id, and for the checks of cells to judge.
    assert column(found, "screening_id") == ["331-S0001"]


def test_a_survey_that_was_begun_has_no_time(exports: Exports) -> None:
    header = HEADER.replace("ref,", "ref,referral_timestamp,")
    rows = "S0001,[not completed],1,GLASGOW,2020-01-31,1,2,1,0,0,0,F0001,2\n"
    rows += "S0002,2020-03-01,1,GLASGOW,2020-01-31,1,2,1,0,0,0,F0001,2\n"
    source = changed(
        columns={**SOURCE["columns"], "referral_date": "referral_timestamp"}, ignore=["referred"]
    )
    assert column(read(exports, header + rows, source), "referral_date") == ["", "2020-03-01"]


def test_the_access_group_may_be_the_site(exports: Exports) -> None:
    header = HEADER.replace("ref,", "ref,redcap_data_access_group,")
    source = changed(
        columns={**SOURCE["columns"], "site": "redcap_data_access_group"},
        values={**SOURCE["values"], "site": {"north": "GLA"}},
        ignore=["site"],
    )
    found = read(exports, header + "1-S1,north,1,GLASGOW,2020-01-31,1,2,1,0,0,0,F0001,2\n", source)
    assert column(found, "site") == ["GLA"]


LABELS = HEADER + (
    "S0001,Glasgow,GLASGOW,2020-01-31,1,Complete,Randomised,Unchecked,Unchecked,Unchecked,F0001,Complete\n"
    "S0002,London,BEXLEY,2020-01-31,2,Complete,Not eligible,Checked,Unchecked,Unchecked,,Complete\n"
    "S0003,London,BEXLEY,2020-02-01,1,Complete,Declined,,,,,Complete\n"
    "S0004,London,BEXLEY,2020-02-02,1,Incomplete,,Unchecked,Unchecked,Unchecked,,Incomplete\n"
)


def test_an_export_of_labels_is_the_export_of_codes(exports: Exports) -> None:
    codes = read(exports).tables["screening"]
    found = read(exports, LABELS, changed(labels=True))
    assert found.tables["screening"].equals(codes)
    assert found.issues == ()


def test_a_label_that_the_dictionary_does_not_offer(exports: Exports) -> None:
    found = read(exports, LABELS.replace("Declined", "Perhaps"), changed(labels=True))
    assert findings(found) == [(4, "screening_outcome", "R15", "keep")]
    assert column(found, "screening_outcome")[2] == "Perhaps"


def test_labels_that_do_not_tell_two_choices_apart(exports: Exports) -> None:
    twice = [(*row[:3], "1, Site | 2, Site", *row[4:]) if row[0] == "site" else row for row in REFERRAL]
    exports.write("dictionary.csv", dictionary(twice))
    with pytest.raises(SourceError, match="two choices of field 'site'"):
        read(exports, LABELS, changed(labels=True))


@pytest.mark.parametrize(
    ("field", "choices", "message"),
    [
        ("site", "1, Glasgow", "offers no choice '2'"),
        ("site", "1, Glasgow | 2, London | 3, Leeds", "offers the choice '3'"),
        ("why", "1, Age | 2, Home", "offers no choice '-88'"),
        ("why", "1, Age | 2, Home | 3, New | -88, Court", "offers the choice '3'"),
    ],
)
def test_choices_and_the_mapping_must_agree(exports: Exports, field: str, choices: str, message: str) -> None:
    other = [(*row[:3], choices, *row[4:]) if row[0] == field else row for row in REFERRAL]
    exports.write("dictionary.csv", dictionary(other))
    with pytest.raises(SourceError, match=rf"dictionary.csv, row \d, rule R21: field '{field}' {message}"):
        read(exports)


def test_a_choice_that_is_a_missing_code_or_one_of_our_codes_needs_no_value(exports: Exports) -> None:
    choices = "1, Glasgow | 2, London | -99, Refused | GLA, Glasgow too"
    other = [(*row[:3], choices, *row[4:]) if row[0] == "site" else row for row in REFERRAL]
    exports.write("dictionary.csv", dictionary(other))
    assert len(read(exports, missing={"-99": "refused"}).tables["screening"]) == 4


def test_a_column_of_another_version_of_the_project(exports: Exports) -> None:
    exports.write("dictionary.csv", dictionary([row for row in REFERRAL if row[0] != "authority"]))
    with pytest.raises(SourceError, match="rule R22: 'authority'"):
        read(exports)


ODM = """<?xml version="1.0" encoding="UTF-8"?>
<ODM xmlns="http://www.cdisc.org/ns/odm/v1.3" xmlns:redcap="https://projectredcap.org">
<Study><GlobalVariables><redcap:MissingDataCodes>{codes}</redcap:MissingDataCodes></GlobalVariables></Study>
{data}</ODM>
"""
DATA = """<ClinicalData><SubjectData SubjectKey="1"><StudyEventData StudyEventOID="Event.{event}"><FormData>
<ItemGroupData><ItemData ItemOID="{item}" Value="{value}"/></ItemGroupData></FormData></StudyEventData>
</SubjectData></ClinicalData>
"""
WITH_PROJECT = changed(project="project.xml")


def write_project(exports: Exports, codes: str = "", data: str = "") -> None:
    exports.write("project.xml", ODM.format(codes=codes, data=data))


def test_a_missing_code_of_the_project_must_have_a_reason(exports: Exports) -> None:
    write_project(exports, "-99, Refused | NASK, Not asked")
    with pytest.raises(SourceError, match=r"project.xml, rule R20: .*'NASK'"):
        read(exports, source=WITH_PROJECT, missing={"-99": "refused"})
    found = read(exports, source=WITH_PROJECT, missing={"-99": "refused", "NASK": "blank"})
    assert found.counts[1].table == "project"
    assert found.counts[1].rows_in == 2


def test_a_label_of_a_missing_code_is_the_code(exports: Exports) -> None:
    write_project(exports, "-99, Refused")
    labels = LABELS.replace("Declined", "Refused")
    source = {**WITH_PROJECT, "labels": True}
    found = read(exports, labels, source, missing={"-99": "refused"})
    assert column(found, "screening_outcome")[2] == ".refused"
    assert found.issues == ()


@pytest.mark.parametrize(
    "data",
    [
        DATA.format(event="base", item="arm", value="1"),
        DATA.format(event="base", item="note", value="went to NIM"),
        '<ItemDataString ItemOID="note">went to NIM</ItemDataString>',
        '<ItemData ItemOID="note">went to NIM</ItemData>',
        DATA.format(event="base_arm_1", item="x", value="1")
        + DATA.format(event="x_arm_2", item="x", value=""),
    ],
)
def test_a_project_saved_with_its_data_tells_no_arm_beside_an_open_export(
    exports: Exports, data: str
) -> None:
    write_project(exports, data=f"<Data>{data}</Data>")
    with pytest.raises(BlindingError, match=r"project.xml"):
        read(exports, source=WITH_PROJECT)
    # What only begins like a value is a description, and no data.
    described = '<ItemDataset ItemOID="arm"/><Document>NIM</Document>'
    write_project(exports, data=DATA.format(event="base_arm_1", item="note", value="animal") + described)
    assert read(exports, source=WITH_PROJECT).issues == ()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "<ODM>",
        "<html/>",
        '<!DOCTYPE ODM [<!ENTITY a "b">]><ODM>&a;</ODM>',
        '<!DOCTYPE ODM SYSTEM "odm.dtd"><ODM/>',
        '<?xml version="1.0" encoding="klingon"?><ODM/>',
    ],
)
def test_a_project_file_that_is_none(exports: Exports, content: str) -> None:
    exports.write("project.xml", content)
    with pytest.raises(SourceError, match=r"project.xml"):
        read(exports, source=WITH_PROJECT)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b\n1,2\n", "not a data dictionary of REDCap"),
        (dictionary([]), "has no fields"),
        (dictionary([*REFERRAL, REFERRAL[1]]), "row 10: field 'site' is given twice"),
        (dictionary([("a", "f", "radio", "", "", "")]), "without choices"),
        (dictionary([("", "f", "text", "", "", "")]), "without a name"),
    ],
)
def test_a_dictionary_that_is_none(exports: Exports, content: str, message: str) -> None:
    exports.write("dictionary.csv", content)
    with pytest.raises(SourceError, match=message):
        read(exports)


def test_a_dictionary_that_is_not_there(exports: Exports) -> None:
    exports.write("referrals.csv", FULL)
    with pytest.raises(SourceError, match=r"dictionary.csv: no such file .* as dictionary"):
        exports.read(SOURCE, tables=("screening",))


# Visits of several events, one of them with an instrument that repeats.
VISITS = [
    ("child", "enrolment", "text", "", "", ""),
    ("dob", "enrolment", "text", "", "date_ymd", ""),
    ("had", "visit", "yesno", "", "", ""),
    ("family", "event", "text", "", "", ""),
    ("event_dt", "event", "text", "", "date_ymd", "[had] = '1'"),
    ("category", "event", "radio", "1, Hospital | 2, Injury", "", "[enrolment_arm_1][dob] <> ''"),
    ("serious", "event", "yesno", "", "", ""),
    ("related", "event", "radio", "unrelated, No | unlikely, Hardly", "", ""),
    ("outcome", "event", "text", "", "", "[current-instance] > 1"),
]
EVENT_SOURCE: dict[str, Any] = {
    "table": "reported_events",
    "kind": "redcap",
    "files": "visits.csv",
    "dictionary": "visits_dictionary.csv",
    "instrument": "event",
    "where": {"redcap_event_name": ["month_15_arm_1"]},
    "leave": {"redcap_repeat_instrument": [""]},
    "columns": {
        "family_id": "family",
        "child_id": "child",
        "event_date": "event_dt",
        "category": "category",
        "is_serious": "serious",
        "relatedness": "related",
        "outcome": "outcome",
    },
    "values": {"category": {"1": "hospital", "2": "injury"}},
    "templates": {"event_id": "E{family}{redcap_repeat_instance:03}"},
    "ignore": ["dob", "had"],
}
EVENT_HEADER = (
    "child,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,dob,enrolment_complete,had,"
    "visit_complete,family,event_dt,category,serious,related,outcome,event_complete\n"
)
EVENT_ROWS = (
    "C0001,enrolment_arm_1,,,2012-01-01,2,,,,,,,,,\n"
    "C0001,month_15_arm_1,,,,,1,2,,,,,,,\n"
    "C0001,month_15_arm_1,event,1,,,,,7,2013-04-01,1,1,unrelated,,2\n"
    "C0001,month_15_arm_1,event,12,,,,,7,2013-05-01,2,0,unlikely,resolved,2\n"
    "C0002,month_15_arm_1,,,,,0,2,,,,,,,\n"
    "C0002,month_15_arm_1,event,1,,,,,8,,1,0,unrelated,,2\n"
)


def read_events(exports: Exports, rows: str = EVENT_ROWS, **keys: Any) -> Ingested:
    exports.write("visits.csv", EVENT_HEADER + rows)
    exports.write("visits_dictionary.csv", dictionary(VISITS))
    return exports.read({**EVENT_SOURCE, **keys}, tables=("reported_events",))


def test_rows_of_a_repeating_instrument_and_ids_made_of_their_number(exports: Exports) -> None:
    found = read_events(exports)
    assert column(found, "event_id", "reported_events") == ["E7001", "E7012", "E8001"]
    assert column(found, "is_serious", "reported_events") == ["true", "false", "false"]
    (count,) = [each for each in found.counts if each.table == "reported_events"]
    assert (count.rows_in, count.rows_kept, count.rows_elsewhere) == (6, 3, 3)


def test_logic_looks_to_the_base_row_to_another_event_and_to_the_instance(exports: Exports) -> None:
    found = read_events(exports)
    # `had` stands on the base row of the event; C0002 was not asked for a date, and was never enrolled.
    assert column(found, "event_date", "reported_events") == ["2013-04-01", "2013-05-01", ".not_asked"]
    assert column(found, "outcome", "reported_events") == [".not_asked", "resolved", ".not_asked"]
    assert findings(found) == [(7, "category", "R10", "keep")]


def test_an_id_with_a_look_alike_still_finds_its_record(exports: Exports) -> None:
    rows = EVENT_ROWS.replace("C0001,month_15_arm_1,event", "\u04210001,month_15_arm_1,event")
    assert findings(read_events(exports, rows)) == [(7, "category", "R10", "keep")]


def test_an_id_of_which_a_part_is_blank_is_blank(exports: Exports) -> None:
    found = read_events(exports, EVENT_ROWS.replace(",7,2013-04-01", ",,2013-04-01"))
    assert column(found, "event_id", "reported_events") == ["", "E7012", "E8001"]


def test_rows_that_nobody_takes_and_nobody_leaves_are_refused(exports: Exports) -> None:
    with pytest.raises(
        SourceError, match="no table takes this row; its redcap_event_name, redcap_repeat_instr"
    ):
        read_events(exports, leave={})


def test_repeating_events_are_base_rows(exports: Exports) -> None:
    header = HEADER.replace("ref,", "ref,redcap_repeat_instrument,redcap_repeat_instance,")
    rows = "".join(f"S0001,,{n},1,GLASGOW,2020-01-31,1,2,1,0,0,0,F0001,2\n" for n in (1, 2))
    columns = {**SOURCE["columns"], "n_children": "redcap_repeat_instance"}
    found = read(exports, header + rows, changed(columns=columns, ignore=["n_children"]))
    assert column(found, "n_children") == ["1", "2"]


EVENT_MAP = (
    "event_name,arm_num,unique_event_name,event_id\n"
    '"Enrolment",1,enrolment_arm_1,11\n"15-month visit",1,month_15_arm_1,12\n'
    '"Second enrolment",2,enrolment_b,13\n'
)


def test_events_are_those_of_the_event_map(exports: Exports) -> None:
    exports.write("events.csv", EVENT_MAP)
    assert len(read_events(exports, event_map="events.csv").tables["reported_events"]) == 3
    exports.write("events.csv", EVENT_MAP.replace("enrolment_arm_1", "renamed_arm_1"))
    with pytest.raises(SourceError, match=r"visits.csv, row 2, rule R23"):
        read_events(exports, event_map="events.csv")
    exports.write("events.csv", EVENT_MAP.replace("month_15_arm_1", "renamed_arm_1"))
    with pytest.raises(SourceError, match=r"events.csv, rule R23: no event 'month_15_arm_1'"):
        read_events(exports, event_map="events.csv")


def test_arms_are_those_of_the_event_map_and_not_of_names(exports: Exports) -> None:
    exports.write("events.csv", EVENT_MAP)
    rows = EVENT_ROWS + "C0003,enrolment_b,,,2012-01-01,2,,,,,,,,,\n"
    with pytest.raises(BlindingError, match="events of several arms"):
        read_events(exports, rows, event_map="events.csv")


@pytest.mark.parametrize("one_file", [True, False])
@pytest.mark.parametrize("kind", ["redcap", "tabular"])
def test_events_of_several_arms_are_refused_in_one_file_and_in_a_file_for_each(
    exports: Exports, one_file: bool, kind: str
) -> None:
    """And no row is named: beside the first it would tell who is in another arm."""
    header = HEADER.replace("ref,", "ref,redcap_event_name,")
    arms = [
        line.replace(",", f",baseline_arm_{arm},", 1) for arm, line in enumerate(FULL.splitlines()[1:3], 1)
    ]
    exports.write("dictionary.csv", dictionary(REFERRAL))
    exports.write("referrals_1.csv", header + "\n".join(arms if one_file else arms[:1]))
    exports.write("referrals_2.csv", header + ("" if one_file else arms[1]))
    source = changed(files="referrals_*.csv")
    if kind == "tabular":
        taken = {*source["columns"].values(), "why___1"}
        del source["dictionary"], source["checkboxes"]
        source |= {"kind": kind, "columns": {**source["columns"], "reason": "why___1"}}
        source["ignore"] = [name for name in header.strip().split(",") if name not in taken]
    with pytest.raises(
        BlindingError, match="column 'redcap_event_name' holds events of several arms"
    ) as found:
        exports.read(source, tables=("screening",), ignore_files=("dictionary.csv",))
    assert "row 1:" in str(found.value) and "row 2" not in str(found.value)


def test_labels_of_events_are_understood_by_the_event_map(exports: Exports) -> None:
    exports.write("events.csv", EVENT_MAP)
    rows = EVENT_ROWS.replace("enrolment_arm_1", "Enrolment").replace("month_15_arm_1", "15-month visit")
    rows = rows.replace(",,1,2,,", ",,Yes,Complete,,").replace(",,0,2,,", ",,No,Complete,,")
    rows = rows.replace(",1,1,unrelated", ",Hospital,Yes,No").replace(",2,0,unlikely", ",Injury,No,Hardly")
    rows = rows.replace(",1,0,unrelated", ",Hospital,No,No")
    where = {"redcap_event_name": ["15-month visit"]}
    labelled = read_events(exports, rows, event_map="events.csv", labels=True, where=where)
    codes = read_events(exports, event_map="events.csv")
    assert labelled.tables["reported_events"].equals(codes.tables["reported_events"])
    assert [each.rule for each in labelled.issues] == ["R10"]


@pytest.mark.parametrize("text", ["E{", "E1", "{family!r}", "{family.x}", "{family:>9}", "{}"])
def test_a_template_names_columns_only(text: str) -> None:
    with pytest.raises(ValueError, match=r"name columns as \{column\}"):
        RedcapSource.model_validate({**EVENT_SOURCE, "dialect": "comma", "templates": {"event_id": text}})


def test_a_field_has_one_origin() -> None:
    with pytest.raises(ValueError, match="more than one way: category"):
        RedcapSource.model_validate(
            {**EVENT_SOURCE, "dialect": "comma", "templates": {"category": "{family}"}}
        )


@pytest.mark.parametrize(
    ("boxes", "message"),
    [({"codes": {"1": "nothing"}}, "no such code"), ({"several": "joined"}, "cannot join them")],
)
def test_codes_of_boxes_are_those_of_the_field(exports: Exports, boxes: dict, message: str) -> None:
    reason = {**SOURCE["checkboxes"]["reason"], **boxes}
    source = changed(checkboxes={"reason": reason}, dialect="comma")
    mapping = Mapping(name="test", dialects={"comma": COMMA}, missing={}, sources=[source])
    with pytest.raises(SpecError, match=message):
        check_mapping(exports.spec, mapping, file="test")

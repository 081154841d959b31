"""A draft for exports nobody has described: what it finds, what it leaves open, and what it never shows."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pyreadstat
import pytest
from openpyxl import Workbook

from analysis.__main__ import main
from analysis.errors import SourceError, SpecError
from analysis.sources.ingest import ingest
from analysis.sources.propose import Proposal, propose
from analysis.sources.propose_dialect import date_forms, guess_marks, guess_text
from analysis.spec.base import parse, read_yaml
from analysis.spec.check_mapping import check_mapping
from analysis.spec.declarations import Spec
from analysis.spec.layouts import load_layouts
from analysis.spec.mapping import Mapping
from analysis.spec.redcap_source import RedcapSource
from tests.conftest import ROOT
from tests.unit.sources.test_redcap import EVENT_MAP, FULL, LABELS, ODM, REFERRAL, dictionary

MEANINGS = read_yaml(ROOT / "data_spec" / "words.yaml")
LAYOUTS = load_layouts(ROOT / "data_spec")
WITHDRAWALS = (
    "wd_no;fam;child;withdrawal_dt;lvl;reason_code;initials\n"
    "W0001;F0001;C0001;31/01/2020;all;moved;Zebulon\n"
    "W0002;F0002;;01/02/2020;visits;Parent's request;Xanthippe\n"
    "W0003;F0003;;13/02/2020;visits;-99;Xanthippe\n"
)


NOT_TOLD = ("scales", "completed_date")


def draft(spec: Spec, folder: Path, **files: str | bytes) -> Proposal:
    """Of files written below a folder; two underscores part a name from its ending."""
    for name, content in files.items():
        path = folder / name.replace("__", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return propose(spec, MEANINGS, LAYOUTS, folder, files_below(folder), name="draft")


def files_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def parsed(proposal: Proposal, folder: Path) -> Mapping:
    path = folder.parent / "draft.yaml"
    path.write_text(proposal.text, encoding="utf-8")
    return parse(Mapping, read_yaml(path), file="draft.yaml")


def entry(mapping: Mapping, table: str) -> Any:
    return next(source for source in mapping.sources if source.table == table)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    raw = tmp_path / "raw"
    raw.mkdir()
    return raw


def test_an_export_without_a_dictionary(spec: Spec, folder: Path) -> None:
    mapping = parsed(draft(spec, folder, withdrawals__csv=WITHDRAWALS.encode("cp1252")), folder)
    (dialect,) = mapping.dialects.values()
    assert (dialect.delimiter, dialect.dates) == (";", ("%d/%m/%Y",))
    found = entry(mapping, "withdrawals")
    assert found.columns == {
        "withdrawal_id": "wd_no",
        "family_id": "fam",
        "child_id": "child",
        "withdrawal_date": "withdrawal_dt",
        "withdrawal_level": "lvl",
        "reason": "reason_code",
    }
    assert found.ignore == ("initials",)
    assert list(mapping.missing) == ["-99"]


def test_only_codes_labels_names_and_counts_are_shown(spec: Spec, folder: Path) -> None:
    text = draft(spec, folder, withdrawals__csv=WITHDRAWALS).text
    assert "Zebulon" not in text
    assert "request" not in text
    assert "C0001" not in text
    assert "# decide: 2 further values, in 2 cells, not shown here" in text


def test_a_project_of_redcap(spec: Spec, folder: Path) -> None:
    files = {"referrals__csv": FULL, "dictionary__csv": dictionary(REFERRAL)}
    files["project__xml"] = ODM.format(codes="-77, Refused | -66, Elsewhere", data="")
    proposal = draft(spec, folder, **files)
    mapping = parsed(proposal, folder)
    found = entry(mapping, "screening")
    assert isinstance(found, RedcapSource)
    assert (found.dictionary, found.project, found.labels) == ("dictionary.csv", "project.xml", False)
    assert found.columns["screening_outcome"] == "result"
    assert found.values["site"] == {"1": "GLA", "2": "LON"}
    assert found.checkboxes["reason"].group == "why"
    assert found.checkboxes["reason"].codes == {"1": "age", "2": "returned_home", "-88": "court"}
    assert mapping.missing["-77"] == "refused"
    assert '"-66": not_known    # decide' in proposal.text


def test_a_draft_that_leaves_nothing_open_reads_its_export(spec: Spec, folder: Path) -> None:
    proposal = draft(spec, folder, referrals__csv=FULL, dictionary__csv=dictionary(REFERRAL))
    mapping = parsed(proposal, folder)
    check_mapping(spec, mapping, file="draft")
    read = ingest(spec, mapping, folder, tables=("screening",))
    assert read.tables["screening"]["reason"].tolist() == [".not_asked", "age", "", ".not_asked"]


def test_an_export_of_labels_is_seen_to_be_one(spec: Spec, folder: Path) -> None:
    proposal = draft(spec, folder, referrals__csv=LABELS, dictionary__csv=dictionary(REFERRAL))
    assert entry(parsed(proposal, folder), "screening").labels


def test_an_open_field_stops_the_draft_where_a_mapping_is_checked(spec: Spec, folder: Path) -> None:
    rows = [row for row in REFERRAL if row[0] != "authority"]
    export = FULL.replace("authority,", "").replace("GLASGOW,", "").replace("BEXLEY,", "")
    proposal = draft(spec, folder, referrals__csv=export, dictionary__csv=dictionary(rows))
    assert "# decide: no column found for local_authority" in proposal.text
    with pytest.raises(SpecError, match="local_authority"):
        check_mapping(spec, parsed(proposal, folder), file="draft")


def test_a_column_that_tells_the_arm_is_neither_read_nor_ignored(spec: Spec, folder: Path) -> None:
    export = WITHDRAWALS.replace("initials", "treatment_arm")
    proposal = draft(spec, folder, withdrawals__csv=export)
    assert "# refused: column treatment_arm looks like the arm" in proposal.text
    assert "treatment_arm" not in entry(parsed(proposal, folder), "withdrawals").read_columns


def test_cells_that_tell_the_arm_are_refused_by_their_column(spec: Spec, folder: Path) -> None:
    proposal = draft(spec, folder, withdrawals__csv=WITHDRAWALS.replace("Zebulon", "was in NIM"))
    assert "# refused: withdrawals.csv, row 2: a cell of column 'initials' names an arm" in proposal.text


def test_events_of_several_arms_are_refused(spec: Spec, folder: Path) -> None:
    events = ["enrolment_arm_1", "enrolment_arm_2"]
    export = "ref,redcap_event_name," + FULL.split(",", 1)[1]
    lines = export.splitlines()
    lines[1:] = [line.replace(",", f",{events[at % 2]},", 1) for at, line in enumerate(lines[1:])]
    files = {"referrals__csv": "\n".join(lines), "dictionary__csv": dictionary(REFERRAL)}
    proposal = draft(spec, folder, **files, events__csv=EVENT_MAP)
    assert "# refused: referrals.csv holds events of several arms" in proposal.text


def test_no_file_of_closed_tables_is_looked_for(spec: Spec, folder: Path) -> None:
    allocation = "family_id,sequence_number,probability\nF0001,1,0.5\n"
    mapping = parsed(draft(spec, folder, allocation__csv=allocation), folder)
    assert {"allocation", "delivery"} <= set(mapping.absent)
    assert mapping.ignore_files == ("allocation.csv",)


def test_what_is_no_delimited_text_is_left_to_decide(spec: Spec, folder: Path) -> None:
    proposal = draft(spec, folder, withdrawals__csv=WITHDRAWALS, visits__xlsx=b"PK")
    assert "- visits.xlsx    # decide: not read for this draft" in proposal.text
    assert parsed(proposal, folder).ignore_files == ("visits.xlsx",)


def test_returns_of_several_years_are_one_export(spec: Spec, folder: Path) -> None:
    header = "CHILD,DECOM,RNE,LS,PLACE,DEC,REC\n"
    rows = "C0001,13/01/20{y},S,C1,U6,14/02/20{y},X1\n"
    files = {f"episodes_2019_{y}__csv": header + rows.format(y=y) for y in (19, 20)}
    (found,) = parsed(draft(spec, folder, **files), folder).sources
    assert found.files == "episodes_2019_*.csv"
    assert found.columns["start_date"] == "DECOM"


@pytest.mark.parametrize(
    "content",
    [
        "Anna;12/01/2020;C0001\nBen;13/01/2020;C0002\n",
        "1,2,3\n4,5,6\n",
        "a,,c\n1,2,3\n",
        "a,a,c\n1,2,3\n",
    ],
)
def test_a_first_row_that_is_no_header_is_not_shown(spec: Spec, folder: Path, content: str) -> None:
    with pytest.raises(SourceError, match=r"export.csv, row 1: not a header") as caught:
        draft(spec, folder, export__csv=content)
    assert "Anna" not in str(caught.value)


def test_rows_of_several_widths_are_no_delimited_text(spec: Spec, folder: Path) -> None:
    with pytest.raises(SourceError, match=r"export.csv: not delimited text"):
        draft(spec, folder, export__csv="a,b\n1,2,3\n")


def test_a_name_that_yaml_would_read_as_something_else(spec: Spec, folder: Path) -> None:
    export = WITHDRAWALS.replace("initials", "no: # {x}\u2028")
    found = entry(parsed(draft(spec, folder, w__csv=export), folder), "withdrawals")
    assert found.ignore == ("no: # {x}",)


@pytest.mark.parametrize(
    ("content", "encoding", "delimiter"),
    [
        ("a,b\n1,2\n".encode("utf-8-sig"), "utf-8-sig", ","),
        (b"a;b\n1,5;2\n", "utf-8-sig", ";"),
        ("a\tb\nMüller, A\t2\n".encode("cp1252"), "cp1252", "\t"),
        ("a|b\n1|2\n".encode("utf-16"), "utf-16", "|"),
        (b'a,b\n"x;y;z",2\n', "utf-8-sig", ","),
    ],
)
def test_how_text_is_written(tmp_path: Path, content: bytes, encoding: str, delimiter: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    assert guess_text(path, file="x.csv") == (encoding, delimiter)


@pytest.mark.parametrize(
    ("cells", "forms"),
    [
        (["2020-01-31", "2020-02-01", ""], ["%Y-%m-%d"]),
        (["31/01/2020", "01/02/2020"], ["%d/%m/%Y"]),
        (["01/31/2020", "01/02/2020"], ["%m/%d/%Y"]),
        (["01/02/2020", "03/04/2020"], ["%d/%m/%Y", "%m/%d/%Y"]),
        (["31.01.2020"], ["%d.%m.%Y"]),
        (["20200131"], ["%Y%m%d"]),
        (["12345", "99999"], []),
        (["a", "b"], []),
        ([], []),
    ],
)
def test_forms_of_dates(cells: list[str], forms: list[str]) -> None:
    assert date_forms(Counter(cells)) == forms


def test_a_column_that_decides_helps_one_that_does_not() -> None:
    unclear, clear = Counter(["01/02/2020"] * 9), Counter(["31/01/2020"])
    assert guess_marks([unclear, clear]) == (".", ("%d/%m/%Y",), ())
    clear = Counter(["01/31/2020"])
    assert guess_marks([unclear, clear]) == (".", ("%m/%d/%Y",), ())
    decimal, dates, (doubt,) = guess_marks([unclear])
    assert (decimal, dates) == (".", ("%d/%m/%Y",))
    assert "%d/%m/%Y and %m/%d/%Y" in doubt


def test_a_second_form_of_dates_in_a_column_is_kept() -> None:
    mixed = Counter(["2020-01-31"] * 9 + ["31/01/2020"])
    assert guess_marks([mixed])[1] == ("%Y-%m-%d", "%d/%m/%Y")


def test_the_decimal_mark_of_most_numbers() -> None:
    assert guess_marks([Counter(["1,5", "2,5", "1.5"])])[0] == ","


def test_the_synthetic_trial_is_recognised(spec: Spec, trial: Any, tmp_path: Path) -> None:
    files = sorted(path for path in trial.raw.rglob("*") if path.is_file())
    proposal = propose(spec, MEANINGS, LAYOUTS, trial.raw, files, name="draft")
    (tmp_path / "raw").mkdir()
    mapping = parsed(proposal, tmp_path / "raw")
    known = parse(Mapping, read_yaml(ROOT / "data_spec" / "mappings" / "synthetic.yaml"), file="synthetic")
    for source in known.sources:
        if source.table in ("allocation", "delivery"):
            continue
        wanted = place(source)
        found = [each for each in mapping.sources if place(each) == wanted]
        assert [each.kind for each in found] == [source.kind], wanted
        # The day of a score is that of the visit, which no name tells.
        told = {name: each for name, each in source.columns.items() if (source.table, name) != NOT_TOLD}
        assert found[0].columns == told, wanted
    returned, mine = (next(each for each in m.sources if each.kind == "ssda903") for m in (known, mapping))
    for name in ("latest_by", "category_of_need", "carer", "ignore"):
        assert set(getattr(mine, name)) == set(getattr(returned, name))
    for name in (
        "london/BROMLEY/ssda903_episodes_2019_resent.xml",
        "london/SUTTON/ssda903_episodes_2020.csv",
    ):
        told = [re.match(each.authority.pattern, name).groupdict() for each in (returned, mine)]
        assert told[0] == told[1]
    (clas,) = (each for each in mapping.sources if each.kind == "clas")
    assert clas.legal_reasons.child == "child_ref" and set(clas.legal_reasons.precedence) >= {"CSO", "PO"}
    assert not any("clas_legal" in name for name in mapping.ignore_files)
    dates = {each.files: mapping.dialects[each.dialect].dates for each in mapping.sources}
    assert dates["court/proceedings.csv"] == ("%d.%m.%Y",)
    assert set(dates["trial/redcap_children.csv"]) == {"%Y-%m-%d", "%d/%m/%Y"}
    children = {line.split(",")[0] for line in (trial.raw / files_of(known)).read_text().splitlines()[1:]}
    assert not any(child in proposal.text for child in children)


@pytest.mark.parametrize(
    ("header", "columns", "near"),
    [
        (
            "childid,startdate,placecode",
            {"child_id": "childid", "placement_code": "placecode"},
            ["placecode"],
        ),
        ("ChildID,StartDate,Place", {"child_id": "ChildID", "placement_code": "Place"}, []),
        ("chldid,startdate,plcementcode", {"child_id": "chldid"}, ["chldid", "plcementcode"]),
    ],
)
def test_names_that_are_only_like_ours_are_to_be_confirmed(
    spec: Spec, folder: Path, header: str, columns: dict, near: list
) -> None:
    rows = "".join(f"C{n:04},1{n}/01/2020,U6,14/02/2020,X1,S,C1\n" for n in range(9))
    proposal = draft(spec, folder, p__csv=f"{header},end_date,reason_ended,reason_new,legal_status\n{rows}")
    found = entry(parsed(proposal, folder), "placements")
    assert found.columns.items() >= columns.items()
    for name in near:
        assert f": {name}    # decide: to confirm, its name is only like ours" in proposal.text


def test_a_file_sent_again_under_a_longer_name_is_no_entry_of_its_own(spec: Spec, folder: Path) -> None:
    other = WITHDRAWALS.replace("W000", "W100")
    names = ("w_2019__csv", "w_2020__csv", "w_2020_resent__csv")
    proposal = draft(spec, folder, **dict.fromkeys(names, WITHDRAWALS), x__csv=other)
    files = [each.files for each in parsed(proposal, folder).sources]
    assert files.count("w_*.csv") == 1 and not any("resent" in name for name in files)


def test_tables_of_a_return_that_no_table_needs_are_told_by_name(spec: Spec, folder: Path) -> None:
    """What a pattern of several files would take beside them keeps them apart."""
    episode = "child,decom,RNE,LS,CIN,PLACE,DEC,REC\n1,13/01/2019,S,C1,N1,U6,14/02/2019,X1\n"
    proposal = draft(
        spec,
        folder,
        **{"a_2019__csv": episode, "b_2020__csv": episode, "c__csv": "CHILD,SEX,DOB,ETHNIC,UPN\n"},
    )
    mapping = parsed(proposal, folder)
    assert [(each.kind, each.files) for each in mapping.sources] == [
        ("ssda903", "a_2019.csv"),
        ("ssda903", "b_2020.csv"),
    ]
    assert mapping.sources[0].columns["start_date"] == "decom" and mapping.sources[0].latest_by == (
        "child",
        "decom",
    )
    assert "- c.csv    # decide: Header of England's return (SSDA903), which no table needs" in proposal.text
    assert "linkage, the list of the trial's numbers" in proposal.text


def test_every_format_is_read_and_sheets_are_told_apart(spec: Spec, folder: Path) -> None:
    book = Workbook()
    book.active.title = "Notes"
    sheet = book.create_sheet("Withdrawn")
    for line in WITHDRAWALS.splitlines():
        sheet.append(line.split(";"))
    book.save(folder / "w.xlsx")
    frame = pd.DataFrame([line.split(";") for line in WITHDRAWALS.splitlines()[1:]])
    frame.columns = WITHDRAWALS.splitlines()[0].split(";")
    levels = {"all": 1, "visits": 2}
    codes = spec.codes_of("withdrawal_level")
    labels = {"lvl": {n: codes[code].label for code, n in levels.items()}}
    pyreadstat.write_sav(
        frame.assign(lvl=frame["lvl"].map(levels)), folder / "w.sav", variable_value_labels=labels
    )
    mapping = parsed(propose(spec, MEANINGS, LAYOUTS, folder, files_below(folder), name="draft"), folder)
    found = {each.files: (each, mapping.dialects[each.dialect]) for each in mapping.sources}
    assert set(found) == {"w.sav", "w.xlsx"}
    sheet, how = found["w.xlsx"]
    assert (how.format, how.sheet, how.ignore_sheets, how.dates) == (
        "excel",
        "Withdrawn",
        ("Notes",),
        ("%d/%m/%Y",),
    )
    assert sheet.columns["withdrawal_date"] == "withdrawal_dt"
    spss, how = found["w.sav"]
    assert (how.format, how.cells) == ("spss", "codes")
    assert spss.columns == sheet.columns
    assert spss.values["withdrawal_level"] == {"1": "all", "2": "visits"}


def test_a_link_out_of_the_folder_is_not_followed(spec: Spec, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.csv").write_text(WITHDRAWALS)
    (folder / "w.csv").symlink_to(tmp_path / "elsewhere.csv")
    with pytest.raises(SourceError, match=r"^w.csv: a link that leads out of the raw folder"):
        propose(spec, MEANINGS, LAYOUTS, folder, files_below(folder), name="draft")


def test_a_doubt_about_dates_is_of_the_file_that_leaves_it_open(spec: Spec, folder: Path) -> None:
    """Another file's days may tell, or its own forms be others; a file without a table leaves no doubt."""
    unclear = WITHDRAWALS.replace("31/01", "03/01").replace("13/02", "03/02")
    proposal = draft(spec, folder, w__csv=unclear, v__csv="a;b\n01/02/2020;1\n")
    (doubt,) = (line for line in proposal.text.splitlines() if "apart" in line)
    assert doubt.startswith("  # decide: w.csv: no day tells %d/%m/%Y and %m/%d/%Y apart")


def place(source: Any) -> tuple[str, str, str]:
    return source.table, source.files, source.constants.get("scale", "")


def files_of(mapping: Mapping) -> str:
    return next(source.files for source in mapping.sources if source.table == "children")


def test_the_command_writes_the_draft_or_shows_it(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export, out = folder / "referrals.csv", tmp_path / "mine.yaml"
    export.write_text(FULL)
    (folder / "dictionary.csv").write_text(dictionary(REFERRAL))
    given = ("map", "--propose", str(export), "--dictionary", str(folder / "dictionary.csv"))
    assert main([*given, "--out", str(out)]) == 0
    assert "map: tables found: screening" in capsys.readouterr().err
    written = out.read_text()
    assert written.splitlines()[1] == "name: mine"
    capsys.readouterr()
    assert main([*given, "--out", str(out)]) == 2, "what was settled in a draft is not written over"
    assert "mine.yaml: is there already" in capsys.readouterr().err and out.read_text() == written
    assert main(given) == 0
    assert capsys.readouterr().out == written.replace("name: mine", "name: draft")


def test_the_command_names_what_is_not_there(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["map", "--propose", str(folder / "none.csv")]) == 2
    assert "none.csv: no such file" in capsys.readouterr().err
    (folder / "referrals.csv").write_text(FULL)
    (tmp_path / "dictionary.csv").write_text(dictionary(REFERRAL))
    given = ("--propose", str(folder / "referrals.csv"), "--dictionary", str(tmp_path / "dictionary.csv"))
    assert main(["map", *given]) == 2
    assert "dictionary.csv: lay the dictionary beside the export" in capsys.readouterr().err

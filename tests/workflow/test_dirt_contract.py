"""The contract of cleaning: all the dirt is found, nothing else is, and signed corrections undo it.

The synthetic trial tells where its dirt is and comes clean as well. Neither tells the cleaning anything.
"""

from collections import defaultdict
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import pandas as pd
import pytest

from analysis.data.clean import Cleaned, clean_tables
from analysis.data.corrections import COLUMNS, read_corrections
from analysis.data.derive import derive
from analysis.data.restore import restore
from analysis.data.table import typed
from analysis.sources.ingest import Ingested, ingest
from analysis.spec.issue import Issue
from analysis.spec.load import load_mapping
from analysis.spec.synthetic import load_synthetic
from analysis.synth.trial import SyntheticTrial, generate, write_trial

DATA_SPEC = Path(__file__).parents[2] / "data_spec"
DEFAULT, OTHERS = (33070, 1.0), ((1, 0.5), (2, 0.5), (9, 0.5), (11, 0.5), (12, 0.4))
WHERE = ["source_file", "source_row"]
UNDECLARED = "-98"  # a code for a missing value that no mapping declares
LABELS = (".blank", ".refused", ".lost", ".not_known")

# What must be found at the place of each kind that is not restored.
RULE_OF = {
    "age_in_years": "AS08",
    "authority_of_other_site": "SR09",
    "birth_after_entry": "CH01",
    "close_births": "CH07",
    "code_before_validity": "SR01",
    "copied_form": "PQ10",
    "deviation_before_randomisation": "DV02",
    "double_event": "EV05",
    "duplicate": "S08",
    "event_after_cut": "C01",
    "event_after_death": "TR04",
    "impossible_placement": "PL12",
    "item_of_other_form": "PQ04",
    "left_blank": "DE01",
    "month_first": "S04",
    "off_history": "SC04",
    "out_of_range": "S06",
    "placeholder_date": "S01",
    "same_place": "AL01",
    "stale_return": "S11",
    "swapped_columns": "PQ08",
    "swapped_siblings": "AS07",
    "undeclared_code": "SC01",
    "unknown_code": "S05",
    "visit_before_randomisation": "AS03",
    "wrong_side": "AS06",
    "wrong_total": "SD01",
}
RESTORED = {
    "date_format",
    "decimal_comma",
    "float_code",
    "look_alike",
    "lower_case",
    "spaces",
    "trailing_space",
}
LABELLED, READ_AS_IT_IS = {"missing_code"}, {"byte_order_mark"}
# What the clean version truly has, and so must be found in it too.
TRUE_OF_THE_CLEAN = {
    "AS04": "a small share of the 15-month visits is drawn after its window (synthetic.yaml, late_15_months)",
    "TR02": "siblings who joined later enter care after the family's randomisation",
    "R31": "a share of closed English rows is corrected by the next return (synthetic.yaml, amended)",
    "R32": "some of these stood open, and rightly, in the return before",
    "R33": "the last day in a return of a few children may lie years before it",
    "R37": "an authority with no child of the trial in its care in a year sends no return for it",
    "R44": "a share of English rows that stood open is left out of the next return (synthetic.yaml)",
    "TR06": "some children at home have short breaks (synthetic.yaml, respite)",
    "TR10": "nothing links the numbers of adopted children",
    "PL19": "a child adopted within days of coming into care has no placement with adopters",
    "PL22": "a guardian may be drawn for a child in a family centre as if a foster carer",
    "PL11": "a waiting time drawn without a least length may end in an adoption of a newborn joiner",
}


@dataclass(frozen=True)
class Run:
    """A trial taken through reading, cleaning and derivation."""

    trial: SyntheticTrial
    raw: dict[str, pd.DataFrame]
    clean: dict[str, pd.DataFrame]
    derived: dict[str, pd.DataFrame]
    issues: tuple[Issue, ...]
    read: Ingested


@pytest.fixture(scope="module")
def parameters():
    return load_synthetic(DATA_SPEC)


@pytest.fixture(scope="module")
def mapping():
    return load_mapping(DATA_SPEC, "synthetic")


@pytest.fixture(scope="module")
def run(spec, parameters, mapping, tmp_path_factory):
    """Take a trial through the data path; the open part with a list of corrections."""
    kept: dict[tuple, Run] = {}

    def go(seed: int, scale: float, *, dirt: bool = True, disturbing: bool = False, signed=None) -> Run:
        asked = (seed, scale, dirt, disturbing, str(signed))
        if asked not in kept:
            trial = generate(parameters, seed=seed, scale=scale, dirt=dirt, disturbing=disturbing)
            kept[asked] = _through(trial, spec, mapping, tmp_path_factory.mktemp("run"), signed)
        return kept[asked]

    return go


def _through(trial: SyntheticTrial, spec, mapping, folder: Path, signed) -> Run:
    raw, restricted, cut = folder / "raw", folder / "restricted", spec.trial.data_cut
    write_trial(trial, raw, restricted)
    opened, closed = (spec.table_names(layer="raw", audience=each) for each in ("open", "closed"))
    read = ingest(spec, mapping, raw, tables=opened)
    secret = ingest(spec, mapping, raw, tables=closed, allocation=restricted / "allocation.csv")
    clean = clean_tables(read.tables, spec, data_cut=cut, corrections=read_corrections(signed, spec))
    parents = {name: clean.tables[name] for name in ("families", "children")}
    nothing = read_corrections(None, spec)
    told: Cleaned = clean_tables(secret.tables, spec, data_cut=cut, corrections=nothing, parents=parents)
    values = {name: typed(text, spec.table(name)) for name, text in clean.tables.items()}
    made = derive(values, spec, data_cut=cut, scales_text=clean.tables["scales"])
    found = (*read.issues, *secret.issues, *clean.issues, *told.issues, *made.issues)
    return Run(
        trial,
        {**read.tables, **secret.tables},
        {**clean.tables, **told.tables},
        made.tables,
        found,
        read,
    )


def rules_by_place(issues) -> dict[tuple[str, int], set[str]]:
    found = defaultdict(set)
    for issue in issues:
        found[issue.source_file, issue.source_row].add(issue.rule)
    return found


def rows_by_place(tables, *, of: str, line: int) -> dict[str, list[list[str]]]:
    """Rows of every table that came from one line of a file."""
    here = {
        name: frame[(frame["source_file"] == of) & (frame["source_row"] == str(line))]
        for name, frame in tables.items()
    }
    return {name: frame.to_numpy().tolist() for name, frame in here.items() if len(frame)}


def fields_of(mapping, file: str, column: str) -> set[tuple[str, str]]:
    """Table and field that a column of a file becomes."""
    return {
        (source.table, field)
        for source in mapping.sources
        for field, name in source.columns.items()
        if fnmatch(file, source.files) and name == column
    }


def missed(dirty: Run, clean: Run, mapping) -> list[tuple]:
    """Spots that are neither found, nor restored, nor labelled, as their kind must be."""
    found, out = rules_by_place(dirty.issues), []
    for spot in dirty.trial.dirt:
        place = {"of": spot.file, "line": spot.line}
        if spot.kind in RESTORED:
            is_met = rows_by_place(dirty.clean, **place) == rows_by_place(clean.clean, **place)
        elif spot.kind in LABELLED:
            tables = {name for name, _ in fields_of(mapping, spot.file, spot.column)}
            rows = rows_by_place({name: dirty.clean[name] for name in tables}, **place)
            is_met = any(cell in LABELS for each in rows.values() for row in each for cell in row)
        elif spot.kind in READ_AS_IT_IS:
            is_met = spot.file in {count.file for count in dirty.read.counts if count.rows_in}
        else:
            is_met = RULE_OF[spot.kind] in found[spot.file, spot.line]
        out += [] if is_met else [spot[:4]]
    return out


@pytest.mark.parametrize(("seed", "scale"), [DEFAULT, *OTHERS])
def test_all_dirt_is_found_or_restored_where_it_is(run, mapping, seed, scale) -> None:
    dirty, clean = run(seed, scale, disturbing=True), run(seed, scale, dirt=False)
    assert missed(dirty, clean, mapping) == []


def test_every_kind_of_dirt_is_met_with_somewhere(run) -> None:
    kinds = {spot.kind for each in (DEFAULT, *OTHERS) for spot in run(*each, disturbing=True).trial.dirt}
    assert kinds == {*RULE_OF, *RESTORED, *LABELLED, *READ_AS_IT_IS}


@pytest.mark.parametrize(("seed", "scale"), [DEFAULT, *OTHERS])
def test_nothing_is_found_in_the_clean_version_but_what_is_true_of_it(run, seed, scale) -> None:
    found = {(issue.rule, issue.table) for issue in run(seed, scale, dirt=False).issues}
    assert {rule for rule, _ in found} <= set(TRUE_OF_THE_CLEAN), found


def test_swapped_siblings_are_one_finding_that_says_so(run) -> None:
    """In each of the three tables where the two rows tell it."""
    dirty = run(*DEFAULT)
    lines = {spot.line for spot in dirty.trial.dirt if spot.kind == "swapped_siblings"}
    said = [each for each in dirty.issues if each.rule in ("AS09", "SD05", "PQ09")]
    assert {each.source_row for each in said} <= lines
    assert sorted(each.rule for each in said) == ["AS09", "PQ09", "SD05"]
    assert all("swapped" in each.message for each in said)


def test_trimmed_cells_are_counted(run, mapping) -> None:
    dirty = run(*DEFAULT)
    spots = [spot for spot in dirty.trial.dirt if spot.kind in ("trailing_space", "spaces")]
    counted = {count.file: count.cells_trimmed for count in dirty.read.counts}
    assert sum(counted.values()) == len(spots)
    assert {file for file, n in counted.items() if n} == {spot.file for spot in spots}


def unrestored(dirty: Run, mapping) -> set[tuple[str, str, int, str]]:
    """Table, file, line and field of the cells that the trial says no cleaning can restore."""
    return {
        (table, spot.file, spot.line, field)
        for spot in dirty.trial.dirt
        if spot.correct is None and spot.column
        for table, field in fields_of(mapping, spot.file, spot.column)
    }


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """The same cells, and no factor."""
    return frame.astype({name: object for name, kind in frame.dtypes.items() if kind == "category"})


def by_row(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    # Whether a blank was asked for is told from the row as it was read, with wrong ids and dates of birth.
    frame = plain(frame).replace(".not_asked", "")
    return frame.set_index([*WHERE, *(["scale"] if name == "scales" else [])])


@pytest.mark.parametrize(("seed", "scale"), [DEFAULT, OTHERS[0]])
def test_clean_tables_differ_from_those_of_the_clean_version_in_the_listed_cells_only(
    run, mapping, seed, scale
) -> None:
    dirty, clean = run(seed, scale), run(seed, scale, dirt=False)
    allowed = unrestored(dirty, mapping)
    places = {(spot.file, spot.line) for spot in dirty.trial.dirt if spot.correct is None}
    for name, frame in clean.clean.items():
        mine, theirs = by_row(dirty.clean[name], name), by_row(frame, name)
        for at in mine.index.symmetric_difference(theirs.index):
            assert (at[0], int(at[1])) in places, (name, at)
        both = mine.index.intersection(theirs.index)
        differs = mine.loc[both] != theirs.loc[both]
        cells = {
            (name, at[0], int(at[1]), field) for at, row in differs.iterrows() for field in row.index[row]
        }
        assert cells <= allowed, cells - allowed


def signed_corrections(dirty: Run, clean: Run, spec, path: Path) -> Path:
    """The list that a data manager with the paper forms at hand would sign."""
    lines = []
    for name in spec.table_names(layer="raw", audience="open"):
        table = spec.table(name)
        told, _ = restore(dirty.raw[name], table, spec)
        meant, _ = restore(clean.raw[name], table, spec)
        told, meant = by_row(told, name), by_row(meant, name)
        fields = [field for field in table.columns if field in told]
        for at, row in told.iterrows():
            right = meant.loc[at] if at in meant.index else _most_alike(row, meant, fields, name)
            key = "/".join(at[2] if part == "scale" and name == "scales" else row[part] for part in table.key)
            lines += [
                (name, key, field, row[field], right[field], "as on paper", "AB", "2024-02-01")
                for field in fields
                if row[field] != right[field]
            ]
    pd.DataFrame(lines, columns=list(COLUMNS)).to_csv(path, index=False)
    return path


def _most_alike(row: pd.Series, meant: pd.DataFrame, fields: list[str], name: str) -> pd.Series:
    """The record that an added row repeats; a code for a missing score repeats none, but means something."""
    if name == "scales":
        return row.where(row.index != "score", ".not_known") if row["score"] == UNDECLARED else row
    return meant.iloc[int((meant[fields] == row[fields]).sum(axis=1).to_numpy().argmax())]


def without_places(frame: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    kept = plain(frame).drop(columns=[name for name in WHERE if name in frame]).replace(".not_asked", "")
    return kept.sort_values(key, kind="stable").reset_index(drop=True)


@pytest.fixture(scope="module", params=[DEFAULT, OTHERS[1]], ids=["default", "other"])
def corrected(request, run, spec, tmp_path_factory):
    """The dirty trial with all corrections signed, beside its clean version."""
    seed, scale = request.param
    dirty, clean = run(seed, scale, disturbing=True), run(seed, scale, dirt=False)
    path = tmp_path_factory.mktemp("signed") / "corrections.csv"
    return run(seed, scale, disturbing=True, signed=signed_corrections(dirty, clean, spec, path)), clean


def test_signed_corrections_give_the_tables_of_the_clean_version(corrected, spec) -> None:
    dirty, clean = corrected
    for name in spec.table_names(layer="raw", audience="open"):
        mine, key = dirty.clean[name], list(spec.table(name).key)
        if name == "scales":  # a row that says why there is no score has no counterpart without that code
            mine = mine[~mine["score"].isin(LABELS)]
        pd.testing.assert_frame_equal(without_places(mine, key), without_places(clean.clean[name], key))


def test_after_corrections_nothing_is_left_to_ask_but_of_the_exports_themselves(corrected) -> None:
    """An open list cannot correct closed tables; R10, S10 and S11 are asked where exports are read."""
    dirty, clean = corrected
    left = {
        issue.rule
        for issue in dirty.issues
        if issue.severity == "query" and issue.table not in ("allocation", "delivery")
    }
    assert left <= {"R10", "S10", "S11", *(issue.rule for issue in clean.issues)}


def test_after_corrections_every_derived_table_is_that_of_the_clean_version(corrected, spec) -> None:
    """Every result is a function of these tables, so every result is the same too."""
    dirty, clean = corrected
    for name, frame in clean.derived.items():
        key = list(spec.table(name).key)
        mine, theirs = without_places(dirty.derived[name], key), without_places(frame, key)
        if name == "outcomes":  # the reason of an absent score is what those codes add
            mine, theirs = mine[mine["value"].notna()], theirs[theirs["value"].notna()]
            mine, theirs = (
                each.drop(columns="base_missing_reason").reset_index(drop=True) for each in (mine, theirs)
            )
        if name == "observations":
            of_a_code = mine["reason"].isin([label.removeprefix(".") for label in LABELS])
            mine = mine.assign(reason=mine["reason"].mask(of_a_code, theirs["reason"]))
        pd.testing.assert_frame_equal(mine, theirs)


def test_without_corrections_what_the_dirt_does_not_reach_is_the_same(run, spec) -> None:
    """Histories, harms and flow are those of the clean version though nothing is corrected."""
    dirty, clean = run(*DEFAULT), run(*DEFAULT, dirt=False)
    for name in ("events", "spells", "transitions", "recurrences", "harms", "flow"):
        key = list(spec.table(name).key)
        pd.testing.assert_frame_equal(
            without_places(dirty.derived[name], key), without_places(clean.derived[name], key)
        )

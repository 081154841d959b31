"""Kinds of rules that look at ages, siblings, repeats, a child's own history and another instrument."""

import numpy as np
import pandas as pd
import pytest

from analysis.data.rules import Context, broken
from analysis.data.table import read_table
from analysis.spec.declarations import Spec
from analysis.spec.rules import Rule
from tests.unit.data.tables import values

CUT = pd.Timestamp("2023-12-31")
FAMILIES = """
family_id | site | epoch | randomisation_date
F0001     | GLA  | CBR   | 2014-06-01
F0002     | LON  | CRB   | 2018-03-01
F0003     | GLA  | RCB   | 2016-03-01
"""
CHILDREN = """
child_id | family_id | birth_date | birth_date_precision | sex | care_entry_date | joined_date
C0001    | F0001     | 2012-03-10 | day                  | F   | 2014-02-01      |
C0002    | F0001     | 2010-05-20 | day                  | M   | 2014-02-01      |
C0003    | F0002     | 2016-07-01 | month                | F   | 2018-01-05      |
C0004    | F0001     | 2014-06-20 | day                  | F   | 2014-07-01      | 2014-07-01
"""


@pytest.fixture
def breaks(spec: Spec):
    """Positions of the rows of a table that break a rule, beside the families and children above."""

    def run(table: str, frame: str | pd.DataFrame, **parts) -> list[int]:
        rule = Rule(id="X01", table=table, severity="query", action="keep", message="m", **parts)
        beside = {
            "families": values(spec, "families", FAMILIES),
            "children": values(spec, "children", CHILDREN),
            **parts.pop("beside", {}),
        }
        mine = values(spec, table, frame) if isinstance(frame, str) else frame
        return broken(rule, Context(spec, CUT, {**beside, table: mine})).tolist()

    return run


def test_wrong_side(breaks) -> None:
    """CBR: the baseline on or before 2014-06-01, unless the child joined later; RCB, CRB: on or after."""
    text = """
    child_id | visit | visit_date
    C0001    | V3    | 2014-06-01
    C0002    | V3    | 2014-06-02
    C0004    | V3    | 2014-08-01
    C0004    | V4    | 2014-05-31
    C0003    | V3    | 2018-02-28
    C0003    | V4    | 2018-03-01
    C0003    | V5    |
    C0009    | V3    | 2018-02-28
    """
    assert breaks("assessments", text, kind="wrong_side", column="visit_date", value="V3") == [1, 3, 4]


def test_unique_within(breaks) -> None:
    """F0001 and F0003 are of one site and share a number; F0002 of another has it too, and may."""
    text = "family_id | sequence_number\nF0001 | 7\nF0002 | 7\nF0003 | 7"
    rule = {"kind": "unique_within", "column": "sequence_number", "other": "families.site"}
    assert breaks("allocation", text, **rule) == [0, 2]
    assert breaks("allocation", text.replace("F0003 | 7", "F0003 | 8"), **rule) == []
    assert breaks("allocation", text.replace("7", ""), **rule) == []


PEDSQL_24 = [f"p{n:02d}" for n in range(1, 22)]


def pedsql(*rows: tuple[str, str, str]) -> str:
    """Form 2-4: physical items (8) all 0, psychosocial (13) all 2: 100, 50, and (800 + 650) / 21 = 69.05."""
    header = ["child_id", "visit", "form", "printed_physical", "printed_psychosocial", "printed_total"]
    lines = [" | ".join([*header, *PEDSQL_24])]
    answers = ["0"] * 8 + ["2"] * 13
    lines += [" | ".join([f"C{n:04d}", "V4", "2-4", *row, *answers]) for n, row in enumerate(rows, 1)]
    return "\n".join(lines)


def test_exchanged(breaks) -> None:
    printed = {
        "printed_physical": "PEDSQL_PHYSICAL",
        "printed_psychosocial": "PEDSQL_PSYCHOSOCIAL",
        "printed_total": "PEDSQL_TOTAL",
    }
    text = pedsql(
        ("100", "50", "69.05"),  # right
        ("50", "100", "69.05"),  # the parts exchanged
        ("69.05", "50", "100"),  # a part and the total exchanged
        ("50", "100", "75"),  # exchanged, and the total wrong as well: not explained by an exchange
        ("100", "", "50"),  # the third is not there: nothing shows an exchange of these two with it
        ("", "100", ""),
    )
    rule = {"kind": "exchanged", "column": "printed_physical", "printed": printed}
    assert breaks("pedsql", text, **rule) == [1, 2]


def test_equal_parts_are_not_exchanged(breaks) -> None:
    """All answers 0: each score is 100, and an exchange would change nothing."""
    printed = {"printed_physical": "PEDSQL_PHYSICAL", "printed_psychosocial": "PEDSQL_PSYCHOSOCIAL"}
    text = pedsql(("100", "100", "100")).replace(" | 2", " | 0").replace("| 0-4 |", "| 2-4 |")
    assert breaks("pedsql", text, kind="exchanged", column="printed_physical", printed=printed) == []


def test_sum_equals_of_a_scale(breaks) -> None:
    text = pedsql(("100", "50", "69.05"), ("99.4", "50.6", "69"))
    assert breaks("pedsql", text, kind="sum_equals", column="printed_physical", value="PEDSQL_PHYSICAL") == [
        1
    ]
    rule = {"kind": "sum_equals", "column": "printed_psychosocial", "value": "PEDSQL_PSYCHOSOCIAL"}
    assert breaks("pedsql", text, **rule) == [1]


def test_impossible_at_age(breaks) -> None:
    """C0001 is 24 months on 2014-03-10; C0003 is 24 or 23 on 2018-07-15, so 24 is not impossible."""
    text = """
    child_id | start_date | placement_code
    C0001    | 2014-03-09 | K2
    C0001    | 2014-03-10 | K2
    C0001    | 2014-03-08 | U6
    C0003    | 2018-06-30 | K2
    C0003    | 2018-07-15 | K2
    C0001    | 2030-03-09 | K2
    C0001    | 2030-03-10 | U6
    C0001    | 2012-01-01 | K2
    """
    rule = {"kind": "impossible_at_age", "column": "placement_code", "other": "start_date"}
    limits = {"K2": (24, 180), "*": (0, 215)}
    # Row 5 is 215 months old, beyond 180; row 6 is 216; row 7 is before birth, another rule's finding.
    assert breaks("placements", text, **rule, limits=limits) == [0, 3, 5, 6]
    assert breaks("placements", text, **rule, limits={"K2": (24, 180)}) == [0, 3, 5]


def test_a_birth_date_kept_by_month_may_be_younger_than_the_greatest_age(breaks) -> None:
    """C0003 is 31 or 30 months old on 2019-02-15, and 32 or 31 on 2019-03-01."""
    text = "child_id | start_date | placement_code\nC0003 | 2019-02-15 | K2\nC0003 | 2019-03-01 | K2"
    rule = {"kind": "impossible_at_age", "column": "placement_code", "other": "start_date"}
    assert breaks("placements", text, **rule, limits={"K2": (24, 30)}) == [1]


AGES = """
child_id | visit | visit_date | age_months
C0001    | V3    | 2014-03-15 | 24
C0001    | V4    | 2015-05-15 | 5
C0001    | V5    | 2016-12-15 | 4
C0003    | V4    | 2019-09-15 | 37
C0003    | V5    | 2020-09-15 |
"""


def test_age_differs_and_in_other_unit(breaks) -> None:
    """True ages: 24, 38, 57, 37 or 38; 5 is neither 38 months nor 3 years, 4 is 57 months in years."""
    about = {"column": "age_months", "other": "visit_date"}
    assert breaks("assessments", AGES, kind="age_differs", **about) == [1, 2]
    assert breaks("assessments", AGES, kind="in_other_unit", value="12", **about) == [2]
    # A baby of one month, in years as in months.
    baby = "child_id | visit | visit_date | age_months\nC0004 | V3 | 2014-07-25 | 0"
    assert breaks("assessments", baby, kind="in_other_unit", value="12", **about) == []
    for age, found in (("22", [0]), ("23", []), ("25", []), ("26", [0])):
        one = f"child_id | visit | visit_date | age_months\nC0001 | V3 | 2014-03-15 | {age}"
        assert breaks("assessments", one, kind="age_differs", **about) == found
    near = AGES.replace("| 24", "| 25").replace("| 37", "| 40")
    # One month off is a way of counting; two are not, given the month of doubt.
    assert breaks("assessments", near, kind="age_differs", **about) == [1, 2, 3]


def siblings(*rows: str) -> str:
    return "child_id | family_id | birth_date | birth_date_precision\n" + "\n".join(rows)


def test_births_too_close(breaks) -> None:
    text = siblings(
        "C0001 | F0001 | 2012-03-10 | day",
        "C0002 | F0001 | 2012-10-09 | day",  # 213 days later
        "C0003 | F0001 | 2013-05-11 | day",  # 214 days later
        "C0004 | F0002 | 2012-03-10 | day",
        "C0005 | F0002 | 2012-03-10 | day",  # twins
        "C0006 | F0003 | 2012-03-01 | month",
        "C0007 | F0003 | 2012-09-20 | day",  # 203 days after the 1st, 173 after the 31st
        "C0008 | F0003 | 2013-04-21 | day",  # 213 days
        "C0009 | F0004 | 2012-03-01 | month",
        "C0010 | F0004 | 2012-09-20 | month",  # perhaps 233 days
        "C0011 | F0005 | 2012-03-01 | month",
        "C0012 | F0005 | 2012-03-20 | day",  # perhaps twins
        "C0013 | F0006 | 2012-06-01 | day",  # of another family
    )
    rule = {"kind": "births_too_close", "column": "birth_date", "other": "family_id", "between": (1, 213)}
    assert breaks("children", text, **rule) == [0, 1, 5, 6, 7]
    turned = "\n".join([text.splitlines()[0], *reversed(text.splitlines()[1:])])
    assert breaks("children", turned, **rule) == sorted(12 - at for at in [0, 1, 5, 6, 7])


FORMS = """
child_id | visit | form | completed_date
C0001    | V4    | 4-17 | 2015-05-15
C0002    | V4    | 2-4  | 2015-05-21
C0001    | V5    | 4-17 | 2015-05-15
C0002    | V5    | 4-17 | 2015-05-15
C0003    | V4    | 4-17 | 2019-05-15
"""


def test_swapped_forms(breaks) -> None:
    """In May 2015 C0001 is 38 months old and C0002 turns 60: at V4 each has the other's form."""
    rule = {"kind": "swapped_forms", "column": "form", "value": "SDQ"}
    assert breaks("sdq", FORMS, **rule) == [0]
    # One that does not fit its child is no swap when the sibling's does; nor between two visits.
    assert breaks("sdq", FORMS.replace("C0002    | V4    | 2-4 ", "C0002    | V4    | 4-17"), **rule) == []
    assert breaks("sdq", FORMS.replace("C0002    | V4", "C0002    | V3"), **rule) == []


def test_swapped_ages(breaks) -> None:
    text = """
    child_id | visit | visit_date | age_months
    C0002    | V4    | 2015-05-15 | 38
    C0001    | V4    | 2015-05-16 | 59
    C0001    | V5    | 2016-12-15 | 57
    C0002    | V5    | 2016-12-15 | 12
    """
    rule = {"kind": "swapped_ages", "column": "age_months", "other": "visit_date"}
    assert breaks("assessments", text, **rule) == [1]  # the row of the first of the two children
    assert breaks("assessments", text.replace("| 59", "| 38"), **rule) == []
    # One of them fits the sibling, the other nobody.
    assert breaks("assessments", text.replace("| 38", "| 12"), **rule) == []
    assert breaks("assessments", text.replace("| 59", "| 12"), **rule) == []


def test_a_whole_column_in_years_is_no_swap(breaks) -> None:
    """Both are wrong for their own child, and for each other's."""
    text = (
        "child_id | visit | visit_date | age_months\nC0001 | V4 | 2015-05-15 | 3\nC0002 | V4 | 2015-05-15 | 5"
    )
    assert breaks("assessments", text, kind="swapped_ages", column="age_months", other="visit_date") == []


def test_repeated_content(breaks) -> None:
    header = "event_id | family_id | child_id | event_date | category | is_serious | relatedness\n"
    event = "F0001 | C0001 | 2015-01-01 | injury | true | unrelated"
    text = header + "\n".join(
        [f"E0001 | {event}", f"E0002 | {event}", f"E0003 | {event.replace('01-01', '01-02')}"]
    )
    assert breaks("reported_events", text, kind="repeated_content", column="event_id") == [0, 1]


def answers(*rows: tuple[str, str, str, list[str]]) -> str:
    items = [f"q{n:02d}" for n in range(1, 26)]
    lines = [" | ".join(["child_id", "visit", "form", "completed_date", *items])]
    lines += [" | ".join([child, visit, "2-4", day, *given]) for child, visit, day, given in rows]
    return "\n".join(lines)


def test_repeated_answers(breaks) -> None:
    given = [str(n % 3) for n in range(25)]
    other = ["0", *given[1:]] if given[0] != "0" else ["1", *given[1:]]
    few = [*given[:12], *[""] * 13]
    text = answers(
        ("C0001", "V4", "2015-05-15", given),
        ("C0002", "V4", "2015-05-15", given),  # another child, all the same
        ("C0003", "V4", "2015-05-16", given),  # another day
        ("C0003", "V5", "2015-05-15", other),  # another answer
        ("C0001", "V5", "2015-06-15", given),
        ("C0001", "V3", "2015-06-15", given),  # the same child: no other key
        ("C0002", "V5", "2016-06-15", few),
        ("C0003", "V3", "2016-06-15", few),  # most of both is blank
    )
    rule = {"kind": "repeated_answers", "column": "child_id", "other": "completed_date", "value": "SDQ"}
    assert breaks("sdq", text, **rule) == [0, 1]


def histories(spec: Spec, n: int, *, visits: int, seed: int = 1) -> pd.DataFrame:
    """Scores of `n` children: a level of each and independent noise of standard deviation 2."""
    generator = np.random.default_rng(seed)
    level = generator.normal(50, 10, n)
    rows = [
        {
            "child_id": f"C{child:04d}",
            "visit": f"V{visit + 3}",
            "scale": "PIRGAS",
            "score": level[child] + noise,
        }
        for child in range(n)
        for visit, noise in enumerate(generator.normal(0, 2, visits))
    ]
    return pd.DataFrame(rows).assign(completed_date=pd.Timestamp("2015-01-01"))


HISTORY = {"kind": "off_own_history", "column": "score", "other": "scale", "threshold": 4.5, "at_least": 50}


def test_off_own_history_finds_the_odd_visit_of_three(spec: Spec, breaks) -> None:
    """15 points off, where changes have a standard deviation of sqrt(4 + 2) = 2.4; levels do not matter."""
    frame = histories(spec, 80, visits=3)
    assert breaks("scales", frame, **HISTORY) == []
    frame.loc[100, "score"] += 15
    assert breaks("scales", frame, **HISTORY) == [100]
    frame.loc[100, "score"] -= 30
    assert breaks("scales", frame, **HISTORY) == [100]


def test_of_two_visits_both_are_off_each_other(spec: Spec, breaks) -> None:
    frame = histories(spec, 80, visits=2)
    assert breaks("scales", frame, **HISTORY) == []
    frame.loc[100, "score"] += 20  # changes have a standard deviation of sqrt(8) = 2.8
    assert breaks("scales", frame, **HISTORY) == [100, 101]


def test_one_wrong_score_does_not_hide_another(spec: Spec, breaks) -> None:
    """A fifth of the children off by far would make an ordinary standard deviation useless."""
    frame = histories(spec, 100, visits=3)
    wrong = np.arange(0, 300, 15)
    frame.loc[wrong, "score"] += 40
    assert breaks("scales", frame, **HISTORY) == wrong.tolist()


def test_too_few_children_are_not_judged(spec: Spec, breaks) -> None:
    frame = histories(spec, 49, visits=3)
    frame.loc[100, "score"] += 40
    assert breaks("scales", frame, **HISTORY) == []
    assert breaks("scales", frame, **{**HISTORY, "at_least": 49}) == [100]


def test_history_does_not_depend_on_the_order_of_rows(spec: Spec, breaks) -> None:
    frame = histories(spec, 80, visits=3)
    frame.loc[100, "score"] += 15
    order = np.random.default_rng(3).permutation(len(frame))
    found = breaks("scales", frame.iloc[order].reset_index(drop=True), **HISTORY)
    assert [order[at] for at in found] == [100]


def test_a_score_given_only_once_has_no_history(spec: Spec, breaks) -> None:
    assert breaks("scales", histories(spec, 80, visits=1), **HISTORY) == []


@pytest.fixture
def beside_sdq(spec: Spec):
    """SDQ and one score per child, correlated as asked, all children of families of their own."""

    def make(r: float, n: int, scale: str, *, per_family: int = 1) -> dict[str, pd.DataFrame]:
        generator = np.random.default_rng(5)
        items = generator.integers(0, 3, (n, 25)).astype(float)
        items[:, 10:] = np.where(generator.random(n) < 0.5, 0.0, 2.0)[:, None]
        ids = [f"C{at:05d}" for at in range(n)]
        sdq = pd.DataFrame(items, columns=[f"q{at:02d}" for at in range(1, 26)])
        sdq = sdq.assign(child_id=ids, visit="V4", form="4-17", printed_total=np.nan)
        points = sdq[[f"q{at:02d}" for at in (3, 8, 13, 16, 24, 5, 12, 18, 22, 2, 10, 15, 6, 19, 23)]].sum(
            axis=1
        )
        z = (points - points.mean()) / points.std()
        score = r * z + np.sqrt(1 - r * r) * generator.normal(size=n)
        scales = pd.DataFrame({"child_id": ids, "visit": "V4", "scale": scale, "score": score.to_numpy()})
        children = pd.DataFrame({"child_id": ids, "family_id": [f"F{at // per_family}" for at in range(n)]})
        return {"sdq": sdq, "scales": scales, "children": children}

    return make


def direction(spec: Spec, frames: dict[str, pd.DataFrame]) -> list[int]:
    rule = spec.rules["SC05"]
    return broken(rule, Context(spec, CUT, frames)).tolist()


def test_against_direction(spec: Spec, beside_sdq) -> None:
    """Higher is worse in the SDQ and the DAI, better in TIMB: the one must rise with it, the other fall."""
    assert direction(spec, beside_sdq(-0.5, 200, "DAI")) == [0]
    assert direction(spec, beside_sdq(0.5, 200, "DAI")) == []
    assert direction(spec, beside_sdq(0.5, 200, "TIMB")) == [0]
    assert direction(spec, beside_sdq(-0.5, 200, "TIMB")) == []
    assert direction(spec, beside_sdq(0.0, 200, "TIMB")) == []


def test_direction_is_judged_by_families(spec: Spec, beside_sdq) -> None:
    """0.3 the wrong way is 4.3 standard errors in 200 families, 2.1 in 50; 40 are too few for any."""
    assert direction(spec, beside_sdq(-0.3, 200, "DAI")) == [0]
    assert direction(spec, beside_sdq(-0.3, 200, "DAI", per_family=4)) == []
    assert direction(spec, beside_sdq(-0.9, 40, "DAI")) == []


def test_direction_needs_the_questionnaire(spec: Spec, beside_sdq) -> None:
    frames = beside_sdq(-0.9, 100, "DAI")
    del frames["sdq"]
    assert direction(spec, frames) == []
    assert (
        direction(spec, {**beside_sdq(-0.9, 100, "DAI"), "sdq": beside_sdq(0, 100, "DAI")["sdq"].iloc[:0]})
        == []
    )


def test_a_scale_turned_round_in_the_export_is_seen(spec: Spec, trial) -> None:
    """Every scale of the synthetic trial that goes with the SDQ enough to tell, and the PedsQL."""
    names = ("families", "children", "sdq", "scales", "pedsql")
    frames = {name: read_table(trial.clean / f"{name}.csv", spec.table(name)) for name in names}
    assert direction(spec, frames) == []
    for scale in ("PIRGAS", "DAI", "RPQ", "ITSEA_EXT", "ITSEA_DYS", "COG"):
        turned = frames["scales"].copy()
        mine = turned["scale"] == scale
        limits = spec.scores[scale]
        turned.loc[mine, "score"] = limits.minimum + limits.maximum - turned.loc[mine, "score"]
        (at,) = direction(spec, {**frames, "scales": turned})
        assert turned["scale"].iloc[at] == scale
    assert broken(spec.rules["PQ12"], Context(spec, CUT, frames)).tolist() == []
    frames["pedsql"]["printed_total"] = 100 - frames["pedsql"]["printed_total"]
    assert len(broken(spec.rules["PQ12"], Context(spec, CUT, frames))) == 1

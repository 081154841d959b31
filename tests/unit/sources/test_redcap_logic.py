"""The language of branching logic, against what REDCap documents of it."""

import pytest

from analysis.sources.redcap_logic import Reference, UnknownLogicError, parse_logic


def holds(text: str, **cells: str) -> bool:
    """Cells by field; two underscores part an event or a box's code from the field."""
    logic = parse_logic(text)
    return logic.holds({each: cells[_name(each)] for each in logic.references})


def _name(reference: Reference) -> str:
    return "__".join(part.replace("-", "_") for part in reference if part)


@pytest.mark.parametrize(
    ("text", "cells", "expected"),
    [
        ("[sex] = '1'", {"sex": "1"}, True),
        ('[sex] = "1"', {"sex": "0"}, False),
        ("[sex]='1'", {"sex": ""}, False),
        ("[sex] == 1", {"sex": "1"}, True),
        ("[sex] = 1", {"sex": "1.0"}, True),
        ("[sex] = '01'", {"sex": "1"}, True),
        ("[sex] <> '1'", {"sex": ""}, True),
        ("[sex] != '1'", {"sex": "1"}, False),
        ("[sex] = ''", {"sex": ""}, True),
        ("[sex] <> ''", {"sex": "0"}, True),
        ('[sex] <> ""', {"sex": ""}, False),
        ("[name] = 'Ab'", {"name": "ab"}, False),
        ("[age] >= 18", {"age": "18"}, True),
        ("[age] >= 18", {"age": "9"}, False),  # numbers, not texts, of which 9 is the greater
        ("[age] < 18", {"age": ""}, False),
        ("[age] <= 18", {"age": "eighteen"}, False),
        ("[age] > -3", {"age": "-2"}, True),
        ("[seen] > '2015-04-02'", {"seen": "2015-04-10"}, True),
        ("[seen] > '2015-04-02'", {"seen": "2015-04-01"}, False),
        ("[a] = '1' and [b] = '1'", {"a": "1", "b": "0"}, False),
        ("[a] = '1' or [b] = '1'", {"a": "1", "b": "0"}, True),
        ("[a]='1' AND [b]='1' OR [c]='1'", {"a": "0", "b": "0", "c": "1"}, True),
        ("[c]='1' or [a]='1' and [b]='1'", {"a": "0", "b": "0", "c": "1"}, True),
        ("([c]='1' or [a]='1') and [b]='1'", {"a": "0", "b": "0", "c": "1"}, False),
        ("[a]='1' && ([b]='1' || [c]='1')", {"a": "1", "b": "0", "c": "1"}, True),
        ("[meds(2)] = '1'", {"meds__2": "1"}, True),
        ("[meds(-99)] = '1'", {"meds___99": "0"}, False),
        ("[first_visit_arm_1][sex] = '1'", {"first_visit_arm_1__sex": "1"}, True),
        ("[event-name] = 'first_visit_arm_1'", {"event_name": "first_visit_arm_1"}, True),
        ("[current-instance] > 1", {"current_instance": "2"}, True),
        ("[a] + [b] > 10", {"a": "4", "b": "7"}, True),
        ("[a] - [b] - 1 = 2", {"a": "7", "b": "4"}, True),
        ("[a] + 2 * 3 = 7", {"a": "1"}, True),
        ("[a] / [b] > 0", {"a": "1", "b": "0"}, False),
        ("[a] + 1 > 0", {"a": ""}, False),
        ("sum([a], [b]) = 3", {"a": "3", "b": ""}, True),
        ("max([a], [b]) = 3", {"a": "3", "b": "2"}, True),
        ("min([a], [b]) = 2", {"a": "3", "b": "2"}, True),
        ("abs([a]) = 2", {"a": "-2"}, True),
        ("datediff([a], [b], 'd') >= 731", {"a": "2012-01-01", "b": "2014-01-01"}, True),
        ("datediff([a], [b], 'd') >= 731", {"a": "2012-01-01", "b": "2013-12-31"}, False),
        ("datediff([a], [b], 'd') = 1", {"a": "2012-01-02", "b": "2012-01-01"}, True),
        ("datediff([a], [b], 'd', true) = -1", {"a": "2012-01-02", "b": "2012-01-01"}, True),
        ("datediff([a], [b], 'd', 'ymd', true) < 0", {"a": "2012-01-02", "b": "2012-01-01"}, True),
        ("datediff([a], [b], 'y') >= 2", {"a": "2012-01-01", "b": "2014-01-01"}, True),
        ("datediff([a], [b], 'h') = 36", {"a": "2012-01-01", "b": "2012-01-02 12:00"}, True),
        ("datediff([a], [b], 'M') > 1", {"a": "2012-01-01", "b": "2012-01-31"}, False),
        ("datediff([a], [b], 'd') < 99999", {"a": "", "b": "2014-01-01"}, False),
        ("[a]", {"a": "1"}, True),
        ("[a]", {"a": "0"}, False),
        ("[a]", {"a": ""}, False),
    ],
)
def test_what_holds(text: str, cells: dict[str, str], expected: bool) -> None:
    assert holds(text, **cells) is expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[a] =",
        "[a] = '1' and",
        "([a] = '1'",
        "[a] = '1')",
        "[a] = '1",
        "[a] ~ 1",
        "'it''s' = ''",
        "roundup([a], 0) = 1",
        "[a] = today",
        "datediff([a], 'today', 'd') > 1; import os",
        "__import__('os')",
        "[previous-event-name][a] = '1'",
        "[event_1][a][2] = '1'",
        "[user-dag-name] = 'x'",
        "[a:label] = 'x'",
        "[] = 1",
        "(" * 100_000,
    ],
)
def test_what_is_not_evaluated_is_refused_and_nothing_is_executed(text: str) -> None:
    with pytest.raises(UnknownLogicError):
        parse_logic(text)


def test_a_unit_that_is_no_unit_is_refused_when_it_is_met() -> None:
    with pytest.raises(UnknownLogicError, match="unit"):
        holds("datediff([a], [b], 'weeks') > 1", a="2012-01-01", b="2013-01-01")


def test_a_condition_of_many_parts() -> None:
    text = " or ".join(f"[a] = '{value}'" for value in range(20_000))
    assert holds(text, a="19999")
    assert not holds(text, a="20000")


def test_the_cells_a_condition_reads() -> None:
    logic = parse_logic("[b] = '1' and ([base][a] = [b] or [m(x)] = '1')")
    assert logic.references == (Reference("", "b", ""), Reference("", "m", "x"), Reference("base", "a", ""))

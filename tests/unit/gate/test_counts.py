"""Sizes of the arms in logs: what alarms, and what is equal by chance."""

import pytest

from analysis.gate.counts import check_lines


@pytest.mark.parametrize(
    ("line", "sizes"),
    [
        ("randomised: 190 and 192 families", (192, 190)),
        ("2014-12-31 children by arm: 1,204, 1,198", (1198, 1204)),
        ("families.csv: 12 families and 31", (12, 31)),
        ("23 families, and 23 more", (23, 23)),
    ],
)
def test_both_sizes_on_a_line_about_families_alarm(line: str, sizes: tuple[int, int]) -> None:
    (found,) = check_lines("logs/a.log", f"start\n{line}\n", [sizes])
    assert found.kind == "sizes"


@pytest.mark.parametrize(
    ("line", "sizes"),
    [
        ("family 1 of 2", (2, 1)),
        ("children seen until 2014-12-31", (12, 31)),
        ("0 families, 0 children", (0, 0)),
        ("clean: deviations.csv, 23 rows in, 23 out, 1 issues", (23, 23)),
        ("clean: families.csv, 23 rows in, 23 out, 3 issues", (23, 23)),
        ("23 families", (23, 23)),
    ],
)
def test_what_is_equal_by_chance_does_not(line: str, sizes: tuple[int, int]) -> None:
    assert not list(check_lines("logs/a.log", line, [sizes]))

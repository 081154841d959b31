"""A return sent twice is read once, whatever its second name."""

import pandas as pd

from analysis.sources.copies import copies


def file(name: str, *rows: tuple[str, str]) -> pd.DataFrame:
    frame = pd.DataFrame(list(rows), columns=["CHILD", "DECOM"], dtype=object)
    return frame.assign(source_file=name, source_row=[str(line) for line in range(2, len(rows) + 2)])


ROWS = (("C0001", "01/04/2018"), ("C0002", "02/04/2018"))


def test_a_file_with_the_rows_of_an_earlier_one_is_its_copy() -> None:
    frames = {name: file(name, *ROWS) for name in ("2018", "2019", "2020")}
    assert copies(frames, frames) == {"2019": "2018", "2020": "2018"}


def test_a_cell_more_or_less_makes_another_file() -> None:
    frames = {
        "2018": file("2018", *ROWS),
        "2019": file("2019", ROWS[0], ("C0002", "03/04/2018")),
        "2021": file("2021", *ROWS, ROWS[0]),
        "2022": file("2022", *ROWS).rename(columns={"CHILD": "ID"}),
    }
    assert copies(frames, frames) == {}


def test_the_order_of_the_rows_makes_no_other_file() -> None:
    frames = {"2018": file("2018", *ROWS), "2020": file("2020", *ROWS[::-1])}
    assert copies(frames, frames) == {"2020": "2018"}


def test_files_without_rows_are_no_copies_of_each_other() -> None:
    frames = {name: file(name) for name in ("2018", "2019")}
    assert copies(frames, frames) == {}

"""Days written as text: what a text of a form means."""

import re
from datetime import date, datetime
from functools import cache, lru_cache


@lru_cache(maxsize=200_000)  # the same dates come again in every column
def read_day(cell: str, form: str) -> date | None:
    """The day that a text of this form means, or `None` where it is of another."""
    if not all(mark in cell for mark in _marks(form)):
        return None
    try:
        return datetime.strptime(cell, form).date()
    except ValueError:
        return None


@cache
def _marks(form: str) -> str:
    """Punctuation that no text of the form is without: looked for first, since most other texts lack it."""
    return re.sub(r"%.|\w|\s", "", form)

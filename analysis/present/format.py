"""How numbers look. Everything that is rounded anywhere on a page is rounded here.

Conventions: decimal half-up on the shortest decimal that identifies the number (2.675 becomes 2.68, -0.5
becomes -1), no negative zero, a true minus sign, thousands with a comma, "to" between limits, and words
instead of a dash where there is no number. P values: three decimals below 0.1, two above, never 0.000 and
never 1.00. Percentages: one decimal, none when the total is below 100.
"""

import math
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal

from analysis.errors import ReportError

MINUS = "\u2212"
NOT_ESTIMABLE = "not estimable"
NO_DATA = "no data"
NO_INTERVAL = "no interval"
EMPTY_GROUP = "none in group"

MEAN, RATIO, RATE, SHARE, DAYS, DF, CORRELATION = 1, 2, 1, 1, 0, 1, 3
"""Decimals of each kind of quantity; `SHARE` is of a percentage."""

DAYS_PER_MONTH = Decimal("30.4375")
# Below this many a percentage is printed whole: a decimal would claim more than one unit can carry.
FEW = 100
MONTHS = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)
FAR_DAYS = 36525
# Wide enough for any double written out in full.
_WIDE = Context(prec=800, rounding=ROUND_HALF_UP)


def is_number(value: float | None) -> bool:
    """Whether there is a finite number to print."""
    return value is not None and math.isfinite(value)


def rounded(value: float | Decimal, decimals: int) -> Decimal:
    """The number at so many decimals, half away from zero, without negative zero."""
    exact = value if isinstance(value, Decimal) else Decimal(repr(float(value)))
    result = exact.quantize(Decimal(1).scaleb(-decimals), context=_WIDE)
    return abs(result) if result.is_zero() else result


def number(value: float | Decimal | None, decimals: int, *, absent: str = NOT_ESTIMABLE) -> str:
    """A number, or why there is none."""
    if not is_number(value):
        return absent
    return f"{rounded(value, decimals):,f}".replace("-", MINUS)


def significant(value: float | None, digits: int, *, absent: str = NOT_ESTIMABLE) -> str:
    """A number to so many significant digits, for comparing it with another."""
    if not is_number(value) or value == 0:
        return number(value, 0, absent=absent)
    return number(value, max(digits - 1 - math.floor(math.log10(abs(value))), 0))


def magnitude(value: float | None) -> str:
    """How large a difference is: its power of ten with one digit."""
    if not is_number(value):
        return NOT_ESTIMABLE
    return "0" if value == 0 else f"{value:.0e}".replace("-", MINUS)


def whole(n: int | None, *, absent: str = NO_DATA) -> str:
    """A count."""
    return absent if n is None else f"{int(n):,d}".replace("-", MINUS)


def interval(low: float | None, high: float | None, decimals: int) -> str:
    """Limits in brackets. Equal limits come from data without variation and are no interval."""
    if (not is_number(low) and not is_number(high)) or low == high:
        return f"({NO_INTERVAL})"
    return f"({number(low, decimals)} to {number(high, decimals)})"


def estimate(value: float | None, low: float | None, high: float | None, decimals: int) -> str:
    """A value with its limits."""
    if not is_number(value):
        return NOT_ESTIMABLE
    return f"{number(value, decimals)} {interval(low, high, decimals)}"


def percentage(share: float | None, decimals: int = SHARE) -> str:
    """A share of one as a percentage."""
    return NOT_ESTIMABLE if not is_number(share) else f"{number(_hundredfold(share), decimals)}%"


def short_percentage(share: float | None) -> str:
    """A share as a whole percentage; one that is not 0 or 100 is never printed as if it were."""
    text = percentage(share, 0)
    if text == "0%" and share > 0:
        return "<1%"
    return ">99%" if text == "100%" and share < 1 else text


def percentage_estimate(share: float | None, low: float | None, high: float | None) -> str:
    """A share of one and its limits as percentages."""
    if not is_number(share):
        return NOT_ESTIMABLE
    return f"{percentage(share)} {_points_interval(low, high)}"


def points(share: float | None, low: float | None, high: float | None) -> str:
    """A difference of shares and its limits in percentage points."""
    if not is_number(share):
        return NOT_ESTIMABLE
    return f"{number(_hundredfold(share), SHARE)} {_points_interval(low, high)}"


def part(n: int | None, total: int | None) -> str:
    """A count and its percentage of a total."""
    if n is None or total is None:
        return NO_DATA
    if total <= 0:
        return f"{whole(n)} ({EMPTY_GROUP})"
    share = Decimal(100 * int(n)) / Decimal(int(total))
    return f"{whole(n)} ({number(share, 0 if total < FEW else SHARE)}%)"


def mean_sd(mean: float | None, sd: float | None, decimals: int = MEAN) -> str:
    """A mean with its standard deviation, both to the same decimals."""
    if not is_number(mean):
        return NO_DATA
    return f"{number(mean, decimals)} ({number(sd, decimals, absent='SD ' + NOT_ESTIMABLE)})"


def with_size(text: str, n: int | None) -> str:
    """A summary with the number of values behind it."""
    return f"{text}; {whole(n)}" if n else text


def median_quartiles(median: float | None, q1: float | None, q3: float | None) -> str:
    """A median with its quartiles."""
    if not is_number(median):
        return NO_DATA
    return f"{number(median, MEAN)} ({number(q1, MEAN)} to {number(q3, MEAN)})"


def p_value(p: float | None) -> str:
    """A P value.

    Raises
    ------
    ReportError
        If it is not between 0 and 1.
    """
    if not is_number(p):
        return NOT_ESTIMABLE
    if not 0 <= p <= 1:
        raise ReportError("a P value must lie between 0 and 1.")
    if p < 0.001:
        return "<0.001"
    if p > 0.99:
        return ">0.99"
    return number(p, 3 if p < 0.1 else 2)


def level_name(level: float | None) -> str:
    """The name of an interval of that level."""
    return "CI" if level is None else f"{number(_hundredfold(level), 1).removesuffix('.0')}% CI"


def months(day: float) -> int:
    """Days as the nearest whole number of months."""
    return int(rounded(Decimal(repr(float(day))) / DAYS_PER_MONTH, 0))


def day_name(day: float) -> str:
    """A day from randomisation with the month it stands for."""
    return f"{months(day)} months (day {whole(int(day))})"


def families(n: int | None) -> str:
    """So many families."""
    return f"{whole(n)} {'family' if n == 1 else 'families'}"


def children(n: int | None) -> str:
    """So many children."""
    return f"{whole(n)} {'child' if n == 1 else 'children'}"


def date_name(iso: str) -> str:
    """A date in words; text that is no ISO date as it is."""
    parts = iso.split("-")
    if len(parts) != 3 or not all(part.isdigit() for part in parts) or not 1 <= int(parts[1]) <= 12:
        return iso
    return f"{int(parts[2])} {MONTHS[int(parts[1]) - 1]} {parts[0]}"


def date_after(iso: str, days: float | None) -> str:
    """The date so many days after another, whole days begun counting; words where it is very far."""
    if not is_number(days):
        return NOT_ESTIMABLE
    if days > FAR_DAYS:
        return "more than 100 years later"
    return date_name((date.fromisoformat(iso) + timedelta(days=math.ceil(days))).isoformat())


def with_minus(text: str) -> str:
    """A contrast's name with a true minus between its sides."""
    return text.replace(" - ", f" {MINUS} ")


def sentence(text: str) -> str:
    """Text that ends in a full stop and has single spaces."""
    text = " ".join(text.split())
    return text if not text or text[-1] in ".!?" else f"{text}."


def lower(text: str) -> str:
    """First letter small, unless the word is an abbreviation."""
    word = text.split(" ", 1)[0]
    return text if not text or word[1:] != word[1:].lower() else text[0].lower() + text[1:]


def _hundredfold(share: float) -> Decimal:
    return Decimal(repr(float(share))) * 100


def _points_interval(low: float | None, high: float | None) -> str:
    scaled = [_hundredfold(each) if is_number(each) else None for each in (low, high)]
    return interval(*scaled, SHARE)

"""Numbers, days and moments of typed formats as the text they stand for."""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta

# From here on not every whole number is a double of its own.
EXACT = 2.0**53
SPSS_ORIGIN, SAS_ORIGIN = datetime(1582, 10, 14), datetime(1960, 1, 1)  # Stata counts from the day of SAS
EXCEL_ORIGIN, EXCEL_1904 = datetime(1899, 12, 30), datetime(1904, 1, 1)
DAY = 86_400  # seconds
ToText = Callable[[float], str]

_STATA_PERIOD = re.compile(r"%-?0?\d*(?:t([a-zA-Z])|(d))")
_SPSS_DAYS = {"DATE", "ADATE", "EDATE", "JDATE", "SDATE", "MOYR", "QYR", "WKYR"}
_SPSS_MOMENTS, _SPSS_TIMES = {"DATETIME", "YMDHMS"}, {"TIME", "DTIME", "MTIME"}
_SAS_DAYS = re.compile(
    r"DATE|(?:DDMMYY|MMDDYY|YYMMDD)[BCDNPS]?|(?:MMYY|YYMM|YYQ|YYQR)[CDNPS]?|YYMON|MONYY|MONNAME|JULIAN|JULDAY"
    r"|WORDDAT[EX]?|WORDDATX|WEEKDAT[EX]|WEEKDATX|WEEKDATE|DAY|DOWNAME|WEEK[UVW]|YEAR|NLDATE\w*|MINGUO"
    r"|(?:E8601|B8601|IS8601|ND8601)DA|EURDF(?:DE|DD)"
)
_SAS_MOMENTS = re.compile(
    r"DATETIME|DATEAMPM|DTDATE|DTMONYY|MDYAMPM|NLDATM\w*|(?:E8601|B8601|IS8601)D[TZXN]|EURDFDT"
)
_SAS_TIMES = re.compile(r"TIME|TIMEAMPM|TOD|HHMM|HOUR|MMSS|NLTIM\w*|(?:E8601|B8601|IS8601)T[MZX]")


def number(value: float) -> str:
    """A number as its shortest exact text; a whole one without a point, no number as nothing."""
    if value != value:
        return ""
    whole = abs(value) < EXACT and value == int(value)
    return str(int(value)) if whole else repr(float(value))


def single(value: float) -> str:
    """A number kept in four bytes: 0.1, not the 0.10000000149011612 that it becomes in eight."""
    from numpy import errstate, float32

    with errstate(all="ignore"):
        return number(float(str(float32(value))))


def moment(value: datetime) -> str:
    """A moment in ISO form to the millisecond; midnight is the day alone, since most formats have no days."""
    if not (value.hour or value.minute or value.second or value.microsecond):
        return value.date().isoformat()
    return value.isoformat(timespec="milliseconds" if value.microsecond else "seconds")


def since(origin: datetime, seconds: float, value: float) -> str:
    """The moment so many seconds after `origin`; `value` as a number if the calendar has no such moment."""
    try:
        return moment(origin + timedelta(milliseconds=round(seconds * 1000)))
    except (OverflowError, ValueError):
        return number(value)


def clock(seconds: float) -> str:
    """A time of day or a duration as hours, minutes and seconds."""
    if not 0 <= seconds < EXACT:
        return number(seconds)
    whole = int(seconds)
    part = f"{seconds - whole:.3f}"[1:].rstrip("0").rstrip(".")
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}{part}"


def spss(form: str) -> ToText:
    """Seconds since the first day of the calendar of Gregory."""
    kind = re.match(r"[A-Z]*", form or "")[0]
    if kind in _SPSS_DAYS | _SPSS_MOMENTS:
        return lambda value: since(SPSS_ORIGIN, value, value)
    return clock if kind in _SPSS_TIMES else number


def sas(form: str | None) -> ToText:
    """Days or seconds since 1960, by the name of the format without its width."""
    kind = re.match(r"(.*?)[\d.]*$", (form or "").upper())[1]
    if _SAS_DAYS.fullmatch(kind):
        return _days
    if _SAS_MOMENTS.fullmatch(kind):
        return lambda value: since(SAS_ORIGIN, value, value)
    return clock if _SAS_TIMES.fullmatch(kind) else number


def stata(form: str | None) -> ToText:
    """Days, milliseconds or longer periods since 1960, by the letter of the format."""
    found = _STATA_PERIOD.match(form or "")
    return _STATA.get(found[1] or found[2], number) if found else number


def excel(value: float, is_1904: bool) -> str:
    """Days since 30 December 1899, or since 1904; less than a day is a time of day.

    Days 1 to 60 are one later than they count, because Excel has a 29 February 1900.
    """
    if 0 <= value < 1:
        return clock(round(value * DAY, 3))
    origin = EXCEL_1904 if is_1904 else EXCEL_ORIGIN + timedelta(days=value < 60)
    is_day = is_1904 or value >= 0 and not 60 <= value < 61
    return since(origin, value * DAY, value) if is_day else number(value)


def _days(value: float) -> str:
    # Part of a day makes no date: the number is left to the checks.
    return since(SAS_ORIGIN, value * DAY, value) if value == value // 1 else number(value)


def _period(per_year: int, form: str) -> ToText:
    def text(value: float) -> str:
        if value != value // 1 or not 1 <= 1960 + value // per_year <= date.max.year:
            return number(value)
        year, part = divmod(int(value), per_year)
        return form.format(1960 + year, part + 1)

    return text


def _year(value: float) -> str:
    return number(value)


_STATA = {
    "d": _days,
    "c": lambda value: since(SAS_ORIGIN, value / 1000, value),
    "m": _period(12, "{}-{:02d}"),
    "q": _period(4, "{}q{}"),
    "h": _period(2, "{}h{}"),
    "w": _period(52, "{}w{}"),
    "y": _year,
}

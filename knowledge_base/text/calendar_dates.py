"""Calendar arithmetic: weeks start on Monday, a period is its first and last day."""

import re
from calendar import monthrange
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final

Period = tuple[date, date]

_LAST_OF_FIRST_THIRD: Final = 10
_LAST_OF_SECOND_THIRD: Final = 20
_MONTHS: Final = 12
_CENTURY: Final = 100
_MAX_DAYS_AHEAD: Final = 240  # `I want to report what happened on Aug 21` is not a plan
THIRDS: Final = ("beginning", "middle", "end")


def iso(period: Period) -> str:
    """Return a day as `2026-11-20`, a longer period as `2026-11-16/2026-11-22`."""
    first, last = period
    return first.isoformat() if first == last else f"{first.isoformat()}/{last.isoformat()}"


def day(year: int, month: int, number: int) -> Period:
    """Return one day; two-digit years are of this century. ValueError if it does not exist."""
    at = date(year + 2000 if year < _CENTURY else year, month, number)
    return at, at


def shift(today: date, count: int, unit: str) -> Period:
    """Return the day some days, weeks, months or years away, or the last of a shorter month."""
    if unit in {"day", "week"}:
        at = today + timedelta(days=count * (7 if unit == "week" else 1))
        return at, at
    months = today.year * _MONTHS + today.month - 1
    months += count * (_MONTHS if unit == "year" else 1)
    year, month = divmod(months, _MONTHS)
    number = min(today.day, monthrange(year, month + 1)[1])
    return day(year, month + 1, number)


def week(today: date, away: int) -> Period:
    """Return the week that is `away` weeks from this one."""
    monday = today + timedelta(days=7 * away - today.weekday())
    return monday, monday + timedelta(days=6)


def weekday(today: date, away: int, number: int) -> Period:
    """Return a day of a week; Monday is 0."""
    at = week(today, away)[0] + timedelta(days=number)
    return at, at


def weekend(today: date, away: int) -> Period:
    """Return Saturday and Sunday of a week."""
    sunday = week(today, away)[1]
    return sunday - timedelta(days=1), sunday


def month(year: int, number: int) -> Period:
    """Return a month; a number outside 1 to 12 is a month of the years before or after."""
    carried, index = divmod(number - 1, _MONTHS)
    year = carried + (year + 2000 if year < _CENTURY else year)
    return date(year, index + 1, 1), date(year, index + 1, monthrange(year, index + 1)[1])


def year(number: int) -> Period:
    """Return a year."""
    return date(number, 1, 1), date(number, 12, 31)


def part(period: Period, which: str) -> Period:
    """Return the beginning, middle or end: of a week by days, of a month by tens, of a year."""
    first, last = period
    length = (last - first).days + 1
    if length > 31:  # noqa: PLR2004 - a year: its first or last month, its middle two
        months = {"beginning": (1, 1), "middle": (6, 7), "end": (12, 12)}[which]
        return month(first.year, months[0])[0], month(first.year, months[1])[1]
    cuts = (2, 4) if length == 7 else (_LAST_OF_FIRST_THIRD, _LAST_OF_SECOND_THIRD)  # noqa: PLR2004
    starts = dict(zip(THIRDS, (0, *cuts), strict=True))
    ends = dict(zip(THIRDS, (*cuts, length), strict=True))
    return first + timedelta(days=starts[which]), first + timedelta(days=ends[which] - 1)


def select_nearest(candidates: Iterable[Period], today: date, tense: int | None) -> Period:
    """Return the last of the candidates (tense -1), the next one (1) or else the nearest."""
    ordered = sorted(candidates, key=lambda period: abs((period[0] - today).days))
    fits = [p for p in ordered if (p[0] <= today if (tense or 0) < 0 else p[1] >= today)]
    return fits[0] if tense and fits else ordered[0]


def without_year(today: date, number: int, of_month: int, tense: int | None) -> Period:
    """Return a day of a month without a year."""
    years = range(today.year - 1, today.year + 2)
    if (of_month, number) == (2, 29):
        years = range(today.year - 8, today.year + 9)  # the nearest leap years
    candidates = []
    for year in years:
        try:
            candidates.append(day(year, of_month, number))
        except ValueError:
            continue
    if not candidates:
        message = f"no month {of_month} has a day {number}"
        raise ValueError(message)
    at = select_nearest(candidates, today, tense)
    far = tense == 1 and (at[0] - today).days > _MAX_DAYS_AHEAD
    return select_nearest(candidates, today, None) if far else at


def month_without_year(today: date, number: int, tense: int | None) -> Period:
    """Return a month without a year."""
    if not 1 <= number <= _MONTHS:
        message = f"there is no month {number}"
        raise ValueError(message)
    return select_nearest((month(today.year + away, number) for away in (-1, 0, 1)), today, tense)


def without_month(today: date, number: int, tense: int | None) -> Period:
    """Return a day without a month."""
    candidates = []
    for away in (-2, -1, 0, 1, 2):
        first, last = month(today.year, today.month + away)
        if 1 <= number <= last.day:
            candidates.append((first.replace(day=number), first.replace(day=number)))
    if not candidates:
        message = f"no month has a day {number}"
        raise ValueError(message)
    return select_nearest(candidates, today, tense)


def lone_weekday(today: date, number: int, tense: int | None) -> Period:
    """Return the day that a bare weekday means."""
    return select_nearest((weekday(today, away, number) for away in (-1, 0, 1)), today, tense)


def detect_tense(
    cues: "re.Pattern[str]", text: str, start: int, end: int, *, after: bool
) -> int | None:
    """Return -1 if the words nearest a date are about the past, 1 the future, 0 either.

    The pattern has the groups `past`, `future` and `open` (a promise may be either). English has
    the words before the date, Chinese after it: that side has priority. None if there are none.
    """
    before = [match.lastgroup for match in cues.finditer(text, 0, start)][-1:]
    behind = [match.lastgroup for match in cues.finditer(text, end)][:1]
    order = [*behind, *before] if after else [*before, *behind]
    return {"past": -1, "future": 1}.get(order[0] or "", 0) if order else None

"""Dates in English messages and in figures, relative to a reference day.

Defaults for ambiguous dates: `3/5/2026` has the month first (with dots the day), a date without
its year or month is the last one in a sentence about the past, else the next one.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Final, NamedTuple

from knowledge_base.text import calendar_dates, numbers
from knowledge_base.text.calendar_dates import Period
from knowledge_base.text.spans import ValueSpan

_MONTHS: Final = "jan feb mar apr may jun jul aug sep oct nov dec".split()  # noqa: SIM905 - short
_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTH: Final = (
    r"(?:jan(?:uary)?|feb(?:r?uary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_WEEKDAY: Final = (
    r"(?:monday|tuesday|wed?nesday|thursday|friday|saturday|sunday"
    r"|mon|tues?|wed|thu(?:rs?)?|fri|sat|sun(?= ?[,.?!]|$| at| by| and| or))\b\.?"
)
_DAY: Final = r"(?:0?[1-9]|[12][0-9]|3[01])(?:st|nd|rd|th)?"
_ORDINAL: Final = r"(?:0?[1-9]|[12][0-9]|3[01])(?:st|nd|rd|th)"
_YEAR: Final = r"(?:19|20)[0-9]{2}"
_COUNT: Final = rf"(?:[0-9]{{1,3}}|an?|(?:a )?couple of|{numbers.ENGLISH})"
_UNIT: Final = r"(?P<unit>day|week|wk|fortnight|month|year|yr)s?\b"
_ALONE: Final = r"(?<![0-9A-Za-z][.\-/])(?<![0-9A-Za-z.,$€£¥#])"
_LEAD: Final = (
    r"\b(?:on|by|since|until|till|til|before|after|from|for|to|around|dated|it'?s|is|was|and)"
)
_OF_WEEK: Final = rf"(?:\b(?:{_WEEKDAY}),? (?:the )?)?"
_PART: Final = r"(?:(?P<part>beginning|start|middle|end|mid|early|late)[ -](?:of )?(?:the )?)"
# Words after `the 20th` when it is a day and not a floor.
_GO_ON: Final = (
    r"(?= ?(?:[,.;:!?)]|$)| (?:and|but|or|to|at|it|i|you|they|we|my|the|please|pls|still|as|for"
    r"|until|by|in|so|then|is|was|if|because|with|now|latest|instead|between|when|which)\b)"
)
_CUES: Final = re.compile(
    r"\b(?:(?P<future>will|wil|can|could|would|going to|wanna|need|want|possible|until|till|if"
    r"|expir\w+|valid|ends|book|hold|postpone|reschedule|please|pls|may|'ll|make it)"
    r"|(?P<past>was|were|did|didn'?t|got|had|came|arrived|ordered|bought|paid|received|sent|called"
    r"|placed|returned|since|purchased|shipped|delivered|charged|emailed|took|haven'?t|hasn'?t"
    r"|should have|went|left|put|threw|dated|made|started|stopped|asked|wrote|cancelled|canceled"
    r"|happened|signed|registered|posted|dropped)"
    r"|(?P<open>said|told|promised|supposed|expected|planned|scheduled|estimated|meant))\b",
    re.IGNORECASE | re.ASCII,
)
# A rule is tried only if the text has one of its hints: searching for a word is much cheaper.
_HINTS: Final[dict[str, tuple[str, ...]]] = {
    "figures": ("/", "-", "."),
    "month": tuple(_MONTHS),
    "weekday": _WEEKDAYS,
    "near": ("yes", "tom", "tmr", "today", "night", "this ", "yester"),
    "ago": (" ago", " back", "in ", " from "),
    "period": ("week", "month", "year"),
    "the": (" the ",),
    "year": ("19", "20"),
}
_DEADLINE: Final = re.compile(r"\b(?:by|before|until|till) (?:the )?$", re.IGNORECASE | re.ASCII)
_VERB_BEHIND: Final = re.compile(r" (?:i|we|they|you|be)\b")
_LAST_MONTH: Final = 12


class DateContext(NamedTuple):
    """The context of a rule's match: `lean` returns the tense of the words around a span."""

    text: str
    today: date
    day_first: bool
    lean: Callable[[int, int], int | None]


Build = Callable[["re.Match[str]", DateContext], Period | None]
Rules = Iterable[tuple["re.Pattern[str]", Build]]


def _index(names: "list[str] | tuple[str, ...]", name: str) -> int:
    return names.index(name[:3].lower())


def _digits(text: str) -> int:
    return int(re.sub(r"\D", "", text))


def _group(match: "re.Match[str]", name: str) -> str:
    return (match.groupdict().get(name) or "").lower()


def _count(text: str) -> int | None:
    text = text.lower()
    if text in {"a", "an"}:
        return 1
    if "couple" in text:
        return 2
    value = numbers.parse(text)
    return None if value is None else int(value)


def _away(lead: str) -> int:
    """Return how many weeks, months or years `last`, `this`, `the` and `next` are away."""
    word = lead.lower().rsplit(maxsplit=1)[-1]
    return {"last": -1, "previous": -1, "past": -1, "this": 0, "the": 0}.get(word, 1)


def _part_of(period: Period, match: "re.Match[str]") -> Period:
    which = _group(match, "part")
    names = {"start": "beginning", "mid": "middle", "early": "beginning", "late": "end"}
    return calendar_dates.part(period, names.get(which, which)) if which else period


def _of_month(match: "re.Match[str]", at: DateContext) -> Period:
    number, month = _digits(match["day"]), _index(_MONTHS, match["month"]) + 1
    if match["year"]:
        first = calendar_dates.day(int(match["year"]), month, number)
    else:
        first = calendar_dates.without_year(at.today, number, month, at.lean(*match.span()))
    last = _group(match, "last")
    end = first[0].replace(day=_digits(last)) if last else first[0]
    return (first[0], max(first[0], end))


def _month_of_year(match: "re.Match[str]", _: DateContext) -> Period:
    return _part_of(
        calendar_dates.month(int(match["year"]), _index(_MONTHS, match["month"]) + 1), match
    )


def _lone_month(match: "re.Match[str]", at: DateContext) -> Period | None:
    name, lead = match["month"], _group(match, "lead")
    number = _index(_MONTHS, name) + 1
    verb = _VERB_BEHIND.match(at.text, match.end())
    if name.startswith("ma") and (verb or lead in {"this", "by"}):
        return None  # `this may be late`
    if lead == "this":
        return _part_of(calendar_dates.month(at.today.year, number), match)
    lean = {"last": -1, "next": 1, "since": -1}.get(lead) or at.lean(*match.span())
    away = {"last": -1, "next": 1}.get(lead, 0)
    beside = calendar_dates.month(at.today.year, at.today.month + away)[0] if away else at.today
    return _part_of(calendar_dates.month_without_year(beside, number, lean), match)


def _numeric(match: "re.Match[str]", at: DateContext) -> Period:
    first, second = int(match["a"]), int(match["b"])
    day_first = at.day_first or match["sep"] == "."
    if second > _LAST_MONTH or (first <= _LAST_MONTH and not day_first):
        first, second = second, first
    if year := _group(match, "year"):
        return calendar_dates.day(int(year), second, first)
    return calendar_dates.without_year(at.today, first, second, at.lean(*match.span()))


def _iso(match: "re.Match[str]", _: DateContext) -> Period:
    return calendar_dates.day(int(match["year"]), int(match["month"]), int(match["day"]))


def _near(match: "re.Match[str]", at: DateContext) -> Period:
    word = match[0].lower()
    if "before" in word or "after t" in word:
        away = -2 if "before" in word else 2
    elif word == "last night" or word.startswith("yes"):
        away = -1
    else:
        away = int(word.startswith(("tom", "tmr")))
    return calendar_dates.shift(at.today, away, "day")


def _ago(match: "re.Match[str]", at: DateContext) -> Period | None:
    count = _count(match["count"])
    if count is None:
        return None
    unit = {"wk": "week", "yr": "year"}.get(match["unit"].lower(), match["unit"].lower())
    if unit == "fortnight":
        count, unit = 2 * count, "week"
    return calendar_dates.shift(at.today, -count if _group(match, "ago") else count, unit)


def _period(match: "re.Match[str]", at: DateContext) -> Period:
    name, away = match["period"].lower(), _away(match["lead"])
    if name == "weekend":
        return calendar_dates.weekend(at.today, away)
    if name == "week":
        return _part_of(calendar_dates.week(at.today, away), match)
    if name == "month":
        return _part_of(calendar_dates.month(at.today.year, at.today.month + away), match)
    return _part_of(calendar_dates.year(at.today.year + away), match)


def _far(match: "re.Match[str]", at: DateContext) -> Period:
    away = 2 if match["lead"].lower() == "after next" else -2
    if match["period"].lower() == "month":
        return calendar_dates.month(at.today.year, at.today.month + away)
    return calendar_dates.week(at.today, away)


def _weekday_in_week(match: "re.Match[str]", at: DateContext) -> Period:
    return calendar_dates.weekday(
        at.today, _away(match["lead"]), _index(_WEEKDAYS, match["weekday"])
    )


def _led_weekday(match: "re.Match[str]", at: DateContext) -> Period:
    lead = match["lead"].lower().rsplit(maxsplit=1)[-1]
    number = _index(_WEEKDAYS, match["weekday"])
    if lead in {"this", "next"}:
        return calendar_dates.weekday(at.today, int(lead == "next"), number)
    tense = -1 if lead in {"last", "past", "previous"} else 1
    return calendar_dates.lone_weekday(
        calendar_dates.shift(at.today, tense, "day")[0], number, tense
    )


def _lone_weekday(match: "re.Match[str]", at: DateContext) -> Period | None:
    name, lead = match["weekday"], _group(match, "lead")
    if not name.lower().rstrip(".").endswith("day") and not (lead and name[0].isupper()):
        return None  # `sat` and `sun` are words
    tense = at.lean(*match.span("weekday"))
    if tense is None:
        tense = -1 if lead == "since" else 1
    return calendar_dates.lone_weekday(at.today, _index(_WEEKDAYS, name), tense)


def _lone_day(match: "re.Match[str]", at: DateContext) -> Period:
    return calendar_dates.without_month(at.today, _digits(match["s"]), at.lean(*match.span("s")))


def _lone_year(match: "re.Match[str]", _: DateContext) -> Period:
    return calendar_dates.year(int(match["s"]))


# Rules with a higher precision come first; a group `s` is the span if it is not the whole match.
_SOURCES: Final[tuple[tuple[str, str, Build], ...]] = (
    (
        "figures",
        (
            rf"{_ALONE}(?P<year>{_YEAR})(?P<sep>[-/.])(?P<month>[0-9]{{1,2}})(?P=sep)"
            r"(?P<day>[0-9]{1,2})(?![0-9]|[-/.][0-9])"
        ),
        _iso,
    ),
    (
        "figures",
        (
            rf"{_ALONE}(?P<a>[0-9]{{1,2}})(?P<sep>[-/.])(?P<b>[0-9]{{1,2}})(?P=sep)"
            rf"(?P<year>{_YEAR}|(?<=/)[0-9]{{2}})(?![0-9]|[-/.][0-9])"
        ),
        _numeric,
    ),
    (
        "figures",
        (
            rf"{_LEAD} (?:the )?(?P<s>(?P<a>[0-9]{{1,2}})(?P<sep>/)(?P<b>[0-9]{{1,2}}))"
            r"(?![0-9/]| (?:of|stars?|inch|cup|price|off))"
        ),
        _numeric,
    ),
    (
        "month",
        (
            rf"{_OF_WEEK}\b(?P<month>{_MONTH}) ?(?:the )?(?P<day>{_DAY})"
            rf"(?: ?(?:-|to) ?(?P<last>{_DAY}))?(?:[.,]? (?:of )?(?P<year>{_YEAR})\b)?"
            r"(?![0-9A-Za-z:%]|[.,][0-9])"
        ),
        _of_month,
    ),
    (
        "month",
        (
            rf"{_OF_WEEK}(?<![0-9A-Za-z.,$€£#/-])(?P<day>{_DAY}) (?:of )?(?P<month>{_MONTH})"
            r"(?! (?:be|not|have|need|get|take|want|come|also|only|work|fit)\b)"
            rf"(?:,? (?P<year>{_YEAR})\b)?"
        ),
        _of_month,
    ),
    ("month", rf"{_PART}?\b(?P<month>{_MONTH}),? (?:of )?(?P<year>{_YEAR})\b", _month_of_year),
    ("month", rf"\b(?P<s>(?P<lead>last|next|this) (?P<month>{_MONTH}))(?! [0-9])", _lone_month),
    (
        "month",
        (
            r"\b(?P<lead>in|since|until|till|during|by|before|after|from|for|of|around)"
            rf" (?P<s>{_PART}?(?P<month>{_MONTH}))(?! (?:[0-9]|{numbers.ENGLISH}))"
        ),
        _lone_month,
    ),
    ("month", rf"\b{_PART}(?P<month>{_MONTH})(?! (?:i|we|they|you|be|[0-9])\b)", _lone_month),
    (
        "near",
        (
            r"\b(?:(?:the )?day (?:before yester|after tom+or+ow)(?:day)?|yest[eua]?r?day|tom+or+ow"
            r"|tmrw?|today|tonight|last night|this (?:morning|afternoon|evening))\b"
        ),
        _near,
    ),
    ("ago", rf"\b(?P<count>{_COUNT}) {_UNIT} (?P<ago>ago|back)\b(?! (?:to|in))", _ago),
    (
        "ago",
        (
            rf"(?<!rived )(?<!livered )(?<!came )(?<!roke )\bin (?P<count>{_COUNT}) {_UNIT}"
            r"(?! (?:of|or|after|from)\b)"
        ),
        _ago,
    ),
    ("ago", rf"\b(?P<count>{_COUNT}) {_UNIT} from (?:now|today)\b", _ago),
    (
        "weekday",
        rf"\b(?P<weekday>{_WEEKDAY}) (?:of )?(?P<lead>last|this|next) week\b",
        _weekday_in_week,
    ),
    (
        "weekday",
        rf"\b(?P<lead>last|this|next) week(?: on)? (?P<weekday>{_WEEKDAY})",
        _weekday_in_week,
    ),
    ("period", r"\b(?:the )?(?P<period>week|month) (?P<lead>after next|before last)\b", _far),
    (
        "period",
        (
            rf"{_PART}?(?<!the )\b(?P<lead>last|previous|this|next|(?:this )?coming)"
            r" (?P<period>week|month|year|weekend)\b"
        ),
        _period,
    ),
    (
        "period",
        r"\b(?P<part>beginning|start|middle|end) of (?P<lead>the) (?P<period>week|month|year)\b",
        _period,
    ),
    (
        "weekday",
        (
            r"\b(?P<lead>last|previous|this(?: coming| past)?|next|coming|following)"
            rf" (?P<weekday>{_WEEKDAY})(?!s)"
        ),
        _led_weekday,
    ),
    (
        "weekday",
        (
            r"(?<!black )(?<!cyber )(?<!good )(?<!every )(?<!each )(?<!super )(?<!giving )"
            # `Monday to Friday`, `Mon-Fri` are opening hours.
            r"(?<!monday to )(?<!monday through )(?<!mon to )(?<!mon thru )(?<!monday-)"
            r"(?<!monday - )(?<!mon-)(?<!mon - )"
            r"(?:\b(?P<lead>on|by|since|until|till|before|after|for) )?"
            rf"\b(?P<s>(?P<weekday>{_WEEKDAY}))(?!(?<=mon|day) ?(?:-|through|thru) ?{_WEEKDAY}"
            rf"|(?:(?<=monday)|(?<=mon)) to {_WEEKDAY}|'?s\b|-[a-z])"
        ),
        _lone_weekday,
    ),
    ("the", rf"{_LEAD} (?P<s>the {_ORDINAL}){_GO_ON}", _lone_day),
    (
        "year",
        rf"\b(?:in|since|during|from) (?P<s>{_YEAR})(?= ?(?:[,.;!?]|$)| (?:and|but|or|i|it)\b)",
        _lone_year,
    ),
)
_RULES: Final = tuple(
    (_HINTS[hint], re.compile(source, re.IGNORECASE | re.ASCII), build)
    for hint, source, build in _SOURCES
)


def find(text: str, today: date, *, day_first: bool = False) -> Iterator[ValueSpan]:
    """Yield the dates of a text, those of the most precise rules first; they may overlap."""
    low = text.lower()
    rules = [
        (pattern, build) for hints, pattern, build in _RULES if any(hint in low for hint in hints)
    ]
    if rules:
        yield from apply_rules(
            rules, DateContext(text, today, day_first, lambda s, e: _lean(text, s, e))
        )


def _lean(text: str, start: int, end: int) -> int | None:
    """Return the tense of a date; `by` a date is in the future if somebody needs or wants it."""
    if _DEADLINE.search(text, max(0, start - len("before the ")), start) and any(
        match.lastgroup == "future" for match in _CUES.finditer(text)
    ):
        return 1
    return calendar_dates.detect_tense(_CUES, text, start, end, after=False)


def apply_rules(rules: Rules, at: DateContext) -> Iterator[ValueSpan]:
    """Yield the dates that rules read in a text; days that do not exist are skipped."""
    for pattern, build in rules:
        for match in pattern.finditer(at.text):
            try:
                period = build(match, at)
            except (ValueError, OverflowError):
                continue
            if period:
                start, end = match.span("s") if "s" in pattern.groupindex else match.span()
                end -= at.text.startswith(".", end - 1)  # `Sat.` or the sentence's end
                yield ValueSpan("date", calendar_dates.iso(period), start, end)

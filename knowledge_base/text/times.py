"""Times of day in both languages, as `15:30`."""

import re
from collections.abc import Iterator
from typing import Final

from knowledge_base.text import numbers
from knowledge_base.text.spans import ValueSpan

_NOON: Final = 12
_HINT: Final = re.compile(r"[0-9] ?[:apo]|[点時时]|noon\b|[a-z] o'?clock", re.IGNORECASE)
_CLOCK: Final = re.compile(
    r"(?<![0-9:.$,/])(?P<hour>[01]?[0-9]|2[0-3]):(?P<minute>[0-5][0-9])(?::[0-5][0-9])?"
    r"(?: ?(?P<half>[ap])(?:\.m\.|m\b))?(?![0-9:])",
    re.IGNORECASE | re.ASCII,
)
_HOUR: Final = re.compile(
    rf"(?<![0-9:.$,/#])\b(?P<hour>0?[1-9]|1[0-2]|(?:{numbers.ENGLISH})(?= o'?clock))"
    r"(?:\.(?P<minute>[0-5][0-9]))?(?: ?(?P<half>[ap])(?:\.m\.|m\b)| ?o'?clock\b)"
    r"|\b(?P<noon>noon)\b",
    re.IGNORECASE | re.ASCII,
)
_NUMBER: Final = r"(?:[0-9]{1,2}|[零一二两三四五六七八九十]{1,3})"
_CHINESE: Final = re.compile(
    r"(?P<part>凌晨|清晨|清早|早上|早晨|上午|中午|下午|傍晚|晚上|夜里|晚间)? ?"
    rf"(?<![0-9一二三四五六七八九十几有第.差哪这那:])(?P<hour>{_NUMBER}) ?[点时](?!间|候|长|代|常"
    rf"|尚|节|儿)"
    rf"(?:(?P<half>半)|(?P<quarter>[一三])刻|(?:过|零)?(?P<minute>{_NUMBER})分?(?![0-9个件块元天])"
    r"|(?P<sharp>钟|整)|(?P<more>[前后左以之到至都才就~-]|多|开|发|能|送|来|有|下|上|再))?"
)
_AFTERNOON: Final = frozenset({"下午", "傍晚", "晚上", "夜里", "晚间"})


def find(text: str) -> Iterator[ValueSpan]:
    """Yield the times of a text."""
    if not _HINT.search(text):
        return
    for pattern in (_CLOCK, _HOUR):
        for match in pattern.finditer(text):
            if (value := _value(match)) is not None:
                yield ValueSpan("time", value, *match.span())
    if "点" in text or "时" in text:
        yield from _chinese(text)


def _value(match: "re.Match[str]") -> str | None:
    groups = match.groupdict()
    if groups.get("noon"):
        return "12:00"
    hour = int(numbers.parse(groups["hour"]) or 0)
    if half := groups["half"]:
        if not 1 <= hour <= _NOON:
            return None
        hour = hour % _NOON + (_NOON if half.lower() == "p" else 0)
    return f"{hour:02}:{groups['minute'] or '00'}"


def _chinese(text: str) -> Iterator[ValueSpan]:
    for match in _CHINESE.finditer(text):
        hour = numbers.parse(match["hour"])
        minute = numbers.parse(match["minute"]) if match["minute"] else 0
        digits = match["hour"].isdigit()
        explicit = any(match[name] for name in ("part", "half", "quarter", "minute", "sharp"))
        night = match.start() > 0 and text[match.start() - 1] in "晚夜"
        if hour is None or minute is None or hour > 24 or minute > 59:  # noqa: PLR2004 - a clock
            continue
        if not (explicit or night or (digits and (match["more"] or match.end() == len(text)))):
            continue  # `三点意见` are points, not hours
        if match["half"]:
            minute = 30
        elif match["quarter"]:
            minute = 15 if match["quarter"] == "一" else 45
        late = match["part"] in _AFTERNOON or night
        if (late or (match["part"] == "中午" and hour < 3)) and hour < _NOON:  # noqa: PLR2004
            hour += _NOON
        end = match.start("more") if match["more"] else match.end()
        yield ValueSpan("time", f"{int(hour) % 24:02}:{int(minute):02}", match.start(), end)

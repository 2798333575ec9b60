"""Measures in a text: amounts, durations, dates and counts, in comparable units.

`two weeks` is `14 days`, `$9.95` is `9.95 美元`, `５％` is `百分之五`. Offsets are the text's own.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import isclose
from typing import Final

from knowledge_base.text import numbers

_DIGITS: Final = r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?"
_NUMBER: Final = rf"(?:{_DIGITS}|\b(?:zero|{numbers.ENGLISH})\b|{numbers.CHINESE})"
_BETWEEN: Final = r"\s*(?:-|~|to|and|至|到|或|、)\s*"
_START: Final = r"(?<![A-Za-z0-9_.,#/&-])(?<![第零〇一二两三四五六七八九十百千万亿])"

# Signs of money before or after the figure, by currency.
_MONEY: Final = {
    "usd": r"US\$|USD|\$|美元|美金|US dollars?|dollars?|bucks",
    "eur": r"EUR|€|欧元|euros?",
    "gbp": r"GBP|£|英镑|pounds sterling",
    "cny": r"CNY|RMB|¥|人民币|块钱|元|yuan",
    "hkd": r"HKD|HK\$|港币|港元",
    "twd": r"TWD|NT\$|新台币|台币",
}
_SIGNS: Final = "|".join(rf"(?P<{name}>{signs})" for name, signs in _MONEY.items())
_AMOUNT: Final = re.compile(
    rf"(?:(?<![A-Za-z])(?:{_SIGNS})\s*(?P<a>{_DIGITS})"
    rf"(?:\s*(?:-|~|to|至|到)\s*(?:[A-Z]{{0,3}}[$€£¥])?\s*(?P<b>{_DIGITS}))?)",
    re.ASCII,
)
# Unit → kind of value, and its size in the smallest unit of that kind.
_UNITS: Final = (
    (r"%|per ?cent\b", "percent", 1.0),
    (r"(?:minutes?|mins?)\b|分钟", "duration", 1.0),
    (r"(?:hours?|hrs?)\b|个?小时|个?钟头", "duration", 60.0),
    (r"(?:business|working)[ -]days?\b|个?工作日", "business days", 1.0),
    (r"(?:(?:further|more|calendar|full)[ -])?days?\b|天|日(?!常|期|元)", "duration", 1440.0),
    (r"weeks?\b|周(?!末|[一二三四五六日])|个?星期(?![一二三四五六日天])", "duration", 10_080.0),
    (r"months?\b|个月", "duration", 43_800.0),
    (r"years?\b|年(?!前|级|[ 0-9])", "duration", 525_600.0),
    (r"°\s?C|℃|degrees?\b(?: Celsius)?|摄氏度|度(?!假)", "degrees", 1.0),
    (r"(?:kg|kilos?|kilograms?)\b|公斤|千克", "grams", 1000.0),
    (r"(?:g|grams?)\b|克(?!服)", "grams", 1.0),
    (r"(?:mm|millimet(?:er|re)s?)\b|毫米", "millimetres", 1.0),
    (r"(?:cm|centimet(?:er|re)s?)\b|厘米|公分", "millimetres", 10.0),
    (r"(?:km|kilomet(?:er|re)s?)\b|公里|千米", "millimetres", 1e6),
    (r"(?:m|met(?:er|re)s?)\b(?!²)|米(?!色)", "millimetres", 1000.0),
    (r"(?:ml|millilit(?:er|re)s?)\b|毫升", "millilitres", 1.0),
    (r"(?:l|lit(?:er|re)s?)\b|升(?!级)", "millilitres", 1000.0),
    (r"(?:lumens?|lm)\b|流明", "lumens", 1.0),
)
_DAY: Final = 1440.0
_YEAR: Final = 525_600.0
_FIRST_YEAR: Final = 1900  # 2024 年 is a year, not a duration
_UNIT: Final = "|".join(rf"(?P<u{n}>{unit})" for n, (unit, _, _) in enumerate(_UNITS))
_MEASURED: Final = re.compile(
    rf"{_START}(?P<sign>-(?=[0-9]))?(?:(?P<a>{_NUMBER})(?:{_BETWEEN}(?P<b>{_NUMBER}))?"
    rf"(?P<half>个?半)?|(?P<only>half an?|a half|(?<!一)半个?|\ban?\b))[\s-]?"
    rf"(?:{_UNIT}|(?P<signs>{'|'.join(_MONEY.values())}))",
    re.IGNORECASE,
)
_OF_HUNDRED: Final = re.compile(rf"百分之(?P<a>{numbers.CHINESE}|{_DIGITS})")
_OFF: Final = re.compile(r"(?P<a>[一二三四五六七八九]{1,2}|[1-9][0-9]?)折(?!扣|叠|合)")
_CLOCK: Final = re.compile(
    r"(?<![0-9:])(?:(?P<h>[01]?[0-9]|2[0-4])(?::(?P<m>[0-5][0-9])(?:\s?(?P<p>[ap])\.?m\b)?"
    r"|\s?(?P<q>[ap])\.?m\b)|(?P<noon>\bnoon\b|中午)|(?P<midnight>\bmidnight\b|午夜)"
    r"|(?P<part>上午|早上|下午|晚上)?\s?(?P<o>[0-9]{1,2})\s?点(?P<s>半)?)(?![0-9:])",
    re.IGNORECASE,
)
_HYPHEN: Final = re.compile(r"\s*(?:-|~|to|until|till|至|到)\s*")
_MONTHS: Final = "january february march april may june july august september october november "
_MONTH: Final = {
    name[:3]: n
    for n, name in enumerate((_MONTHS + "december").split(), start=1)
}  # fmt: skip
_MONTH_NAME: Final = (
    r"(?P<{}>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_DATE: Final = re.compile(
    r"\b(?P<y1>(?:19|20)[0-9]{2})-(?P<m1>[01]?[0-9])-(?P<d1>[0-3]?[0-9])\b"
    r"|(?:(?P<y2>(?:19|20)[0-9]{2})\s?年)?\s?(?P<m2>[0-9]{1,2})\s?月\s?(?P<d2>[0-9]{1,2})\s?[日号]"
    rf"|\b(?P<d3>[0-3]?[0-9])(?:st|nd|rd|th)? {_MONTH_NAME.format('m3')}\b"
    r",?(?: (?P<y3>20[0-9]{2}))?"
    rf"|\b{_MONTH_NAME.format('m4')} (?P<d4>[0-3]?[0-9])(?:st|nd|rd|th)?\b"
    r",?(?: (?P<y4>20[0-9]{2}))?",
    re.IGNORECASE,
)
_MEASURE_WORDS: Final = "个位件张条次份双种笔款套台只枚顶分步码字页家间"
_COUNTED: Final = re.compile(
    rf"{_START}(?P<a>{_NUMBER})"
    rf"(?:\s?(?P<measure>[{_MEASURE_WORDS}])(?P<han>[\u3400-\u9fff]{{0,2}})"
    rf"|[ -](?P<nouns>[a-z]{{3,}}(?: [a-z]{{3,}})?))",
    re.IGNORECASE,
)
_LIMIT: Final = re.compile(
    r"at most|up to|maximum|max\.?|only|no more than|最多|至多|只能|只可|仅|不超过|上限",
    re.IGNORECASE,
)
_LIMIT_REACH: Final = 12  # characters between a limiting word and its number
# Words after a number that count nothing: `one of them`, `两者`.
_NO_NOUNS: Final = frozenset(
    {"and", "are", "can", "for", "from", "has", "more", "the", "was", "who"}
)
_WIDE: Final = {0xFF01 + n: chr(0x21 + n) for n in range(94)}
_FULL_WIDTH: Final = {
    **{code: sign for code, sign in _WIDE.items() if sign.isalnum() or sign in "%$.:-~"},
    **dict.fromkeys(map(ord, "–—−‑"), "-"),
    **dict.fromkeys((0xA0, 0x202F, 0x3000), " "),
    ord("～"): "~",
}


_SLACK: Final = 0.015  # relative; two years are 24 months, and 730 days
_EXACT: Final = 1e-9


@dataclass(frozen=True)
class Measure:
    """A figure of a text: `text[start:end]`, from `low` to `high` in the smallest unit of its kind.

    Counts name what they count; a limit is the maximum.
    """

    kind: str
    low: float
    high: float
    start: int
    end: int
    of: tuple[str, ...] = ()
    limit: bool = False

    def fits(self, other: "Measure") -> bool:
        """Return whether both can be true: equal, or one figure within the other's range."""
        slack = _SLACK if self.kind == "duration" else _EXACT
        if self.low == self.high or other.low == other.high:
            figure, range_ = (self, other) if self.low == self.high else (other, self)
            room = slack * max(abs(range_.low), abs(range_.high))
            return range_.low - room <= figure.low <= range_.high + room
        return isclose(self.low, other.low, rel_tol=slack) and isclose(
            self.high, other.high, rel_tol=slack
        )

    def comparable(self, other: "Measure") -> bool:
        """Return whether both are of one kind; counts must count the same thing."""
        if self.kind != other.kind:
            return False
        return self.kind != "count" or bool(set(self.of) & set(other.of))


def plain(text: str) -> str:
    """Return a text with ordinary digits, signs and dashes; offsets stay."""
    return text.translate(_FULL_WIDTH)


def find_measures(text: str) -> list[Measure]:
    """Return the figures of a text in order; a character belongs to at most one."""
    normalised = plain(text)
    measures: list[Measure] = []
    for step in (_dates, _clocks, _amounts, _measured, _counted):
        rest = _mask(normalised, measures)
        measures += step(rest)
    return sorted(measures, key=lambda value: value.start)


def _mask(text: str, measures: list[Measure]) -> str:
    """Return the text without its measures, replaced one for one so that offsets stay."""
    characters = list(text)
    for value in measures:
        characters[value.start : value.end] = "\0" * (value.end - value.start)
    return "".join(characters)


def parse_number(text: str) -> float | None:
    """Return the value of a number in digits, English or Chinese words; None for a vague one."""
    value = numbers.parse(text)
    return None if value is None else float(value)


def _dates(text: str) -> Iterator[Measure]:
    for match in _DATE.finditer(text):
        group = next(n for n in "1234" if match[f"d{n}"])
        name, year = match[f"m{group}"], match[f"y{group}"]
        month = int(name) if name.isdigit() else _MONTH[name[:3].lower()]
        day = 100.0 * month + int(match[f"d{group}"])
        value = 10_000.0 * int(year) + day if year else day
        yield Measure("date" if year else "day of a year", value, value, *match.span())


def _clocks(text: str) -> Iterator[Measure]:
    times = [(_minutes(match), *match.span()) for match in _CLOCK.finditer(text)]
    at = 0
    while at < len(times):
        low, start, end = times[at]
        high = low
        if at + 1 < len(times) and _HYPHEN.fullmatch(text, end, times[at + 1][1]):
            at += 1
            high, _, end = times[at]
        yield Measure("clock", low, high, start, end)
        at += 1


def _minutes(match: re.Match[str]) -> float:
    if match["noon"] or match["midnight"]:
        return 720.0 if match["noon"] else 1440.0
    hour = int(match["h"] or match["o"])
    half = (match["p"] or match["q"] or "").lower()
    afternoon = half == "p" or match["part"] in {"下午", "晚上"}
    hour = hour + 12 if afternoon and hour < 12 else hour  # noqa: PLR2004 - hours of half a day
    hour = 0 if half == "a" and hour == 12 else hour  # noqa: PLR2004
    return 60.0 * hour + (30.0 if match["s"] else float(match["m"] or 0))


def _amounts(text: str) -> Iterator[Measure]:
    for match in _AMOUNT.finditer(text):
        currency = next(name for name in _MONEY if match[name])
        low = parse_number(match["a"])
        high = parse_number(match["b"]) if match["b"] else low
        if low is not None and high is not None:
            yield Measure(currency, low, high, *match.span())
    for match in _OF_HUNDRED.finditer(text):
        value = parse_number(match["a"])
        if value is not None:
            yield Measure("percent", value, value, *match.span())
    for match in _OFF.finditer(text):  # 八折 is 20 % off, 八五折 15 %
        digits = "".join(str(numbers.from_chinese(c) or c) for c in match["a"])
        value = 100.0 - int(digits) * (10 if len(digits) == 1 else 1)
        yield Measure("percent", value, value, *match.span())


def _measured(text: str) -> Iterator[Measure]:
    for match in _MEASURED.finditer(text):
        kind, factor = _unit(match)
        if match["only"]:
            low = 0.5 if re.search(r"half|半", match["only"], re.IGNORECASE) else 1.0
            if low == 1.0 and (kind in {*_MONEY, "business days"} or factor == _DAY):
                continue  # `on a business day` states no duration
        else:
            first = parse_number(match["a"])
            if first is None or (factor == _YEAR and first >= _FIRST_YEAR):
                continue
            low = first + (0.5 if match["half"] else 0.0)
        sign = -1.0 if match["sign"] else 1.0
        second = parse_number(match["b"]) if match["b"] else None
        high = low if second is None else second
        yield Measure(kind, sign * low * factor, sign * high * factor, *match.span())


def _unit(match: re.Match[str]) -> tuple[str, float]:
    if match["signs"]:
        signs = match["signs"]
        name = next(n for n, p in _MONEY.items() if re.fullmatch(p, signs, re.IGNORECASE))
        return name, 1.0
    place = next(n for n in range(len(_UNITS)) if match[f"u{n}"])
    return _UNITS[place][1], _UNITS[place][2]


def _counted(text: str) -> Iterator[Measure]:
    for match in _COUNTED.finditer(text):
        value = parse_number(match["a"])
        if value is None:
            continue
        limit = bool(_LIMIT.search(text, max(0, match.start() - _LIMIT_REACH), match.start()))
        if match["measure"]:
            of = tuple(filter(None, (match["measure"] + match["han"],)))
            end = match.end("measure")
        else:
            words = [w for w in match["nouns"].lower().split() if w not in _NO_NOUNS]
            of, end = tuple(word[:5].rstrip("s") for word in words), match.end("a")
            if not words:
                continue
        yield Measure("count", value, value, match.start("a"), end, of, limit)

"""Extraction of all figures of a sentence: amounts, durations, dates, counts, numbers. Pure.

`knowledge_base.text.measures` finds amounts with a known unit. The others (bare numbers, years,
months, ordinals, unknown units) are found here, so that every figure of a statement is checked.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import isclose
from typing import Final

from bot.generation.verification.verdicts import SupportIssue
from knowledge_base.text import measures

MONEY: Final = frozenset({"usd", "eur", "gbp", "cny", "hkd", "twd", "jpy"})
_DATES: Final = frozenset({"date", "day of a year", "clock", "year", "month", "weekday"})
_UNITLESS: Final = frozenset({"count", "number", "ordinal", "year", "point", "piece"})
_SLACK: Final = 0.015  # two years are 24 months, and 730 days
_EXACT: Final = 1e-9
_HAN_FIGURES: Final = "零〇一二两三四五六七八九十百千万"
_UNIT_WORDS: Final = (
    ("inch", r"inch(?:es)?\b|英寸|吋"),
    ("foot", r"(?:feet|foot|ft)\b|英尺"),
    ("mile", r"miles?\b|英里"),
    ("pound", r"(?:lbs?|pounds?)\b|磅"),
    ("ounce", r"(?:oz|ounces?)\b|盎司"),
    ("gallon", r"gallons?\b|加仑"),
    ("jin", r"斤"),
    ("ton", r"(?:tons?|tonnes?)\b|吨"),
    ("fahrenheit", r"°\s?F\b|华氏度"),
    ("second", r"(?:seconds?|secs?)\b|秒"),
    ("gigabyte", r"GB\b"),
    ("megabyte", r"MB\b"),
    ("watt", r"(?:W|watts?)\b|瓦"),
    ("volt", r"(?:V|volts?)\b|伏"),
    ("hour of charge", r"mAh\b|毫安"),
    ("km2", r"(?:km²|square kilomet\w+)|平方公里|平方千米"),
    ("m2", r"(?:m²|square met\w+)|平方米|平方公尺"),
    ("hectare", r"hectares?\b|公顷"),
    ("acre", r"acres?\b|英亩"),
    ("mu", r"亩"),
    ("month", r"月"),
    ("metre", r"公尺"),
    ("century", r"(?:century|centuries)\b|世纪"),
    ("age", r"岁"),
    ("person", r"(?:people|persons?)\b|人|名"),
    ("point", r"points?\b|积分|分(?![钟之])"),
    ("time", r"times\b|次|遍"),
    ("piece", r"(?:pieces?|items?)\b|件"),
    ("jpy", r"(?:yen|JPY)\b|日元|日圆"),
    ("cny", r"(?:yuan|RMB|CNY)\b|人民币|块钱|元"),
    ("usd", r"(?:US )?dollars?\b|USD\b|美元|美金"),
    ("eur", r"euros?\b|EUR\b|欧元"),
    ("gbp", r"GBP\b|英镑"),
)
_UNIT: Final = re.compile(
    r"[\s-]?(?:" + "|".join(f"(?P<u{n}>{p})" for n, (_, p) in enumerate(_UNIT_WORDS)) + ")"
)
_MAGNITUDE: Final = {"万": 1e4, "亿": 1e8, "千": 1e3, "百": 1e2, "million": 1e6, "billion": 1e9,
                     "thousand": 1e3, "k": 1e3}  # fmt: skip
_BARE: Final = re.compile(
    r"(?P<sign>[$€£¥])?\s?(?P<n>[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?)"
    r"(?:\s?(?P<m>[万亿千百]|million\b|billion\b|thousand\b))?",
    re.IGNORECASE,
)
_CODE: Final = re.compile(r"(?=[A-Za-z-]*[0-9])(?=[0-9-]*[A-Za-z])[A-Za-z0-9][A-Za-z0-9-]{2,}")
_SIGN: Final = {"$": "usd", "€": "eur", "£": "gbp", "¥": "cny"}
_ORDINAL: Final = re.compile(
    r"第\s?(?P<han>[零〇一二两三四五六七八九十百千万]+|[0-9]+)|\b(?P<n>[0-9]+)(?:st|nd|rd|th)\b"
    r"|\b(?P<word>second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth)\b"
)
_ORDINAL_WORDS: Final = {
    word: n
    for n, word in enumerate(
        ["second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"],
        start=2,
    )
}
_HAN_COUNT: Final = re.compile(
    rf"(?<![第{_HAN_FIGURES}])(?P<n>[{_HAN_FIGURES}]+)"
    r"(?P<m>亿)?(?P<u>[名人岁座级集票本部场所届代位号层项篇首支艘辆架匹头门块片幅句段章卷世倍秒吨亩])"
)
# No number has this many words; searching for one in them takes the cube of their number.
_MANY: Final = re.compile(
    r"(?:\b(?:\w{2,5}teen|\w{3,5}ty|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|zero"
    r"|hundred|thousand)\b[ -]+(?:and )?){8,}"
    rf"|[{_HAN_FIGURES}]{{16,}}|[0-9,.]{{30,}}",
    re.IGNORECASE,
)
_HAN_CLOCK: Final = re.compile(
    r"(?P<part>上午|早上|清晨|中午|下午|傍晚|晚上)?(?<![第差一二两三四五六七八九十])"
    r"(?P<h>[一二两三四五六七八九十]{1,3})点(?!儿)(?P<half>半)?[整钟]?"
)
_WORD_TIMES: Final = re.compile(r"\b(?:(?P<two>twice)|(?P<three>thrice))\b", re.IGNORECASE)
_MONTHS: Final = [
    "january",
    "february",
    "march",
    "april",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_MONTH: Final = re.compile(
    r"\b(?P<name>january|february|march|april|(?<=[a-z] )may(?= [0-9])|june|july|august|september"
    r"|october|november|december|(?:jan|feb|apr|aug|sept?|oct|nov|dec)\b\.?)(?=\W|$)",
    re.IGNORECASE,
)
_DAY_WORD: Final = re.compile(
    r"\b(?P<en>mon|tues|wednes|thurs|fri|satur|sun)days?\b|(?:星期|周|礼拜)(?P<zh>[一二三四五六日天])",
    re.IGNORECASE,
)
_DAY_KEYS: Final = {"mon": 0, "tues": 1, "wednes": 2, "thurs": 3, "fri": 4, "satur": 5, "sun": 6}
SHORT_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FIRST_YEAR, _LAST_YEAR = 1000, 2200


@dataclass(frozen=True)
class Amount:
    """A figure from `low` to `high` in the smallest unit of its `kind`, at `start` to `end`.

    `step` is the size of the written unit in smallest units, 0 if unknown. A `weak` one, such as
    the `one` of "one of them", may not be a figure at all.
    """

    kind: str
    low: float
    high: float
    start: int
    end: int
    step: float = 0.0
    weak: bool = False

    @property
    def flaw(self) -> SupportIssue:
        """The issue if it is not supported."""
        if self.kind in MONEY:
            return SupportIssue.MONEY
        return SupportIssue.DATE if self.kind in _DATES else SupportIssue.NUMBER

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys it is compared by as a word of its sentence: one, or two for a range."""
        kind = "" if self.kind in _UNITLESS else self.kind
        ends = (self.low,) if self.low == self.high else (self.low, self.high)
        return tuple(f"#{kind}{end:.9g}" for end in ends)

    def same(self, other: "Amount") -> bool:
        """Return whether both are the same figure; a number without a unit fits any count."""
        loose = {self.kind, other.kind} <= _UNITLESS
        if self.kind != other.kind and not loose:
            return False
        exact = self.step == other.step or not self.step or not other.step
        slack = _EXACT if exact or self.kind != "duration" else _SLACK
        return isclose(self.low, other.low, rel_tol=slack) and isclose(
            self.high, other.high, rel_tol=slack
        )

    def edge(self, other: "Amount") -> bool:
        """Return whether this single figure is an end of the other's range."""
        if self.kind != other.kind or self.low != self.high or other.low == other.high:
            return False
        return any(isclose(self.low, end, rel_tol=_EXACT) for end in (other.low, other.high))


@lru_cache(maxsize=4_000)
def find_amounts(text: str) -> tuple[Amount, ...]:
    """Return the figures of a sentence in order; the text must have plain digits."""
    text = _MANY.sub(lambda match: " " * len(match[0]), text)
    parsed = [_parse(text, value) for value in measures.find_measures(text)]
    amounts = [figure for figure in parsed if figure is not None]
    return tuple(sorted([*amounts, *_find_rest(text, amounts)], key=lambda figure: figure.start))


def _parse(text: str, value: measures.Measure) -> Amount | None:
    """Return a measure as a figure; None for a misread year or number of millions."""
    words = text[value.start : value.end]
    if words[0] in _MAGNITUDE and re.search(
        r"[0-9]\s*$", text[max(0, value.start - 3) : value.start]
    ):
        return None  # 1 万: the number begins before it
    if words[0] == "元" and text[value.start - 1 : value.start] == "公":
        return None  # 公元 700 年
    lead = re.match(r"-?([0-9][0-9,]*(?:\.[0-9]+)?)", words)
    if value.kind == "duration" and lead and "年" in words:
        year = abs(measures.parse_number(lead[1]) or 0.0)
        if _FIRST_YEAR <= year <= _LAST_YEAR:
            return None
    step = 0.0
    if value.kind == "duration":
        unit = re.sub(rf"[0-9,.{_HAN_FIGURES}\s-]+", "", words)
        step = float(sum(map(ord, unit.rstrip("s"))))  # the same spelling is the same unit
    weak = value.low == value.high == 1.0 and value.kind == "count" and not words[0].isdigit()
    weak = weak or bool(re.match(r"an?\b", words, re.IGNORECASE))
    return Amount(value.kind, value.low, value.high, value.start, value.end, step, weak)


def _find_rest(text: str, amounts: Sequence[Amount]) -> Iterator[Amount]:
    free = list(text)
    for figure in amounts:
        free[figure.start : figure.end] = "\0" * (figure.end - figure.start)
    for step in (_han_clocks, _ordinals, _bare, _han_counts, _named_days):
        rest = "".join(free)
        for figure in step(rest):
            free[figure.start : figure.end] = "\0" * (figure.end - figure.start)
            yield figure


def _han_clocks(text: str) -> Iterator[Amount]:
    for match in _HAN_CLOCK.finditer(text):
        hour = measures.parse_number(match["h"])
        if hour is None:
            continue
        late = match["part"] in {"下午", "晚上", "傍晚"} and hour < 12  # noqa: PLR2004
        minutes = 60 * (hour + (12 if late else 0)) + (30 if match["half"] else 0)
        yield Amount("clock", minutes, minutes, *match.span())


def _ordinals(text: str) -> Iterator[Amount]:
    for match in _ORDINAL.finditer(text):
        if match["word"]:
            value: float | None = float(_ORDINAL_WORDS[match["word"]])
        else:
            value = measures.parse_number(match["han"] or match["n"])
        if value is not None:
            yield Amount("ordinal", value, value, *match.span())
    for match in _WORD_TIMES.finditer(text):
        value = 2.0 if match["two"] else 3.0
        yield Amount("number", value, value, *match.span(), weak=True)


def _bare(text: str) -> Iterator[Amount]:
    for match in _BARE.finditer(text):
        before = text[max(0, match.start("n") - 1) : match.start("n")]
        if before.isascii() and before.isalpha():
            continue  # a part of a code, which is checked as a name
        value = (measures.parse_number(match["n"]) or 0.0) * _MAGNITUDE.get(
            (match["m"] or "").lower(), 1
        )
        unit = _UNIT.match(text, match.end())
        kind = _SIGN.get(match["sign"] or "", "number")
        end = match.end()
        if unit and kind == "number":
            kind = _UNIT_WORDS[int(unit.lastgroup[1:])][0] if unit.lastgroup else kind
            end = unit.end()
        elif text.startswith("年", end):
            kind = "year"
        if kind == "number" and _FIRST_YEAR <= value <= _LAST_YEAR and match["n"].isdigit():
            kind = "year"
        yield Amount(kind, value, value, match.start("n"), end)


def _han_counts(text: str) -> Iterator[Amount]:
    for match in _HAN_COUNT.finditer(text):
        value = measures.parse_number(match["n"])
        if value is None:
            continue
        value *= 1e8 if match["m"] else 1.0
        unit = _UNIT.match(text, match.start("u"))
        kind = _UNIT_WORDS[int(unit.lastgroup[1:])][0] if unit and unit.lastgroup else "number"
        weak = match["n"] in {"一", "千", "万", "百", "十"}
        yield Amount(kind, value, value, match.start("n"), match.end(), weak=weak)


def _named_days(text: str) -> Iterator[Amount]:
    for match in _MONTH.finditer(text):
        name = match["name"].lower()[:3]
        place = next((n for n, m in enumerate(_MONTHS, 1) if m.startswith(name)), 0)
        place = place if place <= 4 else place + 1  # noqa: PLR2004 - May is not in the list
        yield Amount("month", float(place or 5), float(place or 5), *match.span())
    for match in _DAY_WORD.finditer(text):
        day = (
            _DAY_KEYS[match["en"].lower()] if match["en"] else "一二三四五六日天".index(match["zh"])
        )
        yield Amount("weekday", float(min(day, 6)), float(min(day, 6)), *match.span())


def written_number(text: str, figure: Amount) -> float | None:
    """Return the number in a figure, whatever its unit."""
    match = _BARE.search(text, figure.start, figure.end)
    if match:
        return measures.parse_number(match["n"])
    han = re.match(rf"[{_HAN_FIGURES}]+", text[figure.start : figure.end])
    return measures.parse_number(han[0]) if han else None

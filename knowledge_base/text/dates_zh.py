"""Dates in Chinese messages, in Simplified characters, relative to a reference day."""

import re
from collections.abc import Iterator
from datetime import date
from functools import partial
from typing import Final

from knowledge_base.text import calendar_dates, numbers
from knowledge_base.text.calendar_dates import Period
from knowledge_base.text.dates import DateContext, apply_rules
from knowledge_base.text.spans import ValueSpan

_FIGURES: Final = "〇零一二三四五六七八九十"
_NUMBER: Final = rf"(?:[0-9]{{1,2}}|[{_FIGURES}]{{1,3}})"
_ALONE: Final = rf"(?<![0-9{_FIGURES}百千几数第.])"
_YEAR: Final = (
    rf"(?:(?P<year>[0-9]{{4}}|[0-9]{{2}}|[{_FIGURES}]{{4}}) ?年 ?|(?P<named>[今去明前后]年的?))"
)
_WEEKDAY: Final = "一二三四五六日"
# `上周一直` is last week all along, `下周一起` next week together.
_MONDAY: Final = r"一(?![直起共样般定次个些]|下(?!午))"
_DAY_OF_WEEK: Final = rf"(?:{_MONDAY}|[二三四五六日天末])"
_IN_BRACKETS: Final = rf"(?: ?[(（]?(?:星期|周|礼拜)(?:{_MONDAY}|[二三四五六日天])[)）]?)?"
_WEEK: Final = r"(?:个|一)?(?:星期|礼拜|周)"
_PART: Final = r"(?P<part>初|月初|上旬|中旬|中|底|末|月底|月末|下旬)?"
_PARTS: Final = {"初": "beginning", "上": "beginning", "中": "middle", "底": "end", "末": "end"}
_STEPS: Final = {"上上": -2, "上": -1, "这": 0, "本": 0, "今": 0, "下": 1, "下下": 2}
_YEARS: Final = {"前年": -2, "去年": -1, "今年": 0, "本年": 0, "明年": 1, "后年": 2}
_DAYS: Final = {"大前": -3, "前": -2, "昨": -1, "今": 0, "明": 1, "后": 2, "大后": 3}
_UNITS: Final = {"天": "day", "日": "day", "周": "week", "星": "week", "礼": "week", "月": "month"}
_CUES: Final = re.compile(
    r"(?P<future>[能会要想请约再]|可以|预计|有没有|有活动|到吗|到货吗|可不可以|不在)"
    r"|(?P<past>了|过|已|签收|收到|到的|买的|下的|付的|拍的|寄的|退的|说|发的|申请|来的|打的|没|开的|订的|就)"
)
_HINT: Final = re.compile(r"[天日号月年周晚早儿晨夜]|星期|礼拜")
# `3号楼`, `5号电池`: numbers of things, not days.
_AFTER_NUMBER: Final = (
    "(?![楼店线门机仓柜院铺房桌码电池色款样链床位窗选厅球会台馆车井技针字家商客产])"
)


def _number(text: str) -> int:
    value = numbers.parse(text)
    if value is None:
        message = f"{text} is no number"
        raise ValueError(message)
    return int(value)


def _year(match: "re.Match[str]", at: DateContext) -> int | None:
    if match["named"]:
        return at.today.year + _YEARS[match["named"][:2]]
    return _number(match["year"]) if match["year"] else None


def _part_of(period: Period, match: "re.Match[str]") -> Period:
    part = match.groupdict().get("part")
    if not part:
        return period
    return calendar_dates.part(period, "end" if part == "下旬" else _PARTS[part.lstrip("月")[0]])


def _full(match: "re.Match[str]", at: DateContext) -> Period:
    year, month, number = _year(match, at), _number(match["month"]), _number(match["day"])
    if year is None:
        period = calendar_dates.without_year(at.today, number, month, at.lean(*match.span()))
    else:
        period = calendar_dates.day(year, month, number)
    if not match["last"]:
        return period
    end = period[0].replace(day=_number(match["last"]))
    return (period[0], end) if end > period[0] else period


def _month(match: "re.Match[str]", at: DateContext) -> Period:
    year, number = _year(match, at), _number(match["month"])
    if not 1 <= number <= 12:  # noqa: PLR2004 - months
        message = f"there is no month {number}"
        raise ValueError(message)
    if year is None:
        period = calendar_dates.month_without_year(at.today, number, at.lean(*match.span()))
    else:
        period = calendar_dates.month(year, number)
    return _part_of(period, match)


def _whole_year(match: "re.Match[str]", at: DateContext) -> Period:
    named = match["named"]
    number = at.today.year + _YEARS[named[:2]] if named else _number(match["year"])
    return _part_of(calendar_dates.year(number), match)


def _day_of_named_month(match: "re.Match[str]", at: DateContext) -> Period:
    first = calendar_dates.month(at.today.year, at.today.month + _STEPS[match["step"]])[0]
    at_day = first.replace(day=_number(match["day"]))
    return at_day, at_day


def _named_month(match: "re.Match[str]", at: DateContext) -> Period:
    step = _STEPS[match["step"]] if match["step"] else 0
    return _part_of(calendar_dates.month(at.today.year, at.today.month + step), match)


def _lone_part(match: "re.Match[str]", at: DateContext) -> Period:
    if match["unit"] == "年":
        return _part_of(calendar_dates.year(at.today.year), match)
    return _part_of(calendar_dates.month(at.today.year, at.today.month), match)


def _near(match: "re.Match[str]", at: DateContext) -> Period:
    return calendar_dates.shift(at.today, _DAYS[match["near"]], "day")


def _in_week(match: "re.Match[str]", at: DateContext) -> Period:
    away, name = _STEPS[match["step"]], match["weekday"]
    if not name:
        return calendar_dates.week(at.today, away)
    if name == "末":
        return calendar_dates.weekend(at.today, away)
    return calendar_dates.weekday(at.today, away, _WEEKDAY.index(name.replace("天", "日")))


def _lone_weekday(match: "re.Match[str]", at: DateContext) -> Period:
    name, tense = match["weekday"], at.lean(*match.span())
    if name == "末":
        return calendar_dates.select_nearest(
            (calendar_dates.weekend(at.today, away) for away in (-1, 0, 1)), at.today, tense
        )
    number = _WEEKDAY.index(name.replace("天", "日"))
    return calendar_dates.lone_weekday(at.today, number, 1 if tense is None else tense)


def _ago(match: "re.Match[str]", at: DateContext) -> Period:
    direction = -1 if match["way"].endswith("前") else 1
    unit = match["unit"]
    if match["count"] == "半":
        count, name = (15, "day") if unit == "月" else (6, "month")
    else:
        count, name = _number(match["count"]), _UNITS.get(unit[0], "year")
    return calendar_dates.shift(at.today, direction * count, name)


def _lone_day(match: "re.Match[str]", at: DateContext) -> Period:
    return calendar_dates.without_month(at.today, _number(match["day"]), at.lean(*match.span()))


_SOURCES: Final = (
    (
        (
            rf"{_ALONE}{_YEAR}?(?P<month>{_NUMBER}) ?月 ?(?P<day>{_NUMBER})(?: ?[日号])?"
            rf"(?: ?[-~到至] ?(?P<last>{_NUMBER}))? ?[日号]{_IN_BRACKETS}"
        ),
        _full,
    ),
    (
        (
            rf"{_ALONE}{_YEAR}?(?P<month>[0-9]{{1,2}}) ?月 ?(?P<day>[0-9]{{1,2}})(?P<last>(?!))?"
            rf"(?![0-9.%个件双元块号日天年折])"
        ),
        _full,
    ),
    (
        (
            rf"{_ALONE}(?P<year>(?!))?(?P<named>(?!))?(?P<last>(?!))?"
            r"(?P<month>[0-9]{1,2})[./](?P<day>[0-9]{1,2})[日号]"
        ),
        _full,
    ),
    (
        (
            r"(?P<step>上上|上|这|本|下下|下)(?:个|一个)?月的?(?P<day>"
            rf"{_NUMBER})[日号]"
        ),
        _day_of_named_month,
    ),
    (
        (
            rf"{_ALONE}(?<!个){_YEAR}?(?P<month>{_NUMBER}) ?月份?{_PART}"
            r"(?! ?[0-9]|[饼球亮光租费经薪卡结嫂])"
        ),
        _month,
    ),
    (
        (
            r"(?:(?P<named>[今去明前后]年)(?!龄)|(?<![0-9])(?P<year>(?:19|20)[0-9]{2}) ?年)"
            r"(?P<part>年?[初中底末])?"
        ),
        _whole_year,
    ),
    (rf"(?P<step>上上|上|这|本|下下|下)(?:个|一个)?月份?{_PART}", _named_month),
    (
        r"(?<![0-9一二三四五六七八九十个满每天全])(?P<unit>[月年])(?P<part>[初底末]|中旬|上旬|下旬)",
        _lone_part,
    ),
    (
        (
            r"(?P<near>大前|(?<!以)(?<!之)(?<!日)(?<!目)前|昨|今|明|大后|(?<!之)(?<!以)后)"
            r"(?:[天日](?!天)|(?<=[今明昨])[晚早晨夜儿]上?)"
        ),
        _near,
    ),
    (rf"(?P<step>上上|上|这|本|下下|下){_WEEK}(?P<weekday>{_DAY_OF_WEEK})?", _in_week),
    (
        (
            r"(?<![0-9一二三四五六七八九十两上下这本每几个到至])(?:周|星期|礼拜)"
            rf"(?P<weekday>{_DAY_OF_WEEK})(?! ?[-~到至] ?(?:周|星期|礼拜)?[一二三四五六日天])"
        ),
        _lone_weekday,
    ),
    (
        (
            rf"{_ALONE}(?P<count>[0-9]{{1,3}}|{numbers.CHINESE}|半)(?:个(?=[星礼月]))?"
            r"(?P<unit>天|日|周|星期|礼拜|月|年)(?P<way>[之以]?[前后])(?!后|台|面|提|端|缀)"
        ),
        _ago,
    ),
    (rf"{_ALONE}(?<![大小编型路街巷弄村道苑院区园])(?P<day>{_NUMBER})号{_AFTER_NUMBER}", _lone_day),
)
_RULES: Final = tuple((re.compile(source), build) for source, build in _SOURCES)


def find(text: str, today: date) -> Iterator[ValueSpan]:
    """Yield the dates of a text, those of the most precise rules first; they may overlap."""
    if not _HINT.search(text):
        return
    lean = partial(calendar_dates.detect_tense, _CUES, text, after=True)
    at = DateContext(text, today, False, lean)  # noqa: FBT003 - a field
    yield from apply_rules(_RULES, at)

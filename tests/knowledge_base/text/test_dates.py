from datetime import date

import pytest

from knowledge_base.text import dates, dates_zh, times
from knowledge_base.text.chinese import simplified

WEDNESDAY = date(2026, 11, 18)


def english(text: str, today: date = WEDNESDAY) -> list[str]:
    return [span.value for span in dates.find(text, today)]


def chinese(text: str, today: date = WEDNESDAY) -> list[str]:
    return [span.value for span in dates_zh.find(simplified(text), today)]


@pytest.mark.parametrize(
    ("text", "today", "value"),
    [
        ("a month ago", date(2026, 3, 31), "2026-02-28"),
        ("a month ago", date(2028, 3, 31), "2028-02-29"),
        ("a year ago", date(2028, 2, 29), "2027-02-28"),
        ("in 2 days", date(2028, 2, 28), "2028-03-01"),
        ("tomorrow", date(2026, 12, 31), "2027-01-01"),
        ("last month", date(2027, 1, 15), "2026-12-01/2026-12-31"),
        ("next month", date(2026, 12, 15), "2027-01-01/2027-01-31"),
        ("this week", date(2026, 11, 16), "2026-11-16/2026-11-22"),
        ("this week", date(2026, 11, 22), "2026-11-16/2026-11-22"),
        ("next Monday", date(2026, 11, 22), "2026-11-23"),
        ("last Sunday", date(2026, 11, 23), "2026-11-22"),
        ("last Wednesday", WEDNESDAY, "2026-11-11"),
        ("this Wednesday", WEDNESDAY, "2026-11-18"),
        ("Friday next week", WEDNESDAY, "2026-11-27"),
        ("the week before last", WEDNESDAY, "2026-11-02/2026-11-08"),
        ("end of the year", WEDNESDAY, "2026-12-01/2026-12-31"),
        ("mid March 2027", WEDNESDAY, "2027-03-11/2027-03-20"),
        ("I bought it on February 29", WEDNESDAY, "2024-02-29"),
        ("9.11.2026", WEDNESDAY, "2026-11-09"),
        ("9/11/2026", WEDNESDAY, "2026-09-11"),
        ("25/11/2026", WEDNESDAY, "2026-11-25"),
        ("Fri., Nov. 20th, 2026", WEDNESDAY, "2026-11-20"),
        ("next May", WEDNESDAY, "2027-05-01/2027-05-31"),
        ("last December", WEDNESDAY, "2025-12-01/2025-12-31"),
    ],
)
def test_english_dates_are_read_from_the_day_of_reference(
    text: str, today: date, value: str
) -> None:
    assert english(text, today)[:1] == [value]


@pytest.mark.parametrize(
    "text",
    [
        "February 30",
        "2026-13-01",
        "31/02/2026",
        "9999 years ago",
        "in 5-7 days",
        "every Friday",
        "Monday to Friday",
        "Mon-Fri",
        "Black Friday",
        "it may be late",
        "I sat and waited",
        "the 15th floor",
        "the 2nd time",
        "4/5 stars",
        "3.11.4",
        "within two weeks",
        "for 3 days",
        "next day delivery",
    ],
)
def test_no_date_is_made_up_in_english(text: str) -> None:
    assert english(text) == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("I ordered on Monday", "2026-11-16"),
        ("can you deliver on Monday?", "2026-11-23"),
        ("I paid on the 25th", "2026-10-25"),
        ("will it come by the 5th?", "2026-12-05"),
        ("I bought it on December 20", "2025-12-20"),
        ("please deliver on December 20", "2026-12-20"),
        ("it was promised by Nov 15", "2026-11-15"),
    ],
)
def test_the_sentence_tells_which_of_the_days_is_meant(text: str, value: str) -> None:
    assert english(text) == [value]


@pytest.mark.parametrize(
    ("text", "today", "value"),
    [
        ("一个月前", date(2026, 3, 31), "2026-02-28"),
        ("明天", date(2028, 2, 28), "2028-02-29"),
        ("上个月", date(2027, 1, 15), "2026-12-01/2026-12-31"),
        ("下周一", date(2026, 11, 22), "2026-11-23"),
        ("本周日", date(2026, 11, 16), "2026-11-22"),
        ("上週五", WEDNESDAY, "2026-11-13"),
        ("下個禮拜天", WEDNESDAY, "2026-11-29"),
        ("大後天", WEDNESDAY, "2026-11-21"),
        ("大前天", WEDNESDAY, "2026-11-15"),
        ("兩週後", WEDNESDAY, "2026-12-02"),
        ("半年前", WEDNESDAY, "2026-05-18"),
        ("二〇二六年三月五号", WEDNESDAY, "2026-03-05"),
        ("3月5號到的", WEDNESDAY, "2026-03-05"),
        ("去年12月25日", WEDNESDAY, "2025-12-25"),
        ("下个月3号", date(2026, 12, 18), "2027-01-03"),
        ("月初", WEDNESDAY, "2026-11-01/2026-11-10"),
        ("上个月底", WEDNESDAY, "2026-10-21/2026-10-31"),
        ("11月3-8号", WEDNESDAY, "2026-11-03/2026-11-08"),
        ("上周一直没人理我", WEDNESDAY, "2026-11-09/2026-11-15"),
        ("下周一起发", WEDNESDAY, "2026-11-23/2026-11-29"),
        ("3.15号买的", WEDNESDAY, "2026-03-15"),
    ],
)
def test_chinese_dates_are_read_from_the_day_of_reference(
    text: str, today: date, value: str
) -> None:
    assert chinese(text, today)[0] == value


@pytest.mark.parametrize(
    "text",
    [
        "2月30日", "13月1日", "三个月", "三天", "7天无理由", "3天内", "几天前", "前几天", "每周三",
        "周一到周五", "5号楼", "7号电池", "小一号", "第三天", "以前天天来", "一日三餐",
        "收货后天天用",
    ],
)  # fmt: skip
def test_no_date_is_made_up_in_chinese(text: str) -> None:
    assert chinese(text) == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("at 5pm", "17:00"),
        ("12 am", "00:00"),
        ("12:30 pm.", "12:30"),
        ("at 7 o'clock", "07:00"),
        ("下午三点", "15:00"),
        ("上午10点一刻", "10:15"),
        ("中午12点", "12:00"),
        ("凌晨两点半", "02:30"),
        ("今晚8点", "20:00"),
        ("9点20分", "09:20"),
    ],
)
def test_times_have_one_form(text: str, value: str) -> None:
    assert [span.value for span in times.find(text)] == [value]


@pytest.mark.parametrize(
    "text",
    ["24/7", "16:9", "I am 5", "有点大", "三点意见", "一点都不好", "差一点", "4.5点", "25:00"],
)
def test_no_time_is_made_up(text: str) -> None:
    assert [*times.find(text)] == []

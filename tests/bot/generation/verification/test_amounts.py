"""Every figure of a sentence is found, in one notation or another."""

import pytest

from bot.generation.verification.amounts import find_amounts
from bot.generation.verification.sentences import parse_sentences


def keys(text: str) -> list[str]:
    return [
        key
        for sentence in parse_sentences(text)
        for figure in sentence.figures
        for key in figure.keys
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("60 days", "sixty days"), ("60 天", "六十天"), ("３０天", "30天"), ("两周", "2 周"),
        ("two weeks", "14 days"), ("两年", "24 个月"), ("$1,299.50", "1299.50 dollars"),
        ("20 %", "20 percent"), ("百分之二十", "20%"), ("2 kg", "2 公斤"), ("30 °C", "30 摄氏度"),
        ("下午三点", "15:00"), ("3 pm", "15:00"), ("上午九点半", "9:30"), ("1 万欧元", "一万欧元"),
        ("3–5 days", "3 to 5 days"), ("between three and five days", "3-5 days"),
        ("12 March", "March 12"), ("3月12日", "3 月 12 号"), ("1200万人", "12,000,000人"),
        ("half an hour", "30 minutes"), ("半小时", "30分钟"), ("第三", "第3"),
    ],
)  # fmt: skip
def test_one_figure_is_read_alike_in_two_notations(one: str, other: str) -> None:
    assert keys(f"({one})") == keys(f"({other})") != []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("30 days", "30 weeks"), ("30 °C", "30 °F"), ("$5", "€5"), ("5 km", "5 miles"),
        ("100 天", "101 天"), ("1984年", "1985年"), ("11月", "12月"), ("50万人", "50亿人"),
        ("17人", "17户"), ("Monday", "Friday"), ("周一", "周二"), ("第三", "第四"),
        ("$25", "$25 to $500"),
    ],
)  # fmt: skip
def test_other_figures_are_read_as_others(one: str, other: str) -> None:
    assert keys(f"({one})") != keys(f"({other})")


def test_a_figure_lies_where_it_is_written() -> None:
    text = "送达后六十天内，退 9.95 美元。"
    assert [text[figure.start : figure.end] for figure in find_amounts(text)] == [
        "六十天",
        "9.95 美元",
    ]


def test_days_that_are_counted_in_one_unit_are_compared_exactly() -> None:
    one, other, weeks = (find_amounts(text)[0] for text in ("100 days", "101 days", "two weeks"))
    assert not one.same(other)
    assert weeks.same(find_amounts("14 days")[0])


def test_a_code_is_no_figure() -> None:
    assert keys("Use WELCOME10 today.") == []

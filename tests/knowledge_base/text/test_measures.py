import pytest

from knowledge_base.text import measures
from knowledge_base.text.measures import Measure


def only(text: str) -> Measure:
    (found,) = measures.find_measures(text)
    return found


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("within 14 days", "within two weeks"),
        ("14 天内", "两周之内"),
        ("24 months", "two years"),
        ("48 小时", "两天"),
        ("30 minutes", "half an hour"),
        ("30 分钟", "半小时"),
        ("90 minutes", "一个半小时"),
        ("5 %", "5%"),
        ("5%", "百分之五"),
        ("５％", "5 per cent"),
        ("15 % off", "打八五折"),
        ("$9.95", "9.95 美元"),
        ("US$1,500", "1500 dollars"),
        ("$25 to $500", "25 至 500 美元"),
        ("one hundred and twenty dollars", "$120"),
        ("30 °C", "30-degree"),
        ("1 kg", "1,000 g"),
        ("-3 °C", "−3℃"),
        ("5 business days", "五个工作日"),
        ("3–5 business days", "3-5 个工作日"),
        ("2 pm", "14:00"),
        ("下午 2 点半", "14:30"),
        ("noon", "12:00"),
        ("9:00 am–6 pm", "9:00 to 18:00"),
        ("2026年3月1日", "March 1, 2026"),
        ("2026-03-01", "1 March 2026"),
    ],
)
def test_one_value_is_one_value_however_it_is_written(one: str, other: str) -> None:
    first, second = only(one), only(other)
    assert first.comparable(second)
    assert first.fits(second)
    assert second.fits(first)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("30 days", "60 days"),
        ("30 days", "31 days"),
        ("3–5 days", "3–7 days"),
        ("$9.95", "$9.90"),
        ("14:00", "noon"),
        ("9:00–18:00", "10:00–17:00"),
        ("二十五天", "二十天"),
        ("-3 °C", "3 °C"),
    ],
)
def test_other_figures_of_one_kind_exclude_each_other(one: str, other: str) -> None:
    assert only(one).comparable(only(other))
    assert not only(one).fits(only(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [("30 days", "30 %"), ("$5", "5 €"), ("5 days", "5 business days"), ("3 parts", "3 tries")],
)
def test_values_of_two_kinds_are_not_compared(one: str, other: str) -> None:
    assert not only(one).comparable(only(other))


def test_a_figure_within_a_range_agrees_with_it() -> None:
    assert only("up to 5 days").fits(only("3–5 days"))
    assert not only("6 days").fits(only("3–5 days"))


@pytest.mark.parametrize(
    "text",
    [
        "order A10234", "WCAG 2.2, level AA", "on a business day", "the Lantern", "第一次", "",
        "once a day", "one of them",
    ],
)  # fmt: skip
def test_what_is_no_statement_of_a_figure_is_left_alone(text: str) -> None:
    assert measures.find_measures(text) == []


def test_offsets_are_those_of_the_text() -> None:
    text = "满１００美元，打包前 ３–５ 天内可退，最多 2 个优惠码。"
    found = measures.find_measures(text)
    assert [text[v.start : v.end] for v in found] == ["１００美元", "３–５ 天", "2 个"]
    assert [v.limit for v in found] == [False, False, True]
    assert [v.start for v in found] == sorted(v.start for v in found)

import json
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.nlu.entities.extractor import EntityExtractor

ORDER = r"(?<![A-Za-z0-9])A\d{5}(?!\d)"
PRODUCTS = {
    "Trail Boots": ("hiking boots", "登山鞋", "登山靴"),
    "Dome Tent": ("tent", "帐篷"),
    "Rain Jacket": ("raincoat", "waterproof jacket", "冲锋衣"),
    "Down Sleeping Bag": ("sleeping bag", "睡袋"),
    "Backpack": ("rucksack", "双肩包", "背包"),
    "Camp Stove": ("stove", "炉头"),
    "Headlamp": ("头灯",),
    "Thermos": ("保温杯",),
}
FINDER = EntityExtractor({"order_number": ORDER, "product": PRODUCTS})
TODAY = date(2026, 11, 18)  # a Wednesday


def values(text: str, today: date = TODAY) -> dict[str, str]:
    return {found.entity: found.value for found in FINDER.find(text, today)}


def cases(language: str) -> list[dict[str, Any]]:
    path = Path(__file__).with_name(f"cases_entities_{language}.jsonl")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def wanted(case: dict[str, Any]) -> Counter[tuple[str, str, str]]:
    return Counter((kind, value, surface) for kind, value, surface in case["entities"])


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_customers_write_is_found_exactly(language: str) -> None:
    right = found = expected = 0
    wrong = []
    for case in cases(language):
        entities = FINDER.find(case["text"], date.fromisoformat(case["today"]))
        got = Counter((e.entity, e.value, e.text) for e in entities)
        right += (got & wanted(case)).total()
        found += got.total()
        expected += wanted(case).total()
        if got != wanted(case):
            wrong.append((case["text"], got))
    assert 2 * right / (found + expected) >= 0.95, wrong


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_cases_hold_enough_messages_with_nothing_to_find(language: str) -> None:
    rows = cases(language)
    assert len({row["text"] for row in rows}) == len(rows) >= 320
    assert sum(not row["entities"] for row in rows) >= 60


def test_an_order_number_is_found_where_it_stands() -> None:
    (found,) = FINDER.find("Where is a10234, please?")
    assert (found.entity, found.value, found.text) == ("order_number", "A10234", "a10234")
    assert (found.start, found.end) == (9, 15)


def test_an_order_number_between_chinese_words_is_found() -> None:
    assert values("订单A10234还没到") == {"order_number": "A10234"}


@pytest.mark.parametrize("text", ["A102345", "XA10234", "A1023"])
def test_what_only_looks_like_an_order_number_is_none(text: str) -> None:
    assert "order_number" not in values(text)


def test_full_width_letters_and_digits_count_and_offsets_stay_true() -> None:
    text = "订单　Ａ１０２３４　在哪"
    (found,) = FINDER.find(text)
    assert found.value == "A10234"
    assert found.text == "Ａ１０２３４" == text[found.start : found.end]


@pytest.mark.parametrize(
    ("text", "entity", "value"),
    [
        ("write to Shop@Example.com", "email", "shop@example.com"),
        ("邮箱shop@example.com", "email", "shop@example.com"),
        ("call +44 20 7946 0958", "phone", "+442079460958"),
        ("电话：138 1234 5678", "phone", "13812345678"),
        ("电话13812345678", "phone", "13812345678"),
        ("I paid $12.50", "money", "USD 12.50"),
        ("I paid 30 dollars", "money", "USD 30"),
        ("付了199元", "money", "CNY 199"),
        ("付了￥199", "money", "CNY 199"),
        ("11月21日到的", "date", "2025-11-21"),
        ("2026年11月21日到的", "date", "2026-11-21"),
        ("it came on 2026-11-21", "date", "2026-11-21"),
    ],
)
def test_common_values_are_found(text: str, entity: str, value: str) -> None:
    assert values(text) == {entity: value}


@pytest.mark.parametrize(
    "text",
    [
        "tracking number 1020304050",
        "单号1020304050",
        "my policy number is 1580245870",
        "card 6738 2225 8104 0183",
        "20394857",
        "version 10.0.19045.3803",
    ],
)
def test_long_numbers_of_a_shop_are_no_phones(text: str) -> None:
    assert "phone" not in values(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("my number is 62345678", "62345678"),
        ("order A10234, phone 1020304050", "1020304050"),
        ("order is late, call 555 010 2233", "5550102233"),
    ],
)
def test_what_is_called_a_phone_is_one(text: str, value: str) -> None:
    assert values(text)["phone"] == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("between $100-150", "USD 100-150"),
        ("100到150元", "CNY 100-150"),
        ("1.249,50 €", "EUR 1249.50"),
        ("three hundred and five dollars", "USD 305"),
        ("两千零五块", "CNY 2005"),
        ("三块五毛", "CNY 3.50"),
        ("三万五千元", "CNY 35000"),
        ("十五块六毛五", "CNY 15.65"),
        ("200 canadian dollars", "CAD 200"),
        ("人民币三百", "CNY 300"),
    ],
)
def test_amounts_have_one_form(text: str, value: str) -> None:
    assert values(text) == {"money": value}


@pytest.mark.parametrize(
    "text", ["it weighs 5 pounds", "元旦有活动吗", "百元店", "一块去", "第三块"]
)
def test_what_only_looks_like_money_is_none(text: str) -> None:
    assert "money" not in values(text, date(2026, 5, 1))


def test_what_the_home_lists_wins_and_the_quantity_before_it_stays() -> None:
    found = FINDER.find("I ordered 2 tents and 3 new raincoats", TODAY)
    assert [(e.entity, e.value, e.text) for e in found] == [
        ("quantity", "2", "2"),
        ("product", "Dome Tent", "tents"),
        ("quantity", "3", "3"),
        ("product", "Rain Jacket", "raincoats"),
    ]


def test_the_homes_own_patterns_win_where_two_overlap() -> None:
    finder = EntityExtractor({"parcel": r"\d{10}"})
    assert [found.entity for found in finder.find("parcel 1234567890")] == ["parcel"]


def test_the_home_may_replace_a_built_in_kind() -> None:
    finder = EntityExtractor({"phone": r"ext\. \d+"})
    assert [found.value for found in finder.find("ext. 12 or 13812345678")] == ["EXT.12"]


def test_the_home_may_read_the_day_first() -> None:
    (found,) = EntityExtractor({}, day_first=True).find("bought 3/5/2026", TODAY)
    assert found.value == "2026-05-03"


def test_entities_come_in_the_order_they_stand() -> None:
    found = FINDER.find("$5 for A10234, ask shop@example.com")
    assert [entity.entity for entity in found] == ["money", "order_number", "email"]


def test_a_message_without_values_has_no_entities() -> None:
    assert FINDER.find("我想退货 please") == ()
    assert FINDER.find("") == ()


_PARTS = (
    "A10234", "Ａ１０２３４", "shop@example.com", "13812345678", "199元", "$5", "退", " ", "-",
    "three", "days", "ago", "last", "Friday", "Nov", "31", "29", "月", "日", "号", "三", "百", "万",
    "两", "个", "后", "上", "周", "一", "tents", "帐篷", "/", "2", "99999999999999999999", "at",
    "pm", ":", "点半", "一亿", "年前", "İ", "ſ", "㎏", "𝟗", "years", "in", "x",
)  # fmt: skip


def check_places(text: str) -> None:
    at = 0
    for found in FINDER.find(text, TODAY):
        assert text[found.start : found.end] == found.text
        assert found.start >= at
        assert found.end > found.start
        at = found.end


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(_PARTS), max_size=14).map("".join))
def test_offsets_lead_to_the_text_and_never_overlap(text: str) -> None:
    check_places(text)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(_PARTS), max_size=14).map(" ".join))
def test_words_in_any_order_never_break_it(text: str) -> None:
    check_places(text)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80), st.dates())
def test_no_text_and_no_day_breaks_it(text: str, today: date) -> None:
    check_places(text)
    FINDER.find(f"{text} 3 days ago, 下个月, March 5, next year", today)

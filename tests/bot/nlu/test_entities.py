import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.nlu.entities import EntityFinder

ORDER = r"(?<![A-Za-z0-9])A\d{5}(?!\d)"
FINDER = EntityFinder({"order_number": ORDER})


def values(text: str) -> dict[str, str]:
    return {found.entity: found.value for found in FINDER.find(text)}


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
        ("write to ann@example.com", "email", "ANN@EXAMPLE.COM"),
        ("邮箱ann@example.com", "email", "ANN@EXAMPLE.COM"),
        ("call +44 20 7946 0958", "phone", "+442079460958"),
        ("电话：138 1234 5678", "phone", "13812345678"),
        ("电话13812345678", "phone", "13812345678"),
        ("I paid $12.50", "money", "$12.50"),
        ("I paid 30 dollars", "money", "30DOLLARS"),
        ("付了199元", "money", "199元"),
        ("付了￥199", "money", "￥199"),
        ("11月21日到的", "date", "11月21日"),
        ("2026年11月21日到的", "date", "2026年11月21日"),
        ("it came on 2026-11-21", "date", "2026-11-21"),
    ],
)
def test_common_values_are_found(text: str, entity: str, value: str) -> None:
    found = values(text)
    assert set(found) == {entity}
    assert found[entity] in {value, value.replace("￥", "¥")}


def test_the_homes_own_patterns_win_where_two_overlap() -> None:
    finder = EntityFinder({"parcel": r"\d{10}"})
    assert [found.entity for found in finder.find("parcel 1234567890")] == ["parcel"]


def test_the_home_may_replace_a_built_in_pattern() -> None:
    finder = EntityFinder({"phone": r"ext\. \d+"})
    assert [found.value for found in finder.find("ext. 12 or 13812345678")] == ["EXT.12"]


def test_entities_come_in_the_order_they_stand() -> None:
    found = FINDER.find("$5 for A10234, ask ann@example.com")
    assert [entity.entity for entity in found] == ["money", "order_number", "email"]


def test_a_message_without_values_has_no_entities() -> None:
    assert FINDER.find("我想退货 please") == ()
    assert FINDER.find("") == ()


_PARTS = (
    "A10234",
    "Ａ１０２３４",
    "ann@example.com",
    "13812345678",
    "199元",
    "$5",
    "退",
    " ",
    "-",
    "x",
)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(_PARTS), max_size=10).map("".join))
def test_offsets_lead_to_the_text_and_never_overlap(text: str) -> None:
    at = 0
    for found in FINDER.find(text):
        assert text[found.start : found.end] == found.text
        assert found.start >= at
        at = found.end

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.core.privacy import redact

VALID_CARD = "4242 4242 4242 4242"


@pytest.mark.parametrize(
    "mail",
    [
        "ann@example.com",
        "ann.lee+shop@mail.example.co.uk",
        "A_N-1%x@EXAMPLE.ORG",
        "ann１@example.cn",
    ],
)
def test_mail_addresses_go(mail: str) -> None:
    assert redact(f"Write to {mail}, please") == "Write to [email], please"


def test_mail_addresses_between_chinese_words_go() -> None:
    assert redact("我的邮箱是ann@example.com请回复") == "我的邮箱是[email]请回复"


def test_full_width_mail_addresses_go() -> None:
    assert redact("ａｎｎ＠ｅｘａｍｐｌｅ．ｃｏｍ") == "[email]"
    assert redact("ann＠example．com") == "[email]"


def test_mail_addresses_with_accents_go_whole() -> None:
    assert redact("Mail jürgen@example.de") == "Mail [email]"


@pytest.mark.parametrize(
    "phone",
    [
        "+44 20 7946 0958",
        "0044 20 7946 0958",
        "020 7946 0958",
        "07700 900123",
        "(212) 555-0182",
        "+1 (212) 555-0182",
        "212.555.0182",
        "+49 (0)30 123456",
        "030/1234567",
        "+33 6 12 34 56 78",
        "06.12.34.56.78",
        "+86 138 1234 5678",
        "13812345678",
        "138-1234-5678",
        "010-65529988",
        "(010) 6552 9988",
        "+852 2123 4567",
        "+65 6123 4567",
        "+61 2 5550 1234",
        "１３８１２３４５６７８",
    ],
)
def test_phone_numbers_go_as_people_write_them(phone: str) -> None:
    assert redact(f"Call {phone} today") == "Call [phone] today"
    assert redact(phone) == "[phone]"
    assert redact(f"电话：{phone}，谢谢") == "电话：[phone]，谢谢"


@pytest.mark.parametrize(
    "text", ["我的手机号是13812345678", "13812345678是我的电话", "请打13812345678联系我"]
)
def test_phone_numbers_right_beside_chinese_words_go(text: str) -> None:
    assert redact(text) == text.replace("13812345678", "[phone]")


@pytest.mark.parametrize(
    "card",
    [
        VALID_CARD,
        "4242424242424242",
        "4242-4242-4242-4242",
        "4242.4242.4242.4242",
        "3782 822463 10005",
        "６２２２ ０２１２ ３４５６ ７８９０",
        "4000 0000 0000 0000 006",
    ],
)
def test_card_numbers_go(card: str) -> None:
    assert redact(f"My card is {card}.") == "My card is [card]."
    assert redact(f"卡号{card}。") == "卡号[card]。"


@pytest.mark.parametrize(
    "text",
    [
        f"{VALID_CARD} 123",
        f"{VALID_CARD} 12/27",
        f"2 {VALID_CARD}",
        f"order 12345 {VALID_CARD}",
        f"+{VALID_CARD}",
    ],
    ids=["security code", "expiry", "digit before", "number before", "plus"],
)
def test_no_four_digits_of_a_card_stay_whatever_stands_beside_it(text: str) -> None:
    assert "4242" not in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "A10234",
        "Where is order A10234?",
        "订单A10234在哪里",
        "2026-11-21",
        "delivered on 21.11.2026",
        "21/11/2026 14:30",
        "2026年11月21日下的单",
        "between 2026-11-21 2026-11-24",
        "€1,299.00 or $12.50",
        "$12345678",
        "共199元",
        "1299.00 dollars",
        "7天无理由退货",
        "size 42, 3 items, 15% off",
        "Nothing personal here.",
        "",
    ],
)
def test_order_numbers_dates_and_prices_stay(text: str) -> None:
    assert redact(text) == text


def test_a_mail_address_that_touches_a_number_goes_too() -> None:
    assert "example.com" not in redact("11 2026-11-21ann@example.com")


def test_several_secrets_in_one_message_all_go() -> None:
    text = f"ann@example.com, 13812345678; {VALID_CARD}, A10234"
    assert redact(text) == "[email], [phone]; [card], A10234"


_PARTS = st.sampled_from(
    ["1", "42", "4242", "13812345678", " ", "-", "+", "(", ")", ".", "/", "@", "a", "退", "１",
     "ann@example.com", VALID_CARD, "2026-11-21", "A10234", "%", "€", ", "]
)  # fmt: skip


@settings(max_examples=50, deadline=None)
@example(f"{VALID_CARD} 123")
@example("2026-11-21 13812345678")
@given(st.lists(_PARTS, max_size=12).map("".join))
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    once = redact(text)
    assert redact(once) == once


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=60))
def test_texts_without_digits_and_at_signs_stay(text: str) -> None:
    bare = "".join(c for c in text if not c.isdigit() and c not in "@＠")
    assert redact(bare) == bare

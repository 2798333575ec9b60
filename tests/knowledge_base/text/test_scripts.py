import pytest

from knowledge_base.text.chinese import simplified
from knowledge_base.text.han_characters import SIMPLIFIED, TRADITIONAL
from knowledge_base.text.scripts import detect_script, to_script


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我的订单在哪", "hans"),
        ("我的訂單在哪", "hant"),
        ("退货", "hans"),
        ("退貨", "hant"),
        ("後天可以送嗎", "hant"),
        ("为什么这么慢", "hans"),
        ("為什麼這麼慢", "hant"),
        ("好的", None),
        ("你好", None),
        ("皇后", None),
        ("著名", None),
        ("", None),
        ("where is my order", None),
        ("A10234的訂單", "hant"),
        ("请问這個怎么退", "hans"),
    ],
)
def test_the_script_is_told_by_characters_of_one_script_only(
    text: str, expected: str | None
) -> None:
    assert detect_script(text) == expected


def test_reading_keeps_every_place() -> None:
    assert simplified("訂單 A10234 還沒到") == "订单 A10234 还没到"
    assert len(TRADITIONAL) == len(SIMPLIFIED) == len(set(TRADITIONAL))


@pytest.mark.parametrize(
    ("simple", "traditional"),
    [
        ("您的订单已发货", "您的訂單已發貨"),
        ("头发以后再说", "頭髮以後再說"),
        ("皇后", "皇后"),
        ("Order A10234: 退款", "Order A10234: 退款"),
        ("please wait", "please wait"),
    ],
)
def test_a_reply_is_turned_by_phrases(simple: str, traditional: str) -> None:
    pytest.importorskip("opencc")
    assert to_script(simple, "hant") == traditional
    assert to_script(traditional, "hans") == simple


def test_another_script_is_refused() -> None:
    with pytest.raises(ValueError, match="hans or hant"):
        to_script("退货", "latin")  # type: ignore[arg-type]

import pytest

from bot.nlu.language import detect, reply_language


@pytest.mark.parametrize(
    "text",
    [
        "Where is my parcel?",
        "refund pls",
        "I'd like to send these boots back",
        "My order A10234 has not arrived",
        "ok thanks",
    ],
)
def test_english_is_english(text: str) -> None:
    assert detect(text) == "en"
    assert detect(text, "zh") == "en"


@pytest.mark.parametrize(
    "text",
    [
        "我的包裹到哪里了？",
        "退貨需要多久？",
        "我想買一個帳篷",
        "好的",
        "订单A10234还没发货",
        "我想买 iPhone 手机壳",
        "USB接口坏了",
    ],
)
def test_simplified_and_traditional_chinese_are_chinese(text: str) -> None:
    assert detect(text) == "zh"
    assert detect(text, "en") == "zh"


@pytest.mark.parametrize(
    "text",
    [
        "A10234什么时候到",
        "7天无理由退货怎么申请",
        "我的邮箱是ann@example.com请查一下",
        "https://shop.example/x这个链接打不开",
    ],
)
def test_codes_right_beside_chinese_do_not_swallow_it(text: str) -> None:
    assert detect(text) == "zh"


@pytest.mark.parametrize(
    "text", ["我的order还没到", "请问 refund 多久到账", "Can you check the 拉杆箱 order"]
)
def test_both_in_one_message_are_mixed(text: str) -> None:
    assert detect(text) == "mixed"


@pytest.mark.parametrize(
    "text",
    [
        "注文した商品が届きません",
        "배송은 언제 오나요",
        "Где мой заказ?",
        "أين طلبي؟",
        "Wo bleibt meine Bestellung, ich warte seit zwei Wochen",
        "¿Dónde está mi pedido? Todavía no ha llegado",
    ],
)
def test_other_languages_are_other(text: str) -> None:
    assert detect(text) == "other"


@pytest.mark.parametrize("text", ["A10234", "12345", "👍", "", "?!", "ann@example.com", "ok"])
def test_texts_without_words_take_the_language_of_the_conversation(text: str) -> None:
    assert detect(text, "zh") == "zh"
    assert detect(text) == "en"


@pytest.mark.parametrize("text", ["merci", "danke schön", "tent"])
def test_short_latin_texts_get_the_benefit_of_the_doubt(text: str) -> None:
    assert detect(text) == "en"


def test_a_mixture_is_answered_in_the_language_that_leads() -> None:
    assert reply_language("mixed", "我的order还没到") == "zh"
    assert reply_language("mixed", "Can you check the 箱 order please") == "en"


@pytest.mark.parametrize("language", ["en", "zh", "other"])
def test_anything_else_is_answered_in_its_own_language(language: str) -> None:
    assert reply_language(language, "我的 order") == language

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
        "我的邮箱是shop@example.com请查一下",
        "https://shop.example/x这个链接打不开",
    ],
)
def test_codes_right_beside_chinese_do_not_swallow_it(text: str) -> None:
    assert detect(text) == "zh"


@pytest.mark.parametrize(
    "text",
    ["我的order还没到", "请问 refund 多久到账", "Can you check the 拉杆箱 order", "I live in 北京"],
)
def test_both_in_one_message_are_mixed(text: str) -> None:
    assert detect(text) == "mixed"


@pytest.mark.parametrize(
    "text",
    [
        "注文した商品が届きません", "返品方法を教えて", "商品未到着です", "こんにちは",
        "배송은 언제 오나요", "반품",
        "Где мой заказ?", "أين طلبي؟", "สินค้าอยู่ที่ไหน", "Πού είναι η παραγγελία μου",
        "Wo bleibt meine Bestellung, ich warte seit zwei Wochen", "wo ist mein Paket",
        "Ich möchte mein Geld zurück", "danke schön", "Guten Tag", "Rechnung bitte",
        "¿Dónde está mi pedido? Todavía no ha llegado", "¿dónde está mi pedido?",
        "donde esta mi pedido", "Hola", "quiero devolver", "necesito ayuda", "Buenos días",
        "Bonjour", "merci", "où est mon colis", "je veux un remboursement",
        "Ma commande n'est pas arrivée", "Parlez-vous français?", "Grazie", "dov'è il mio ordine",
        "vorrei un rimborso", "onde está minha encomenda", "obrigado", "waar is mijn pakket",
        "mijn bestelling is kapot", "gdzie jest moja paczka", "dzień dobry", "var är mitt paket",
        "hvor er min pakke", "siparişim nerede", "đơn hàng của tôi ở đâu", "terima kasih",
        "pesanan saya belum sampai", "kde je moje objednávka", "unde este comanda mea", "köszönöm",
    ],
)  # fmt: skip
def test_other_languages_are_other_in_a_word_or_two(text: str) -> None:
    assert detect(text) == "other"
    assert detect(text, "zh") == "other"


@pytest.mark.parametrize(
    "text",
    [
        "wheres my pakage", "ordr late", "refund pls", "wher is mi ordr", "i payd twise",
        "my ordr hasnt arived", "cancle order", "i dint recieve it", "wat time u open",
        "whats the eta", "gimme my money bak", "do u hav it in blak", "shiping cost", "sup",
        "paket lost", "Dolce & Gabbana belt", "le creuset pot", "la mer cream", "café mugs",
        "Hermès scarf", "Hola, where is my order", "merci for the help with my order",
        "die cast car", "El Paso TX", "San Diego", "Can I exchange my IKEA chair", "no", "hallo",
    ],
)  # fmt: skip
def test_slips_names_and_a_borrowed_word_leave_english_english(text: str) -> None:
    assert detect(text) == "en"


@pytest.mark.parametrize(
    "text",
    [
        "我想买The North Face的外套", "iPhone 15 Pro Max有货吗", "The Lord of the Rings 有货吗",
        "我的Nike Air Max到了没", "优の良品有吗", "こ？我的货呢", "VIP会员怎么取消", "email收不到",
        "我的邮箱是shop@example.com", "K歌麦克风坏了", "お茶的味道不错",
    ],
)  # fmt: skip
def test_names_and_brands_leave_chinese_chinese(text: str) -> None:
    assert detect(text) == "zh"


@pytest.mark.parametrize("text", ["A10234", "12345", "👍", "", "?!", "shop@example.com", "ok"])
def test_texts_without_words_take_the_language_of_the_conversation(text: str) -> None:
    assert detect(text, "zh") == "zh"
    assert detect(text) == "en"


def test_a_mixture_is_answered_in_the_language_that_leads() -> None:
    assert reply_language("mixed", "我的order还没到") == "zh"
    assert reply_language("mixed", "Can you check the 箱 order please") == "en"


@pytest.mark.parametrize("language", ["en", "zh", "other"])
def test_anything_else_is_answered_in_its_own_language(language: str) -> None:
    assert reply_language(language, "我的 order") == language

import codecs
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base.documents import KnowledgeError
from knowledge_base.sources.encodings import decode

CHINESE = "我们支持七天无理由退货，请在订单页面申请退款。商品需要保持完好。"
TRADITIONAL = "我們支持七天無理由退貨，請在訂單頁面申請退款。商品需要保持完好。"
JAPANESE = "ご注文の商品は通常三日以内に発送されます。返品は無料です。"
KOREAN = "주문하신 상품은 보통 사흘 이내에 발송됩니다. 반품은 무료입니다."
GERMAN = "Größe prüfen: Rücksendungen sind für Mitglieder kostenlos, außer bei Möbeln – täglich."
FRENCH = (
    "Votre commande est expédiée à l’adresse indiquée. Déjà reçu ? Où est mon colis, très cher ?"
)
SPANISH = "¿Dónde está mi pedido? El envío tarda tres días en España. El niño añadió otro artículo."
POLISH = "Zamówienie wysyłamy w ciągu trzech dni. Zwroty są bezpłatne. Proszę sprawdzić żółty."
RUSSIAN = "Ваш заказ отправляется в течение трёх дней. Возврат бесплатный."


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_marked_and_plain_unicode_is_read(encoding: str) -> None:
    assert decode((CHINESE + GERMAN).encode(encoding)) == CHINESE + GERMAN


def test_utf16_of_either_byte_order_is_told_by_its_mark() -> None:
    assert decode(codecs.BOM_UTF16_BE + "Café 退货".encode("utf-16-be")) == "Café 退货"
    assert decode(codecs.BOM_UTF16_LE + "Café 退货".encode("utf-16-le")) == "Café 退货"


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("gb18030", CHINESE), ("gbk", TRADITIONAL), ("big5", TRADITIONAL), ("cp932", JAPANESE),
        ("euc_jp", JAPANESE), ("cp949", KOREAN), ("cp1252", GERMAN), ("cp1252", FRENCH),
        ("cp1252", SPANISH), ("cp1250", POLISH), ("cp1251", RUSSIAN), ("koi8_r", RUSSIAN),
        ("cp1252", "It’s “free” – isn’t it?"),
    ],
)  # fmt: skip
def test_what_only_one_encoding_makes_sense_of_is_read(encoding: str, text: str) -> None:
    assert decode(text.encode(encoding)) == text
    assert decode(b"title;text\n" * 9000 + text.encode(encoding)).endswith(text)


@pytest.mark.parametrize("raw", ["退货".encode("gbk"), b"caf\xe9", bytes(range(256)) * 4])
def test_what_might_be_several_encodings_is_not_guessed(raw: bytes) -> None:
    with pytest.raises(KnowledgeError, match="save it as UTF-8"):
        decode(raw)


def test_what_is_declared_is_believed() -> None:
    assert decode("退货".encode("gbk"), "GB2312") == "退货"
    assert decode("€ café".encode("cp1252"), "iso-8859-1") == "€ café"
    page = b'<html><head><META http-equiv=Content-Type content="text/html; charset=big5">'
    assert decode(page + "退貨".encode("big5"), markup=True).endswith("退貨")
    assert decode(b"<meta charset='euc-kr'>" + KOREAN.encode("cp949"), markup=True).endswith(KOREAN)


def test_the_server_is_believed_before_the_page() -> None:
    page = b"<meta charset=big5>" + "退货".encode("gbk")
    assert decode(page, "gbk", markup=True).endswith("退货")


def test_utf8_is_known_although_something_else_is_declared() -> None:
    assert decode("退货".encode(), "gb2312") == "退货"


def test_escaped_encodings_are_read_when_declared() -> None:
    assert decode(JAPANESE.encode("iso2022_jp"), "iso-2022-jp") == JAPANESE


@pytest.mark.parametrize("declared", ["nonsense", "rot13", "base64", "", "utf-8"])
def test_useless_declarations_are_passed_over(declared: str) -> None:
    assert decode(CHINESE.encode("gb18030"), declared) == CHINESE


def test_a_declaration_that_does_not_fit_is_named() -> None:
    with pytest.raises(KnowledgeError, match="euc-kr"):
        decode(b"<meta charset=euc-kr>\xff\xff\xff", markup=True)


@given(st.text())
def test_utf8_is_always_itself(text: str) -> None:
    assert decode(text.encode()) == text.removeprefix("\ufeff")


@given(st.binary(max_size=300))
def test_bytes_are_text_or_a_reason(raw: bytes) -> None:
    with contextlib.suppress(KnowledgeError):
        assert isinstance(decode(raw), str)

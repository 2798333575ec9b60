import pytest

from bot.nlu.entities.gazetteer import Gazetteer
from knowledge_base.text.chinese import simplified
from knowledge_base.text.spans import narrow

LOOKUP = Gazetteer(
    {
        "product": {
            "Rain Jacket": ("冲锋衣",),
            "Rain Jacket Pro": (),
            "Phone Charger": ("charger",),
            "Berry": (),
            "A12 Pro": (),
            "Headlamp": ("头灯",),
            "Sun Hat": (),
        },
        "colour": {"grey": ("gray", "灰色")},
    }
)


def found(text: str) -> list[tuple[str, str]]:
    read = simplified(narrow(text))
    return [(span.value, text[span.start : span.end]) for span in LOOKUP.find(read)]


@pytest.mark.parametrize(
    ("text", "value", "surface"),
    [
        ("two RAIN jackets", "Rain Jacket", "RAIN jackets"),
        ("a rain-jacket", "Rain Jacket", "rain-jacket"),
        ("the rainjacket", "Rain Jacket", "rainjacket"),
        ("the Rain Jacket Pro", "Rain Jacket Pro", "Rain Jacket Pro"),
        ("berries", "Berry", "berries"),
        ("my head lamp", "Headlamp", "head lamp"),
        ("is gray there", "grey", "gray"),
        ("灰色的", "grey", "灰色"),
        ("頭燈壞了", "Headlamp", "頭燈"),
        ("Ａ１２　Ｐｒｏ", "A12 Pro", "Ａ１２　Ｐｒｏ"),
        ("买了rain jacket吗", "Rain Jacket", "rain jacket"),
    ],
)
def test_names_are_found_in_any_case_number_and_script(text: str, value: str, surface: str) -> None:
    assert found(text) == [(value, surface)]


@pytest.mark.parametrize("typed", ["headlmp", "headlaamp", "headlomp", "haedlamp", "headlamps"])
def test_one_slip_in_a_long_word_is_forgiven(typed: str) -> None:
    assert found(f"my {typed} broke") == [("Headlamp", typed)]


@pytest.mark.parametrize(
    "text",
    [
        "I was charged twice",
        "the charge is wrong",
        "a rain packet",
        "headlights",
        "hdlamp",
        "train jackpot",
        "grayer skies",
        "A13 Pro",
        "sunhats are sun hot",
        "rain. jacket: no",
    ],
)
def test_another_word_is_no_slip(text: str) -> None:
    assert not [value for value, _ in found(text) if value != "Sun Hat"]


def test_a_lookup_of_nothing_finds_nothing() -> None:
    assert [*Gazetteer({}).find("anything")] == []

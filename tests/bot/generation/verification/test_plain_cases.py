"""The support check on a few plain cases, by words alone."""

from collections.abc import Sequence

import pytest

from bot.generation.verification import SupportCheck
from tests.knowledge_base.fakes import passage

RETURNS = passage(
    "You can return boots within 30 days. Returns are free for members. "
    "Everyone else pays 5 euros. Our shop has a café.",
    start=100,
)
ZH = passage(
    "登山鞋可以在30天内退货。会员退货免费。其他人支付40元。店里有咖啡馆。",
    article="zh/returns.md",
    title="退货",
    start=7,
    language="zh",
)


def is_supported(sentence: str, passages: Sequence[str]) -> bool:
    return SupportCheck(None).check(sentence, passages).supported


def test_a_sentence_made_of_the_passages_words_is_supported() -> None:
    assert is_supported("Members return boots for free within 30 days.", [RETURNS.text])
    assert is_supported("登山鞋30天内可以退货。", [ZH.text])


@pytest.mark.parametrize(
    "sentence",
    [
        "You can return boots within 300 days.",
        "You can return boots within 3 days.",
        "Everyone else pays 5.50 euros for returns.",
        "登山鞋可以在60天内退货。",
    ],
)
def test_a_number_that_stands_nowhere_is_not_supported(sentence: str) -> None:
    assert not is_supported(sentence, [RETURNS.text, ZH.text])


def test_a_link_or_address_must_stand_in_the_passages() -> None:
    passages = ["Start your return at https://shop.example/returns or help@shop.example."]
    assert is_supported("Start your return at https://shop.example/returns.", passages)
    assert is_supported("Start your return: help@shop.example", passages)
    assert not is_supported("Start your return at https://evil.example/returns.", passages)
    assert not is_supported("Start your return: me@evil.example", passages)


def test_a_shortened_link_leads_elsewhere_and_is_not_supported() -> None:
    passages = ["Start your return at https://shop.example/returns or help@shop.example."]
    assert not is_supported("Start your return at https://shop.example/ret", passages)
    assert not is_supported("Start your return: help@shop.ex", passages)


def test_a_link_or_address_beside_chinese_is_told_from_it() -> None:
    passages = ["退货请写信到 help@shop.example ，或打开 https://shop.example/r 申请。"]
    assert is_supported("退货请写信到help@shop.example。", passages)
    assert is_supported("退货请打开https://shop.example/r。", passages)


def test_other_words_are_not_supported() -> None:
    assert not is_supported("Your warranty covers broken zips and torn seams.", [RETURNS.text])
    assert not is_supported("保修期涵盖拉链损坏。", [ZH.text])


@pytest.mark.parametrize("sentence", ["", "It is.", "…"])
def test_a_sentence_that_says_nothing_is_not_supported(sentence: str) -> None:
    assert not is_supported(sentence, [RETURNS.text])

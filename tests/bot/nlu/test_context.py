import pytest

from bot.nlu.context import in_context, neutral
from bot.training.datasets import read_examples
from tests.conftest import DEMO


def test_a_first_message_stands_alone() -> None:
    assert in_context("where is it?", None, None) == "where is it?"


def test_the_newest_comes_first_and_earlier_texts_are_cut() -> None:
    text = in_context("and to Norway?", "how long to Sweden? " * 40, "Six days. " * 40)
    now, reply, customer = text.split(" ‖ ")
    assert now == "and to Norway?"
    assert reply.startswith("Six days.")
    assert customer.startswith("how long to Sweden?")
    assert len(text) < 300


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("return A10234 please", "return A55871 please"),
        ("我要退货，订单A40286", "我要退货，订单A99125"),
        ("it is mary@example.com", "it is joan@example.net"),
    ],
)
def test_addresses_and_long_numbers_are_all_alike(one: str, other: str) -> None:
    assert neutral(one) == neutral(other)
    assert len(neutral(one)) == len(one)
    assert in_context("and?", one, one) == in_context("and?", other, other)


def test_short_numbers_say_something() -> None:
    assert neutral("size 42 in 175 cm") == "size 42 in 175 cm"


def test_examples_of_transcripts_know_what_was_said_before() -> None:
    examples = read_examples(DEMO / "dialogs" / "en.jsonl")
    first, second = examples[0], examples[1]
    assert (first.customer, first.reply, first.input) == (None, None, first.text)
    assert second.customer == first.text
    assert second.reply
    assert second.input.startswith(second.text)

from bot.nlu.context import in_context
from bot.nlu.datasets import read_examples
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


def test_examples_of_transcripts_know_what_was_said_before() -> None:
    examples = read_examples(DEMO / "dialogs" / "en.jsonl")
    first, second = examples[0], examples[1]
    assert (first.customer, first.reply, first.input) == (None, None, first.text)
    assert second.customer == first.text
    assert second.reply
    assert second.input.startswith(second.text)

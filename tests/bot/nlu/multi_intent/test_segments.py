import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.nlu.multi_intent.segments import boundaries, sentences

JOINTS = [
    " and ",
    ". Also, ",
    "? ",
    " & ",
    ", how ",
    "\n\n",
    "，",
    "。还有",
    "，另外",
    " plus ",
    ";",
]
WORDS = ["where is", "my order", "退款呢", "refund", "A10234", "  ", "我的包裹", "!", "and"]


def parts(text: str) -> list[tuple[str, str]]:
    return [(text[:end], text[start:]) for end, start in boundaries(text)]


@pytest.mark.parametrize(
    ("text", "left", "right"),
    [
        ("where is it and can I cancel", "where is it", "can I cancel"),
        ("where is it, and also can I cancel", "where is it", "can I cancel"),
        ("Where is it? Also, can I cancel?", "Where is it?", "can I cancel?"),
        ("where is it, how do I cancel", "where is it", "how do I cancel"),
        ("my fleece is lost & i need the bill", "my fleece is lost", "i need the bill"),
        ("where is it - another question: can I pay", "where is it", "can I pay"),
        ("where is it\n\n can I cancel", "where is it", "can I cancel"),
        ("我的包裹在哪，另外能退款吗", "我的包裹在哪", "能退款吗"),
        ("我的包裹在哪？还有，能退款吗", "我的包裹在哪", "能退款吗"),
        ("我的包裹在哪，能退款吗", "我的包裹在哪", "能退款吗"),
        ("包裹在哪顺便问一下能退款吗", "包裹在哪", "能退款吗"),
        ("包裹在哪順便能退款嗎", "包裹在哪", "能退款嗎"),
    ],
)
def test_a_message_may_be_divided_where_two_requests_are_joined(
    text: str, left: str, right: str
) -> None:
    assert (left, right) in parts(text)


@pytest.mark.parametrize(
    "text", ["where is my parcel", "hi, thanks", "你好，谢谢", "", "and", "，，，"]
)
def test_what_says_one_thing_has_no_boundary(text: str) -> None:
    assert boundaries(text) == []


def test_a_joint_inside_a_word_is_none() -> None:
    assert boundaries("my sandals fell apart") == []
    assert boundaries("plush toys, handbags") == []


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from([*JOINTS, *WORDS]), max_size=30).map("".join))
def test_boundaries_lie_in_order_and_both_sides_say_something(text: str) -> None:
    found = boundaries(text)
    assert len(found) <= 12
    last = 0
    for end, start in found:
        assert last <= end <= start <= len(text)
        assert text[:end].strip()
        assert text[start:].strip()
        last = start


@pytest.mark.parametrize(
    "text",
    [
        "hello there" + " " * 4000 + "my friend",
        "hello there" + " \t" * 2000 + "and my friend",
        "我要退货，" * 800,
        "，" * 4000,
        "and so on, " * 360,
        "what now? " * 400,
        "another thing " * 280,
        "\n" * 4000,
        '."' * 2000,
    ],
    ids=lambda text: text[-9:],
)
def test_no_message_takes_long_to_divide(text: str) -> None:
    """Thousands of blanks between two words once took hours."""
    started = time.process_time()
    boundaries(text)
    sentences(text)
    assert time.process_time() - started < 2.0


def test_sentences_are_those_that_say_something() -> None:
    text = "Hi! My tent leaks. 我要退款。Why?? What can I do"
    found = [text[start:end] for start, end in sentences(text)]
    assert found == ["My tent leaks.", "我要退款。", "What can I do"]
    assert len(sentences("so it goes. " * 50)) == 12

"""What people answered in like moments: the likeness, what is foretold, and what is offered."""

from collections.abc import Sequence

import numpy as np
import pytest

from bot.agent_assist.human_replies import HumanReplies, ReplyCase
from bot.agent_assist.reply_features import (
    WEIGHTS,
    DialogueLine,
    MomentEncoder,
    mean_similarity,
    similarity,
)
from bot.core.types import Role
from bot.store.reply_suggestions import distance
from knowledge_base.encoders.base_models import Vectors


def encode(texts: Sequence[str]) -> Vectors:
    """Return bags of letters: what is written alike lies close."""
    rows = np.full((len(texts), 27), 0.01, dtype=np.float32)
    for row, text in enumerate(texts):
        for letter in text.lower():
            rows[row, ord(letter) - 97 if "a" <= letter <= "z" else 26] += 1
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def customer(text: str) -> DialogueLine:
    return DialogueLine(Role.CUSTOMER, text)


def agent(text: str, template: str | None = None) -> DialogueLine:
    return DialogueLine(Role.AGENT, text, template)


def done(text: str) -> DialogueLine:
    return DialogueLine(Role.ACTION, text)


ASKS = agent("What is your name?", "ask_name")
BOOKED = done('{"APIName": "book", "Result": "ok"}')
FULL = done('{"APIName": "book", "Result": "full"}')
TELLS = [
    ReplyCase((customer("hi"),), agent("Hello!", "hello"), "c1"),
    ReplyCase((customer("hello there"),), agent("Hello!", "hello"), "c2"),
    ReplyCase(
        (customer("a table please"), ASKS, customer("Kim"), BOOKED), agent("Done.", "yes"), "c3"
    ),
    ReplyCase((customer("book it"), ASKS, customer("Lee"), BOOKED), agent("Booked.", "yes"), "c4"),
    ReplyCase(
        (customer("a table please"), ASKS, customer("Max"), FULL), agent("No room.", "no"), "c5"
    ),
    ReplyCase((customer("book it"), ASKS, customer("Ann"), FULL), agent("It is full.", "no"), "c6"),
]


@pytest.fixture(scope="module")
def replies() -> HumanReplies:
    return HumanReplies.fit(TELLS, encode)


def test_a_moment_is_most_like_itself() -> None:
    situations = [case.situation for case in TELLS]
    eye = MomentEncoder.fit(situations, encode)
    seen = eye.encode_moments(situations)
    alike = similarity(seen, seen)
    assert alike.argmax(axis=1).tolist() == list(range(len(TELLS)))
    assert (alike > 0).all()
    assert alike.max() <= 1.0 + 1e-6
    assert np.allclose(alike, alike.T, atol=1e-5)
    assert mean_similarity(1.0) == 1.0
    assert mean_similarity(float(alike.min())) < 0.7
    assert set(WEIGHTS) >= {"facts", "words", "shape"}


def test_what_an_action_found_decides_what_is_said_next(replies: HumanReplies) -> None:
    before = (customer("a table please"), ASKS, customer("Zoe"))
    assert replies.templates((*before, BOOKED))[0][0] == "yes"
    assert replies.templates((*before, FULL))[0][0] == "no"
    assert replies.templates((customer("hi hi"),))[0][0] == "hello"


def test_past_answers_come_once_each_and_name_their_conversation(replies: HumanReplies) -> None:
    found = replies.past((customer("hello"),), 3)
    assert found[0].case.answer.text == "Hello!"
    assert found[0].case.conversation in {"c1", "c2"}
    assert len({past.case.answer.name for past in found}) == len(found)
    assert found[0].fit >= found[1].fit


def test_answers_need_no_templates_and_moments_no_past() -> None:
    bare = [ReplyCase(case.situation, agent(case.answer.text), "c") for case in TELLS]
    replies = HumanReplies.fit(bare, encode)
    assert replies.templates((customer("hi"),)) == []
    assert replies.past(())
    assert replies.past((done("no json {"),))


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [
        ("", "", 0.0),
        ("same", "same", 0.0),
        ("kitten", "sitting", 3 / 7),
        ("abc", "", 1.0),
        ("退货", "换货", 0.5),
        ("a long text", "a longer text", 2 / 13),
    ],
)
def test_the_distance_is_levenshteins_over_the_longer_length(
    one: str, other: str, share: float
) -> None:
    assert distance(one, other) == pytest.approx(share, abs=1e-4)
    assert distance(other, one) == distance(one, other)

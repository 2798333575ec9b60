"""Which turns need the knowledge."""

from pathlib import Path

import numpy as np
import pytest

from bot.core.types import CarelineError, Role
from bot.nlu import retrieval_gate
from bot.nlu.retrieval_gate import RetrievalGate, needs_retrieval
from bot.training import turn_classifiers
from bot.training.datasets import Conversation, LoggedTurn
from bot.training.turn_classifiers import LabelledTurn
from tests.knowledge_base.fakes import HashEncoder

THINGS = [f"{kind} {n}" for n in range(25) for kind in ("tent", "boot")]
EXAMPLES = [
    *(
        LabelledTurn(f"what is the warranty on the {x}?", label=True, conversation=f"q{x}")
        for x in THINGS
    ),
    *(
        LabelledTurn(f"book the {x} for two please", label=False, conversation=f"b{x}")
        for x in THINGS
    ),
]


class Hashing(HashEncoder):
    """Knows every word."""

    def knows(self, word: str, /) -> bool:
        del word
        return True


def test_a_model_tells_questions_from_orders() -> None:
    model = turn_classifiers.fit_retrieval_gate(Hashing(), EXAMPLES)
    assert model is not None
    asks, orders = model.scores(
        Hashing(), ["what is the warranty on the lamp?", "book the lamp for three please"]
    )
    assert asks > 0.8
    assert orders < 0.2


def test_from_too_few_turns_of_a_kind_nothing_is_learnt() -> None:
    assert turn_classifiers.fit_retrieval_gate(Hashing(), EXAMPLES[:50]) is None
    assert (
        turn_classifiers.fit_retrieval_gate(Hashing(), [*EXAMPLES[:50], *EXAMPLES[50:60]]) is None
    )


def test_a_model_says_the_same_after_it_was_saved(tmp_path: Path) -> None:
    model = turn_classifiers.fit_retrieval_gate(Hashing(), EXAMPLES)
    assert model is not None
    model.save(tmp_path / retrieval_gate.FOLDER)
    again = RetrievalGate.load(tmp_path / retrieval_gate.FOLDER)
    texts = [example.text for example in EXAMPLES[::10]]
    expected, found = model.scores(Hashing(), texts), again.scores(Hashing(), texts)
    np.testing.assert_allclose(found, expected, atol=0.01)  # half precision


def test_a_damaged_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(CarelineError, match="careline train"):
        RetrievalGate.load(tmp_path)


def test_what_models_say_unseen_is_wrong_where_labels_are() -> None:
    true = np.array([example.label for example in EXAMPLES])
    assert (
        turn_classifiers.predict_out_of_fold(Hashing(), EXAMPLES, turn_classifiers.RETRIEVAL_RECIPE)
        == true
    ).mean() > 0.95
    shuffled = np.random.default_rng(0).permutation(true.astype(np.int64))
    assert (
        turn_classifiers.predict_out_of_fold(
            Hashing(), EXAMPLES, turn_classifiers.RETRIEVAL_RECIPE, shuffled
        )
        == true
    ).mean() < 0.8


def turn(role: Role, text: str, route: str | None = None, intent: str | None = None) -> LoggedTurn:
    return LoggedTurn(role, text, intent, route)


def test_turns_are_learnt_by_where_they_went() -> None:
    conversation = Conversation(
        "c1",
        (
            turn(Role.CUSTOMER, "hello", "template", "greeting"),
            turn(Role.BOT, "Hi! What can I do?"),
            turn(Role.CUSTOMER, "how warm is the bag?", "retrieve", "product"),
            turn(Role.BOT, "-3 °C."),
            turn(Role.CUSTOMER, "my card was refused", "template", "payment_failed"),
            turn(Role.CUSTOMER, "where is A10234", "act", "order_status"),
            turn(Role.CUSTOMER, "a human please", "handoff"),
            turn(Role.CUSTOMER, "not annotated"),
        ),
    )
    found = turn_classifiers.retrieval_turns([conversation], {"greeting", "thanks"}.__contains__)
    assert [(asking.text, asking.label) for asking in found] == [
        ("hello", False),
        ("how warm is the bag?", True),
        ("where is A10234", False),
        ("a human please", False),
    ]
    assert (found[1].customer, found[1].reply) == ("hello", "Hi! What can I do?")


@pytest.mark.parametrize(
    "text",
    [
        "thanks!",
        "Hello",
        "ok great, thank you",
        "yes please",
        "A10234",
        "42",
        "谢谢",
        "好的，谢谢",
        "没事了",
    ],
)
def test_without_a_model_small_talk_needs_nothing(text: str) -> None:
    assert not needs_retrieval(text)


@pytest.mark.parametrize(
    "text",
    ["how long does it take", "do you ship to Norway", "my tent pole broke in the wind last night",
     "多久能到", "帐篷杆断了怎么办", "我的帐篷杆昨天晚上被风吹断了"],
)  # fmt: skip
def test_without_a_model_questions_and_problems_need_the_knowledge(text: str) -> None:
    assert needs_retrieval(text)

from dataclasses import replace

import numpy as np
import pytest

from bot.training import intent_peers
from bot.training.datasets import Example

TEXTS = [
    ("where is my parcel", "order_status"),
    ("my parcel is late", "order_status"),
    ("how do I wash the jacket", "product_care"),
    ("can the jacket go into the dryer", "product_care"),
    ("can I wash it warm", "product_care"),
    ("tell me a joke", "oos"),
    ("who won the match", "oos"),
]
VECTORS = np.eye(7, dtype=np.float32)
EXAMPLES = [Example(text, intent, "test") for text, intent in TEXTS]


def test_each_peer_finds_its_own_examples() -> None:
    texts = [text for text, _ in TEXTS]
    predictions = intent_peers.predict(EXAMPLES, VECTORS, texts, VECTORS)
    svm = predictions["tfidf_embedding_svm"]
    truth = np.array([intent for _, intent in TEXTS])
    assert svm.rejected.tolist() == [intent == "oos" for _, intent in TEXTS]
    assert (svm.labels == truth)[:5].all()
    neighbour = predictions["nearest_neighbour"]
    assert (neighbour.labels == truth)[:5].all()
    assert neighbour.oos_scores == pytest.approx([0, 0, 0, 0, 0, 1, 1])
    assert set(predictions["majority"].labels) == {"product_care"}


def test_messages_in_a_conversation_are_left_out() -> None:
    turn = Example("and to Norway?", "delivery_time", "test", customer="how long does it take")
    vectors = np.vstack([VECTORS, VECTORS[:1]])
    queries = VECTORS[:1]
    predictions = intent_peers.predict([*EXAMPLES, turn], vectors, ["and to Norway?"], queries)
    assert "delivery_time" not in {str(p.labels[0]) for p in predictions.values()}


def test_a_home_of_conversations_alone_has_peers_too() -> None:
    turns = [replace(example, reply="How can I help?") for example in EXAMPLES]
    predictions = intent_peers.predict(turns, VECTORS, ["where is my parcel"], VECTORS[:1])
    assert predictions["tfidf_embedding_svm"].labels.tolist() == ["order_status"]


def test_without_out_of_scope_examples_the_margin_is_the_score() -> None:
    in_scope = EXAMPLES[:5]
    prediction = intent_peers.predict(in_scope, VECTORS[:5], ["where is my parcel"], VECTORS[:1])
    svm = prediction["tfidf_embedding_svm"]
    assert not svm.rejected.any()
    assert svm.labels.tolist() == ["order_status"]

"""Why a message was understood as it was."""

from pathlib import Path

import pytest

from bot.core.types import InvalidMessageError
from bot.nlu import emotion_classifier, intent_classifier
from bot.nlu.explanation import Explanation, explain
from bot.nlu.intent_classifier import IntentModel
from bot.training import pipeline
from bot.training.datasets import Example
from bot.training.job import TrainingJob
from knowledge_base.encoders import base_models
from knowledge_base.encoders.base_models import TorchEncoder
from knowledge_base.index.versions import Versions

THINGS = ("jacket", "boots", "tent", "stove", "lamp", "gloves")
FRAMES = {
    "refund": (
        "give me my money back for the {}",
        "please refund the {}",
        "{}要退款",
        "退款多久到账",
    ),
    "parcel": (
        "where is my parcel with the {}",
        "the parcel is late",
        "我的包裹在哪里",
        "包裹还没到",
    ),
    "size": ("which size of the {} fits me", "is the {} too small", "{}应该买多大", "尺码偏小吗"),
}


@pytest.fixture(scope="module")
def model(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> IntentModel:
    """Return a classifier of three intents in two languages."""
    encoder = TorchEncoder(base_models.resolve(str(tiny_encoder), tiny_encoder.parent))
    examples = [
        Example(frame.format(thing), intent, f"made.csv:{number}")
        for intent, frames in FRAMES.items()
        for number, frame in enumerate(frames)
        for thing in THINGS
    ]
    versions = Versions(tmp_path_factory.mktemp("explained"), "models", "m")
    rows = emotion_classifier.examples()[::20]  # the tone is not what is explained
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(emotion_classifier, "examples", lambda: rows)
        done = pipeline.train(TrainingJob(examples, encoder, method="head"), versions)
    return intent_classifier.load(versions.folder(done.version.id), done.version, encoder)


def weights(found: Explanation) -> dict[str, float]:
    return {token.text: token.weight for token in found.tokens}


@pytest.mark.parametrize(
    "text",
    [
        "Where is my parcel, A10234?",
        "我的订单 A10234 到哪了？",
        "I'd like a re-fund — 退货 please 🎒",
        "  two\n\nlines  ",
    ],
)
def test_the_words_stand_where_they_say(model: IntentModel, text: str) -> None:
    tokens = explain(model, text).tokens
    assert [text[token.start : token.end] for token in tokens] == [t.text for t in tokens]
    places = [place for token in tokens for place in (token.start, token.end)]
    assert places == sorted(places)
    between = "".join(
        text[end:start]
        for end, start in zip(
            [0, *(t.end for t in tokens)], [*(t.start for t in tokens), len(text)], strict=True
        )
    )
    assert not any(character.isalnum() for character in between)


@pytest.mark.parametrize(
    ("text", "intent", "word"),
    [("could you refund it", "refund", "refund"), ("想问包裹进度", "parcel", "包裹")],
)
def test_the_telling_word_speaks_loudest(
    model: IntentModel, text: str, intent: str, word: str
) -> None:
    found = explain(model, text)
    assert found.intent == intent
    assert max(weights(found), key=weights(found).__getitem__) == word
    assert weights(found)[word] > 0


def test_a_word_of_another_intent_speaks_against(model: IntentModel) -> None:
    found = explain(model, "refund refund my parcel")
    assert found.intent == "refund"
    assert weights(found)["parcel"] < 0


def test_it_explains_what_the_model_says(model: IntentModel) -> None:
    text = "how late is my refund"
    found, said = explain(model, text), model.predict([text])[0]
    assert (found.intent, found.confidence) == (said.best.intent, said.best.confidence)
    assert found.rejected == said.rejected == (found.oos_score >= found.oos_threshold)
    assert found.runner_up is not None
    assert found.runner_up.intent != found.intent
    assert found.runner_up.confidence <= found.confidence


def test_a_rejected_message_is_explained_by_its_best_intent(model: IntentModel) -> None:
    found = explain(model, "qwzx vbnk plomf drazik wub wub")
    assert found.rejected
    assert found.intent in model.intents
    assert found.oos_score >= found.oos_threshold


def test_neighbours_come_from_the_training_set_the_nearest_first(model: IntentModel) -> None:
    found = explain(model, "is the tent too small").neighbours
    assert (found[0].text, found[0].intent) == ("is the tent too small", "size")
    assert found[0].source == "made.csv:1"
    assert found[0].similarity == pytest.approx(1.0, abs=1e-3)
    assert len(found) == 5
    assert [n.similarity for n in found] == sorted((n.similarity for n in found), reverse=True)
    known = {(e.text, e.intent, e.source) for e in model.parameters.examples}
    assert {(n.text, n.intent, n.source) for n in found} <= known


def test_a_slip_is_explained_as_the_word_it_was_read_as(model: IntentModel) -> None:
    assert model.parameters.speller.correct("parcl", model.encoder.knows) == "parcel"
    right, slip = explain(model, "where is my parcel"), explain(model, "where is my parcl")
    assert slip.intent == right.intent
    assert list(weights(slip)) == ["where", "is", "my", "parcl"]
    assert weights(slip)["parcl"] == pytest.approx(weights(right)["parcel"], abs=1e-3)
    assert slip.neighbours == right.neighbours


def test_of_a_long_message_the_first_words_alone_are_explained(model: IntentModel) -> None:
    assert len(explain(model, "where is my parcel " * 20).tokens) == 60


def test_a_message_without_words_has_no_words_to_explain(model: IntentModel) -> None:
    assert explain(model, "🎒?!").tokens == ()


@pytest.mark.parametrize("text", ["", " \n\t "])
def test_an_empty_message_is_refused(model: IntentModel, text: str) -> None:
    with pytest.raises(InvalidMessageError, match="empty"):
        explain(model, text)


def test_the_public_shape_has_plain_values(model: IntentModel) -> None:
    shape = explain(model, "where is my parcel").as_json()
    assert set(shape) == {
        *("intent", "confidence", "rejected", "oos_score", "oos_threshold"),
        *("runner_up", "neighbours", "tokens"),
    }
    assert set(shape["tokens"][0]) == {"text", "start", "end", "weight"}
    assert set(shape["neighbours"][0]) == {"text", "intent", "source", "similarity"}
    assert set(shape["runner_up"]) == {"intent", "confidence"}

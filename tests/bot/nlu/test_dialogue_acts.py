"""Who wants a thing done, and who only asks how it goes."""

from pathlib import Path

import numpy as np
import pytest

from bot.core.types import CarelineError, Role
from bot.nlu import dialogue_acts, intent_classifier
from bot.nlu.dialogue_acts import DialogueActClassifier
from bot.nlu.entities.extractor import EntityExtractor
from bot.nlu.understander import Understander
from bot.training import pipeline, turn_classifiers
from bot.training.datasets import Conversation, Example, LoggedTurn
from bot.training.job import TrainingJob
from bot.training.turn_classifiers import LabelledTurn
from knowledge_base.encoders import base_models
from knowledge_base.encoders.base_models import TorchEncoder
from knowledge_base.index.versions import Versions
from tests.knowledge_base.fakes import HashEncoder

THINGS = [f"{kind} {n}" for n in range(25) for kind in ("tent", "boot")]
EXAMPLES = [
    *(
        LabelledTurn(
            f"please send back the {x} for me", label=True, intent="return", conversation=f"w{x}"
        )
        for x in THINGS
    ),
    *(
        LabelledTurn(
            f"can one send back the {x} and how?",
            label=False,
            intent="return",
            conversation=f"q{x}",
        )
        for x in THINGS
    ),
]


class Hashing(HashEncoder):
    """Knows every word."""

    def knows(self, word: str, /) -> bool:
        del word
        return True


def test_a_model_tells_wishes_from_questions() -> None:
    model = turn_classifiers.fit_dialogue_acts(Hashing(), EXAMPLES)
    assert model is not None
    assert model.intents == {"return"}
    wants, asks = model.scores(
        Hashing(), ["please send back the lamp for me", "can one send back the lamp and how?"]
    )
    assert wants > 0.8
    assert asks < 0.2


def test_from_too_few_turns_of_a_kind_nothing_is_learnt() -> None:
    assert turn_classifiers.fit_dialogue_acts(Hashing(), EXAMPLES[:50]) is None
    assert turn_classifiers.fit_dialogue_acts(Hashing(), EXAMPLES[:60]) is None


def test_a_model_says_the_same_after_it_was_saved(tmp_path: Path) -> None:
    model = turn_classifiers.fit_dialogue_acts(Hashing(), EXAMPLES)
    assert model is not None
    model.save(tmp_path / dialogue_acts.FOLDER)
    again = DialogueActClassifier.load(tmp_path / dialogue_acts.FOLDER)
    texts = [example.text for example in EXAMPLES[::10]]
    expected, found = model.scores(Hashing(), texts), again.scores(Hashing(), texts)
    np.testing.assert_allclose(found, expected, atol=0.01)  # half precision
    assert again.intents == model.intents


def test_a_damaged_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(CarelineError, match="careline train"):
        DialogueActClassifier.load(tmp_path)


def test_what_models_say_unseen_is_right_where_turns_are_alike() -> None:
    true = np.array([example.label for example in EXAMPLES])
    assert (
        turn_classifiers.predict_out_of_fold(
            Hashing(), EXAMPLES, turn_classifiers.DIALOGUE_ACT_RECIPE
        )
        == true
    ).mean() > 0.95


def turn(role: Role, text: str, route: str | None = None, intent: str | None = None) -> LoggedTurn:
    return LoggedTurn(role, text, intent, route)


def test_turns_of_intents_that_go_both_ways_are_learnt_by_where_they_went() -> None:
    conversation = Conversation(
        "c1",
        (
            turn(Role.CUSTOMER, "hello", "template", "greeting"),
            turn(Role.BOT, "Hi! What can I do?"),
            turn(Role.CUSTOMER, "can I return shoes?", "template", "return"),
            turn(Role.BOT, "Within 60 days."),
            turn(Role.CUSTOMER, "then do so with A10234", "act", "return"),
            turn(Role.CUSTOMER, "this is silly", "handoff", "return"),
            turn(Role.CUSTOMER, "where is A10235", "act", "order_status"),
            turn(Role.CUSTOMER, "not annotated"),
        ),
    )
    found = turn_classifiers.dialogue_act_turns([conversation])
    assert [(wish.text, wish.label) for wish in found] == [
        ("can I return shoes?", False),
        ("then do so with A10234", True),
    ]
    assert (found[1].customer, found[1].reply) == ("can I return shoes?", "Within 60 days.")


def test_a_version_learns_wishes_and_reads_them_for_their_intents_alone(
    tiny_encoder: Path, tmp_path: Path
) -> None:
    encoder = TorchEncoder(base_models.resolve(str(tiny_encoder), tiny_encoder.parent))
    examples = [Example(wish.text, wish.intent, "test") for wish in EXAMPLES]
    examples += [Example(f"which size of the {x} fits me", "size", "test") for x in THINGS]
    versions = Versions(tmp_path / "models", "models", "m")
    job = TrainingJob(examples, encoder, method="head", dialogue_act_turns=EXAMPLES)
    done = pipeline.train(job, versions)
    folder = versions.folder(done.version.id)
    understander = Understander(
        intent_classifier.load(folder, done.version, encoder),
        EntityExtractor({}),
        dialogue_acts=DialogueActClassifier.load(folder / dialogue_acts.FOLDER),
    )
    wants = understander.understand("please send back the tent 3 for me").wishes
    asks = understander.understand("can one send back the tent 3 and how?").wishes
    assert wants is not None
    assert asks is not None
    assert wants > asks
    assert understander.understand("which size of the tent 3 fits me").wishes is None

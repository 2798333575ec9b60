"""Training of the yes/no classifiers: the retrieval gate and the dialogue acts.

Both are trained on the customers' turns of transcripts, by the route of each turn.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.core.types import OUT_OF_SCOPE, Role, Route
from bot.nlu.binary_classifier import BinaryClassifier
from bot.nlu.calibration import fit_temperature
from bot.nlu.dialogue_acts import DialogueActClassifier
from bot.nlu.intent_classifier import QueryEncoder
from bot.nlu.retrieval_gate import RetrievalGate
from bot.training import folds, linear
from bot.training.datasets import Conversation, Example, LoggedTurn
from bot.training.recipe import TrainingRecipe
from knowledge_base.encoders.base_models import Vectors

_CLASSES: Final = 2
_FOLDS: Final = 5
_MIN_TURNS: Final = 40  # of each class; with fewer, rules and patterns are better
RETRIEVAL_RECIPE: Final = TrainingRecipe(dense=1.5)
DIALOGUE_ACT_RECIPE: Final = TrainingRecipe(strength=0.3, dense=1.0)  # best of nine, out of fold


@dataclass(frozen=True)
class LabelledTurn:
    """A customer's turn with the turns before it and a yes/no label."""

    text: str
    label: bool
    intent: str = ""
    customer: str | None = None
    reply: str | None = None
    conversation: str = ""

    @property
    def example(self) -> Example:
        """The turn as a labelled example: its intent is "yes" or "no"."""
        label = "yes" if self.label else "no"
        return Example(self.text, label, self.conversation, self.customer, self.reply)


def retrieval_turns(
    conversations: Iterable[Conversation], is_small_talk: Callable[[str | None], bool]
) -> list[LabelledTurn]:
    """Return the turns whose route says whether a search was needed.

    Small talk (by the intent), actions and hand-offs need none. A template that answers a question
    is ambiguous: it might as well be an article.
    """
    turns = []
    for turn, labelled in _customer_turns(conversations):
        small_talk = turn.intent == OUT_OF_SCOPE or is_small_talk(turn.intent)
        needless = turn.route in {Route.ACT, Route.HANDOFF} or small_talk
        if needless or turn.route == Route.RETRIEVE:
            turns.append(labelled(turn.route == Route.RETRIEVE))
    return turns


def dialogue_act_turns(conversations: Iterable[Conversation]) -> list[LabelledTurn]:
    """Return the turns of intents that are both requested (act) and asked about (template)."""
    by_intent: dict[str, list[LabelledTurn]] = defaultdict(list)
    for turn, labelled in _customer_turns(conversations):
        if turn.intent and turn.route in {Route.ACT, Route.TEMPLATE}:
            by_intent[turn.intent].append(labelled(turn.route == Route.ACT))
    mixed = [turns for turns in by_intent.values() if len({turn.label for turn in turns}) > 1]
    return [turn for turns in mixed for turn in turns]


def _customer_turns(
    conversations: Iterable[Conversation],
) -> Iterator[tuple[LoggedTurn, "_Labeller"]]:
    """Yield the customers' turns that have a route, each with a function to label it."""
    for conversation in conversations:
        customer = reply = None
        for turn in conversation.turns:
            if turn.role is not Role.CUSTOMER:
                reply = turn.text if turn.role is not Role.ACTION else reply
                continue
            if turn.text.strip() and turn.route:
                yield turn, _Labeller(turn, customer, reply, conversation.id)
            customer = turn.text


@dataclass(frozen=True)
class _Labeller:
    turn: LoggedTurn
    customer: str | None
    reply: str | None
    conversation: str

    def __call__(self, label: bool) -> LabelledTurn:  # noqa: FBT001
        return LabelledTurn(
            self.turn.text,
            label,
            self.turn.intent or "",
            self.customer,
            self.reply,
            self.conversation,
        )


def fit_retrieval_gate(
    encoder: QueryEncoder, turns: Sequence[LabelledTurn]
) -> RetrievalGate | None:
    """Fit the retrieval gate; None with fewer than 40 turns of either class."""
    classifier = _fit(encoder, turns, RETRIEVAL_RECIPE)
    return RetrievalGate(classifier) if classifier else None


def fit_dialogue_acts(
    encoder: QueryEncoder, turns: Sequence[LabelledTurn]
) -> DialogueActClassifier | None:
    """Fit the dialogue act classifier; None with fewer than 40 turns of either class."""
    classifier = _fit(encoder, turns, DIALOGUE_ACT_RECIPE)
    intents = frozenset(turn.intent for turn in turns)
    return DialogueActClassifier(classifier, intents) if classifier else None


def predict_out_of_fold(
    encoder: QueryEncoder,
    turns: Sequence[LabelledTurn],
    recipe: TrainingRecipe,
    targets: NDArray[np.int64] | None = None,
) -> NDArray[np.bool_]:
    """Return the predictions of models trained without a turn's conversation, shape (n,).

    `targets` are other labels to predict, 1 for "yes", shape (n,).
    """
    vectors = encoder.queries([turn.example.input for turn in turns])
    labels = _targets(turns) if targets is None else targets
    logits = _logits_out_of_fold(vectors, turns, recipe, labels)
    predictions: NDArray[np.bool_] = logits.argmax(axis=1) == 1
    return predictions


def _fit(
    encoder: QueryEncoder, turns: Sequence[LabelledTurn], recipe: TrainingRecipe
) -> BinaryClassifier | None:
    positives = sum(turn.label for turn in turns)
    if min(positives, len(turns) - positives) < _MIN_TURNS:
        return None
    texts, targets = [turn.example.input for turn in turns], _targets(turns)
    vectors = encoder.queries(texts)
    logits = _logits_out_of_fold(vectors, turns, recipe, targets)
    model = linear.fit(vectors, texts, targets, _CLASSES, recipe)
    return BinaryClassifier(model.head, model.sparse, fit_temperature(logits, targets))


def _logits_out_of_fold(
    vectors: Vectors,
    turns: Sequence[LabelledTurn],
    recipe: TrainingRecipe,
    targets: NDArray[np.int64],
) -> NDArray[np.float64]:
    texts = [turn.example.input for turn in turns]
    parts = folds.assign([turn.example for turn in turns], _FOLDS)
    return linear.out_of_fold(vectors, texts, targets, _CLASSES, parts, recipe)


def _targets(turns: Sequence[LabelledTurn]) -> NDArray[np.int64]:
    return np.array([int(turn.label) for turn in turns], dtype=np.int64)

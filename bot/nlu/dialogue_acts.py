"""Whether the customer wants a thing done, or only to know how it goes.

"Send it back" and "can it be sent back?" are of one intent, and go different ways. A linear model
on an embedding of the message with what was said before it, beside its n-grams, learns from
transcripts whose turns say which way they went; a home without them has patterns.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from bot.core.types import CarelineError, Role
from bot.nlu.calibration import fit_temperature, softmax
from bot.nlu.intent_classifier import Head, QueryEncoder
from bot.nlu.ngrams import SparseHead
from bot.training import folds, linear
from bot.training.datasets import Conversation, Example
from bot.training.recipe import Recipe
from knowledge_base.index.versions import write_json

FOLDER: Final = "wishing"
_DOES, _TELLS = "act", "template"  # the routes of those who want it done, and to know
_LABELS: Final = (_TELLS, _DOES)  # the class numbers
_FACTS: Final = "wishing.json"
_FOLDS: Final = 5
_ENOUGH: Final = 40  # turns of each kind from which a model is worth more than patterns
_RECIPE: Final = Recipe(strength=0.3, dense=1.0)  # best of nine, out of fold


@dataclass(frozen=True)
class Wish:
    """A customer's turn with what was said before it, and whether they wanted it done."""

    text: str
    intent: str
    wants: bool
    customer: str | None = None
    reply: str | None = None
    conversation: str = ""

    @property
    def example(self) -> Example:
        """The turn as the tools for classifiers read it."""
        label = _LABELS[int(self.wants)]
        return Example(self.text, label, self.conversation, self.customer, self.reply)


@dataclass(frozen=True)
class Wishing:
    """A fitted model, and the intents it speaks of."""

    head: Head
    sparse: SparseHead
    temperature: float
    intents: frozenset[str]

    def scores(self, encoder: QueryEncoder, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the chances that customers want it done, shape (n,).

        The texts are those `context.in_context` made of message, reply and message before.
        """
        logits = self.head.logits(encoder.queries(texts)) + self.sparse.logits(texts)
        return softmax(logits, self.temperature)[:, 1]

    def save(self, folder: Path) -> None:
        """Write the model into a folder of its own."""
        folder.mkdir(parents=True, exist_ok=True)
        self.head.save(folder / "head.npz")
        self.sparse.save(folder)
        facts = {"temperature": self.temperature, "intents": sorted(self.intents)}
        write_json(folder / _FACTS, facts)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; raise CarelineError where it is damaged."""
        try:
            facts = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
            head = Head.load(folder / "head.npz")
            temperature, intents = float(facts["temperature"]), frozenset(facts["intents"])
            return cls(head, SparseHead.load(folder), temperature, intents)
        except (OSError, ValueError, KeyError, TypeError) as error:
            message = f"{folder} cannot be read: {error!r}; run `careline train` again"
            raise CarelineError(message) from error


def turns(conversations: Iterable[Conversation]) -> list[Wish]:
    """Return the customers' turns of intents that go both ways: done, and told about."""
    found: dict[str, list[Wish]] = defaultdict(list)
    for conversation in conversations:
        customer = reply = None
        for turn in conversation.turns:
            if turn.role is not Role.CUSTOMER:
                reply = turn.text if turn.role is not Role.ACTION else reply
                continue
            if turn.text.strip() and turn.intent and turn.route in _LABELS:
                wants = turn.route == _DOES
                wish = Wish(turn.text, turn.intent, wants, customer, reply, conversation.id)
                found[turn.intent].append(wish)
            customer = turn.text
    both = [wishes for wishes in found.values() if len({wish.wants for wish in wishes}) > 1]
    return [wish for wishes in both for wish in wishes]


def fit(encoder: QueryEncoder, examples: Sequence[Wish]) -> Wishing | None:
    """Fit a model; None where there are fewer than 40 turns of either kind to learn from."""
    wanting = sum(example.wants for example in examples)
    if min(wanting, len(examples) - wanting) < _ENOUGH:
        return None
    texts, targets = [example.example.input for example in examples], _targets(examples)
    vectors = encoder.queries(texts)
    parts = folds.assign([example.example for example in examples], _FOLDS)
    logits = linear.out_of_fold(vectors, texts, targets, len(_LABELS), parts, _RECIPE)
    model = linear.fit(vectors, texts, targets, len(_LABELS), _RECIPE)
    intents = frozenset(example.intent for example in examples)
    return Wishing(model.head, model.sparse, fit_temperature(logits, targets), intents)


def unseen(encoder: QueryEncoder, examples: Sequence[Wish]) -> NDArray[np.bool_]:
    """Return what models say that have not seen a turn's conversation, shape (n,)."""
    texts = [example.example.input for example in examples]
    parts = folds.assign([example.example for example in examples], _FOLDS)
    vectors = encoder.queries(texts)
    logits = linear.out_of_fold(vectors, texts, _targets(examples), len(_LABELS), parts, _RECIPE)
    found: NDArray[np.bool_] = logits.argmax(axis=1) == 1
    return found


def _targets(examples: Sequence[Wish]) -> NDArray[np.int64]:
    return np.array([int(example.wants) for example in examples], dtype=np.int64)

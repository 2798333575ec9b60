"""Does a turn need the knowledge at all? "Thanks, that's all" and "for two, please" do not.

A linear model on an embedding of the message with what was said before it, beside its n-grams: of
the same kind as the intent classifier's. It learns from transcripts whose turns say where they
went; a home without them has rules.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from bot.core.types import OUT_OF_SCOPE, CarelineError, Role
from bot.nlu.calibration import fit_temperature, softmax
from bot.nlu.intent_classifier import Head, QueryEncoder
from bot.nlu.ngrams import SparseHead
from bot.training import folds, linear
from bot.training.datasets import Conversation, Example
from bot.training.recipe import Recipe
from knowledge_base.index.versions import write_json

FOLDER: Final = "seeking"
SEEKS: Final = "seeks"
RESTS: Final = "rests"
_LABELS: Final = (RESTS, SEEKS)  # the class numbers
_FACTS: Final = "seeking.json"
_FOLDS: Final = 5
_ENOUGH: Final = 40  # turns of each kind from which a model is worth more than rules
_RECIPE: Final = Recipe(dense=1.5)
_SMALL_TALK: Final = frozenset({"greeting", "thanks", "goodbye", "bot_identity", OUT_OF_SCOPE})
_QUESTION = re.compile(
    r"[?？]|\b(?:what|which|when|where|who|whose|why|how|is|are|do|does|did|can|could|may|will|"
    r"would|should|tell me|explain|wonder(?:ing)?|know if|any|allowed|policy)\b|"
    r"什么|哪|谁|几|多少|多久|怎|如何|为什么|为何|吗|能不能|可不可以|是否|有没有|请问|想问|介绍",
    re.IGNORECASE,
)
_NO_QUESTION = re.compile(
    r"\W*(?:(?:hi|hello|hey|good (?:morning|afternoon|evening)|"
    r"thanks?(?: you)?(?: so much| a lot)?|thx|cheers|bye|goodbye|"
    r"ok(?:ay)?|yes|no|yep|nope|sure|great|perfect|please|"
    r"that'?s (?:all|it)|that is all|nothing else|sounds good|all good|got it|never ?mind|"
    r"你好|您好|谢谢|多谢|感谢|再见|拜拜|好的?|行|可以|嗯+|是的?|不是|不用了?|没有了?|没事了?|"
    r"知道了|明白了?)\W*)+",
    re.IGNORECASE,
)
_SOME_WORDS: Final = 5  # words, or twice as many Chinese characters, that may state a problem


@dataclass(frozen=True)
class Asking:
    """A customer's turn with what was said before it, and whether it needed the knowledge."""

    text: str
    seeks: bool
    customer: str | None = None
    reply: str | None = None
    conversation: str = ""

    @property
    def example(self) -> Example:
        """The turn as the tools for classifiers read it."""
        label = SEEKS if self.seeks else RESTS
        return Example(self.text, label, self.conversation, self.customer, self.reply)


@dataclass(frozen=True)
class Seeking:
    """A fitted model."""

    head: Head
    sparse: SparseHead
    temperature: float

    def scores(self, encoder: QueryEncoder, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the chances that turns need the knowledge, shape (n,).

        The texts are those `context.in_context` made of message, reply and message before.
        """
        logits = self.head.logits(encoder.queries(texts)) + self.sparse.logits(texts)
        return softmax(logits, self.temperature)[:, 1]

    def save(self, folder: Path) -> None:
        """Write the model into a folder of its own."""
        folder.mkdir(parents=True, exist_ok=True)
        self.head.save(folder / "head.npz")
        self.sparse.save(folder)
        write_json(folder / _FACTS, {"temperature": self.temperature})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; raise CarelineError where it is damaged."""
        try:
            facts = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
            head = Head.load(folder / "head.npz")
            return cls(head, SparseHead.load(folder), float(facts["temperature"]))
        except (OSError, ValueError, KeyError) as error:
            message = f"{folder} cannot be read: {error!r}; run `careline train` again"
            raise CarelineError(message) from error


def turns(conversations: Iterable[Conversation]) -> list[Asking]:
    """Return the customers' turns whose route says whether the knowledge was needed.

    Small talk, actions and hand-offs need none. A template that answers a question says nothing: it
    might as well be an article.
    """
    found = []
    for conversation in conversations:
        customer = reply = None
        for turn in conversation.turns:
            if turn.role is not Role.CUSTOMER:
                reply = turn.text if turn.role is not Role.ACTION else reply
                continue
            rests = turn.route in {"act", "handoff"} or turn.intent in _SMALL_TALK
            if turn.text.strip() and turn.route and (rests or turn.route == "retrieve"):
                seeks = turn.route == "retrieve"
                found.append(Asking(turn.text, seeks, customer, reply, conversation.id))
            customer = turn.text
    return found


def fit(encoder: QueryEncoder, examples: Sequence[Asking]) -> Seeking | None:
    """Fit a model; None where there are fewer than 40 turns of either kind to learn from."""
    seeking = sum(example.seeks for example in examples)
    if min(seeking, len(examples) - seeking) < _ENOUGH:
        return None
    texts = [example.example.input for example in examples]
    vectors = encoder.queries(texts)
    targets = _targets(examples)
    parts = folds.assign([example.example for example in examples], _FOLDS)
    logits = linear.out_of_fold(vectors, texts, targets, len(_LABELS), parts, _RECIPE)
    model = linear.fit(vectors, texts, targets, len(_LABELS), _RECIPE)
    return Seeking(model.head, model.sparse, fit_temperature(logits, targets))


def unseen(
    encoder: QueryEncoder, examples: Sequence[Asking], targets: NDArray[np.int64] | None = None
) -> NDArray[np.bool_]:
    """Return what models say that have not seen a turn's conversation, shape (n,).

    `targets` are other labels to learn, 1 for a turn that seeks.
    """
    texts = [example.example.input for example in examples]
    parts = folds.assign([example.example for example in examples], _FOLDS)
    learnt = _targets(examples) if targets is None else targets
    vectors = encoder.queries(texts)
    logits = linear.out_of_fold(vectors, texts, learnt, len(_LABELS), parts, _RECIPE)
    found: NDArray[np.bool_] = logits.argmax(axis=1) == 1
    return found


def _targets(examples: Sequence[Asking]) -> NDArray[np.int64]:
    return np.array([int(example.seeks) for example in examples], dtype=np.int64)


def by_rules(text: str) -> bool:
    """Tell, without a model, whether a message may need the knowledge.

    Whoever greets, thanks, agrees or gives a number needs nothing; a question does, and so may
    everything else of some length: better one search too many than an answer missed.
    """
    if _NO_QUESTION.fullmatch(text) or not re.search(r"[^\W\d_]{2,}|[\u3400-\u9fff]", text):
        return False
    words = len(text.split()) + len(re.findall(r"[\u3400-\u9fff]", text)) / 2
    return _QUESTION.search(text) is not None or words >= _SOME_WORDS

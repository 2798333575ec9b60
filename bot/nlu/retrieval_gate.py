"""The retrieval gate: whether a turn needs the knowledge base.

"Thanks, that's all" and "for two, please" do not. The model is trained on transcripts whose turns
are labelled with their route; a home without them has rules.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from bot.nlu.binary_classifier import BinaryClassifier
from bot.nlu.intent_classifier import QueryEncoder

FOLDER: Final = "seeking"  # the name inside model versions
_DETAILS: Final = "seeking.json"
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
_MIN_WORDS: Final = 5  # words, or twice as many Chinese characters, that may describe a problem


@dataclass(frozen=True)
class RetrievalGate:
    """A fitted model of which turns need the knowledge base."""

    classifier: BinaryClassifier

    def scores(self, encoder: QueryEncoder, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the probability that each turn needs the knowledge base, shape (n,)."""
        return self.classifier.scores(encoder, texts)

    def save(self, folder: Path) -> None:
        """Write the model into a folder of its own."""
        self.classifier.save(folder, _DETAILS)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; raise CarelineError if it is damaged."""
        classifier, _ = BinaryClassifier.load(folder, _DETAILS)
        return cls(classifier)


def needs_retrieval(text: str) -> bool:
    """Return, without a model, whether a message may need the knowledge base.

    Greetings, thanks, agreement and bare numbers do not; a question does, and so may any longer
    text: an unnecessary search is better than a missed answer.
    """
    if _NO_QUESTION.fullmatch(text) or not re.search(r"[^\W\d_]{2,}|[\u3400-\u9fff]", text):
        return False
    words = len(text.split()) + len(re.findall(r"[\u3400-\u9fff]", text)) / 2
    return _QUESTION.search(text) is not None or words >= _MIN_WORDS

"""Questions the knowledge has no answer for, grouped, so that the missing article can be written.

A message counts when nothing was found for it, when a person had to take over for lack of
knowledge, when its reply was rated down, or when the customer was asked back and the
conversation never got to an answer.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from math import log
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.store.questions import Asked
from bot.types import OUT_OF_SCOPE, Route
from knowledge_base.documents import Chunk
from knowledge_base.encoders import Vectors
from knowledge_base.neighbours import best
from knowledge_base.sparse import terms

# Rules of the policy that say: the knowledge, or the model, did not suffice.
UNANSWERED: Final = frozenset(
    {"no_evidence", "refused", "no_knowledge", "repeated_failure", "no_template", "promise"}
)
ASKED_BACK: Final = frozenset({"unsure", "no_words"})
DOWN: Final = "down"
TOGETHER: Final = 0.35  # cosine, from the mean of all questions, of two that ask the same
# Questions about nothing in common: where vectors of this language lie whatever is asked.
_BACKGROUND: Final = {
    "en": (
        "how tall is the oldest tree", "when does the train leave", "who painted this picture",
        "can I borrow your ladder", "what does the word mean", "is the soup still warm",
        "where did the meeting take place", "I lost the match yesterday", "please call my sister",
        "how do bees make honey", "why was the road closed", "the printer makes a noise",
    ),
    "zh": (
        "最老的树有多高", "火车几点开", "这幅画是谁画的", "能借我梯子吗", "这个词是什么意思",
        "汤还热吗", "会议在哪里举行", "我昨天输了比赛", "请给我姐姐打电话", "蜜蜂怎么酿蜜",
        "这条路为什么封了", "打印机有噪音",
    ),
}  # fmt: skip
_EXAMPLES: Final = 5
_TERMS: Final = 3
_BLOCK: Final = 512


@dataclass(frozen=True)
class Nearest:
    """The existing article that comes closest, and the cosine of its best passage."""

    article: str
    score: float


@dataclass(frozen=True)
class Cluster:
    """Questions that ask for the same; `name` are the terms that set them apart."""

    name: str
    count: int
    language: str
    first: datetime
    last: datetime
    examples: tuple[str, ...]
    nearest: Nearest | None = None
    messages: tuple[str, ...] = ()


def unanswered(asked: Sequence[Asked]) -> list[Asked]:
    """Return the questions without an answer, given messages conversation by conversation."""
    found: list[Asked] = []
    for _, group in groupby(asked, key=lambda message: message.conversation_id):
        conversation = list(group)
        found += [
            message
            for at, message in enumerate(conversation)
            if _failed(message) or _left_open(message, conversation[at + 1 :])
        ]
    return found


def _failed(message: Asked) -> bool:
    if message.intent == OUT_OF_SCOPE and message.rating != DOWN:
        return False  # none of our business; no article is missing
    return message.reason in UNANSWERED or message.rating == DOWN


def _left_open(message: Asked, later: Sequence[Asked]) -> bool:
    """Tell whether a question back was the end of it: no later message got an answer."""
    if message.route != Route.CLARIFY or message.reason not in ASKED_BACK:
        return False
    answered = {Route.TEMPLATE, Route.RETRIEVE, Route.ACT}
    return not any(m.route in answered and not _failed(m) for m in later)


def clusters(
    questions: Sequence[Asked],
    encode: Callable[[Sequence[str]], Vectors],
    chunks: Sequence[Chunk] = (),
    vectors: Vectors | None = None,
    *,
    together: float = TOGETHER,
) -> list[Cluster]:
    """Group questions, largest group first; equal input gives equal output.

    `encode` returns unit vectors, shape (n, d); `vectors` (m, d) are those of the chunks, for the
    nearest article. Questions of one language whose cosine is `together` or more, counted from
    the mean of all questions of that language, are linked; a group grows while the mean of all
    its links stays there (average linkage), so that chains of half-similar questions fall apart.
    """
    if not questions:
        return []
    rows = encode([question.text for question in questions])
    named = [frozenset(terms(question.text)) for question in questions]
    spread = Counter(term for found in named for term in found)
    made = []
    for language in sorted({question.language for question in questions}):
        own = np.array([n for n, q in enumerate(questions) if q.language == language])
        background = encode(_BACKGROUND.get(language, _BACKGROUND["en"]))
        for members in groups(_centred(rows[own], background), together):
            chosen = own[members]
            made.append(_cluster(chosen, questions, rows, named, spread, _near(chunks, vectors)))
    return sorted(made, key=lambda cluster: (-cluster.count, cluster.first, cluster.examples))


_Near = Callable[[Vectors], Nearest | None]


def _near(chunks: Sequence[Chunk], vectors: Vectors | None) -> _Near:
    def nearest(centre: Vectors) -> Nearest | None:
        if vectors is None or not chunks:
            return None
        places, scores = best(centre[None, :], vectors)
        return Nearest(chunks[int(places[0])].article, round(float(scores[0]), 4))

    return nearest


def _centred(rows: Vectors, background: Vectors) -> Vectors:
    """Return unit vectors from the mean of questions and background: what all share goes.

    Some encoders put any two questions close to each other; without the background a handful of
    questions would be one group, or, from their own mean, none.
    """
    moved = rows - np.concatenate([rows, background]).mean(axis=0)
    lengths = np.linalg.norm(moved, axis=1, keepdims=True)
    return np.asarray(moved / np.maximum(lengths, 1e-9), dtype=np.float32)


def groups(rows: Vectors, together: float) -> list[NDArray[np.int64]]:
    """Return groups of rows by average linkage, each sorted; rows (n, d) are unit vectors.

    The mean cosine of two groups is that of their sums, so no n² table is kept: pairs are read
    block by block, closest first, and joined where the groups they lie in by then still fit.
    """
    sums = {n: rows[n].astype(np.float64) for n in range(len(rows))}
    members = {n: [n] for n in range(len(rows))}
    group = list(range(len(rows)))
    for first, second in _links(rows, together):
        one, other = sorted((group[first], group[second]))
        if one == other:
            continue
        mean = float(sums[one] @ sums[other]) / (len(members[one]) * len(members[other]))
        if mean < together:
            continue
        sums[one] += sums.pop(other)
        moved = members.pop(other)
        members[one] += moved
        for row in moved:
            group[row] = one
    return [np.array(sorted(found)) for found in members.values()]


def _links(rows: Vectors, together: float) -> list[tuple[int, int]]:
    """Return the pairs with a cosine of `together` or more, closest first."""
    found: list[tuple[float, int, int]] = []
    for at in range(0, len(rows), _BLOCK):
        cosines = rows[at : at + _BLOCK] @ rows.T
        for i, j in np.argwhere(cosines >= together).tolist():
            if at + i < j:
                found.append((-round(float(cosines[i, j]), 5), at + i, j))
    return [(i, j) for _, i, j in sorted(found)]


def _cluster(  # noqa: PLR0913, PLR0917 — what all clusters share, computed once
    members: NDArray[np.int64],
    questions: Sequence[Asked],
    rows: Vectors,
    named: Sequence[frozenset[str]],
    spread: Counter[str],
    near: _Near,
) -> Cluster:
    own = [questions[n] for n in members.tolist()]
    centre = rows[members].mean(axis=0)
    centre = np.asarray(centre / max(float(np.linalg.norm(centre)), 1e-9), dtype=np.float32)
    typical = members[np.argsort(-(rows[members] @ centre), kind="stable")].tolist()
    texts = dict.fromkeys(questions[n].text for n in typical)
    examples = tuple(texts)[:_EXAMPLES]
    return Cluster(
        name=_name([named[n] for n in members.tolist()], spread, len(questions), examples[0]),
        count=len(own),
        language=own[0].language,
        first=min(question.at for question in own),
        last=max(question.at for question in own),
        examples=examples,
        nearest=near(centre),
        messages=tuple(question.message_id for question in own),
    )


def _name(named: Sequence[frozenset[str]], spread: Counter[str], total: int, typical: str) -> str:
    """Return the terms most of a group's questions share and few others have, as written."""
    counts = Counter(term for found in named for term in found)
    scores = {t: (n / len(named)) * log(1.0 + total / spread[t]) for t, n in counts.items()}
    chosen = sorted(scores, key=lambda term: (-scores[term], term))[:_TERMS]
    return " ".join(_as_written(term, typical) for term in chosen) or typical


def _as_written(stem: str, text: str) -> str:
    """Return the word of a text that has this stem; the stem itself where none has."""
    words = (word.strip(".,!?;:'\"()").lower() for word in text.split())
    return next((word for word in words if word and terms(word) == [stem]), stem)

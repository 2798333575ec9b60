"""Clusters of questions without an answer in the knowledge, to write the missing articles.

A message counts when nothing was found for it, when a person had to take over for lack of
knowledge, when its reply was rated down, or when the assistant asked back and the conversation
never got to an answer.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from bot.analytics.clustering import (
    ClusterNamer,
    Encode,
    centre_rows,
    cluster_rows,
    origin,
    sort_by_typicality,
)
from bot.core.types import OUT_OF_SCOPE, Route
from bot.store import daily_aggregates, query_log
from bot.store.daily_aggregates import ReportQuery
from bot.store.query_log import LoggedQuestion
from knowledge_base.documents import Chunk
from knowledge_base.encoders.base_models import Vectors
from knowledge_base.quality.near_duplicates import nearest_rows

if TYPE_CHECKING:
    from bot.store.database import Engine
    from knowledge_base.encoders.base_models import ModelEncoder
    from knowledge_base.retrieval.search import KnowledgeBase

# Rules of the policy for cases in which the knowledge, or the model, was not enough.
UNANSWERED: Final = frozenset(
    {"no_evidence", "refused", "no_knowledge", "repeated_failure", "no_template", "promise"}
)
ASKED_BACK: Final = frozenset({"unsure", "no_words"})
DOWN: Final = "down"
MIN_COSINE: Final = 0.35  # of two similar questions, relative to the mean of all questions
_EXAMPLES: Final = 5
_MAX_QUESTIONS: Final = 2000  # the latest: clustering takes time with their square


@dataclass(frozen=True)
class NearestArticle:
    """The nearest existing article, and the cosine of its best passage."""

    article: str
    score: float


@dataclass(frozen=True)
class QuestionCluster:
    """Questions with the same meaning; `name` consists of their distinctive terms."""

    name: str
    count: int
    language: str
    first: datetime
    last: datetime
    examples: tuple[str, ...]
    nearest: NearestArticle | None = None
    messages: tuple[str, ...] = ()


def unanswered(questions: Sequence[LoggedQuestion]) -> list[LoggedQuestion]:
    """Return the questions without an answer; messages are ordered by conversation."""
    failed: list[LoggedQuestion] = []
    for _, group in groupby(questions, key=lambda message: message.conversation_id):
        conversation = list(group)
        failed += [
            message
            for at, message in enumerate(conversation)
            if _failed(message) or _left_open(message, conversation[at + 1 :])
        ]
    return failed


def _failed(message: LoggedQuestion) -> bool:
    if message.intent == OUT_OF_SCOPE and message.rating != DOWN:
        return False  # out of scope: no article is missing
    return message.reason in UNANSWERED or message.rating == DOWN


def _left_open(message: LoggedQuestion, later: Sequence[LoggedQuestion]) -> bool:
    """Return whether the conversation ended after a question back, without an answer."""
    if message.route != Route.CLARIFY or message.reason not in ASKED_BACK:
        return False
    answered = {Route.TEMPLATE, Route.RETRIEVE, Route.ACT}
    return not any(m.route in answered and not _failed(m) for m in later)


def clusters(
    questions: Sequence[LoggedQuestion],
    encode: Encode,
    chunks: Sequence[Chunk] = (),
    vectors: Vectors | None = None,
    *,
    min_cosine: float = MIN_COSINE,
) -> list[QuestionCluster]:
    """Cluster questions, largest cluster first; equal input gives equal output.

    `encode` returns unit vectors, shape (n, d); `vectors` (m, d) are those of the chunks, for the
    nearest article. Questions of one language with a cosine of `min_cosine` or more, relative to
    the mean of all questions of that language, are linked; a cluster grows while the mean of all
    its links stays above it (average linkage), so that chains of half-similar questions are not
    joined.
    """
    if not questions:
        return []
    rows = encode([question.text for question in questions])
    names = ClusterNamer([q.text for q in questions], [{q.conversation_id} for q in questions])
    find_nearest = _make_nearest_finder(chunks, vectors)
    result = []
    for language in sorted({question.language for question in questions}):
        own = np.array([n for n, q in enumerate(questions) if q.language == language])
        centred = centre_rows(rows[own], origin(rows[own], language, encode))
        result += [
            _cluster(own[members], questions, rows, names, find_nearest)
            for members in cluster_rows(centred, min_cosine)
        ]
    return sorted(result, key=lambda cluster: (-cluster.count, cluster.first, cluster.examples))


_NearestFinder = Callable[[Vectors], NearestArticle | None]


def _make_nearest_finder(chunks: Sequence[Chunk], vectors: Vectors | None) -> _NearestFinder:
    def nearest(centre: Vectors) -> NearestArticle | None:
        if vectors is None or not chunks:
            return None
        places, scores = nearest_rows(centre[None, :], vectors)
        return NearestArticle(chunks[int(places[0])].article, round(float(scores[0]), 4))

    return nearest


def _min_conversations(own: Sequence[LoggedQuestion]) -> int:
    """Return the number of customers a word of a name needs: two, where there are two."""
    return min(2, len({question.conversation_id for question in own}))


def _cluster(
    members: NDArray[np.int64],
    questions: Sequence[LoggedQuestion],
    rows: Vectors,
    names: ClusterNamer,
    find_nearest: _NearestFinder,
) -> QuestionCluster:
    own = [questions[n] for n in members.tolist()]
    centre = rows[members].mean(axis=0)
    centre = np.asarray(centre / max(float(np.linalg.norm(centre)), 1e-9), dtype=np.float32)
    texts = dict.fromkeys(questions[n].text for n in sort_by_typicality(rows, members))
    examples = tuple(texts)[:_EXAMPLES]
    return QuestionCluster(
        name=names.name(members.tolist(), examples[0], _min_conversations(own)) or examples[0],
        count=len(own),
        language=own[0].language,
        first=min(question.at for question in own),
        last=max(question.at for question in own),
        examples=examples,
        nearest=find_nearest(centre),
        messages=tuple(question.message_id for question in own),
    )


def cluster_questions(
    questions: Sequence[LoggedQuestion],
    open_knowledge: Callable[[], "KnowledgeBase | None"],
    open_encoder: Callable[[], "ModelEncoder"],
) -> list[QuestionCluster]:
    """Return questions in clusters of one meaning, each with the nearest passage of the knowledge.

    Nothing is opened where there is no question; the home's encoder is used where there is no
    knowledge.
    """
    if not questions:
        return []
    knowledge = open_knowledge()
    encoder = knowledge.encoder if knowledge else open_encoder()
    return clusters(
        questions,
        encoder.queries,
        knowledge.passages() if knowledge else (),
        knowledge.vectors() if knowledge else None,
    )


def gaps(
    engine: "Engine",
    period: ReportQuery,
    cluster: Callable[[Sequence[LoggedQuestion]], list[QuestionCluster]],
) -> list[dict[str, Any]]:
    """Return the unanswered questions of a period as clusters, the largest first.

    `cluster` is `cluster_questions` with the home's knowledge and encoder.
    """
    start, end = daily_aggregates.bounds(period.first, period.last)
    channels = query_log.conversation_channels(engine, start, end, synthetic=period.synthetic)
    logged = [
        question
        for question in query_log.logged_questions(engine, start, synthetic=period.synthetic)
        if question.conversation_id in channels
        and period.channel in {None, channels[question.conversation_id]}
        and period.language in {None, question.language}
    ]
    unresolved = sorted(unanswered(logged), key=lambda question: question.at)[-_MAX_QUESTIONS:]
    by_message = {question.message_id: question.conversation_id for question in unresolved}
    return [
        {
            "name": group.name,
            "count": group.count,
            "language": group.language,
            "first": group.first.isoformat(),
            "last": group.last.isoformat(),
            "examples": list(group.examples),
            "nearest": group.nearest.article if group.nearest else None,
            "conversations": sorted({by_message[message] for message in group.messages}),
        }
        for group in cluster(unresolved)
    ]

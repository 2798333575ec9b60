"""Questions the knowledge has no answer for, grouped, so that the missing article can be written.

A message counts when nothing was found for it, when a person had to take over for lack of
knowledge, when its reply was rated down, or when the customer was asked back and the
conversation never got to an answer.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from bot.analytics.clustering import ClusterNamer, Encode, by_typicality, centred, groups, origin
from bot.analytics.period_report import ReportQuery
from bot.core.types import OUT_OF_SCOPE, Route
from bot.store import daily_aggregates, query_log
from bot.store.query_log import LoggedQuestion
from knowledge_base.documents import Chunk
from knowledge_base.encoders.base_models import Vectors
from knowledge_base.quality.near_duplicates import nearest_rows

if TYPE_CHECKING:
    from bot.store.database import Engine
    from knowledge_base.encoders.base_models import ModelEncoder
    from knowledge_base.retrieval.search import KnowledgeBase

# Rules of the policy that say: the knowledge, or the model, did not suffice.
UNANSWERED: Final = frozenset(
    {"no_evidence", "refused", "no_knowledge", "repeated_failure", "no_template", "promise"}
)
ASKED_BACK: Final = frozenset({"unsure", "no_words"})
DOWN: Final = "down"
TOGETHER: Final = 0.35  # cosine, from the mean of all questions, of two that ask the same
_EXAMPLES: Final = 5
_MAX_QUESTIONS: Final = 2000  # the latest: clustering takes time with their square


@dataclass(frozen=True)
class NearestArticle:
    """The existing article that comes closest, and the cosine of its best passage."""

    article: str
    score: float


@dataclass(frozen=True)
class QuestionCluster:
    """Questions that ask for the same; `name` are the terms that set them apart."""

    name: str
    count: int
    language: str
    first: datetime
    last: datetime
    examples: tuple[str, ...]
    nearest: NearestArticle | None = None
    messages: tuple[str, ...] = ()


def unanswered(asked: Sequence[LoggedQuestion]) -> list[LoggedQuestion]:
    """Return the questions without an answer, given messages conversation by conversation."""
    found: list[LoggedQuestion] = []
    for _, group in groupby(asked, key=lambda message: message.conversation_id):
        conversation = list(group)
        found += [
            message
            for at, message in enumerate(conversation)
            if _failed(message) or _left_open(message, conversation[at + 1 :])
        ]
    return found


def _failed(message: LoggedQuestion) -> bool:
    if message.intent == OUT_OF_SCOPE and message.rating != DOWN:
        return False  # none of our business; no article is missing
    return message.reason in UNANSWERED or message.rating == DOWN


def _left_open(message: LoggedQuestion, later: Sequence[LoggedQuestion]) -> bool:
    """Return whether a question back was the end of it: no later message got an answer."""
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
    together: float = TOGETHER,
) -> list[QuestionCluster]:
    """Group questions, largest group first; equal input gives equal output.

    `encode` returns unit vectors, shape (n, d); `vectors` (m, d) are those of the chunks, for the
    nearest article. Questions of one language whose cosine is `together` or more, counted from
    the mean of all questions of that language, are linked; a group grows while the mean of all
    its links stays there (average linkage), so that chains of half-similar questions fall apart.
    """
    if not questions:
        return []
    rows = encode([question.text for question in questions])
    names = ClusterNamer([q.text for q in questions], [{q.conversation_id} for q in questions])
    near = _near(chunks, vectors)
    made = []
    for language in sorted({question.language for question in questions}):
        own = np.array([n for n, q in enumerate(questions) if q.language == language])
        moved = centred(rows[own], origin(rows[own], language, encode))
        made += [
            _cluster(own[members], questions, rows, names, near)
            for members in groups(moved, together)
        ]
    return sorted(made, key=lambda cluster: (-cluster.count, cluster.first, cluster.examples))


_Near = Callable[[Vectors], NearestArticle | None]


def _near(chunks: Sequence[Chunk], vectors: Vectors | None) -> _Near:
    def nearest(centre: Vectors) -> NearestArticle | None:
        if vectors is None or not chunks:
            return None
        places, scores = nearest_rows(centre[None, :], vectors)
        return NearestArticle(chunks[int(places[0])].article, round(float(scores[0]), 4))

    return nearest


def _fewest(own: Sequence[LoggedQuestion]) -> int:
    """Return how many customers a word of a name needs: two, where there are two."""
    return min(2, len({question.conversation_id for question in own}))


def _cluster(
    members: NDArray[np.int64],
    questions: Sequence[LoggedQuestion],
    rows: Vectors,
    names: ClusterNamer,
    near: _Near,
) -> QuestionCluster:
    own = [questions[n] for n in members.tolist()]
    centre = rows[members].mean(axis=0)
    centre = np.asarray(centre / max(float(np.linalg.norm(centre)), 1e-9), dtype=np.float32)
    texts = dict.fromkeys(questions[n].text for n in by_typicality(rows, members))
    examples = tuple(texts)[:_EXAMPLES]
    return QuestionCluster(
        name=names.of(members.tolist(), examples[0], _fewest(own)) or examples[0],
        count=len(own),
        language=own[0].language,
        first=min(question.at for question in own),
        last=max(question.at for question in own),
        examples=examples,
        nearest=near(centre),
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
    shown = query_log.conversation_channels(engine, start, end, synthetic=period.synthetic)
    asked = [
        question
        for question in query_log.logged_questions(engine, start, synthetic=period.synthetic)
        if question.conversation_id in shown
        and period.channel in {None, shown[question.conversation_id]}
        and period.language in {None, question.language}
    ]
    found = sorted(unanswered(asked), key=lambda question: question.at)[-_MAX_QUESTIONS:]
    by_message = {question.message_id: question.conversation_id for question in found}
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
        for group in cluster(found)
    ]

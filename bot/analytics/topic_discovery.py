"""Discovery of topics in customers' own words, beside the intents.

Similar messages form a topic. Existing topics stay as they are, so that figures can be compared
over months: later messages join the topic they resemble, and only those that resemble none are
clustered again. A topic that equals an intent is found as well, because its messages would
otherwise be clustered again and again, but it is marked and hidden.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

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
from bot.core.types import OUT_OF_SCOPE, TOPIC, new_id
from bot.nlu.context import neutral
from bot.store.topic_store import Topic, TopicMessage
from knowledge_base.encoders.base_models import Vectors
from knowledge_base.index.sparse import terms

MIN_COSINE: Final = 0.4  # mean cosine, from the language's origin, of messages of one topic
MIN_MESSAGES: Final = 5  # messages that make a topic,
MIN_SHARE: Final = 1 / 250  # and their share of the language's messages in the batch
MIN_CUSTOMERS: Final = 3  # conversations they come from, and different texts
_MIN_TERMS: Final = 2  # a message with fewer terms has no subject of its own
_MIN_OVERLAP: Final = (
    0.5  # Jaccard overlap of a topic's and an intent's messages: they are the same
)
_MAX_NAME: Final = 80  # characters
_UNNAMED: Final = "topic"
NOWHERE: Final = -1


@dataclass(frozen=True, eq=False)
class MessageBatch:
    """Messages of one language; `rows` (u, d) are the vectors of their texts, each text once."""

    language: str
    messages: Sequence[TopicMessage]
    texts: Sequence[str]
    rows: Vectors
    text_of: NDArray[np.int64]  # shape (n,): the index of a message's text


def batches(messages: Iterable[TopicMessage], encode: Encode) -> list[MessageBatch]:
    """Return the messages with a subject, by language; `encode` returns unit vectors."""
    grouped: defaultdict[str, list[tuple[TopicMessage, str]]] = defaultdict(list)
    for message in messages:
        text = " ".join(neutral(message.text).split())
        if len(terms(text)) >= _MIN_TERMS:
            grouped[message.language].append((message, text))
    results = []
    for language, pairs in sorted(grouped.items()):
        texts = list(dict.fromkeys(text for _, text in pairs))
        place = {text: n for n, text in enumerate(texts)}
        text_of = np.array([place[text] for _, text in pairs])
        results.append(
            MessageBatch(language, [message for message, _ in pairs], texts, encode(texts), text_of)
        )
    return results


def assign(batch: MessageBatch, topics: Sequence[Topic]) -> NDArray[np.int64]:
    """Return for each message the index of the topic it resembles most, or NOWHERE; shape (n,).

    A message belongs to a topic by the same rule as when that was found: if its mean cosine to the
    topic's messages is at least `MIN_COSINE`.
    """
    cosines = np.full((len(batch.rows), len(topics)), -1.0)
    for column, topic in enumerate(topics):
        if topic.language == batch.language:
            cosines[:, column] = centre_rows(batch.rows, topic.origin) @ topic.mean
    if not topics:
        return np.full(len(batch.messages), NOWHERE)
    best = cosines.argmax(axis=1)
    fits = cosines[np.arange(len(best)), best] >= MIN_COSINE
    return np.where(fits, best, NOWHERE)[batch.text_of]


def discover(
    batch: MessageBatch, free: NDArray[np.bool_], encode: Encode, taken: Iterable[str] = ()
) -> list[Topic]:
    """Return the topics of the messages that are `free`, shape (n,); largest first.

    All messages of the batch determine the language's origin, the rare terms, and the intent that a
    topic may be the same as. Names that are `taken` are not given again.
    """
    free_texts = np.unique(batch.text_of[free])
    if not len(free_texts):
        return []
    language_origin = origin(batch.rows, batch.language, encode)
    rows = centre_rows(batch.rows, language_origin)
    min_messages = max(MIN_MESSAGES, MIN_SHARE * len(batch.messages))
    candidates = []
    for group in cluster_rows(rows[free_texts], MIN_COSINE):
        members = free_texts[group]
        numbers = np.flatnonzero(free & np.isin(batch.text_of, members)).tolist()
        customers = {batch.messages[n].conversation_id for n in numbers}
        if len(numbers) >= min_messages and min(len(members), len(customers)) >= MIN_CUSTOMERS:
            candidates.append((members, numbers))
    candidates.sort(key=lambda pair: (-len(pair[1]), int(pair[0][0])))
    intents = Counter(message.intent for message in batch.messages if message.intent)
    conversations: list[set[str]] = [set() for _ in batch.texts]
    for message, text in zip(batch.messages, batch.text_of.tolist(), strict=True):
        conversations[text].add(message.conversation_id)
    names, used = ClusterNamer(batch.texts, conversations), set(taken)
    results = []
    for members, numbers in candidates:
        intent, known = _intent([batch.messages[n].intent for n in numbers], intents)
        typical = batch.texts[sort_by_typicality(rows, members)[0]]
        words = names.name(members.tolist(), typical, MIN_CUSTOMERS)[:_MAX_NAME]
        name = _unused(words or intent or _UNNAMED, used)
        used.add(name)
        mean = np.asarray(rows[members].mean(axis=0), dtype=np.float32)
        results.append(
            Topic(
                f"{TOPIC}{new_id()[:12]}",
                name,
                batch.language,
                language_origin,
                mean,
                intent,
                known,
            )
        )
    return results


def _intent(own: Sequence[str | None], everywhere: Counter[str]) -> tuple[str | None, bool]:
    """Return the most frequent intent of a topic's messages, and whether the topic equals it."""
    counts = Counter(intent for intent in own if intent and intent != OUT_OF_SCOPE)
    if not counts:  # only messages without an intent: these are the topics to discover
        return None, False
    intent, both = max(counts.items(), key=lambda item: (item[1], item[0]))
    either = len(own) + everywhere[intent] - both
    return intent, both >= _MIN_OVERLAP * either


def _unused(name: str, used: set[str]) -> str:
    number, candidate = 1, name
    while candidate in used:
        number += 1
        candidate = f"{name} ({number})"
    return candidate

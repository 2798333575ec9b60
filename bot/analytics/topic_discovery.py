"""What customers talk about, found in their own words: topics beside the intents.

Messages that are alike form a topic. Topics that were found stay as they are, so that figures can
be compared over months: later messages join the one they resemble, and only those that resemble
none are grouped again. A topic that says no more than an intent does is found as well, or its
messages would be grouped again and again, but it is marked and shown nowhere.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.analytics.clustering import ClusterNamer, Encode, by_typicality, centred, groups, origin
from bot.core.types import OUT_OF_SCOPE, TOPIC, new_id
from bot.nlu.context import neutral
from bot.store.topic_store import Topic, TopicMessage
from knowledge_base.encoders.base_models import Vectors
from knowledge_base.index.sparse import terms

TOGETHER: Final = 0.4  # mean cosine, from the language's origin, of messages of one topic
FEWEST: Final = 5  # messages that make a topic,
SHARE: Final = 1 / 250  # and of all messages of the language that are looked at
CUSTOMERS: Final = 3  # conversations they come from, and ways in which they are worded
_WORDS: Final = 2  # a message with fewer terms is about nothing of its own
_SAME: Final = 0.5  # of a topic's and an intent's messages, those in both: they are the same
_NAME: Final = 80  # characters
_UNNAMED: Final = "topic"
NOWHERE: Final = -1


@dataclass(frozen=True, eq=False)
class MessageBatch:
    """Messages of one language; `rows` (u, d) are the vectors of their texts, each text once."""

    language: str
    said: Sequence[TopicMessage]
    texts: Sequence[str]
    rows: Vectors
    text_of: NDArray[np.int64]  # shape (n,): which text a message has


def batches(said: Iterable[TopicMessage], encode: Encode) -> list[MessageBatch]:
    """Return the messages that are about something, by language; `encode` returns unit vectors."""
    grouped: defaultdict[str, list[tuple[TopicMessage, str]]] = defaultdict(list)
    for one in said:
        text = " ".join(neutral(one.text).split())
        if len(terms(text)) >= _WORDS:
            grouped[one.language].append((one, text))
    made = []
    for language, pairs in sorted(grouped.items()):
        texts = list(dict.fromkeys(text for _, text in pairs))
        place = {text: n for n, text in enumerate(texts)}
        text_of = np.array([place[text] for _, text in pairs])
        made.append(
            MessageBatch(language, [one for one, _ in pairs], texts, encode(texts), text_of)
        )
    return made


def assign(batch: MessageBatch, topics: Sequence[Topic]) -> NDArray[np.int64]:
    """Return for each message the place of the topic it resembles most, or NOWHERE; shape (n,).

    A message belongs to a topic as it would have when that was found: where its mean cosine to the
    topic's messages is `TOGETHER` or more.
    """
    cosines = np.full((len(batch.rows), len(topics)), -1.0)
    for column, topic in enumerate(topics):
        if topic.language == batch.language:
            cosines[:, column] = centred(batch.rows, topic.origin) @ topic.mean
    if not topics:
        return np.full(len(batch.said), NOWHERE)
    best = cosines.argmax(axis=1)
    fits = cosines[np.arange(len(best)), best] >= TOGETHER
    return np.where(fits, best, NOWHERE)[batch.text_of]


def discover(
    batch: MessageBatch, free: NDArray[np.bool_], encode: Encode, taken: Iterable[str] = ()
) -> list[Topic]:
    """Return the topics of the messages that are `free`, shape (n,); largest first.

    All messages of the batch say where the language's origin lies, which terms are rare, and
    which intent a topic may be the same as. Names that are `taken` are not given again.
    """
    here = np.unique(batch.text_of[free])
    if not len(here):
        return []
    start = origin(batch.rows, batch.language, encode)
    rows = centred(batch.rows, start)
    fewest = max(FEWEST, SHARE * len(batch.said))
    found = []
    for group in groups(rows[here], TOGETHER):
        members = here[group]
        messages = np.flatnonzero(free & np.isin(batch.text_of, members)).tolist()
        customers = {batch.said[n].conversation_id for n in messages}
        if len(messages) >= fewest and min(len(members), len(customers)) >= CUSTOMERS:
            found.append((members, messages))
    found.sort(key=lambda pair: (-len(pair[1]), int(pair[0][0])))
    intents = Counter(one.intent for one in batch.said if one.intent)
    whose: list[set[str]] = [set() for _ in batch.texts]
    for one, text in zip(batch.said, batch.text_of.tolist(), strict=True):
        whose[text].add(one.conversation_id)
    names, used = ClusterNamer(batch.texts, whose), set(taken)
    made = []
    for members, messages in found:
        intent, known = _intent([batch.said[n].intent for n in messages], intents)
        typical = batch.texts[by_typicality(rows, members)[0]]
        words = names.of(members.tolist(), typical, CUSTOMERS)[:_NAME]
        name = _unused(words or intent or _UNNAMED, used)
        used.add(name)
        mean = np.asarray(rows[members].mean(axis=0), dtype=np.float32)
        made.append(
            Topic(f"{TOPIC}{new_id()[:12]}", name, batch.language, start, mean, intent, known)
        )
    return made


def _intent(own: Sequence[str | None], everywhere: Counter[str]) -> tuple[str | None, bool]:
    """Return the intent most of a topic's messages have, and whether the topic is no more."""
    counts = Counter(intent for intent in own if intent and intent != OUT_OF_SCOPE)
    if not counts:  # what no intent was made for is what shall be found
        return None, False
    intent, both = max(counts.items(), key=lambda item: (item[1], item[0]))
    either = len(own) + everywhere[intent] - both
    return intent, both >= _SAME * either


def _unused(name: str, used: set[str]) -> str:
    number, found = 1, name
    while found in used:
        number += 1
        found = f"{name} ({number})"
    return found

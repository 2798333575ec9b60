"""Updates of topics from a home's log: new messages join existing topics, or form new ones."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from bot.analytics.surge_alerts import HISTORY
from bot.analytics.topic_discovery import NOWHERE, MessageBatch, assign, batches, discover
from bot.core.types import now
from bot.dialogue.state import NO_TOPIC
from bot.store import topic_store
from bot.store.topic_store import Topic, TopicMessage
from knowledge_base.encoders.base_models import ModelEncoder, Vectors

if TYPE_CHECKING:
    from bot.store.database import Engine

SPACING: Final = timedelta(minutes=55)
_MAX_POOL: Final = 5000  # the latest messages, in which new topics are looked for
_MAX_EARLIER: Final = 50_000  # earlier messages that may belong to a new topic
_BATCH_SIZE: Final = 16  # texts that are encoded at a time while the server is in use


@dataclass(frozen=True)
class TopicUpdate:
    """The result of an update: the numbers of new visible topics and of placed messages."""

    found: int = 0
    placed: int = 0

    def __add__(self, other: "TopicUpdate") -> "TopicUpdate":
        """Return both together."""
        return TopicUpdate(self.found + other.found, self.placed + other.placed)


class TopicUpdater:
    """Updates the topics of a home repeatedly; each text is encoded only once."""

    def __init__(
        self,
        engine: "Engine",
        encoder: Callable[[], ModelEncoder],
        small_talk: Callable[[], frozenset[str]],
        *,
        patient: bool = False,
        progress: bool = False,
    ) -> None:
        """Take what the home provides; the encoder is opened at the first use.

        Args:
            engine: The engine of the log's database.
            encoder: Opens the home's encoder.
            small_talk: Returns the intents whose messages have no topic.
            patient: Encode few texts at a time, so that customers do not wait.
            progress: Show a progress bar.
        """
        self._engine = engine
        self._open_encoder = encoder
        self._small_talk = small_talk
        self._patient = patient
        self._progress = progress
        self._vectors: dict[str, Vectors] = {}

    def look(self, *, fresh: bool = False) -> TopicUpdate:
        """Update the topics of real conversations, and then of synthetic ones, where there are any.

        `fresh` removes the existing topics first. Raises TopicUpdateRunningError where another
        process does the same.
        """
        result, read = TopicUpdate(), set[str]()
        engine = self._engine
        with topic_store.exclusive_update(engine):
            if topic_store.names(engine):  # without topics no encoder is needed here
                topic_store.sweep(engine, None if fresh else self._encoder)
            for synthetic in (False, True):
                pool = topic_store.latest(engine, **self._selection(synthetic), limit=_MAX_POOL)
                if any(message.topic is None for message in pool):
                    result += self._update_pool(pool, read, synthetic=synthetic)
        self._vectors = {text: row for text, row in self._vectors.items() if text in read}
        return result

    @property
    def _encoder(self) -> str:
        """The id is the same for all engines of an encoder: their vectors are close enough."""
        return self._open_encoder().base.id

    def _update_pool(
        self, pool: Sequence[TopicMessage], read: set[str], *, synthetic: bool
    ) -> TopicUpdate:
        engine = self._engine
        existing = topic_store.read(engine, self._encoder, synthetic=synthetic)
        names = topic_store.names(engine)
        placed: dict[str, str] = {}
        new: list[Topic] = []
        for batch in batches(pool, self._encode):
            read.update(batch.texts)
            unplaced = np.array([message.topic is None for message in batch.messages])
            best = assign(batch, existing)
            placed |= _topic_ids(batch, np.where(unplaced, best, NOWHERE), existing)
            discovered = discover(batch, unplaced & (best == NOWHERE), self._encode, names)
            names |= {topic.name for topic in discovered}
            new += discovered
        if new:  # earlier messages are placed too: surge detection needs the past of a topic
            for part in self._earlier_messages(synthetic):
                for batch in batches(part, self._encode):
                    placed = {**_topic_ids(batch, assign(batch, new), new), **placed}
        topic_store.add(engine, new, self._encoder, synthetic=synthetic)
        return TopicUpdate(sum(not topic.known for topic in new), topic_store.place(engine, placed))

    def _earlier_messages(self, synthetic: bool) -> Iterator[Sequence[TopicMessage]]:  # noqa: FBT001
        """Yield the messages without a topic, in parts."""
        wanted = self._selection(synthetic)
        everything = topic_store.latest(self._engine, **wanted, limit=_MAX_EARLIER, unplaced=True)
        for at in range(0, len(everything), _MAX_POOL):
            yield everything[at : at + _MAX_POOL]

    def _selection(self, synthetic: bool) -> dict[str, Any]:  # noqa: FBT001
        without = {"reason": NO_TOPIC, "intent": self._small_talk()}
        return {"since": now() - HISTORY, "synthetic": synthetic, "without": without}

    def _encode(self, texts: Sequence[str]) -> Vectors:
        new = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        if new:
            self._vectors |= zip(new, self._encode_new(new), strict=True)
        return np.stack([self._vectors[text] for text in texts])

    def _encode_new(self, texts: Sequence[str]) -> Vectors:
        queries = self._open_encoder().queries
        if not self._patient:
            return queries(texts, progress=self._progress)
        parts = [queries(texts[at : at + _BATCH_SIZE]) for at in range(0, len(texts), _BATCH_SIZE)]
        return np.concatenate(parts)


def _topic_ids(
    batch: MessageBatch, at: NDArray[np.int64], topics: Sequence[Topic]
) -> Mapping[str, str]:
    return {
        message.id: topics[index].id
        for message, index in zip(batch.messages, at.tolist(), strict=True)
        if index != NOWHERE
    }

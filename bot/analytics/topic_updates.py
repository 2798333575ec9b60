"""Looks for topics in a home's log: new messages join those there are, the rest may be new ones."""

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
from bot.store import topic_store as store
from bot.store.topic_store import Topic, TopicMessage
from knowledge_base.encoders.base_models import ModelEncoder, Vectors

if TYPE_CHECKING:
    from bot.store.database import Engine

SPACING: Final = timedelta(minutes=55)
_POOL: Final = 5000  # the latest messages, among which new topics are looked for
_DEEPEST: Final = 50_000  # earlier ones that are asked whether they belong to a new topic
_FEW: Final = 16  # texts that are read at a time beside the serving


@dataclass(frozen=True)
class TopicUpdate:
    """What a look found: new topics that say more than an intent, and messages with a topic now."""

    found: int = 0
    placed: int = 0

    def __add__(self, other: "TopicUpdate") -> "TopicUpdate":
        """Return both together."""
        return TopicUpdate(self.found + other.found, self.placed + other.placed)


class TopicUpdater:
    """Looks at a home again and again; what it has read it need not read anew."""

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
        """Look at real conversations, and then at those made up, where there are any.

        `fresh` forgets the topics there are first. Raises LookingError where another process looks.
        """
        looked, read = TopicUpdate(), set[str]()
        engine = self._engine
        with store.exclusive_update(engine):
            if store.names(engine):  # a home without any needs no encoder for it
                store.sweep(engine, None if fresh else self._encoder)
            for synthetic in (False, True):
                pool = store.latest(engine, **self._wanted(synthetic), limit=_POOL)
                if any(one.topic is None for one in pool):
                    looked += self._look(pool, read, synthetic=synthetic)
        self._vectors = {text: row for text, row in self._vectors.items() if text in read}
        return looked

    @property
    def _encoder(self) -> str:
        """The same for all engines of an encoder: their vectors are close enough."""
        return self._open_encoder().base.id

    def _look(
        self, pool: Sequence[TopicMessage], read: set[str], *, synthetic: bool
    ) -> TopicUpdate:
        engine = self._engine
        known = store.read(engine, self._encoder, synthetic=synthetic)
        names = store.names(engine)
        placed: dict[str, str] = {}
        new: list[Topic] = []
        for batch in batches(pool, self._encode):
            read.update(batch.texts)
            homeless = np.array([one.topic is None for one in batch.said])
            at = assign(batch, known)
            placed |= _placed(batch, np.where(homeless, at, NOWHERE), known)
            found = discover(batch, homeless & (at == NOWHERE), self._encode, names)
            names |= {topic.name for topic in found}
            new += found
        if new:  # their past is wanted as well: what was ordinary is learnt from it
            for part in self._past(synthetic):
                for batch in batches(part, self._encode):
                    placed = {**_placed(batch, assign(batch, new), new), **placed}
        store.add(engine, new, self._encoder, synthetic=synthetic)
        return TopicUpdate(sum(not topic.known for topic in new), store.place(engine, placed))

    def _past(self, synthetic: bool) -> Iterator[Sequence[TopicMessage]]:  # noqa: FBT001
        """Yield the messages without a topic, in parts."""
        wanted = self._wanted(synthetic)
        everything = store.latest(self._engine, **wanted, limit=_DEEPEST, unplaced=True)
        for at in range(0, len(everything), _POOL):
            yield everything[at : at + _POOL]

    def _wanted(self, synthetic: bool) -> dict[str, Any]:  # noqa: FBT001
        without = {"reason": NO_TOPIC, "intent": self._small_talk()}
        return {"since": now() - HISTORY, "synthetic": synthetic, "without": without}

    def _encode(self, texts: Sequence[str]) -> Vectors:
        new = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        if new:
            self._vectors |= zip(new, self._read(new), strict=True)
        return np.stack([self._vectors[text] for text in texts])

    def _read(self, texts: Sequence[str]) -> Vectors:
        queries = self._open_encoder().queries
        if not self._patient:
            return queries(texts, progress=self._progress)
        parts = [queries(texts[at : at + _FEW]) for at in range(0, len(texts), _FEW)]
        return np.concatenate(parts)


def _placed(
    batch: MessageBatch, at: NDArray[np.int64], topics: Sequence[Topic]
) -> Mapping[str, str]:
    return {
        one.id: topics[place].id
        for one, place in zip(batch.said, at.tolist(), strict=True)
        if place != NOWHERE
    }

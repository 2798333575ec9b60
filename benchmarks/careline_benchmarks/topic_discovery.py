"""`careline bench topics`: whether topics are meaningful, and new ones are detected."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bot.analytics.clustering import Encode
from bot.analytics.topic_discovery import NOWHERE, MessageBatch, assign, batches, discover
from bot.core.types import OUT_OF_SCOPE
from bot.store.topic_store import TopicMessage
from bot.training import datasets
from bot.training.datasets import Example
from careline_benchmarks.harness import Benchmark, BenchmarkContext, BenchmarkReport, at_least
from knowledge_base.encoders.base_models import Vectors

_NEW: Final = 30  # new subjects, one at a time
_AROUND: Final = 1000  # messages about everything else
_FIRST: Final = 20  # messages about the new subject before the discovery
_RIGHT: Final = 0.8  # share of a topic's messages about the subject, for it to be that topic


def _subjects(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Group callers' first messages, and compare the topics with their annotated intents."""
    rows = datasets.read_examples(setting.file("intents", "natcs", "insurance.csv"), held_back=True)
    (batch,) = batches(_topic_messages(rows), _encoder(setting))
    topics = discover(batch, np.ones(len(batch.messages), dtype=np.bool_), _encoder(setting))
    placed = assign(batch, topics)
    true = np.array([message.intent for message in batch.messages])
    inside = placed != NOWHERE
    purity = _purity(placed[inside], true[inside])
    result.figures["natcs"] = {
        "messages": len(true),
        "intents": len(set(true.tolist())),
        "topics": len(topics),
        "in_a_topic": round(float(inside.mean()), 4),
        "purity": round(purity, 4),
        "largest_intent": round(max(Counter(true.tolist()).values()) / len(true), 4),
    }
    result.bars += [
        at_least("topics: messages whose topic is mostly of their intent", purity, 0.6),
        at_least("topics: messages that belong to a topic", float(inside.mean()), 0.5),
    ]


def _topic_messages(rows: Sequence[Example]) -> list[TopicMessage]:
    return [
        TopicMessage(f"m{n}", f"c{n}", row.text, "en", row.intent) for n, row in enumerate(rows)
    ]


def _encoder(setting: BenchmarkContext) -> Encode:
    """Return the encoder; if planted, one with random vectors."""
    encoder = setting.home.encoder()

    def spoilt(texts: Sequence[str]) -> Vectors:
        rows = np.random.default_rng(0).normal(size=(len(texts), encoder.dimension))
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        return np.asarray(rows, dtype=np.float32)

    return spoilt if setting.planted else encoder.queries


def _purity(placed: NDArray[np.int64], true: NDArray[Any]) -> float:
    """Return the share of messages that have the most frequent intent of their topic."""
    most = [max(Counter(true[placed == n].tolist()).values()) for n in set(placed.tolist())]
    return sum(most) / max(len(placed), 1)


def _news(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Let one intent after another be the new subject among messages about all others."""
    rows = datasets.read_examples(setting.file("intents", "clinc150", "test.csv"), held_back=True)
    rows = [row for row in rows if row.intent != OUT_OF_SCOPE]
    intents = sorted({row.intent for row in rows})
    rng = np.random.default_rng(5)
    new = rng.choice(len(intents), size=min(_NEW, len(intents)), replace=False)
    (batch,) = batches(_topic_messages(rows), _encoder(setting))
    discovered: list[bool] = []
    joined: list[float] = []
    strangers: list[float] = []
    for number in new.tolist():
        about = np.array([message.intent == intents[number] for message in batch.messages])
        ours, rest = (rng.permutation(np.flatnonzero(mask)) for mask in (about, ~about))
        first, later = ours[:_FIRST], ours[_FIRST:]
        around, after = rest[:_AROUND], rest[_AROUND:]
        # Existing topics are discovered before the new subject comes up.
        usual = _only(batch, around)
        existing = discover(usual, np.ones(len(usual.messages), dtype=np.bool_), _encoder(setting))
        here = _only(batch, np.concatenate([first, around]))
        free = assign(here, existing) == NOWHERE
        topics = [*existing, *discover(here, free, _encoder(setting))]
        placed = assign(here, topics)
        mine = Counter(placed[: len(first)].tolist())
        mine.pop(NOWHERE, None)
        best, count = max(mine.items(), key=lambda item: item[1], default=(NOWHERE, 0))
        discovered.append(count >= max(5, _RIGHT * (placed == best).sum()))
        for joins, places in ((joined, later), (strangers, after)):
            if discovered[-1] and len(places):
                joins.append(float((assign(_only(batch, places), topics) == best).mean()))
    share = float(np.mean(discovered))
    result.figures["clinc150"] = {
        "new_subjects": len(discovered),
        "found": round(share, 4),
        "later_messages_that_join": round(float(np.mean(joined or [0.0])), 4),
        "other_messages_that_join": round(float(np.mean(strangers or [1.0])), 4),
    }
    result.bars.append(
        at_least("topics: new subjects noticed at 20 messages in 1,000", share, 0.85)
    )


def _only(batch: MessageBatch, places: NDArray[np.int64]) -> MessageBatch:
    """Return some messages of a batch."""
    texts, text_of = np.unique(batch.text_of[places], return_inverse=True)
    return MessageBatch(
        batch.language,
        [batch.messages[n] for n in places.tolist()],
        [batch.texts[n] for n in texts.tolist()],
        batch.rows[texts],
        text_of,
    )


BENCHMARK: Final = Benchmark({"subjects": _subjects, "news": _news})

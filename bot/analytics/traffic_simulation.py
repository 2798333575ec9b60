"""Simulated traffic with seasons, growth, moods and a surge. All of it is invented.

The texts are the home's own labelled examples, and, on the last days, complaints without a fitting
intent; all random choices come from one seed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from bot.core.types import (
    OUT_OF_SCOPE,
    CarelineError,
    Citation,
    Decision,
    Message,
    Reply,
    Route,
    ServingVersions,
    Turn,
    Understanding,
    now,
)
from bot.store.synthetic_conversations import SyntheticConversation, SyntheticOffer
from bot.training import datasets

if TYPE_CHECKING:
    from knowledge_base.retrieval.search import KnowledgeBase

SENDER: Final = "synthetic-"
_WEEKDAY_FACTORS: Final = (1.15, 1.1, 1.05, 1.0, 1.1, 0.8, 0.6)  # Monday first
_HOUR_WEIGHTS: Final = np.array(
    [1, 1, 1, 1, 1, 2, 3, 5, 8, 10, 11, 10, 9, 10, 10, 9, 9, 8, 8, 9, 9, 7, 4, 2]
)
_CHANNELS: Final = (("widget", 0.7), ("email", 0.2), ("api", 0.1))
_SURGE: Final = (6, 3)  # how many days ago the surge begins, and how many days it lasts
NEW_DAYS: Final = 4  # days with the unforeseen complaints
_UNFORESEEN: Final = (0.12, 0.7)  # their share of all messages, and the share of upset customers
UNFORESEEN: Final = {
    "en": (
        "There are ants in my parcel", "the whole box is full of ants",
        "Why are there ants in my package?", "ants crawled out of the parcel",
        "I opened the box and ants came out", "my order arrived with live ants in it",
        "ants everywhere in the packaging", "The parcel you sent is crawling with ants",
        "Found dozens of ants between the paper in the box", "second parcel with ants in it",
        "Live insects in my parcel, ants I think", "do you know that your boxes have ants?",
    ),
    "zh": (
        "我的包裹里有蚂蚁", "整个箱子里都是蚂蚁", "为什么快递里会有蚂蚁？", "包裹里爬出来好多蚂蚁",
        "打开箱子全是活蚂蚁", "收到的包裹里有很多蚂蚁", "包装里到处是蚂蚁",
        "你们寄来的包裹爬满了蚂蚁", "箱子的纸里有几十只蚂蚁", "这是第二个有蚂蚁的包裹了",
        "包裹里有虫子，好像是蚂蚁", "你们知道箱子里有蚂蚁吗",
    ),
}  # fmt: skip
_MAX_DURATION: Final = timedelta(minutes=15)  # of a conversation
_TURN_SHARES: Final = (0.45, 0.3, 0.15, 0.1)
_ROUTES: Final[tuple[tuple[Route, str, float], ...]] = (
    (Route.TEMPLATE, "intent", 0.3),
    (Route.RETRIEVE, "intent", 0.4),
    (Route.CLARIFY, "unsure", 0.1),
    (Route.ACT, "intent", 0.12),
    (Route.HANDOFF, "no_evidence", 0.08),
)


@dataclass(frozen=True)
class TrafficSource:
    """The texts and articles that a simulation uses."""

    texts: dict[str, dict[str, list[str]]]  # language → intent → texts
    articles: tuple[tuple[str, str, str], ...]  # id, title, the beginning of its text
    versions: ServingVersions


def read_source(
    dialogs: Path, knowledge: "KnowledgeBase | None", served_by: ServingVersions
) -> TrafficSource:
    """Read customers' questions from labelled texts, and the articles for the answers.

    Raises:
        CarelineError: The folder holds no labelled texts.
    """
    from bot.nlu.language import detect

    texts: dict[str, dict[str, list[str]]] = {"en": {}, "zh": {}}
    files = datasets.training_files(dialogs) if dialogs.is_dir() else []
    for example in datasets.read_all_examples(files) if files else ():
        language = "zh" if detect(example.text) == "zh" else "en"
        if example.intent != OUT_OF_SCOPE:
            texts[language].setdefault(example.intent, []).append(example.text)
    if not any(texts.values()):
        message = f"there are no labelled texts in {dialogs}: traffic is simulated from those"
        raise CarelineError(message)
    documents = knowledge.documents.values() if knowledge else ()
    articles = tuple((d.id, d.title, d.text[:160]) for d in documents)
    return TrafficSource(texts, articles, served_by)


def simulate_traffic(
    source: TrafficSource, days: int, per_day: float, seed: int = 0, until: datetime | None = None
) -> Iterator[SyntheticConversation]:
    """Yield the conversations of the days before `until`, oldest first.

    Those of the last day are spread over the part of it that has passed, so that none is in the
    future.
    """
    rng = np.random.default_rng(seed)
    end = until or now()
    last = end.date()
    midnight = datetime.combine(last, time(), UTC)
    passed = max((end - midnight - _MAX_DURATION) / timedelta(days=1), 0.0)
    languages = [language for language, intents in source.texts.items() if intents]
    names = sorted({name for intents in source.texts.values() for name in intents})
    popular = rng.gamma(0.6, 1.0, len(names)) + 0.05
    upset = rng.beta(1.5, 9.0, len(names))
    surging = int(popular.argmax())
    # The unforeseen is the last intent: it has texts, but no weight on most days.
    names.append(OUT_OF_SCOPE)
    popular, upset = np.append(popular, 0.0), np.append(upset, _UNFORESEEN[1])
    texts = {
        language: {**source.texts[language], OUT_OF_SCOPE: list(UNFORESEEN[language])}
        for language in languages
    }
    source = replace(source, texts=texts)
    for ago in range(days - 1, -1, -1):
        day = last - timedelta(days=ago)
        level = per_day * _WEEKDAY_FACTORS[day.weekday()] * (1.0 + 0.25 * (days - ago) / days)
        is_surge = _SURGE[0] - _SURGE[1] < ago <= _SURGE[0]
        weights, moods = popular.copy(), upset.copy()
        if is_surge:  # more of one question, and most of it angry
            weights[surging] *= 2.0
            moods[surging] = 0.75
        if ago < NEW_DAYS:
            weights[-1] = _UNFORESEEN[0] / (1.0 - _UNFORESEEN[0]) * weights.sum()
        weights /= weights.sum()
        count = int(rng.poisson(rng.gamma(25.0, level / 25.0)))
        hours = np.sort(rng.choice(24, count, p=_HOUR_WEIGHTS / _HOUR_WEIGHTS.sum()))
        for hour in hours.tolist():
            offset = timedelta(hours=hour, seconds=int(rng.integers(3600)))
            at = datetime.combine(day, time(), UTC) + (offset if ago else offset * passed)
            language = languages[0] if len(languages) == 1 or _happens(rng, 0.75) else "zh"
            yield _conversation(source, rng, at, language, _TopicShares(names, weights, moods))


class _TopicShares(NamedTuple):
    """The topics of a day: their weights, and the shares of unhappy customers."""

    names: Sequence[str]
    weights: np.ndarray[tuple[int], np.dtype[np.float64]]
    unhappy: np.ndarray[tuple[int], np.dtype[np.float64]]


class _Customer(NamedTuple):
    conversation: str
    sender: str | None
    channel: str
    language: str
    unhappy: bool


def _conversation(
    source: TrafficSource,
    rng: np.random.Generator,
    at: datetime,
    language: str,
    topics: _TopicShares,
) -> SyntheticConversation:
    identifier = f"synthetic-{rng.bytes(12).hex()}"
    sender = f"{SENDER}{int(rng.zipf(1.6)) % 5000}" if _happens(rng, 0.4) else None
    channel = _pick(rng, _CHANNELS)
    names = topics.names
    available = [name for name in names if source.texts[language].get(name)]
    chances = np.array([topics.weights[names.index(name)] for name in available])
    topic = available[int(rng.choice(len(available), p=chances / chances.sum()))]
    unhappy = bool(rng.random() < topics.unhappy[names.index(topic)])
    customer = _Customer(identifier, sender, channel, language, unhappy)
    turns, ratings = list[Turn](), list[str | None]()
    for number in range(1 + int(rng.choice(len(_TURN_SHARES), p=_TURN_SHARES))):
        if number and _happens(rng, 0.3):
            topic = available[int(rng.choice(len(available), p=chances / chances.sum()))]
        text = str(rng.choice(source.texts[language][topic]))
        turns.append(_turn(source, rng, customer, at, topic, text))
        liked = rng.random() > (0.75 if unhappy else 0.2)
        ratings.append(("up" if liked else "down") if _happens(rng, 0.12) else None)
        at += timedelta(seconds=int(rng.integers(20, 240)))
        if turns[-1].decision.route is Route.HANDOFF:
            break
    handed_off = turns[-1].decision.route is Route.HANDOFF
    score = int(np.clip(round(rng.normal(2.2 if unhappy else 4.3, 0.9)), 1, 5))
    return SyntheticConversation(
        identifier,
        sender,
        channel,
        language,
        turns,
        ratings,
        score if _happens(rng, 0.15) else None,
        [_offer(rng, at) for _ in range(int(rng.integers(1, 4)))] if handed_off else [],
    )


def _offer(rng: np.random.Generator, at: datetime) -> SyntheticOffer:
    if _happens(rng, 0.4):
        return SyntheticOffer(at, None, None)
    kind = _pick(rng, (("past", 0.5), ("template", 0.3), ("passage", 0.2)))
    return SyntheticOffer(
        at, kind, 0.0 if _happens(rng, 0.4) else round(float(rng.beta(1.5, 5.0)), 3)
    )


def _happens(rng: np.random.Generator, share: float) -> bool:
    return bool(rng.random() < share)


def _pick(rng: np.random.Generator, choices: Sequence[tuple[str, float]]) -> str:
    return choices[int(rng.choice(len(choices), p=[share for _, share in choices]))][0]


def _turn(
    source: TrafficSource,
    rng: np.random.Generator,
    customer: _Customer,
    at: datetime,
    topic: str,
    text: str,
) -> Turn:
    identifier, sender, channel, language, unhappy = customer
    place = int(rng.choice(len(_ROUTES), p=[share for *_, share in _ROUTES]))
    route, reason, _ = _ROUTES[place]
    if unhappy and _happens(rng, 0.3):
        route, reason = Route.HANDOFF, "repeated_failure"
    sentiment = "negative" if unhappy else ("positive" if _happens(rng, 0.15) else "neutral")
    cited: tuple[Citation, ...] = ()
    if route is Route.RETRIEVE and source.articles:
        # The same few articles answer most of a topic's questions.
        number = (hash_of(topic) + int(rng.zipf(2.2)) - 1) % len(source.articles)
        article, title, quote = source.articles[number]
        cited = (Citation(article, title, quote, 0, len(quote)),)
    first = float(rng.lognormal(4.6, 0.5))
    return Turn(
        message=Message(text, identifier, sender, channel, id=rng.bytes(16).hex(), at=at),
        understanding=Understanding(
            language, sentiment, "anger" if unhappy else "calm", topic, float(rng.beta(8.0, 2.0))
        ),
        decision=Decision(route, reason, intent=topic),
        reply=Reply(cited[0].quote if cited else "(made up)", cited),
        versions=source.versions,
        timings_ms=(("first_token", first), ("total", first + float(rng.lognormal(4.8, 0.6)))),
        reply_id=rng.bytes(16).hex(),
    )


def hash_of(name: str) -> int:
    """Return a number that is the same for a name in every run."""
    import zlib

    return zlib.crc32(name.encode())

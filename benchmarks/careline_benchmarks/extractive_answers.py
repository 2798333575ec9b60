"""`careline bench extracts`: length, citations and correctness of extractive answers."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from bot.core.types import Citation, Reply
from bot.generation.answer_extraction import extract
from bot.generation.answerers import ExtractiveAnswerer
from careline_benchmarks import search
from careline_benchmarks.harness import (
    Benchmark,
    BenchmarkContext,
    BenchmarkReport,
    at_least,
    at_most,
)
from knowledge_base.documents import SearchHit
from knowledge_base.retrieval.search import KnowledgeBase
from knowledge_base.sources import loader

_QUESTIONS: Final = {"feedbackqa_who": 183, "feedbackqa_australia": 330, "cmrc_zh_a": 200}
_TEST: Final = {"cmrc_zh_a": "queries"}  # sites without a test file use their last queries
_PASSAGES: Final = 4  # as many as the assistant uses
_NEAR: Final = 0.6  # share of the best score, for passages to answer from
_DEEP: Final = 50  # passages searched for those of the right article
_QUOTE: Final = (2, 150)  # maximum sentences and characters of a short quote
_HAN = re.compile(r"[\u3400-\u9fff]")
_FACTS = re.compile(
    r"https?://[!-~]+|[\w.+%-]+@[\w.-]+\.\w+|\d+(?:[.,:/-]\d+)*|"
    r"\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b|星期[一二三四五六日天]|"
    r"\b(?:January|February|March|April|June|July|August|September|October|November|December)\b"
)
_SENTENCE_END = re.compile(r"(?<=[。！？!?])(?![”」』）)])")


@dataclass(frozen=True)
class AnnotatedQuestion:
    """A question, the article that answers it, and the text of the answer if it is known."""

    text: str
    article: str
    answers: tuple[str, ...] = ()


def questions(setting: BenchmarkContext, name: str) -> list[AnnotatedQuestion]:
    """Return the questions of a site that were not used for tuning."""
    file = setting.file("retrieval", name, f"{_TEST.get(name, 'queries_test')}.jsonl")
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [
        AnnotatedQuestion(row["query"], str(row["relevant"][0]), tuple(row.get("answers", ())))
        for row in rows[-_QUESTIONS[name] :]
        if row["query"].strip()
    ]


def _knowledge(setting: BenchmarkContext, name: str) -> KnowledgeBase:
    articles = setting.file("retrieval", name, "articles.jsonl")
    return search.build(
        setting, name, loader.load([articles]), setting.home.indexing_encoders()
    ).knowledge


def compose(composer: ExtractiveAnswerer, question: str, hits: Sequence[SearchHit]) -> Reply:
    """Return the reply that a composer streams."""
    stream = composer.stream(question, hits, hits[0].chunk.language or "en")
    try:
        while True:
            next(stream)
    except StopIteration as stop:
        reply: Reply = stop.value
        return reply


def _replies(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Ask through the real search and composer; check every quote, number and length."""
    composer = ExtractiveAnswerer(setting.home.encoder())
    wrong = unfounded = count = 0
    words: list[int] = []
    characters: list[int] = []
    for name in _QUESTIONS:
        knowledge = _knowledge(setting, name)
        for question in questions(setting, name):
            hits = knowledge.search(question.text, _PASSAGES)
            if not hits:
                continue
            near = [hit for hit in hits if hit.score >= _NEAR * hits[0].score]
            reply = compose(composer, question.text, near)
            reply = _spoil(reply) if setting.planted else reply
            count += 1
            wrong += sum(not _is_exact(knowledge, citation) for citation in reply.citations)
            wrong += not reply.citations
            unfounded += len(list(_unfounded(reply)))
            if _HAN.search(reply.text):
                characters.append(len(_HAN.findall(reply.text)))
            else:
                words.append(len(reply.text.split()))
    result.figures["replies"] = {
        "n": count,
        "words": _quartiles(words),
        "characters": _quartiles(characters),
    }
    result.bars += [
        at_most("extracts: quotes that do not stand in their article", wrong, 0),
        at_most("extracts: numbers, dates and links that no quote holds", unfounded, 0),
        at_most("extracts: median words of English replies", _median(words), 60),
        at_most("extracts: median characters of Chinese replies", _median(characters), 150),
    ]


def _spoil(reply: Reply) -> Reply:
    """Return a reply that has more than its quotes, with wrong offsets."""
    moved = tuple(replace(citation, start=citation.start + 1) for citation in reply.citations)
    return replace(reply, text=f"{reply.text} 987654", citations=moved)


def _is_exact(knowledge: KnowledgeBase, citation: Citation) -> bool:
    article = knowledge.article(citation.article)
    return article is not None and article.text[citation.start : citation.end] == citation.quote


def _unfounded(reply: Reply) -> Iterator[str]:
    """Yield the numbers, dates and links of a reply that are in none of its quotes."""
    quotes = re.sub(r"\s+", " ", " ".join(citation.quote for citation in reply.citations))
    for fact in _FACTS.findall(reply.text):
        if fact.rstrip(".,;:!?)") not in quotes:
            yield fact


def _quartiles(lengths: Sequence[int]) -> list[float]:
    return [float(value) for value in np.percentile(lengths, [25, 50, 75])] if lengths else []


def _median(lengths: Sequence[int]) -> float:
    return float(np.median(lengths)) if lengths else 0.0


def _answers(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Given the right article, look for the known answer in one short quote."""
    knowledge = _knowledge(setting, "cmrc_zh_a")
    encoder = setting.home.encoder()
    annotated = [question for question in questions(setting, "cmrc_zh_a") if question.answers]
    # The planted failure expects the answers of other questions.
    half = len(annotated) // 2
    expected = annotated[half:] + annotated[:half] if setting.planted else annotated
    correct = []
    for question, other in zip(annotated, expected, strict=True):
        hits = [
            hit
            for hit in knowledge.search(question.text, _DEEP)
            if hit.chunk.article == question.article
        ]
        reply = extract(question.text, hits[:_PASSAGES], encoder) if hits else Reply("")
        quotes = [citation.quote for citation in reply.citations if _is_short(citation.quote)]
        correct.append(any(answer in quote for answer in other.answers for quote in quotes))
    result.figures["answers"] = {"n": len(correct)}
    share = float(np.mean(correct)) if correct else 0.0
    result.bars.append(at_least("extracts: CMRC answers within one short quote", share, 0.76))


def _is_short(quote: str) -> bool:
    sentences, characters = _QUOTE
    parts = [part for part in _SENTENCE_END.split(quote) if part.strip()]
    return len(parts) <= sentences and len(quote) <= characters


BENCHMARK: Final = Benchmark({"extracts-replies": _replies, "extracts-answers": _answers})

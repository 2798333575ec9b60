"""Answerers: from a question and its passages to a streamed reply with citations."""

import logging
import re
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from bot.core.types import Citation, GenerationRecord, Reply, Usage
from bot.generation import prompts
from bot.generation.answer_extraction import SentenceEncoder, extract, score
from bot.generation.language_models import Chat, EngineError, Seconds, TextGenerator, Writing
from bot.generation.prompts import Prompt
from bot.generation.statements import PassageStatement
from bot.generation.streaming import pieces
from bot.generation.verification import SupportCheck, SupportVerdict, has_claim
from bot.generation.verification.verdicts import SupportIssue
from knowledge_base.chunking import sentences
from knowledge_base.documents import SearchHit

Stream = Generator[str, None, Reply]
Cancelled = Callable[[], bool]

_logger = logging.getLogger(__name__)
_UNKNOWN_USAGE: Final = Usage(0, 0, reported=False)
_MAX_STATEMENTS: Final = 8  # in the prompt
_MIN_SHARE: Final = 0.3  # of the best score, for each of them
_MILLION: Final = 1_000_000
_FIGURES: Final = frozenset(
    {SupportIssue.NUMBER, SupportIssue.DATE, SupportIssue.MONEY, SupportIssue.UNIT}
)
_HAN = re.compile(r"[\u3400-\u9fff]")
_LATIN = re.compile(r"[A-Za-z]{2,}")
_MAX_NAMES: Final = 2  # Latin words that a Chinese sentence without Han characters may have


class ExtractiveAnswerer:
    """Answers with sentences of the passages only."""

    def __init__(self, encoder: SentenceEncoder | None) -> None:
        """Set the encoder that ranks sentences; without one, they are ranked by words."""
        self.encoder = encoder

    def stream(
        self,
        question: str,
        hits: Sequence[SearchHit],
        language: str,
        is_cancelled: Cancelled = bool,
        /,
    ) -> Stream:
        """Yield the reply in pieces, then return the whole reply."""
        del language, is_cancelled  # the extract is in the passage's language, and fast
        reply = extract(question, hits, self.encoder)
        yield from pieces(reply.text)
        return reply


@dataclass(frozen=True)
class TokenPrices:
    """The price of a million tokens, in any currency."""

    prompt: float = 0.0
    completion: float = 0.0

    def of(self, usage: Usage) -> float | None:
        """Return the cost; None if there are no prices."""
        if not (self.prompt or self.completion):
            return None
        cost = usage.prompt_tokens * self.prompt + usage.completion_tokens * self.completion
        return cost / _MILLION


class LlmAnswerer:
    """Answers with the sentences of a language model, as far as the passages support them.

    A sentence is sent only after it is verified, with a citation of its source. The first one that
    fails ends the reply. If none passes, or if the engine is down or slow, the extractive answer is
    given instead.
    """

    def __init__(
        self,
        generator: TextGenerator,
        extractive: ExtractiveAnswerer,
        prompt: Prompt,
        *,
        seconds: Seconds = 20.0,
        prices: TokenPrices = TokenPrices(),
    ) -> None:
        """Set the model, the fallback, the prompt, and the time limit of an answer."""
        self._generator = generator
        self._extractive = extractive
        self._check = SupportCheck(extractive.encoder)
        self._prompt = prompt
        self._seconds = seconds
        self._prices = prices

    def stream(
        self,
        question: str,
        hits: Sequence[SearchHit],
        language: str,
        is_cancelled: Cancelled = bool,
        /,
    ) -> Stream:
        """Yield verified sentences as they are completed, then return the reply.

        If `is_cancelled()` is true, the model is stopped and the reply ends there.
        """
        statements = _select_statements(question, hits, self._extractive.encoder)
        chat = self._prompt.fill(question, _format_statements(statements), language)
        draft = _Draft(self._check, hits, statements, language)
        writing = _UsageCounter(self._generator, chat, self._seconds)
        try:
            for sentence in _whole_sentences(iter(writing)):
                piece = draft.add(sentence)
                if is_cancelled():
                    draft.fell_back = "gone"
                if piece:
                    yield piece
                if draft.fell_back:
                    break
        except EngineError as error:
            _logger.warning("%s", error)
            draft.fell_back = "engine"
        finally:
            writing.close()
        record = GenerationRecord(
            self._generator.name,
            prompts.digest(chat),
            writing.usage,
            draft.fell_back or (None if draft.text else "silent"),
            self._prices.of(writing.usage),
        )
        if draft.text:
            return Reply(draft.text, tuple(draft.citations), (), (), "generated", (record,))
        reply = yield from self._extractive.stream(question, hits, language)
        return replace(reply, written=(record,))


class _UsageCounter:
    """A generator's output, with the tokens used, even if it is interrupted."""

    def __init__(self, generator: TextGenerator, chat: Chat, seconds: Seconds) -> None:
        self.usage = _UNKNOWN_USAGE
        self._pieces = 0
        self._stream: Writing = generator.stream(chat, within=seconds)

    def __iter__(self) -> Iterator[str]:
        while True:
            try:
                piece = next(self._stream)
            except StopIteration as stop:
                self.usage = stop.value or _UNKNOWN_USAGE
                return
            self._pieces += 1  # a piece is about a token: the best estimate if it is interrupted
            self.usage = Usage(0, self._pieces, reported=False)
            yield piece

    def close(self) -> None:
        self._stream.close()


class _Draft:
    """The verified text of a reply so far, and its citations."""

    def __init__(
        self,
        check: SupportCheck,
        hits: Sequence[SearchHit],
        statements: Sequence[PassageStatement],
        language: str,
    ) -> None:
        self.text = ""
        self.citations: list[Citation] = []
        self.fell_back: str | None = None
        self._check = check
        self._hits = hits
        self._statements = statements
        self._language = language
        self._passages = [hit.chunk.text for hit in hits]

    def add(self, sentence: str) -> str:
        """Return the text to send for a sentence; empty if it states nothing or has no support."""
        if not has_claim(sentence):
            return ""
        if not _is_in(sentence, self._language):
            self.fell_back = "language"
            return ""
        verdict = self._check.check(sentence, self._passages)
        if not verdict.supported or verdict.passage is None:
            self.fell_back = f"unsupported: {', '.join(verdict.flaws) or 'meaning'}"
            return ""
        if not self._answers(verdict):
            self.fell_back = "beside the question"
            return ""
        citation = self._cite(verdict)
        # A sentence may combine figures of two passages; its citation must contain them all.
        alone = self._check.check(sentence, [citation.quote])
        if mixed := [flaw for flaw in alone.flaws if flaw in _FIGURES]:
            self.fell_back = f"unsupported: {', '.join(mixed)}"
            return ""
        if citation not in self.citations:
            self.citations.append(citation)
        piece = f" {sentence}" if self.text and sentence[0].isascii() else sentence
        self.text += piece
        return piece

    def _answers(self, verdict: SupportVerdict) -> bool:
        """Return whether the source of a sentence is in the prompt, and not just nearby."""
        start, end = verdict.start or 0, verdict.end or 0
        return any(
            source.rank == verdict.passage and source.start < end and start < source.end
            for source in self._statements
        )

    def _cite(self, verdict: SupportVerdict) -> Citation:
        chunk = self._hits[verdict.passage or 0].chunk
        start, end = verdict.start or 0, verdict.end or len(chunk.text)
        return Citation(
            article=chunk.article,
            title=chunk.title,
            quote=chunk.text[start:end],
            start=chunk.start + start,
            end=chunk.start + end,
            url=chunk.url,
        )


def _select_statements(
    question: str, hits: Sequence[SearchHit], encoder: SentenceEncoder | None
) -> list[PassageStatement]:
    """Return the statements that may answer, in the order of the passages.

    The rest is left out of the prompt: it costs time, and may contain injected instructions.
    """
    scored = score(question, hits, encoder)
    best = scored.order[:_MAX_STATEMENTS]
    least = _MIN_SHARE * float(scored.scores[best[0]]) if best else 0.0
    return [scored.statements[n] for n in sorted(best) if scored.scores[n] >= least]


def _format_statements(statements: Sequence[PassageStatement]) -> str:
    """Return statements as text for the prompt, under the headings of their passages."""
    texts: dict[str, list[str]] = {}
    for statement in statements:
        line = f"{statement.lead_text} {statement.text}".strip()
        texts.setdefault(statement.chunk.heading, []).append(line)
    return "\n\n".join("\n".join([heading, *lines]) for heading, lines in texts.items())


def _is_in(sentence: str, language: str) -> bool:
    """Return whether a sentence is in the customer's language; numbers and names fit both."""
    han, latin = len(_HAN.findall(sentence)), len(_LATIN.findall(sentence))
    return han > 0 or latin <= _MAX_NAMES if language == "zh" else han == 0


def _whole_sentences(stream: Iterator[str]) -> Iterator[str]:
    """Yield each sentence of a stream as soon as the next one begins, and the last at the end."""
    text = ""
    for piece in stream:
        text += piece
        spans = list(sentences(text))
        for start, end in spans[:-1]:
            yield text[start:end]
        if len(spans) > 1:
            text = text[spans[-1][0] :]
    if text.strip():
        yield text.strip()

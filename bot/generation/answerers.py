"""Composers: passages in, a streamed and cited reply out."""

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
from bot.generation.verification import SupportCheck, SupportVerdict, states_something
from bot.generation.verification.verdicts import SupportIssue
from knowledge_base.chunking import sentences
from knowledge_base.documents import SearchHit

Stream = Generator[str, None, Reply]
Gone = Callable[[], bool]

_logger = logging.getLogger(__name__)
_NOTHING: Final = Usage(0, 0, reported=False)
_STATEMENTS: Final = 8  # that a model is given
_NEAR: Final = 0.3  # what each of them must score of the best one
_MILLION: Final = 1_000_000
_FIGURES: Final = frozenset(
    {SupportIssue.NUMBER, SupportIssue.DATE, SupportIssue.MONEY, SupportIssue.UNIT}
)
_HAN = re.compile(r"[\u3400-\u9fff]")
_LATIN = re.compile(r"[A-Za-z]{2,}")
_NAMES: Final = 2  # words in Latin letters that a Chinese sentence may consist of


class ExtractiveAnswerer:
    """Says only sentences that stand in the passages."""

    def __init__(self, encoder: SentenceEncoder | None) -> None:
        """Take the encoder that ranks sentences; without one, words decide."""
        self.encoder = encoder

    def stream(
        self, question: str, hits: Sequence[SearchHit], language: str, gone: Gone = bool, /
    ) -> Stream:
        """Yield the reply in pieces, then return it whole."""
        del language, gone  # the extract is in the passage's language, and quick
        reply = extract(question, hits, self.encoder)
        yield from pieces(reply.text)
        return reply


@dataclass(frozen=True)
class TokenPrices:
    """What a million tokens cost, in any one currency."""

    prompt: float = 0.0
    completion: float = 0.0

    def of(self, usage: Usage) -> float | None:
        """Return the cost; None where nothing is charged."""
        if not (self.prompt or self.completion):
            return None
        cost = usage.prompt_tokens * self.prompt + usage.completion_tokens * self.completion
        return cost / _MILLION


class LlmAnswerer:
    """Says what a language model writes, sentence by sentence, as far as the passages support it.

    A sentence leaves only after it passed the check, with a citation of what it stands on. The
    first one that fails ends the reply; when none passed, the extract is said instead, and so it
    is when the engine is down, or slow.
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
        """Take the model, what to fall back to, the prompt, and how long an answer may take."""
        self._generator = generator
        self._extractive = extractive
        self._check = SupportCheck(extractive.encoder)
        self._prompt = prompt
        self._seconds = seconds
        self._prices = prices

    def stream(
        self, question: str, hits: Sequence[SearchHit], language: str, gone: Gone = bool, /
    ) -> Stream:
        """Yield checked sentences as they are complete, then return the reply.

        When the customer is `gone`, the model is stopped and the reply ends with what was said.
        """
        about = _about(question, hits, self._extractive.encoder)
        chat = self._prompt.fill(question, _listed(about), language)
        draft = _Draft(self._check, hits, about, language)
        writing = _Listening(self._generator, chat, self._seconds)
        try:
            for sentence in _whole_sentences(iter(writing)):
                piece = draft.take(sentence)
                if gone():
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
        written = GenerationRecord(
            self._generator.name,
            prompts.digest(chat),
            writing.usage,
            draft.fell_back or (None if draft.said else "silent"),
            self._prices.of(writing.usage),
        )
        if draft.said:
            return Reply(draft.said, tuple(draft.citations), (), (), "generated", (written,))
        reply = yield from self._extractive.stream(question, hits, language)
        return replace(reply, written=(written,))


class _Listening:
    """A generator's words as they come, and the tokens they took however it ended."""

    def __init__(self, generator: TextGenerator, chat: Chat, seconds: Seconds) -> None:
        self.usage = _NOTHING
        self._heard = 0
        self._stream: Writing = generator.stream(chat, within=seconds)

    def __iter__(self) -> Iterator[str]:
        while True:
            try:
                piece = next(self._stream)
            except StopIteration as stop:
                self.usage = stop.value or _NOTHING
                return
            self._heard += 1  # a piece is about a token: all that is known when it is cut off
            self.usage = Usage(0, self._heard, reported=False)
            yield piece

    def close(self) -> None:
        self._stream.close()


class _Draft:
    """What was said so far and what it stands on."""

    def __init__(
        self,
        check: SupportCheck,
        hits: Sequence[SearchHit],
        about: Sequence[PassageStatement],
        language: str,
    ) -> None:
        self.said = ""
        self.citations: list[Citation] = []
        self.fell_back: str | None = None
        self._check = check
        self._hits = hits
        self._about = about
        self._language = language
        self._passages = [hit.chunk.text for hit in hits]

    def take(self, sentence: str) -> str:
        """Return what to say of a sentence; nothing when it says nothing or must not be said."""
        if not states_something(sentence):
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
        # Figures of two passages may have met in one sentence; the customer checks in the quote.
        alone = self._check.check(sentence, [citation.quote])
        if mixed := [flaw for flaw in alone.flaws if flaw in _FIGURES]:
            self.fell_back = f"unsupported: {', '.join(mixed)}"
            return ""
        if citation not in self.citations:
            self.citations.append(citation)
        piece = f" {sentence}" if self.said and sentence[0].isascii() else sentence
        self.said += piece
        return piece

    def _answers(self, verdict: SupportVerdict) -> bool:
        """Tell whether a sentence stands on what the model was given, not on what lies around."""
        start, end = verdict.start or 0, verdict.end or 0
        return any(
            said.rank == verdict.passage and said.start < end and start < said.end
            for said in self._about
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


def _about(
    question: str, hits: Sequence[SearchHit], encoder: SentenceEncoder | None
) -> list[PassageStatement]:
    """Return the statements that come near to answering, in the order of the passages.

    The rest is kept from the model: it costs time, and what is planted there is not read.
    """
    scored = score(question, hits, encoder)
    best = scored.order[:_STATEMENTS]
    least = _NEAR * float(scored.scores[best[0]]) if best else 0.0
    return [scored.statements[n] for n in sorted(best) if scored.scores[n] >= least]


def _listed(about: Sequence[PassageStatement]) -> str:
    """Return statements as the model reads them, under the headings of their passages."""
    texts: dict[str, list[str]] = {}
    for said in about:
        texts.setdefault(said.chunk.heading, []).append(f"{said.lead_text} {said.text}".strip())
    return "\n\n".join("\n".join([heading, *lines]) for heading, lines in texts.items())


def _is_in(sentence: str, language: str) -> bool:
    """Tell whether a sentence is in the customer's language; numbers and names fit both."""
    han, latin = len(_HAN.findall(sentence)), len(_LATIN.findall(sentence))
    return han > 0 or latin <= _NAMES if language == "zh" else han == 0


def _whole_sentences(stream: Iterator[str]) -> Iterator[str]:
    """Yield each sentence of a stream once the next one has begun, and the last at the end."""
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

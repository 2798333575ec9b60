"""Composers: passages in, a streamed and cited reply out."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from bot.generation import grounding
from bot.generation.grounding import SentenceEncoder
from bot.types import Reply
from knowledge_base.chunking import sentences
from knowledge_base.documents import Hit

Stream = Generator[str, None, Reply]


class TextGenerator(Protocol):
    """A language model that writes on, piece by piece, until it is closed or done."""

    def stream(self, messages: Sequence[dict[str, str]], /) -> Iterator[str]:
        """Yield pieces of the answer to chat messages."""


class ExtractiveComposer:
    """Says only sentences that stand in the passages."""

    def __init__(self, encoder: SentenceEncoder | None) -> None:
        """Take the encoder that ranks sentences; without one, words decide."""
        self._encoder = encoder

    def stream(self, question: str, hits: Sequence[Hit], language: str) -> Stream:
        """Yield the reply in pieces, then return it whole."""
        del language  # the extract is in the passage's language
        reply = grounding.extract(question, hits, self._encoder)
        yield from grounding.pieces(reply.text)
        return reply


class GeneratedComposer:
    """Says what a language model writes, sentence by sentence, as far as the passages support it.

    A sentence leaves only after it passed the check; when the first one fails, or none comes, the
    extract is said instead. Citations are those of the extract: where the facts stand.
    """

    def __init__(self, generator: TextGenerator, extractive: ExtractiveComposer) -> None:
        """Take the model and what to fall back to."""
        self._generator = generator
        self._extractive = extractive

    def stream(self, question: str, hits: Sequence[Hit], language: str) -> Stream:
        """Yield checked sentences as they are complete, then return the reply."""
        passages = [f"{hit.chunk.heading}\n{hit.chunk.text}" for hit in hits]
        said = ""
        for sentence in _whole_sentences(
            self._generator.stream(grounding.prompt(question, hits, language))
        ):
            if not grounding.is_supported(sentence, passages):
                break
            piece = f" {sentence}" if said and sentence[0].isascii() else sentence
            said += piece
            yield piece
        if not said:
            return (yield from self._extractive.stream(question, hits, language))
        extract = grounding.extract(said, hits, None)
        return replace(extract, text=said, composer="generated")


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

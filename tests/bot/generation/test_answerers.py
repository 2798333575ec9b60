import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.types import Reply, Usage
from bot.generation import prompts
from bot.generation.answerers import ExtractiveAnswerer, LlmAnswerer, Stream, TokenPrices
from bot.generation.language_models import Chat, EngineError, Writing
from knowledge_base.documents import SearchHit
from tests.knowledge_base.fakes import passage

HITS = (
    SearchHit(
        passage("You can return boots within 30 days. Returns are free for members."), 0.8, 0.8, 1.0
    ),
)
ZH_HITS = (
    SearchHit(
        passage("登山鞋可以在30天内退货。会员退货免费。", title="退货", language="zh"),
        0.8,
        0.8,
        1.0,
    ),
)
PROMPT = prompts.load(Path("nowhere"))
EXTRACT = "You can return boots within 30 days."


class FakeGenerator:
    """Writes what it was told to, a few characters at a time, and notes how it ended."""

    name = "fake"

    def __init__(self, text: str, step: int = 3, *, broken: bool = False) -> None:
        self.text = text
        self.broken = broken
        self.step = step
        self.asked: Sequence[dict[str, str]] = ()
        self.written = ""
        self.ended = False

    def stream(self, chat: Chat, /, *, within: float) -> Writing:
        del within
        self.asked = chat
        try:
            for at in range(0, len(self.text), self.step):
                piece = self.text[at : at + self.step]
                self.written += piece
                yield piece
            if self.broken:
                message = "the engine broke off"
                raise EngineError(message)
            return Usage(40, len(self.text), reported=True)
        finally:
            self.ended = True


def drain(stream: Stream) -> tuple[list[str], Reply]:
    said: list[str] = []
    while True:
        try:
            said.append(next(stream))
        except StopIteration as stop:
            reply = stop.value
            assert isinstance(reply, Reply)
            return said, reply


def generated(
    generator: FakeGenerator, hits: Sequence[SearchHit] = HITS, language: str = "en"
) -> tuple[list[str], Reply]:
    composer = LlmAnswerer(generator, ExtractiveAnswerer(None), PROMPT)
    return drain(composer.stream("Within how many days return boots?", hits, language))


def test_an_extract_is_streamed_in_pieces_that_join_to_the_reply() -> None:
    said, reply = drain(ExtractiveAnswerer(None).stream("return boots days", HITS, "en"))
    assert len(said) > 3
    assert "".join(said) == reply.text
    assert reply.citations
    assert reply.composer == "extractive"


@pytest.mark.parametrize("step", [1, 3, 1000])
def test_supported_sentences_pass_one_by_one(step: int) -> None:
    text = "Boots: return within 30 days. Members return for free."
    said, reply = generated(FakeGenerator(text, step))
    assert said == ["Boots: return within 30 days.", " Members return for free."]
    assert reply.text == "".join(said) == text
    assert reply.composer == "generated"


def test_a_generated_reply_cites_where_the_facts_stand() -> None:
    _, reply = generated(FakeGenerator("Boots: return within 30 days."))
    chunk = HITS[0].chunk
    assert reply.citations
    for citation in reply.citations:
        assert chunk.text[citation.start : citation.end] == citation.quote


def test_an_unsupported_number_falls_back_to_the_extract() -> None:
    said, reply = generated(FakeGenerator("You can return boots within 90 days."))
    assert "90" not in "".join(said)
    assert reply.text == "".join(said)
    assert reply.text.startswith(EXTRACT)
    assert reply.composer == "extractive"


def test_after_an_unsupported_sentence_nothing_more_is_said() -> None:
    text = "Return boots within 30 days. It costs 99 euros. Members return for free."
    said, reply = generated(FakeGenerator(text))
    assert said == ["Return boots within 30 days."]
    assert reply.text == "Return boots within 30 days."


def test_the_generator_is_stopped_when_its_words_are_not_wanted() -> None:
    generator = FakeGenerator("It costs 99 euros. " + "Members return boots for free. " * 50)
    generated(generator)
    assert generator.ended
    assert len(generator.written) < 100


@pytest.mark.parametrize("text", ["", "  \n"])
def test_a_generator_that_says_nothing_falls_back_to_the_extract(text: str) -> None:
    _, reply = generated(FakeGenerator(text))
    assert reply.text.startswith(EXTRACT)


def test_a_last_sentence_without_full_stop_is_checked_and_said() -> None:
    assert generated(FakeGenerator("Return boots within 30 days"))[1].composer == "generated"
    assert generated(FakeGenerator("Return boots within 90 days"))[1].composer == "extractive"


def test_a_sentence_leaves_only_when_it_is_complete() -> None:
    generator = FakeGenerator("Return boots within 30 days. Members return for free.")
    stream = LlmAnswerer(generator, ExtractiveAnswerer(None), PROMPT).stream("?", HITS, "en")
    assert next(stream) == "Return boots within 30 days."
    assert len(generator.written) < len(generator.text)
    stream.close()
    assert generator.ended


def test_chinese_sentences_pass_and_join_without_a_blank() -> None:
    text = "登山鞋30天内可以退货。会员退货免费。"
    said, reply = generated(FakeGenerator(text, 2), ZH_HITS, "zh")
    assert reply.composer == "generated"
    assert reply.text == "".join(said) == text


def test_an_unsupported_chinese_number_falls_back_to_the_extract() -> None:
    said, reply = generated(FakeGenerator("登山鞋90天内可以退货。", 2), ZH_HITS, "zh")
    assert "90" not in "".join(said)
    assert reply.composer == "extractive"


def test_the_generator_is_asked_with_the_passages() -> None:
    generator = FakeGenerator("Boots: return within 30 days.")
    generated(generator)
    assert [message["role"] for message in generator.asked] == ["system", "user"]
    asked = generator.asked[1]["content"]
    assert "You can return boots within 30 days." in asked
    assert "Within how many days" in asked


def test_what_lies_beside_the_question_is_kept_from_the_generator() -> None:
    planted = "The sky over the harbour was painted purple by a machine called Zorp."
    hit = SearchHit(passage(f"You can return boots within 30 days. {planted}"), 0.8, 0.8, 1.0)
    generator = FakeGenerator(planted)
    _, reply = generated(generator, [hit])
    assert "Zorp" not in generator.asked[1]["content"]
    assert "Zorp" not in reply.text
    assert reply.written[0].fell_back == "beside the question"


def test_the_trace_gets_model_prompt_tokens_and_cost() -> None:
    composer = LlmAnswerer(
        FakeGenerator("Return boots within 30 days."),
        ExtractiveAnswerer(None),
        PROMPT,
        prices=TokenPrices(2.0, 10.0),
    )
    _, reply = drain(composer.stream("Within how many days?", HITS, "en"))
    (written,) = reply.written
    assert written.model == "fake"
    assert len(written.prompt_sha256) == 64
    assert written.usage == Usage(40, 28, reported=True)
    assert written.cost == pytest.approx((40 * 2.0 + 28 * 10.0) / 1e6)
    assert written.fell_back is None


def test_why_its_words_were_not_used_is_noted_and_tokens_are_counted() -> None:
    _, reply = generated(FakeGenerator("You can return boots within 90 days. More."))
    (written,) = reply.written
    assert written.fell_back == "unsupported: number"
    assert not written.usage.reported
    assert written.usage.completion_tokens > 0
    assert generated(FakeGenerator(""))[1].written[0].fell_back == "silent"


def test_an_engine_that_breaks_off_leaves_what_was_said_or_the_extract() -> None:
    said, reply = generated(FakeGenerator("Return boots within 30 days. Mem", broken=True))
    assert said == ["Return boots within 30 days."]
    assert reply.composer == "generated"
    assert reply.written[0].fell_back == "engine"
    _, reply = generated(FakeGenerator("Retu", broken=True))
    assert reply.text.startswith(EXTRACT)
    assert reply.composer == "extractive"
    assert reply.written[0].fell_back == "engine"


def test_a_reply_in_another_language_than_the_customers_is_not_said() -> None:
    _, reply = generated(FakeGenerator("登山鞋可以在30天内退货。"))
    assert reply.composer == "extractive"
    assert reply.written[0].fell_back == "language"


def test_pleasantries_are_left_out() -> None:
    said, _ = generated(FakeGenerator("Sure, I can help with that! Return boots within 30 days."))
    assert "".join(said).strip() == "Return boots within 30 days."


def test_when_the_customer_is_gone_the_model_stops() -> None:
    generator = FakeGenerator("Return boots within 30 days. " + "Members return for free. " * 50)
    composer = LlmAnswerer(generator, ExtractiveAnswerer(None), PROMPT)
    said, reply = drain(composer.stream("Within how many days?", HITS, "en", lambda: True))
    assert said == ["Return boots within 30 days."]
    assert reply.written[0].fell_back == "gone"
    assert generator.ended
    assert len(generator.written) < 100


def test_figures_of_two_passages_in_one_sentence_stand_in_its_quote_or_it_is_not_said() -> None:
    texts = ("A repair takes 15 business days.", "A repaired boot is covered for 6 months.")
    hits = [
        replace(HITS[0], chunk=replace(HITS[0].chunk, article=f"{n}.md", text=text))
        for n, text in enumerate(texts)
    ]
    text = "A repair takes 15 business days, and a repaired boot is covered for 6 months."
    composer = LlmAnswerer(FakeGenerator(text), ExtractiveAnswerer(None), PROMPT)
    _, reply = drain(composer.stream("How long does a repair of a boot take?", hits, "en", bool))
    cited = " ".join(citation.quote for citation in reply.citations)
    assert all(number in cited for number in re.findall(r"\d+", reply.text))

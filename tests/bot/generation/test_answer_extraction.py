from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.generation import answer_extraction
from bot.generation.answer_extraction import MAX_HAN, MAX_WORDS, extract
from knowledge_base.documents import Chunk, SearchHit
from knowledge_base.encoders.base_models import Vectors
from tests.knowledge_base.fakes import HashEncoder, passage

RETURNS = passage(
    "You can return boots within 30 days. Returns are free for members. "
    "Everyone else pays 5 euros. Our shop has a café.",
    start=100,
)
ZH = passage(
    "登山鞋可以在30天内退货。会员退货免费。其他人支付40元。店里有咖啡馆。",
    article="zh/returns.md",
    title="退货",
    start=7,
    language="zh",
)
TABLE = passage(
    "Country | Time | Fee\nNorway | 3–5 days | 9 €\nJapan | 8–10 days | 19 €",
    article="shipping.md",
    title="Shipping",
)


def hit(chunk: Chunk, score: float = 0.8) -> SearchHit:
    return SearchHit(chunk, score, score, 1.0)


@pytest.mark.parametrize("encoder", [None, HashEncoder()], ids=["words", "meaning"])
def test_the_answer_is_the_sentence_that_fits_the_question(encoder: HashEncoder | None) -> None:
    reply = extract("Within how many days can I return boots?", [hit(RETURNS)], encoder)
    assert reply.text.startswith("You can return boots within 30 days.")
    assert "café" not in reply.text
    assert reply.composer == "extractive"


@pytest.mark.parametrize("encoder", [None, HashEncoder()], ids=["words", "meaning"])
def test_chinese_questions_get_chinese_sentences(encoder: HashEncoder | None) -> None:
    reply = extract("登山鞋几天内可以退货？", [hit(ZH)], encoder)
    assert reply.text.startswith("登山鞋可以在30天内退货。")
    assert " " not in reply.text


def test_a_quote_says_where_it_stands_in_the_article() -> None:
    (citation,) = extract("return boots days", [hit(RETURNS)], None).citations
    article = "x" * RETURNS.start + RETURNS.text
    assert article[citation.start : citation.end] == citation.quote
    assert (citation.article, citation.title) == ("returns.md", "Returns")


def test_neighbouring_sentences_make_one_quote() -> None:
    chunk = passage("Boots return free. Boots return fast. Cafés open at nine.")
    (citation,) = extract("boots return", [hit(chunk)], None).citations
    assert citation.quote == "Boots return free. Boots return fast."


def test_sentences_apart_make_quotes_of_their_own_in_the_order_of_the_text() -> None:
    chunk = passage("Boots return free. Cafés open at nine. Boots return fast.")
    quotes = [c.quote for c in extract("boots return", [hit(chunk)], None).citations]
    assert quotes == ["Boots return free.", "Boots return fast."]


def test_a_row_of_a_table_reads_like_a_line() -> None:
    reply = extract("How long does Norway take?", [hit(TABLE)], None)
    assert reply.text == "Norway: Time 3–5 days, Fee 9 €."
    assert reply.citations[0].quote == "Norway | 3–5 days | 9 €"


def test_a_row_of_a_chinese_table_reads_like_a_line() -> None:
    chunk = passage("上海 | 1 天 | 免费\n北京 | 2 天 | 免费", language="zh")
    assert extract("北京", [hit(chunk)], None).text == "北京：2 天，免费。"


def test_an_answer_stays_in_one_article() -> None:
    other = passage("Boots return free in our shops.", article="shops.md")
    reply = extract("boots return free", [hit(RETURNS, 0.9), hit(other, 0.89)], None)
    assert len({citation.article for citation in reply.citations}) == 1


def test_a_better_passage_is_trusted_more() -> None:
    weak = passage("Boots are returned at the desk.", article="weak.md")
    strong = passage("Boots are returned by post.", article="strong.md")
    (citation,) = extract(
        "How are boots returned?", [hit(strong, 0.9), hit(weak, 0.3)], None
    ).citations
    assert citation.article == "strong.md"


def test_the_same_sentence_is_not_said_twice() -> None:
    hits = [hit(passage("Boots return free.")), hit(passage("Boots return free.", start=500))]
    assert extract("boots return", hits, None).text == "Boots return free."


def test_a_question_without_known_words_still_gets_an_answer() -> None:
    assert extract("zebra?", [hit(RETURNS)], None).citations


def test_a_blank_passage_beside_a_good_one_does_no_harm() -> None:
    reply = extract("boots return", [hit(passage("   ")), hit(RETURNS, 0.7)], None)
    assert "boots" in reply.text


_SENTENCES = (
    "Boots return free. ", "It takes 3.5 days! ", "Norway | 9 €\n", "Really? ", "退货免费。",
    "登山鞋三十天内可以退，运费由我们支付。", "\n\n", "no full stop\n", "Write to us at any time. ",
    "Members of our club never pay for the return of anything they bought in the last 30 days. ",
)  # fmt: skip
_CHUNKS = st.builds(
    lambda parts, start, number: passage(
        "".join(parts).strip(), article=f"{number}.md", start=start
    ),
    st.lists(st.sampled_from(_SENTENCES), min_size=1, max_size=12).filter(
        lambda parts: bool("".join(parts).strip())
    ),
    st.integers(0, 50),
    st.integers(0, 1),
)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(_CHUNKS, min_size=1, max_size=3),
    st.sampled_from(["boots return", "退货 免费", "Norway", "?"]),
    st.booleans(),
)
def test_every_extract_is_short_cited_and_of_one_article(
    chunks: list[Chunk],
    question: str,
    meaning: bool,  # noqa: FBT001 — drawn by hypothesis
) -> None:
    hits = [hit(chunk, 0.9 - 0.1 * number) for number, chunk in enumerate(chunks)]
    reply = extract(question, hits, HashEncoder() if meaning else None)
    assert reply.citations
    assert len({citation.article for citation in reply.citations}) == 1
    for citation in reply.citations:
        places = [c for c in chunks[:3] if c.article == citation.article]
        assert any(
            c.text[citation.start - c.start : citation.end - c.start] == citation.quote
            for c in places
            if citation.start >= c.start
        )
        assert citation.end - citation.start == len(citation.quote)
    longest = max(len(line.split()) for c in chunks for line in c.text.splitlines())
    # The best statement is said whole, and the row of a table is one statement.
    assert len(reply.text.split()) <= max(MAX_WORDS, longest) + 3
    assert len([c for c in reply.text if "\u3400" <= c <= "\u9fff"]) <= MAX_HAN


def texts(chunk: Chunk, question: str) -> str:
    return extract(question, [hit(chunk)], None).text


def test_a_sentence_that_refers_to_the_one_before_brings_it() -> None:
    chunk = passage("The Hollow is a sleeping bag. It weighs 980 g. Our café opens at nine.")
    assert texts(chunk, "What is the weight in g?").startswith("The Hollow is a sleeping bag. It")


def test_a_chinese_sentence_that_refers_to_the_one_before_brings_it() -> None:
    chunk = passage("暖谷是一款羽绒睡袋。它重980克。店里有咖啡馆。", language="zh")
    assert texts(chunk, "重多少克？") == "暖谷是一款羽绒睡袋。它重980克。"


def test_how_long_is_answered_with_a_duration() -> None:
    chunk = passage("Repairs are done in Portland. Repairs take 15 business days in summer.")
    reply = extract("How long do repairs take in Portland?", [hit(chunk)], None)
    assert "15 business days" in reply.text


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("会员什么时候付款？", "会员在每月3号付款。"),
        ("会员付款要多少钱？", "会员付款免费。"),
        ("会员在哪里付款？", "会员在香港门店付款。"),
    ],
)
def test_of_like_sentences_the_one_with_what_is_asked_for_comes(question: str, answer: str) -> None:
    chunk = passage("会员付款免费。会员在每月3号付款。会员在香港门店付款。", language="zh")
    scored = answer_extraction.score(question, [hit(chunk)], None)
    assert scored.statements[scored.order[0]].text == answer


def test_an_item_brings_its_lead_in() -> None:
    chunk = passage("The warranty does not cover:\nburns\ncuts by a knife\n\nCall us at any time.")
    reply = extract("Are burns covered?", [hit(chunk)], None)
    assert reply.text.startswith("The warranty does not cover: burns")
    assert "Call us" not in reply.text


def test_the_steps_of_a_procedure_stay_together_and_in_order() -> None:
    steps = "Open Orders and choose the item.\nPrint the label.\nDrop off the parcel."
    chunk = passage(f"Returns are easy.\n\n{steps}\n\nOur café opens at nine.")
    reply = extract("How do I print the label for a return?", [hit(chunk)], None)
    assert "Open Orders and choose the item. Print the label. Drop off the parcel." in reply.text


def test_a_lead_in_whose_items_find_no_room_is_not_said() -> None:
    long = " ".join(["very"] * 45)
    chunk = passage(f"Boots return free of charge {long}. Boots return as follows:\nwrite {long}")
    assert "as follows" not in texts(chunk, "How can boots return free?")


def test_a_row_of_three_columns_is_read_with_their_names() -> None:
    chunk = passage("Country | Time | Fee\nNorway | 3 days | 9 €\nJapan | 8 days | 19 €")
    assert texts(chunk, "Norway") == "Norway: Time 3 days, Fee 9 €."


def test_the_names_of_columns_that_hold_numbers_are_not_said() -> None:
    chunk = passage("Size | 2025 | 2026\nsmall | yes | no\nlarge | no | yes")
    reply = extract("small", [hit(chunk)], None)
    assert "2025" not in reply.text
    assert reply.citations[0].quote == "small | yes | no"


def test_a_heading_with_a_number_is_not_said_because_no_quote_holds_it() -> None:
    plain = passage("burns\ncuts", title="Not covered")
    dated = passage("burns\ncuts", title="Not covered in 2026")
    assert texts(plain, "burns").startswith("Not covered: burns")
    assert "2026" not in texts(dated, "burns")


def test_where_to_read_on_is_no_answer() -> None:
    chunk = passage("Read more about boots at https://shop.example. Boots need wax.")
    assert texts(chunk, "boots") == "Boots need wax."


def test_what_only_repeats_the_question_is_no_answer() -> None:
    chunk = passage("Do boots shrink? Leather boots never get smaller.")
    assert texts(chunk, "Do boots shrink?").startswith("Leather boots never")


def test_a_long_chinese_sentence_is_cut_at_a_clause() -> None:
    filler = "店里还有很多别的东西可以慢慢看慢慢选也可以坐下来休息一会儿再喝一杯热茶吃一块点心"
    chunk = passage(f"{filler}，{filler}，会员退货免费，{filler}。", language="zh")
    (citation, *_) = extract("会员退货要钱吗？", [hit(chunk)], None).citations
    assert "会员退货免费" in citation.quote
    assert len(citation.quote) < len(chunk.text)


def test_a_quote_covers_two_sentences_at_most() -> None:
    chunk = passage("退货免费。退货很快。退货简单。", language="zh")
    quotes = [c.quote for c in extract("退货好吗", [hit(chunk)], None).citations]
    assert quotes == ["退货免费。退货很快。", "退货简单。"]


def test_passages_without_words_give_an_empty_reply() -> None:
    reply = extract("boots?", [hit(passage("  \n "))], HashEncoder())
    assert (reply.text, reply.citations) == ("", ())


class Deaf:
    """An encoder that fails the test when it reads too much at once."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.inner = HashEncoder()

    def queries(self, texts: Sequence[str], /) -> Vectors:
        return self.inner.queries(texts)

    def passages(self, texts: Sequence[str], /, *, progress: bool = False) -> Vectors:
        del progress
        assert len(texts) <= self.most
        return self.inner.passages(texts)


def test_of_a_very_long_passage_only_the_likely_statements_are_encoded() -> None:
    chunk = passage(" ".join(f"Boots number {n} return." for n in range(200)))
    assert extract("boots return", [hit(chunk)], Deaf(16)).citations

import json
from collections.abc import Sequence

import numpy as np
import pytest

from knowledge_base.documents import Document
from knowledge_base.encoders.base_models import Vectors
from knowledge_base.index.dense import DenseIndex
from knowledge_base.index.filters import PassageFilter
from knowledge_base.index.sparse import SparseIndex
from knowledge_base.retrieval import search
from knowledge_base.retrieval.search import FusionWeights
from knowledge_base.retrieval.vector_field import CosineScale, VectorField, is_english
from tests.knowledge_base.fakes import HashEncoder, knowledge, passage

CHUNKS = (
    passage("Refunds arrive within five days."),
    passage("Parcels to Norway take a week.", article="shipping.md", title="Shipping"),
    passage("退款五天内到账。", article="zh/refunds.md", title="退款", language="zh"),
    passage("Returns are free for members.", start=40),
)


def test_the_passage_with_the_words_of_the_question_comes_first() -> None:
    hits = knowledge(CHUNKS).search("When do refunds arrive?")
    assert hits[0].chunk == CHUNKS[0]
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_chinese_questions_find_chinese_passages() -> None:
    assert knowledge(CHUNKS).search("退款多久到账")[0].chunk == CHUNKS[2]


def test_the_score_weighs_meaning_and_words_covered() -> None:
    query = "refunds norway"
    _, perfect = SparseIndex.build([chunk.text for chunk in CHUNKS]).scores(query)
    hits = knowledge(CHUNKS, scale=CosineScale(0.1, 0.9)).search(query)
    for hit in hits:
        near = max(0.0, (hit.dense - 0.1) / 0.8)
        expected = (
            1 - FusionWeights().sparse
        ) * near + FusionWeights().sparse * hit.sparse / perfect
        assert hit.score == pytest.approx(expected, abs=1e-4)
    assert hits[0].dense > 0.2
    assert hits[0].sparse > 0.0


def test_a_cosine_counts_by_where_it_lies_between_unrelated_and_related() -> None:
    cosines = np.array([0.6, 0.7, 0.8, 0.9], dtype=np.float32)
    assert CosineScale(0.7, 0.8).apply(cosines).tolist() == pytest.approx(
        [0.0, 0.0, 1.0, 2.0], abs=1e-5
    )


def test_scores_lie_between_zero_and_one() -> None:
    base = knowledge(CHUNKS, scale=CosineScale(0.3, 0.4))
    for query in ("Refunds arrive within five days.", "zebra", "退款", "?"):
        for hit in base.search(query):
            assert 0.0 <= hit.score <= 1.0
    assert base.search("Refunds arrive within five days.")[0].score == 1.0


def test_a_passage_only_the_words_find_is_found_too() -> None:
    many = [passage(f"common shared text {n}", article=f"{n}.md") for n in range(120)]
    rare = passage("zzz " * 40 + "sku77", article="rare.md")
    hits = knowledge([*many, rare]).search("common shared text sku77", 200)
    assert "rare.md" in [hit.chunk.article for hit in hits]


@pytest.mark.parametrize("query", ["", "  \n"])
def test_an_empty_query_finds_nothing(query: str) -> None:
    assert knowledge(CHUNKS).search(query) == []
    assert knowledge(CHUNKS).articles(query) == []


def test_no_more_than_k_passages_come_back() -> None:
    assert len(knowledge(CHUNKS).search("refunds", 2)) == 2
    assert len(knowledge(CHUNKS).search("refunds", 50)) == len(CHUNKS)


def test_equally_good_passages_come_in_the_language_of_the_customer() -> None:
    twins = (
        passage("refund", article="en.md", language="en"),
        passage("refund", article="zh.md", language="zh"),
        passage("refund", article="any.md", language=None),
    )
    base = knowledge(twins)
    assert [h.chunk.article for h in base.search("refund", language="zh")] == [
        "zh.md",
        "any.md",
        "en.md",
    ]
    assert base.search("refund", language="en")[0].chunk.article == "en.md"


def test_the_language_bonus_changes_the_order_and_not_the_scores() -> None:
    base = knowledge(CHUNKS)
    plain = {hit.chunk.id: hit.score for hit in base.search("refunds 退款")}
    preferred = {hit.chunk.id: hit.score for hit in base.search("refunds 退款", language="zh")}
    assert plain == preferred


def test_a_much_better_passage_beats_the_right_language() -> None:
    hits = knowledge(CHUNKS).search("Refunds arrive within five days.", language="zh")
    assert hits[0].chunk.language == "en"


def test_articles_are_distinct_and_ranked_by_their_best_passage() -> None:
    base = knowledge(CHUNKS)
    found = base.articles("returns free members refunds parcels")
    assert sorted(found) == ["returns.md", "shipping.md", "zh/refunds.md"]
    assert found[0] == "returns.md"
    assert len(base.articles("returns", 1)) == 1


def test_an_article_is_found_by_its_id_and_only_by_it() -> None:
    base = knowledge(CHUNKS)
    article = base.article("shipping.md")
    assert article is not None
    assert article.title == "Shipping"
    assert base.article("nowhere.md") is None


def test_hits_and_articles_have_their_public_shape() -> None:
    hit = knowledge(CHUNKS).search("refunds")[0]
    row = search.hit_json(hit)
    assert set(row) == {
        "article", "chunk", "title", "text", "start", "end", "score", "dense", "sparse",
    }  # fmt: skip
    assert json.loads(json.dumps(row)) == row
    document = Document("a.md", "A", "Text")
    assert search.article_json(document, with_text=True)["text"] == "Text"
    assert set(search.article_json(document, with_text=False)) == {
        "id", "title", "language", "url", "sha256",
    }  # fmt: skip


def test_a_follow_up_is_read_with_what_was_asked_before() -> None:
    chunks = (
        passage("Shipping to Norway costs nine dollars.", article="ship.md", title="Shipping"),
        passage("We repair tents; it costs forty dollars.", article="repair.md", title="Repair"),
        passage("Gift cards hold any sum from ten.", article="gift.md", title="Gift cards"),
    )
    base = knowledge(chunks)
    for before, article in (
        ("Do you repair tents?", "repair.md"),
        ("Shipping to Norway?", "ship.md"),
    ):
        hits = base.search("and how much does it cost?", context=before)
        assert hits[0].chunk.article == article
    hits = base.search("do you have gift cards?", context="Do you repair tents?")
    assert hits[0].chunk.article == "gift.md"


def test_a_blank_context_changes_nothing() -> None:
    base = knowledge(CHUNKS)
    assert base.search("refunds", context=" ") == base.search("refunds")


def test_only_what_fits_is_found_and_nothing_when_nothing_does() -> None:
    base = knowledge(CHUNKS)
    hits = base.search("refunds 退款", only=PassageFilter(languages=frozenset({"zh"})))
    assert [hit.chunk.language for hit in hits] == ["zh"]
    assert base.search("refunds", only=PassageFilter(tags=frozenset({"none"}))) == []


def test_an_english_encoder_is_asked_in_english_about_english_passages() -> None:
    first, second = HashEncoder("all"), Counting("english")
    index = DenseIndex.build(second.passages([CHUNKS[0].text, CHUNKS[1].text]), np.array([0, 1]))
    base = knowledge(
        CHUNKS, first, more=[VectorField(second, index, CosineScale(0.0, 1.0), english=True)]
    )
    assert base.search("refunds", 4)[0].chunk == CHUNKS[0]
    assert second.asked == ["refunds"]
    assert base.search("退款", 4)[0].chunk == CHUNKS[2]
    assert second.asked == ["refunds"]
    found = base.candidates("refunds")
    assert found is not None
    assert (
        np.isnan(found.breakdowns[0].near[1]).tolist()
        == [False, False, True, True][: len(found.rows)]
    )


class Counting(HashEncoder):
    """Remembers what it was asked."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.asked: list[str] = []

    def queries(self, texts: Sequence[str], /) -> Vectors:
        self.asked += texts
        return super().queries(texts)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Where is my parcel?", True), ("我的包裹", False), ("42?", False), ("iPhone坏了", False)],
)
def test_english_is_told_by_its_letters(text: str, expected: bool) -> None:  # noqa: FBT001
    assert is_english(text) is expected


def test_articles_that_the_intent_names_are_preferred_and_score_higher() -> None:
    base = knowledge((passage("refund", article="faq.md"), passage("refund", article="en/back.md")))
    plain = base.search("refund")
    assert plain[0].chunk.article == "faq.md"
    named = base.search("refund", prefer=["*/back.*"])
    assert named[0].chunk.article == "en/back.md"
    assert named[0].score >= plain[1].score
    assert base.search("refund", prefer=["*/nothing.*"]) == plain

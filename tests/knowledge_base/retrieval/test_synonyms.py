from pathlib import Path

import pytest

from knowledge_base.documents import KnowledgeError
from knowledge_base.retrieval.synonyms import Synonyms
from tests.knowledge_base.fakes import knowledge, passage

GROUPS = Synonyms((("parcel", "package", "shipment"), ("退款", "退钱"), ("gift card", "voucher")))


def test_each_variant_exchanges_one_term() -> None:
    assert GROUPS.variants("Where is my Parcel?") == [
        "where is my package?",
        "where is my shipment?",
    ]


def test_phrases_and_chinese_terms_are_exchanged_too() -> None:
    assert GROUPS.variants("buy a gift card") == ["buy a voucher"]
    assert GROUPS.variants("我要退钱吗") == ["我要退款吗"]


def test_traditional_characters_are_read_as_simplified_ones() -> None:
    assert GROUPS.variants("我要退錢嗎") == ["我要退款吗"]


@pytest.mark.parametrize("query", ["parcels arrive", "a subparcel", "", "refund"])
def test_other_words_stay(query: str) -> None:
    assert GROUPS.variants(query) == []


def test_without_groups_there_are_no_variants() -> None:
    assert Synonyms().variants("parcel") == []


def test_a_query_in_the_other_wording_finds_the_passage() -> None:
    chunks = (
        passage("The courier loses a shipment now and then."),
        passage("Tents keep the rain out.", article="tents.md", title="Tents"),
    )
    plain = knowledge(chunks).search("parcel?")
    hits = knowledge(chunks, synonyms=GROUPS).search("parcel?")
    assert hits[0].chunk == chunks[0]
    assert hits[0].score > max(hit.score for hit in plain if hit.chunk == chunks[0])


def test_a_file_is_read_and_none_means_none(tmp_path: Path) -> None:
    path = tmp_path / "synonyms.yml"
    assert Synonyms.load(path) == Synonyms()
    path.write_text("- [Parcel, 包裹]\n- [退貨, 退换]\n", encoding="utf-8")
    assert Synonyms.load(path).groups == (("parcel", "包裹"), ("退货", "退换"))


@pytest.mark.parametrize("text", ["parcel: package", "- parcel", "- [1, 2]", "- [a", "\xff"])
def test_a_broken_file_is_named_with_its_group(tmp_path: Path, text: str) -> None:
    path = tmp_path / "synonyms.yml"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(KnowledgeError, match=r"synonyms\.yml"):
        Synonyms.load(path)

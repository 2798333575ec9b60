from dataclasses import replace

import numpy as np

from knowledge_base.documents import Document
from knowledge_base.encoders.base_models import Vectors
from knowledge_base.quality import language_coverage
from tests.knowledge_base.fakes import passage


def articles(*names: str) -> list[Document]:
    return [Document(name, name, "text", language=name[:2]) for name in names]


def gaps(documents: list[Document], vectors: Vectors | None = None) -> list[tuple[str, str]]:
    chunks = [passage("text", article=d.id, language=d.language) for d in documents]
    rows = np.eye(len(chunks), dtype=np.float32) if vectors is None else vectors
    return [
        (gap.article, gap.language)
        for gap in language_coverage.find_missing(documents, chunks, rows)
    ]


def test_folders_that_name_languages_tell_what_is_missing() -> None:
    found = gaps(articles("en/a.md", "zh/a.html", "en/b.md", "zh/c/d.md"))
    assert found == [("en/b.md", "zh"), ("zh/c/d.md", "en")]


def test_rows_of_a_table_are_counted_one_by_one() -> None:
    assert gaps(articles("en/q.csv#1", "en/q.csv#2", "zh/q.csv#1")) == [("en/q.csv#2", "zh")]


def test_what_lies_beside_the_folders_is_for_all() -> None:
    beside = Document("faq.md", "faq", "text", language="en")
    assert gaps([*articles("en/a.md", "zh/a.md"), beside]) == []


def test_one_language_lacks_nothing() -> None:
    assert gaps(articles("en-a.md", "en-b.md")) == []


def test_without_folders_equal_tags_are_a_translation() -> None:
    documents = articles("en-a.md", "zh-b.md", "en-c.md", "zh-d.md")
    tagged = [replace(d, tags=(tag,)) for d, tag in zip(documents, "xxyy", strict=True)]
    assert gaps(tagged, np.ones((4, 2), dtype=np.float32)) == []


def test_without_tags_an_article_without_a_partner_is_alone() -> None:
    documents = articles("en-a", "en-b", "en-c", "zh-a", "zh-b")
    vectors = np.array(
        [[1, 0, 0, 1], [0, 1, 0, 1], [0.4, 0.3, 1, 1], [1, 0, 0, -1], [0, 1, 0, -1]],
        dtype=np.float32,
    )
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    chunks = [passage("text", article=d.id, language=d.language) for d in documents]
    (found,) = language_coverage.find_missing(documents, chunks, vectors)
    assert (found.article, found.language) == ("en-c", "zh")
    assert found.nearest in {"zh-a", "zh-b"}


def test_a_passage_without_a_language_has_that_of_its_script() -> None:
    assert language_coverage.passage_language(passage("退货", language=None)) == "zh"
    assert language_coverage.passage_language(passage("Returns", language=None)) == "en"

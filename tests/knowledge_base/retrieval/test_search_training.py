"""Learning to search on made-up articles whose headings mislead."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from knowledge_base.documents import Document, KnowledgeError
from knowledge_base.index.versions import Version, Versions
from knowledge_base.ingest import EncoderSpec, ingest
from knowledge_base.retrieval import search_training, version_loader
from knowledge_base.retrieval.adapter import QueryAdapter
from knowledge_base.retrieval.search import KnowledgeBase
from knowledge_base.retrieval.search_evaluation import JudgedQuery, evaluate
from tests.knowledge_base.fakes import HashEncoder

TOPICS = [f"topic{n}" for n in range(12)]
KINDS = {"price": "moolah", "repair": "tinkering"}  # what articles say, and what customers say
FORMS = (
    "what {slang} for {topic}",
    "{topic} {slang} please",
    "{slang} of my {topic}",
    "{topic}: {slang}?",
)


@pytest.fixture
def versions(tmp_path: Path) -> Versions:
    return Versions(tmp_path / "indexes", "knowledge", "k")


def served(versions: Versions) -> KnowledgeBase:
    current = versions.current()
    assert current is not None
    folder = versions.folder(current.id)
    return version_loader.load(folder, current.details, current.id, lambda _base: HashEncoder())


def built(versions: Versions) -> Version:
    documents = [
        Document(f"{topic}-{kind}", f"{topic} {kind}", f"The {kind} of {topic} is told here.")
        for topic in TOPICS
        for kind in KINDS
    ]
    return ingest(documents, versions, [EncoderSpec("hash", HashEncoder())]).version


def queries(forms: Sequence[str] = FORMS) -> list[JudgedQuery]:
    """Ask with slang that no article knows, but that means the same for all of them."""
    return [
        JudgedQuery(form.format(slang=slang, topic=topic), frozenset({f"{topic}-{kind}"}))
        for form in forms
        for topic in TOPICS
        for kind, slang in KINDS.items()
    ]


def test_slang_is_learnt_and_published_as_a_version(versions: Versions) -> None:
    version = built(versions)
    before = served(versions)
    learnt = search_training.learn(before, queries())
    assert learnt.seen[1] > learnt.seen[0]
    assert any(learnt.adapters)
    published = search_training.publish(versions, version, learnt)
    assert published.parent == version.id
    unheard = queries(["tell me the {slang}, {topic}"])
    gained = evaluate(served(versions), unheard)["mrr@10"] - evaluate(before, unheard)["mrr@10"]
    assert gained > 0


def test_the_version_before_is_as_it_was(versions: Versions) -> None:
    version = built(versions)
    hits = served(versions).search("topic3 moolah")
    search_training.publish(versions, version, search_training.learn(served(versions), queries()))
    versions.rollback()
    assert served(versions).search("topic3 moolah") == hits


def test_what_was_learnt_is_kept_when_articles_change(versions: Versions) -> None:
    version = built(versions)
    search_training.publish(versions, version, search_training.learn(served(versions), queries()))
    before = served(versions).search("moolah topic3", 3)
    documents = list(served(versions).documents.values())
    ingest(
        [*documents, Document("new.md", "New", "News.")],
        versions,
        [EncoderSpec("hash", HashEncoder())],
    )
    assert [h.chunk for h in served(versions).search("moolah topic3", 3)] == [
        h.chunk for h in before
    ]


def test_nothing_is_taken_from_questions_whose_answers_are_drawn_by_lot(
    versions: Versions,
) -> None:
    built(versions)
    rng = np.random.default_rng(0)
    noise = [
        JudgedQuery(f"word{n} of no use", frozenset({f"topic{rng.integers(12)}-price"}))
        for n in range(60)
    ]
    learnt = search_training.learn(served(versions), noise)
    assert learnt.unseen[1] >= learnt.unseen[0] - 0.01


def test_too_few_queries_are_refused_with_their_number(versions: Versions) -> None:
    built(versions)
    with pytest.raises(KnowledgeError, match=r"at least 20"):
        search_training.learn(served(versions), queries()[:5])


def test_an_adapter_without_a_residual_moves_nothing(tmp_path: Path) -> None:
    adapter = QueryAdapter(np.zeros((4, 2), np.float32), np.ones((2, 4), np.float32))
    vectors = np.eye(4, dtype=np.float32)
    assert np.allclose(adapter.apply(vectors), vectors)
    adapter.save(tmp_path / "a.npz")
    assert np.allclose(QueryAdapter.load(tmp_path / "a.npz").down, adapter.down)

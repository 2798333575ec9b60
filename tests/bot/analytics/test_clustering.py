"""Groups by average linkage: chains fall apart, and thousands of texts take seconds."""

import numpy as np

from bot.analytics import clustering
from bot.analytics.clustering import ClusterNamer


def test_a_chain_of_half_similar_questions_falls_apart() -> None:
    angles = np.radians(np.arange(0, 180, 15))
    rows = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    found = clustering.cluster_rows(rows, 0.9)
    assert 2 < len(found) < len(rows)
    assert sorted(np.concatenate(found).tolist()) == list(range(len(rows)))


def test_many_questions_are_grouped_in_seconds() -> None:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(60, 64))
    rows = centres[rng.integers(60, size=3000)] + 0.2 * rng.normal(size=(3000, 64))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    assert len(clustering.cluster_rows(rows.astype(np.float32), 0.6)) == 60


def test_a_name_holds_no_word_that_one_text_alone_has() -> None:
    texts = ["anna lost her parcel", "parcel lost by bert", "parcel of anna lost", "boats"]
    names = ClusterNamer(texts, [{"c1"}, {"c2"}, {"c1"}, {"c3"}])
    assert (
        names.name([0, 1, 2], texts[0], 2) == "lost parcel"
    )  # anna, who wrote twice, is not named
    assert names.name([0, 1, 2], texts[0], 1) == "anna lost parcel"
    assert not names.name([0, 3], texts[0], 2)


def test_words_of_other_languages_and_contractions() -> None:
    texts = ["ma réclamation, don't", "réclamation Größe", "Größe доставка", "доставка don't"]
    names = ClusterNamer(texts, [{str(n)} for n in range(4)])
    assert names.name([0, 1], texts[0], 2) == "réclamation"
    assert names.name([1, 2], texts[1], 2) == "größe"
    assert names.name([2, 3], texts[2], 2) == "доставка"
    assert not names.name([0, 3], texts[0], 2)


def test_chinese_names_are_words() -> None:
    texts = ["我的包裹有烟味", "包裹里全是烟味", "这个包裹烟味很大", "怎么退货"]
    whose = [{str(n)} for n in range(4)]
    assert ClusterNamer(texts, whose).name([0, 1, 2], texts[0], 2) == "包裹 烟味"
    assert ClusterNamer(["洗了", "洗过"], whose).name([0, 1], "洗了", 2) == "洗"

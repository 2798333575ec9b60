import numpy as np
from numpy.typing import NDArray

from bot.training import linear
from knowledge_base.encoders.base_models import Vectors

NAMES = ("refund", "size", "greeting")


def data(count: int = 90, classes: int = 3) -> tuple[Vectors, list[str], NDArray[np.int64]]:
    """Return texts whose words tell the class, and vectors that tell it half of the time."""
    rng = np.random.default_rng(0)
    targets = np.arange(count, dtype=np.int64) % classes
    texts = [f"{NAMES[target]} number {number}" for number, target in enumerate(targets)]
    vectors = rng.normal(size=(count, 16)) + 2.0 * np.eye(16)[targets]
    return (
        (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32),
        texts,
        targets,
    )


def test_both_halves_add_up_and_each_knows_something() -> None:
    vectors, texts, targets = data()
    model = linear.fit(vectors, texts, targets, 3)
    both = model.logits(vectors, texts)
    assert np.allclose(both, model.head.logits(vectors) + model.sparse.logits(texts))
    assert (both.argmax(axis=1) == targets).all()
    assert (model.sparse.logits(texts).argmax(axis=1) == targets).mean() > 0.9
    assert (model.head.logits(vectors).argmax(axis=1) == targets).mean() > 0.6


def test_without_vectors_the_words_alone_are_fitted() -> None:
    _, texts, targets = data()
    model = linear.fit(None, texts, targets, 3)
    assert model.head.weight.shape == (3, 0)
    assert (model.logits(None, texts).argmax(axis=1) == targets).all()


def test_two_classes_have_opposite_rows() -> None:
    vectors, texts, targets = data(60, classes=2)
    model = linear.fit(vectors, texts, targets, 2)
    assert np.allclose(model.head.weight[0], -model.head.weight[1])
    assert (model.logits(vectors, texts).argmax(axis=1) == targets).all()


def test_a_class_without_examples_is_never_said() -> None:
    vectors, texts, targets = data(60, classes=2)
    for present in (targets, targets + 1, 2 * targets):
        logits = linear.fit(vectors, texts, present, 3).logits(vectors, texts)
        assert (logits.argmax(axis=1) == present).all()


def test_a_single_class_is_always_said() -> None:
    vectors, texts, targets = data(6)
    logits = linear.fit(vectors, texts, np.ones_like(targets), 3).logits(vectors, texts)
    assert (logits.argmax(axis=1) == 1).all()


def test_the_same_data_makes_the_same_model() -> None:
    vectors, texts, targets = data()
    first, second = (linear.fit(vectors, texts, targets, 3) for _ in range(2))
    assert np.array_equal(first.head.weight, second.head.weight)
    assert np.array_equal(first.sparse.weight, second.sparse.weight)


def test_out_of_fold_logits_are_of_models_that_have_not_seen_the_text() -> None:
    vectors, texts, targets = data()
    folds = np.arange(len(texts)) // 3 % 5
    logits = linear.out_of_fold(vectors, texts, targets, 3, folds)
    rows = np.flatnonzero(folds == 2)
    seen = np.flatnonzero(folds != 2)
    model = linear.fit(vectors[seen], [texts[i] for i in seen], targets[seen], 3)
    assert np.allclose(logits[rows], model.logits(vectors[rows], [texts[i] for i in rows]))


def test_random_labels_are_not_recognised_out_of_fold() -> None:
    """What a model learnt by heart must not leak into its own calibration."""
    rng = np.random.default_rng(1)
    vectors, _, _ = data(150)
    texts = [" ".join(rng.choice(["a", "bb", "ccc", "dd", "e"], 4)) + f" {n}" for n in range(150)]
    targets = rng.integers(0, 3, 150)
    learnt = linear.fit(vectors, texts, targets, 3).logits(vectors, texts)
    unseen = linear.out_of_fold(vectors, texts, targets, 3, np.arange(150) % 5)
    assert (learnt.argmax(axis=1) == targets).mean() > 0.8
    assert (unseen.argmax(axis=1) == targets).mean() < 0.5


def test_a_message_of_unknown_words_is_read_by_its_vector_alone() -> None:
    vectors, _, targets = data()
    plain = linear.fit_dense(vectors, targets, 3)
    assert (plain.logits(vectors).argmax(axis=1) == targets).mean() > 0.6


def test_added_classes_and_examples_come_out_as_if_all_were_fitted_at_once() -> None:
    vectors, texts, targets = data(240, classes=3)
    order = np.argsort(targets == 2, kind="stable")  # the third class comes later
    vectors, texts, targets = vectors[order], [texts[i] for i in order], targets[order]
    known = int((targets < 2).sum()) - 20  # and so do examples of the others
    old = linear.fit(vectors[:known], texts[:known], targets[:known], 2)
    extension = linear.IncrementalFit(old, known, vectors, texts, targets, 3)
    grown, whole = extension.fit(), linear.fit(vectors, texts, targets, 3)
    assert (grown.logits(vectors, texts).argmax(axis=1) == targets).all()
    gap = np.abs(grown.logits(vectors, texts) - whole.logits(vectors, texts))
    assert gap.mean() < 0.1 * np.abs(whole.logits(vectors, texts)).mean()


def test_examples_left_out_of_an_extension_are_not_learnt() -> None:
    vectors, texts, targets = data(90, classes=3)
    order = np.argsort(targets == 2, kind="stable")
    vectors, texts, targets = vectors[order], [texts[i] for i in order], targets[order]
    old = linear.fit(vectors[:60], texts[:60], targets[:60], 2)
    extension = linear.IncrementalFit(old, 60, vectors, texts, targets, 3)
    logits = extension.fit(without=range(60, 90)).logits(vectors, texts)
    assert (logits.argmax(axis=1)[:60] == targets[:60]).all()
    assert (logits.argmax(axis=1) != 2).all()

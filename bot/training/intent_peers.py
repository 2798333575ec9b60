"""Simple classifiers trained on the same examples: the least that a version has to beat.

The support vector machine has TF-IDF n-grams and the encoder's vector as features and out of scope
as a class; it reads messages without their conversation. The nearest neighbour takes the label and
the distance of the closest example, the majority the most frequent label.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bot.core.types import OUT_OF_SCOPE
from bot.training.datasets import Example
from knowledge_base.encoders.base_models import Vectors

_DENSE: Final = 1.5  # the length of a vector relative to two blocks of length 1


@dataclass(frozen=True)
class PeerPrediction:
    """The predictions of one peer for n messages: in-scope labels, scores and rejections, (n,).

    A peer without a threshold rejects nothing.
    """

    labels: NDArray[np.str_]
    oos_scores: NDArray[np.float64]
    rejected: NDArray[np.bool_]


def predict(
    examples: Sequence[Example], vectors: Vectors, texts: Sequence[str], queries: Vectors
) -> dict[str, PeerPrediction]:
    """Train the peers on examples and predict the labels of texts.

    `vectors`, shape (m, dimension), are those of the examples, `queries`, (n, dimension), those of
    the texts. Examples with a conversation before them are left out,
    unless there are no others.
    """
    alone = [i for i, e in enumerate(examples) if not (e.customer or e.reply)]
    if len({examples[i].intent for i in alone} - {OUT_OF_SCOPE}) < 2:  # noqa: PLR2004
        alone = list(range(len(examples)))
    labels = np.array([examples[i].intent for i in alone])
    in_scope = labels != OUT_OF_SCOPE
    cosines = queries @ vectors[alone][in_scope].T
    nearest = cosines.argmax(axis=1)
    distances = 1.0 - cosines[np.arange(len(queries)), nearest]
    most_frequent = Counter(labels[in_scope].tolist()).most_common(1)[0][0]
    train_texts = [examples[i].text for i in alone]
    nothing = np.zeros(len(texts), dtype=np.bool_)
    return {
        "tfidf_embedding_svm": _predict_svm(train_texts, vectors[alone], labels, texts, queries),
        "nearest_neighbour": PeerPrediction(
            labels[in_scope][nearest], distances.astype(np.float64), nothing
        ),
        "majority": PeerPrediction(
            np.full(len(texts), most_frequent), np.zeros(len(texts)), nothing
        ),
    }


def _predict_svm(
    train_texts: Sequence[str],
    vectors: Vectors,
    labels: NDArray[np.str_],
    texts: Sequence[str],
    queries: Vectors,
) -> PeerPrediction:
    from scipy.sparse import csr_matrix, hstack
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.svm import LinearSVC

    blocks: list[Any] = [
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
        TfidfVectorizer(analyzer="char", ngram_range=(1, 4), sublinear_tf=True),
    ]
    train = [*(block.fit_transform(train_texts) for block in blocks), csr_matrix(_DENSE * vectors)]
    test = [*(block.transform(texts) for block in blocks), csr_matrix(_DENSE * queries)]
    model = LinearSVC(C=1.0, random_state=0).fit(hstack(train).tocsr(), labels)
    logits = model.decision_function(hstack(test).tocsr())
    if len(model.classes_) == 2:  # noqa: PLR2004
        logits = np.stack([-logits, logits], axis=1)
    is_oos = model.classes_ == OUT_OF_SCOPE
    in_scope = np.where(is_oos, -np.inf, logits)
    best = model.classes_[in_scope.argmax(axis=1)]
    if not is_oos.any():
        return PeerPrediction(best, -in_scope.max(axis=1), np.zeros(len(texts), dtype=np.bool_))
    margins = logits[:, is_oos].max(axis=1) - in_scope.max(axis=1)
    return PeerPrediction(best, margins, margins >= 0)

"""A vector field: the vectors of one encoder, and the scale of its cosines."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from knowledge_base.encoders.base_models import Encoder, Vectors
from knowledge_base.index.dense import DenseIndex
from knowledge_base.index.sparse import Rows, Scores
from knowledge_base.retrieval.adapter import QueryAdapter

_MIN_PASSAGES: Final = 24  # from which the scale is measured on the passages themselves
_MIN_WIDTH: Final = 0.01
_PAIRS: Final = (
    ("When does the library close?", "The library closes at eight in the evening."),
    ("How do I bake bread?", "Knead the dough, let it rise for an hour and bake it until brown."),
    ("Can I bring my dog?", "Dogs are welcome if they are kept on a lead."),
    ("Why is my phone slow?", "A full memory makes a phone slow; delete apps you do not use."),
    ("怎么办理护照？", "办理护照需要携带身份证和两张照片到出入境窗口。"),
    ("植物多久浇一次水？", "大多数室内植物每周浇一次水就够了。"),
    ("博物馆门票多少钱？", "成人门票六十元，学生半价。"),
    ("怎么学好游泳？", "先练习呼吸和漂浮，再练习手脚配合。"),
)


@dataclass(frozen=True)
class CosineScale:
    """The cosines at which a passage is unrelated, and fully related, to a question.

    Some encoders never go below 0.7; on this scale, scores of all encoders mean the same.
    """

    SAMPLED: ClassVar[int] = 100  # passages to measure it on

    unrelated: float
    related: float

    def apply(self, cosines: Scores) -> Scores:
        """Return 0 for unrelated, 1 for related, more for even closer passages."""
        width = self.related - self.unrelated
        return np.asarray(np.maximum((cosines - self.unrelated) / width, 0.0), dtype=np.float32)

    @classmethod
    def measure(cls, headings: Sequence[str], vectors: Vectors, encoder: Encoder) -> "CosineScale":
        """Measure both on a sample: `headings` of passages and their `vectors`, shape (n, d).

        Headings serve as questions: related to their own passage, unrelated to the others. If there
        are only a few passages, built-in questions and answers are used instead.
        """
        if len(headings) < _MIN_PASSAGES:
            questions = encoder.queries([question for question, _ in _PAIRS])
            answers = encoder.passages([answer for _, answer in _PAIRS])
        else:
            questions, answers = encoder.queries(headings), vectors
        cosines = questions @ answers.T
        unrelated = float(np.median(cosines[~np.eye(len(cosines), dtype=bool)]))
        related = float(np.median(np.diag(cosines)))
        return cls(unrelated, max(related, unrelated + _MIN_WIDTH))


@dataclass(frozen=True)
class VectorField:
    """The passage vectors of one encoder; an English encoder has only the English passages.

    `numbers` are those of its passages, ascending; a passage keeps its number for life.
    """

    encoder: Encoder
    index: DenseIndex
    scale: CosineScale
    english: bool = False
    adapter: QueryAdapter | None = None

    def encode(self, query: str) -> Vectors:
        """Return the vector of a query, shape (d,)."""
        vectors = self.encoder.queries([query])
        vector: Vectors = (self.adapter.apply(vectors) if self.adapter else vectors)[0]
        return vector

    def understands(self, query: str) -> bool:
        """Return whether this encoder supports the language of a query."""
        return not self.english or is_english(query)

    def nearest(self, vector: Vectors, k: int, allowed: NDArray[np.int64] | None) -> Rows:
        """Return the numbers of the passages nearest to a query's vector, shape (d,)."""
        return self.index.search(vector, k, allowed=allowed)[0]

    def cosines(self, vector: Vectors, numbers: Rows) -> Scores:
        """Return the cosines of a query, (d,), with passages, (n,); NaN where it has none."""
        if not self.english:
            return self.index.cosines(vector, numbers)
        cosines = np.full(len(numbers), np.nan, dtype=np.float32)
        covered = np.isin(numbers, self.index.numbers)
        cosines[covered] = self.index.cosines(vector, numbers[covered])
        return cosines

    def vectors(self, numbers: Rows) -> Vectors:
        """Return the vectors of passages, shape (n, d); zeros for those without."""
        vectors = np.zeros((len(numbers), self.index.dimension), dtype=np.float32)
        covered = np.isin(numbers, self.index.numbers)
        vectors[covered] = self.index.vectors(numbers[covered])
        return vectors


def is_english(text: str) -> bool:
    """Return whether a text can be English: it has letters, and they are English ones."""
    letters = [character for character in text if character.isalpha()]
    english = sum(character.isascii() for character in letters)
    return bool(letters) and english >= 0.95 * len(letters)

"""One encoder's look at the passages: its vectors, and what its cosines mean."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from knowledge_base.encoders.base_models import Encoder, Vectors
from knowledge_base.index.dense import DenseIndex
from knowledge_base.index.sparse import Rows, Scores
from knowledge_base.retrieval.adapter import QueryAdapter

_ENOUGH: Final = 24  # passages from which a corpus can measure itself
_NARROWEST: Final = 0.01
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
    """The cosines at which a passage has nothing, or everything, to do with a question.

    Some encoders never go below .7; on this scale their scores mean the same as others'.
    """

    SAMPLED: ClassVar[int] = 100  # passages that are enough to measure it

    unrelated: float
    related: float

    def apply(self, cosines: Scores) -> Scores:
        """Return 0 for unrelated, 1 for related, more for closer still."""
        width = self.related - self.unrelated
        return np.asarray(np.maximum((cosines - self.unrelated) / width, 0.0), dtype=np.float32)

    @classmethod
    def measure(cls, headings: Sequence[str], vectors: Vectors, encoder: Encoder) -> "CosineScale":
        """Measure both on a sample: `headings` of passages and their `vectors`, shape (n, d).

        Headings stand in for questions: with their own passage they are related, with others not.
        A handful of passages says too little; built-in questions and answers are used then.
        """
        if len(headings) < _ENOUGH:
            questions = encoder.queries([question for question, _ in _PAIRS])
            answers = encoder.passages([answer for _, answer in _PAIRS])
        else:
            questions, answers = encoder.queries(headings), vectors
        cosines = questions @ answers.T
        unrelated = float(np.median(cosines[~np.eye(len(cosines), dtype=bool)]))
        related = float(np.median(np.diag(cosines)))
        return cls(unrelated, max(related, unrelated + _NARROWEST))


@dataclass(frozen=True)
class VectorField:
    """The vectors one encoder made of passages; an English encoder sees the English ones only.

    `numbers` are those of the passages seen, ascending; a passage keeps its number for life.
    """

    encoder: Encoder
    index: DenseIndex
    scale: CosineScale
    english: bool = False
    adapter: QueryAdapter | None = None

    def ask(self, query: str) -> Vectors:
        """Return the vector of a query, shape (d,)."""
        vectors = self.encoder.queries([query])
        vector: Vectors = (self.adapter.apply(vectors) if self.adapter else vectors)[0]
        return vector

    def understands(self, query: str) -> bool:
        """Tell whether this encoder can read a query."""
        return not self.english or is_english(query)

    def nearest(self, vector: Vectors, k: int, allowed: NDArray[np.int64] | None) -> Rows:
        """Return the numbers of the passages nearest to a query's vector, shape (d,)."""
        return self.index.search(vector, k, allowed=allowed)[0]

    def cosines(self, vector: Vectors, numbers: Rows) -> Scores:
        """Return the cosines of a query, (d,), with passages, (n,); NaN for those not seen."""
        if not self.english:
            return self.index.cosines(vector, numbers)
        found = np.full(len(numbers), np.nan, dtype=np.float32)
        seen = np.isin(numbers, self.index.numbers)
        found[seen] = self.index.cosines(vector, numbers[seen])
        return found

    def vectors(self, numbers: Rows) -> Vectors:
        """Return the vectors of passages, shape (n, d); zeros for those not seen."""
        found = np.zeros((len(numbers), self.index.dimension), dtype=np.float32)
        seen = np.isin(numbers, self.index.numbers)
        found[seen] = self.index.vectors(numbers[seen])
        return found


def is_english(text: str) -> bool:
    """Tell whether a text can be English: it has letters, and they are those of English."""
    letters = [character for character in text if character.isalpha()]
    ours = sum(character.isascii() for character in letters)
    return bool(letters) and ours >= 0.95 * len(letters)

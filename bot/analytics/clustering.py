"""Groups of texts that mean the same, and what a group may be called."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from math import log
from typing import Final

import numpy as np
from numpy.typing import NDArray

from knowledge_base.encoders.base_models import Vectors
from knowledge_base.index.sparse import terms
from knowledge_base.text.chinese import simplified

Encode = Callable[[Sequence[str]], Vectors]
# Questions about nothing in common: where vectors of this language lie whatever is asked.
_BACKGROUND: Final = {
    "en": (
        "how tall is the oldest tree", "when does the train leave", "who painted this picture",
        "can I borrow your ladder", "what does the word mean", "is the soup still warm",
        "where did the meeting take place", "I lost the match yesterday", "please call my sister",
        "how do bees make honey", "why was the road closed", "the printer makes a noise",
    ),
    "zh": (
        "最老的树有多高", "火车几点开", "这幅画是谁画的", "能借我梯子吗", "这个词是什么意思",
        "汤还热吗", "会议在哪里举行", "我昨天输了比赛", "请给我姐姐打电话", "蜜蜂怎么酿蜜",
        "这条路为什么封了", "打印机有噪音",
    ),
}  # fmt: skip
_TERMS: Final = 3
_HAN: Final = re.compile(r"[\u3400-\u9fff]")
_RUN: Final = re.compile(r"[\u3400-\u9fff]+|[^\W_\u3400-\u9fff]+(?:['’][^\W_\u3400-\u9fff]+)?")
_SHORTEST: Final = 3  # letters of a word in a name
_MEANINGFUL: Final = frozenset("nva")  # tags of nouns, verbs, adjectives begin with these
_BLOCK: Final = 512


def origin(rows: Vectors, language: str, encode: Encode) -> Vectors:
    """Return where vectors of a language lie whatever is said, shape (d,).

    Some encoders put any two texts close to each other; without the background a handful of texts
    would be one group, or, from their own mean, none.
    """
    background = encode(_BACKGROUND.get(language, _BACKGROUND["en"]))
    return np.asarray(np.concatenate([rows, background]).mean(axis=0), dtype=np.float32)


def centred(rows: Vectors, origin: Vectors) -> Vectors:
    """Return unit vectors that point from the origin to the rows: what all share goes."""
    moved = rows - origin
    lengths = np.linalg.norm(moved, axis=-1, keepdims=True)
    return np.asarray(moved / np.maximum(lengths, 1e-9), dtype=np.float32)


def by_typicality(rows: Vectors, members: NDArray[np.int64]) -> list[int]:
    """Return the members of a group, the one closest to their mean first."""
    centre = rows[members].mean(axis=0)
    return [int(n) for n in members[np.argsort(-(rows[members] @ centre), kind="stable")]]


def groups(rows: Vectors, together: float) -> list[NDArray[np.int64]]:
    """Return groups of rows by average linkage, each sorted; rows (n, d) are unit vectors.

    The mean cosine of two groups is that of their sums, so no n² table is kept: pairs are read
    block by block, closest first, and joined where the groups they lie in by then still fit.
    """
    sums = {n: rows[n].astype(np.float64) for n in range(len(rows))}
    members = {n: [n] for n in range(len(rows))}
    group = list(range(len(rows)))
    for first, second in _links(rows, together):
        one, other = sorted((group[first], group[second]))
        if one == other:
            continue
        mean = float(sums[one] @ sums[other]) / (len(members[one]) * len(members[other]))
        if mean < together:
            continue
        sums[one] += sums.pop(other)
        moved = members.pop(other)
        members[one] += moved
        for row in moved:
            group[row] = one
    return [np.array(sorted(found)) for found in members.values()]


def _links(rows: Vectors, together: float) -> Iterator[tuple[int, int]]:
    """Yield the pairs with a cosine of `together` or more, closest first."""
    parts = []
    for at in range(0, len(rows), _BLOCK):
        cosines = rows[at : at + _BLOCK] @ rows.T
        one, other = np.nonzero(cosines >= together)
        later = at + one < other
        one, other = one[later], other[later]
        close = np.round(cosines[one, other], 5)
        parts.append((close, (at + one).astype(np.int32), other.astype(np.int32)))
    close, one, other = (np.concatenate(column) for column in zip(*parts, strict=True))
    for n in np.lexsort((other, one, -close)):
        yield int(one[n]), int(other[n])


class ClusterNamer:
    """Names for groups: the words most of a group's texts share and few others have."""

    def __init__(self, texts: Sequence[str], whose: Sequence[Collection[str]]) -> None:
        """Count the words of all texts; `whose` are the conversations each was said in."""
        self._words = [_words(text) for text in texts]
        self._whose = whose
        self._spread = Counter(term for found in self._words for term in found)

    def of(self, members: Sequence[int], typical: str, fewest: int) -> str:
        """Return a name, written as most of the texts write it, in the order of a typical text.

        A word must stand in two texts, and have been said in `fewest` conversations: a name shall
        not tell of anybody. Where the texts share none, it is empty.
        """
        own = [self._words[n] for n in members]
        counts = Counter(term for found in own for term in found)
        said: defaultdict[str, set[str]] = defaultdict(set)
        for n in members:
            for term in self._words[n]:
                said[term].update(self._whose[n])
        total = len(self._words)
        scores = {
            term: n / len(own) * log(1.0 + total / self._spread[term])
            for term, n in counts.items()
            if len(said[term]) >= fewest and (n > 1 or len(own) == 1)
        }
        # One Chinese character alone says little; where there is nothing longer, it must do.
        best = sorted(scores, key=lambda term: (len(term) == 1, -scores[term], term))[:_TERMS]
        best = [term for term in best if len(term) > 1] or best
        order = list(_words(typical))
        best.sort(key=lambda term: order.index(term) if term in order else len(order))
        return " ".join(self._as_written(term, own) for term in best)

    @staticmethod
    def _as_written(term: str, texts: Sequence[dict[str, str]]) -> str:
        return Counter(found[term] for found in texts if term in found).most_common(1)[0][0]


def _words(text: str) -> dict[str, str]:
    """Return the words that carry a subject: the term each one is, and how it is written."""
    import rjieba
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    found: dict[str, str] = {}
    for run in _RUN.findall(simplified(text)):
        if _HAN.match(run):
            for word, tag in rjieba.tag(run):
                if tag[0] in _MEANINGFUL:
                    found.setdefault(word, word)
        elif len(run) >= _SHORTEST and run.isalpha() and run.lower() not in ENGLISH_STOP_WORDS:
            found.setdefault(" ".join(terms(run)) or run.lower(), run.lower())
    return found
